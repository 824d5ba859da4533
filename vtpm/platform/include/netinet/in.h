/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libtpms's headers ask for it and use nothing of it.
 */
#ifndef VTPM_NETINET_IN_H
#define VTPM_NETINET_IN_H
#endif
