/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the build tool cannot know of the image header.
 */
#include "arch/x86/header.h"

#include "monitor/abi/cpuid.h"

const struct monitor_image monitor_header __attribute__((section(".header"), used)) = {
	.vendor = REDOUBT_VENDOR_VMX,
	.fixed_pages = REGION_FIXED_PAGES,
	.pages_per_cpu = REGION_PAGES_PER_CPU,
};
