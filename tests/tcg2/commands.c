/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Commands to the TPM by SubmitCommand(), and what they change in the slots of its state. TPM 2.0
 * Library, parts 2 and 3.
 */
#include "tests/tcg2/probe.h"

#include <cpuid.h>

#include "boot/bytes.h"
#include "boot/file.h"
#include "boot/vtpm_crb.h"
#include "boot/vtpm_state.h"
#include "monitor/abi/cpuid.h"

#define HEADER	      10u
#define COMMAND_MAX   4096u
#define GENERATION_AT 24u /* in a slot (vtpm/nv.h) */
#define INDEX_AT      31u /* in `define` */

/* An index of NV memory that counts, of the owner's. */
#define COUNTER 0x01, 0x50, 0x00, 0x10
#define OWNER	0x40, 0x00, 0x00, 0x01
#define NO_AUTH 0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0

static const UINT8 get_random[] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 32 };
#define RANDOM_BYTES (HEADER + 2 + 32)

/* TPM2_PT_MANUFACTURER, alone. */
static const UINT8 get_manufacturer[] = { 0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7a, 0, 0, 0, 6, 0, 0, 1,
	5, 0, 0, 0, 1 };

/* Type of a counter, to be read and written by the owner, without the lockout. */
static const UINT8 define[] = { 0x80, 2, 0, 0, 0, 45, 0, 0, 1, 0x2a, OWNER, NO_AUTH, 0, 0, 0, 14,
	COUNTER, 0, 0x0b, 2, 2, 0, 0x12, 0, 0, 0, 8 };
static const UINT8 increment[] = { 0x80, 2, 0, 0, 0, 31, 0, 0, 1, 0x34, OWNER, COUNTER, NO_AUTH };
static const UINT8 read_counter[] = { 0x80, 2, 0, 0, 0, 35, 0, 0, 1, 0x4e, OWNER, COUNTER, NO_AUTH,
	0, 8, 0, 0 };
static const UINT8 shut_down[] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x45, 0, 1 }; /* STATE */

static UINT8 response[COMMAND_MAX + 16];

static UINT32 be32(const UINT8 *p)
{
	return (UINT32)p[0] << 24 | (UINT32)p[1] << 16 | (UINT32)p[2] << 8 | p[3];
}

static EFI_STATUS submit(const struct probe *p, const UINT8 *command, UINTN size, UINT32 room)
{
	SetMem(response, sizeof(response), 0xee);
	return p->tcg2->submit(p->tcg2, (UINT32)size, (UINT8 *)(UINTN)command, room, response);
}

/* The TPM's code. */
static UINT32 code_of(const struct probe *p, const UINT8 *command, UINTN size)
{
	if (submit(p, command, size, COMMAND_MAX) != EFI_SUCCESS)
		return RC_NONE;
	return be32(response + 6);
}

BOOLEAN pcr_read(const struct probe *p, UINT32 pcr, UINT8 value[SHA256_BYTES])
{
	UINT8 command[] = { 0x80, 1, 0, 0, 0, 20, 0, 0, 1, 0x7e, 0, 0, 0, 1, 0, 0x0b, 3, 0, 0, 0 };

	command[17 + pcr / 8] = (UINT8)(1u << pcr % 8);
	if (code_of(p, command, sizeof(command)) != RC_SUCCESS || be32(response + 2) != 62)
		return FALSE;
	CopyMem(value, response + 30, SHA256_BYTES);
	return TRUE;
}

void extended(UINT8 value[SHA256_BYTES], const UINT8 digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, value, SHA256_BYTES);
	sha256_add(&hash, digest, SHA256_BYTES);
	sha256_end(&hash, value);
}

/* ---- SubmitCommand() ---- */

static void check_arguments(const struct probe *p)
{
	UINT8 *command = (UINT8 *)(UINTN)get_random;
	tcg2_t *t = p->tcg2;

	gives(t->submit(NULL, 12, command, 100, response), EFI_INVALID_PARAMETER,
	    "command: no this");
	gives(t->submit(t, 12, NULL, 100, response), EFI_INVALID_PARAMETER, "command: NULL");
	gives(t->submit(t, 0, command, 100, response), EFI_INVALID_PARAMETER,
	    "command: of no size");
	gives(t->submit(t, 12, command, 100, NULL), EFI_INVALID_PARAMETER, "response: NULL");
	gives(t->submit(t, 12, command, 0, response), EFI_INVALID_PARAMETER,
	    "response: of no size");
	gives(submit(p, get_random, 9, 100), EFI_INVALID_PARAMETER, "command: less than a header");
	check(response[0] == 0xee, "command: it has no response");
}

/* A buffer that TPM and protocol take, and one that is a byte longer. */
static void check_longest(const struct probe *p)
{
	UINT8 *command = AllocateZeroPool(COMMAND_MAX + 1);

	CopyMem(command, get_random, sizeof(get_random));
	command[4] = COMMAND_MAX >> 8;
	command[5] = 0;
	gives(submit(p, command, COMMAND_MAX, COMMAND_MAX), EFI_SUCCESS, "command: the longest");
	check(be32(response + 2) == HEADER && be32(response + 6) != RC_SUCCESS,
	    "command: the TPM refuses what is behind its end");
	command[5] = 1;
	gives(submit(p, command, COMMAND_MAX + 1, COMMAND_MAX), EFI_INVALID_PARAMETER,
	    "command: a byte longer");
	FreePool(command);
}

void check_submit(const struct probe *p)
{
	static const UINT8 unknown[] = { 0x80, 1, 0, 0, 0, 10, 0, 0, 0xff, 0xff };
	UINT8 capability[64] = { 36 }, first[32];

	check_arguments(p);
	check_longest(p);
	gives(submit(p, get_random, 12, RANDOM_BYTES), EFI_SUCCESS, "random: room to the byte");
	check(be32(response + 2) == RANDOM_BYTES && be32(response + 6) == RC_SUCCESS &&
		response[RANDOM_BYTES] == 0xee,
	    "random: 32 bytes");
	CopyMem(first, response + 12, 32);
	gives(submit(p, get_random, 12, COMMAND_MAX), EFI_SUCCESS, "random: with much room");
	check(CompareMem(first, response + 12, 32) != 0, "random: another");
	gives(submit(p, get_random, 12, RANDOM_BYTES - 1), EFI_BUFFER_TOO_SMALL,
	    "random: a byte too little");
	check(response[RANDOM_BYTES - 1] == 0xee, "random: that byte is left");
	gives(submit(p, get_random, 12, 1), EFI_BUFFER_TOO_SMALL, "random: room for one");
	check(response[0] == 0x80 && response[1] == 0xee, "random: one");
	check(code_of(p, unknown, sizeof(unknown)) == RC_COMMAND_CODE,
	    "command: what the TPM does not know has its response");
	check(code_of(p, get_manufacturer, sizeof(get_manufacturer)) == RC_SUCCESS &&
		p->tcg2->get_capability(p->tcg2, (struct tcg2_capability *)capability) ==
		    EFI_SUCCESS &&
		be32(response + 23) == get32(capability + 24),
	    "capability: the TPM's own manufacturer");
}

/* ---- The state ---- */

static const char *const slots[] = { "\\redoubt\\vtpm.0", "\\redoubt\\vtpm.1" };

/* The later generation that is in the slots, as firmware's file system has them. */
static UINT64 generation(const struct probe *p)
{
	UINT64 latest = 0, found, size;
	CHAR16 wide[FILE_PATH_CHARS];
	EFI_FILE_HANDLE file;
	UINT8 header[32];

	for (UINTN i = 0; i < 2; i++) {
		file_widen(wide, slots[i]);
		if (EFI_ERROR(file_open(p->image->DeviceHandle, wide, &file, &size)))
			continue;
		found = 0;
		if (!EFI_ERROR(file_read(file, header, sizeof(header))))
			found = get64(header + GENERATION_AT);
		latest = found > latest ? found : latest;
		file->Close(file);
	}
	return latest;
}

static UINT32 counted(const struct probe *p)
{
	if (code_of(p, read_counter, sizeof(read_counter)) != RC_SUCCESS)
		return 0;
	return be32(response + 20);
}

static BOOLEAN protect_one(EFI_FILE_HANDLE file, BOOLEAN on)
{
	EFI_GUID guid = EFI_FILE_INFO_ID;
	struct {
		EFI_FILE_INFO info;
		CHAR16 more[FILE_PATH_CHARS];
	} now;
	UINTN size = sizeof(now);

	if (EFI_ERROR(file->GetInfo(file, &guid, &size, &now)))
		return FALSE;
	now.info.Attribute &= ~(UINT64)EFI_FILE_READ_ONLY;
	now.info.Attribute |= on ? EFI_FILE_READ_ONLY : 0;
	return !EFI_ERROR(file->SetInfo(file, &guid, now.info.Size, &now));
}

/* Slots that can be read, and not be written. */
static BOOLEAN protect(const struct probe *p, BOOLEAN on)
{
	BOOLEAN good = TRUE;
	CHAR16 wide[FILE_PATH_CHARS];
	EFI_FILE_HANDLE file;
	UINT64 size;

	for (UINTN i = 0; i < 2; i++) {
		file_widen(wide, slots[i]);
		if (EFI_ERROR(file_open(p->image->DeviceHandle, wide, &file, &size)))
			return FALSE;
		good &= protect_one(file, on);
		file->Close(file);
	}
	return good;
}

/* What was not written has no response; and none of it is taken for the next one's. */
static void check_unwritten(const struct probe *p)
{
	UINT64 before = generation(p);
	UINT32 count = counted(p);

	check(protect(p, TRUE), "disk: the slots are protected");
	gives(submit(p, increment, sizeof(increment), COMMAND_MAX), EFI_DEVICE_ERROR,
	    "disk: what cannot be written has no response");
	gives(submit(p, get_random, sizeof(get_random), COMMAND_MAX), EFI_DEVICE_ERROR,
	    "disk: nor has what comes behind it");
	check(generation(p) == before && protect(p, FALSE), "disk: they are protected no more");
	gives(submit(p, get_random, sizeof(get_random), COMMAND_MAX), EFI_SUCCESS,
	    "disk: the TPM goes on");
	check(be32(response + 2) == RANDOM_BYTES, "disk: with the response to what was asked");
	check(generation(p) > before && counted(p) == count + 1, "disk: all of it was written");
}

/* Whether states are bound to a TPM of the machine's own, by the monitor's account. */
static BOOLEAN is_bound(void)
{
	UINT32 a, b, c, d;

	__cpuid(REDOUBT_CPUID_STATE, a, b, c, d);
	return !(b & REDOUBT_DEGRADED_VTPM_UNBOUND);
}

/* A response says that the change is written. */
static void check_changes(const struct probe *p)
{
	UINT64 before = generation(p);
	UINT32 count = 0;

	check(code_of(p, define, sizeof(define)) == RC_SUCCESS, "state: a counter is made");
	for (UINT32 i = 0; i < 3; i++) {
		check(generation(p) > before, "state: with the response it was written");
		before = generation(p);
		check(code_of(p, increment, sizeof(increment)) == RC_SUCCESS, "state: it counts");
		check(counted(p) > count, "state: by one more");
		count = counted(p);
	}
	check(generation(p) > before, "state: with the last response, too");
	check_unwritten(p);
	check(define_by_registers() == RC_NV_UNAVAILABLE, "state: nobody keeps it but meanwhile");
	check(code_of(p, shut_down, sizeof(shut_down)) == RC_SUCCESS, "state: a shutdown");
}

/* What could be put back is not changed before the operating system. */
static void check_no_changes(const struct probe *p)
{
	UINT64 before = generation(p);

	check(code_of(p, define, sizeof(define)) == RC_NV_UNAVAILABLE, "bound: no counter is made");
	check(code_of(p, shut_down, sizeof(shut_down)) == RC_NV_UNAVAILABLE, "bound: no shutdown");
	check(generation(p) == before, "bound: nothing was written");
}

void check_state(const struct probe *p)
{
	UINT64 before = generation(p);
	UINT8 value[SHA256_BYTES];

	check(before > 0, "state: it is in the slots");
	check(code_of(p, get_random, sizeof(get_random)) == RC_SUCCESS && generation(p) == before,
	    "state: random numbers change nothing");
	if (is_bound())
		check_no_changes(p);
	else
		check_changes(p);
	check(pcr_read(p, 0, value), "state: behind it registers are read");
}

/* Whoever sends commands so, without the protocol, writes nothing. */
BOOLEAN vtpm_state_write(void)
{
	return FALSE;
}

/* An index that nobody has defined. */
UINT32 define_by_registers(void)
{
	UINT8 command[sizeof(define)];

	CopyMem(command, define, sizeof(command));
	command[INDEX_AT + 3]++;
	if (vtpm_command(command, sizeof(command), response, sizeof(response)) < HEADER)
		return RC_NONE;
	return be32(response + 6);
}
