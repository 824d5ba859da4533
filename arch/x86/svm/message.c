/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * See message.h.
 */
#include "arch/x86/svm/message.h"

#define COMMAND_MODE(c)	     ((c) >> 8 & 7)
#define COMMAND_LOGICAL	     (1u << 11)
#define COMMAND_ASSERT	     (1u << 14)
#define COMMAND_LEVEL	     (1u << 15)
#define COMMAND_SHORTHAND(c) ((c) >> 18 & 3)
#define DFR_FLAT	     0xfu /* the upper four bits; all clear: clusters */
#define REDIRECTION_FIRST    0x10u

enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

unsigned message_mode(const struct message *m)
{
	return COMMAND_MODE(m->command);
}

bool message_is_deassert(const struct message *m)
{
	return message_mode(m) == MODE_INIT &&
	    (m->command & (COMMAND_LEVEL | COMMAND_ASSERT)) == COMMAND_LEVEL;
}

bool message_starts(const struct message *m)
{
	return message_mode(m) == MODE_STARTUP ||
	    (message_mode(m) == MODE_INIT && !message_is_deassert(m));
}

bool message_is_ours(const struct message *m)
{
	return message_starts(m) || message_mode(m) == MODE_NMI;
}

static bool logical(const struct message *m, const struct message_address *cpu)
{
	uint32_t own = cpu->ldr >> 24;

	if (m->x2)
		return m->destination >> 16 == cpu->ldr >> 16 &&
		    (m->destination & cpu->ldr & 0xffff) != 0;
	if (cpu->dfr >> 28 == DFR_FLAT)
		return (m->destination & own) != 0;
	return m->destination >> 4 == own >> 4 && (m->destination & own & 15) != 0;
}

bool message_reaches(const struct message *m, const struct message_address *cpu, bool self)
{
	switch (COMMAND_SHORTHAND(m->command)) {
	case TO_SELF:
		return self;
	case TO_ALL:
		return true;
	case TO_OTHERS:
		return !self;
	default:
		break;
	}
	if (m->destination == (m->x2 ? UINT32_MAX : UINT8_MAX))
		return true;
	return m->command & COMMAND_LOGICAL ? logical(m, cpu) : m->destination == cpu->id;
}

/* INIT at a CPU that waits changes nothing but that a SIPI under way no longer counts. */
uint32_t start_after_init(uint32_t word)
{
	return word & START_WAITING ? START_WAITING : START_INIT;
}

/* Only the first SIPI after INIT counts. */
uint32_t start_after_sipi(uint32_t word, uint8_t vector)
{
	if (!(word & (START_INIT | START_WAITING)) || word & START_SIPI)
		return word;
	return word | START_SIPI | vector;
}

bool message_lvt_allowed(uint32_t value)
{
	return COMMAND_MODE(value) != MODE_INIT;
}

/* The lower half of an entry stands at an even index. */
bool message_redirection_allowed(uint32_t index, uint32_t value)
{
	unsigned mode = COMMAND_MODE(value);

	if (index < REDIRECTION_FIRST || index & 1)
		return true;
	return mode != MODE_SMI && mode != MODE_NMI && mode != MODE_INIT;
}
