/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * EFI_TCG2_PROTOCOL as the TCG EFI Protocol Specification, family 2.0, has it (6), and the table of
 * final events (7).
 */
#ifndef BOOT_EFI_TCG2_H
#define BOOT_EFI_TCG2_H

#include "boot/efi.h"

#define TCG2_GUID                                                                                  \
	{                                                                                          \
		0x607f766c, 0x7455, 0x42be,                                                        \
		{                                                                                  \
			0x93, 0x0b, 0xe4, 0xd7, 0x6d, 0xb2, 0x72, 0x0f                             \
		}                                                                                  \
	}

#define TCG2_FINAL_GUID                                                                            \
	{                                                                                          \
		0x1e2ed096, 0x30e2, 0x4254,                                                        \
		{                                                                                  \
			0xbd, 0x89, 0x86, 0x3b, 0xbe, 0xf8, 0x23, 0x25                             \
		}                                                                                  \
	}

#define TCG2_SHA256	  0x2u
#define TCG2_LOG_2	  0x2u /* crypto agile */
#define TCG2_EVENT_HEADER 14u

struct tcg2_capability {
	UINT8 size;
	UINT8 structure_version[2], protocol_version[2];
	UINT32 hash_algorithms, event_logs;
	BOOLEAN present;
	UINT16 max_command, max_response;
	UINT32 manufacturer, banks, active_banks;
};

_Static_assert(sizeof(struct tcg2_capability) == 36, "as the specification has it");

struct tcg2_event {
	UINT32 size;
	UINT32 header_size;
	UINT16 header_version;
	UINT32 pcr;
	UINT32 type;
	UINT8 data[];
} __attribute__((packed));

_Static_assert(sizeof(struct tcg2_event) == 18, "as the specification has it");

typedef struct tcg2 tcg2_t;

struct tcg2 {
	EFI_STATUS(EFIAPI *get_capability)(tcg2_t *self, struct tcg2_capability *capability);
	EFI_STATUS(EFIAPI *get_event_log)
	(tcg2_t *self, UINT32 format, EFI_PHYSICAL_ADDRESS *where, EFI_PHYSICAL_ADDRESS *last,
	    BOOLEAN *truncated);
	EFI_STATUS(EFIAPI *hash_log_extend)
	(tcg2_t *self, UINT64 flags, EFI_PHYSICAL_ADDRESS data, UINT64 size,
	    struct tcg2_event *event);
	EFI_STATUS(EFIAPI *submit)
	(tcg2_t *self, UINT32 command_size, UINT8 *command, UINT32 response_size, UINT8 *response);
	EFI_STATUS(EFIAPI *get_active_banks)(tcg2_t *self, UINT32 *banks);
	EFI_STATUS(EFIAPI *set_active_banks)(tcg2_t *self, UINT32 banks);
	EFI_STATUS(EFIAPI *get_result)(tcg2_t *self, UINT32 *present, UINT32 *response);
};

#endif
