/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Prints the state; see print.h. Names and sentences are the table's of monitor/abi/cpuid.h. */
#include "guest/linux/redoubtctl/print.h"

#include <inttypes.h>
#include <stdio.h>

#include "monitor/abi/cpuid.h"

struct bit {
	uint32_t mask;
	const char *name;
	const char *sentence;
};

#define FEATURE_ROW(name, bit, sentence)	 { 1u << (bit), #name, sentence },
#define DEGRADED_ROW(name, bit, claim, sentence) { 1u << (bit), claim, sentence },

static const struct bit features[] = { REDOUBT_FEATURES(FEATURE_ROW){ 0, NULL, NULL } };
static const struct bit degraded[] = { REDOUBT_DEGRADED(DEGRADED_ROW){ 0, NULL, NULL } };

static const char *vendor_name(uint32_t vendor)
{
	switch (vendor) {
	case REDOUBT_VENDOR_VMX:
		return "vmx";
	case REDOUBT_VENDOR_SVM:
		return "svm";
	default:
		return "unknown";
	}
}

/* The sentence for each bit set in `mask`; a newer monitor may set bits that have none here. */
static void print_bits(const struct bit *bit, uint32_t mask)
{
	for (; bit->name; bit++) {
		if (mask & bit->mask)
			printf("  %-19s %s\n", bit->name, bit->sentence);
		mask &= ~bit->mask;
	}
	if (mask)
		printf("  0x%08" PRIx32 "          bits that this redoubtctl does not know\n",
		    mask);
}

static void print_uncovered(const struct monitor_state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		if (!state->cpu[i].covered)
			printf("CPU %u is NOT under the monitor.\n", state->cpu[i].cpu);
	}
}

static void print_details(const struct monitor_state *state, const struct cpu_state *first)
{
	printf("Redoubt (%s, ABI %" PRIu32 ".%" PRIu32 ", image %016" PRIx64
	       ") covers %zu of %zu CPUs.\n",
	    vendor_name(state->vendor), state->abi_version >> 16, state->abi_version & 0xffff,
	    state->image, state->covered, state->count);
	print_uncovered(state);
	if (state->attempts)
		printf("%" PRIu32 " earlier starts did not reach the operating system.\n",
		    state->attempts);
	printf("Protected:\n");
	print_bits(features, first->features);
	printf("Not protected:\n");
	print_bits(degraded, first->degraded);
	if (!state_is_uniform(state))
		printf("CPUs DIFFER in what they report; this is CPU %u's.\n", first->cpu);
}

static const struct cpu_state *first_covered(const struct monitor_state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		if (state->cpu[i].covered)
			return &state->cpu[i];
	}
	return NULL;
}

void print_text(const struct monitor_state *state)
{
	const struct cpu_state *first = first_covered(state);

	if (first)
		print_details(state, first);
	else
		printf("Redoubt is not running below this system: nothing is protected.\n");
}

static void print_json_names(const char *key, const struct bit *bit, uint32_t mask)
{
	const char *comma = "";

	printf("\"%s\":[", key);
	for (; bit->name; bit++) {
		if (mask & bit->mask) {
			printf("%s\"%s\"", comma, bit->name);
			comma = ",";
		}
	}
	printf("],");
}

static void print_json_cpus(const struct monitor_state *state)
{
	printf("\"cpus\":[");
	for (size_t i = 0; i < state->count; i++) {
		const struct cpu_state *cpu = &state->cpu[i];

		printf("%s{\"cpu\":%u,\"covered\":%s,\"index\":%" PRIu32 ",\"features\":%" PRIu32
		       ",\"degraded\":%" PRIu32 ",\"cpus_covered\":%" PRIu32 "}",
		    i ? "," : "", cpu->cpu, cpu->covered ? "true" : "false", cpu->index,
		    cpu->features, cpu->degraded, cpu->cpus_covered);
	}
	printf("]");
}

void print_json(const struct monitor_state *state)
{
	const struct cpu_state *first = first_covered(state);

	printf("{\"redoubt\":%s,", first ? "true" : "false");
	if (first) {
		printf("\"vendor\":\"%s\",", vendor_name(state->vendor));
		printf("\"abi\":\"%" PRIu32 ".%" PRIu32 "\",", state->abi_version >> 16,
		    state->abi_version & 0xffff);
		printf("\"image\":\"%016" PRIx64 "\",", state->image);
		printf("\"attempts\":%" PRIu32 ",", state->attempts);
		print_json_names("protected", features, first->features);
		print_json_names("not_protected", degraded, first->degraded);
	}
	printf("\"uniform\":%s,", state_is_uniform(state) ? "true" : "false");
	print_json_cpus(state);
	printf("}\n");
}
