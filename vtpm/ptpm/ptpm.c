/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The platform's TPM: which interface it has, and a command by it (ptpm.h).
 */
#include "vtpm/ptpm/ptpm.h"

#include "vtpm/ptpm/way.h"

#define TYPE_MASK      0xfu
#define TYPE_FIFO      0x0u
#define TYPE_CRB       0x1u
#define TYPE_TIS       0xfu /* all bits read as ones */
#define FIRST_VALID    0x80u
#define FIRST_RESERVED 0x40u
#define ALL_ONES       0xffu
#define SIZE_AT	       2u

bool ptpm_fail(struct ptpm *tpm, const char *reason)
{
	if (!tpm->reason)
		tpm->reason = reason;
	return false;
}

static size_t size_of(const uint8_t header[PTPM_HEADER_BYTES])
{
	const uint8_t *at = header + SIZE_AT;

	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

size_t ptpm_response_size(struct ptpm *tpm, const uint8_t header[PTPM_HEADER_BYTES], size_t room)
{
	size_t size = size_of(header);

	if (size >= PTPM_HEADER_BYTES && size <= room)
		return size;
	return ptpm_fail(tpm, "the response says that it has a size which it cannot have");
}

bool ptpm_await32(const struct ptpm *tpm, uint32_t at, uint32_t mask, uint32_t value, uint32_t ms)
{
	struct ptpm_wait wait;
	bool last;

	ptpm_wait_start(&wait, ms);
	do {
		last = !ptpm_wait_on(&wait);
		if ((ptpm_get32(tpm, at) & mask) == value)
			return true;
	} while (!last);
	return false;
}

/* In each interface bit 7 of the first register says that it means something, and bit 6 is 0. */
static bool is_there(const struct ptpm *tpm)
{
	struct ptpm_wait wait;
	bool last;

	ptpm_wait_start(&wait, PTPM_SHORT_MS);
	do {
		uint8_t first;

		last = !ptpm_wait_on(&wait);
		first = ptpm_get8(tpm, PTPM_FIRST_AT);
		if ((first & (FIRST_VALID | FIRST_RESERVED)) == FIRST_VALID)
			return true;
		last |= first == ALL_ONES;
	} while (!last);
	return false;
}

static bool identify(struct ptpm *tpm)
{
	if (!is_there(tpm))
		return ptpm_fail(tpm, "nothing is there");
	switch (ptpm_get32(tpm, PTPM_INTERFACE_AT) & TYPE_MASK) {
	case TYPE_FIFO:
	case TYPE_TIS:
		tpm->way = &ptpm_tis;
		return true;
	case TYPE_CRB:
		tpm->way = &ptpm_crb;
		return true;
	default:
		return ptpm_fail(tpm, "its interface is of a type that is not known");
	}
}

bool ptpm_open(struct ptpm *tpm, volatile uint8_t *registers)
{
	bool good;

	*tpm = (struct ptpm){ .registers = registers };
	if (!identify(tpm))
		return false;
	good = tpm->way->take(tpm) && tpm->way->know(tpm);
	tpm->way->leave(tpm);
	if (!good)
		tpm->way = NULL;
	return good;
}

const char *ptpm_interface(const struct ptpm *tpm)
{
	return tpm->way ? tpm->way->name : "none";
}

size_t ptpm_command(struct ptpm *tpm, const uint8_t *command, size_t size, uint8_t *response,
    size_t room)
{
	size_t length = 0;

	if (!tpm->way)
		return ptpm_fail(tpm, "it is not open");
	tpm->reason = NULL;
	if (size < PTPM_HEADER_BYTES || size != size_of(command) || room < PTPM_HEADER_BYTES)
		return ptpm_fail(tpm, "the command is none");
	if (tpm->way->take(tpm) && tpm->way->send(tpm, command, size))
		length = tpm->way->receive(tpm, response, room);
	tpm->way->leave(tpm);
	return length;
}
