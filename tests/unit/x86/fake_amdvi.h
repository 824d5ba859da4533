/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * An AMD-Vi unit as the manual has it (AMD-Vi 2.2, 2.4, 2.5, 3.4). What it sees (fake_unit.seen):
 *
 *   R  goes by another device table       E e  on, off
 *   C c  commands are carried out, or not L l  events are written down, or not
 *   A  all forgotten                      T    translations of a domain forgotten
 *   W  said that commands are done        X    exclusion range off
 *   !  a command that is none: commands have stopped
 */
#ifndef TESTS_UNIT_X86_FAKE_AMDVI_H
#define TESTS_UNIT_X86_FAKE_AMDVI_H

#include "tests/unit/x86/fake_iommu.h"

#define AMDVI_TABLE	 0x0000u
#define AMDVI_COMMANDS	 0x0008u
#define AMDVI_EVENTS	 0x0010u
#define AMDVI_CONTROL	 0x0018u
#define AMDVI_EXCLUSION	 0x0020u
#define AMDVI_LIMIT	 0x0028u
#define AMDVI_FEATURES	 0x0030u
#define AMDVI_HEAD	 0x2000u
#define AMDVI_TAIL	 0x2008u
#define AMDVI_EVENT_HEAD 0x2010u
#define AMDVI_EVENT_TAIL 0x2018u
#define AMDVI_STATUS	 0x2020u

#define AMDVI_ON	  (1ull << 0)
#define AMDVI_EVENTS_ON	  (1ull << 2)
#define AMDVI_COMMANDS_ON (1ull << 12)
#define AMDVI_OVERFLOW	  (1ull << 0) /* of the status */
#define AMDVI_EVENTS_RUN  (1ull << 3)
#define AMDVI_RUN	  (1ull << 4)
#define AMDVI_IA	  (1ull << 6) /* INVALIDATE_IOMMU_ALL is there */

enum amdvi_event {
	ILLEGAL_DEV_TABLE_ENTRY = 1,
	IO_PAGE_FAULT,
	DEV_TAB_HARDWARE_ERROR,
	PAGE_TAB_HARDWARE_ERROR,
	ILLEGAL_COMMAND_ERROR,
	COMMAND_HARDWARE_ERROR,
	IOTLB_INV_TIMEOUT,
	INVALID_DEVICE_REQUEST,
	INVALID_PPR_REQUEST,
	EVENT_COUNTER_ZERO,
	AMDVI_EVENT_END
};

struct fake_unit *fake_add_amdvi(uint64_t base, uint64_t features);

/* As firmware leaves it: on, by a table of its own that leads some devices to all below `end`. */
void fake_amdvi_firmware(struct fake_unit *unit, uint64_t end);

/* An event is written down, if the log has room. */
void fake_amdvi_event(struct fake_unit *unit, enum amdvi_event event, uint16_t id,
    uint64_t address);

/* A device's access; what is refused is written down. Returns whether it was not. */
bool fake_amdvi_access(struct fake_unit *unit, uint16_t id, uint64_t address, bool write);

/* Frames that a device reaches. */
uint64_t fake_amdvi_frames(const struct fake_unit *unit, uint16_t id);

#endif
