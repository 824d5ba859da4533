/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The stage. Multiboot modules: the image, files to lend (none, or some), and a script of lines
 *
 *   s FLAGS PAGES EDI   start the image anew: START_ bits, private pages more (or fewer) than it
 *                       wants, VP index
 *   r ID A B C          a request
 *   m                   tell the trustlet's own page tables
 *   w OFFSET WORD       write a word of the page that is shared
 *   d OFFSET            tell one
 *
 * It tells what the trustlet logs and answers, how it ends, and whether its image is unchanged.
 */
#include "tests/trustlets/stage.h"

#include "monitor/abi/image.h"

void enter(uint64_t vmcb, uint64_t regs[14]);
_Noreturn void stage_main(const uint32_t *multiboot);
void *memset(void *to, int byte, size_t bytes);
void *memcpy(void *restrict to, const void *restrict from, size_t bytes);

/* ---- VMCB: APM volume 2, appendix B ---- */

#define VMCB_EXCEPTIONS 0x008
#define VMCB_MISC1	0x00c
#define VMCB_MISC2	0x010
#define VMCB_IOPM	0x040
#define VMCB_MSRPM	0x048
#define VMCB_ASID	0x058
#define VMCB_TLB	0x05c
#define VMCB_EXITCODE	0x070
#define VMCB_INFO1	0x078
#define VMCB_INFO2	0x080
#define VMCB_NP		0x090
#define VMCB_EVENT	0x0a8
#define VMCB_NCR3	0x0b0
#define VMCB_SEGMENTS	0x400 /* ES CS SS DS FS GS GDTR LDTR IDTR TR, 16 bytes each */
#define VMCB_EFER	0x4d0
#define VMCB_CR4	0x548
#define VMCB_CR3	0x550
#define VMCB_CR0	0x558
#define VMCB_RFLAGS	0x570
#define VMCB_RIP	0x578
#define VMCB_RSP	0x5d8
#define VMCB_RAX	0x5f8
#define VMCB_PAT	0x668

#define MISC1	     0x99040001u /* INTR, CPUID, HLT, IOIO, MSR, SHUTDOWN */
#define MISC2	     0x7fu	 /* VMRUN to SKINIT */
#define EXCEPTION_UD (1u << 6)
#define EXIT_UD	     0x46
#define EXIT_VMMCALL 0x81
#define EVENT_UD     0x80000306u
#define START_EFER   0x1d00 /* SVME (VMRUN wants it), NXE, LME; LMA comes with paging */
#define EFER_LMA     0x400
#define CALL_BYTES   3

struct partition partition;

static _Alignas(4096) uint8_t vmcb[4096], host_save[4096], permissions[3 * 4096];
static _Alignas(4096) uint8_t memory[4 << 20], image_copy[1 << 20];
static const char *script, *script_end;

static void put(char c)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(c), "Nd"(0xe9));
}

static void put_hex(uint64_t value)
{
	unsigned shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (;; shift -= 4) {
		put("0123456789abcdef"[value >> shift & 15]);
		if (!shift)
			return;
	}
}

void tell(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	for (; *format; format++) {
		if (*format != '%') {
			put(*format);
		} else if (*++format == 's') {
			for (const char *s = __builtin_va_arg(args, const char *); *s; s++)
				put(*s);
		} else {
			put_hex(__builtin_va_arg(args, uint64_t));
		}
	}
	__builtin_va_end(args);
}

_Noreturn void stage_end(void)
{
	tell("end\n");
	for (;;)
		__asm__ volatile("outl %0, %w1" : : "a"(0), "Nd"(0xf4));
}

void *memset(void *to, int byte, size_t bytes)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

static uint64_t *field(unsigned offset)
{
	return (uint64_t *)(vmcb + offset);
}

static void set32(unsigned offset, uint32_t value)
{
	*(uint32_t *)(vmcb + offset) = value;
}

/* ---- The script ---- */

static uint64_t number(const char **p)
{
	uint64_t value = 0;

	while (*p < script_end && **p == ' ')
		(*p)++;
	for (; *p<script_end &&* * p> ' '; (*p)++)
		value = value << 4 | (uint64_t)(**p <= '9' ? **p - '0' : **p - 'a' + 10);
	return value;
}

bool script_peek(struct line *line)
{
	const char *p = script;

	if (p >= script_end)
		return false;
	line->word = *p++;
	for (unsigned i = 0; i < 4; i++)
		line->number[i] = number(&p);
	return true;
}

void script_take(void)
{
	while (script < script_end && *script++ != '\n')
		;
}

/* ---- The partition ---- */

void *partition_at(uint64_t gpa, uint64_t bytes, bool write)
{
	uint64_t private = gpa - TRUSTLET_DATA_BASE, image = gpa - TRUSTLET_IMAGE_BASE;

	if (private < partition.pages * PAGE && bytes <= partition.pages * PAGE - private)
		return partition.memory + private;
	if (!write && image < partition.image_pages * PAGE &&
	    bytes <= partition.image_pages * PAGE - image)
		return (uint8_t *)(uintptr_t)partition.image + image;
	return NULL;
}

static void set_segments(void)
{
	const uint64_t data = 0xffffffff0c930010, code = 0xffffffff0c9b0008;

	for (unsigned i = 0; i < 6; i++)
		*field(VMCB_SEGMENTS + 16 * i) = i == 1 ? code : data;
	*field(VMCB_SEGMENTS + 16 * 7) = 0x0000ffff00820000;
	*field(VMCB_SEGMENTS + 16 * 9) = 0x0000ffff008b0000;
}

/* arch/vp.h's start state. */
static void reset(const struct line *start, uint64_t regs[14])
{
	memset(vmcb, 0, sizeof(vmcb));
	memset(permissions, 0xff, sizeof(permissions));
	set32(VMCB_EXCEPTIONS, EXCEPTION_UD);
	set32(VMCB_MISC1, MISC1);
	set32(VMCB_MISC2, MISC2);
	*field(VMCB_IOPM) = *field(VMCB_MSRPM) = (uint64_t)permissions;
	set32(VMCB_ASID, 1);
	set32(VMCB_TLB, 1);
	*field(VMCB_NP) = 1;
	*field(VMCB_NCR3) = nested_build();
	set_segments();
	*field(VMCB_EFER) = START_EFER & ~EFER_LMA;
	*field(VMCB_CR4) = 0x100620; /* SMEP, OSXMMEXCPT, OSFXSR, PAE */
	*field(VMCB_CR0) = 0x31;     /* NE, ET, PE */
	*field(VMCB_RFLAGS) = 2;
	*field(VMCB_RIP) = TRUSTLET_IMAGE_BASE + PAGE;
	*field(VMCB_PAT) = 0x0007040600070406;
	memset(regs, 0, 14 * sizeof(regs[0]));
	regs[0] = TRUSTLET_DATA_BASE | start->number[0];
	regs[3] = partition.pages;
	regs[4] = start->number[2];
}

static void tell_stop(void)
{
	tell("stopped %x %x %x rip %x\n", *field(VMCB_EXITCODE), *field(VMCB_INFO1),
	    *field(VMCB_INFO2), *field(VMCB_RIP));
}

/* Whether the trustlet stands at the instruction 0f 01 LAST. */
static bool at_instruction(uint8_t last)
{
	const uint8_t *code = partition_at(*field(VMCB_RIP), CALL_BYTES, false);

	return code && code[0] == 0x0f && code[1] == 0x01 && code[2] == last;
}

/*
 * VMCALL is #UD here: a trustlet that was told that the vendor is Intel gets its call all the same.
 */
static enum outcome run(uint64_t regs[14], bool vmmcall)
{
	uint64_t why;
	bool is_call;

	enter((uint64_t)vmcb, regs);
	set32(VMCB_TLB, 0);
	why = *field(VMCB_EXITCODE);
	is_call = vmmcall ? why == EXIT_VMMCALL : why == EXIT_UD && at_instruction(0xc1);
	if (is_call) {
		*field(VMCB_RIP) += CALL_BYTES;
		return call(field(VMCB_RAX), regs, *field(VMCB_CR3));
	}
	if (why == EXIT_UD) {
		*field(VMCB_EVENT) = EVENT_UD;
		return GO_ON;
	}
	tell_stop();
	return ENDED;
}

static void check_image(void)
{
	const uint64_t *now = (const void *)partition.image, *before = (const void *)image_copy;

	for (uint64_t i = 0; i < partition.image_pages * PAGE / 8; i++) {
		if (now[i] != before[i]) {
			tell("image changed at %x\n", i * 8);
			return;
		}
	}
}

static void start(const struct line *line)
{
	const struct redoubt_image *header = (const void *)partition.image;
	uint64_t regs[14];

	partition.pages = header->data_pages + (int64_t)(int8_t)line->number[1];
	partition.memory = memory;
	memset(memory, 0, sizeof(memory));
	tell("start %x %x %x\n", line->number[0], partition.pages, line->number[2]);
	calls_start();
	reset(line, regs);
	while (run(regs, line->number[0] & START_VMMCALL) == GO_ON)
		;
	check_image();
}

static void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* A module is four words: start, end, ... */
static void take_modules(const uint32_t *module, uint32_t count)
{
	const uint32_t *last = module + 4 * (size_t)(count - 1);

	partition.image = (const uint8_t *)(uintptr_t)module[0];
	script = (const char *)(uintptr_t)last[0];
	script_end = (const char *)(uintptr_t)last[1];
	for (module += 4; module < last; module += 4)
		partition.offered[partition.offered_count++] = (struct offered){
			(const uint8_t *)(uintptr_t)module[0], module[1] - module[0]
		};
}

/* Multiboot information: count of modules at 20, their list at 24. */
_Noreturn void stage_main(const uint32_t *multiboot)
{
	const uint32_t *modules = (const uint32_t *)(uintptr_t)multiboot[6];
	const struct redoubt_image *header;
	uint64_t image_bytes;
	struct line line;

	if (multiboot[5] < 2 || multiboot[5] > OFFERED_MAX + 2)
		stage_end();
	take_modules(modules, multiboot[5]);
	image_bytes = modules[1] - modules[0];
	header = (const void *)partition.image;
	tell("image fault %x\n", (uint64_t)image_check(header, image_bytes));
	if (image_check(header, image_bytes) != IMAGE_OK ||
	    header->pages * PAGE > sizeof(image_copy))
		stage_end();
	partition.image_pages = header->pages;
	partition.text_pages = header->text_pages;
	memcpy(image_copy, partition.image, header->pages * PAGE);
	write_msr(0xc0010117, (uint64_t)host_save);
	while (script_peek(&line)) {
		script_take();
		if (line.word == 's')
			start(&line);
	}
	stage_end();
}
