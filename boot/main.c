/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * redoubt.efi: puts the running machine under the monitor, then starts the operating system's
 * loader as its guest. README.md tells the order of steps and what each refusal means.
 */
#include <stddef.h>

#include "boot/attempts.h"
#include "boot/chainload.h"
#include "boot/console.h"
#include "boot/cpus.h"
#include "boot/handover.h"
#include "boot/image.h"
#include "boot/launch.h"
#include "boot/measure.h"
#include "boot/partition.h"
#include "boot/platform_log.h"
#include "boot/record.h"
#include "boot/root.h"
#include "boot/secrets.h"
#include "boot/secure_boot.h"
#include "boot/settings.h"
#include "boot/tcg2.h"
#include "boot/vtpm.h"
#include "boot/vtpm_state.h"
#include "boot/watch.h"
#include "boot/x86.h"
#include "monitor/abi/cpuid.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system);

struct loader {
	EFI_HANDLE self;
	EFI_LOADED_IMAGE *image;
	UINT32 vendor;
	UINT32 attempts;
	struct config config;
	struct cpus cpus;
	struct partitions partitions;
	struct handover handover;
};

/* The loader's own file as firmware has loaded it; payloads are sections of it. */
static struct blob own_image(const struct loader *l)
{
	return (struct blob){ l->image->ImageBase, l->image->ImageSize };
}

/* Finds the checked monitor image for this CPU in our own sections. */
static BOOLEAN find_payload(struct loader *l, struct blob *payload)
{
	const char *section = l->vendor == REDOUBT_VENDOR_VMX ? ".monvmx" : ".monsvm";
	const char *complaint;
	char maker[13];

	cpu_vendor_text(maker);
	if (!l->vendor || !image_section(own_image(l), section, payload))
		return refuse("This loader carries no monitor for CPUs of %s.", maker);
	detail("digest of the monitor's image");
	complaint = monitor_image_check(*payload, l->vendor);
	detail("digest done");
	return complaint ? refuse("%s", complaint) : TRUE;
}

/* Finds the secure partitions' checked images there. */
static BOOLEAN find_partitions(struct loader *l)
{
	char complaint[PARTITION_COMPLAINT];

	return partitions_find(own_image(l), &l->partitions, complaint) || refuse("%s", complaint);
}

/* A machine on which some CPUs are covered and some not, or not for sure, does not go on. */
static void stop_machine(const struct config *config)
{
	say("the machine cannot go on like this and is %s",
	    config->flags & BOOTINFO_PANIC_RESET ? "reset" : "halted");
	console_pause();
	if (config->flags & BOOTINFO_PANIC_RESET)
		RT->ResetSystem(EfiResetCold, EFI_ABORTED, 0, NULL);
	halt();
}

static void start_tpm(const struct loader *l, const struct measured *what, enum vtpm_place place)
{
	struct blob log = { 0 };

	tcg2_take();
	if (place == VTPM_BOUND)
		vtpm_hide_platform();
	if (!vtpm_state_open(l->image, l->vendor, place == VTPM_BOUND))
		return;
	if (measure_start(what, &log))
		vtpm_tell(log);
	else
		vtpm_state_end();
}

/* Counts this start, loads and launches. FALSE: refused, and the machine is as before. */
static BOOLEAN cover(struct loader *l)
{
	struct handover_facts facts = { &l->config, &l->cpus, &l->partitions, l->image, l->attempts,
		VTPM_NONE };
	enum launch_outcome outcome;
	struct blob payload = { 0 };
	struct measured what;

	if (!find_payload(l, &payload) || !find_partitions(l))
		return FALSE;
	facts.vtpm = vtpm_settle(&l->partitions);
	what = (struct measured){ l->image, payload, &l->partitions };
	measure_platform(&what);
	if (!cpus_find(&l->cpus) || !handover_prepare(&l->handover, payload, &facts))
		return FALSE;
	if (facts.vtpm == VTPM_BOUND)
		platform_log_take();
	if (EFI_ERROR(attempts_write(l->attempts + 1)))
		say("note: firmware does not keep variables: starts are not counted");
	outcome = launch(&l->cpus, &l->handover);
	secrets_forget(l->handover.info);
	if (outcome == LAUNCH_BROKEN)
		stop_machine(&l->config);
	if ((outcome == LAUNCH_REFUSED || outcome == LAUNCH_ABANDONED) &&
	    EFI_ERROR(attempts_write(l->attempts)))
		say("note: firmware does not keep variables: this start stays counted");
	if (outcome == LAUNCH_REFUSED)
		handover_release(&l->handover);
	if (outcome == LAUNCH_DONE)
		handover_hide_iommus();
	if (outcome == LAUNCH_DONE && facts.vtpm != VTPM_NONE)
		start_tpm(l, &what, facts.vtpm);
	platform_log_drop();
	return outcome == LAUNCH_DONE;
}

/* After too many starts that led nowhere the operating system goes without the monitor. */
static BOOLEAN steps_aside(struct loader *l)
{
	l->attempts = attempts_read();
	if (l->attempts < ATTEMPTS_MAX)
		return FALSE;
	say("the last %u starts did not reach the operating system", l->attempts);
	say("stepping aside: this start goes on WITHOUT the monitor");
	l->vendor = 0;
	return TRUE;
}

static EFI_STATUS run(struct loader *l)
{
	EFI_STATUS status;

	if (cpu_cover().signature) {
		refuse("Redoubt already runs.");
		return EFI_ALREADY_STARTED;
	}
	if (!settings_read(l->image, &l->config))
		return EFI_INVALID_PARAMETER;
	say("loader at 0x%lx, linked for 0x%lx, Secure Boot %s", (UINT64)l->image->ImageBase,
	    EFI_IMAGE_BASE, secure_boot_text(secure_boot_read()));
	record_show();
	l->vendor = cpu_vendor();
	if (!steps_aside(l) && !cover(l))
		return EFI_UNSUPPORTED;
	root_close();
	status = watch_install(l->vendor);
	if (EFI_ERROR(status))
		say("note: reaching the operating system goes unnoticed (%s)", status_text(status));
	status = chainload(l->self, l->image, &l->config);
	measure_end();
	say("going back to firmware, %s",
	    l->vendor ? "still under the monitor" : "without the monitor");
	return status;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE self, EFI_SYSTEM_TABLE *system)
{
	struct loader *loader;
	EFI_STATUS status;

	InitializeLib(self, system);
	loader = AllocateZeroPool(sizeof(*loader));
	if (!loader)
		return EFI_OUT_OF_RESOURCES;
	loader->self = self;
	status = BS->HandleProtocol(self, &LoadedImageProtocol, (void **)&loader->image);
	if (!EFI_ERROR(status))
		status = run(loader);
	root_close();
	if (EFI_ERROR(status))
		console_pause();
	FreePool(loader);
	return status;
}
