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

/*
 * The TPM's state. The partition `vtpm` keeps back the answer to a command that changed its state
 * until the state is on the disk. Who sees to that is the keeper: an open file, at most one, which
 * waits for a state, takes it, writes it to the start of the slot it is told, flushes it, and says
 * so. Without a keeper such commands fail (TPM_RC_NV_UNAVAILABLE). All four want a descriptor open
 * for writing (EBADF). Errors of all: EBADFD this file is not the keeper, or there is no such
 * partition any more; EBUSY the partition had no time for a minute; EOWNERDEAD, ECANCELED as of
 * REDOUBT_IOC_REQUEST; EINTR a signal; EOPNOTSUPP the partition knows none of this; EPROTO what it
 * answers makes no sense.
 */
#define REDOUBT_STATE_SLOTS 2
#define REDOUBT_STATE_BYTES 0x40000 /* of a slot, and of the longest state */

/*
 * The file becomes the keeper, or is no longer: so it is, too, when it is closed, whatever waits.
 * EBUSY: another file is; ENOENT: there is no partition `vtpm`; EBADFD: `on` is 0, and it is not;
 * EAGAIN: `on` is 0, and a state waits, so it still is.
 */
struct redoubt_ioc_state_keep {
	__u32 on; /* in: 1 or 0 */
	__u32 reserved;
};

/*
 * Sleeps until a state waits or the time is over, and looks every 10 ms, in memory. That none does
 * is no error: generation is 0.
 */
struct redoubt_ioc_state_wait {
	__u32 wait_ms; /* in: up to REDOUBT_WAIT_MAX; 0 if opened with O_NONBLOCK */
	__u32 reserved;
	__aligned_u64 generation; /* out */
};

/*
 * The state that waits, encrypted. ENODATA: none does; EINVAL: it is longer than `length`; EAGAIN:
 * another one came meanwhile. What is in the buffer after an error means nothing.
 */
struct redoubt_ioc_state_read {
	__aligned_u64 buffer; /* in: address of length bytes */
	__u32 length;	      /* in: 1 to REDOUBT_STATE_BYTES */
	__u32 size;	      /* out: bytes of it */
	__u32 slot;	      /* out: where it belongs, below REDOUBT_STATE_SLOTS */
	__u32 reserved;
	__aligned_u64 generation; /* out */
};

/*
 * The state of this generation is on the disk. ESTALE: another one waits, or none. EREMOTEIO: the
 * platform's TPM does not take it, so it still waits: write it, and say so, again.
 */
struct redoubt_ioc_state_kept {
	__aligned_u64 generation; /* in */
};

#define REDOUBT_PACKAGE_BYTES 0x40000 /* of the longest package */

/*
 * A package of the TPM's state, in the format of tools/state/README.md: a
 * backup that the guardian alone opens whom the signed image of `vtpm` names. The descriptor must
 * be open for writing (EBADF), and takers wait for each other. ENOENT: there is no partition
 * `vtpm`; EOPNOTSUPP: it makes no packages; ENODATA: there is no TPM, or nothing of it was kept;
 * ENOKEY: the image names no guardian; EINVAL: it is longer than `length`; EAGAIN: another one came
 * meanwhile; EBUSY, EOWNERDEAD, ECANCELED, EINTR, EPROTO as above. What is in the buffer after an
 * error means nothing.
 */
struct redoubt_ioc_package {
	__aligned_u64 buffer;	  /* in: address of length bytes */
	__u32 length;		  /* in: 1 to REDOUBT_PACKAGE_BYTES */
	__u32 size;		  /* out: bytes of it */
	__aligned_u64 generation; /* out: of the state that was kept last then */
};

#define REDOUBT_IOC_STATUS     _IOR(REDOUBT_IOC, 0, struct redoubt_ioc_status)
#define REDOUBT_IOC_LOG	       _IOWR(REDOUBT_IOC, 1, struct redoubt_ioc_read)
#define REDOUBT_IOC_AUDIT      _IOWR(REDOUBT_IOC, 2, struct redoubt_ioc_read)
#define REDOUBT_IOC_PARTITION  _IOWR(REDOUBT_IOC, 3, struct redoubt_ioc_partition)
#define REDOUBT_IOC_REQUEST    _IOWR(REDOUBT_IOC, 4, struct redoubt_ioc_request)
#define REDOUBT_IOC_RESTART    _IOW(REDOUBT_IOC, 5, struct redoubt_ioc_restart)
#define REDOUBT_IOC_STATE_KEEP _IOW(REDOUBT_IOC, 6, struct redoubt_ioc_state_keep)
#define REDOUBT_IOC_STATE_WAIT _IOWR(REDOUBT_IOC, 7, struct redoubt_ioc_state_wait)
#define REDOUBT_IOC_STATE_READ _IOWR(REDOUBT_IOC, 8, struct redoubt_ioc_state_read)
#define REDOUBT_IOC_STATE_KEPT _IOW(REDOUBT_IOC, 9, struct redoubt_ioc_state_kept)
#define REDOUBT_IOC_PACKAGE    _IOWR(REDOUBT_IOC, 10, struct redoubt_ioc_package)

#endif
