/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The loader's console.
 */
#include "boot/console.h"

#include "boot/text.h"
#include "boot/x86.h"

#define DEBUGCON_PORT 0xe9u
#define LINE_MAX      320u
#define PREFIX_MAX    32u
#define SHOWN_COLUMNS 100u
#define PAUSE_100NS   100000000ull /* ten seconds */

static bool debugcon, details;

void console_debugcon(void)
{
	debugcon = true;
}

void console_details(void)
{
	details = true;
}

static void put_debugcon(const char *text)
{
	while (debugcon && *text)
		port_write8(DEBUGCON_PORT, (uint8_t)*text++);
}

/* Appends to `at`, which has room, and returns the end. */
static CHAR16 *widen(CHAR16 *at, const char *text)
{
	while (*text)
		*at++ = (CHAR16)(unsigned char)*text++;
	return at;
}

/* One call of firmware's a line: each redraws the cursor. `line` is shorter than LINE_MAX. */
static void put_line(const char *prefix, const char *line, bool shown)
{
	CHAR16 wide[PREFIX_MAX + LINE_MAX + 3];

	put_debugcon(prefix);
	put_debugcon(line);
	put_debugcon("\n");
	if (!shown)
		return;
	*widen(widen(widen(wide, prefix), line), "\r\n") = 0;
	ST->ConOut->OutputString(ST->ConOut, wide);
}

void say(const char *format, ...)
{
	char line[LINE_MAX];
	va_list args;

	va_start(args, format);
	text_vformat(line, sizeof(line), format, args);
	va_end(args);
	put_line("redoubt: ", line, true);
}

void detail(const char *format, ...)
{
	char line[LINE_MAX];
	va_list args;

	va_start(args, format);
	text_vformat(line, sizeof(line), format, args);
	va_end(args);
	put_line("redoubt: ", line, details);
}

bool refuse(const char *format, ...)
{
	char line[LINE_MAX];
	va_list args;

	va_start(args, format);
	text_vformat(line, sizeof(line), format, args);
	va_end(args);
	put_line("redoubt: refused: ", line, true);
	return false;
}

void show_text(const char *text, unsigned length)
{
	char line[SHOWN_COLUMNS + 1];
	unsigned column = 0;

	for (unsigned i = 0; i < length; i++) {
		char c = text[i];

		if (c < 0x20 || c > 0x7e)
			c = '.';
		if (text[i] != '\n')
			line[column++] = c;
		if (text[i] == '\n' || column == SHOWN_COLUMNS || i + 1 == length) {
			line[column] = 0;
			put_line("  | ", line, true);
			column = 0;
		}
	}
}

void console_pause(void)
{
	SIMPLE_INPUT_INTERFACE *keyboard = ST->ConIn; /* NULL: the machine has none */
	EFI_EVENT events[2];
	EFI_INPUT_KEY key;
	UINTN which, count = 1;

	if (EFI_ERROR(BS->CreateEvent(EVT_TIMER, TPL_CALLBACK, NULL, NULL, &events[0])))
		return;
	if (keyboard)
		events[count++] = keyboard->WaitForKey;
	if (!EFI_ERROR(BS->SetTimer(events[0], TimerRelative, PAUSE_100NS)) &&
	    !EFI_ERROR(BS->WaitForEvent(count, events, &which)) && which == 1 && keyboard)
		keyboard->ReadKeyStroke(keyboard, &key);
	BS->CloseEvent(events[0]);
}

const char *status_text(EFI_STATUS status)
{
	static const struct {
		EFI_STATUS status;
		const char *text;
	} texts[] = {
		{ EFI_SUCCESS, "success" },
		{ EFI_LOAD_ERROR, "not a program that firmware can load" },
		{ EFI_INVALID_PARAMETER, "invalid parameter" },
		{ EFI_UNSUPPORTED, "unsupported" },
		{ EFI_BUFFER_TOO_SMALL, "buffer too small" },
		{ EFI_NOT_READY, "not ready" },
		{ EFI_DEVICE_ERROR, "device error" },
		{ EFI_WRITE_PROTECTED, "write protected" },
		{ EFI_OUT_OF_RESOURCES, "out of memory" },
		{ EFI_VOLUME_CORRUPTED, "the volume is corrupted" },
		{ EFI_NOT_FOUND, "not found" },
		{ EFI_ACCESS_DENIED, "access denied (Secure Boot does not trust its signature?)" },
		{ EFI_TIMEOUT, "timeout" },
		{ EFI_NOT_STARTED, "not started" },
		{ EFI_ALREADY_STARTED, "already started" },
		{ EFI_ABORTED, "aborted" },
		{ EFI_SECURITY_VIOLATION, "Secure Boot does not trust its signature" },
	};

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "an error without a name";
}
