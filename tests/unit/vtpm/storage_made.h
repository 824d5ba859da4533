/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What vtpm/storage.c has around it, made up: a TPM, a keeper with a disk, the platform's anchor;
 * above the trustlets' fake monitor.
 */
#ifndef TESTS_UNIT_VTPM_STORAGE_MADE_H
#define TESTS_UNIT_VTPM_STORAGE_MADE_H

#include "tests/unit/vtpm/nv_made.h"
#include "vtpm/storage.h"
#include "vtpm/tpm.h"

#define STATE	  40000u /* bytes of the TPM's permanent state: three pieces */
#define NOT_THERE UINT64_MAX

extern struct storage storage;
extern _Alignas(64) volatile uint64_t told[8];
extern _Alignas(64) uint8_t mailbox[TPM_PIECE_BYTES], written[NV_FILE_MAX];
extern uint8_t disk[NV_SLOTS][NV_FILE_MAX];
extern bool there[NV_SLOTS];

struct made_tpm {
	uint8_t state[STATE];
	uint64_t generation;
	unsigned starts, startups;
	enum vtpm_nv nv;
	bool refuses;
	bool was_new; /* at its start */
};
extern struct made_tpm tpm;

/* The platform's; states are bound to it at the next open if `bound`. */
struct made_anchor {
	bool bound, gone, owned;
	bool there, written;
	uint8_t auth[ANCHOR_AUTH_BYTES], value[ANCHOR_BYTES];
	unsigned commands, writes, shutdowns;
	unsigned waits;	   /* milliseconds that were given for it */
	unsigned fails_at; /* the command that is not answered; 0: none */
};
extern struct made_anchor anchor;

/* Packages: what the image names, and what a package comes to. */
struct made_package {
	bool no_guardian, no_key, none; /* none: there is nothing to make one of */
	enum nv_verdict verdict;
	uint8_t place[NV_DIGEST]; /* for which it is */
	unsigned opened, made;
	struct nv_content content; /* of the one that was made last, as it was said to be */
	struct nv_header header;
};
extern struct made_package package;

/* A package comes with the slots. */
void hand_over_package(void);

/* The TPM's permanent state changes. */
void change(uint8_t value);

/* Memory is gone, the disk and the anchor are not. */
void machine_starts(void);

/* All is new. */
int setup(void **state);

/* The same, with the platform's anchor. */
int setup_bound(void **state);

void hand_over(unsigned slot);
unsigned open_it(void);

/* What waits; its size. */
size_t fetch(void);

/* What waits is written, and acknowledged. */
void keep(void);

/* The loader's part of a start, and the agent. */
void to_work(void);

void expect_waits(uint64_t generation);

#endif
