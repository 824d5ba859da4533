/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Audited events: stable ids. AUDIT(name, value, sentence). A record carries the id, the CPU, a
 * subject (what the event is about; equal subjects coalesce) and a fact.
 */
#ifndef REDOUBT_ABI_AUDIT_H
#define REDOUBT_ABI_AUDIT_H

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
	AUDIT(PARTITION_DEATH, 18, "partition ended by a fault, its time limit or itself")

#define REDOUBT_AUDIT_ENUM(name, value, sentence) REDOUBT_AUDIT_##name = (value),
enum redoubt_audit { REDOUBT_AUDIT_EVENTS(REDOUBT_AUDIT_ENUM) REDOUBT_AUDIT_LAST };

#endif
