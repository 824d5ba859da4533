/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * redoubt-agent on real files, with the device and failures of the disk played by the test, which
 * takes calls over by the linker. The agent's main() is linked as agent_main(). What it does is
 * noted, a letter a call: K keep, L leave, W wait, N look without waiting, R read, p write, f
 * flush, A acknowledge, s sleep.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/linux/agent/agent.h"
#include "tests/unit/unit.h"

#define DEVICE_FD 1000
#define SLOT	  262144

/* A state that comes to wait, and what happens in doing so. */
struct state {
	uint64_t generation;
	uint32_t slot, size;
	bool term; /* SIGTERM comes with it */
};

static struct {
	int open_error, keep_error, read_error, kept_error; /* of the device, then none */
	bool wait_errors;				    /* until the agent sleeps */
	struct state states[4];				    /* a generation of 0: no more */
	unsigned int next, acknowledged;
	bool comes_at_leaving; /* the next state: the agent is told to keep it first */
	bool no_kmsg;
	int fork_result;
	unsigned int write_errors, flush_errors; /* how many, then none */
	int disk_error, settle_error;
	unsigned int settled; /* slots, before it keeps */
	size_t write_most;    /* bytes of one write */
	unsigned int locked, sessions, redirected;
	char trace[256];
} now;

static char folder[] = "/tmp/redoubt-agent.XXXXXX";
static unsigned char disk[2][SLOT]; /* what was flushed */
static char said[4096];		    /* on standard error, or in the kernel's log */

int agent_main(int argc, char **argv);
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long number, void *argument);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t count, off_t offset);
ssize_t __real_pwrite(int fd, const void *bytes, size_t count, off_t offset);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_mlockall(int flags);
pid_t __wrap_fork(void);
pid_t __wrap_setsid(void);
int __wrap_dup2(int from, int to);
int __real_dup2(int from, int to);

static void note(char what)
{
	size_t length = strlen(now.trace);

	assert_true(length < sizeof(now.trace) - 1);
	now.trace[length] = what;
}

static unsigned char byte_of(const struct state *state, size_t at)
{
	return (unsigned char)(at * 11 + (at >> 8) + state->generation);
}

static const char *path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

int __wrap_open(const char *path, int flags, ...)
{
	if (!strcmp(path, "/dev/kmsg")) {
		errno = ENOENT;
		return now.no_kmsg ? -1 : __real_open(path_of("kmsg"), flags | O_APPEND);
	}
	if (strcmp(path, REDOUBT_DEVICE))
		return __real_open(path, flags, 0600);
	assert_int_equal(flags & O_ACCMODE, O_RDWR);
	errno = now.open_error;
	return now.open_error ? -1 : DEVICE_FD;
}

int __wrap_close(int fd)
{
	return fd == DEVICE_FD ? 0 : __real_close(fd);
}

static int keep(const struct redoubt_ioc_state_keep *keep)
{
	note(keep->on ? 'K' : 'L');
	if (!keep->on && now.comes_at_leaving) {
		now.comes_at_leaving = false;
		return EAGAIN;
	}
	return keep->on ? now.keep_error : 0;
}

/* When nothing more comes the test is over: SIGTERM. */
static int wait_for(struct redoubt_ioc_state_wait *wait)
{
	const struct state *state = &now.states[now.next];

	note(wait->wait_ms ? 'W' : 'N');
	wait->generation = 0;
	if (now.wait_errors)
		return EIO;
	if (wait->wait_ms && (!state->generation || state->term)) {
		raise(SIGTERM);
		return EINTR;
	}
	if (!now.comes_at_leaving)
		wait->generation = state->generation;
	return 0;
}

static int read_state(struct redoubt_ioc_state_read *read)
{
	const struct state *state = &now.states[now.next];
	unsigned char *bytes = (unsigned char *)(uintptr_t)read->buffer;
	int error = now.read_error;

	note('R');
	assert_true(read->length >= state->size);
	now.read_error = 0;
	for (uint32_t i = 0; !error && i < state->size; i++)
		bytes[i] = byte_of(state, i);
	read->slot = state->slot;
	read->size = state->size;
	read->generation = state->generation;
	return error;
}

/* All of it must be on the disk. */
static int acknowledge(const struct redoubt_ioc_state_kept *kept)
{
	const struct state *state = &now.states[now.next];
	int error = now.kept_error;

	note('A');
	now.kept_error = 0;
	if (error)
		return error;
	assert_int_equal(kept->generation, state->generation);
	for (uint32_t i = 0; i < state->size; i++)
		assert_int_equal(disk[state->slot][i], byte_of(state, i));
	now.acknowledged++;
	now.next++;
	return 0;
}

static int carry_out(unsigned long number, void *argument)
{
	switch (number) {
	case REDOUBT_IOC_STATE_KEEP:
		return keep(argument);
	case REDOUBT_IOC_STATE_WAIT:
		return wait_for(argument);
	case REDOUBT_IOC_STATE_READ:
		return read_state(argument);
	case REDOUBT_IOC_STATE_KEPT:
		return acknowledge(argument);
	default:
		return ENOTTY;
	}
}

int __wrap_ioctl(int fd, unsigned long number, void *argument)
{
	assert_int_equal(fd, DEVICE_FD);
	errno = carry_out(number, argument);
	return errno ? -1 : 0;
}

/* Which slot a descriptor is. */
static unsigned int slot_of(int fd)
{
	char link[32], path[64] = { 0 };

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_true(readlink(link, path, sizeof(path) - 1) > 0);
	if (!strcmp(path, path_of("vtpm.0")))
		return 0;
	assert_string_equal(path, path_of("vtpm.1"));
	return 1;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
	note('p');
	if (now.write_errors) {
		now.write_errors--;
		errno = now.disk_error;
		return errno ? -1 : 0;
	}
	if (now.write_most && count > now.write_most)
		count = now.write_most;
	return __real_pwrite(fd, bytes, count, offset);
}

int __wrap_fdatasync(int fd)
{
	note('f');
	if (now.flush_errors) {
		now.flush_errors--;
		errno = now.disk_error;
		return -1;
	}
	assert_int_equal(pread(fd, disk[slot_of(fd)], SLOT, 0), SLOT);
	return 0;
}

int __wrap_fsync(int fd)
{
	slot_of(fd);
	now.settled += !strchr(now.trace, 'K');
	errno = now.settle_error;
	return errno ? -1 : 0;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	note('s');
	assert_int_equal(time->tv_sec, 1);
	now.wait_errors = false;
	return 0;
}

int __wrap_mlockall(int flags)
{
	now.locked++;
	return 0;
}

pid_t __wrap_fork(void)
{
	note('F');
	errno = EAGAIN;
	return now.fork_result;
}

pid_t __wrap_setsid(void)
{
	now.sessions++;
	return 1;
}

int __wrap_dup2(int from, int to)
{
	now.redirected |= 1u << to;
	return to;
}

static void make(const char *name, size_t size)
{
	int fd = __real_open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	__real_close(fd);
}

static int fresh(void **unused)
{
	memset(&now, 0, sizeof(now));
	memset(disk, 0, sizeof(disk));
	agent_stopping = 0;
	unlink(path_of("vtpm.0"));
	unlink(path_of("vtpm.1"));
	make("vtpm.0", SLOT);
	make("vtpm.1", SLOT);
	make("kmsg", 0);
	return 0;
}

static void read_said(const char *name)
{
	int fd = __real_open(path_of(name), O_RDONLY);
	ssize_t length = read(fd, said, sizeof(said) - 1);

	assert_true(length >= 0);
	said[length] = 0;
	__real_close(fd);
}

static char program[32];

/* The agent's exit status; what it said on standard error is in `said`. */
static int run(const char *first, const char *second)
{
	char words[2][64];
	char *argv[] = { program, first ? words[0] : NULL, second ? words[1] : NULL, NULL };
	int saved = dup(STDERR_FILENO), file, status;

	snprintf(program, sizeof(program), "/sbin/redoubt-agent");
	snprintf(words[0], sizeof(words[0]), "%s", first ? first : "");
	snprintf(words[1], sizeof(words[1]), "%s", second ? second : "");
	make("stderr", 0);
	file = __real_open(path_of("stderr"), O_WRONLY | O_APPEND);
	__real_dup2(file, STDERR_FILENO);
	status = agent_main(1 + !!first + !!second, argv);
	fflush(stderr);
	__real_dup2(saved, STDERR_FILENO);
	__real_close(saved);
	__real_close(file);
	read_said("stderr");
	return status;
}

static int run_here(void)
{
	int status = run("--foreground", folder);

	read_said(now.no_kmsg ? "stderr" : "kmsg");
	return status;
}

static void states(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		now.states[i] = (struct state){ .generation = 70 + i,
			.slot = i % 2,
			.size = 2500 + i };
}

static void state_is_flushed_before_it_is_acknowledged(void **unused)
{
	struct stat about;

	states(3);
	now.states[1].size = SLOT;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRpfAWRpfAWRpfAWNL");
	assert_int_equal(now.acknowledged, 3);
	assert_int_equal(now.settled, 2);
	assert_string_equal(said, "");
	assert_int_equal(now.locked, 1);
	assert_string_equal(program, "@sbin/redoubt-agent");
	/* The third stands in slot 0 over the first; behind it is what was there. */
	assert_int_equal(disk[0][2502], 0);
	assert_int_equal(disk[0][2501], byte_of(&now.states[2], 2501));
	assert_int_equal(stat(path_of("vtpm.1"), &about), 0);
	assert_int_equal(about.st_size, SLOT);
}

static void short_writes_go_on(void **unused)
{
	states(2);
	now.write_most = 1000;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRpppfAWRpppfAWNL");
	assert_string_equal(said, "");
}

static void failed_write_is_tried_again_and_said_once(void **unused)
{
	states(2);
	now.write_errors = 3;
	now.disk_error = EROFS;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRpsWRpsWRpsWRpfAWRpfAWNL");
	assert_string_equal(said,
	    "<3>redoubt-agent: the TPM waits, cannot write vtpm.0: Read-only file system\n"
	    "<5>redoubt-agent: all is well again\n");
}

/* A flush that fails may have dropped what it could not write: all is written again. */
static void failed_flush_is_no_flush(void **unused)
{
	states(2);
	now.states[0].slot = 1;
	now.flush_errors = 2;
	now.disk_error = EIO;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRpfsWRpfsWRpfAWRpfAWNL");
	assert_string_equal(said,
	    "<3>redoubt-agent: the TPM waits, cannot write vtpm.1: Input/output error\n"
	    "<5>redoubt-agent: all is well again\n");
}

static void write_of_nothing_is_an_error(void **unused)
{
	states(1);
	now.no_kmsg = true;
	now.write_errors = 1;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRpsWRpfAWNL");
	assert_string_equal(said,
	    "redoubt-agent: the TPM waits, cannot write vtpm.0: Input/output error\n"
	    "redoubt-agent: all is well again\n");
}

static void device_that_fails_is_asked_again(void **unused)
{
	states(1);
	now.wait_errors = true;
	now.read_error = ENODATA;
	now.kept_error = ESTALE;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWsWRsWRpfAsWRpfAWNL");
	assert_string_equal(said,
	    "<3>redoubt-agent: cannot look for the TPM's state: Input/output error\n"
	    "<5>redoubt-agent: all is well again\n");
}

static void signal_is_no_trouble(void **unused)
{
	states(1);
	now.kept_error = EINTR;
	now.read_error = EINTR;
	now.flush_errors = 1;
	now.disk_error = EINTR;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRWRpfWRpfAWRpfAWNL");
	assert_string_equal(said, "");
}

static void what_waits_at_sigterm_is_written(void **unused)
{
	states(2);
	now.states[1].term = true;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWRpfAWNRpfAL");
	assert_int_equal(now.acknowledged, 2);
}

static void what_comes_at_the_end_is_written(void **unused)
{
	states(1);
	now.states[0].term = true;
	now.comes_at_leaving = true;
	assert_int_equal(run_here(), 0);
	assert_string_equal(now.trace, "KWNLNRpfAL");
	assert_int_equal(now.acknowledged, 1);
}

static void what_cannot_be_written_at_sigterm_is_said(void **unused)
{
	states(1);
	now.states[0].term = true;
	now.write_errors = 100;
	now.disk_error = ENOSPC;
	assert_int_equal(run_here(), 1);
	assert_string_equal(now.trace, "KWNRp");
	assert_int_equal(now.acknowledged, 0);
	assert_non_null(strstr(said, "No space left on device"));
}

static void hang_up_is_ignored(void **unused)
{
	struct sigaction action;

	assert_int_equal(run_here(), 0);
	assert_int_equal(sigaction(SIGHUP, NULL, &action), 0);
	assert_ptr_equal(action.sa_handler, SIG_IGN);
}

static void background_begins_when_it_keeps(void **unused)
{
	states(1);
	now.fork_result = 4711;
	assert_int_equal(run(folder, NULL), 0);
	assert_string_equal(now.trace, "KF");
	assert_int_equal(now.locked + now.sessions + now.redirected, 0);
	fresh(NULL);
	states(1);
	assert_int_equal(run(folder, NULL), 0);
	assert_string_equal(now.trace, "KFWRpfAWNL");
	assert_int_equal(now.sessions, 1);
	assert_int_equal(now.redirected, 7);
	fresh(NULL);
	now.no_kmsg = true;
	assert_int_equal(run(folder, NULL), 0);
	assert_int_equal(now.redirected, 3);
	fresh(NULL);
	now.fork_result = -1;
	assert_int_equal(run(folder, NULL), 1);
	assert_string_equal(now.trace, "KF");
	assert_string_equal(said,
	    "redoubt-agent: cannot go to the background: Resource temporarily unavailable\n");
}

/* It ends before it keeps anything, and names the file. */
static void refused(const char *name, const char *why)
{
	char line[128];

	assert_int_equal(run(folder, NULL), 1);
	assert_string_equal(now.trace, "");
	snprintf(line, sizeof(line), "redoubt-agent: %s: %s\n", path_of(name), why);
	assert_string_equal(said, line);
	fresh(NULL);
}

static void files_that_are_no_slots_are_refused(void **unused)
{
	make("vtpm.0", SLOT + 1);
	refused("vtpm.0", "not 262144 bytes long");
	make("vtpm.1", SLOT - 1);
	refused("vtpm.1", "not 262144 bytes long");
	unlink(path_of("vtpm.1"));
	refused("vtpm.1", "No such file or directory");
	unlink(path_of("vtpm.0"));
	assert_int_equal(symlink("vtpm.1", path_of("vtpm.0")), 0);
	refused("vtpm.0", "a symbolic link");
	unlink(path_of("vtpm.1"));
	assert_int_equal(mkfifo(path_of("vtpm.1"), 0600), 0);
	refused("vtpm.1", "no regular file");
	assert_int_equal(run(path_of("nothing"), NULL), 1);
	assert_non_null(strstr(said, "/nothing: No such file or directory\n"));
}

/* What the loader wrote may not be on the disk, and there would be nothing else that is. */
static void slots_that_cannot_be_flushed_are_refused(void **unused)
{
	now.settle_error = EIO;
	refused("vtpm.0", "Input/output error");
}

static void devices_that_are_none_are_refused(void **unused)
{
	now.keep_error = EBUSY;
	assert_int_equal(run(folder, NULL), 1);
	assert_string_equal(now.trace, "K");
	assert_string_equal(said,
	    "redoubt-agent: cannot keep the TPM's state: another one is there already, or the TPM "
	    "is busy\n");
	now.keep_error = ENOENT;
	assert_int_equal(run(folder, NULL), 1);
	assert_non_null(strstr(said, "this machine has no TPM of Redoubt's\n"));
	now.open_error = EACCES;
	assert_int_equal(run(folder, NULL), 1);
	assert_string_equal(said, "redoubt-agent: /dev/redoubt: this user may not open it\n");
}

static void wrong_usage_is_refused(void **unused)
{
	assert_int_equal(run(NULL, NULL), 2);
	assert_int_equal(run("--foreground", NULL), 2);
	assert_int_equal(run("--background", folder), 2);
	assert_int_equal(run("-x", NULL), 2);
	assert_int_equal(run(folder, folder), 2);
	assert_non_null(strstr(said, "usage: redoubt-agent"));
	assert_string_equal(now.trace, "");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(state_is_flushed_before_it_is_acknowledged, fresh),
	cmocka_unit_test_setup(short_writes_go_on, fresh),
	cmocka_unit_test_setup(failed_write_is_tried_again_and_said_once, fresh),
	cmocka_unit_test_setup(failed_flush_is_no_flush, fresh),
	cmocka_unit_test_setup(write_of_nothing_is_an_error, fresh),
	cmocka_unit_test_setup(device_that_fails_is_asked_again, fresh),
	cmocka_unit_test_setup(signal_is_no_trouble, fresh),
	cmocka_unit_test_setup(what_waits_at_sigterm_is_written, fresh),
	cmocka_unit_test_setup(what_comes_at_the_end_is_written, fresh),
	cmocka_unit_test_setup(what_cannot_be_written_at_sigterm_is_said, fresh),
	cmocka_unit_test_setup(hang_up_is_ignored, fresh),
	cmocka_unit_test_setup(background_begins_when_it_keeps, fresh),
	cmocka_unit_test_setup(files_that_are_no_slots_are_refused, fresh),
	cmocka_unit_test_setup(slots_that_cannot_be_flushed_are_refused, fresh),
	cmocka_unit_test_setup(devices_that_are_none_are_refused, fresh),
	cmocka_unit_test_setup(wrong_usage_is_refused, fresh),
};

static int make_folder(void **unused)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
	unlink(path_of("vtpm.0"));
	unlink(path_of("vtpm.1"));
	unlink(path_of("kmsg"));
	unlink(path_of("stderr"));
	return rmdir(folder);
}

int main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
