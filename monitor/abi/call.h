/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The call interface as a guest sees it: statuses and call ids; result.h reads what a call returns.
 *
 * A call is VMCALL (Intel) or VMMCALL (AMD) from 64-bit mode at CPL 0; from anywhere else it is
 * #UD. calls.def describes the registers.
 */
#pragma once

#include <stdint.h>

#define REDOUBT_ABI_MAJOR   1u
#define REDOUBT_ABI_MINOR   0u
#define REDOUBT_ABI_VERSION (REDOUBT_ABI_MAJOR << 16 | REDOUBT_ABI_MINOR)

/* Number of argument and result registers: RCX, RDX, R8, R9. */
#define CALL_REGS 4u

/* Values of the rights column. */
#define RIGHT_NORMAL	(1u << 0) /* the normal world */
#define RIGHT_PARTITION (1u << 1) /* any secure partition */
#define RIGHT_CODEINT	(1u << 2) /* the one that judges images, placed by the loader */

enum redoubt_status {
#define STATUS(name, value, sentence) REDOUBT_##name = (value),
#include "status.def"
#undef STATUS
};

enum redoubt_call {
#define CALL(id, name, rights, args, rets, statuses, summary) REDOUBT_CALL_##name = (id),
#include "calls.def"
#undef CALL
	REDOUBT_CALL_COUNT
};

/* What partition_info tells. */
enum redoubt_info {
	/*
	 * REDOUBT_PARTITION_ | the monitor's SVN << 32, SVN | flags of image.h << 32, requests
	 * served, pages of memory
	 */
	REDOUBT_INFO_SUMMARY,
	REDOUBT_INFO_ID,	  /* 32 characters, zeros behind */
	REDOUBT_INFO_MEASUREMENT, /* SHA-256 of the image */
	REDOUBT_INFO_SIGNER,	  /* SHA-256 of the signer's key; zero: none */
	REDOUBT_INFO_ITEMS
};
enum redoubt_partition { REDOUBT_PARTITION_READY = 3, REDOUBT_PARTITION_CRASHED = 4 };

/* What partition_give gives. */
enum redoubt_give {
	REDOUBT_GIVE_DATA,  /* private memory: zeroed, on the way back too */
	REDOUBT_GIVE_IMAGE, /* the image file: out of reach until the end, zeroed then */
	REDOUBT_GIVE_SHARED /* both can read and write it */
};

#define REDOUBT_IMAGE_PIECE 1024u /* bytes that image_read copies */

/* In the state that partition_call and partition_resume return: there is a token, no answer yet. */
#define REDOUBT_SUSPENDED (1ull << 32)
