/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libredoubt and what redoubtctl prints, with the device's open() and ioctl() taken over by the
 * linker. redoubtctl's main() is linked as redoubtctl_main().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/linux/libredoubt/json.h"
#include "guest/linux/libredoubt/libredoubt.h"
#include "guest/linux/libredoubt/names.h"
#include "monitor/abi/cpuid.h"
#include "tests/unit/unit.h"

#define DEVICE_FD 1000

/* The device: what it answers and what it was asked. */
static struct {
	int open_error;
	int error;		/* of every ioctl, if not 0 */
	const char *ring;	/* what is to be read */
	uint64_t lost;		/* told with the first read */
	unsigned int waits;	/* reads that came with a time */
	unsigned int end_after; /* such reads, then EINTR */
	int flags;		/* of open */
	uint32_t restarted;
	const char *package; /* what a taker gets */
	uint32_t size;
} device;

/* The disk: what goes wrong there, then nothing does; and how often something was flushed. */
static struct {
	int write_error, flush_error;
	unsigned int flushes, flush_fails; /* that one */
} disk;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long number, void *argument);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
ssize_t __real_write(int fd, const void *bytes, size_t count);
int __wrap_fsync(int fd);
int __real_fsync(int fd);
int redoubtctl_main(int argc, char **argv);

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, REDOUBT_DEVICE))
		return __real_open(path, flags, 0600);
	device.flags = flags;
	errno = device.open_error;
	return device.open_error ? -1 : DEVICE_FD;
}

int __wrap_close(int fd)
{
	return fd == DEVICE_FD ? 0 : __real_close(fd);
}

/* A byte at a time, and not all of them. */
ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
	if (disk.write_error && count < device.size) {
		errno = disk.write_error;
		return -1;
	}
	return __real_write(fd, bytes, count > 1 ? 1 : count);
}

int __wrap_fsync(int fd)
{
	disk.flushes++;
	errno = disk.flush_fails == disk.flushes ? disk.flush_error : 0;
	return errno ? -1 : __real_fsync(fd);
}

static int read_ring(struct redoubt_ioc_read *read)
{
	size_t length = strlen(device.ring), left = length - (size_t)read->position;

	if (read->wait_ms && ++device.waits > device.end_after)
		return EINTR;
	read->copied = left < 10 ? (uint32_t)left : 10; /* in pieces */
	memcpy((char *)(uintptr_t)read->buffer, device.ring + read->position, read->copied);
	read->position += read->copied;
	read->lost = device.lost;
	device.lost = 0;
	return 0;
}

/* Partitions 2 and 5 are there. */
static int describe(struct redoubt_ioc_partition *partition)
{
	if (partition->number != 2 && partition->number != 5)
		return ENOENT;
	partition->state = partition->number == 2 ? REDOUBT_STATE_READY : REDOUBT_STATE_CRASHED;
	partition->svn = 3;
	partition->served = 1ull << 40;
	partition->memory = partition->number == 2 ? 65536 : 0;
	memset(partition->id, 'i', sizeof(partition->id));
	if (partition->number == 2)
		memcpy(partition->id, "a\"\033b", 5);
	memset(partition->measurement, 0xab, sizeof(partition->measurement));
	return 0;
}

static int hand_out(struct redoubt_ioc_package *package)
{
	assert_int_equal(package->length, REDOUBT_PACKAGE_BYTES);
	memcpy((char *)(uintptr_t)package->buffer, device.package, device.size);
	package->size = device.size;
	package->generation = 1ull << 40;
	return 0;
}

static int carry_out(unsigned long number, void *argument)
{
	if (device.error)
		return device.error;
	switch (number) {
	case REDOUBT_IOC_LOG:
	case REDOUBT_IOC_AUDIT:
		return read_ring(argument);
	case REDOUBT_IOC_PARTITION:
		return describe(argument);
	case REDOUBT_IOC_RESTART:
		device.restarted = ((struct redoubt_ioc_restart *)argument)->partition;
		return 0;
	case REDOUBT_IOC_PACKAGE:
		return hand_out(argument);
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

static int fresh(void **state)
{
	memset(&device, 0, sizeof(device));
	memset(&disk, 0, sizeof(disk));
	device.ring = "";
	return 0;
}

/* Runs a function with standard output and error going to `text`; its result. */
static char text[8192];

static int captured(int (*function)(char **words), char **words)
{
	FILE *file = tmpfile();
	int saved[2] = { dup(1), dup(2) };
	size_t length;
	int result;

	assert_non_null(file);
	fflush(stdout);
	dup2(fileno(file), 1);
	dup2(fileno(file), 2);
	result = function(words);
	fflush(stdout);
	dup2(saved[0], 1);
	dup2(saved[1], 2);
	close(saved[0]);
	close(saved[1]);
	rewind(file);
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = 0;
	fclose(file);
	return result;
}

static int run_main(char **words)
{
	int count = 0;

	while (words[count])
		count++;
	return redoubtctl_main(count, words);
}

/* redoubtctl's exit status; up to three words. */
static int ctl(const char *first, const char *second, const char *third)
{
	char words[3][32] = { { 0 } };
	char name[] = "redoubtctl";
	char *argv[] = { name, NULL, NULL, NULL, NULL };
	const char *given[] = { first, second, third };

	for (int i = 0; i < 3 && given[i]; i++) {
		snprintf(words[i], sizeof(words[i]), "%s", given[i]);
		argv[i + 1] = words[i];
	}
	return captured(run_main, argv);
}

static int write_json(char **words)
{
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '{');
	json_number(&json, "n", UINT64_MAX);
	json_begin(&json, "a", '[');
	json_bool(&json, NULL, true);
	json_begin(&json, NULL, '{');
	json_end(&json, '}');
	json_bool(&json, NULL, false);
	json_end(&json, ']');
	json_text(&json, "t", "\"\\\n\0\x80/", 6);
	json_hex(&json, "h", "\x00\xff", 2);
	json_begin(&json, "e", '[');
	json_end(&json, ']');
	json_end(&json, '}');
	return 0;
}

static void json_is_separated_and_escaped(void **state)
{
	captured(write_json, NULL);
	assert_string_equal(text,
	    "{\"n\":18446744073709551615,\"a\":[true,{},false],"
	    "\"t\":\"\\\"\\\\\\u000a\\u0000\\u0080/\",\"h\":\"00ff\",\"e\":[]}");
}

static void names_are_the_tables(void **state)
{
	assert_string_equal(redoubt_features[0].name, "STAGE2");
	assert_int_equal(redoubt_features[0].mask, REDOUBT_FEATURE_STAGE2);
	assert_string_equal(redoubt_degraded[0].name, "dma=unprotected");
	assert_string_equal(redoubt_vendor_name(REDOUBT_VENDOR_SVM), "svm");
	assert_string_equal(redoubt_vendor_name(77), "unknown");
	assert_string_equal(redoubt_state_name(REDOUBT_STATE_CRASHED), "crashed");
	assert_string_equal(redoubt_state_name(0), "unknown");
}

static void errors_are_the_monitors_sentences(void **state)
{
	assert_string_equal(redoubt_error_text(-ENOSYS), "No call has this id.");
	assert_string_equal(redoubt_error_text(-EBUSY),
	    "What the call needs is in use; try again.");
	assert_string_equal(redoubt_error_text(-EPROTO),
	    "The monitor found fault with the driver.");
	assert_string_equal(redoubt_error_text(-ENOMEM), strerror(ENOMEM));
}

static void partitions_in_words(void **state)
{
	assert_int_equal(ctl("partitions", NULL, NULL), 0);
	assert_string_equal(text,
	    "  2  a\"?b: ready, SVN 3, 65536 bytes, 1099511627776 requests served\n"
	    "     measurement abababababababababababababababababababababababababababababababab\n"
	    "     signer      0000000000000000000000000000000000000000000000000000000000000000\n"
	    "  5  iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii: crashed, SVN 3, 1099511627776 requests served\n"
	    "     measurement abababababababababababababababababababababababababababababababab\n"
	    "     signer      0000000000000000000000000000000000000000000000000000000000000000\n");
	assert_int_equal(device.flags & O_ACCMODE, O_RDONLY);
}

static void partitions_in_json(void **state)
{
	assert_int_equal(ctl("partitions", "--json", NULL), 0);
	assert_non_null(strstr(text,
	    "{\"partitions\":[{\"number\":2,\"id\":\"a\\\"\\u001bb\","
	    "\"state\":\"ready\",\"svn\":3,\"flags\":0,\"memory\":65536,"
	    "\"served\":1099511627776,\"measurement\":\"abab"));
	assert_non_null(
	    strstr(text, "},{\"number\":5,\"id\":\"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii\","));
	assert_string_equal(text + strlen(text) - 4, "}]}\n");
}

static void log_is_printed_whole(void **state)
{
	device.ring = "a first line\nanother\033 one\nand a rest";
	device.lost = 12;
	assert_int_equal(ctl("log", NULL, NULL), 0);
	assert_string_equal(text,
	    "redoubtctl: 12 overwritten before they could be read\n"
	    "a first line\nanother? one\nand a rest");
}

static void log_in_json_is_a_line_each(void **state)
{
	device.ring = "a \"first\" line\nanother\nand a rest";
	device.lost = 12;
	assert_int_equal(ctl("log", "--json", NULL), 0);
	assert_string_equal(text,
	    "{\"lost\":12}\n{\"line\":\"a \\\"first\\\" line\"}\n"
	    "{\"line\":\"another\"}\n{\"line\":\"and a rest\"}\n");
}

static void followed_log_goes_on_until_a_signal(void **state)
{
	device.ring = "some text that comes in pieces\n";
	device.end_after = 20;
	assert_int_equal(ctl("log", "--follow", "--json"), 1);
	assert_int_equal(device.waits, 21);
	assert_non_null(strstr(text, "{\"line\":\"some text that comes in pieces\"}\n"));
}

/* It comes in pieces; the bytes are such that the ring of the test holds them as text. */
static void audit_is_printed_record_by_record(void **state)
{
	static char ring[2 * REDOUBT_AUDIT_RECORD + 1];

	memset(ring, 1, 2 * REDOUBT_AUDIT_RECORD);
	ring[REDOUBT_AUDIT_RECORD + 32] = 2; /* number of the second */
	device.ring = ring;
	assert_int_equal(ctl("audit", NULL, NULL), 0);
	assert_string_equal(text,
	    "72340172838076673 [72340172838076673 16843009] UNKNOWN subject=101010101010101 "
	    "fact=101010101010101 count=72340172838076673 total=72340172838076673 "
	    "unrecorded=72340172838076673\n"
	    "72340172838076674 [72340172838076673 16843009] UNKNOWN subject=101010101010101 "
	    "fact=101010101010101 count=72340172838076673 total=72340172838076673 "
	    "unrecorded=72340172838076673\n");
	device.ring = ring;
	ring[REDOUBT_AUDIT_RECORD] = 0;
	assert_int_equal(ctl("audit", "--json", NULL), 0);
	assert_string_equal(text,
	    "{\"number\":72340172838076673,\"cycles\":72340172838076673,\"cpu\":16843009,"
	    "\"id\":16843009,\"event\":\"UNKNOWN\",\"subject\":72340172838076673,\"fact\":"
	    "72340172838076673,"
	    "\"count\":72340172838076673,\"total\":72340172838076673,"
	    "\"unrecorded\":72340172838076673,\"chain\":\""
	    "0101010101010101010101010101010101010101010101010101010101010101\"}\n");
}

static void restart_opens_for_writing(void **state)
{
	assert_int_equal(ctl("restart", "5", "--json"), 0);
	assert_string_equal(text, "{\"restarted\":5}\n");
	assert_int_equal(device.restarted, 5);
	assert_int_equal(device.flags & O_ACCMODE, O_RDWR);
}

/* FIPS 180-4's example "abc" and its digest. */
static const char PACKAGE[] = "abc\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23"
			      "\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";
#define PACKAGE_BYTES (sizeof(PACKAGE) - 1)
/* As sha256sum has it. */
#define PACKAGE_DIGEST "7aad80569ffcd8a94e6666a7aec66c52fcbc6e97229d319e57881dd68551f986"

static char folder[] = "/tmp/redoubtctl.XXXXXX", file[64];

static int backup_start(void **state)
{
	fresh(state);
	device.package = PACKAGE;
	device.size = PACKAGE_BYTES;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/f", folder);
	return 0;
}

static int backup_end(void **state)
{
	unlink(file);
	return rmdir(folder);
}

static void expect_file(const char *bytes, size_t size)
{
	char found[64];
	FILE *from = fopen(file, "rb");

	assert_non_null(from);
	assert_int_equal(fread(found, 1, sizeof(found), from), size);
	assert_memory_equal(found, bytes, size);
	fclose(from);
}

static void backup_is_a_new_file(void **state)
{
	struct stat stat_of;

	assert_int_equal(ctl("backup", file, NULL), 0);
	assert_string_equal(text,
	    "35 bytes, of generation 1099511627776\ndigest " PACKAGE_DIGEST "\n");
	expect_file(PACKAGE, PACKAGE_BYTES);
	assert_int_equal(stat(file, &stat_of), 0);
	assert_int_equal(stat_of.st_mode & 07777, 0600);
	assert_int_equal(disk.flushes, 2);
	assert_int_equal(device.flags & O_ACCMODE, O_RDWR);
	unlink(file);
	assert_int_equal(ctl("backup", "--json", file), 0);
	assert_string_equal(text,
	    "{\"bytes\":35,\"generation\":1099511627776,\"digest\":\"" PACKAGE_DIGEST "\"}\n");
}

static void backup_overwrites_nothing(void **state)
{
	FILE *to = fopen(file, "wb");

	assert_non_null(to);
	fputs("mine", to);
	fclose(to);
	assert_int_equal(ctl("backup", file, NULL), 2);
	assert_non_null(strstr(text, strerror(EEXIST)));
	assert_null(strstr(text, "digest"));
	expect_file("mine", 4);
	unlink(file);
	assert_int_equal(symlink("/tmp/redoubtctl.nothing", file), 0);
	assert_int_equal(ctl("backup", file, NULL), 2);
	assert_int_not_equal(access("/tmp/redoubtctl.nothing", F_OK), 0);
}

static void expect_no_backup(int status, const char *why)
{
	assert_int_equal(ctl("backup", file, NULL), status);
	if (!strstr(text, why))
		fail_msg("%s", text);
	assert_null(strstr(text, "digest"));
	assert_int_not_equal(access(file, F_OK), 0);
}

static void backup_that_the_disk_does_not_take_is_removed(void **state)
{
	disk.write_error = ENOSPC;
	expect_no_backup(2, strerror(ENOSPC));
	disk.write_error = 0;
	disk.flush_error = EIO;
	disk.flush_fails = 1;
	expect_no_backup(2, strerror(EIO));
	disk.flushes = 0;
	disk.flush_fails = 2;
	expect_no_backup(2, strerror(EIO));
}

static void backup_that_came_damaged_is_not_written(void **state)
{
	char damaged[PACKAGE_BYTES];

	device.package = damaged;
	for (unsigned int i = 0; i < 8 * PACKAGE_BYTES; i++) {
		memcpy(damaged, PACKAGE, sizeof(damaged));
		damaged[i / 8] ^= (char)(1 << i % 8);
		expect_no_backup(1, "came damaged");
	}
	device.package = PACKAGE;
	device.size--;
	expect_no_backup(1, "came damaged");
	device.size = 0;
	expect_no_backup(1, "came damaged");
}

static void backup_that_is_refused_says_why(void **state)
{
	static const struct {
		int error, status;
		const char *why;
	} cases[] = {
		{ ENOENT, 3, "no TPM of Redoubt's" },
		{ EOPNOTSUPP, 3, "makes no packages" },
		{ ENOTTY, 3, "older than this program" },
		{ ENOSYS, 3, "this monitor has no partitions" },
		{ ENODATA, 1, "no state of it was ever kept" },
		{ ENOKEY, 1, "names no guardian" },
		{ EAGAIN, 1, "try again" },
		{ EOWNERDEAD, 1, "refused: " },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		device.error = cases[i].error;
		expect_no_backup(cases[i].status, cases[i].why);
	}
}

static void refusals_have_their_exit_status(void **state)
{
	device.error = EBADFD;
	assert_int_equal(ctl("restart", "5", NULL), 1);
	assert_non_null(strstr(text, "The object is not in the state that the call demands."));
	device.error = ENOSYS;
	assert_int_equal(ctl("partitions", NULL, NULL), 3);
	assert_string_equal(text, "redoubtctl: this monitor has no partitions\n");
	assert_int_equal(ctl("audit", "--follow", NULL), 3);
	device.open_error = ENOENT;
	assert_int_equal(ctl("log", NULL, NULL), 3);
	assert_non_null(strstr(text, "Redoubt is not running below this system"));
	device.open_error = EACCES;
	assert_int_equal(ctl("log", NULL, NULL), 3);
	assert_non_null(strstr(text, "this user may not open it"));
}

static void wrong_usage_is_refused(void **state)
{
	static const char *const wrong[][3] = { { NULL }, { "nothing" }, { "status", "--follow" },
		{ "log", "3" }, { "restart" }, { "restart", "0" }, { "restart", "65" },
		{ "restart", "-1" }, { "restart", "3x" }, { "restart", "3", "4" },
		{ "restart", "99999999999999999999" }, { "backup" }, { "backup", "--json" },
		{ "backup", "a", "b" }, { "backup", "" }, { "backup", "-" }, { "log", "a" } };

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(ctl(wrong[i][0], wrong[i][1], wrong[i][2]), 2);
		assert_non_null(strstr(text, "usage: redoubtctl"));
	}
	assert_int_equal(ctl("restart", "--help", NULL), 0);
	assert_non_null(strstr(text, "usage: redoubtctl"));
}

#define BACKUP_TEST(name) cmocka_unit_test_setup_teardown(name, backup_start, backup_end)

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(json_is_separated_and_escaped, fresh),
	cmocka_unit_test_setup(names_are_the_tables, fresh),
	cmocka_unit_test_setup(errors_are_the_monitors_sentences, fresh),
	cmocka_unit_test_setup(partitions_in_words, fresh),
	cmocka_unit_test_setup(partitions_in_json, fresh),
	cmocka_unit_test_setup(log_is_printed_whole, fresh),
	cmocka_unit_test_setup(log_in_json_is_a_line_each, fresh),
	cmocka_unit_test_setup(followed_log_goes_on_until_a_signal, fresh),
	cmocka_unit_test_setup(audit_is_printed_record_by_record, fresh),
	cmocka_unit_test_setup(restart_opens_for_writing, fresh),
	BACKUP_TEST(backup_is_a_new_file),
	BACKUP_TEST(backup_overwrites_nothing),
	BACKUP_TEST(backup_that_the_disk_does_not_take_is_removed),
	BACKUP_TEST(backup_that_came_damaged_is_not_written),
	BACKUP_TEST(backup_that_is_refused_says_why),
	cmocka_unit_test_setup(refusals_have_their_exit_status, fresh),
	cmocka_unit_test_setup(wrong_usage_is_refused, fresh),
};

UNIT_MAIN(tests)
