/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent */
/*
 * /dev/redoubt: what a Linux program asks of the monitor below.
 *
 * All structures have fields of fixed size, in the same place for 32-bit programs. "in" fields are
 * the caller's, "out" fields the driver's, and what a caller leaves in those does not matter;
 * reserved fields are zero in both directions, and a caller's that is not is EINVAL. The
 * structure's size is part of the number: a shorter one of an older version is taken as if zeros
 * followed, a longer one if what follows is zero (else E2BIG).
 *
 * Errors of all: ENOTTY no such ioctl, or a size below the first version's; EFAULT; EINVAL; ENOSYS
 * this monitor has no such call; EPERM the monitor denies the call; EPROTO the monitor found fault
 * with the driver. Those of one stand beside it.
 */
#ifndef REDOUBT_LINUX_REDOUBT_H
#define REDOUBT_LINUX_REDOUBT_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define REDOUBT_DEVICE "/dev/redoubt"
#define REDOUBT_IOC    0xd7

/* Longest wait_ms, and bytes of one read. */
#define REDOUBT_WAIT_MAX   60000
#define REDOUBT_LENGTH_MAX 4096

/* Numbers of partitions run from 1 to at most this. */
#define REDOUBT_PARTITION_MAX 64

/* What runs below. All out. */
struct redoubt_ioc_status {
	__u32 abi;		/* major << 16 | minor */
	__u32 vendor;		/* REDOUBT_VENDOR_ of monitor/abi/cpuid.h */
	__aligned_u64 build;	/* first eight bytes of the image's SHA-256 */
	__aligned_u64 features; /* REDOUBT_FEATURE_ bits */
	__aligned_u64 degraded; /* REDOUBT_DEGRADED_ bits */
	__u32 cpus;		/* under the monitor */
	__u32 reserved;
};

#define REDOUBT_AUDIT_RECORD 96 /* bytes of a record of the audit ring */

/*
 * Bytes of the log (text), or whole records of the audit ring (struct redoubt_audit_record of
 * monitor/abi/audit.h; then position and lost count records, and length is that of one at least,
 * else EINVAL). Begin with position 0 and pass it on as it comes back. Nothing new is no error:
 * copied is 0. With wait_ms the driver looks again every tenth of a second until there is something
 * or the time is over; EINTR for a signal.
 */
struct redoubt_ioc_read {
	__aligned_u64 position; /* in: where from; out: where to go on */
	__aligned_u64 buffer;	/* in: address of length bytes */
	__u32 length;		/* in: 1 to REDOUBT_LENGTH_MAX */
	__u32 wait_ms;		/* in: up to REDOUBT_WAIT_MAX; 0 if opened with O_NONBLOCK */
	__u32 copied;		/* out */
	__u32 reserved;
	__aligned_u64 lost; /* out: overwritten before they could be read */
};

/* A partition. ENOENT: there is none with this number. */
struct redoubt_ioc_partition {
	__u32 number; /* in */
	__u32 state;  /* out, like all that follows: REDOUBT_STATE_ */
	__u32 svn;
	__u32 flags;	      /* of its image: monitor/abi/image.h */
	__aligned_u64 served; /* requests */
	__aligned_u64 memory; /* bytes; 0: this monitor does not tell */
	char id[32];	      /* ends with the first zero, or with the array */
	__u8 measurement[32]; /* SHA-256 of its image */
	__u8 signer[32];      /* SHA-256 of the signer's key; zero: none */
};

#define REDOUBT_STATE_READY   3
#define REDOUBT_STATE_CRASHED 4

/*
 * A request, carried through to its answer. EBUSY: no free VP within wait_ms; EBADFD: no such
 * partition, or not ready; EOWNERDEAD: it died, or is dead; ECANCELED: it was restarted meanwhile,
 * or the request was suspended for too long; EINTR: the caller was killed, the request is
 * cancelled; EBADF: not open for writing.
 */
struct redoubt_ioc_request {
	__u32 partition;	/* in */
	__u32 number;		/* in: of the request */
	__aligned_u64 words[3]; /* in: arguments; out: the answer */
	__u32 wait_ms;		/* in: for a free VP, up to REDOUBT_WAIT_MAX; 0 asks once */
	__u32 status;		/* out: the partition's own */
};

/* Starts a dead partition anew. EBADFD: none, or not dead; EBADF: not open for writing. */
struct redoubt_ioc_restart {
	__u32 partition; /* in */
	__u32 reserved;
};

#define REDOUBT_IOC_STATUS    _IOR(REDOUBT_IOC, 0, struct redoubt_ioc_status)
#define REDOUBT_IOC_LOG	      _IOWR(REDOUBT_IOC, 1, struct redoubt_ioc_read)
#define REDOUBT_IOC_AUDIT     _IOWR(REDOUBT_IOC, 2, struct redoubt_ioc_read)
#define REDOUBT_IOC_PARTITION _IOWR(REDOUBT_IOC, 3, struct redoubt_ioc_partition)
#define REDOUBT_IOC_REQUEST   _IOWR(REDOUBT_IOC, 4, struct redoubt_ioc_request)
#define REDOUBT_IOC_RESTART   _IOW(REDOUBT_IOC, 5, struct redoubt_ioc_restart)

#endif
