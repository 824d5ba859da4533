/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A virtio disk as a device that copies (device.h), through its first sector. It is told to go by
 * the platform's translation (VIRTIO_F_ACCESS_PLATFORM), which QEMU's virtio devices do when asked
 * to. Virtio 1.1: 2.6 (queue), 4.1.4 (PCI), 5.2.6 (requests).
 */
#include "guest/suite/device.h"

#include "guest/lib/memory.h"
#include "guest/lib/text.h"

#define VIRTIO_BLOCK  0x10421af4u
#define CAPABILITY    0x09u
#define CONFIG_COMMON 1u
#define CONFIG_NOTIFY 2u

/* Common configuration. */
#define WANT_SELECT   0x08u
#define WANT	      0x0cu
#define STATUS	      0x14u
#define QUEUE_SELECT  0x16u
#define QUEUE_SIZE    0x18u
#define QUEUE_ENABLE  0x1cu
#define QUEUE_TABLE   0x20u
#define QUEUE_DRIVER  0x28u
#define QUEUE_DEVICE  0x30u
#define STATUS_DRIVER 3u
#define STATUS_AGREED 8u
#define STATUS_GO     4u
#define FEATURES_HIGH 3u /* VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM: bits 32 and 33 */

#define ENTRIES	      8u
#define CHAINED	      1u
#define DEVICE_WRITES 2u
#define REQUEST_IN    0u
#define REQUEST_OUT   1u
#define POLLS	      100000u

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct tables {
	struct descriptor table[ENTRIES];
	uint16_t driver[2 + ENTRIES];	  /* flags, index, heads */
	uint32_t device[1 + 2 * ENTRIES]; /* flags and index, heads and lengths */
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} request;
	uint8_t status;
	uint8_t data[DEVICE_BYTES];
};

static struct {
	uint32_t function;
	volatile uint8_t *common, *notify;
	volatile struct tables *tables;
} virtio;

static void put8(unsigned at, uint8_t value)
{
	*(virtio.common + at) = value;
}

static void put16(unsigned at, uint16_t value)
{
	*(volatile uint16_t *)(virtio.common + at) = value;
}

static void put32(unsigned at, uint32_t value)
{
	*(volatile uint32_t *)(virtio.common + at) = value;
}

static void put_address(unsigned at, const volatile void *address)
{
	put32(at, (uint32_t)(uint64_t)address);
	put32(at + 4, (uint32_t)((uint64_t)address >> 32));
}

/* Reset, and set up as a driver does. */
static void again(void)
{
	volatile struct tables *t = virtio.tables;

	pci_master(virtio.function);
	put8(STATUS, 0);
	for (unsigned i = 0; i < POLLS && virtio.common[STATUS] != 0; i++)
		__asm__ volatile("pause");
	memset((void *)(uint64_t)t, 0, sizeof(*t));
	put8(STATUS, STATUS_DRIVER);
	put32(WANT_SELECT, 0);
	put32(WANT, 0);
	put32(WANT_SELECT, 1);
	put32(WANT, FEATURES_HIGH);
	put8(STATUS, STATUS_DRIVER | STATUS_AGREED);
	if (!(virtio.common[STATUS] & STATUS_AGREED))
		bail("the virtio disk does not go by the platform's translation");
	put16(QUEUE_SELECT, 0);
	put16(QUEUE_SIZE, ENTRIES);
	put_address(QUEUE_TABLE, t->table);
	put_address(QUEUE_DRIVER, t->driver);
	put_address(QUEUE_DEVICE, t->device);
	put16(QUEUE_ENABLE, 1);
	put8(STATUS, STATUS_DRIVER | STATUS_AGREED | STATUS_GO);
}

/* Firmware places its registers beyond what is mapped. */
static volatile uint8_t *map(uint64_t address)
{
	static uint64_t next = WINDOW;
	uint64_t at = next;

	next += PAGE;
	memory_map_page(at, address & ~(uint64_t)(PAGE - 1), PTE_P | PTE_W);
	return (volatile uint8_t *)(at | address % PAGE);
}

/* The part of a base address register that a capability of a type names. */
static volatile uint8_t *find_config(uint32_t type)
{
	uint32_t at = pci_capability(virtio.function, CAPABILITY);

	while (at != 0) {
		uint32_t head = pci_read(virtio.function, at);

		if ((head & 0xff) == CAPABILITY && head >> 24 == type)
			return map((uint64_t)pci_bar(virtio.function,
				       pci_read(virtio.function, at + 4) & 0xff) +
			    pci_read(virtio.function, at + 8));
		at = head >> 8 & 0xfc;
	}
	bail("the virtio disk has no part of type %u", type);
}

static uint16_t start(void)
{
	virtio.function = pci_find(0, UINT32_MAX, VIRTIO_BLOCK, "virtio disk");
	virtio.common = find_config(CONFIG_COMMON);
	virtio.notify = find_config(CONFIG_NOTIFY);
	virtio.tables = pages_alloc(1);
	again();
	return (uint16_t)virtio.function;
}

/* What is refused leaves the device broken: it is reset then. */
static void transfer(uint32_t type, uint64_t address)
{
	volatile struct tables *t = virtio.tables;
	uint16_t index = t->driver[1];

	t->request.type = type;
	t->request.sector = 0;
	t->table[0] = (struct descriptor){ (uint64_t)&t->request, sizeof(t->request), CHAINED, 1 };
	t->table[1] = (struct descriptor){ address, DEVICE_BYTES,
		CHAINED | (type == REQUEST_IN ? DEVICE_WRITES : 0), 2 };
	t->table[2] = (struct descriptor){ (uint64_t)&t->status, 1, DEVICE_WRITES, 0 };
	t->driver[2 + index % ENTRIES] = 0;
	__asm__ volatile("" : : : "memory");
	t->driver[1] = (uint16_t)(index + 1);
	*(volatile uint16_t *)virtio.notify = 0;
	for (unsigned i = 0; i < POLLS; i++) {
		if ((uint16_t)(t->device[0] >> 16) == (uint16_t)(index + 1))
			return;
		__asm__ volatile("pause");
	}
	again();
}

static void set_data(const void *from)
{
	for (unsigned i = 0; i < DEVICE_BYTES; i++)
		virtio.tables->data[i] = from ? ((const uint8_t *)from)[i] : 0;
}

/* The sector is zeroed first: what the device is refused it may not touch at all. */
static void read(uint64_t address, void *to)
{
	set_data(NULL);
	transfer(REQUEST_OUT, (uint64_t)virtio.tables->data);
	transfer(REQUEST_OUT, address);
	transfer(REQUEST_IN, (uint64_t)virtio.tables->data);
	for (unsigned i = 0; i < DEVICE_BYTES; i++)
		((uint8_t *)to)[i] = virtio.tables->data[i];
}

static void write(uint64_t address, const void *from)
{
	set_data(from);
	transfer(REQUEST_OUT, (uint64_t)virtio.tables->data);
	transfer(REQUEST_IN, address);
}

const struct device device_virtio = { "virtio", start, read, write, again };
