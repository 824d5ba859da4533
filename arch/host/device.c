/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The fake machine's consoles, its IOMMU, and its end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/frame.h"
#include "arch/host/internal.h"
#include "arch/iommu.h"
#include "arch/upcall.h"

#define EXIT_RESET 41
#define EXIT_STOP  42

static struct {
	char console[65536];
	size_t used;
	bool released;
	bool dma_refused;
	unsigned dma_calls; /* until they are refused */
	uint64_t dma_syncs;
	uint64_t dma_blocked;
	bool others_stopped;
	uint8_t digest[8];
	void (*when_printing)(void);
	void (*when_keeping)(void);
	struct host_remains *remains; /* shared with the parent, in a copy that is to end */
} device;

void host_reset_devices(void)
{
	struct host_remains *remains = device.remains;

	memset(&device, 0, sizeof(device));
	device.remains = remains;
}

static void call_once(void (**hook)(void))
{
	void (*called)(void) = *hook;

	*hook = NULL;
	if (called)
		called();
}

void host_when_printing(void (*hook)(void))
{
	device.when_printing = hook;
}

void host_when_keeping(void (*hook)(void))
{
	device.when_keeping = hook;
}

void console_write(const char *text, size_t bytes)
{
	size_t room = sizeof(device.console) - 1 - device.used;
	size_t part = bytes < room ? bytes : room;

	memcpy(device.console + device.used, text, part);
	device.used += part;
	call_once(&device.when_printing);
}

void console_release(void)
{
	device.released = true;
}

const char *host_console(void)
{
	return device.console;
}

bool host_console_released(void)
{
	return device.released;
}

bool dma_init(uint64_t top, size_t pages)
{
	return true;
}

bool dma_end(void)
{
	return true;
}

bool dma_block(spa_t spa, uint64_t frames)
{
	if (device.dma_refused && (device.dma_calls == 0 || device.dma_calls-- == 0))
		return false;
	device.dma_blocked += frames;
	return true;
}

void dma_allow(spa_t spa, uint64_t frames)
{
	if (frames > device.dma_blocked)
		host_fail("more frames come back to devices than were taken from them");
	device.dma_blocked -= frames;
}

void dma_sync(void)
{
	device.dma_syncs++;
}

void dma_report(void)
{
}

const struct stage2 *dma_map(void)
{
	return NULL;
}

bool dma_listed(void)
{
	return false;
}

bool dma_protected(void)
{
	return false;
}

void host_refuse_dma(bool refuse)
{
	device.dma_refused = refuse;
	device.dma_calls = 0;
}

void host_refuse_dma_after(unsigned calls)
{
	device.dma_refused = true;
	device.dma_calls = calls;
}

uint64_t host_dma_syncs(void)
{
	return device.dma_syncs;
}

uint64_t host_dma_blocked(void)
{
	return device.dma_blocked;
}

uint32_t arch_features(void)
{
	return 0x11;
}

uint32_t arch_degraded(void)
{
	return 0x22;
}

/* ---- The end ---- */

void arch_keep_digest(const uint8_t digest[8])
{
	memcpy(device.digest, digest, sizeof(device.digest));
	call_once(&device.when_keeping);
}

void cpu_stop_others(void)
{
	device.others_stopped = true;
}

/* Leaves what the parent wants to see. */
static void leave_remains(struct host_remains *remains)
{
	size_t room = sizeof(remains->console) - 1;
	size_t tail = device.used < room ? device.used : room;

	memcpy(remains->console, device.console + device.used - tail, tail);
	memcpy(remains->digest, device.digest, sizeof(remains->digest));
	if (start_info()->record_base)
		memcpy(&remains->record, region_ptr((spa_t){ start_info()->record_base }),
		    sizeof(remains->record));
	remains->others_stopped = device.others_stopped;
}

static _Noreturn void end(int status)
{
	if (device.remains) {
		leave_remains(device.remains);
		_exit(status);
	}
	host_fail("the monitor stopped");
}

void cpu_stop(void)
{
	end(EXIT_STOP);
}

void machine_reset(void)
{
	end(EXIT_RESET);
}

static enum host_end end_of(int status)
{
	if (!WIFEXITED(status))
		return HOST_KILLED;
	if (WEXITSTATUS(status) == EXIT_RESET)
		return HOST_RESET;
	if (WEXITSTATUS(status) == EXIT_STOP)
		return HOST_STOPPED;
	return WEXITSTATUS(status) == 0 ? HOST_RETURNED : HOST_KILLED;
}

/* A fault ends the copy, whatever the test framework meant to do about it. */
static void take_signals_back(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		(void)signal(fatal[i], SIG_DFL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

struct host_remains host_end_of(void (*what)(void *), void *argument)
{
	struct host_remains *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct host_remains remains;
	int status;
	pid_t child;

	if (shared == MAP_FAILED)
		host_fail("mmap");
	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		take_signals_back();
		device.remains = shared;
		what(argument);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		host_fail("fork");
	remains = *shared;
	remains.end = end_of(status);
	munmap(shared, sizeof(*shared));
	return remains;
}
