/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubtctl status: what CPUID says on each CPU, in words and in JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/linux/libredoubt/json.h"
#include "guest/linux/libredoubt/libredoubt.h"
#include "guest/linux/libredoubt/names.h"
#include "guest/linux/libredoubt/state.h"
#include "guest/linux/redoubtctl/redoubtctl.h"
#include "monitor/abi/cpuid.h"

/* The sentence for each bit set in `mask`; a newer monitor may set bits that have none here. */
static void print_bits(const struct redoubt_bit *bit, uint32_t mask)
{
	for (; bit->name; bit++) {
		if (mask & bit->mask)
			printf("  %-19s %s\n", bit->name, bit->sentence);
		mask &= ~(uint32_t)bit->mask;
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

static bool driver_there(void)
{
	return access(REDOUBT_DEVICE, F_OK) == 0;
}

/*
 * The word of the claim; the one for a machine without it stands among what is not protected too.
 */
static const char *root_of(const struct cpu_state *cpu)
{
	return cpu->degraded & REDOUBT_DEGRADED_UNROOTED ? "unrooted" : "tpm";
}

static void print_details(const struct monitor_state *state, const struct cpu_state *first)
{
	printf("Redoubt (%s, ABI %" PRIu32 ".%" PRIu32 ", image %016" PRIx64
	       ") covers %zu of %zu CPUs.\n",
	    redoubt_vendor_name(state->vendor), state->abi_version >> 16,
	    state->abi_version & 0xffff, state->image, state->covered, state->count);
	print_uncovered(state);
	if (state->attempts)
		printf("%" PRIu32 " earlier starts did not reach the operating system.\n",
		    state->attempts);
	printf("Root key: root=%s.\n", root_of(first));
	printf("Protected:\n");
	print_bits(redoubt_features, first->features);
	printf("Not protected:\n");
	print_bits(redoubt_degraded, first->degraded);
	if (!state_is_uniform(state))
		printf("CPUs DIFFER in what they report; this is CPU %u's.\n", first->cpu);
	printf("The driver is %s.\n", driver_there() ? "loaded" : "not loaded");
}

static const struct cpu_state *first_covered(const struct monitor_state *state)
{
	for (size_t i = 0; i < state->count; i++) {
		if (state->cpu[i].covered)
			return &state->cpu[i];
	}
	return NULL;
}

static void print_text(const struct monitor_state *state)
{
	const struct cpu_state *first = first_covered(state);

	if (first)
		print_details(state, first);
	else
		printf("Redoubt is not running below this system: nothing is protected.\n");
}

static void json_names(struct json *json, const char *key, const struct redoubt_bit *bit,
    uint32_t mask)
{
	json_begin(json, key, '[');
	for (; bit->name; bit++) {
		if (mask & bit->mask)
			json_string(json, NULL, bit->name);
	}
	json_end(json, ']');
}

static void json_cpu(struct json *json, const struct cpu_state *cpu)
{
	json_begin(json, NULL, '{');
	json_number(json, "cpu", cpu->cpu);
	json_bool(json, "covered", cpu->covered);
	json_number(json, "index", cpu->index);
	json_number(json, "features", cpu->features);
	json_number(json, "degraded", cpu->degraded);
	json_number(json, "cpus_covered", cpu->cpus_covered);
	json_end(json, '}');
}

static void json_monitor(struct json *json, const struct monitor_state *state,
    const struct cpu_state *first)
{
	char text[24];

	json_string(json, "vendor", redoubt_vendor_name(state->vendor));
	snprintf(text, sizeof(text), "%" PRIu32 ".%" PRIu32, state->abi_version >> 16,
	    state->abi_version & 0xffff);
	json_string(json, "abi", text);
	snprintf(text, sizeof(text), "%016" PRIx64, state->image);
	json_string(json, "image", text);
	json_number(json, "attempts", state->attempts);
	json_string(json, "root", root_of(first));
	json_names(json, "protected", redoubt_features, first->features);
	json_names(json, "not_protected", redoubt_degraded, first->degraded);
}

static void print_json(const struct monitor_state *state)
{
	const struct cpu_state *first = first_covered(state);
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '{');
	json_bool(&json, "redoubt", first != NULL);
	if (first)
		json_monitor(&json, state, first);
	json_bool(&json, "driver", driver_there());
	json_bool(&json, "uniform", state_is_uniform(state));
	json_begin(&json, "cpus", '[');
	for (size_t i = 0; i < state->count; i++)
		json_cpu(&json, &state->cpu[i]);
	json_end(&json, ']');
	json_end(&json, '}');
	printf("\n");
}

int command_status(const struct options *options)
{
	struct monitor_state state;
	int result;

	if (!read_state(&state)) {
		fprintf(stderr, "redoubtctl: cannot ask every CPU: %s\n", strerror(errno));
		return EXIT_USAGE;
	}
	if (options->json)
		print_json(&state);
	else
		print_text(&state);
	result = state_is_uniform(&state) ? EXIT_DONE : EXIT_NOT_SO;
	free_state(&state);
	return result;
}
