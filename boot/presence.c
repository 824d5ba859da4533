/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Physical presence (presence.h).
 */
#include "boot/presence.h"

#include "boot/console.h"

#define LIMIT_S	       30u
#define TIMER_UNITS_S  10000000ull /* firmware's, of 100 ns */
#define EVENT_OF_TIMER 0u

/* Other keys than these two are nobody's answer. */
static CHAR16 read_key(SIMPLE_INPUT_INTERFACE *keyboard)
{
	EFI_INPUT_KEY key = { 0 };

	if (EFI_ERROR(keyboard->ReadKeyStroke(keyboard, &key)))
		return 0;
	if (key.UnicodeChar == 'Y' || key.UnicodeChar == 'N')
		key.UnicodeChar |= 'a' - 'A';
	return key.UnicodeChar == 'y' || key.UnicodeChar == 'n' ? key.UnicodeChar : 0;
}

/* 0: the time is over. */
static CHAR16 wait_for_key(SIMPLE_INPUT_INTERFACE *keyboard, EFI_EVENT timer)
{
	EFI_EVENT events[] = { timer, keyboard->WaitForKey };
	CHAR16 key = 0;
	UINTN which;

	while (
	    key == 0 && !EFI_ERROR(BS->WaitForEvent(2, events, &which)) && which != EVENT_OF_TIMER)
		key = read_key(keyboard);
	return key;
}

static CHAR16 ask(SIMPLE_INPUT_INTERFACE *keyboard)
{
	EFI_EVENT timer;
	CHAR16 key = 0;

	if (EFI_ERROR(BS->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &timer)))
		return 0;
	/* What was typed before the question answers nothing. */
	keyboard->Reset(keyboard, FALSE);
	say("press y to clear it, n to leave it as it is: within %u seconds, or it is left",
	    LIMIT_S);
	if (!EFI_ERROR(BS->SetTimer(timer, TimerRelative, LIMIT_S * TIMER_UNITS_S)))
		key = wait_for_key(keyboard, timer);
	BS->CloseEvent(timer);
	return key;
}

BOOLEAN presence_confirmed(UINT64 operation)
{
	SIMPLE_INPUT_INTERFACE *keyboard = ST->ConIn; /* NULL: the machine has none */
	CHAR16 key = 0;

	say("the operating system asks to CLEAR this machine's vTPM (operation %lu): its keys "
	    "would "
	    "be lost for good, and all that only they open",
	    operation);
	if (keyboard)
		key = ask(keyboard);
	if (key != 'y')
		say("the vTPM is left as it is: %s", key == 'n' ? "refused" : "nobody answered");
	return key == 'y';
}
