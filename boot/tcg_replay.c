/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Firmware's log (tcg_replay.h).
 */
#include "boot/tcg_replay.h"

#include <string.h>

#include "boot/bytes.h"

#define ALG_SHA256 0x000bu
#define SHA1_BYTES 20u

/* TCG_EfiSpecIDEvent: 10.4.5.1. */
#define SIGNATURE  "Spec ID Event03"
#define COUNT_AT   24u
#define ALGORITHMS 28u

/* TCG_EfiStartupLocalityEvent: 10.4.5.3. */
#define LOCALITY       "StartupLocality"
#define LOCALITY_BYTES (sizeof(LOCALITY) + 1)

#define EVENT_HEAD 12u /* register, type, number of digests */

static bool cut(struct blob *from, size_t size, const uint8_t **thing)
{
	if (size > from->size)
		return false;
	*thing = from->data;
	*from = (struct blob){ from->data + size, from->size - size };
	return true;
}

/* Data, with their size of 32 bits in front. */
static bool cut_data(struct blob *from, struct blob *data)
{
	const uint8_t *size;

	if (!cut(from, 4, &size))
		return false;
	data->size = get32(size);
	return cut(from, data->size, &data->data);
}

/* ---- What the log's form is ---- */

static unsigned find(const struct tcg_reader *reader, uint16_t id)
{
	unsigned i = 0;

	while (i < reader->algorithms && reader->algorithm[i].id != id)
		i++;
	return i;
}

/* Each once, SHA-256 among them. */
static bool read_algorithms(struct tcg_reader *reader, const uint8_t *from, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++, from += 4) {
		uint16_t id = get16(from), size = get16(from + 2);

		if (find(reader, id) < reader->algorithms ||
		    (id == ALG_SHA256 && size != SHA256_BYTES))
			return false;
		reader->algorithm[i].id = id;
		reader->algorithm[i].size = size;
		reader->algorithms++;
	}
	return find(reader, ALG_SHA256) < count;
}

static bool read_form(struct tcg_reader *reader, struct blob data)
{
	const uint8_t *head, *list, *vendor, *more;
	uint32_t count;

	if (!cut(&data, ALGORITHMS, &head) || !bytes_equal(head, SIGNATURE, sizeof(SIGNATURE)))
		return false;
	count = get32(head + COUNT_AT);
	if (count > REPLAY_ALGORITHMS || !cut(&data, 4 * (size_t)count, &list) ||
	    !cut(&data, 1, &vendor) || !cut(&data, *vendor, &more) || data.size != 0)
		return false;
	return read_algorithms(reader, list, count);
}

bool tcg_read_start(struct tcg_reader *reader, struct blob log)
{
	const uint8_t *head;
	struct blob data;

	*reader = (struct tcg_reader){ .rest = log };
	return cut(&reader->rest, 4 + 4 + SHA1_BYTES, &head) && get32(head) == 0 &&
	    get32(head + 4) == EV_NO_ACTION && cut_data(&reader->rest, &data) &&
	    read_form(reader, data);
}

/* ---- Events ---- */

/* None twice, so there are no more than the log has algorithms. */
static bool read_digests(const struct tcg_reader *reader, struct blob *from, uint32_t count,
    uint8_t digest[SHA256_BYTES], bool *there)
{
	unsigned seen = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *id, *bytes;
		unsigned which;

		if (!cut(from, 2, &id))
			return false;
		which = find(reader, get16(id));
		if (which == reader->algorithms || seen & 1u << which ||
		    !cut(from, reader->algorithm[which].size, &bytes))
			return false;
		seen |= 1u << which;
		if (get16(id) == ALG_SHA256)
			memcpy(digest, bytes, SHA256_BYTES);
	}
	*there = (seen & 1u << find(reader, ALG_SHA256)) != 0;
	return true;
}

bool tcg_read(struct tcg_reader *reader, struct tcg_event *event)
{
	struct blob from = reader->rest;
	const uint8_t *head;
	bool there;

	memset(event, 0, sizeof(*event));
	if (!cut(&from, EVENT_HEAD, &head))
		return false;
	event->pcr = get32(head);
	event->type = get32(head + 4);
	if (!read_digests(reader, &from, get32(head + 8), event->digest, &there) ||
	    !cut_data(&from, &event->data))
		return false;
	if (event->type == EV_NO_ACTION)
		memset(event->digest, 0, SHA256_BYTES);
	else if (!there || event->pcr >= REPLAY_PCRS)
		return false;
	reader->rest = from;
	return true;
}

bool tcg_tells_locality(const struct tcg_event *event, uint8_t *locality)
{
	if (event->type != EV_NO_ACTION || event->data.size != LOCALITY_BYTES ||
	    !bytes_equal(event->data.data, LOCALITY, sizeof(LOCALITY)))
		return false;
	*locality = event->data.data[sizeof(LOCALITY)];
	return true;
}

/* ---- How long a log is ---- */

size_t tcg_log_bytes(struct blob memory, size_t last)
{
	struct tcg_reader reader;
	struct tcg_event event;
	size_t at;

	if (!tcg_read_start(&reader, memory))
		return 0;
	at = memory.size - reader.rest.size;
	if (last == 0)
		return at;
	while (at <= last && tcg_read(&reader, &event)) {
		bool that = at == last;

		at = memory.size - reader.rest.size;
		if (that)
			return at;
	}
	return 0;
}

bool tcg_events_bytes(const struct tcg_reader *form, struct blob memory, uint64_t count,
    size_t *bytes)
{
	struct tcg_reader reader = *form;
	struct tcg_event event;

	reader.rest = memory;
	for (uint64_t i = 0; i < count; i++)
		if (!tcg_read(&reader, &event))
			return false;
	*bytes = memory.size - reader.rest.size;
	return true;
}

size_t tcg_log_overlap(struct blob log, struct blob more)
{
	struct tcg_reader reader;
	struct tcg_event event;

	if (!tcg_read_start(&reader, log))
		return 0;
	while (reader.rest.size > 0) {
		if (reader.rest.size <= more.size &&
		    bytes_equal(reader.rest.data, more.data, reader.rest.size))
			return reader.rest.size;
		if (!tcg_read(&reader, &event))
			break;
	}
	return 0;
}

/* ---- What the registers should be ---- */

static void extend(uint8_t pcr[SHA256_BYTES], const uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, pcr, SHA256_BYTES);
	sha256_add(&hash, digest, SHA256_BYTES);
	sha256_end(&hash, pcr);
}

bool tcg_replay(struct blob log, uint8_t pcr[REPLAY_PCRS][SHA256_BYTES])
{
	struct tcg_reader reader;
	struct tcg_event event;
	bool begun = false; /* what PCR 0 begins with is known */
	uint8_t locality;

	memset(pcr, 0, (size_t)REPLAY_PCRS * SHA256_BYTES);
	if (!tcg_read_start(&reader, log))
		return false;
	while (reader.rest.size > 0) {
		if (!tcg_read(&reader, &event))
			return false;
		if (tcg_tells_locality(&event, &locality)) {
			if (begun)
				return false;
			pcr[0][SHA256_BYTES - 1] = locality;
			begun = true;
		} else if (event.type != EV_NO_ACTION) {
			extend(pcr[event.pcr], event.digest);
			begun |= event.pcr == 0;
		}
	}
	return true;
}
