/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * gnu-efi's headers, and the firmware interfaces that they lack: MP services (PI 1.8 volume 2,
 * 13.4), memory attributes (UEFI 2.10, 37.6), LoadFile2 (13.2), and the event groups of 7.1.
 */
#ifndef BOOT_EFI_H
#define BOOT_EFI_H

#include <efi.h>
#include <efilib.h>

typedef struct mp_services mp_services_t;
typedef void(EFIAPI *ap_procedure_t)(void *argument);

#define MP_SERVICES_GUID                                                                           \
	{                                                                                          \
		0x3fdda605, 0xa76e, 0x4f46,                                                        \
		{                                                                                  \
			0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08                             \
		}                                                                                  \
	}

#define PROCESSOR_IS_BSP  1u
#define PROCESSOR_ENABLED 2u
#define PROCESSOR_HEALTHY 4u

struct processor_information {
	UINT64 processor_id; /* local APIC id */
	UINT32 status;
	UINT32 location[3];
	UINT32 extended_location[6]; /* firmware may fill it in (PI 1.7) */
};

struct mp_services {
	EFI_STATUS(EFIAPI *get_number)(mp_services_t *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get_information)
	(mp_services_t *self, UINTN number, struct processor_information *information);
	void *startup_all;
	EFI_STATUS(EFIAPI *startup_this)
	(mp_services_t *self, ap_procedure_t procedure, UINTN number, EFI_EVENT event,
	    UINTN microseconds, void *argument, BOOLEAN *finished);
	void *switch_bsp;
	void *enable_disable;
	EFI_STATUS(EFIAPI *who_am_i)(mp_services_t *self, UINTN *number);
};

typedef struct memory_attribute memory_attribute_t;

#define MEMORY_ATTRIBUTE_GUID                                                                      \
	{                                                                                          \
		0xf4560cf6, 0x40ec, 0x4b4a,                                                        \
		{                                                                                  \
			0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89                             \
		}                                                                                  \
	}

#define MEMORY_RO 0x20000ull

struct memory_attribute {
	EFI_STATUS(EFIAPI *get)
	(memory_attribute_t *self, EFI_PHYSICAL_ADDRESS base, UINT64 length, UINT64 *attributes);
	EFI_STATUS(EFIAPI *set)
	(memory_attribute_t *self, EFI_PHYSICAL_ADDRESS base, UINT64 length, UINT64 attributes);
	EFI_STATUS(EFIAPI *clear)
	(memory_attribute_t *self, EFI_PHYSICAL_ADDRESS base, UINT64 length, UINT64 attributes);
};

typedef struct load_file2 load_file2_t;

#define LOAD_FILE2_GUID                                                                            \
	{                                                                                          \
		0x4006c0c1, 0xfcb3, 0x403e,                                                        \
		{                                                                                  \
			0x99, 0x6d, 0x4a, 0x6c, 0x87, 0x24, 0xe0, 0x6d                             \
		}                                                                                  \
	}

struct load_file2 {
	EFI_STATUS(EFIAPI *load)
	(load_file2_t *self, EFI_DEVICE_PATH *path, BOOLEAN boot_policy, UINTN *size, void *buffer);
};

/* The device path at which Linux' EFI stub looks for an initrd. */
#define LINUX_INITRD_GUID                                                                          \
	{                                                                                          \
		0x5568e427, 0x68fc, 0x4f3d,                                                        \
		{                                                                                  \
			0xac, 0x74, 0xca, 0x55, 0x52, 0x31, 0xcc, 0x68                             \
		}                                                                                  \
	}

#define BEFORE_EXIT_BOOT_SERVICES_GUID                                                             \
	{                                                                                          \
		0x8be0e274, 0x3970, 0x4b44,                                                        \
		{                                                                                  \
			0x80, 0xc5, 0x1a, 0xb9, 0x50, 0x2f, 0x3b, 0xfc                             \
		}                                                                                  \
	}

#define EXIT_BOOT_SERVICES_GUID                                                                    \
	{                                                                                          \
		0x27abf055, 0xb1b8, 0x4c26,                                                        \
		{                                                                                  \
			0x80, 0x48, 0x74, 0x8f, 0x37, 0xba, 0xa2, 0xdf                             \
		}                                                                                  \
	}

#endif
