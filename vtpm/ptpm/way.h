/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Between the parts of the driver: what tis.c and crb.c do, each in its way, and what both need.
 */
#ifndef VTPM_PTPM_WAY_H
#define VTPM_PTPM_WAY_H

#include "vtpm/ptpm/mmio.h"
#include "vtpm/ptpm/ptpm.h"
#include "vtpm/ptpm/wait.h"

/* TPM_INTERFACE_ID_0, at one offset in both ways, and TPM_ACCESS_0 or TPM_LOC_STATE_0. */
#define PTPM_FIRST_AT	  0x00u
#define PTPM_INTERFACE_AT 0x30u

/*
 * PTP 1.05, 6.5.1.3, has 750 ms, 2 s, 200 ms, 30 ms as TIMEOUT_A to TIMEOUT_D; more is given,
 * because what comes too late is a TPM that is not used at all.
 */
enum {
	PTPM_SHORT_MS = 1000,	 /* a register is to change */
	PTPM_LONG_MS = 4000,	 /* a command is to be given up; a command or response, in all */
	PTPM_COMMAND_MS = 20000, /* a command; of ours, each is of the shorter ones */
};

/* All fail with a reason. */
struct ptpm_way {
	const char *name;
	/* Once, behind take(): what else must be known. */
	bool (*know)(struct ptpm *tpm);
	/* The locality is ours, and the TPM ready for a command, whatever it did before. */
	bool (*take)(struct ptpm *tpm);
	/* The command is carried out, its response there. */
	bool (*send)(struct ptpm *tpm, const uint8_t *command, size_t size);
	/* Bytes of the response; 0: none. */
	size_t (*receive)(struct ptpm *tpm, uint8_t *response, size_t room);
	/* What is under way is given up, and the locality. */
	void (*leave)(struct ptpm *tpm);
};

extern const struct ptpm_way ptpm_tis, ptpm_crb;

/* false, and `reason` is noted unless there is one. */
bool ptpm_fail(struct ptpm *tpm, const char *reason);

/* The size that a response's header gives, of the copy; 0 and a reason: it can not be that. */
size_t ptpm_response_size(struct ptpm *tpm, const uint8_t header[PTPM_HEADER_BYTES], size_t room);

/* Whether the bits of `mask` become `value` within the time. */
bool ptpm_await32(const struct ptpm *tpm, uint32_t at, uint32_t mask, uint32_t value, uint32_t ms);

static inline uint8_t ptpm_get8(const struct ptpm *tpm, uint32_t at)
{
	return mmio_read8(tpm->registers + at);
}

static inline uint32_t ptpm_get32(const struct ptpm *tpm, uint32_t at)
{
	return mmio_read32(tpm->registers + at);
}

static inline void ptpm_set8(const struct ptpm *tpm, uint32_t at, uint8_t value)
{
	mmio_write8(tpm->registers + at, value);
}

static inline void ptpm_set32(const struct ptpm *tpm, uint32_t at, uint32_t value)
{
	mmio_write32(tpm->registers + at, value);
}

#endif
