/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Installs the code of x86.S that runs when the operating system is reached.
 */
#include "boot/watch.h"

#include <stddef.h>
#include <string.h>

#include "boot/attempts.h"
#include "boot/memory.h"
#include "boot/watch_layout.h"
#include "monitor/abi/call.h"
#include "monitor/abi/cpuid.h"

struct watch {
	EFI_SET_VARIABLE set_variable;
	EFI_GUID guid;
	CHAR16 name[WATCH_NAME_CHARS];
	UINT32 attributes;
	UINT32 value; /* what the counter is set to: 0 */
	UINT32 cleared;
	UINT32 vendor;
	UINT32 call;
};

_Static_assert(offsetof(struct watch, set_variable) == WATCH_SET_VARIABLE, "as x86.S has it");
_Static_assert(offsetof(struct watch, guid) == WATCH_GUID, "as x86.S has it");
_Static_assert(offsetof(struct watch, name) == WATCH_NAME, "as x86.S has it");
_Static_assert(offsetof(struct watch, attributes) == WATCH_ATTRIBUTES, "as x86.S has it");
_Static_assert(offsetof(struct watch, value) == WATCH_VALUE, "as x86.S has it");
_Static_assert(sizeof(UINT32) == WATCH_VALUE_SIZE, "as x86.S has it");
_Static_assert(offsetof(struct watch, cleared) == WATCH_CLEARED, "as x86.S has it");
_Static_assert(offsetof(struct watch, vendor) == WATCH_VENDOR, "as x86.S has it");
_Static_assert(offsetof(struct watch, call) == WATCH_CALL, "as x86.S has it");
_Static_assert(WATCH_VENDOR_VMX == REDOUBT_VENDOR_VMX, "as x86.S has it");
_Static_assert(WATCH_VENDOR_SVM == REDOUBT_VENDOR_SVM, "as x86.S has it");
_Static_assert(sizeof(ATTEMPTS_NAME) <= sizeof(((struct watch *)0)->name), "the name fits");

extern const UINT8 watch_code_start[], watch_reached[], watch_exit[], watch_code_end[];

static void fill(struct watch *watch, UINT32 vendor)
{
	*watch = (struct watch){
		.set_variable = RT->SetVariable,
		.guid = ATTEMPTS_GUID,
		.attributes = ATTEMPTS_ATTRIBUTES,
		.vendor = vendor,
		.call = REDOUBT_CALL_boot_done,
	};
	memcpy(watch->name, ATTEMPTS_NAME, sizeof(ATTEMPTS_NAME));
}

/* `function` of the copy at `code`, called when the group `group` is signalled. */
static EFI_STATUS hook(UINT64 code, const UINT8 *function, struct watch *watch, EFI_GUID group)
{
	EFI_EVENT_NOTIFY notify = (EFI_EVENT_NOTIFY)(code + (UINT64)(function - watch_code_start));
	EFI_EVENT event;

	return BS->CreateEventEx(EVT_NOTIFY_SIGNAL, TPL_CALLBACK, notify, watch, &group, &event);
}

EFI_STATUS watch_install(UINT32 vendor)
{
	EFI_GUID before = BEFORE_EXIT_BOOT_SERVICES_GUID, exit = EXIT_BOOT_SERVICES_GUID;
	EFI_PHYSICAL_ADDRESS code, data;
	EFI_STATUS status;

	status = BS->AllocatePages(AllocateAnyPages, EfiBootServicesData, 1, &data);
	if (EFI_ERROR(status))
		return status;
	status = BS->AllocatePages(AllocateAnyPages, EfiBootServicesCode, 1, &code);
	if (EFI_ERROR(status)) {
		BS->FreePages(data, 1);
		return status;
	}
	fill((struct watch *)data, vendor);
	memcpy((void *)code, watch_code_start, (size_t)(watch_code_end - watch_code_start));
	if (!memory_make_executable(code, 1))
		return EFI_ACCESS_DENIED;
	status = hook(code, watch_exit, (struct watch *)data, exit);
	if (!EFI_ERROR(status))
		status = hook(code, watch_reached, (struct watch *)data, before);
	return status;
}
