/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What passes between the loader and the monitor: the monitor image's header, the boot information
 * block, the entry point's operations, and how much memory the monitor needs.
 *
 * The loader copies a monitor image to the start of one page-aligned block of reserved memory (the
 * region), relocates it, and calls its entry point (System V calling convention, 64-bit mode,
 * firmware's identity mapping, a stack of at least 8 KiB) with three operations:
 *
 *   MONITOR_CHECK   on every CPU: can it be covered? Changes nothing.
 *   MONITOR_INIT    once, on the first CPU: copies and checks the block, builds its tables.
 *   MONITOR_LAUNCH  on every CPU: returns as the monitor's guest.
 *   MONITOR_END     on the first CPU, where MONITOR_INIT went well and no CPU was launched: gives
 *                   back what was taken of the machine. Nothing follows.
 *
 * Every operation returns a value of launch.def. All are given the same block.
 */
#pragma once

#include <stdint.h>

#define MONITOR_IMAGE_MAGIC   0x54494e4f4d544452ull /* "RDTMONIT" */
#define MONITOR_IMAGE_VERSION 1u

enum monitor_op { MONITOR_CHECK = 0, MONITOR_INIT = 1, MONITOR_LAUNCH = 2, MONITOR_END = 3 };

enum launch_status {
#define LAUNCH(name, value, sentence) LAUNCH_##name = (value),
#include "launch.def"
#undef LAUNCH
};

/* A part of the image with one protection. Offsets and sizes in bytes, multiples of 4096. */
struct monitor_segment {
	uint32_t offset;
	uint32_t size;
};

/* First bytes of a monitor image. The header's own page is followed by the segments, in order. */
struct monitor_image {
	uint64_t magic;
	uint32_t version;
	uint32_t vendor;    /* REDOUBT_VENDOR_ of cpuid.h */
	uint32_t file_size; /* bytes to copy; relocations stand behind them, are not copied */
	uint32_t load_size; /* bytes in memory: file_size and zeroed data; multiple of 4096 */
	uint32_t entry;	    /* offset of the entry point */
	/* uint32_t offsets at file_size: add the load address to the 64-bit word */
	uint32_t reloc_count;
	uint32_t fixed_pages;	       /* 4 KiB pages needed beside the image */
	uint32_t pages_per_cpu;	       /* 4 KiB pages needed for each CPU */
	struct monitor_segment text;   /* read, execute */
	struct monitor_segment rodata; /* read */
	struct monitor_segment data;   /* read, write */
	uint8_t digest[32]; /* SHA-256 of file and relocations, this field taken as zero */
};

#define BOOTINFO_MAGIC	    0x344f464e49544452ull /* "RDTINFO4", one for each layout */
#define BOOTINFO_MAX_RANGES 1024u
#define BOOTINFO_MAX_CPUS   1024u

/*
 * The monitor's security version number. Sealed data is bound to it: the root key of an SVN is the
 * SHA-256 of that of the next, and the loader gives the monitor that of its own.
 */
#define REDOUBT_SVN	 1u
#define BOOTINFO_SVN_END 64u /* whose root key is in the file */

/* Console and policy bits of bootinfo.flags; no other bit may be set. */
#define BOOTINFO_SERIAL (1u << 0) /* log to the serial port until boot_done */
/* the serial port stays the monitor's; needs BOOTINFO_SERIAL */
#define BOOTINFO_SERIAL_KEEP  (1u << 1)
#define BOOTINFO_DEBUGCON     (1u << 2) /* log to port 0xE9 as well (emulators) */
#define BOOTINFO_PANIC_RESET  (1u << 3) /* after a panic reset the machine, otherwise halt it */
#define BOOTINFO_MITIGATE     (1u << 4) /* all side-channel mitigations, whatever the CPU reports */
#define BOOTINFO_ROOT_KEY     (1u << 5) /* there is a root key */
#define BOOTINFO_ROOT_TPM     (1u << 6) /* which the platform's TPM holds, and no file ever did */
#define BOOTINFO_IOMMU_OFF    (1u << 7) /* IOMMUs are left alone; none is listed */
#define BOOTINFO_PLATFORM_TPM (1u << 8) /* the TPM at TPM_BASE (tpm.h) is the partition vtpm's */
#define BOOTINFO_FLAGS	      (0x1ffu)

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/*
 * Usable memory as firmware's map has it at hand-over, the monitor's region and record frame
 * included; sorted by base, no overlap, merged (no range begins where another ends).
 */
struct bootinfo_range {
	uint64_t base;	/* multiple of 4096 */
	uint64_t pages; /* of 4 KiB, not 0 */
};

/* Power and reset registers from the FADT the loader read; a port of 0 means there is none. */
#define POWER_S5_UNKNOWN 0xffu
struct bootinfo_power {
	uint16_t pm1a_control;
	uint16_t pm1b_control;
	uint16_t reset_port; /* FADT reset register if it is an I/O port */
	uint8_t reset_value;
	/* SLP_TYP that means power-off (DSDT \\_S5); POWER_S5_UNKNOWN if not found */
	uint8_t s5_type;
};

#define BOOTINFO_PARTITIONS 4u

/*
 * A secure partition that the loader has placed in reserved memory: its image (image.h), laid out
 * as in the file, and its private memory. Both lie in the ranges and outside region and record. The
 * monitor takes them out of everybody else's reach, measures the image and compares.
 */
struct bootinfo_partition {
	uint64_t image_base; /* multiple of 4096; 0: none */
	uint64_t data_base;  /* multiple of 4096 */
	uint32_t text_pages; /* of the image: behind the header's page */
	uint32_t rodata_pages;
	uint32_t data_pages;
	uint32_t svn;
	uint32_t flags; /* IMAGE_ of image.h */
	uint32_t reserved;
	union {
		struct {
			char id[32];		 /* as image.h has it; the last is 0 */
			uint8_t measurement[32]; /* SHA-256 of the image's pages */
			uint8_t signer[32]; /* of the signer's key as image.h has it; zero: none */
		};
		uint8_t items[3][32]; /* in the order of enum redoubt_info */
	};
};

#define BOOTINFO_IOMMUS 16u
#define IOMMU_END	(1ull << 32) /* their registers lie below */

/* What firmware's tables of IOMMUs were worth (DMAR, IVRS). */
enum iommu_tables {
	IOMMU_TABLES_NONE,    /* there is none, or no unit in it */
	IOMMU_TABLES_OK,      /* all units are listed below */
	IOMMU_TABLES_DAMAGED, /* a length, checksum or value cannot be right; no unit listed */
	IOMMU_TABLES_CONTRADICTORY, /* two statements cannot both be right; none listed */
	IOMMU_TABLES_TOO_MANY,	    /* more units or ranges than there is room for; none listed */
	IOMMU_TABLES_UNSUPPORTED,   /* newer than the loader; none listed */
	IOMMU_TABLES_DRIVEN,	    /* firmware drives the units itself; none listed */
};

#define BOOTINFO_IOMMU_VTD   1u
#define BOOTINFO_IOMMU_AMDVI 2u
/*
 * The unit has all devices of its segment that no other unit names. VT-d: INCLUDE_PCI_ALL;
 * AMD-Vi: always.
 */
#define BOOTINFO_IOMMU_ALL (1u << 0)

/* An IOMMU. Its registers lie outside the ranges; sorted by base, no overlap. */
struct bootinfo_iommu {
	uint64_t base; /* of its registers; multiple of 4096, not 0 */
	uint32_t kind; /* BOOTINFO_IOMMU_VTD or _AMDVI */
	uint16_t segment;
	uint16_t device; /* AMD-Vi: requester id of the unit itself; VT-d: 0 */
	uint32_t flags;	 /* BOOTINFO_IOMMU_ALL */
	uint32_t pages;	 /* of registers, 4 KiB each, not 0 */
};

/* The block, at the start of a frame. Everything not named is zero. */
struct bootinfo {
	uint64_t magic;
	uint64_t region_base;  /* the monitor image's load address; multiple of 4096 */
	uint64_t region_pages; /* at least monitor_region_pages() */
	/* one reserved frame of the monitor's outside the region, for the panic record; 0: none */
	uint64_t record_base;
	uint32_t flags;
	uint32_t log_level; /* enum log_level */
	uint32_t cpu_count;
	uint32_t range_count;
	/* starts since the operating system was last reached, this one not counted */
	uint32_t attempts;
	uint32_t tsc_khz;     /* of the time stamp counter; 0: not measured */
	uint16_t serial_port; /* base port of a 16550; 0: none */
	struct bootinfo_power power;
	uint8_t monitor_digest[32]; /* the image header's digest */
	uint8_t entropy[32];	    /* random as far as the loader could tell */
	uint8_t root_key[32]; /* for this SVN of the monitor (keys.h); with BOOTINFO_ROOT_KEY */
	struct bootinfo_partition partitions[BOOTINFO_PARTITIONS];
	uint32_t iommu_count;
	uint32_t iommu_status; /* enum iommu_tables; OK if and only if iommu_count is not 0 */
	struct bootinfo_iommu iommus[BOOTINFO_IOMMUS];
	uint32_t apic_ids[BOOTINFO_MAX_CPUS]; /* cpu_count of them, the first CPU's first */
	struct bootinfo_range ranges[BOOTINFO_MAX_RANGES]; /* range_count of them */
};

/*
 * Tables that may be wanted for what is no usable memory: for regions of 2 MiB in which memory
 * types change (two for each of 16 variable MTRRs, one for all fixed ones), and for devices above
 * `top`.
 */
#define TYPE_SPLITS   33u
#define DEMAND_TABLES 48u

/* When types change all at once the old splits go behind the new ones, in what demand left. */
_Static_assert(TYPE_SPLITS <= DEMAND_TABLES, "tables for the old types and the new");

/*
 * 4 KiB pages of tables that map `frames` frames of usable memory in `ranges` ranges below `top`,
 * split to the last frame; and a few for devices' pages that are watched.
 */
static inline uint64_t monitor_stage2_pages(uint64_t frames, uint64_t ranges, uint64_t top)
{
	uint64_t gib = (top >> 30) + 5;

	return (frames >> 9) + 2 * ranges + gib + (gib >> 9) + TYPE_SPLITS + DEMAND_TABLES + 16;
}

/* 4 KiB pages of tables that all secure partitions share. */
#define MONITOR_PARTITION_TABLES 256u

/* 4 KiB pages for each IOMMU, and for what leads every device to the table that all go by. */
#define MONITOR_IOMMU_PAGES  6u
#define MONITOR_DEVICE_PAGES 512u

/* The entry point. `cpu` is the index of the running CPU in the block's list. */
typedef uint64_t (*monitor_entry_fn)(uint64_t op, const struct bootinfo *info, uint64_t cpu);

/* Panic record: one frame, kept over a warm reset where firmware leaves memory alone. No secret. */
#define PANIC_RECORD_MAGIC 0x4352434550544452ull /* "RDTPECRC" */
#define PANIC_TEXT_BYTES   3968u

/*
 * For a firmware that wipes memory a mark also stands in eight bytes of the CMOS RAM of the
 * real-time clock from this index on: the two bytes of the tag, then bytes 2 to 7 of the digest.
 * Without the tag the bytes are somebody else's and are left alone.
 */
#define PANIC_CMOS_TAG0 0x52u
#define PANIC_CMOS_TAG1 0x44u
#define PANIC_CMOS	0x68u

struct panic_record {
	uint64_t magic;
	uint32_t version;
	uint32_t length;    /* bytes of text used */
	uint8_t digest[32]; /* SHA-256 of length and text */
	uint64_t reserved[10];
	char text[PANIC_TEXT_BYTES];
};

_Static_assert(sizeof(struct panic_record) == 4096, "a panic record is one frame");
