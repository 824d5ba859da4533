/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Seeds and verdicts of the property tests (model.h).
 */
#include "tests/model/model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHECK_OPERATIONS 100000

static unsigned number;

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	char *end;
	uint64_t value;

	if (!text || !*text)
		return otherwise;
	value = strtoull(text, &end, 0);
	if (*end) {
		fprintf(stderr, "%s=%s is no number\n", name, text);
		exit(2);
	}
	return value;
}

struct model model_start(unsigned tests)
{
	struct timespec now;
	struct model model = { .operations = from_environment("N", CHECK_OPERATIONS) };

	clock_gettime(CLOCK_REALTIME, &now);
	model.seed = from_environment("SEED",
	    (uint64_t)now.tv_sec * 1000003 + (uint64_t)now.tv_nsec);
	model.state = model.seed;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%u\n# SEED=%llu N=%llu\n", tests, (unsigned long long)model.seed,
	    (unsigned long long)model.operations);
	fprintf(stderr, "SEED=%llu N=%llu\n", (unsigned long long)model.seed,
	    (unsigned long long)model.operations);
	return model;
}

/* A Weyl sequence, mixed: every seed gives another. */
static uint64_t next(struct model *model)
{
	uint64_t z = model->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t draw(struct model *model, uint64_t bound)
{
	return next(model) % bound;
}

bool chance(struct model *model, unsigned n)
{
	return draw(model, n) == 0;
}

static void print(const char *prefix, const char *format, va_list args)
{
	printf("%s %u - ", prefix, ++number);
	vprintf(format, args);
}

void model_passed(struct model *model, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("ok", format, args);
	printf(" (%llu operations, SEED=%llu)\n", (unsigned long long)model->done,
	    (unsigned long long)model->seed);
	va_end(args);
}

void model_failed(struct model *model, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print("not ok", format, args);
	printf(" (after %llu operations, SEED=%llu)\n", (unsigned long long)model->done,
	    (unsigned long long)model->seed);
	va_end(args);
	exit(1);
}
