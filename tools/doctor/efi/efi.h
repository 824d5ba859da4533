/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * gnu-efi's headers, and MP services (PI 1.8 volume 2, 13.4), which they lack.
 */
#ifndef TOOLS_DOCTOR_EFI_EFI_H
#define TOOLS_DOCTOR_EFI_EFI_H

#include <efi.h>
#include <efilib.h>

typedef struct mp_services mp_services_t;
typedef void(EFIAPI *mp_procedure_t)(void *argument);

#define MP_SERVICES_GUID                                                                           \
	{                                                                                          \
		0x3fdda605, 0xa76e, 0x4f46,                                                        \
		{                                                                                  \
			0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08                             \
		}                                                                                  \
	}

/* Bits of mp_information.status. */
#define MP_FIRST   1u
#define MP_ENABLED 2u
#define MP_HEALTHY 4u

struct mp_information {
	UINT64 processor_id;
	UINT32 status;
	UINT32 location[3];
	UINT32 extended_location[6];
};

struct mp_services {
	EFI_STATUS(EFIAPI *get_number)(mp_services_t *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get_information)
	(mp_services_t *self, UINTN number, struct mp_information *information);
	void *startup_all;
	EFI_STATUS(EFIAPI *startup_this)
	(mp_services_t *self, mp_procedure_t procedure, UINTN number, EFI_EVENT event,
	    UINTN microseconds, void *argument, BOOLEAN *finished);
	void *switch_first;
	void *enable_disable;
	EFI_STATUS(EFIAPI *who_am_i)(mp_services_t *self, UINTN *number);
};

#endif
