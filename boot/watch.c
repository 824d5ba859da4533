/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Installs the code of instructions.S that runs when the operating system is reached.
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
	const EFI_RUNTIME_SERVICES *runtime_services;
	EFI_GUID guid;
	CHAR16 name[WATCH_NAME_CHARS];
	UINT32 attributes;
	UINT32 value; /* what the counter is set to: 0 */
	UINT32 cleared;
	UINT32 vendor;
	UINT32 call;
};

_Static_assert(offsetof(struct watch, runtime_services) == WATCH_RUNTIME_SERVICES,
    "as in assembly");
_Static_assert(offsetof(EFI_RUNTIME_SERVICES, SetVariable) == WATCH_SET_VARIABLE, "as in assembly");
_Static_assert(offsetof(struct watch, guid) == WATCH_GUID, "as in assembly");
_Static_assert(offsetof(struct watch, name) == WATCH_NAME, "as in assembly");
_Static_assert(offsetof(struct watch, attributes) == WATCH_ATTRIBUTES, "as in assembly");
_Static_assert(offsetof(struct watch, value) == WATCH_VALUE, "as in assembly");
_Static_assert(sizeof(UINT32) == WATCH_VALUE_SIZE, "as in assembly");
_Static_assert(offsetof(struct watch, cleared) == WATCH_CLEARED, "as in assembly");
_Static_assert(offsetof(struct watch, vendor) == WATCH_VENDOR, "as in assembly");
_Static_assert(offsetof(struct watch, call) == WATCH_CALL, "as in assembly");
_Static_assert(WATCH_VENDOR_VMX == REDOUBT_VENDOR_VMX, "as in assembly");
_Static_assert(WATCH_VENDOR_SVM == REDOUBT_VENDOR_SVM, "as in assembly");
_Static_assert(sizeof(ATTEMPTS_NAME) <= sizeof(((struct watch *)0)->name), "the name fits");

extern const UINT8 watch_code_start[], watch_reached[], watch_exit[], watch_code_end[];

static void fill(struct watch *watch, UINT32 vendor)
{
	*watch = (struct watch){
		.runtime_services = RT,
		.guid = ATTEMPTS_GUID,
		.attributes = ATTEMPTS_ATTRIBUTES,
		.vendor = vendor,
		.call = REDOUBT_CALL_boot_done,
	};
	memcpy(watch->name, ATTEMPTS_NAME, sizeof(ATTEMPTS_NAME));
}

/* Calls the copy of a function when an event group is signalled. */
static EFI_STATUS hook(UINT64 notify, EFI_TPL tpl, UINT64 watch, EFI_GUID group, EFI_EVENT *event)
{
	return BS->CreateEventEx(EVT_NOTIFY_SIGNAL, tpl, (EFI_EVENT_NOTIFY)notify, (void *)watch,
	    &group, event);
}

/*
 * Before boot services end (UEFI 2.9 and later) the counter can be set in good order. Older
 * firmware tells only that they end, and then closes variables that the operating system may not
 * see at TPL_NOTIFY; so the watch must come at that level and not, as UEFI has it for variables,
 * below it. `hooked`: firmware may call the code, whatever the status.
 */
static EFI_STATUS hook_both(UINT64 code, UINT64 watch, BOOLEAN *hooked)
{
	EFI_GUID before = BEFORE_EXIT_BOOT_SERVICES_GUID, exit = EXIT_BOOT_SERVICES_GUID;
	UINT64 at_before = code + (UINT64)(watch_reached - watch_code_start);
	UINT64 at_exit = code + (UINT64)(watch_exit - watch_code_start);
	EFI_EVENT first, second;
	EFI_STATUS status = hook(at_exit, TPL_NOTIFY, watch, exit, &first);

	*hooked = !EFI_ERROR(status);
	if (!*hooked)
		return status;
	status = hook(at_before, TPL_CALLBACK, watch, before, &second);
	if (EFI_ERROR(status))
		*hooked = EFI_ERROR(BS->CloseEvent(first));
	return status;
}

EFI_STATUS watch_install(UINT32 vendor)
{
	EFI_PHYSICAL_ADDRESS code, data;
	BOOLEAN hooked = FALSE;
	UINT64 before;
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
	status = memory_make_executable(code, 1, &before) ? hook_both(code, data, &hooked)
							  : EFI_ACCESS_DENIED;
	if (!hooked) {
		BS->FreePages(data, 1);
		if (memory_put_back(code, 1, before))
			BS->FreePages(code, 1);
	}
	return status;
}
