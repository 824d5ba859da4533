/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What a second-stage table format supplies to stage2.c: how an entry is written and read.
 * Implemented in vmx/ept.c and svm/npt.c and chosen by the linker.
 *
 * Levels count from 0 (entries of 4 KiB) to 3 (entries of 512 GiB). An entry that maps nothing is
 * 0.
 */
#pragma once

#include "arch/addr.h"
#include "arch/stage2.h"

/* An entry that maps its span to `spa`, a multiple of the span, with prot not 0. */
uint64_t format_leaf(spa_t spa, unsigned level, unsigned prot, enum s2_type type);

/* An entry of a table of `level` that leads to the next lower one and takes no right away. */
uint64_t format_table(spa_t table, unsigned level);

/* Whether an entry leads to a table. */
bool format_is_table(uint64_t entry, unsigned level);

/* The address in an entry that is not 0: of the table or of the span's start. */
spa_t format_address(uint64_t entry, unsigned level);

/* Makes entries from now on such that AMD-Vi reads them, too. NPT only. */
void format_for_amdvi(void);

/* Protection mask and memory type of a leaf. */
unsigned format_prot(uint64_t entry);
enum s2_type format_type(uint64_t entry);
