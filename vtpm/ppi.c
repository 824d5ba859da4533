/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Physical presence (ppi.h).
 */
#include "vtpm/ppi.h"

#include <string.h>

#include "vtpm/window.h"

#define VERSION 1u

/*
 * Operations of the specification's table 1 for TPM 2.0. To enable and to activate are TPM 1.2's.
 * Those that take a parameter or set firmware's flags there are none of.
 */
enum {
	NONE = 0,
	CLEAR = 5,
	ENABLE_ACTIVATE_CLEAR = 14,
	ENABLE_ACTIVATE_CLEAR_2 = 21,
	ENABLE_ACTIVATE_CLEAR_3 = 22,
};

static bool is_supported(uint32_t operation)
{
	switch (operation) {
	case NONE:
	case CLEAR:
	case ENABLE_ACTIVATE_CLEAR:
	case ENABLE_ACTIVATE_CLEAR_2:
	case ENABLE_ACTIVATE_CLEAR_3:
		return true;
	default:
		return false;
	}
}

void ppi_start(struct ppi *ppi, struct nv_bytes part)
{
	*ppi = (struct ppi){ .part.version = VERSION };
	if (part.size == sizeof(ppi->part))
		memcpy(&ppi->part, part.bytes, sizeof(ppi->part));
	if (ppi->part.version != VERSION || !is_supported(ppi->part.pending))
		ppi->part = (struct ppi_part){ .version = VERSION };
	ppi->next = ppi->part;
}

void ppi_done(struct ppi *ppi, uint32_t response)
{
	ppi->part.last = ppi->part.pending;
	ppi->part.response = response;
	ppi->part.pending = NONE;
	ppi->next = ppi->part;
}

static void show(struct ppi *ppi)
{
	const uint32_t words[PPI_REGISTERS] = { ppi->submitted, ppi->part.pending, ppi->part.last,
		ppi->part.response };

	for (unsigned i = 0; i < PPI_REGISTERS; i++)
		ppi->registers[i] = words[i];
	window_sync(ppi->registers, sizeof(words));
}

void ppi_show(struct ppi *ppi, volatile void *window)
{
	ppi->registers = (volatile uint32_t *)window + PPI_AT / sizeof(uint32_t);
	show(ppi);
}

/* What is pending already is kept already. */
static bool submit(struct ppi *ppi, uint32_t operation, bool keeps)
{
	bool is_new = operation != ppi->part.pending;

	ppi->waits = is_supported(operation) && is_new && keeps;
	if (ppi->waits) {
		ppi->next.pending = operation;
		ppi->submitted = PPI_BUSY | operation;
	} else if (!is_supported(operation)) {
		ppi->submitted = PPI_NOT_SUPPORTED;
	} else {
		ppi->submitted = is_new ? PPI_FAILURE : PPI_ACCEPTED;
	}
	return ppi->waits;
}

bool ppi_store(struct ppi *ppi, uint64_t value, uint64_t bytes, bool keeps)
{
	bool changed = false;

	if (bytes == sizeof(uint32_t) && value & PPI_BUSY && !ppi->waits)
		changed = submit(ppi, (uint32_t)value & ~PPI_BUSY, keeps);
	show(ppi);
	return changed;
}

void ppi_kept(struct ppi *ppi)
{
	if (!ppi->waits)
		return;
	ppi->waits = false;
	ppi->part = ppi->next;
	ppi->submitted = PPI_ACCEPTED;
	show(ppi);
}
