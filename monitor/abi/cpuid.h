/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Discovery: what CPUID answers above the monitor. Any privilege level may ask.
 *
 *   0x40000000  EAX highest leaf (0x40000003); EBX, ECX, EDX the 12 bytes "RedoubtMonit"
 *   0x40000001  EAX interface "RDBT" (0x54424452); EBX ABI version (abi/call.h); ECX vendor
 *               (VENDOR_); EDX 0
 *   0x40000002  EAX FEATURE_ bits; EBX DEGRADED_ bits; ECX CPUs covered; EDX index of this CPU
 *   0x40000003  EAX, EBX first 8 bytes of the SHA-256 of the monitor image (EAX low half); ECX boot
 *               attempts since the operating system was last reached; EDX 0
 */
#pragma once

#define REDOUBT_CPUID_BASE  0x40000000u
#define REDOUBT_CPUID_IDENT 0x40000001u
#define REDOUBT_CPUID_STATE 0x40000002u
#define REDOUBT_CPUID_BUILD 0x40000003u
#define REDOUBT_CPUID_LAST  REDOUBT_CPUID_BUILD

#define REDOUBT_SIGNATURE "RedoubtMonit"
#define REDOUBT_SIG_EBX	  0x6f646552u
#define REDOUBT_SIG_ECX	  0x4d746275u
#define REDOUBT_SIG_EDX	  0x74696e6fu
#define REDOUBT_INTERFACE 0x54424452u

#define REDOUBT_VENDOR_VMX 1u
#define REDOUBT_VENDOR_SVM 2u

/* What protects now. FEATURE(name, bit, sentence) */
#define REDOUBT_FEATURES(FEATURE)                                                                  \
	FEATURE(STAGE2, 0, "second-stage translation covers every CPU")                            \
	FEATURE(SELF, 1, "the monitor's memory is out of the guest's reach")                       \
	FEATURE(CPU_POLICY, 2, "model-specific registers are denied by default")                   \
	FEATURE(INIT_GUARD, 3, "INIT and SIPI cannot take a CPU away from the monitor")            \
	FEATURE(MBEC, 4, "the CPU tells user from kernel execution in second-stage tables")        \
	FEATURE(DMA, 5, "devices reach no memory but the normal world's")                          \
	FEATURE(VTPM, 6, "the machine's TPM is a partition that nothing else can reach")

/* What is not protected on this machine (I11). DEGRADED(name, bit, claim, sentence) */
#define REDOUBT_DEGRADED(DEGRADED)                                                                 \
	DEGRADED(DMA, 0, "dma=unprotected", "devices can reach the monitor's memory by DMA")       \
	DEGRADED(UNLOCKED, 1, "unlocked", "kernel code integrity is not enforced")                 \
	DEGRADED(UNROOTED, 2, "root=unrooted", "no platform TPM roots the monitor's keys")         \
	DEGRADED(SUSPEND, 3, "suspend=off",                                                        \
	    "sleep is refused, where firmware says its registers are; a kernel can move them")     \
	DEGRADED(SMM, 4, "smm=trusted", "system management mode is trusted")                       \
	DEGRADED(NO_MBEC, 5, "mbec=absent", "the CPU lacks mode-based execute control")            \
	DEGRADED(MICROCODE, 6, "microcode=firmware", "microcode updates by the guest are denied")  \
	DEGRADED(RETRIES, 7, "boot=retried", "earlier starts did not reach the operating system")  \
	DEGRADED(SLEEP, 9, "sleep=unwatched",                                                      \
	    "sleep registers are not known: a machine that sleeps wakes without the monitor")      \
	DEGRADED(SMT, 10, "smt=leaky",                                                             \
	    "threads of a core share buffers that this CPU does not keep apart")                   \
	DEGRADED(INIT, 11, "init=forgeable",                                                       \
	    "a device's message can send a CPU an INIT that takes it away from the monitor")       \
	DEGRADED(FLAWS, 12, "cpu=flawed",                                                          \
	    "the CPU does not report itself free of flaws that the monitor cannot make up for")    \
	DEGRADED(DMA_LISTED, 13, "dma=listed",                                                     \
	    "devices that firmware's tables do not list may reach the monitor's memory by DMA")    \
	DEGRADED(VTPM_UNBOUND, 14, "vtpm=unbound",                                                 \
	    "whoever writes its storage can put the TPM back to an older state, or let it forget") \
	DEGRADED(TEST, 8, "build=test", "this is a test build: it holds switches that break it")

#define REDOUBT_FEATURE_ENUM(name, bit, sentence)	  REDOUBT_FEATURE_##name = 1u << (bit),
#define REDOUBT_DEGRADED_ENUM(name, bit, claim, sentence) REDOUBT_DEGRADED_##name = 1u << (bit),
enum redoubt_feature { REDOUBT_FEATURES(REDOUBT_FEATURE_ENUM) };
enum redoubt_degraded { REDOUBT_DEGRADED(REDOUBT_DEGRADED_ENUM) };
