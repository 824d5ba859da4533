/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Layout of struct watch, for C and assembly. watch.c asserts that it is so.
 */
#ifndef BOOT_WATCH_LAYOUT_H
#define BOOT_WATCH_LAYOUT_H

#define WATCH_RUNTIME_SERVICES 0
#define WATCH_GUID	       8
#define WATCH_NAME	       24
#define WATCH_NAME_CHARS       16
#define WATCH_ATTRIBUTES       56
#define WATCH_VALUE	       60
#define WATCH_VALUE_SIZE       4
#define WATCH_CLEARED	       64
#define WATCH_VENDOR	       68
#define WATCH_CALL	       72

/* In EFI's table of runtime services. */
#define WATCH_SET_VARIABLE 88

/* REDOUBT_VENDOR_ of monitor/abi/cpuid.h. */
#define WATCH_VENDOR_VMX 1
#define WATCH_VENDOR_SVM 2

#endif
