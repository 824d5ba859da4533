/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The two files on the disk. They are made once, and never change their size. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/linux/agent/agent.h"

/* What is wrong with an open file; NULL: nothing. */
static const char *fault_of(int fd)
{
	struct stat stat;

	if (fstat(fd, &stat))
		return strerror(errno);
	if (!S_ISREG(stat.st_mode))
		return "no regular file";
	return stat.st_size == REDOUBT_STATE_BYTES ? NULL : "not 262144 bytes long";
}

static int open_one(int folder, const char *name, const char **fault)
{
	int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		*fault = errno == ELOOP ? "a symbolic link" : strerror(errno);
	else
		*fault = fault_of(fd);
	return fd;
}

/*
 * What the loader has written this time, and files that were just made, may be in the disk's cache
 * alone: firmware's drivers of SATA and SCSI disks flush nothing. It is to be on the disk before
 * the other slot, which has the last state that is, is overwritten.
 */
static const char *settle(int slot)
{
	return fsync(slot) ? strerror(errno) : NULL;
}

bool slots_open(const char *folder, int slot[REDOUBT_STATE_SLOTS])
{
	int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *fault = NULL;
	char name[] = "vtpm.0";

	if (at < 0) {
		fprintf(stderr, "redoubt-agent: %s: %s\n", folder, strerror(errno));
		return false;
	}
	for (int i = 0; !fault && i < REDOUBT_STATE_SLOTS; i++) {
		name[sizeof(name) - 2] = (char)('0' + i);
		slot[i] = open_one(at, name, &fault);
	}
	for (int i = 0; !fault && i < REDOUBT_STATE_SLOTS; i++) {
		name[sizeof(name) - 2] = (char)('0' + i);
		fault = settle(slot[i]);
	}
	if (fault)
		fprintf(stderr, "redoubt-agent: %s/%s: %s\n", folder, name, fault);
	close(at);
	return !fault;
}

int slot_write(int fd, const void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = pwrite(fd, (const char *)bytes + done, size - done, (off_t)done);

		if (count <= 0)
			return count ? -errno : -EIO;
		done += (size_t)count;
	}
	return fdatasync(fd) ? -errno : 0;
}
