/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Does /dev/kvm run guests, and does it give them virtualization? That the file exists says
 * neither: a guest of a few instructions is run, and one that uses VT-x or SVM itself.
 */
#ifndef TOOLS_DOCTOR_LINUX_KVM_H
#define TOOLS_DOCTOR_LINUX_KVM_H

#include <stdint.h>

#include "monitor/abi/cpuid.h"

enum kvm_state {
	KVM_STATE_ABSENT,    /* no /dev/kvm */
	KVM_STATE_NO_ACCESS, /* not for this user */
	KVM_STATE_BROKEN,    /* it does not run an ordinary guest */
	KVM_STATE_PLAIN,     /* it runs guests, without virtualization in them */
	KVM_STATE_NESTED,    /* it runs guests that use VT-x or SVM */
};

struct kvm_report {
	enum kvm_state state;
	uint32_t vendor;  /* what guests are offered: REDOUBT_VENDOR_ of monitor/abi/cpuid.h; 0 */
	const char *step; /* what failed, where something did; otherwise NULL */
	int error;	  /* errno of that step; 0: it went wrong without one */
};

/* Takes at most two seconds a guest. Changes nothing. */
void kvm_try(struct kvm_report *report);

#endif
