#include "guest/lib/guest.h"
#include "guest/lib/mode.h"
#include "guest/lib/options.h"
#include "guest/lib/smp.h"
#include "guest/lib/text.h"
#include "guest/lib/x86.h"

void guest_main(void)
{
	static const struct snippet cp = { CODE("\x0f\xa2"), .rax = 0 };
	static const struct snippet ud = { CODE("\x0f\x0b") };
	tap_note("options %s", options_text());
	for (enum mode m = 0; m < MODE_COUNT; m++) {
		mode_expect("CPUID", m, &cp, TRAP_NONE, 0);
		mode_expect("UD2", m, &ud, VECTOR_UD, 0);
	}
	tap(smp_start_all(), "all %u CPUs start", cpu_total());
	tap_end();
}
