/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The Command Response Buffer interface: PTP 1.05, 6.5.3.
 *
 *            cmdReady            Start                 has cleared Start
 *   IDLE ------------------> READY ------> EXECUTION ------------------> COMPLETION
 *     ^                        |                                             |
 *     +-------- goIdle --------+---------------------------------------------+
 *
 * Its registers name the buffers by physical addresses. Where those are not among the registers'
 * own pages (firmware TPMs that have them in memory) this driver cannot reach them.
 */
#include "vtpm/ptpm/way.h"

/* Registers, of 32 bits; addresses take two. */
#define LOC_STATE     PTPM_FIRST_AT
#define LOC_CTRL      0x08u
#define LOC_STS	      0x0cu
#define CTRL_REQ      0x40u
#define CTRL_STS      0x44u
#define CTRL_CANCEL   0x48u
#define CTRL_START    0x4cu
#define INT_ENABLE    0x50u
#define COMMAND_SIZE  0x58u
#define COMMAND_LOW   0x5cu
#define RESPONSE_SIZE 0x64u
#define RESPONSE_LOW  0x68u
#define DATA_BUFFER   0x80u /* behind all registers of the locality */

#define STATE_ASSIGNED	   (1u << 1)
#define STATE_ACTIVE_MASK  (7u << 2)
#define STATE_RESERVED	   (3u << 5)
#define STATE_VALID	   (1u << 7)
#define CONTROL_REQUEST	   (1u << 0)
#define CONTROL_RELINQUISH (1u << 1)
#define STS_GRANTED	   (1u << 0)
#define REQUEST_READY	   (1u << 0)
#define REQUEST_IDLE	   (1u << 1)
#define STATUS_ERROR	   (1u << 0)
#define STATUS_IDLE	   (1u << 1)
#define CANCEL		   1u
#define START		   1u

#define PAGE_BYTES  4096u
#define WHOLE_BYTES (PTPM_PAGES * PAGE_BYTES)

static bool has_locality(struct ptpm *tpm)
{
	const uint32_t mask = STATE_VALID | STATE_RESERVED | STATE_ACTIVE_MASK | STATE_ASSIGNED;

	ptpm_set32(tpm, LOC_CTRL, CONTROL_REQUEST);
	return (ptpm_await32(tpm, LOC_STATE, mask, STATE_VALID | STATE_ASSIGNED, PTPM_SHORT_MS) &&
		   ptpm_await32(tpm, LOC_STS, STS_GRANTED, STS_GRANTED, PTPM_SHORT_MS)) ||
	    ptpm_fail(tpm, "locality 0 is not granted");
}

/* Whatever is carried out is given up. */
static bool is_stopped(struct ptpm *tpm)
{
	bool stopped;

	if (!(ptpm_get32(tpm, CTRL_START) & START))
		return true;
	ptpm_set32(tpm, CTRL_CANCEL, CANCEL);
	stopped = ptpm_await32(tpm, CTRL_START, START, 0, PTPM_LONG_MS);
	ptpm_set32(tpm, CTRL_CANCEL, 0);
	return stopped || ptpm_fail(tpm, "a command of before does not end");
}

/* The TPM clears the request, and then is as was asked for. */
static bool becomes(struct ptpm *tpm, uint32_t request, uint32_t status)
{
	ptpm_set32(tpm, CTRL_REQ, request);
	return ptpm_await32(tpm, CTRL_REQ, request, 0, PTPM_SHORT_MS) &&
	    ptpm_await32(tpm, CTRL_STS, STATUS_IDLE, status, PTPM_SHORT_MS);
}

static bool is_idle(struct ptpm *tpm)
{
	return ptpm_get32(tpm, CTRL_STS) & STATUS_IDLE || becomes(tpm, REQUEST_IDLE, STATUS_IDLE) ||
	    ptpm_fail(tpm, "it does not become idle");
}

static bool take(struct ptpm *tpm)
{
	return has_locality(tpm) && is_stopped(tpm) && is_idle(tpm) &&
	    (becomes(tpm, REQUEST_READY, 0) ||
		ptpm_fail(tpm, "it does not become ready for a command"));
}

static void leave(struct ptpm *tpm)
{
	if (ptpm_get32(tpm, LOC_STS) & STS_GRANTED)
		(void)(is_stopped(tpm) && is_idle(tpm));
	ptpm_set32(tpm, LOC_CTRL, CONTROL_RELINQUISH);
}

/* Where a buffer is among the registers, behind those of locality 0. */
static bool place(const struct ptpm *tpm, uint32_t low_at, uint32_t *at, uint32_t *room)
{
	uint64_t address = ptpm_get32(tpm, low_at);
	uint32_t size = *room;

	address |= (uint64_t)ptpm_get32(tpm, low_at + sizeof(uint32_t)) << 32;
	if (address < PTPM_BASE + DATA_BUFFER || address > PTPM_BASE + WHOLE_BYTES)
		return false;
	*at = (uint32_t)(address - PTPM_BASE);
	return size >= PTPM_HEADER_BYTES && size <= WHOLE_BYTES - *at;
}

/* Nobody serves its interrupts. */
static bool know(struct ptpm *tpm)
{
	ptpm_set32(tpm, INT_ENABLE, 0);
	tpm->command_room = ptpm_get32(tpm, COMMAND_SIZE);
	tpm->response_room = ptpm_get32(tpm, RESPONSE_SIZE);
	return (place(tpm, COMMAND_LOW, &tpm->command_at, &tpm->command_room) &&
		   place(tpm, RESPONSE_LOW, &tpm->response_at, &tpm->response_room)) ||
	    ptpm_fail(tpm, "its buffers are not in the pages of its registers");
}

static bool send(struct ptpm *tpm, const uint8_t *command, size_t size)
{
	if (size > tpm->command_room)
		return ptpm_fail(tpm, "the command is longer than its buffer");
	for (size_t i = 0; i < size; i++)
		ptpm_set8(tpm, tpm->command_at + (uint32_t)i, command[i]);
	ptpm_set32(tpm, CTRL_START, START);
	if (!ptpm_await32(tpm, CTRL_START, START, 0, PTPM_COMMAND_MS))
		return ptpm_fail(tpm, "no response came in time");
	return !(ptpm_get32(tpm, CTRL_STS) & STATUS_ERROR) ||
	    ptpm_fail(tpm, "it says that it has failed");
}

static void read_bytes(const struct ptpm *tpm, uint8_t *response, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		response[i] = ptpm_get8(tpm, tpm->response_at + (uint32_t)i);
}

static size_t receive(struct ptpm *tpm, uint8_t *response, size_t room)
{
	size_t size;

	read_bytes(tpm, response, 0, PTPM_HEADER_BYTES);
	size = ptpm_response_size(tpm, response,
	    room < tpm->response_room ? room : tpm->response_room);
	if (size)
		read_bytes(tpm, response, PTPM_HEADER_BYTES, size);
	return size;
}

const struct ptpm_way ptpm_crb = { "CRB", know, take, send, receive, leave };
