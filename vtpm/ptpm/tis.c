/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The FIFO interface: PTP 1.05, 6.5.2, and TIS 1.3, which is the same for one who polls.
 *
 *            commandReady        bytes               tpmGo              all is read
 *   IDLE ------------> READY ------> RECEPTION ------> EXECUTION ----> COMPLETION
 *     ^                  |               |                 |               |
 *     +------------------ (stays) -------+- commandReady --+---------------+
 *
 * A TPM may go from IDLE to READY by itself.
 */
#include "vtpm/ptpm/way.h"

/* Registers. */
#define ACCESS	   PTPM_FIRST_AT /* 8 bits */
#define INT_ENABLE 0x08u
#define STS	   0x18u /* 32 bits: burst count in bits 23:8 */
#define DATA_FIFO  0x24u /* 8 bits */

#define ACCESS_REQUEST	0x02u
#define ACCESS_ACTIVE	0x20u /* written: relinquish */
#define ACCESS_RESERVED 0x40u
#define ACCESS_VALID	0x80u

#define STS_RESERVED  0x01u
#define STS_RETRY     0x02u
#define STS_EXPECT    0x08u
#define STS_AVAILABLE 0x10u
#define STS_GO	      0x20u
#define STS_READY     0x40u
#define STS_VALID     0x80u
#define BURST_SHIFT   8u
#define BURST_MASK    0xffffu

#define INTERRUPTS 0x80000000u /* of INT_ENABLE: all of them */

/* From whatever state: by IDLE to READY it takes two writes, and giving up a command takes time. */
#define READY_TRIES 80u
#define READY_MS    (PTPM_LONG_MS * 2 / READY_TRIES)

static bool has_locality(struct ptpm *tpm)
{
	const uint8_t mask = ACCESS_VALID | ACCESS_RESERVED | ACCESS_ACTIVE;
	struct ptpm_wait wait;
	bool last;

	ptpm_wait_start(&wait, PTPM_SHORT_MS);
	do {
		last = !ptpm_wait_on(&wait);
		if ((ptpm_get8(tpm, ACCESS) & mask) == (ACCESS_VALID | ACCESS_ACTIVE))
			return true;
	} while (!last);
	return ptpm_fail(tpm, "locality 0 is not granted");
}

static bool is_ready(struct ptpm *tpm)
{
	const uint32_t mask = STS_READY | STS_RESERVED;

	for (unsigned i = 0; i < READY_TRIES; i++) {
		ptpm_set8(tpm, STS, STS_READY);
		if (ptpm_await32(tpm, STS, mask, STS_READY, READY_MS))
			return true;
	}
	return ptpm_fail(tpm, "it does not become ready for a command");
}

static bool take(struct ptpm *tpm)
{
	ptpm_set8(tpm, ACCESS, ACCESS_REQUEST);
	return has_locality(tpm) && is_ready(tpm);
}

/* Nobody serves its interrupts. */
static bool know(struct ptpm *tpm)
{
	ptpm_set32(tpm, INT_ENABLE, ptpm_get32(tpm, INT_ENABLE) & ~INTERRUPTS);
	return true;
}

static void leave(struct ptpm *tpm)
{
	ptpm_set8(tpm, STS, STS_READY);
	ptpm_set8(tpm, ACCESS, ACCESS_ACTIVE);
}

/* ---- Bytes ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many bytes at once, none of which needs a look at a register; 0: the time is over. */
static size_t burst(struct ptpm *tpm, struct ptpm_wait *wait)
{
	bool last;

	do {
		size_t bytes;

		last = !ptpm_wait_on(wait);
		bytes = ptpm_get32(tpm, STS) >> BURST_SHIFT & BURST_MASK;
		if (bytes)
			return bytes;
	} while (!last);
	return ptpm_fail(tpm, "it takes no bytes of the command");
}

static bool write_bytes(struct ptpm *tpm, const uint8_t *from, size_t bytes, struct ptpm_wait *wait)
{
	while (bytes) {
		size_t part = smaller(burst(tpm, wait), bytes);

		if (part == 0)
			return false;
		bytes -= part;
		while (part--)
			ptpm_set8(tpm, DATA_FIFO, *from++);
	}
	return true;
}

static bool expects(struct ptpm *tpm, bool more)
{
	uint32_t value = STS_VALID | (more ? STS_EXPECT : 0);

	return ptpm_await32(tpm, STS, STS_VALID | STS_EXPECT | STS_RESERVED, value,
		   PTPM_SHORT_MS) ||
	    ptpm_fail(tpm,
		more ? "it takes less of the command than there is"
		     : "it wants more of the command than there is");
}

static bool is_available(struct ptpm *tpm, uint32_t ms)
{
	const uint32_t mask = STS_VALID | STS_AVAILABLE | STS_RESERVED;

	return ptpm_await32(tpm, STS, mask, STS_VALID | STS_AVAILABLE, ms) ||
	    ptpm_fail(tpm, "no response came in time");
}

/* The last byte alone: before it more is expected, behind it nothing. */
static bool send(struct ptpm *tpm, const uint8_t *command, size_t size)
{
	struct ptpm_wait wait;

	ptpm_wait_start(&wait, PTPM_LONG_MS);
	if (!write_bytes(tpm, command, size - 1, &wait) || !expects(tpm, true) ||
	    !write_bytes(tpm, command + size - 1, 1, &wait) || !expects(tpm, false))
		return false;
	ptpm_set8(tpm, STS, STS_GO);
	return is_available(tpm, PTPM_COMMAND_MS);
}

/* What can be read at once; 0: the response ends here, or the time is over. */
static size_t available(const struct ptpm *tpm, struct ptpm_wait *wait)
{
	bool last;

	do {
		uint32_t status;

		last = !ptpm_wait_on(wait);
		status = ptpm_get32(tpm, STS);
		if (!(status & STS_VALID))
			continue;
		if (!(status & STS_AVAILABLE))
			return 0;
		if (status >> BURST_SHIFT & BURST_MASK)
			return status >> BURST_SHIFT & BURST_MASK;
	} while (!last);
	return 0;
}

static bool read_bytes(struct ptpm *tpm, uint8_t *to, size_t bytes, struct ptpm_wait *wait)
{
	while (bytes) {
		size_t part = smaller(available(tpm, wait), bytes);

		if (part == 0)
			return ptpm_fail(tpm, "the response ends before its end");
		bytes -= part;
		while (part--)
			*to++ = ptpm_get8(tpm, DATA_FIFO);
	}
	return true;
}

static bool is_over(struct ptpm *tpm)
{
	const uint32_t mask = STS_VALID | STS_AVAILABLE;

	return ptpm_await32(tpm, STS, mask, STS_VALID, PTPM_SHORT_MS) ||
	    ptpm_fail(tpm, "the response is longer than it says");
}

static size_t receive_once(struct ptpm *tpm, uint8_t *response, size_t room)
{
	struct ptpm_wait wait;
	size_t size;

	ptpm_wait_start(&wait, PTPM_LONG_MS);
	if (!read_bytes(tpm, response, PTPM_HEADER_BYTES, &wait))
		return 0;
	size = ptpm_response_size(tpm, response, room);
	if (size == 0 ||
	    !read_bytes(tpm, response + PTPM_HEADER_BYTES, size - PTPM_HEADER_BYTES, &wait) ||
	    !is_over(tpm))
		return 0;
	return size;
}

/* A response of which bytes were lost may be asked for again, and is, once. */
static size_t receive(struct ptpm *tpm, uint8_t *response, size_t room)
{
	size_t size = receive_once(tpm, response, room);

	if (size)
		return size;
	ptpm_set8(tpm, STS, STS_RETRY);
	if (!is_available(tpm, PTPM_LONG_MS))
		return 0;
	size = receive_once(tpm, response, room);
	if (size)
		tpm->reason = NULL;
	return size;
}

const struct ptpm_way ptpm_tis = { "FIFO", know, take, send, receive, leave };
