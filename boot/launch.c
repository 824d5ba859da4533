/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Launching the monitor on every CPU (I14: all of them, or none).
 */
#include "boot/launch.h"

#include "boot/console.h"
#include "boot/x86.h"

/* One operation of the monitor on one CPU. */
struct step {
	monitor_entry_fn entry;
	const struct bootinfo *info;
	UINT64 op;
	UINT64 cpu;
	volatile UINT64 result; /* a value of launch.def, or NO_ANSWER */
};

#define NO_ANSWER (~0ull)

static void EFIAPI do_step(void *argument)
{
	struct step *step = argument;

	step->result = step->entry(step->op, step->info, step->cpu);
}

static const char *sentence(UINT64 result)
{
	static const char *const sentences[] = {
#define LAUNCH(name, value, sentence) [value] = sentence,
#include "monitor/abi/launch.def"
#undef LAUNCH
	};

	if (result < sizeof(sentences) / sizeof(sentences[0]) && sentences[result])
		return sentences[result];
	return "The monitor gave an answer that this loader does not know.";
}

enum answer { ANSWER_OK, ANSWER_REFUSED, ANSWER_LOST };

/*
 * Runs an operation on a CPU, and says why if the answer is not LAUNCH_OK. ANSWER_LOST: the CPU was
 * started and did not come back in time; what it does now is not known, so what it was given stays
 * where it is (static: it may yet write its answer).
 */
static enum answer run(struct cpus *cpus, const struct handover *handover, UINT64 op, UINT32 index)
{
	static struct step step;
	EFI_STATUS status;
	UINT32 id = cpus->cpu[index].apic_id;

	step = (struct step){ handover->entry, handover->info, op, index, NO_ANSWER };
	status = cpus_run(cpus, index, do_step, &step);
	if (EFI_ERROR(status)) {
		refuse("CPU %u (APIC id %u): Firmware cannot run it (%s).", index, id,
		    status_text(status));
		return status == EFI_TIMEOUT ? ANSWER_LOST : ANSWER_REFUSED;
	}
	if (step.result == LAUNCH_OK)
		return ANSWER_OK;
	refuse("CPU %u (APIC id %u): %s", index, id, sentence(step.result));
	return ANSWER_REFUSED;
}

static void EFIAPI do_verify(void *argument)
{
	struct cpu_cover *cover = argument;

	*cover = cpu_cover();
}

static BOOLEAN verify(struct cpus *cpus, UINT32 index)
{
	struct cpu_cover cover = { 0 };
	EFI_STATUS status = cpus_run(cpus, index, do_verify, &cover);

	if (!EFI_ERROR(status) && cover.signature && cover.index == index &&
	    cover.covered == cpus->count)
		return TRUE;
	say("CPU %u (APIC id %u) is not under the monitor as it should be (%s; signature %u, index "
	    "%u, "
	    "%u covered)",
	    index, cpus->cpu[index].apic_id, status_text(status), cover.signature, cover.index,
	    cover.covered);
	return FALSE;
}

static enum launch_outcome launch_all(struct cpus *cpus, const struct handover *handover)
{
	UINT32 launched = 0;

	/* From the last to the first, which is this one: firmware can still use it if one fails. */
	for (UINT32 i = cpus->count; i-- > 0; launched++) {
		enum answer answer = run(cpus, handover, MONITOR_LAUNCH, i);

		if (answer != ANSWER_OK)
			return launched || answer == ANSWER_LOST ? LAUNCH_BROKEN : LAUNCH_REFUSED;
	}
	for (UINT32 i = 0; i < cpus->count; i++)
		if (!verify(cpus, i))
			return LAUNCH_BROKEN;
	return LAUNCH_DONE;
}

enum launch_outcome launch(struct cpus *cpus, const struct handover *handover)
{
	enum launch_outcome outcome;

	for (UINT32 i = 0; i < cpus->count; i++) {
		enum answer answer = run(cpus, handover, MONITOR_CHECK, i);

		if (answer != ANSWER_OK)
			return answer == ANSWER_LOST ? LAUNCH_ABANDONED : LAUNCH_REFUSED;
	}
	if (run(cpus, handover, MONITOR_INIT, 0) != ANSWER_OK)
		return LAUNCH_REFUSED;
	outcome = launch_all(cpus, handover);
	/* Should devices still go by its tables, its memory cannot be given back. */
	if (outcome == LAUNCH_REFUSED && run(cpus, handover, MONITOR_END, 0) != ANSWER_OK)
		return LAUNCH_ABANDONED;
	if (outcome == LAUNCH_DONE)
		say("%u CPUs covered", cpus->count);
	return outcome;
}
