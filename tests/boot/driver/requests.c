/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests to the test partitions, the probe (1) and the sample (2), through /dev/redoubt. A line a
 * check, "good" or "bad"; the last line counts. Root, with the module loaded. With any argument it
 * does not wait for the monitor's time limit, which takes minutes on a slow emulator.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/linux/redoubt.h"

#define PROBE	  1u
#define SAMPLE	  2u
#define ADD	  1u  /* the sample's */
#define HEAP_WORK 8u  /* the probe's: takes many ticks */
#define SPIN	  34u /* the probe's: never ends */

static int good, bad;
static int device;

static void check(bool right, const char *what)
{
	printf("%s: %s\n", right ? "good" : "bad", what);
	*(right ? &good : &bad) += 1;
}

static int request(struct redoubt_ioc_request *request)
{
	return ioctl(device, REDOUBT_IOC_REQUEST, request) < 0 ? errno : 0;
}

static int add(__u64 a, __u64 b, __u64 *sum)
{
	struct redoubt_ioc_request r = { .partition = SAMPLE,
		.number = ADD,
		.words = { a, b },
		.wait_ms = 1000 };
	int error = request(&r);

	*sum = r.words[0];
	return error ? -error : (int)r.status;
}

static int state_of(__u32 number)
{
	struct redoubt_ioc_partition partition = { .number = number };

	return ioctl(device, REDOUBT_IOC_PARTITION, &partition) < 0 ? -errno : (int)partition.state;
}

static void check_answers(void)
{
	__u64 sum;
	int wrong = 0;

	check(add(2, 3, &sum) == 0 && sum == 5, "the sample adds");
	check(add(~0ull, 1, &sum) == 3, "its own status comes through");
	for (__u64 i = 0; i < 1000; i++)
		wrong += add(i, i, &sum) != 0 || sum != 2 * i;
	check(!wrong, "a thousand times");
}

/*
 * A child's request: its errno, or 100 and more for the partition's status, or minus the signal
 * that killed it.
 */
static int in_child(__u32 number, __u64 argument, bool kill_it)
{
	struct redoubt_ioc_request r = { .partition = PROBE,
		.number = number,
		.words = { argument } };
	pid_t child = fork();
	int status;

	if (!child) {
		status = request(&r);
		_exit(status ? status : r.status ? 100 + (int)r.status : 0);
	}
	usleep(300000);
	if (kill_it)
		kill(child, SIGKILL);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void check_long(void)
{
	__u64 sum;

	check(in_child(HEAP_WORK, 100000, false) == 0,
	    "a request of many ticks is carried through");
	check(in_child(SPIN, 0, true) == -SIGKILL, "who waits for an endless one can be killed");
	check(add(4, 5, &sum) == 0 && sum == 9, "the other partition goes on");
}

static void check_limit(void)
{
	struct redoubt_ioc_restart restart = { .partition = PROBE };
	int error = in_child(SPIN, 0, false);

	check(error == EOWNERDEAD, "an endless one ends by the monitor's limit");
	check(state_of(PROBE) == REDOUBT_STATE_CRASHED, "that partition is dead");
	check(ioctl(device, REDOUBT_IOC_RESTART, &restart) == 0 &&
		state_of(PROBE) == REDOUBT_STATE_READY,
	    "it is started anew");
	check(in_child(HEAP_WORK, 10, false) == 0, "and serves");
}

int main(int argc, char **argv)
{
	device = open(REDOUBT_DEVICE, O_RDWR);
	check(device >= 0, "root opens the device");
	check(state_of(PROBE) == REDOUBT_STATE_READY && state_of(SAMPLE) == REDOUBT_STATE_READY,
	    "both partitions are ready");
	check_answers();
	check_long();
	if (argc == 1)
		check_limit();
	printf("%d good, %d bad\n", good, bad);
	return bad ? 1 : 0;
}
