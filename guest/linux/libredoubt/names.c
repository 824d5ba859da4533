/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The words; see names.h. */
#include "guest/linux/libredoubt/names.h"

#include <stddef.h>

#include "guest/linux/redoubt.h"
#include "monitor/abi/cpuid.h"

#define FEATURE_ROW(name, bit, sentence)	 { 1u << (bit), #name, sentence },
#define DEGRADED_ROW(name, bit, claim, sentence) { 1u << (bit), claim, sentence },

const struct redoubt_bit redoubt_features[] = { REDOUBT_FEATURES(FEATURE_ROW){ 0, NULL, NULL } };
const struct redoubt_bit redoubt_degraded[] = { REDOUBT_DEGRADED(DEGRADED_ROW){ 0, NULL, NULL } };

const char *redoubt_vendor_name(uint32_t vendor)
{
	switch (vendor) {
	case REDOUBT_VENDOR_VMX:
		return "vmx";
	case REDOUBT_VENDOR_SVM:
		return "svm";
	default:
		return "unknown";
	}
}

const char *redoubt_state_name(uint32_t state)
{
	switch (state) {
	case REDOUBT_STATE_READY:
		return "ready";
	case REDOUBT_STATE_CRASHED:
		return "crashed";
	default:
		return "unknown";
	}
}
