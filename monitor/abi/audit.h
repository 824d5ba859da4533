/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Audited events: stable ids, AUDIT(name, value, sentence), and the records of them that audit_read
 * copies out.
 *
 * Records are appended and then never change. Those of one id and one subject are a kind: a record
 * is made when a kind is new and again each time its count has doubled, and only as far as the id's
 * budget reaches. What made no record is counted: unrecorded in the id's next one, and total.
 *
 * The chain: head 0 is 32 bytes of zeros, head n + 1 the SHA-256 of record n as it stands here, of
 * which head n is the first field. So whoever has a record can check all that are kept behind it:
 * each one's digest is the next one's chain, and the last one's is what audit_head tells.
 */
#pragma once

#include <stdint.h>

#define REDOUBT_AUDIT_EVENTS(AUDIT)                                                                \
	AUDIT(MONITOR_READ, 1, "first touch of a region of the monitor's memory")                  \
	AUDIT(MONITOR_WRITE, 2, "write to the monitor's memory")                                   \
	AUDIT(MONITOR_FETCH, 3, "instruction fetch from the monitor's memory")                     \
	AUDIT(MSR_READ, 4, "read of a denied MSR")                                                 \
	AUDIT(MSR_WRITE, 5, "write of a denied MSR or value")                                      \
	AUDIT(CR_WRITE, 6, "refused control register write")                                       \
	AUDIT(VMX_INSTRUCTION, 7, "virtualization instruction by the guest")                       \
	AUDIT(CALL_REFUSED, 8, "call refused")                                                     \
	AUDIT(STRAY_SIPI, 9, "INIT or SIPI at a CPU that is not covered")                          \
	AUDIT(UNKNOWN_EXIT, 10,                                                                    \
	    "exit that the monitor does not handle; the CPU's guest is stopped")                   \
	AUDIT(SLEEP_REFUSED, 11, "request for a sleep state that is refused")                      \
	AUDIT(TASK_SWITCH, 12, "task switch refused")                                              \
	AUDIT(MACHINE_CHECK, 13, "machine check")                                                  \
	AUDIT(EVENT_LOOP, 14, "endless delivery of exceptions cut short")                          \
	AUDIT(TRIPLE_FAULT, 15, "triple fault of the guest")                                       \
	AUDIT(OUTSIDE, 16, "access to a physical address that does not exist")                     \
	AUDIT(INTERRUPT_REFUSED, 17, "interrupt source told to send INIT, SMI or NMI")             \
	AUDIT(PARTITION_DEATH, 18, "partition ended by a fault, its time limit or itself")         \
	AUDIT(DMA_REFUSED, 19, "memory access of a device refused")

#define REDOUBT_AUDIT_ENUM(name, value, sentence) REDOUBT_AUDIT_##name = (value),
enum redoubt_audit { REDOUBT_AUDIT_EVENTS(REDOUBT_AUDIT_ENUM) REDOUBT_AUDIT_LAST };

/* Little endian. */
struct redoubt_audit_record {
	uint8_t chain[32];   /* the head before it */
	uint64_t number;     /* from 0 at launch */
	uint64_t cycles;     /* time stamp counter */
	uint32_t event;	     /* REDOUBT_AUDIT_; 0: one that has no id */
	uint32_t cpu;	     /* that saw it */
	uint64_t subject;    /* what the event is about */
	uint64_t fact;	     /* of this one */
	uint64_t count;	     /* events of its kind, this one among them */
	uint64_t total;	     /* events of its id since launch, this one among them */
	uint64_t unrecorded; /* events of its id since that id's last record */
};

_Static_assert(sizeof(struct redoubt_audit_record) == 96, "readers know its size");

#define REDOUBT_AUDIT_PAGE (4096 / 96) /* records that a frame holds */
