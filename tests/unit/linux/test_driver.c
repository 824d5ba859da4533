/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubt.ko's requests and reads, on a fake kernel and a monitor that does as a test says. */
#include "guest/linux/driver/args.h"
#include "guest/linux/driver/driver.h"
#include "tests/unit/linux/fake.h"
#include "tests/unit/unit.h"

#define TOKEN 0x700000001ull /* the first; each suspension has the next */

/* The monitor: what it will do and what it was asked. */
static struct {
	u64 result;	      /* of calls that do not go well */
	unsigned int busy;    /* times partition_call is BUSY first */
	unsigned int suspend; /* times the request is suspended */
	u64 resume_result;    /* of the last partition_resume */
	unsigned int calls, resumes, cancels, others;
	u64 asked[CALL_REGS]; /* by the last partition_call or other */
	u64 token;	      /* of the last partition_resume or partition_cancel */
} monitor;

/* The ring: what each of the next reads finds. */
static struct {
	const char *text[8];
	u64 lost[8];
	unsigned int next;
	u64 id;
	u64 asked; /* bytes or records */
} ring;

static char frame[4096];

static u64 answer(u64 regs[CALL_REGS], u64 token)
{
	regs[0] = token ? 1ull << 32 : 5;
	for (unsigned int i = 1; i < CALL_REGS; i++)
		regs[i] = token ? 0 : 100 + i;
	if (token)
		regs[1] = token;
	return 0;
}

static u64 progress(u64 regs[CALL_REGS])
{
	unsigned int done = monitor.resumes;

	return answer(regs, done < monitor.suspend ? TOKEN + done : 0);
}

static u64 on_call(u64 regs[CALL_REGS])
{
	memcpy(monitor.asked, regs, sizeof(monitor.asked));
	if (monitor.calls++ < monitor.busy)
		return REDOUBT_BUSY;
	return monitor.result ? monitor.result : progress(regs);
}

static u64 on_resume(u64 regs[CALL_REGS])
{
	monitor.token = regs[0];
	assert_int_equal(regs[0], TOKEN + monitor.resumes);
	if (++monitor.resumes == monitor.suspend && monitor.resume_result)
		return monitor.resume_result;
	return progress(regs);
}

static u64 on_info(u64 regs[CALL_REGS])
{
	u64 item = regs[1];

	for (unsigned int i = 0; i < CALL_REGS; i++)
		regs[i] = item << 56 | (i == 1 ? 9ull << 32 | 4 : i + 2);
	return 0;
}

static u64 on_read(u64 id, u64 regs[CALL_REGS])
{
	const char *text = ring.text[ring.next] ? ring.text[ring.next] : "";

	ring.id = id;
	assert_int_equal(regs[1], 0x5000);
	ring.asked = regs[2];
	memcpy(frame, text, strlen(text));
	regs[0] += strlen(text) + ring.lost[ring.next];
	regs[1] = strlen(text);
	regs[2] = ring.lost[ring.next];
	ring.next++;
	return 0;
}

uint64_t redoubt_raw_call(uint64_t id, uint64_t regs[CALL_REGS])
{
	if (id == REDOUBT_ID_partition_call)
		return on_call(regs);
	if (id == REDOUBT_ID_partition_resume)
		return on_resume(regs);
	if (id == REDOUBT_ID_partition_cancel) {
		monitor.token = regs[0];
		monitor.cancels++;
		return 0;
	}
	monitor.others++;
	memcpy(monitor.asked, regs, sizeof(monitor.asked));
	if (monitor.result)
		return monitor.result;
	if (id == REDOUBT_ID_partition_info)
		return on_info(regs);
	if (id == REDOUBT_ID_log_read || id == REDOUBT_ID_audit_read)
		return on_read(id, regs);
	return 0;
}

int redoubt_error(u64 rax)
{
	return -redoubt_errno(redoubt_status(rax));
}

static int fresh(void **state)
{
	memset(&monitor, 0, sizeof(monitor));
	memset(&ring, 0, sizeof(ring));
	memset(&fake_kernel, 0, sizeof(fake_kernel));
	return 0;
}

static struct redoubt_ioc_request a_request(u32 wait_ms)
{
	return (struct redoubt_ioc_request){ .partition = 3,
		.number = 7,
		.words = { 11, 12, 13 },
		.wait_ms = wait_ms };
}

static void request_and_answer_are_carried(void **state)
{
	struct redoubt_ioc_request request = a_request(0);
	u64 asked[CALL_REGS] = { 7ull << 32 | 3, 11, 12, 13 };

	assert_int_equal(redoubt_ioc_request(&request), 0);
	assert_memory_equal(monitor.asked, asked, sizeof(asked));
	assert_int_equal(request.status, 5);
	assert_int_equal(request.words[0], 101);
	assert_int_equal(request.words[1], 102);
	assert_int_equal(request.words[2], 103);
	assert_int_equal(monitor.resumes + fake_kernel.rescheduled, 0);
}

static void suspended_request_is_resumed_by_its_token(void **state)
{
	struct redoubt_ioc_request request = a_request(0);

	monitor.suspend = 1000;
	assert_int_equal(redoubt_ioc_request(&request), 0);
	assert_int_equal(monitor.calls, 1);
	assert_int_equal(monitor.resumes, 1000);
	assert_int_equal(fake_kernel.rescheduled, 1000);
	assert_int_equal(request.status, 5);
	assert_int_equal(request.words[2], 103);
}

static void failed_resumption_ends_the_request(void **state)
{
	struct redoubt_ioc_request request = a_request(50);

	monitor.suspend = 3;
	monitor.resume_result = REDOUBT_STATE;
	assert_int_equal(redoubt_ioc_request(&request), -ECANCELED);
	assert_int_equal(monitor.resumes, 3);
	assert_int_equal(request.words[0], 11);
}

static void killed_caller_cancels(void **state)
{
	struct redoubt_ioc_request request = a_request(0);

	monitor.suspend = 1000;
	fake_kernel.fatal_at = 4;
	assert_int_equal(redoubt_ioc_request(&request), -EINTR);
	assert_int_equal(monitor.resumes, 4);
	assert_int_equal(monitor.cancels, 1);
	assert_int_equal(monitor.token, TOKEN + 4);
}

static void busy_partition_is_asked_again_as_told(void **state)
{
	static const unsigned int naps[] = { 1, 2, 4, 8, 16, 16, 13 };
	struct redoubt_ioc_request request = a_request(0);

	monitor.busy = 100;
	assert_int_equal(redoubt_ioc_request(&request), -EBUSY);
	assert_int_equal(monitor.calls, 1);
	assert_int_equal(fake_kernel.naps, 0);
	request.wait_ms = 60;
	assert_int_equal(redoubt_ioc_request(&request), -EBUSY);
	assert_int_equal(monitor.calls, 9);
	assert_int_equal(fake_kernel.naps, 7);
	assert_memory_equal(fake_kernel.nap, naps, sizeof(naps));
}

static void busy_partition_becomes_free(void **state)
{
	struct redoubt_ioc_request request = a_request(1000);

	monitor.busy = 3;
	monitor.suspend = 2;
	assert_int_equal(redoubt_ioc_request(&request), 0);
	assert_int_equal(monitor.calls, 4);
	assert_int_equal(fake_kernel.slept, 7);
	assert_int_equal(request.status, 5);
}

static void signal_ends_waiting_for_a_free_vp(void **state)
{
	struct redoubt_ioc_request request = a_request(1000);

	monitor.busy = 100;
	fake_kernel.signal_at = 2;
	assert_int_equal(redoubt_ioc_request(&request), -EINTR);
	assert_int_equal(monitor.calls, 2);
}

static void statuses_become_errors(void **state)
{
	struct redoubt_ioc_request request = a_request(REDOUBT_WAIT_MAX);

	monitor.result = REDOUBT_UNKNOWN_CALL;
	assert_int_equal(redoubt_ioc_request(&request), -ENOSYS);
	monitor.result = REDOUBT_DENIED;
	assert_int_equal(redoubt_ioc_request(&request), -EPERM);
	monitor.result = REDOUBT_INVALID | 2 << 16;
	assert_int_equal(redoubt_ioc_request(&request), -EINVAL);
	monitor.result = 0xffff;
	assert_int_equal(redoubt_ioc_request(&request), -EPROTO);
	assert_int_equal(monitor.calls, 4);
	request.wait_ms++;
	assert_int_equal(redoubt_ioc_request(&request), -EINVAL);
	assert_int_equal(monitor.calls, 4);
}

static void partition_is_told_in_four_items(void **state)
{
	struct redoubt_ioc_partition partition = { .number = 2 };
	u64 word;

	assert_int_equal(redoubt_ioc_partition(&partition), 0);
	assert_int_equal(monitor.others, 4);
	assert_int_equal(partition.state, 2);
	assert_int_equal(partition.svn, 4);
	assert_int_equal(partition.flags, 9);
	assert_int_equal(partition.served, 4);
	assert_int_equal(partition.memory, 5 * 4096);
	memcpy(&word, partition.id, 8);
	assert_int_equal(word, 1ull << 56 | 2);
	memcpy(&word, partition.measurement + 24, 8);
	assert_int_equal(word, 2ull << 56 | 5);
	memcpy(&word, partition.signer, 8);
	assert_int_equal(word, 3ull << 56 | 2);
}

static void partition_that_is_not_there(void **state)
{
	struct redoubt_ioc_partition partition = { .number = 0 };

	assert_int_equal(redoubt_ioc_partition(&partition), -ENOENT);
	assert_int_equal(monitor.others, 0);
	partition.number = 1;
	monitor.result = REDOUBT_STATE;
	assert_int_equal(redoubt_ioc_partition(&partition), -ENOENT);
	monitor.result = REDOUBT_UNKNOWN_CALL;
	assert_int_equal(redoubt_ioc_partition(&partition), -ENOSYS);
	assert_int_equal(monitor.others, 2);
	assert_int_equal(partition.state, 0);
}

static void restart_names_the_partition(void **state)
{
	struct redoubt_ioc_restart restart = { .partition = 6 };

	assert_int_equal(redoubt_ioc_restart(&restart), 0);
	assert_int_equal(monitor.asked[0], 6);
	monitor.result = REDOUBT_STATE;
	assert_int_equal(redoubt_ioc_restart(&restart), -EBADFD);
	restart.reserved = 1;
	assert_int_equal(redoubt_ioc_restart(&restart), -EINVAL);
	assert_int_equal(monitor.others, 2);
}

static char buffer[256];

static struct redoubt_ioc_read a_read(u32 wait_ms)
{
	memset(buffer, 0, sizeof(buffer));
	return (struct redoubt_ioc_read){ .position = 1000,
		.buffer = (uintptr_t)buffer,
		.length = sizeof(buffer),
		.wait_ms = wait_ms,
		.copied = 77,
		.lost = 77 };
}

static struct redoubt_file a_file(void)
{
	return (struct redoubt_file){ .frame = frame, .gpa = 0x5000 };
}

static void read_brings_bytes_and_losses(void **state)
{
	struct redoubt_file file = a_file();
	struct redoubt_ioc_read read = a_read(0);

	ring.text[0] = "hello";
	ring.lost[0] = 20;
	assert_int_equal(redoubt_ioc_log(&file, &read), 0);
	assert_int_equal(ring.id, REDOUBT_ID_log_read);
	assert_string_equal(buffer, "hello");
	assert_int_equal(read.copied, 5);
	assert_int_equal(read.lost, 20);
	assert_int_equal(read.position, 1025);
	assert_int_equal(redoubt_ioc_audit(&file, &read), 0);
	assert_int_equal(ring.id, REDOUBT_ID_audit_read);
	assert_int_equal(ring.asked, sizeof(buffer) / REDOUBT_AUDIT_RECORD);
	assert_int_equal(read.copied, 0);
	assert_int_equal(read.lost, 0);
	assert_int_equal(fake_kernel.naps, 0);
	read.length = REDOUBT_AUDIT_RECORD - 1;
	assert_int_equal(redoubt_ioc_audit(&file, &read), -EINVAL);
}

static void read_waits_for_the_first_bytes(void **state)
{
	struct redoubt_file file = a_file();
	struct redoubt_ioc_read read = a_read(1000);

	ring.text[3] = "late";
	ring.lost[2] = 7;
	assert_int_equal(redoubt_ioc_log(&file, &read), 0);
	assert_string_equal(buffer, "late");
	assert_int_equal(fake_kernel.slept, 300);
	assert_int_equal(read.lost, 7);
	assert_int_equal(read.position, 1011);
}

static void read_gives_up_as_told(void **state)
{
	struct redoubt_file file = a_file();
	struct redoubt_ioc_read read = a_read(250);

	assert_int_equal(redoubt_ioc_log(&file, &read), 0);
	assert_int_equal(read.copied, 0);
	assert_int_equal(fake_kernel.slept, 250);
	assert_int_equal(ring.next, 4);
	file.nonblock = true;
	assert_int_equal(redoubt_ioc_log(&file, &read), 0);
	assert_int_equal(ring.next, 5);
}

static void read_that_fails_leaves_nothing_locked(void **state)
{
	struct redoubt_file file = a_file();
	struct redoubt_ioc_read read = a_read(1000);

	fake_kernel.signal_at = 2;
	assert_int_equal(redoubt_ioc_log(&file, &read), -EINTR);
	assert_int_equal(ring.next, 2);
	ring.text[ring.next] = "text";
	fake_kernel.bad_buffer = true;
	assert_int_equal(redoubt_ioc_log(&file, &read), -EFAULT);
	assert_int_equal(file.lock.held, 0);
	fake_kernel.lock_interrupted = true;
	assert_int_equal(redoubt_ioc_log(&file, &read), -EINTR);
	fake_kernel.lock_interrupted = false;
	ring.text[ring.next] = "more than was asked for";
	read.length = 4;
	assert_int_equal(redoubt_ioc_log(&file, &read), -EPROTO);
	monitor.result = REDOUBT_RANGE;
	assert_int_equal(redoubt_ioc_log(&file, &read), -EPROTO);
	assert_int_equal(file.lock.held, 0);
}

static void arguments_of_reads(void **state)
{
	struct redoubt_ioc_read read = a_read(REDOUBT_WAIT_MAX);

	assert_int_equal(redoubt_check_read(&read), 0);
	read.length = REDOUBT_LENGTH_MAX;
	assert_int_equal(redoubt_check_read(&read), 0);
	read.length++;
	assert_int_equal(redoubt_check_read(&read), -EINVAL);
	read.length = 0;
	assert_int_equal(redoubt_check_read(&read), -EINVAL);
	read = a_read(REDOUBT_WAIT_MAX + 1);
	assert_int_equal(redoubt_check_read(&read), -EINVAL);
	read = a_read(0);
	read.reserved = 1;
	assert_int_equal(redoubt_check_read(&read), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup(request_and_answer_are_carried, fresh),
	cmocka_unit_test_setup(suspended_request_is_resumed_by_its_token, fresh),
	cmocka_unit_test_setup(failed_resumption_ends_the_request, fresh),
	cmocka_unit_test_setup(killed_caller_cancels, fresh),
	cmocka_unit_test_setup(busy_partition_is_asked_again_as_told, fresh),
	cmocka_unit_test_setup(busy_partition_becomes_free, fresh),
	cmocka_unit_test_setup(signal_ends_waiting_for_a_free_vp, fresh),
	cmocka_unit_test_setup(statuses_become_errors, fresh),
	cmocka_unit_test_setup(partition_is_told_in_four_items, fresh),
	cmocka_unit_test_setup(partition_that_is_not_there, fresh),
	cmocka_unit_test_setup(restart_names_the_partition, fresh),
	cmocka_unit_test_setup(read_brings_bytes_and_losses, fresh),
	cmocka_unit_test_setup(read_waits_for_the_first_bytes, fresh),
	cmocka_unit_test_setup(read_gives_up_as_told, fresh),
	cmocka_unit_test_setup(read_that_fails_leaves_nothing_locked, fresh),
	cmocka_unit_test_setup(arguments_of_reads, fresh),
};

UNIT_MAIN(tests)
