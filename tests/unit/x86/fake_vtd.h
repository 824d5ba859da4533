/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A VT-d unit as the manual has it (VT-d 6.5, 9, 11), legacy mode only. What it sees
 * (fake_unit.seen):
 *
 *   R  goes by another root table         E e  translation on, off
 *   Q  q  queue on, off                   M    protected memory regions off
 *   C  contexts forgotten                 T    translations forgotten, reads and writes drained
 *   W  said that commands are done        !    a command that is none: the queue has stopped
 *   F  faults: the status cleared
 */
#ifndef TESTS_UNIT_X86_FAKE_VTD_H
#define TESTS_UNIT_X86_FAKE_VTD_H

#include "tests/unit/x86/fake_iommu.h"

#define VTD_CAP	   0x08u
#define VTD_ECAP   0x10u
#define VTD_GCMD   0x18u
#define VTD_GSTS   0x1cu
#define VTD_RTADDR 0x20u
#define VTD_FSTS   0x34u
#define VTD_FECTL  0x38u
#define VTD_PMEN   0x64u
#define VTD_IQH	   0x80u
#define VTD_IQT	   0x88u
#define VTD_IQA	   0x90u

/* Bits of GCMD and GSTS. */
#define VTD_TE	  (1u << 31)
#define VTD_SRTP  (1u << 30)
#define VTD_QIE	  (1u << 26)
#define VTD_IRE	  (1u << 25)
#define VTD_CFI	  (1u << 23)
#define VTD_PFO	  (1u << 0)
#define VTD_PPF	  (1u << 1)
#define VTD_IQE	  (1u << 4)
#define VTD_FAULT (1ull << 63) /* of a record's upper half */
#define VTD_READ  (1ull << 62)

/*
 * Capabilities: 16 bits of domains, PLMR and PHMR, 39 and 48 bits, MGAW 48, records at 0x220, pages
 * of 2 MiB and 1 GiB, drains; and coherent walks, the queue, walks of device TLBs.
 */
#define VTD_CAP_PLAIN  0x00c0000c222f0666ull
#define VTD_CAP_39     (1ull << 9)
#define VTD_CAP_48     (1ull << 10)
#define VTD_CAP_RWBF   (1ull << 4)
#define VTD_CAP_PMR    (3ull << 5)
#define VTD_CAP_2M     (1ull << 34)
#define VTD_CAP_1G     (1ull << 35)
#define VTD_ECAP_PLAIN 0x0000000000f00f47ull
#define VTD_ECAP_QI    (1ull << 1)

struct fake_unit *fake_add_vtd(uint64_t base, uint64_t cap, uint64_t ecap);

/* How many records of faults there are, from 1. */
uint64_t fake_vtd_records(uint64_t cap, unsigned records);

/* As firmware leaves it: on, by a table of its own that leads every device to all below `end`. */
void fake_vtd_firmware(struct fake_unit *unit, uint64_t end, bool queue);

/* A device's access; what is refused is written down. Returns whether it was not. */
bool fake_vtd_access(struct fake_unit *unit, uint16_t id, uint64_t address, bool write);

/* Frames that a device reaches. */
uint64_t fake_vtd_frames(const struct fake_unit *unit, uint16_t id);

#endif
