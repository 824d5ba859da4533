// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/*
 * A package of the TPM's state, which the partition `vtpm` makes for the guardian that its image
 * names (monitor/abi/tpm_state.h). As with the keeper's requests, ours are carried through whole.
 */
#include <linux/build_bug.h>
#include <linux/io.h>
#include <linux/uaccess.h>

#include "args.h"
#include "driver.h"
#include "monitor/abi/tpm_state.h"

#define MAILBOX_BYTES 0x1000u /* its first page; the keeper's pieces are behind it */
#define PIECE_AT (TPM_MAILBOX_PACKAGE - TPM_MAILBOX)
static_assert(PIECE_AT + TPM_PACKAGE_BYTES <= MAILBOX_BYTES);
static_assert(REDOUBT_PACKAGE_BYTES == TPM_SLOT_BYTES);

static DEFINE_MUTEX(taking); /* one taker at a time: guards the package and the mailbox's piece */

/* What the partition answers of the piece that it has put into the mailbox. */
struct piece {
	u64 bytes; /* 0: what is taken so far is all */
	u64 total; /* of the package, like the generation; the same in each piece */
	u64 generation;
};

/* The first piece makes a package; further on INVALID means that it is not there any more. */
static int error_of(u32 status, u32 offset)
{
	switch (status) {
	case REDOUBT_OK:
		return 0;
	case REDOUBT_UNKNOWN_CALL:
		return -EOPNOTSUPP;
	case REDOUBT_INVALID:
		return offset ? -EAGAIN : -EPROTO;
	case TPM_STATUS_OFF:
		return -ENODATA;
	case TPM_STATUS_NO_GUARDIAN:
		return -ENOKEY;
	default:
		return -EPROTO;
	}
}

static int ask(u32 partition, u32 offset, struct piece *piece)
{
	struct redoubt_ioc_request request = {
		.partition = partition,
		.number = TPM_REQUEST_PACKAGE,
		.words = { offset },
		.wait_ms = REDOUBT_WAIT_MAX,
	};
	int error = redoubt_request(&request, REDOUBT_WHOLE);

	*piece = (struct piece){ request.words[0], request.words[1], request.words[2] };
	return error ?: error_of(request.status, offset);
}

/* Whether the piece may be taken: it is the first, or goes on where what is taken so far ends. */
static int judge(const struct piece *piece, const struct piece *first, u32 offset, u32 length)
{
	u64 left = piece->total - offset;

	if (piece->total != first->total || piece->generation != first->generation)
		return -EAGAIN;
	if (!piece->total || piece->total > REDOUBT_PACKAGE_BYTES || !piece->generation ||
	    piece->bytes > TPM_PACKAGE_BYTES || piece->bytes > left || !piece->bytes != !left)
		return -EPROTO;
	return piece->total > length ? -EINVAL : 0;
}

/* To its end and once more, for then the partition lets go of it. */
static int take(u32 partition, const u8 *mailbox, struct redoubt_ioc_package *arg)
{
	struct piece first, piece;
	u32 offset = 0;

	do {
		int error = ask(partition, offset, &piece);

		if (!offset)
			first = piece;
		error = error ?: judge(&piece, &first, offset, arg->length);
		if (error)
			return error;
		if (copy_to_user(u64_to_user_ptr(arg->buffer + offset), mailbox + PIECE_AT,
				 piece.bytes))
			return -EFAULT;
		offset += piece.bytes;
	} while (piece.bytes);
	arg->size = offset;
	arg->generation = first.generation;
	return 0;
}

int redoubt_ioc_package(struct redoubt_ioc_package *arg)
{
	int error = redoubt_check_package(arg);
	int partition;
	u8 *mailbox;

	if (error)
		return error;
	partition = redoubt_partition_named(TPM_ID);
	if (partition < 0)
		return partition;
	mailbox = memremap(TPM_MAILBOX, MAILBOX_BYTES, MEMREMAP_WB);
	if (!mailbox)
		return -ENOMEM;
	error = -EINTR;
	if (!mutex_lock_interruptible(&taking)) {
		error = take(partition, mailbox, arg);
		mutex_unlock(&taking);
	}
	memunmap(mailbox);
	return error;
}
