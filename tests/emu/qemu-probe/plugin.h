/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What probe.c needs of QEMU's interface for plugins of its translator, version 1: Debian packages
 * QEMU without the header. QEMU refuses a plugin of a version it does not have.
 */
#ifndef TESTS_EMU_QEMU_PROBE_PLUGIN_H
#define TESTS_EMU_QEMU_PROBE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_VERSION	  1
#define PLUGIN_INLINE_ADD 0
#define EXPORTED	  __attribute__((visibility("default")))

typedef uint64_t plugin_id;
struct block;	    /* a translated block */
struct instruction; /* one of its instructions */
struct machine;	    /* what QEMU tells of itself */

typedef void (*translated_fn)(plugin_id id, struct block *block);

EXPORTED extern int qemu_plugin_version;
EXPORTED int qemu_plugin_install(plugin_id id, const struct machine *machine, int argc,
    char **argv);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, translated_fn fn);
size_t qemu_plugin_tb_n_insns(const struct block *block);
struct instruction *qemu_plugin_tb_get_insn(const struct block *block, size_t index);
const void *qemu_plugin_insn_data(const struct instruction *instruction);
size_t qemu_plugin_insn_size(const struct instruction *instruction);
void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *instruction, int operation,
    void *counter, uint64_t value);

#endif
