/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The stage: what stands in for the monitor until there is one that runs partitions, and after that
 * a second opinion. It starts an image in the state that monitor/abi/trustlet.h promises, under SVM
 * with nested tables of its own, carries out the calls of monitor_calls.h, and tells all on port
 * 0xE9.
 */
#ifndef TESTS_TRUSTLETS_STAGE_H
#define TESTS_TRUSTLETS_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ul

/* A file that was given as the image of another partition, in frames of its own. */
struct offered {
	const uint8_t *frames;
	uint64_t bytes;
};

#define OFFERED_MAX   32u
#define OFFERED_FIRST 2u /* number of the partition that the first file is given to */

struct partition {
	const uint8_t *image; /* the file as loaded; its frames are the partition's */
	uint64_t image_pages, text_pages;
	uint8_t *memory; /* private */
	uint64_t pages;
	struct offered offered[OFFERED_MAX];
	unsigned offered_count;
};

extern struct partition partition;

/* What the stage tells: %s, %x (unsigned long). */
void tell(const char *format, ...);
_Noreturn void stage_end(void);

/*
 * The words behind the first of a line of the script: numbers in hexadecimal; those left out are 0.
 */
struct line {
	char word;
	uint64_t number[4];
};

/* The next line, without taking it; false at the end. */
bool script_peek(struct line *line);
void script_take(void);

/* Bytes of the partition at a GPA, of what it may write if `write`; NULL if it has none there. */
void *partition_at(uint64_t gpa, uint64_t bytes, bool write);

/* The page that is shared with the partition, as words. */
uint64_t *shared_page(void);

/* Nested tables for the partition; the address for nCR3. */
uint64_t nested_build(void);

/* Tells how the tables at `cr3` map, one line per range: VA, end, rights. */
void tell_map(uint64_t cr3);

enum outcome { GO_ON, ENDED };

/* Carries out a call: RAX, and RBX..R15 as enter() has them. */
enum outcome call(uint64_t *rax, uint64_t regs[14], uint64_t cr3);
void calls_start(void);

#endif
