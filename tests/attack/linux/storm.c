// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause-Patent
/* Several CPUs at once: random calls, input that changes during a call, interrupts and NMIs. */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/nmi.h>

#include "hostile.h"

#define FIRST_OURS	4u	/* partitions from here on are made by the module */
#define LAST_OURS	16u
#define REQUESTS	12u	/* numbers of the probe's that come to an end */

static u64 next_random(u64 *seed)
{
	u64 z = *seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A request that was cancelled goes first, and may be the end of it. */
static bool serves(void)
{
	u64 words[3];

	for (unsigned int i = 0; i < 4; i++) {
		if (hostile_request(PROBE, RANDOM, 0, 0, words))
			return true;
		hostile_do(REDOUBT_CALL_partition_restart, PROBE, 0, 0, 0);
	}
	return false;
}

/* ---- Random calls on all CPUs ---- */

struct fuzzer {
	struct task_struct *task;
	u64 seed;
	u64 *page; /* which calls may write */
	unsigned int calls;
	u64 wrong, good;
	struct completion done;
};

static u64 argument(struct fuzzer *f)
{
	u64 r = next_random(&f->seed);
	const struct frames *frames = &hostile_frames[r % ARRAY_SIZE(hostile_frames)];

	switch (r >> 61) {
	case 0:
		return 0;
	case 1:
		return r & 0x1f;
	case 2:
		return virt_to_phys(f->page);
	case 3:
		return (r & 0xff) << 8 | 0x101;
	case 4:
		return frames->base + (r >> 8) % frames->pages * PAGE_SIZE;
	case 5:
		return frames->base + (r >> 8) % (frames->pages * PAGE_SIZE);
	case 6:
		return PROBE | (r >> 8) % REQUESTS << 32;
	default:
		return 1ull << (r & 63);
	}
}

/* No address of memory that is the kernel's but the page of its own. */
static bool harmless(const struct fuzzer *f, const struct call *call)
{
	u64 at = call->regs[1];

	if (call->rax != REDOUBT_CALL_log_read && call->rax != REDOUBT_CALL_audit_read)
		return true;
	return at >= hostile_frames[0].base || at == virt_to_phys(f->page) || at % PAGE_SIZE;
}

static void fuzz_once(struct fuzzer *f)
{
	struct call call = { next_random(&f->seed) % (REDOUBT_CALL_COUNT + 1) };
	u64 id = call.rax, left = 0;

	for (unsigned int i = 0; i < CALL_REGS; i++)
		call.regs[i] = next_random(&f->seed) & 1 ? argument(f) : 0;
	if (id == REDOUBT_CALL_partition_call && (call.regs[0] >> 32) >= REQUESTS)
		return;
	if (!harmless(f, &call))
		return;
	hostile_call(&call);
	for (unsigned int i = 0; i < CALL_REGS; i++)
		left |= call.regs[i];
	f->good += call.rax == REDOUBT_OK;
	f->wrong += (call.rax & 0xffff) > REDOUBT_DEAD || call.rax >> 24 ||
		    (call.rax != REDOUBT_OK && left);
	if (call.rax == REDOUBT_OK && call.regs[0] == REDOUBT_SUSPENDED)
		hostile_do(REDOUBT_CALL_partition_cancel, call.regs[1], 0, 0, 0);
}

static int fuzz(void *data)
{
	struct fuzzer *f = data;

	for (unsigned int i = 0; i < f->calls; i++) {
		fuzz_once(f);
		cond_resched();
	}
	complete(&f->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static bool start(struct fuzzer *f, unsigned int cpu, unsigned int calls)
{
	*f = (struct fuzzer){ .seed = cpu + 1, .calls = calls };
	init_completion(&f->done);
	f->page = (u64 *)get_zeroed_page(GFP_KERNEL);
	f->task = kthread_create(fuzz, f, "hostile/%u", cpu);
	if (!f->page || IS_ERR(f->task))
		return false;
	kthread_bind(f->task, cpu);
	wake_up_process(f->task);
	return true;
}

void hostile_fuzz(unsigned int calls)
{
	static struct fuzzer fuzzers[8];
	unsigned int cpu, started = 0, done = 0;
	u64 wrong = 0, good = 0;

	for_each_online_cpu(cpu)
		if (cpu < ARRAY_SIZE(fuzzers))
			started += start(&fuzzers[cpu], cpu, calls);
	for (cpu = 0; cpu < ARRAY_SIZE(fuzzers) && fuzzers[cpu].task; cpu++) {
		wait_for_completion(&fuzzers[cpu].done);
		kthread_stop(fuzzers[cpu].task);
		free_page((unsigned long)fuzzers[cpu].page);
		wrong += fuzzers[cpu].wrong;
		good += fuzzers[cpu].good;
		done++;
	}
	for (u64 id = FIRST_OURS; id <= LAST_OURS; id++)
		hostile_end(id);
	hostile_point(done && done == started && !wrong && good,
		      "T35 Linux: random calls on all CPUs: a status of the table's each time");
	hostile_point(serves(),
		      "T35 Linux: the partition serves afterwards");
}

/* ---- Input that another CPU changes ---- */

static struct {
	u64 *list, own, other;
	u64 times;
} flip;

/* For as long as it takes, which is never the same: an emulator's CPUs run in step. */
static void hold(u64 *seed, u64 value)
{
	u64 turns = next_random(seed) % 256;

	WRITE_ONCE(flip.list[0], value);
	while (turns--)
		cpu_relax();
}

static int flips(void *data)
{
	u64 seed = 1;

	while (!kthread_should_stop()) {
		hold(&seed, flip.other);
		hold(&seed, flip.own);
		WRITE_ONCE(flip.times, flip.times + 1);
		cond_resched();
	}
	return 0;
}

/* Whether what was taken is what is gone: the page of our own, all of it, or nothing. */
static bool flip_once(u64 partition, u64 *page, unsigned int *taken)
{
	u64 status;

	*page = MARK;
	status = hostile_give(partition, REDOUBT_GIVE_DATA, flip.list, 1, 0);
	if (status == REDOUBT_RANGE)
		return READ_ONCE(*page) == MARK;
	(*taken)++;
	return status == REDOUBT_OK && READ_ONCE(*page) == ONES;
}

void hostile_flips(unsigned int rounds)
{
	unsigned int taken = 0, good = 0, refused;
	u64 *page = (u64 *)get_zeroed_page(GFP_KERNEL), partition;
	struct task_struct *task;

	flip.list = (u64 *)get_zeroed_page(GFP_KERNEL);
	flip.own = virt_to_phys(page);
	flip.other = hostile_frames[HOSTILE_MEMORY].base;
	task = kthread_create(flips, NULL, "hostile/flip");
	kthread_bind(task, num_online_cpus() - 1);
	flip.list[0] = flip.own;
	wake_up_process(task);
	while (!READ_ONCE(flip.times))
		msleep(20);
	for (unsigned int i = 0; i < rounds; i++) {
		if (hostile_create(&partition) != REDOUBT_OK)
			break;
		good += flip_once(partition, page, &taken);
		good -= hostile_end(partition) != REDOUBT_OK;
		cond_resched();
	}
	kthread_stop(task);
	refused = rounds - taken;
	hostile_point(good == rounds,
		      "T37 Linux: a list that changes during the call: what is judged is taken");
	hostile_point(taken && refused, "T37 Linux: it was seen both ways (%u, %u)", taken,
		      refused);
	hostile_point(serves(), "T37 Linux: the partition serves afterwards");
	free_page((unsigned long)page);
	free_page((unsigned long)flip.list);
}

/* ---- Interrupts and NMIs during a request ---- */

static atomic_t nmis_taken, ipis_taken;
static bool expecting;

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (!READ_ONCE(expecting))
		return NMI_DONE;
	atomic_inc(&nmis_taken);
	return NMI_HANDLED;
}

static void on_ipi(void *data)
{
	atomic_inc(&ipis_taken);
}

struct storm {
	unsigned int count, target;
	unsigned int lost;
	struct completion done;
};

/* One NMI at a time: the next when it was taken. */
static int storm(void *data)
{
	struct storm *s = data;

	for (unsigned int i = 0; i < s->count; i++) {
		int before = atomic_read(&nmis_taken);
		unsigned int k;

		smp_call_function_single(s->target, on_ipi, NULL, 0);
		apic->send_IPI(s->target, NMI_VECTOR);
		for (k = 0; k < 100000 && atomic_read(&nmis_taken) == before; k++)
			usleep_range(20, 50);
		s->lost += k == 100000;
		smp_call_function_single(s->target, on_ipi, NULL, 1);
		cond_resched();
	}
	complete(&s->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static int requester(void *data)
{
	u64 *failed = data, words[3];

	while (!kthread_should_stop()) {
		*failed += !hostile_request(PROBE, HEAP_WORK, 300, 7, words);
		cond_resched();
	}
	return 0;
}

void hostile_nmis(unsigned int count)
{
	struct storm s = { .count = count };
	struct task_struct *task, *asker;
	u64 failed = 0;

	if (num_online_cpus() < 2 ||
	    register_nmi_handler(NMI_LOCAL, on_nmi, NMI_FLAG_FIRST, "hostile")) {
		hostile_point(false, "two CPUs are needed");
		return;
	}
	init_completion(&s.done);
	WRITE_ONCE(expecting, true);
	asker = kthread_create(requester, &failed, "hostile/ask");
	kthread_bind(asker, s.target);
	wake_up_process(asker);
	task = kthread_create(storm, &s, "hostile/storm");
	kthread_bind(task, num_online_cpus() - 1);
	wake_up_process(task);
	wait_for_completion(&s.done);
	kthread_stop(task);
	kthread_stop(asker);
	WRITE_ONCE(expecting, false);
	unregister_nmi_handler(NMI_LOCAL, "hostile");
	hostile_point(!s.lost && (unsigned int)atomic_read(&nmis_taken) == count,
		      "T75 Linux: NMIs at a CPU that makes requests: each is taken once");
	hostile_point((unsigned int)atomic_read(&ipis_taken) == 2 * count,
		      "T31 Linux: interrupts at a CPU that makes requests: each is taken");
	hostile_point(!failed, "T31 Linux: every request is answered meanwhile");
}
