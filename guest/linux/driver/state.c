// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/*
 * The keeper of the TPM's state: an open file by which a program writes to the disk
 * what the partition `vtpm` waits for (monitor/abi/tpm.h). A request that is suspended
 * holds the partition, and a store to the TPM's registers by another task on this CPU
 * would then be tried again for ever: so ours are carried through whole.
 */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/uaccess.h>

#include "args.h"
#include "driver.h"
#include "monitor/abi/tpm_state.h"

#define LOOK_MS 10u /* how often a keeper looks */
#define MAILBOX_BYTES (TPM_MAILBOX_PAGES * 0x1000u)
#define PIECE_AT (TPM_MAILBOX_PIECE - TPM_MAILBOX)
static_assert(REDOUBT_STATE_SLOTS == TPM_SLOTS && REDOUBT_STATE_BYTES == TPM_SLOT_BYTES);

static DEFINE_MUTEX(keeping); /* guards all that follows, and the mailbox's pieces */
static const struct redoubt_file *keeper;
static u32 partition; /* its number */
static u8 *mailbox;

/* What the partition answered last; this is said of the piece that it has put into the mailbox. */
static struct piece {
	u64 bytes;
	u64 file; /* slot in bits 31:0, size in bits 63:32; the same in each piece */
	u64 generation;
} answer;

static int ask(u32 number, u64 word, unsigned int how)
{
	struct redoubt_ioc_request request = {
		.partition = partition,
		.number = number,
		.words = { word },
		.wait_ms = REDOUBT_WAIT_MAX,
	};
	int error = redoubt_request(&request, REDOUBT_WHOLE | how);

	if (error)
		return error;
	answer = (struct piece){ request.words[0], request.words[1], request.words[2] };
	if (request.status == REDOUBT_UNKNOWN_CALL)
		return -EOPNOTSUPP;
	if (request.status == TPM_STATUS_UNKNOWN && number == TPM_REQUEST_STATE_KEPT)
		return -ESTALE;
	if (request.status == TPM_STATUS_UNANCHORED && number == TPM_REQUEST_STATE_KEPT)
		return -EREMOTEIO;
	return request.status ? -EPROTO : 0;
}

static int begin(const struct redoubt_file *file)
{
	int error = redoubt_partition_named(TPM_ID);

	if (error < 0)
		return error;
	partition = error;
	mailbox = memremap(TPM_MAILBOX, MAILBOX_BYTES, MEMREMAP_WB);
	if (!mailbox)
		return -ENOMEM;
	error = ask(TPM_REQUEST_STORAGE, TPM_KEEPER_SURE, 0);
	if (error)
		memunmap(mailbox);
	else
		keeper = file;
	return error;
}

/* Once it is told, the partition holds nothing new back; what it holds by then is to be kept. */
static int leave(bool anyway)
{
	int error = ask(TPM_REQUEST_STORAGE, TPM_KEEPER_NONE, REDOUBT_DEAF);

	if (!anyway && !error && READ_ONCE(*(u64 *)mailbox))
		return ask(TPM_REQUEST_STORAGE, TPM_KEEPER_SURE, REDOUBT_DEAF) ?: -EAGAIN;
	memunmap(mailbox);
	keeper = NULL;
	return 0;
}

int redoubt_ioc_state_keep(struct redoubt_file *file, const struct redoubt_ioc_state_keep *arg)
{
	int error = redoubt_check_state_keep(arg);

	if (error)
		return error;
	if (mutex_lock_interruptible(&keeping))
		return -EINTR;
	if (keeper != file)
		error = !arg->on ? -EBADFD : keeper ? -EBUSY : begin(file);
	else if (!arg->on)
		error = leave(false);
	mutex_unlock(&keeping);
	return error;
}

void redoubt_state_release(const struct redoubt_file *file)
{
	mutex_lock(&keeping);
	if (keeper == file)
		leave(true);
	mutex_unlock(&keeping);
}

/* Takes the lock if the file is the keeper. */
static int enter(const struct redoubt_file *file)
{
	if (mutex_lock_interruptible(&keeping))
		return -EINTR;
	if (keeper == file)
		return 0;
	mutex_unlock(&keeping);
	return -EBADFD;
}

int redoubt_ioc_state_wait(struct redoubt_file *file, struct redoubt_ioc_state_wait *arg)
{
	u32 left = file->nonblock ? 0 : arg->wait_ms;
	int error = redoubt_check_state_wait(arg);

	arg->generation = 0;
	while (!error) {
		u32 nap = min(left, LOOK_MS);

		error = enter(file);
		if (error)
			break;
		arg->generation = READ_ONCE(*(u64 *)mailbox);
		mutex_unlock(&keeping);
		if (arg->generation || !left)
			break;
		error = msleep_interruptible(nap) ? -EINTR : 0;
		left -= nap;
	}
	return error;
}

/* Whether the piece may be taken: it is the first, or goes on where what is taken so far ends. */
static int judge(const struct piece *first, u32 offset, u32 length)
{
	u64 size = answer.file >> 32;

	if (!answer.bytes)
		return offset ? -EAGAIN : -ENODATA;
	if (answer.generation != first->generation)
		return -EAGAIN;
	if (!answer.generation || answer.file != first->file || (u32)answer.file >= TPM_SLOTS ||
	    size > TPM_SLOT_BYTES || answer.bytes > TPM_PIECE_BYTES || answer.bytes > size - offset)
		return -EPROTO;
	return size > length ? -EINVAL : 0;
}

static int take(struct redoubt_ioc_state_read *arg)
{
	struct piece first;
	u32 offset = 0;

	do {
		void __user *to = u64_to_user_ptr(arg->buffer + offset);
		int error = ask(TPM_REQUEST_STATE_PIECE, offset, 0);

		if (!offset)
			first = answer;
		error = error ?: judge(&first, offset, arg->length);
		if (error)
			return error;
		if (copy_to_user(to, mailbox + PIECE_AT, answer.bytes))
			return -EFAULT;
		offset += answer.bytes;
	} while (offset < first.file >> 32);
	arg->size = first.file >> 32;
	arg->slot = first.file;
	arg->generation = first.generation;
	return 0;
}

int redoubt_ioc_state_read(struct redoubt_file *file, struct redoubt_ioc_state_read *arg)
{
	int error = redoubt_check_state_read(arg) ?: enter(file);

	if (error)
		return error;
	error = take(arg);
	mutex_unlock(&keeping);
	return error;
}

int redoubt_ioc_state_kept(struct redoubt_file *file, const struct redoubt_ioc_state_kept *arg)
{
	int error = enter(file);

	if (error)
		return error;
	error = ask(TPM_REQUEST_STATE_KEPT, arg->generation, 0);
	mutex_unlock(&keeping);
	return error;
}
