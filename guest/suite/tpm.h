/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The vTPM's registers as a driver has them (monitor/abi/tpm.h), for the suites `tpm` and
 * `tpm-smp`. TCG PC Client Platform TPM Profile 1.05, 6.5.3; TPM 2.0 Library, parts 2 and 3.
 */
#ifndef GUEST_SUITE_TPM_H
#define GUEST_SUITE_TPM_H

#include <stdbool.h>
#include <stdint.h>

#include "guest/lib/memory.h"
#include "monitor/abi/tpm.h"

/* ---- Registers: offsets in a locality's page ---- */

#define LOC_STATE     0x00u
#define LOC_CTRL      0x08u
#define LOC_STS	      0x0cu
#define INTF_ID	      0x30u
#define INTF_VENDOR   0x34u
#define CTRL_REQ      0x40u
#define CTRL_STS      0x44u
#define CTRL_CANCEL   0x48u
#define CTRL_START    0x4cu
#define CTRL_CMD_SIZE 0x58u
#define CTRL_CMD_LOW  0x5cu
#define CTRL_RSP_SIZE 0x64u
#define CTRL_RSP_LOW  0x68u
#define REGISTERS_END 0x80u

#define LOC_REQUEST    1u
#define LOC_RELINQUISH 2u
#define LOC_SEIZE      4u
#define REQ_READY      1u
#define REQ_IDLE       2u

#define LOCALITIES    3u /* that software has */
#define LOCALITY_NONE TPM_LOCALITIES

static inline volatile uint32_t *tpm_register(unsigned locality, unsigned at)
{
	return (volatile uint32_t *)(TPM_BASE + (uint64_t)locality * PAGE + at);
}

static inline uint32_t tpm_get(unsigned locality, unsigned at)
{
	return *tpm_register(locality, at);
}

/* One MOV of 4 bytes. */
static inline void tpm_set(unsigned locality, unsigned at, uint32_t value)
{
	__asm__ volatile("movl %1, (%0)"
			 :
			 : "r"(tpm_register(locality, at)), "r"(value)
			 : "memory");
}

/* ---- Commands ---- */

#define TAG_PLAIN     0x8001u
#define TAG_SESSIONS  0x8002u
#define TAG_REFUSED   0x00c4u /* of the response to a tag that is none */
#define HEADER	      10u
#define RC_BAD_TAG    0x01eu
#define RC_INITIALIZE 0x100u
#define RC_CODE	      0x143u
#define RC_SIZE	      0x142u /* TPM_RC_COMMAND_SIZE */
#define RC_TRAILING   0x095u /* TPM_RC_SIZE, as bytes behind the last parameter have it */

#define CC_STARTUP	  0x144u
#define CC_GET_RANDOM	  0x17bu
#define CC_PCR_EXTEND	  0x182u
#define CC_PCR_RESET	  0x13du
#define CC_PCR_READ	  0x17eu
#define CC_CREATE_PRIMARY 0x131u
#define CC_FLUSH	  0x165u

/* What stands behind the header of a valid command. */
struct tpm_command {
	const char *name;
	uint32_t tag, code;
	const char *body;
	uint32_t bytes;
};

extern const struct tpm_command tpm_commands[];
extern const unsigned tpm_command_count;

/* The one of the list that is called so. */
const struct tpm_command *tpm_find(const char *name);

/* Writes it into `bytes` with its header; returns its length. */
uint32_t tpm_compose(const struct tpm_command *command, uint8_t *bytes);

struct tpm_answer {
	uint32_t tag, size, code;
	/* By its tag, size and code a response, and behind it the page is as the guest left it. */
	bool whole;
};

static inline volatile uint8_t *tpm_buffer(void)
{
	return (volatile uint8_t *)(uint64_t)TPM_BUFFER;
}

uint32_t tpm_number(unsigned at, unsigned bytes); /* in the buffer, as a TPM writes numbers */

/* Writes a command into the buffer, and what is behind it. */
void tpm_put(const uint8_t *bytes, uint32_t length);

/* What the buffer holds behind tpm_put() and a command. */
struct tpm_answer tpm_look(void);

/* By locality 0, which becomes the active one and ready: puts it, starts it, looks. */
struct tpm_answer tpm_send(const uint8_t *bytes, uint32_t length);
struct tpm_answer tpm_do(const struct tpm_command *command);
struct tpm_answer tpm_do_named(const char *name);

/* As the keeper of its state: what waits, if anything does, is written, and its response may go. */
void tpm_say_kept(void);

/* All software's localities give up; locality 0 asks, and is ready. */
void tpm_take(void);

/* Whether it answers as a TPM does that is well: two random numbers, which differ. */
bool tpm_alive(void);

/* PCR 16, which any software may reset, is zero now; holds this. */
void tpm_pcr_reset(void);
bool tpm_pcr_is(const uint8_t digest[32]);

/* PCR_Extend of PCR 16 by a digest of 32 such bytes, and what the PCR is then, from zero. */
#define DIGEST_AT    33u /* in the command */
#define DIGEST_BYTES 32u
extern const uint8_t tpm_extended_a5[32];
/* The same, but the last byte is 5a. */
extern const uint8_t tpm_extended_a5_5a[32];

/* The number of its partition; ends the run if there is none. */
uint64_t tpm_partition(void);

/* ---- Parts of the suites ---- */

void tpm_state(void);	  /* held responses; from here on the guest is the state's keeper */
void tpm_registers(void); /* states and localities */
void tpm_stores(void);	  /* instructions */
void tpm_pages(void);	  /* the window as code, tables and stack */
void tpm_malformed(void);
void tpm_mutants(void);
void tpm_interrupts(void);
void tpm_requests(void);

/* tpm_code.S: MOV of EAX to RDI's address between all registers as in `in` and as in `out`. */
struct tpm_register_file {
	uint64_t general[15]; /* rax rcx rdx rbx rbp rsi rdi r8 to r15 */
	uint64_t flags;
	uint64_t vectors[32];
};
void tpm_store_between(const struct tpm_register_file *in, struct tpm_register_file *out);

/* Its MOVs to RBX's address never end, but by a trap. */
void tpm_store_forever(void *target);

/* tpm_code.S: stores right behind STI, so that no interrupt is taken between; then CLI. */
void tpm_store_behind_sti(volatile uint32_t *target, uint32_t value);

#endif
