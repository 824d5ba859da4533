/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * All opcodes of the three maps that the decoder knows, against the reference: with all ModRM
 * bytes under the prefixes that change lengths, with some under the others (an argument: with
 * all) and under pairs. Speaks TAP.
 */
#include <stdio.h>
#include <string.h>

#include "decode_reference.h"

#define OPS (INSN_LMSW + 1)

static const uint8_t prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64,
	0x65 };
static const uint8_t rex[] = { 0x40, 0x41, 0x4a, 0x4f, 0x44 };
static const uint8_t sibs[] = { 0x05, 0x20, 0x25, 0x8b, 0xe4 };
static const uint8_t few[] = { 0x00, 0x05, 0x06, 0x44, 0x84, 0x38, 0xc1, 0xd9 };
static const uint8_t tail[] = { 0x11, 0x82, 0x73, 0xf4, 0x65, 0x96, 0x27, 0xb8, 0x49, 0xaa };

struct sweep {
	enum decode_mode mode;
	unsigned long tried, accepted, complaints;
	unsigned long seen[OPS];
};

static void try_one(struct sweep *sweep, const uint8_t *bytes, size_t count)
{
	struct verdict v = reference_compare(bytes, count, sweep->mode);

	sweep->tried++;
	sweep->accepted += v.accepted;
	if (v.accepted)
		sweep->seen[v.insn.op]++;
	if (v.complaint == NULL)
		return;
	if (sweep->complaints++ < 20) {
		printf("# mode %d:", 16 << sweep->mode);
		for (size_t i = 0; i < count; i++)
			printf(" %02x", bytes[i]);
		printf(": %s\n", v.complaint);
	}
}

static void try_tail(struct sweep *sweep, uint8_t *bytes, size_t count)
{
	size_t room = INSN_MAX_BYTES - count;

	memcpy(bytes + count, tail, room < sizeof(tail) ? room : sizeof(tail));
	try_one(sweep, bytes, room < sizeof(tail) ? INSN_MAX_BYTES : count + sizeof(tail));
}

static void try_modrm(struct sweep *sweep, uint8_t *bytes, size_t count, uint8_t modrm)
{
	bytes[count++] = modrm;
	if ((modrm & 7) != 4 || modrm >= 0xc0) {
		try_tail(sweep, bytes, count);
		return;
	}
	for (size_t i = 0; i < sizeof(sibs); i++) {
		bytes[count] = sibs[i];
		try_tail(sweep, bytes, count + 1);
	}
}

static void try_opcodes(struct sweep *sweep, uint8_t *bytes, size_t count, bool all)
{
	static const uint8_t maps[3][2] = { { 0, 0 }, { 1, 0x0f }, { 2, 0x01 } };

	for (unsigned map = 0; map < 3; map++) {
		size_t at = count;

		if (map > 0)
			bytes[at++] = 0x0f;
		if (map > 1)
			bytes[at++] = maps[map][1];
		for (unsigned opcode = 0; opcode < 256; opcode++) {
			bytes[at] = (uint8_t)opcode;
			for (unsigned i = 0; i < (all ? 256 : sizeof(few)); i++)
				try_modrm(sweep, bytes, at + 1, all ? (uint8_t)i : few[i]);
		}
	}
}

static void try_rex(struct sweep *sweep, uint8_t *bytes, size_t count, bool all)
{
	try_opcodes(sweep, bytes, count, all);
	for (size_t i = 0; sweep->mode == DECODE_64 && i < sizeof(rex); i++) {
		bytes[count] = rex[i];
		try_opcodes(sweep, bytes, count + 1, all);
	}
}

static void try_prefixes(struct sweep *sweep, bool all)
{
	uint8_t bytes[32] = { 0 };

	try_rex(sweep, bytes, 0, true);
	for (size_t i = 0; i < sizeof(prefixes); i++) {
		bytes[0] = prefixes[i];
		try_rex(sweep, bytes, 1, all || prefixes[i] == 0x66 || prefixes[i] == 0x67);
		for (size_t j = 0; j < sizeof(prefixes); j++) {
			bytes[1] = prefixes[j];
			try_rex(sweep, bytes, 2, false);
		}
		/* A REX that is not last does not count; nor is it known here. */
		bytes[0] = 0x48;
		bytes[1] = prefixes[i];
		try_opcodes(sweep, bytes, 2, false);
	}
}

/* Cut off after each byte; and 15 bytes of prefixes and more. */
static void try_lengths(struct sweep *sweep)
{
	static const uint8_t long_one[] = { 0x66, 0x67, 0x64, 0xc7, 0x84, 0x24, 1, 2, 3, 4, 5, 6, 7,
		8, 9, 10 };
	uint8_t full[20];

	for (size_t n = 0; n <= sizeof(long_one); n++)
		try_one(sweep, long_one, n);
	memset(full, 0x66, sizeof(full));
	for (size_t n = 0; n <= sizeof(full); n++) {
		memset(full, 0x2e, sizeof(full));
		memcpy(full + n, "\x0f\x22\xc0", n + 3 <= sizeof(full) ? 3 : 0);
		try_one(sweep, full, sizeof(full));
	}
}

int main(int argc, char *argv[])
{
	int status = 0;

	printf("1..6\n");
	for (unsigned mode = DECODE_16; mode <= DECODE_64; mode++) {
		struct sweep sweep = { .mode = (enum decode_mode)mode };
		unsigned missing = 0;

		try_prefixes(&sweep, argc > 1);
		try_lengths(&sweep);
		for (unsigned op = 0; op < OPS; op++)
			missing += sweep.seen[op] == 0;
		printf("%sok %u - %u-bit: %lu tried, %lu accepted, %lu disagree\n",
		    sweep.complaints != 0 ? "not " : "", 2 * mode + 1, 16u << mode, sweep.tried,
		    sweep.accepted, sweep.complaints);
		printf("%sok %u - %u-bit: every operation was met (%u missing)\n",
		    missing != 0 ? "not " : "", 2 * mode + 2, 16u << mode, missing);
		status |= sweep.complaints != 0 || missing != 0;
	}
	return status;
}
