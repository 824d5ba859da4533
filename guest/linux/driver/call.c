// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* Finds the monitor and calls it. The interface is monitor/abi/cpuid.h and call.h. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/printk.h>
#include <asm/processor.h>

#include "driver.h"

struct redoubt_monitor redoubt_monitor;

struct leaf {
	u32 eax, ebx, ecx, edx;
};

static struct leaf leaf_of(u32 number)
{
	struct leaf leaf;

	cpuid(number, &leaf.eax, &leaf.ebx, &leaf.ecx, &leaf.edx);
	return leaf;
}

/*
 * A CPU without hypervisor leaves answers with those of another leaf: both marks
 * must be there.
 */
static bool signed_below(void)
{
	struct leaf base = leaf_of(REDOUBT_CPUID_BASE);

	return base.ebx == REDOUBT_SIG_EBX && base.ecx == REDOUBT_SIG_ECX &&
	       base.edx == REDOUBT_SIG_EDX && base.eax >= REDOUBT_CPUID_STATE &&
	       leaf_of(REDOUBT_CPUID_IDENT).eax == REDOUBT_INTERFACE;
}

/* The two instructions differ in nothing but their encoding. */
u64 redoubt_raw_call(u64 id, u64 regs[CALL_REGS])
{
	register u64 r8 asm("r8") = regs[2];
	register u64 r9 asm("r9") = regs[3];
	u64 rax = id;

	if (id >= REDOUBT_PLANNED)
		return REDOUBT_UNKNOWN_CALL;
	if (redoubt_monitor.svm)
		asm volatile("vmmcall"
			     : "+a"(rax), "+c"(regs[0]), "+d"(regs[1]), "+r"(r8), "+r"(r9)
			     : : "memory");
	else
		asm volatile("vmcall"
			     : "+a"(rax), "+c"(regs[0]), "+d"(regs[1]), "+r"(r8), "+r"(r9)
			     : : "memory");
	regs[2] = r8;
	regs[3] = r9;
	return rax;
}

int redoubt_error(u64 rax)
{
	return -redoubt_errno(redoubt_status(rax));
}

static bool has_partitions(void)
{
	struct redoubt_partition_info info;

	return redoubt_status(redoubt_partition_info(1, 0, &info)) != REDOUBT_UNKNOWN_CALL;
}

int redoubt_detect(void)
{
	struct redoubt_version version;
	struct leaf ident;
	u64 rax;

	if (!signed_below()) {
		pr_err("no Redoubt monitor below this kernel: CPUID leaf %#x lacks its signature\n",
		       REDOUBT_CPUID_BASE);
		return -ENODEV;
	}
	ident = leaf_of(REDOUBT_CPUID_IDENT);
	if (ident.ebx >> 16 != REDOUBT_ABI_MAJOR) {
		pr_err("the monitor speaks ABI %u.%u, this driver %u.x\n", ident.ebx >> 16,
		       ident.ebx & 0xffff, REDOUBT_ABI_MAJOR);
		return -ENODEV;
	}
	redoubt_monitor.vendor = ident.ecx;
	redoubt_monitor.svm = ident.ecx == REDOUBT_VENDOR_SVM;
	rax = redoubt_version(&version);
	if (rax) {
		pr_err("the monitor does not tell its version: %s\n",
		       redoubt_status_name(redoubt_status(rax)) ?: "status unknown");
		return -ENODEV;
	}
	redoubt_monitor.abi = version.abi;
	redoubt_monitor.build = version.build;
	redoubt_monitor.partitions = has_partitions();
	return 0;
}
