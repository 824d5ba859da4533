/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A machine with IOMMUs for the tests of arch/x86/iommu: the monitor's region, memory as the CPU
 * sees it and as it is behind the caches, and what units have in common: registers, caches of what
 * they have walked, and a walk of tables whose entries fake_vtd.c and fake_amdvi.c read as the
 * manuals have them. A unit's registers change as time passes: with each register that is read, and
 * with each pause of the CPU.
 */
#ifndef TESTS_UNIT_X86_FAKE_IOMMU_H
#define TESTS_UNIT_X86_FAKE_IOMMU_H

#include "arch/addr.h"
#include "arch/iommu.h"
#include "arch/x86/iommu/iommu.h"
#include "monitor/abi/bootinfo.h"
#include "tests/unit/unit.h"

#define FAKE_REGION	    0x20000000ull /* all memory of the machine that is there, one to one */
#define FAKE_REGION_PAGES   2560u
#define FAKE_FIRMWARE	    (FAKE_REGION + FAKE_REGION_PAGES * FRAME_SIZE)
#define FAKE_FIRMWARE_PAGES 16u
#define FAKE_RECORD	    0x0ffff000ull
#define FAKE_TOP	    (5ull << 30)
#define FAKE_POOL	    640u /* pages of tables */
#define FAKE_BUS	    0xfd00000000ull
#define FAKE_BUS_END	    0x10000000000ull
#define FAKE_UNITS	    4u
#define FAKE_DEVICE	    0x0018u /* the requester id that tests use */

/* What a device gets of an address. */
struct fake_reach {
	uint64_t to;
	bool read, write;
};

/* What an entry of a table says. */
struct fake_step {
	uint64_t to;
	unsigned below; /* level of the table there; 0: it is the page */
	bool read, write;
};

struct fake_context {
	uint16_t id;
	uint64_t words[4];
};

struct fake_translation {
	uint16_t id;
	uint64_t page;
	uint64_t domain; /* the second word of its context */
	struct fake_reach reach;
};

struct fake_unit {
	uint64_t base;
	unsigned pages;
	_Alignas(FRAME_SIZE) uint8_t registers[4 * FRAME_SIZE];
	/* What the kind of unit does. */
	void (*settle)(struct fake_unit *unit); /* time passes */
	void (*write)(struct fake_unit *unit, unsigned at, unsigned bytes, uint64_t value);
	void (*fetch)(const struct fake_unit *unit, uint16_t id, uint64_t *context);
	struct fake_reach (
	    *walk)(const struct fake_unit *unit, const uint64_t *context, uint64_t address);
	struct fake_step (*decode)(const struct fake_unit *unit, uint64_t entry, unsigned level);
	/* Its state. */
	bool snoops;	 /* looks into the CPU's caches for tables */
	bool translates; /* is on */
	uint64_t table;	 /* of devices, that it goes by */
	uint64_t wanted; /* by the last write to a register, and takes effect after `delay` */
	unsigned delay, left;
	uint64_t never;	 /* bits that never take effect */
	bool stuck;	 /* no command is carried out */
	unsigned record; /* the next of faults */
	char seen[256];	 /* what has happened, a letter each: fake_vtd.h, fake_amdvi.h */
	struct fake_context contexts[8];
	unsigned context_count;
	struct fake_translation translations[32];
	unsigned translation_count;
};

struct fake_audit {
	unsigned event;
	uint64_t subject, fact;
};

struct fake_iommu {
	struct bootinfo info;
	struct fake_unit units[FAKE_UNITS];
	uint64_t heap, heap_end;
	struct fake_audit audits[2048];
	unsigned audit_count;
	char log[4096];
	unsigned log_lines;
	bool open;	/* TEST_DMA_OPEN */
	bool huge;	/* the CPU has pages of 1 GiB */
	uint64_t watch; /* what no device may ever reach; 0: nothing */
	unsigned written_back;
};

extern struct fake_iommu fake;

/* A machine without units, and a monitor that has not looked at any. */
void fake_reset(void);

/* One more unit, as firmware lists it; a kind's own function makes it one. */
struct fake_unit *fake_add_unit(uint32_t kind, uint64_t base, unsigned pages);

/* The units' registers, 4 or 8 bytes. */
uint64_t fake_get(const struct fake_unit *unit, unsigned at, unsigned bytes);
void fake_put(struct fake_unit *unit, unsigned at, unsigned bytes, uint64_t value);
void fake_see(struct fake_unit *unit, char what);

/* Memory, as a unit's walk sees it, or as everybody does who looks into caches. */
uint64_t fake_walked(const struct fake_unit *unit, uint64_t address);
uint64_t *fake_memory(uint64_t address);

/* What a device reaches by what the unit remembers, or else walks and remembers. */
struct fake_reach fake_reach(struct fake_unit *unit, uint16_t id, uint64_t address);

/* By the tables alone. */
struct fake_reach fake_would_reach(const struct fake_unit *unit, uint16_t id, uint64_t address);

/* For walk(): from a table of `level` (1: entries of 4 KiB). */
struct fake_reach fake_walk(const struct fake_unit *unit, uint64_t table, unsigned level,
    uint64_t address);

/* Frames that a table maps; each must lead to itself, to be read and written. */
uint64_t fake_count(const struct fake_unit *unit, uint64_t table, unsigned level, uint64_t at);

/* iommu_write() of dma.c itself. */
void fake_write_through(const struct iommu_unit *unit, unsigned at, unsigned bytes, uint64_t value);

/* Forgets what dma.c and the driver keep between calls: fake_drivers.c, fake_driver_*.c. */
void fake_forget_drivers(void);
void fake_forget_driver(void);

#endif
