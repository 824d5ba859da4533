/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Registers as memory (mmio.h).
 */
#include "vtpm/ptpm/mmio.h"

uint8_t mmio_read8(const volatile uint8_t *at)
{
	return *at;
}

void mmio_write8(volatile uint8_t *at, uint8_t value)
{
	*at = value;
}

uint32_t mmio_read32(const volatile uint8_t *at)
{
	return *(const volatile uint32_t *)at;
}

void mmio_write32(volatile uint8_t *at, uint32_t value)
{
	*(volatile uint32_t *)at = value;
}
