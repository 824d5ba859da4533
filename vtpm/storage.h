/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The TPM's state between this partition and the normal world's storage: two slots (nv.h), written
 * in turn by a keeper, who is the loader first and the operating system's agent later. A keeper is
 * trusted with nothing but to write: it can withhold a state, not read, change or make one.
 *
 *   loader: slot, slot, package, open; as long as something waits: piece..., kept; keeper off
 *   agent:  keeper on; as long as something waits: piece..., kept
 *
 * I12: a command that changed the permanent state has its response held until a state with the
 * change in it is kept. Without a keeper commands that need to change it are refused by the TPM
 * (TPM_RC_NV_UNAVAILABLE), and what waits goes on waiting.
 */
#ifndef VTPM_STORAGE_H
#define VTPM_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/tpm_state.h"
#include "vtpm/binding.h"
#include "vtpm/nv.h"

enum storage_mode {
	STORAGE_CLOSED, /* slots are taken in */
	STORAGE_KEPT,
	STORAGE_VOLATILE, /* no root key: what is there ends with the partition */
	STORAGE_REFUSED,  /* there is no TPM */
};

struct storage {
	enum storage_mode mode;
	/* STORAGE_CLOSED */
	uint8_t *slot[TPM_FILES]; /* NV_FILE_MAX bytes, or NULL; the last is a package */
	size_t given[TPM_FILES];  /* bytes of it; of none: 0 is absent, else unreadable */
	enum nv_verdict verdict[TPM_FILES];
	/* STORAGE_KEPT */
	struct nv_header header; /* of what was written last; generation 0: nothing yet */
	uint8_t digest[NV_DIGEST];
	unsigned current;	/* slot; NV_SLOTS: nothing yet */
	unsigned next;		/* slot of what waits */
	unsigned keeper;	/* TPM_KEEPER_ */
	bool flushes;		/* the keeper is one who does */
	bool again;		/* a state is to be sealed though nothing has changed */
	bool starting;		/* the first commands are carried out */
	bool step;		/* what waits is to be the anchor's */
	bool ends;		/* the platform's TPM is to be told that the machine goes off */
	bool refused;		/* by the open: there is something to ask a guardian for */
	bool bound;		/* states are to be bound, whether that is possible or not */
	struct binding binding; /* to the platform's TPM, where it is on */
	uint64_t sealed;	/* vtpm_permanent()'s generation in what was sealed last */
	struct nv_content more; /* parts beside the states */
	uint8_t *file;		/* waits to be written, or NULL */
	size_t size;
	struct nv_header file_header;
	uint8_t *package; /* that was made last, or NULL */
	size_t package_size;
	uint64_t package_generation; /* of the state that was kept last when it was made */
	volatile uint64_t *told;     /* the generation that waits, for the keeper to see */
};

/* Memory for a state; ends the partition if there is none. */
void *storage_memory(size_t bytes);

/* `told` is in the window; 0 is put there. */
void storage_start(struct storage *storage, volatile uint64_t *told);

/*
 * A piece of a slot, at most TPM_PIECE_BYTES, which is copied once. Without bytes: the slot is
 * there and cannot be read. Statuses of requests: OK, INVALID, TPM_STATUS_LATE.
 */
uint64_t storage_slot(struct storage *storage, uint64_t slot, uint64_t offset,
    const volatile void *from, uint64_t bytes);

/*
 * Chooses, and starts the TPM: with the state that is current; else with a package's, if there is
 * a package; else, if no state was ever written, as a new one. `bound`: only with a state that the
 * platform's TPM knows (binding.h), or a package for what it knows. `startup` is then called, for
 * the first commands. TPM_STATE_ of monitor/abi/tpm_state.h.
 */
unsigned storage_open(struct storage *storage, bool bound, void (*startup)(bool is_new));

/* In front of each command: what it finds of the TPM's memory (vtpm_nv_available()). */
void storage_before(struct storage *storage);

/* Behind each command: whether its response is to be held. */
bool storage_hold(struct storage *storage);

/* Whether a part beside the TPM's own may be changed now. */
bool storage_takes(struct storage *storage);

/*
 * Behind a TPM2_Shutdown that succeeded: when its response goes, the platform's TPM gets one too
 * (else its next start would count as one behind a power cut).
 */
void storage_shutdown(struct storage *storage);

/* NV_PPI is from now on a copy of this; as storage_hold(). */
bool storage_put_ppi(struct storage *storage, struct nv_bytes bytes);

/* How many bytes of what waits, from `offset` on, were put to `to`: at most TPM_PIECE_BYTES. */
size_t storage_piece(const struct storage *storage, uint64_t offset, volatile void *to);

/*
 * A piece of a package, at most TPM_PACKAGE_BYTES, put to `to`; at an offset of 0 of a new one, for
 * the guardian. Results and statuses are the request's (vtpm/requests.def).
 */
uint64_t storage_package(struct storage *storage, uint64_t offset, volatile void *to,
    uint64_t results[REQUEST_WORDS]);

/* The fingerprint of the machine's key for packages, put to `to`. Statuses likewise. */
uint64_t storage_key(volatile void *to, uint64_t *bytes);

/* Behind an open that was refused: the ask (package.h), put to `to`. Statuses likewise. */
uint64_t storage_ask(struct storage *storage, volatile void *to, uint64_t *bytes);

/*
 * What waits, of this generation, is written and flushed. OK, TPM_STATUS_UNKNOWN, or
 * TPM_STATUS_UNANCHORED.
 */
uint64_t storage_kept(struct storage *storage, uint64_t generation);

/* Who writes: TPM_KEEPER_ of monitor/abi/tpm_state.h. */
void storage_keeper(struct storage *storage, unsigned keeper);

#endif
