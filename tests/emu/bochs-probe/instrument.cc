/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The probe's code, compiled into Bochs; see instrument.h for what it is for.
 *
 * Environment:
 *   REDOUBT_PROBE_MARKS=FILE   where lines and instruction counts go, one line each:
 *                              SOURCE TICKS COUNT[,COUNT...] TEXT
 *                              SOURCE is `serial` or `e9`, TICKS is machine time, one COUNT a CPU
 *   REDOUBT_PROBE_PIPE=R,W     two inherited descriptors: requests are read from R, answers
 *                              written to W; SIGUSR1 says that a request is waiting
 *
 * A request is two 64-bit words, address and length. With length 0 the answer is the number of
 * CPUs, machine time, then four words a CPU: instructions retired, RIP, CR3, STATE_ bits.
 * Otherwise it is one word, the number of bytes that follow: the length asked for, or 0 where part
 * of it is no RAM.
 */
#include "bochs.h"
#include "cpu/cpu.h"
#include "iodev/iodev.h"
#include "memory/memory-bochs.h"
#include "pc_system.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum {
	PORT_E9 = 0xe9,
	PORT_COM1 = 0x3f8,
	PORT_COM1_LCR = 0x3fb,
	LCR_DLAB = 0x80,
	PCI_ADDRESS = 0xcf8,
	PCI_DATA = 0xcfc,
	PAGE = 4096,
	STATE_ACTIVITY = 0xff, /* Bochs's number: 0 is running */
	STATE_VMX = 1 << 8,    /* between VMXON and VMXOFF */
	STATE_GUEST = 1 << 9,  /* in VMX non-root operation */
};

/* PIIX4 function 3 (bus 0, device 1), power management: PMREGMISC. */
static const unsigned PMREGMISC = 0x80000b80;

struct line {
	const char *source;
	unsigned len;
	char text[240];
};

static FILE *marks;
static int request_fd = -1;
static int answer_fd = -1;
static bool divisor_latch;
static struct line serial_line = { "serial", 0, "" };
static struct line e9_line = { "e9", 0, "" };

static bool read_all(void *to, size_t len)
{
	char *p = (char *)to;

	while (len) {
		ssize_t n = read(request_fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool write_all(const void *from, size_t len)
{
	const char *p = (const char *)from;

	while (len) {
		ssize_t n = write(answer_fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void answer_cpu(BX_CPU_C *cpu)
{
	Bit64u words[4];

	words[0] = cpu->get_icount();
	words[1] = cpu->prev_rip;
	words[2] = cpu->cr3;
	words[3] = (cpu->activity_state & STATE_ACTIVITY) | (cpu->in_vmx ? STATE_VMX : 0) |
		   (cpu->in_vmx_guest ? STATE_GUEST : 0);
	write_all(words, sizeof(words));
}

static void answer_cpus(void)
{
	Bit64u words[2] = { BX_SMP_PROCESSORS, bx_pc_system.time_ticks() };

	write_all(words, sizeof(words));
	for (unsigned i = 0; i < BX_SMP_PROCESSORS; i++)
		answer_cpu(BX_CPU(i));
}

static const Bit8u *ram_page(Bit64u addr)
{
	return BX_MEM(0)->getHostMemAddr(NULL, addr & ~(Bit64u)(PAGE - 1), BX_READ);
}

static bool all_ram(Bit64u addr, Bit64u len)
{
	if (addr + len < addr)
		return false;
	for (Bit64u p = addr & ~(Bit64u)(PAGE - 1); p < addr + len; p += PAGE) {
		if (!ram_page(p))
			return false;
	}
	return true;
}

static void answer_memory(Bit64u addr, Bit64u len)
{
	Bit64u given = all_ram(addr, len) ? len : 0;

	write_all(&given, sizeof(given));
	while (given) {
		Bit64u skip = addr & (PAGE - 1);
		Bit64u part = PAGE - skip < given ? PAGE - skip : given;

		if (!write_all(ram_page(addr) + skip, part))
			return;
		addr += part;
		given -= part;
	}
}

/*
 * Runs on the emulator's own thread, so that no CPU moves while it answers. It uses nothing but
 * read, write and pointers into the machine's memory, which is allocated whole at the start.
 */
static void on_request(int)
{
	int saved = errno;
	Bit64u words[2];

	if (read_all(words, sizeof(words))) {
		if (words[1])
			answer_memory(words[0], words[1]);
		else
			answer_cpus();
	}
	errno = saved;
}

void probe_start(void)
{
	const char *file = getenv("REDOUBT_PROBE_MARKS");
	const char *pipes = getenv("REDOUBT_PROBE_PIPE");

	if (pipes && sscanf(pipes, "%d,%d", &request_fd, &answer_fd) == 2) {
		struct sigaction act;

		memset(&act, 0, sizeof(act));
		act.sa_handler = on_request;
		act.sa_flags = SA_RESTART;
		sigfillset(&act.sa_mask);
		sigaction(SIGUSR1, &act, NULL);
	}
	/* Last: who waits for the file to appear may ask from then on. */
	if (file && !marks)
		marks = fopen(file, "w");
}

void probe_stop(void)
{
	if (marks)
		fclose(marks);
	marks = NULL;
}

static void mark(const struct line *line)
{
	fprintf(marks, "%s %llu ", line->source, (unsigned long long)bx_pc_system.time_ticks());
	for (unsigned i = 0; i < BX_SMP_PROCESSORS; i++)
		fprintf(marks, "%s%llu", i ? "," : "",
			(unsigned long long)BX_CPU(i)->get_icount());
	fprintf(marks, " %.*s\n", (int)line->len, line->text);
	fflush(marks);
}

static void add(struct line *line, unsigned char c)
{
	if (c == '\n') {
		mark(line);
		line->len = 0;
	} else if (c != '\r' && line->len < sizeof(line->text)) {
		line->text[line->len++] = (char)c;
	}
}

/*
 * Mends what Bochs leaves behind at a hardware reset, before it resets the devices:
 *
 * - It keeps IA32_TSC_ADJUST as the difference between the TSC (now 0) and machine time, so that
 *   the register reads as a huge negative number, and it compares TSC deadlines with machine time.
 *   As on hardware the register reads 0 after this; the TSC goes on counting instead of beginning
 *   at 0.
 * - Its PIIX4 forgets the base of its power management ports and keeps the bit that says that
 *   there is one: firmware believes the bit, and its timer stands still. The chip clears both.
 */
void probe_reset(unsigned cpu, unsigned type)
{
	if (type != BX_RESET_HARDWARE || bx_pc_system.time_ticks() == 0)
		return;
	BX_CPU(cpu)->set_TSC(bx_pc_system.time_ticks());
	if (cpu != 0)
		return;
	bx_devices.outp(PCI_ADDRESS, PMREGMISC, 4);
	bx_devices.outp(PCI_DATA, 0, 1);
}

void probe_out(unsigned port, unsigned len, unsigned value)
{
	if (!marks || len != 1)
		return;
	if (port == PORT_E9)
		add(&e9_line, (unsigned char)value);
	else if (port == PORT_COM1_LCR)
		divisor_latch = value & LCR_DLAB;
	else if (port == PORT_COM1 && !divisor_latch)
		add(&serial_line, (unsigned char)value);
}
