/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Numbers that entry.S shares with C; svm.h checks the offsets.
 */
#pragma once

#define SVM_VMCB_RAX	       0x5f8
#define SVM_PERCPU_MITIGATIONS 0x24c

/* One more bit of percpu.mitigations, beside those of mitigate.h: IBPB after an exit. */
#define SVM_MITIGATE_PREDICTORS 8
#define SVM_MITIGATE_EXITS	11 /* any of these: each exit does more */
#define SVM_MSR_PRED_CMD	0x49
#define SVM_PRED_CMD_IBPB	1
