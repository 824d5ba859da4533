/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine; see machine.h.
 */
#include "tests/unit/doctor/machine.h"

#include <stdlib.h>

#include "arch/x86/asm.h"

#define CR4_CET (1ull << 23)

struct machine machine;

static struct machine_cpu *running(void)
{
	return &machine.cpu[machine.running];
}

struct leaf *machine_leaf(unsigned index, uint32_t number)
{
	struct machine_cpu *cpu = &machine.cpu[index];
	unsigned i = 0;

	while (i < cpu->leaf_count && cpu->leaves[i].number != number)
		i++;
	assert_true(i < MACHINE_LEAVES);
	if (i == cpu->leaf_count) {
		cpu->leaves[i].number = number;
		cpu->leaf_count++;
	}
	return &cpu->leaves[i].leaf;
}

uint64_t *machine_msr(unsigned index, uint32_t number)
{
	struct machine_cpu *cpu = &machine.cpu[index];
	unsigned i = 0;

	while (i < cpu->msr_count && cpu->msrs[i].number != number)
		i++;
	assert_true(i < MACHINE_MSRS);
	if (i == cpu->msr_count) {
		cpu->msrs[i].number = number;
		cpu->msr_count++;
	}
	return &cpu->msrs[i].value;
}

static struct leaf answer(uint32_t number)
{
	const struct machine_cpu *cpu = running();

	for (unsigned i = 0; i < cpu->leaf_count; i++)
		if (cpu->leaves[i].number == number)
			return cpu->leaves[i].leaf;
	return (struct leaf){ 0 };
}

static uint64_t value_of(uint32_t number)
{
	const struct machine_cpu *cpu = running();

	for (unsigned i = 0; i < cpu->msr_count; i++)
		if (cpu->msrs[i].number == number)
			return cpu->msrs[i].value;
	fail_msg("MSR 0x%x does not exist", number);
	return 0;
}

/* Whether a CPU that says of itself what ours does has an MSR (SDM 3D A, SDM 4; APM 2 15.4). */
static bool exists(uint32_t number)
{
	bool vmx = answer(1).ecx & 1u << 5;

	switch (number) {
	case 0x3a:
	case 0x480:
	case 0x485:
		return vmx;
	case 0x48b:
		return vmx && value_of(0x480) >> 55 & 1 && value_of(0x48e) >> 63;
	case 0x48c:
		return exists(0x48b) && value_of(0x48b) >> 32 & 0x22;
	case 0x48d:
	case 0x48e:
	case 0x48f:
	case 0x490:
		return vmx && value_of(0x480) >> 55 & 1;
	case 0x10a:
		return answer(7).edx & 1u << 29;
	case 0x982:
		return answer(7).ecx & 1u << 13;
	case 0xc0010114:
		return answer(0x80000001).ecx & 4;
	default:
		return true;
	}
}

static uint64_t read_existing(uint32_t number)
{
	if (!exists(number))
		fail_msg("MSR 0x%x is read, and this CPU does not have it", number);
	return value_of(number);
}

/* ---- as the monitor asks ---- */

struct cpuid_regs cpuid(uint32_t number, uint32_t subleaf)
{
	struct leaf leaf = answer(number);

	return (struct cpuid_regs){ leaf.eax, leaf.ebx, leaf.ecx, leaf.edx };
}

uint64_t rdmsr(uint32_t number)
{
	return read_existing(number);
}

uint64_t read_cr4(void)
{
	return running()->cr4;
}

/* ---- as the doctor asks ---- */

static void get_cpuid(void *context, uint32_t number, uint32_t subleaf, struct leaf *leaf)
{
	*leaf = answer(number);
}

static enum fact get_msr(void *context, uint32_t number, uint64_t *value)
{
	if (machine.msrs == FACT_OK)
		*value = read_existing(number);
	return machine.msrs;
}

static unsigned get_cpus(void *context)
{
	return machine.cpus;
}

static bool run_on_cpu(void *context, unsigned index, void (*run)(void *argument), void *argument)
{
	unsigned back = machine.running;

	assert_true(index < machine.cpus);
	machine.running = index;
	run(argument);
	machine.running = back;
	return true;
}

static enum fact get_cr4(void *context, uint64_t *value)
{
	*value = running()->cr4;
	return machine.cr4;
}

static enum fact get_processors(void *context, struct processors *processors)
{
	*processors = machine.processors;
	return machine.processors_fact;
}

static enum fact get_table(void *context, const char *signature, struct bytes *table)
{
	for (unsigned i = 0; i < machine.table_count; i++) {
		if (memcmp(machine.tables[i].data, signature, 4))
			continue;
		*table = machine.tables[i];
		return machine.tables_fact;
	}
	return machine.tables_fact == FACT_HIDDEN ? FACT_HIDDEN : FACT_ABSENT;
}

static enum fact get_variable(void *context, const char *name, uint8_t *value)
{
	int found = !strcmp(name, "SecureBoot") ? machine.secure_boot : machine.setup_mode;

	assert_true(!strcmp(name, "SecureBoot") || !strcmp(name, "SetupMode"));
	*value = (uint8_t)found;
	return found < 0 ? FACT_ABSENT : FACT_OK;
}

static enum fact get_firmware(void *context, unsigned *bits)
{
	*bits = machine.firmware_bits;
	return machine.firmware_fact;
}

const struct source machine_source = {
	.hidden = "needs root",
	.cpuid = get_cpuid,
	.msr = get_msr,
	.cpus = get_cpus,
	.on_cpu = run_on_cpu,
	.cr4 = get_cr4,
	.processors = get_processors,
	.table = get_table,
	.variable = get_variable,
	.firmware = get_firmware,
};

/* ---- machines ---- */

static void set_leaf(uint32_t number, struct leaf leaf)
{
	for (unsigned i = 0; i < MACHINE_CPUS; i++)
		*machine_leaf(i, number) = leaf;
}

static void set_msr(uint32_t number, uint64_t value)
{
	for (unsigned i = 0; i < MACHINE_CPUS; i++)
		*machine_msr(i, number) = value;
}

static void start(void)
{
	machine = (struct machine){ .cpus = 2,
		.processors = { .all = 2 },
		.firmware_bits = 64,
		.secure_boot = 0,
		.setup_mode = 0 };
}

void machine_intel(void)
{
	start();
	set_leaf(0, (struct leaf){ 0x16, 0x756e6547, 0x6c65746e, 0x49656e69 });
	set_leaf(1, (struct leaf){ 0x906ea, 0, 1u << 5, 0 });
	set_leaf(7, (struct leaf){ 0, 1u << 10, 0, 0 });
	set_leaf(0xb, (struct leaf){ 0, 1, 0, 0 });
	set_leaf(0xd, (struct leaf){ 0xf, 0, 0, 0 });
	set_leaf(0x80000000, (struct leaf){ 0x80000008, 0, 0, 0 });
	set_leaf(0x80000001, (struct leaf){ 0, 0, 0, 1u << 27 });
	set_leaf(0x80000008, (struct leaf){ 0x3027, 0, 0, 0 });
	set_msr(0x3a, 5);
	/* The manual's bits one by one: default ones, and what a Skylake allows. */
	set_msr(0x480, 1ull << 55 | 6ull << 50 | 4);
	set_msr(0x485, 1ull << 8);
	set_msr(0x48d, 0x7f00000016ull);
	set_msr(0x48e, 0xfff9fffe04006172ull);
	set_msr(0x48b, 0x007fffffull << 32);
	set_msr(0x48f, 0x01ffffff00036dfbull);
	set_msr(0x490, 0x0003ffff000011fbull);
	set_msr(0x48c, 0xf0106734141ull);
	set_msr(0x10a, 0);
	set_msr(0x982, 0);
}

void machine_amd(void)
{
	start();
	set_leaf(0, (struct leaf){ 0x10, 0x68747541, 0x444d4163, 0x69746e65 });
	set_leaf(1, (struct leaf){ 0x800f12, 0, 0, 0 });
	set_leaf(7, (struct leaf){ 0 });
	set_leaf(0xb, (struct leaf){ 0, 1, 0, 0 });
	set_leaf(0x80000000, (struct leaf){ 0x80000021, 0, 0, 0 });
	set_leaf(0x80000001, (struct leaf){ 0, 0, 4, 1u << 20 | 1u << 26 });
	set_leaf(0x80000008, (struct leaf){ 0x3030, 0, 0, 0 });
	set_leaf(0x8000000a, (struct leaf){ 1, 0x8000, 0, 1 | 1u << 3 | 1u << 5 | 1u << 7 });
	set_leaf(0x8000001f, (struct leaf){ 1, 5u << 6 | 47, 0, 0 });
	set_leaf(0x80000021, (struct leaf){ 0 });
	set_msr(0xc0000080, 0x500);
	set_msr(0xc0010010, 0);
	set_msr(0xc0010114, 0);
	set_msr(0x10a, 0);
}

void machine_table(uint8_t *data, size_t size, const char *signature)
{
	uint8_t sum = 0;

	memcpy(data, signature, 4);
	for (unsigned i = 0; i < 4; i++)
		data[4 + i] = (uint8_t)(size >> 8 * i);
	data[9] = 0;
	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + data[i]);
	data[9] = (uint8_t)-sum;
	machine.tables[machine.table_count++] = (struct bytes){ data, size };
}

/* ---- chance ---- */

uint64_t machine_random(void)
{
	static uint64_t state;

	if (!state)
		state = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) * 2 + 1 : 1;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

unsigned long machine_rounds(unsigned long otherwise)
{
	return getenv("N") ? strtoul(getenv("N"), NULL, 0) : otherwise;
}

static void flip_leaf(struct leaf *leaf, uint64_t chance)
{
	uint32_t *const words[] = { &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx };

	*words[chance & 3] ^= 1u << (chance >> 2 & 31);
}

void machine_disturb(unsigned index)
{
	struct machine_cpu *cpu = &machine.cpu[index];

	for (uint64_t flips = machine_random() >> 62; flips; flips--) {
		uint64_t chance = machine_random();
		unsigned which = (unsigned)(chance >> 32) % (cpu->leaf_count + cpu->msr_count + 1);
		unsigned bit = (unsigned)(chance >> 16) % 64;

		if (which >= cpu->leaf_count + cpu->msr_count) {
			cpu->cr4 ^= 1ull << bit;
		} else if (which >= cpu->leaf_count) {
			cpu->msrs[which - cpu->leaf_count].value ^= 1ull << bit;
		} else if (cpu->leaves[which].number & 0xffff) {
			flip_leaf(&cpu->leaves[which].leaf, chance);
		}
	}
}
