/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Accesses of registers, each one instruction of exactly this width. mmio.c in the partition; a
 * test puts a model in its place.
 */
#ifndef VTPM_PTPM_MMIO_H
#define VTPM_PTPM_MMIO_H

#include <stdint.h>

uint8_t mmio_read8(const volatile uint8_t *at);
void mmio_write8(volatile uint8_t *at, uint8_t value);

/* `at` is a multiple of four. */
uint32_t mmio_read32(const volatile uint8_t *at);
void mmio_write32(volatile uint8_t *at, uint32_t value);

#endif
