/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The memory of the guest that tries /dev/kvm: 64 KiB at 0, mapped one to one by a page of 2 MiB.
 * Also for assembly.
 */
#ifndef TOOLS_DOCTOR_LINUX_KVM_LAYOUT_H
#define TOOLS_DOCTOR_LINUX_KVM_LAYOUT_H

#define TRY_SIZE     0x10000
#define TRY_TABLES   0x1000 /* three levels, one page each */
#define TRY_CODE     0x4000
#define TRY_STACK    0x6000 /* its top */
#define TRY_BLOCK    0x7000 /* a page for VMXON, or the control block of SVM */
#define TRY_BLOCK2   0x8000 /* the control block of VT-x, or what SVM saves of the host */
#define TRY_POINTERS 0x9000 /* where addresses stand that instructions take from memory */

#define TRY_PORT   0xe9
#define TRY_ANSWER 42 /* what each part writes to the port when all went well */

#endif
