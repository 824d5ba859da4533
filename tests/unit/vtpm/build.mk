# SPDX-License-Identifier: BSD-2-Clause-Patent
# The vTPM's parts on the host.
include tests/unit/vtpm/crb.mk
include tests/unit/vtpm/nv.mk
include tests/unit/vtpm/storage.mk
include tests/unit/vtpm/sha.mk
include tests/unit/vtpm/ptpm.mk
