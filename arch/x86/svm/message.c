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

unsigned message_mode(uint32_t command)
{
	if (COMMAND_MODE(command) == MODE_INIT &&
	    (command & (COMMAND_LEVEL | COMMAND_ASSERT)) == COMMAND_LEVEL)
		return MODE_DEASSERT;
	return COMMAND_MODE(command);
}

static bool logical(const struct message *m, uint32_t ldr, uint32_t dfr)
{
	uint32_t own = ldr >> 24;

	if (m->x2)
		return m->destination >> 16 == ldr >> 16 && (m->destination & ldr & 0xffff) != 0;
	if (dfr >> 28 == DFR_FLAT)
		return (m->destination & own) != 0;
	return m->destination >> 4 == own >> 4 && (m->destination & own & 15) != 0;
}

bool message_reaches(const struct message *m, uint32_t id, uint32_t ldr, uint32_t dfr, bool self)
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
	return m->command & COMMAND_LOGICAL ? logical(m, ldr, dfr) : m->destination == id;
}

uint32_t start_after(uint32_t word, uint32_t command)
{
	/* INIT at a CPU that waits changes nothing but that a SIPI under way no longer counts. */
	if (message_mode(command) == MODE_INIT)
		return word & START_WAITING ? START_WAITING : START_INIT;
	/* Only the first SIPI after INIT counts. */
	if (!(word & (START_INIT | START_WAITING)) || word & START_SIPI)
		return word;
	return word | START_SIPI | (command & 0xff);
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
