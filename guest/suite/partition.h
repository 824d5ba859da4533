/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The partitions that redoubt.efi carries for the suites, and requests to them.
 */
#ifndef GUEST_SUITE_PARTITION_H
#define GUEST_SUITE_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#define PROBE	1u
#define SAMPLE	2u
#define CODEINT 3u

/* The numbers of their requests. */
enum probe_request {
#define REQUEST(id, name, arguments, results, summary) PROBE_##name = (id),
#include "guest/trustlets/probe/requests.def"
#undef REQUEST
};
enum sample_request {
#define REQUEST(id, name, arguments, results, summary) SAMPLE_##name = (id),
#include "guest/trustlets/sample/requests.def"
#undef REQUEST
};
enum codeint_request {
#define REQUEST(id, name, arguments, results, summary) CODEINT_##name = (id),
#include "guest/trustlets/codeint/requests.def"
#undef REQUEST
};

struct answer {
	uint64_t rax;	 /* the monitor's status */
	uint64_t status; /* the partition's */
	uint64_t words[3];
	unsigned suspended; /* how often it was */
};

/* A request, resumed until it is answered. Takes the interrupts that suspend it. */
struct answer partition_ask(uint64_t partition, uint64_t number, uint64_t a, uint64_t b,
    uint64_t c);

/* A TAP point: it was answered like this. */
bool partition_expect(const char *what, struct answer answer, uint64_t rax, uint64_t status);

/* Where its image and its memory are, as the monitor's log says; zeros: it does not. */
struct partition_place {
	uint64_t image, data;
};
struct partition_place partition_find(unsigned partition);

#endif
