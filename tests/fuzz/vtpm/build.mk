# SPDX-License-Identifier: BSD-2-Clause-Patent
# Fuzzers of the vTPM's parts.
include tests/fuzz/vtpm/sha.mk
include tests/fuzz/vtpm/nv.mk
include tests/fuzz/vtpm/ptpm.mk
