/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What /dev/redoubt refuses and what it does not, tried from a program in the guest. A line a
 * check, "good" or "bad"; the last line counts. Root, with the module loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/linux/redoubt.h"

static int good, bad;
static int reading, writing;

static void check(bool right, const char *what)
{
	printf("%s: %s\n", right ? "good" : "bad", what);
	*(right ? &good : &bad) += 1;
}

/* An ioctl's errno, 0 if it succeeds. */
static int ask(int fd, unsigned long number, void *argument)
{
	return ioctl(fd, number, argument) < 0 ? errno : 0;
}

static unsigned long resized(unsigned long number, size_t size)
{
	return _IOC(_IOC_DIR(number), _IOC_TYPE(number), _IOC_NR(number), size);
}

static void check_permission(void)
{
	struct stat stat;
	int status = 1;
	pid_t child;

	check(lstat(REDOUBT_DEVICE, &stat) == 0 && S_ISCHR(stat.st_mode) &&
		(stat.st_mode & 07777) == 0600 && stat.st_uid == 0 && stat.st_gid == 0,
	    "the device is root's, mode 0600");
	child = fork();
	if (!child)
		_exit(setgid(65534) || setuid(65534) || open(REDOUBT_DEVICE, O_RDONLY) >= 0 ||
		    errno != EACCES);
	waitpid(child, &status, 0);
	check(status == 0, "another user may not open it");
}

static void check_numbers(void)
{
	struct {
		struct redoubt_ioc_read read;
		char more[24];
	} big = { .read = { .length = 1 } };
	char byte;

	big.read.buffer = (__u64)(unsigned long)&byte;
	check(ask(reading, _IO(REDOUBT_IOC, 0), NULL) == ENOTTY, "no direction: ENOTTY");
	check(ask(reading, _IOR('R', 0, struct redoubt_ioc_status), &big) == ENOTTY,
	    "another's type: ENOTTY");
	check(ask(reading, _IOWR(REDOUBT_IOC, 11, struct redoubt_ioc_read), &big) == ENOTTY,
	    "a number too high: ENOTTY");
	check(ask(reading, _IOWR(REDOUBT_IOC, 255, struct redoubt_ioc_read), &big) == ENOTTY,
	    "the highest number: ENOTTY");
	check(ask(reading, resized(REDOUBT_IOC_LOG, 39), &big) == ENOTTY, "too short: ENOTTY");
	check(ask(reading, resized(REDOUBT_IOC_LOG, sizeof(big)), &big) == 0,
	    "longer, with zeros: taken");
	big.more[23] = 1;
	check(ask(reading, resized(REDOUBT_IOC_LOG, sizeof(big)), &big) == E2BIG,
	    "longer, with something: E2BIG");
	check(ask(reading, REDOUBT_IOC_LOG, NULL) == EFAULT, "no structure: EFAULT");
	check(ask(reading, REDOUBT_IOC_STATUS, NULL) == EFAULT, "nowhere to answer: EFAULT");
}

static int read_log(struct redoubt_ioc_read read, unsigned long buffer)
{
	read.buffer = buffer;
	return ask(reading, REDOUBT_IOC_LOG, &read);
}

static void check_arguments(void)
{
	char bytes[64];
	unsigned long buffer = (unsigned long)bytes;

	check(read_log((struct redoubt_ioc_read){ .length = 0 }, buffer) == EINVAL,
	    "length 0: EINVAL");
	check(read_log((struct redoubt_ioc_read){ .length = 4097 }, buffer) == EINVAL,
	    "length 4097: EINVAL");
	check(read_log((struct redoubt_ioc_read){ .length = 1, .reserved = 1 }, buffer) == EINVAL,
	    "reserved: EINVAL");
	check(read_log((struct redoubt_ioc_read){ .length = 1, .wait_ms = 60001 }, buffer) ==
		EINVAL,
	    "too long a wait: EINVAL");
	check(read_log((struct redoubt_ioc_read){ .length = 64 }, 0) == EFAULT,
	    "no buffer: EFAULT");
	check(read_log((struct redoubt_ioc_read){ .length = 64 }, 0xffff888000000000ul) == EFAULT,
	    "a buffer in the kernel: EFAULT");
	check(read_log((struct redoubt_ioc_read){ .length = 64 }, buffer) == 0,
	    "a good read: taken");
}

static void check_rights(void)
{
	struct redoubt_ioc_request request = { .partition = REDOUBT_PARTITION_MAX };
	struct redoubt_ioc_restart restart = { .partition = REDOUBT_PARTITION_MAX };
	/* The file is there if the monitor has partitions; this one it has not. */
	int expected = access("/sys/class/misc/redoubt/partitions", F_OK) ? ENOSYS : EBADFD;

	check(ask(reading, REDOUBT_IOC_REQUEST, &request) == EBADF,
	    "a request, open for reading: EBADF");
	check(ask(reading, REDOUBT_IOC_RESTART, &restart) == EBADF,
	    "a restart, open for reading: EBADF");
	check(ask(writing, REDOUBT_IOC_REQUEST, &request) == expected,
	    "a request to no partition: refused");
	check(ask(writing, REDOUBT_IOC_RESTART, &restart) == expected,
	    "a restart of no partition: refused");
	request.wait_ms = 60001;
	check(ask(writing, REDOUBT_IOC_REQUEST, &request) == EINVAL,
	    "a request that waits too long: EINVAL");
	restart.reserved = 1;
	check(ask(writing, REDOUBT_IOC_RESTART, &restart) == EINVAL,
	    "a restart with reserved bits: EINVAL");
}

/* There is no TPM of ours here. */
static void check_keeper(void)
{
	struct redoubt_ioc_state_keep keep = { .on = 1 };
	struct redoubt_ioc_state_wait wait = { .wait_ms = 0 };
	struct redoubt_ioc_state_read read = { .length = REDOUBT_STATE_BYTES + 1 };
	int expected = access("/sys/class/misc/redoubt/partitions", F_OK) ? ENOSYS : ENOENT;

	check(ask(reading, REDOUBT_IOC_STATE_KEEP, &keep) == EBADF,
	    "a keeper, open for reading: EBADF");
	check(ask(writing, REDOUBT_IOC_STATE_KEEP, &keep) == expected,
	    "a keeper of no TPM: refused");
	check(ask(writing, REDOUBT_IOC_STATE_WAIT, &wait) == EBADFD,
	    "waiting, without keeping: EBADFD");
	check(ask(writing, REDOUBT_IOC_STATE_READ, &read) == EINVAL,
	    "a state longer than a slot: EINVAL");
}

static void check_package(void)
{
	struct redoubt_ioc_package package = { .length = REDOUBT_PACKAGE_BYTES };
	int expected = access("/sys/class/misc/redoubt/partitions", F_OK) ? ENOSYS : ENOENT;

	check(ask(reading, REDOUBT_IOC_PACKAGE, &package) == EBADF,
	    "a package, open for reading: EBADF");
	check(ask(writing, REDOUBT_IOC_PACKAGE, &package) == expected,
	    "a package of no TPM: refused");
	package.length = 0;
	check(ask(writing, REDOUBT_IOC_PACKAGE, &package) == EINVAL,
	    "a package of no length: EINVAL");
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_alarm(int number)
{
}

/* Waits at the log's end; nothing is added meanwhile. */
static void check_waiting(void)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { .tv_usec = 200000 } };
	char bytes[REDOUBT_LENGTH_MAX];
	struct redoubt_ioc_read read = { .length = sizeof(bytes),
		.buffer = (__u64)(unsigned long)bytes };
	int error = 0, quiet = open(REDOUBT_DEVICE, O_RDONLY | O_NONBLOCK);
	long start;

	do
		error = ask(reading, REDOUBT_IOC_LOG, &read);
	while (!error && read.copied);
	check(!error && read.position > 0, "the log has an end, and not at its beginning");
	read.wait_ms = 250;
	start = milliseconds();
	error = ask(reading, REDOUBT_IOC_LOG, &read);
	check(!error && !read.copied && milliseconds() - start >= 250, "it waits as told");
	read.wait_ms = 60000;
	start = milliseconds();
	error = ask(quiet, REDOUBT_IOC_LOG, &read);
	check(!error && milliseconds() - start < 30000, "it does not wait with O_NONBLOCK");
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	error = ask(reading, REDOUBT_IOC_LOG, &read);
	check(error == EINTR, "a signal ends the wait");
	close(quiet);
}

int main(void)
{
	reading = open(REDOUBT_DEVICE, O_RDONLY);
	writing = open(REDOUBT_DEVICE, O_RDWR);
	check(reading >= 0 && writing >= 0, "root opens the device");
	check_permission();
	check_numbers();
	check_arguments();
	check_rights();
	check_keeper();
	check_package();
	check_waiting();
	printf("%d good, %d bad\n", good, bad);
	return bad ? 1 : 0;
}
