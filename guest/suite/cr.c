/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Control registers. The monitor watches a few bits of CR0 and CR4; for the guest all of them have
 * to behave as SDM 3A 2.5 says, on a CPU without VMX and SMX (T16).
 */
#include "guest/suite/suite.h"

#include "guest/lib/memory.h"
#include "guest/lib/mode.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

#define EFER_SVME      (1ull << 12)
#define EFER_KNOWN     (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define PHYS_BITS      (cpuid(0x80000008, 0).eax & 0xff)
#define READ_ONLY_PAGE (WINDOW + 0x100000)

/* ---- CR4 ---- */

/*
 * Bits and where CPUID offers them: leaf 1 or 7, ECX or EBX, bit; leaf 0: every 64-bit CPU has it.
 */
static const struct {
	const char *name;
	uint64_t bit;
	uint8_t leaf, ecx, cpuid_bit;
} cr4_bits[] = {
	{ "VME", CR4_VME, 0, 0, 0 },
	{ "PVI", CR4_PVI, 0, 0, 0 },
	{ "TSD", CR4_TSD, 0, 0, 0 },
	{ "DE", CR4_DE, 0, 0, 0 },
	{ "PSE", CR4_PSE, 0, 0, 0 },
	{ "MCE", CR4_MCE, 0, 0, 0 },
	{ "PGE", CR4_PGE, 0, 0, 0 },
	{ "PCE", CR4_PCE, 0, 0, 0 },
	{ "OSFXSR", CR4_OSFXSR, 0, 0, 0 },
	{ "OSXMMEXCPT", CR4_OSXMMEXCPT, 0, 0, 0 },
	{ "UMIP", CR4_UMIP, 7, 1, 2 },
	{ "LA57", CR4_LA57, 7, 1, 16 },
	{ "FSGSBASE", CR4_FSGSBASE, 7, 0, 0 },
	{ "PCIDE", CR4_PCIDE, 1, 1, 17 },
	{ "OSXSAVE", CR4_OSXSAVE, 1, 1, 26 },
	{ "SMEP", CR4_SMEP, 7, 0, 7 },
	{ "SMAP", CR4_SMAP, 7, 0, 20 },
	{ "PKE", CR4_PKE, 7, 1, 3 },
	{ "CET", CR4_CET, 7, 1, 7 },
	{ "PKS", CR4_PKS, 7, 1, 31 },
};

#define CR4_ROWS (sizeof(cr4_bits) / sizeof(cr4_bits[0]))

static bool cr4_offered(unsigned row)
{
	struct cpuid r;

	if (!cr4_bits[row].leaf)
		return true;
	r = cpuid(cr4_bits[row].leaf, 0);
	return (cr4_bits[row].ecx ? r.ecx : r.ebx) >> cr4_bits[row].cpuid_bit & 1;
}

/*
 * The other value of a bit is taken and read back, then the old one. LA57 cannot change in 64-bit
 * mode.
 */
static void cr4_toggle(unsigned row)
{
	uint64_t old = read_cr4();
	uint64_t wanted = old ^ cr4_bits[row].bit;
	bool pass = trap_try(do_write_cr4, &wanted, NULL) == TRAP_NONE && read_cr4() == wanted;

	write_cr4(old);
	tap(pass && read_cr4() == old, "cr: CR4.%s can be changed and reads back",
	    cr4_bits[row].name);
}

static void cr4_refused(const char *what, uint64_t value)
{
	uint64_t old = read_cr4();
	struct trap trap;

	trap_try(do_write_cr4, &value, &trap);
	expect_trap(what, VECTOR_GP, 0, &trap);
	tap(read_cr4() == old, "%s: the register is unchanged", what);
	write_cr4(old);
}

static void cr4_offered_bits(void)
{
	for (unsigned i = 0; i < CR4_ROWS; i++) {
		if (!cr4_offered(i))
			cr4_refused("cr: a CR4 bit that CPUID does not offer",
			    read_cr4() | cr4_bits[i].bit);
		else if (cr4_bits[i].bit != CR4_LA57)
			cr4_toggle(i);
	}
}

/* Every bit that has no name in the table, one at a time. */
static void cr4_reserved_bits(void)
{
	uint64_t named = CR4_PAE | CR4_VMXE | CR4_SMXE;
	uint64_t old = read_cr4();
	unsigned wrong = 0;

	for (unsigned i = 0; i < CR4_ROWS; i++)
		named |= cr4_bits[i].bit;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = old | 1ull << bit;

		if (named >> bit & 1)
			continue;
		if (trap_try(do_write_cr4, &value, NULL) != VECTOR_GP || read_cr4() != old) {
			tap_note("CR4 bit %u", bit);
			wrong++;
			write_cr4(old);
		}
	}
	tap(!wrong, "T16 every reserved bit of CR4 is refused");
}

static void cr4(void)
{
	uint64_t cr3 = read_cr3();

	tap(!(read_cr4() & (CR4_VMXE | CR4_SMXE)), "T16 CR4.VMXE and SMXE read zero");
	cr4_refused("T16 setting CR4.VMXE", read_cr4() | CR4_VMXE);
	cr4_refused("T16 setting CR4.SMXE", read_cr4() | CR4_SMXE);
	cr4_refused("T16 setting CR4.VMXE with others", CR4_PAE | CR4_VMXE | CR4_PGE | CR4_UMIP);
	cr4_refused("cr: clearing CR4.PAE in 64-bit mode", read_cr4() & ~CR4_PAE);
	cr4_offered_bits();
	cr4_reserved_bits();
	write_cr3(cr3 | 1 << 3);
	cr4_refused("cr: CR4.PCIDE with low bits of CR3 set", read_cr4() | CR4_PCIDE);
	write_cr3(cr3);
}

/* ---- CR0 ---- */

static bool cr0_takes(uint64_t value)
{
	return trap_try(do_write_cr0, &value, NULL) == TRAP_NONE && read_cr0() == value;
}

static void cr0_works(const char *what, uint64_t value)
{
	uint64_t old = read_cr0();
	bool pass = cr0_takes(value);

	write_cr0(old);
	tap(pass && read_cr0() == old, "cr: CR0 %s: taken and read back", what);
}

static void cr0_refused(const char *what, uint64_t value)
{
	uint64_t old = read_cr0();
	struct trap trap;

	trap_try(do_write_cr0, &value, &trap);
	expect_trap(what, VECTOR_GP, 0, &trap);
	tap(read_cr0() == old, "%s: the register is unchanged", what);
	write_cr0(old);
}

static void cr0_reserved(void)
{
	const uint64_t known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP |
	    CR0_AM | CR0_NW | CR0_CD | CR0_PG;
	uint64_t old = read_cr0();
	unsigned wrong = 0;

	for (unsigned bit = 32; bit < 64; bit++) {
		uint64_t value = old | 1ull << bit;

		wrong += trap_try(do_write_cr0, &value, NULL) != VECTOR_GP || read_cr0() != old;
	}
	tap(!wrong, "T16 every bit of CR0 above 31 is refused");
	wrong = 0;
	for (unsigned bit = 0; bit < 32; bit++) {
		uint64_t value = old | 1ull << bit;

		if (known >> bit & 1)
			continue;
		wrong += trap_try(do_write_cr0, &value, NULL) != TRAP_NONE || read_cr0() != old;
	}
	tap(!wrong, "T16 reserved bits of CR0 below 32 stay zero without a fault (SDM 3A 2.5)");
}

/* A store to a page that is mapped read-only. */
static void store(void *address)
{
	*(volatile uint64_t *)address = 1;
}

static void write_protect(void)
{
	void *page = pages_alloc(1);

	memory_map_page(READ_ONLY_PAGE, (uint64_t)page, PTE_P);
	write_cr0(read_cr0() & ~CR0_WP);
	expect("cr: ring 0 writes a read-only page with CR0.WP clear", TRAP_NONE, 0, store,
	    (void *)READ_ONLY_PAGE);
	write_cr0(read_cr0() | CR0_WP);
	expect("cr: ring 0 writes a read-only page with CR0.WP set", VECTOR_PF,
	    PF_PRESENT | PF_WRITE, store, (void *)READ_ONLY_PAGE);
}

/* CLTS, LMSW and SMSW exit by themselves (SDM 3C 25.1.3). */
static void machine_status_word(void)
{
	uint64_t old = read_cr0();
	uint64_t msw;

	write_cr0(old | CR0_TS);
	__asm__ volatile("clts");
	tap(read_cr0() == (old & ~CR0_TS), "cr: CLTS clears CR0.TS alone");
	__asm__ volatile("lmsw %0" : : "r"((uint16_t)(CR0_PE | CR0_TS | CR0_EM)));
	tap(read_cr0() == ((old | CR0_TS | CR0_EM) & ~CR0_MP),
	    "cr: LMSW sets TS and EM, clears MP");
	__asm__ volatile("lmsw %0" : : "r"((uint16_t)(CR0_MP)));
	tap((read_cr0() & (CR0_PE | 0xf)) == (CR0_PE | CR0_MP), "cr: LMSW cannot clear PE");
	write_cr0(old);
	__asm__ volatile("smsw %0" : "=r"(msw));
	tap((msw & 0xffff) == (old & 0xffff), "cr: SMSW reads CR0");
	write_cr0(old & ~CR0_NE);
	__asm__ volatile("smsw %0" : "=r"(msw));
	tap(!(msw & CR0_NE), "T16 SMSW shows CR0.NE as the guest wrote it");
	write_cr0(old);
}

static void cr0(void)
{
	uint64_t old = read_cr0();

	cr0_works("MP clear", old & ~CR0_MP);
	cr0_works("EM set", old | CR0_EM);
	cr0_works("TS set", old | CR0_TS);
	cr0_works("AM set", old | CR0_AM);
	cr0_works("WP clear", old & ~CR0_WP);
	cr0_works("NE clear (T16)", old & ~CR0_NE);
	cr0_works("NE clear with others changed (T16)", (old & ~(CR0_NE | CR0_MP)) | CR0_TS);
	cr0_works("CD set", old | CR0_CD);
	cr0_works("CD and NW set", old | CR0_CD | CR0_NW);
	cr0_refused("T16 CR0.NW without CD", old | CR0_NW);
	cr0_refused("T16 CR0.PG without PE", old & ~CR0_PE);
	cr0_refused("T16 clearing CR0.PG in a 64-bit segment", old & ~CR0_PG);
	cr0_refused("T16 clearing CR0.PG and PE", old & ~(CR0_PG | CR0_PE));
	cr0_reserved();
	write_protect();
	machine_status_word();
}

/* ---- The others ---- */

static void cr3(void)
{
	uint64_t old = read_cr3();
	unsigned wrong = 0;

	for (unsigned bit = PHYS_BITS; bit < 64; bit++) {
		uint64_t value = old | 1ull << bit;

		wrong += trap_try(do_write_cr3, &value, NULL) != VECTOR_GP || read_cr3() != old;
	}
	tap(!wrong, "cr: address bits of CR3 above MAXPHYADDR are refused");
	expect("cr: MOV to CR3 of the value it has", TRAP_NONE, 0, do_write_cr3, &old);
	if (!(cpuid(1, 0).ecx >> 17 & 1))
		return;
	write_cr4(read_cr4() | CR4_PCIDE);
	for (uint64_t pcid = 0; pcid < 4; pcid++) {
		uint64_t value = old | pcid | (pcid & 1) << 63;

		wrong += trap_try(do_write_cr3, &value, NULL) != TRAP_NONE;
		wrong += read_cr3() != (old | pcid);
	}
	tap(!wrong, "cr: CR3 with PCIDs, with and without the bit that keeps translations");
	write_cr3(old);
	write_cr4(read_cr4() & ~CR4_PCIDE);
}

static void cr8(void)
{
	uint64_t bad[] = { 0x10, 1ull << 32, ~0ull };

	for (unsigned i = 0; i < 3; i++)
		expect("cr: MOV to CR8 with reserved bits", VECTOR_GP, 0, do_write_cr8, &bad[i]);
	write_cr8(0xf);
	tap(read_cr8() == 0xf, "cr: CR8 reads back");
	write_cr8(0);
}

/* MOV to and from control registers that do not exist, and MOV from CR0 and CR4 by other rings. */
static void absent_registers(void)
{
	static const uint8_t absent[] = { 1, 5, 6, 7 };
	char code[3] = { 0x0f, 0x22, 0 };
	struct snippet s = { .code = code, .bytes = 3 };

	for (unsigned i = 0; i < sizeof(absent); i++) {
		code[2] = (char)(0xc0 | absent[i] << 3);
		code[1] = 0x22;
		mode_expect("cr: MOV to a control register that does not exist", MODE_KERNEL64, &s,
		    VECTOR_UD, TRAP_ANY_ERROR);
		code[1] = 0x20;
		mode_expect("cr: MOV from a control register that does not exist", MODE_KERNEL64,
		    &s, VECTOR_UD, TRAP_ANY_ERROR);
	}
	for (unsigned reg = 0; reg <= 4; reg += 4) {
		code[2] = (char)(0xc0 | reg << 3);
		code[1] = 0x22;
		mode_expect("cr: MOV to a control register", MODE_USER64, &s, VECTOR_GP, 0);
		code[1] = 0x20;
		mode_expect("cr: MOV from a control register", MODE_USER32, &s, VECTOR_GP, 0);
	}
}

static void efer_refused(const char *what, uint64_t value)
{
	uint64_t old = rdmsr(MSR_EFER);
	struct reg_write r = { MSR_EFER, value };

	expect(what, VECTOR_GP, 0, do_wrmsr, &r);
	tap(rdmsr(MSR_EFER) == old, "%s: EFER is unchanged", what);
	wrmsr(MSR_EFER, old);
}

static void efer(void)
{
	uint64_t old = rdmsr(MSR_EFER);
	unsigned wrong = 0;

	tap((old & (EFER_LMA | EFER_LME)) == (EFER_LMA | EFER_LME), "cr: EFER shows 64-bit mode");
	efer_refused("cr: clearing EFER.LME with paging on", old & ~EFER_LME);
	efer_refused("T16 EFER.SVME", old | EFER_SVME);
	for (unsigned bit = 0; bit < 64; bit++) {
		if (EFER_KNOWN >> bit & 1)
			continue;
		wrong += try_wrmsr(MSR_EFER, old | 1ull << bit) != VECTOR_GP ||
		    rdmsr(MSR_EFER) != old;
	}
	tap(!wrong, "T16 every reserved bit of EFER is refused");
	wrmsr(MSR_EFER, old & ~EFER_SCE);
	tap(rdmsr(MSR_EFER) == (old & ~EFER_SCE), "cr: EFER.SCE can be cleared");
	wrmsr(MSR_EFER, old);
}

void suite_cr(void)
{
	cr0();
	cr4();
	cr3();
	cr8();
	absent_registers();
	efer();
}

/* ---- Paging and protection switched off and on again: each mode of the CPU and back ---- */

void suite_modes(void)
{
	static const struct snippet nothing = { CODE("\x90") };
	static const struct snippet undefined = { CODE("\x0f\x0b") };
	static const struct snippet word = { CODE("\x0f\x01\xe0") }; /* SMSW */
	struct trap trap;

	for (enum mode mode = 0; mode < MODE_COUNT; mode++) {
		mode_expect("modes: NOP", mode, &nothing, TRAP_NONE, 0);
		mode_expect("modes: UD2", mode, &undefined, VECTOR_UD, TRAP_ANY_ERROR);
		mode_run(mode, &word, &trap);
		tap(trap.frame.vector == TRAP_NONE && (trap.frame.rax & 1) == (mode != MODE_REAL),
		    "modes: SMSW shows CR0.PE in %s", mode_name(mode));
	}
	tap((rdmsr(MSR_EFER) & (EFER_LMA | EFER_LME)) == (EFER_LMA | EFER_LME),
	    "modes: 64-bit mode afterwards");
}
