/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The configuration file, redoubt.conf: parsed strictly, without any call to firmware, so that the
 * same source is tested and fuzzed on the host.
 *
 * A file is lines of printable ASCII, ended by LF or CR LF: empty, a comment (first character
 * behind blanks is #), or `key = value`. README.md lists keys and values. What is unknown,
 * malformed, given twice, too long or not ASCII is an error of that line, never skipped or guessed
 * at.
 */
#ifndef BOOT_CONFIG_H
#define BOOT_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#define CONFIG_FILE_MAX		   16384u /* bytes of the file */
#define CONFIG_LINE_MAX		   2047u  /* characters of a line */
#define CONFIG_PATH_MAX		   255u	  /* characters of a path */
#define CONFIG_NEXT_DEFAULT	   "\\EFI\\debian\\shimx64.efi"
#define CONFIG_SERIAL_PORT_DEFAULT 0x3f8u

struct config {
	char next[CONFIG_PATH_MAX + 1]; /* path of the next loader on our own volume */
	char initrd[CONFIG_PATH_MAX +
	    1]; /* path of the initrd for an EFI-stub kernel; "" for none */
	char options[CONFIG_LINE_MAX + 1]; /* the next loader's options; "" for none */
	uint32_t log_level;		   /* enum log_level */
	uint32_t flags;			   /* BOOTINFO_ bits of monitor/abi/bootinfo.h */
	uint16_t serial_port;		   /* base port of a 16550 */
};

/*
 * Told of each error: the line's number from 1, what is wrong (a constant), and the key it is about
 * or "" (printable, at most 31 characters).
 */
typedef void (
    *config_report_fn)(void *context, unsigned line, const char *complaint, const char *key);

/* What holds where the file says nothing. */
void config_defaults(struct config *config);

/*
 * Parses `length` bytes of text over the defaults. Returns the number of errors, each of them
 * reported; with any, the configuration must not be used.
 */
unsigned config_parse(struct config *config, const char *text, size_t length,
    config_report_fn report, void *context);

#endif
