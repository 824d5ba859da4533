/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libredoubt and what redoubtctl prints, with the device's open() and ioctl() taken over by the
 * linker. redoubtctl's main() is linked as redoubtctl_main().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
} device;

int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long number, void *argument);
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
		{ "restart", "99999999999999999999" } };

	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(ctl(wrong[i][0], wrong[i][1], wrong[i][2]), 2);
		assert_non_null(strstr(text, "usage: redoubtctl"));
	}
	assert_int_equal(ctl("restart", "--help", NULL), 0);
	assert_non_null(strstr(text, "usage: redoubtctl"));
}

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
	cmocka_unit_test_setup(refusals_have_their_exit_status, fresh),
	cmocka_unit_test_setup(wrong_usage_is_refused, fresh),
};

UNIT_MAIN(tests)
