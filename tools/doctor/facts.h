/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Where the doctor has its facts from: one struct source for each world it runs in. Nothing that is
 * behind it changes the machine. What could not be read is never taken for absent.
 */
#ifndef TOOLS_DOCTOR_FACTS_H
#define TOOLS_DOCTOR_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fact {
	FACT_OK,
	FACT_ABSENT,  /* the machine does not have it */
	FACT_HIDDEN,  /* it cannot be read from here: source.hidden says why */
	FACT_DAMAGED, /* what was found is not what it says it is */
};

struct leaf {
	uint32_t eax, ebx, ecx, edx;
};

struct bytes {
	const uint8_t *data;
	size_t size;
};

/* What firmware tells a program that it has started. */
struct processors {
	unsigned all;	   /* CPUs that it lists */
	unsigned disabled; /* of these, what it cannot run */
};

struct source {
	void *context;
	const char *hidden; /* why the last call said FACT_HIDDEN, as "needs root" */

	/* On the CPU that runs. An MSR is asked for only if CPUID or another MSR says it exists. */
	void (*cpuid)(void *context, uint32_t number, uint32_t subleaf, struct leaf *leaf);
	enum fact (*msr)(void *context, uint32_t number, uint64_t *value);

	/* CPUs that can be asked, and `run` on one of them. False: it could not be reached. */
	unsigned (*cpus)(void *context);
	bool (*on_cpu)(void *context, unsigned index, void (*run)(void *argument), void *argument);

	/* CR4 as firmware has it. Hidden once an operating system runs: it is its own then. */
	enum fact (*cr4)(void *context, uint64_t *value);
	enum fact (*processors)(void *context, struct processors *processors);

	/*
	 * An ACPI table by its four letters, length and checksum tested. Good until the next call.
	 */
	enum fact (*table)(void *context, const char *signature, struct bytes *table);

	/* A global variable of one byte, "SecureBoot". */
	enum fact (*variable)(void *context, const char *name, uint8_t *value);

	/* Width of the firmware's interface: 64 or 32; absent where it was not started by UEFI. */
	enum fact (*firmware)(void *context, unsigned *bits);
};

#endif
