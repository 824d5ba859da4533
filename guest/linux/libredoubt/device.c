/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The device; see libredoubt.h. */
#include "guest/linux/libredoubt/libredoubt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest/linux/calls.h"
#include "guest/linux/libredoubt/state.h"

#define STATUSES 256u

int redoubt_open(bool writing)
{
	int fd = open(REDOUBT_DEVICE, (writing ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

const char *redoubt_open_error(int error)
{
	switch (-error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return redoubt_below() ? "the module is not loaded (modprobe redoubt)"
				       : "Redoubt is not running below this system";
	case EACCES:
	case EPERM:
		return "this user may not open it";
	default:
		return strerror(-error);
	}
}

const char *redoubt_error_text(int error)
{
	if (error == -EPROTO)
		return "The monitor found fault with the driver.";
	for (unsigned status = 1; status < STATUSES; status++) {
		if (redoubt_status_text(status) && redoubt_errno(status) == -error)
			return redoubt_status_text(status);
	}
	return strerror(-error);
}

static int ask(int fd, unsigned long number, void *argument)
{
	return ioctl(fd, number, argument) < 0 ? -errno : 0;
}

int redoubt_get_status(int fd, struct redoubt_ioc_status *status)
{
	*status = (struct redoubt_ioc_status){ 0 };
	return ask(fd, REDOUBT_IOC_STATUS, status);
}

int redoubt_read(int fd, struct redoubt_reader *reader, unsigned int wait_ms)
{
	struct redoubt_ioc_read read = {
		.position = reader->position,
		.buffer = (uintptr_t)reader->bytes,
		.length = sizeof(reader->bytes),
		.wait_ms = wait_ms,
	};
	bool log = reader->ring == REDOUBT_RING_LOG;
	int error = ask(fd, log ? REDOUBT_IOC_LOG : REDOUBT_IOC_AUDIT, &read);

	if (error)
		return error;
	reader->position = read.position;
	reader->lost = read.lost;
	reader->copied = read.copied;
	return 0;
}

int redoubt_get_partition(int fd, uint32_t number, struct redoubt_ioc_partition *partition)
{
	*partition = (struct redoubt_ioc_partition){ .number = number };
	return ask(fd, REDOUBT_IOC_PARTITION, partition);
}

int redoubt_make_request(int fd, struct redoubt_ioc_request *request)
{
	return ask(fd, REDOUBT_IOC_REQUEST, request);
}

int redoubt_restart_partition(int fd, uint32_t number)
{
	struct redoubt_ioc_restart restart = { .partition = number };

	return ask(fd, REDOUBT_IOC_RESTART, &restart);
}

int redoubt_state_keep(int fd, bool on)
{
	struct redoubt_ioc_state_keep keep = { .on = on };

	return ask(fd, REDOUBT_IOC_STATE_KEEP, &keep);
}

int redoubt_state_wait(int fd, unsigned int wait_ms, uint64_t *generation)
{
	struct redoubt_ioc_state_wait wait = { .wait_ms = wait_ms };
	int error = ask(fd, REDOUBT_IOC_STATE_WAIT, &wait);

	*generation = error ? 0 : wait.generation;
	return error;
}

int redoubt_state_read(int fd, struct redoubt_state *state)
{
	struct redoubt_ioc_state_read read = {
		.buffer = (uintptr_t)state->bytes,
		.length = sizeof(state->bytes),
	};
	int error = ask(fd, REDOUBT_IOC_STATE_READ, &read);

	if (error)
		return error;
	state->generation = read.generation;
	state->slot = read.slot;
	state->size = read.size;
	return 0;
}

int redoubt_state_kept(int fd, uint64_t generation)
{
	struct redoubt_ioc_state_kept kept = { .generation = generation };

	return ask(fd, REDOUBT_IOC_STATE_KEPT, &kept);
}

int redoubt_take_package(int fd, struct redoubt_package *package)
{
	struct redoubt_ioc_package take = {
		.buffer = (uintptr_t)package->bytes,
		.length = sizeof(package->bytes),
	};
	int error = ask(fd, REDOUBT_IOC_PACKAGE, &take);

	if (error)
		return error;
	package->generation = take.generation;
	package->size = take.size;
	return 0;
}
