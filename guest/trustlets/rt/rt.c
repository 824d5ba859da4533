/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Start in C, and faults. An exception is reported and ends the trustlet; nothing continues.
 */
#include <assert.h>
#include <stddef.h>

#include "guest/trustlets/rt/layout.h"
#include "guest/trustlets/rt/rt.h"
#include "guest/trustlets/rt/trustlet.h"
#include "monitor/abi/image.h"

_Static_assert(RT_PAGE == IMAGE_PAGE && RT_IMAGE_BASE == TRUSTLET_IMAGE_BASE &&
	RT_DATA_BASE == TRUSTLET_DATA_BASE && RT_SHARED_BASE == TRUSTLET_SHARED_BASE,
    "start.S has the addresses of the interface");
_Static_assert(RT_TEXT_PAGES == offsetof(struct redoubt_image, text_pages) &&
	RT_RODATA_PAGES == offsetof(struct redoubt_image, rodata_pages),
    "start.S has the fields of the header");

uint64_t __stack_chk_guard;

/* What FS points at: code that others compiled has its canary at offset 0x28. */
uint64_t rt_thread[8];
#define THREAD_CANARY 5u

extern uint8_t rt_heap_start[], rt_heap_end[], rt_stack_bottom[], rt_stack_top[];
int main(void);
_Noreturn void rt_main(void);
_Noreturn void rt_fault(const struct rt_fault *fault, uint64_t cr2);
_Noreturn void __stack_chk_fail(void);

static const struct redoubt_image *header(void)
{
	const struct redoubt_image *image = (const void *)TRUSTLET_IMAGE_BASE;

	/* The compiler takes a number for an object of no size. */
	__asm__("" : "+r"(image));
	return image;
}

/* Has no canary itself: it is where the canary changes. */
__attribute__((no_stack_protector)) _Noreturn void rt_main(void)
{
	uint64_t secret[3];

	random_start();
	trustlet_random(secret, sizeof(secret));
	__stack_chk_guard = secret[0] & ~0xffull; /* a zero byte first stops strings */
	rt_thread[THREAD_CANARY] = secret[2] & ~0xffull;
	heap_start(rt_heap_start, (size_t)(rt_heap_end - rt_heap_start), secret[1]);
	trustlet_scrub(secret, sizeof(secret));
	trustlet_exit(EXIT_RETURNED, (uint64_t)main(), 0);
}

_Noreturn void __stack_chk_fail(void)
{
	trustlet_log("stack canary changed");
	trustlet_exit(EXIT_SMASHED, 0, 0);
}

_Noreturn void rt_assert_failed(const char *condition, const char *file, int line)
{
	trustlet_log("assertion failed: %s, %s:%d", condition, file, line);
	trustlet_exit(EXIT_ASSERT, (uint64_t)line, 0);
}

static bool in_text(uint64_t address)
{
	uint64_t start = TRUSTLET_IMAGE_BASE + IMAGE_PAGE;

	return address >= start && address - start < (uint64_t)header()->text_pages * IMAGE_PAGE;
}

/*
 * A wild pointer may be made of a secret, and the normal world reads the log: an address is told
 * only if it lies in what is ours, or in the page at 0.
 */
static const char *place(uint64_t address)
{
	if (address < IMAGE_PAGE)
		return "null";
	if (address >= TRUSTLET_IMAGE_BASE &&
	    address - TRUSTLET_IMAGE_BASE < (uint64_t)header()->pages * IMAGE_PAGE)
		return in_text(address) ? "text" : "read-only data";
	if (address >= (uint64_t)rt_stack_bottom - IMAGE_PAGE &&
	    address < (uint64_t)rt_stack_bottom)
		return "stack guard";
	if (address >= TRUSTLET_DATA_BASE &&
	    address - TRUSTLET_DATA_BASE < (uint64_t)rt_boot.pages * IMAGE_PAGE)
		return "private memory";
	return NULL;
}

static void show_registers(const struct rt_fault *f)
{
	trustlet_log("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx rsp %lx", f->rax,
	    f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp);
	trustlet_log("r8 %lx r9 %lx r10 %lx r11 %lx r12 %lx r13 %lx r14 %lx r15 %lx", f->r8, f->r9,
	    f->r10, f->r11, f->r12, f->r13, f->r14, f->r15);
}

/* Called by start.S on a stack of its own, with every exception. */
_Noreturn void rt_fault(const struct rt_fault *f, uint64_t cr2)
{
	static bool again;
	const uint64_t page_fault = 14;
	uint64_t rip = in_text(f->rip) ? f->rip : 0;
	bool address = f->vector == page_fault && place(cr2);

	if (again)
		trustlet_exit(EXIT_FAULT, f->vector, rip);
	again = true;
	trustlet_log("exception %lu error %lx at %lx, address %lx (%s)", f->vector, f->error, rip,
	    address ? cr2 : 0, address ? place(cr2) : "not told");
	if (header()->flags & IMAGE_DEBUG)
		show_registers(f);
	trustlet_exit(EXIT_FAULT, f->vector, rip);
}
