/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * vtpm/ptpm on the host, above the registers of a TPM of QEMU's, which are read and written by its
 * test protocol ("qtest"), of a machine whose CPU stands still.
 *
 *   registers SOCKET
 *
 * Lines on stdout: "WHAT RESULT". The TPM was never started up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/vtpm/ptpm_rt.h"
#include "vtpm/ptpm/anchor.h"
#include "vtpm/ptpm/mmio.h"

#define LOOK_NS 20000u
#define TIMES	20u
#define ROOM	4096u

static FILE *machine;
static struct ptpm ptpm;
static bool sent; /* the last write was */
static const uint8_t auth[ANCHOR_AUTH_BYTES] = "what only this machine knows of.";
static const uint8_t startup[] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0 };
static const uint8_t self_test[] = { 0x80, 1, 0, 0, 0, 11, 0, 0, 1, 0x43, 1 };
static const uint8_t get_random[] = { 0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 32 };

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int where = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("path");
	strcpy(address.sun_path, path);
	if (where < 0 || connect(where, (struct sockaddr *)&address, sizeof(address)))
		die(path);
	machine = fdopen(where, "r+");
	if (!machine)
		die("fdopen");
	setvbuf(machine, NULL, _IONBF, 0);
}

/* "OK", or "OK VALUE". */
static uint32_t said(void)
{
	char line[100];
	unsigned long value = 0;

	if (!fgets(line, sizeof(line), machine) || strncmp(line, "OK", 2) != 0)
		die("qtest");
	if (line[2] == ' ')
		value = strtoul(line + 3, NULL, 0);
	return (uint32_t)value;
}

/* Where the registers are, the pointer is. */
static unsigned long address(const volatile uint8_t *at)
{
	return (unsigned long)(uintptr_t)at;
}

uint8_t mmio_read8(const volatile uint8_t *at)
{
	fprintf(machine, "readb 0x%lx\n", address(at));
	return (uint8_t)said();
}

void mmio_write8(volatile uint8_t *at, uint8_t value)
{
	fprintf(machine, "writeb 0x%lx 0x%x\n", address(at), value);
	said();
}

uint32_t mmio_read32(const volatile uint8_t *at)
{
	fprintf(machine, "readl 0x%lx\n", address(at));
	return said();
}

void mmio_write32(volatile uint8_t *at, uint32_t value)
{
	fprintf(machine, "writel 0x%lx 0x%x\n", address(at), value);
	said();
}

static volatile uint8_t *reg(uint32_t at)
{
	return (volatile uint8_t *)(uintptr_t)(PTPM_BASE + at);
}

/* ---- What firmware may leave behind ---- */

static void leave_fifo(size_t bytes, bool go)
{
	mmio_write8(reg(0x00), 0x02);
	mmio_write8(reg(0x18), 0x40);
	for (size_t i = 0; i < bytes; i++)
		mmio_write8(reg(0x24), self_test[i]);
	if (go)
		mmio_write8(reg(0x18), 0x20);
}

static void leave_crb(size_t bytes, bool go)
{
	mmio_write32(reg(0x08), 1);
	mmio_write32(reg(0x40), 1);
	for (size_t i = 0; i < bytes; i++)
		mmio_write8(reg(0x80 + (uint32_t)i), self_test[i]);
	if (go)
		mmio_write32(reg(0x4c), 1);
}

static void leave(size_t bytes, bool go)
{
	if (strcmp(ptpm_interface(&ptpm), "CRB") == 0)
		leave_crb(bytes, go);
	else
		leave_fifo(bytes, go);
}

/* ---- What is tried ---- */

static void command(const char *what, const uint8_t *bytes, size_t size)
{
	uint8_t response[ROOM];
	size_t length = ptpm_command(&ptpm, bytes, size, response, sizeof(response));

	if (length == 0)
		printf("%s: %s\n", what, ptpm.reason);
	else
		printf("%s: %zu bytes, code %02x%02x\n", what, length, response[8], response[9]);
}

#define COMMAND(bytes) command(#bytes, bytes, sizeof(bytes))

static void try_left_behind(void)
{
	const struct {
		size_t bytes;
		bool go;
	} left[] = { { 0, false }, { 5, false }, { sizeof(self_test), false },
		{ sizeof(self_test), true } };

	for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		leave(left[i].bytes, left[i].go);
		if (!ptpm_open(&ptpm, reg(0)))
			printf("left behind %u: %s\n", i, ptpm.reason);
		COMMAND(get_random);
	}
}

static void try_anchor(void)
{
	uint8_t value[ANCHOR_BYTES] = { 0 }, back[ANCHOR_BYTES];
	enum anchor_result result = anchor_define(&ptpm, auth);
	unsigned same = 0;

	printf("the anchor %s\n", anchor_sentence(result));
	result = anchor_read(&ptpm, auth, back);
	printf("the anchor %s, %u\n", anchor_sentence(result), back[0]);
	for (unsigned i = 0; i < TIMES; i++) {
		value[0] = (uint8_t)(i + 1);
		value[ANCHOR_BYTES - 1] = (uint8_t)~i;
		result = anchor_write(&ptpm, auth, value, &sent);
		if (result == ANCHOR_OK)
			result = anchor_read(&ptpm, auth, back);
		if (result != ANCHOR_OK)
			break;
		same += memcmp(value, back, sizeof(value)) == 0;
	}
	printf("the anchor %s, %u the same\n", anchor_sentence(result), same);
}

int main(int count, char **args)
{
	if (count != 2) {
		fprintf(stderr, "usage: see %s\n", __FILE__);
		return 2;
	}
	connect_to(args[1]);
	ptpm_clock.step = LOOK_NS;
	if (!ptpm_open(&ptpm, reg(0))) {
		printf("not open: %s\n", ptpm.reason);
		return 0;
	}
	printf("open: %s\n", ptpm_interface(&ptpm));
	COMMAND(startup);
	COMMAND(self_test);
	try_anchor();
	try_left_behind();
	try_anchor();
	printf("%llu looks\n", (unsigned long long)ptpm_clock.looks);
	return 0;
}
