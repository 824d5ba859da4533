// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* The log and the audit ring: what the monitor copies into a file's frame goes on to the caller. */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "args.h"
#include "driver.h"
#include "monitor/abi/audit.h"

/* How often a waiting reader looks. */
#define LOOK_MS 100u

static_assert(sizeof(struct redoubt_audit_record) == REDOUBT_AUDIT_RECORD);

/* What both calls return. */
struct piece {
	u64 next;
	u64 copied; /* bytes */
	u64 lost;
};

typedef u64 piece_reader(u64 position, u64 gpa, u32 length, struct piece *piece);

static u64 log_piece(u64 position, u64 gpa, u32 length, struct piece *piece)
{
	struct redoubt_log_read log;
	u64 rax = redoubt_log_read(position, gpa, length, &log);

	*piece = (struct piece){ log.next, log.copied, log.lost };
	return rax;
}

static u64 audit_piece(u64 position, u64 gpa, u32 length, struct piece *piece)
{
	struct redoubt_audit_read audit;
	u32 count = min(length / REDOUBT_AUDIT_RECORD, (u32)REDOUBT_AUDIT_PAGE);
	u64 rax = redoubt_audit_read(position, gpa, count, &audit);

	*piece = (struct piece){ audit.next, audit.copied * REDOUBT_AUDIT_RECORD, audit.lost };
	return rax;
}

/* Reads once; arg->copied stays 0 if there is nothing. */
static int read_once(struct redoubt_file *file, struct redoubt_ioc_read *arg, piece_reader *reader)
{
	struct piece piece;
	int error;

	if (mutex_lock_interruptible(&file->lock))
		return -EINTR;
	error = redoubt_error(reader(arg->position, file->gpa, arg->length, &piece));
	if (!error && piece.copied > arg->length)
		error = -EPROTO;
	if (!error && copy_to_user(u64_to_user_ptr(arg->buffer), file->frame, piece.copied))
		error = -EFAULT;
	mutex_unlock(&file->lock);
	if (error)
		return error;
	arg->position = piece.next;
	arg->copied = piece.copied;
	arg->lost += piece.lost;
	return 0;
}

static int read_waiting(struct redoubt_file *file, struct redoubt_ioc_read *arg,
			piece_reader *reader)
{
	u32 left = file->nonblock ? 0 : arg->wait_ms;
	int error = redoubt_check_read(arg);

	arg->copied = 0;
	arg->lost = 0;
	while (!error) {
		u32 nap = min(left, LOOK_MS);

		error = read_once(file, arg, reader);
		if (error || arg->copied || !left)
			break;
		if (msleep_interruptible(nap))
			error = -EINTR;
		left -= nap;
	}
	return error;
}

int redoubt_ioc_log(struct redoubt_file *file, struct redoubt_ioc_read *arg)
{
	return read_waiting(file, arg, log_piece);
}

int redoubt_ioc_audit(struct redoubt_file *file, struct redoubt_ioc_read *arg)
{
	if (arg->length < REDOUBT_AUDIT_RECORD)
		return -EINVAL;
	return read_waiting(file, arg, audit_piece);
}
