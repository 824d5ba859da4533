/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * libtpms, with callbacks that keep the permanent state in memory.
 */
#include "vtpm/tpm.h"

#include <libtpms/tpm_error.h>
#include <libtpms/tpm_library.h>
#include <libtpms/tpm_memory.h>
#include <libtpms/tpm_nvfilename.h>
#include <mbedtls/platform_util.h>
#include <stdlib.h>
#include <string.h>

#include "vtpm/platform/ossl_shim/shim.h"

/* A state as libtpms hands it over: allocated, with secrets. */
struct blob {
	uint8_t *bytes;
	size_t length;
};

static struct blob permanent;
static uint64_t generation;
static unsigned locality_now;
static unsigned char *response_buffer;
static uint32_t response_room;
static bool (*is_cancelled)(void);
static enum vtpm_nv nv_now;

static void wipe(struct blob *blob)
{
	if (blob->bytes)
		mbedtls_platform_zeroize(blob->bytes, blob->length);
	free(blob->bytes);
	*blob = (struct blob){ NULL, 0 };
}

static bool copy(struct blob *to, const uint8_t *bytes, size_t length)
{
	uint8_t *copied = malloc(length);

	if (!copied)
		return false;
	memcpy(copied, bytes, length);
	wipe(to);
	to->bytes = copied;
	to->length = length;
	return true;
}

/* ---- Callbacks ---- */

static TPM_RESULT nothing_to_do(void)
{
	return TPM_SUCCESS;
}

/* libtpms reads back what it has just manufactured. It frees the copy. */
static TPM_RESULT load(unsigned char **data, uint32_t *length, uint32_t tpm, const char *name)
{
	if (strcmp(name, TPM_PERMANENT_ALL_NAME) != 0 || !permanent.bytes)
		return TPM_RETRY;
	*data = malloc(permanent.length);
	if (!*data)
		return TPM_FAIL;
	memcpy(*data, permanent.bytes, permanent.length);
	*length = (uint32_t)permanent.length;
	return TPM_SUCCESS;
}

static TPM_RESULT store(const unsigned char *data, uint32_t length, uint32_t tpm, const char *name)
{
	if (strcmp(name, TPM_PERMANENT_ALL_NAME) != 0 || !copy(&permanent, data, length))
		return TPM_FAIL;
	generation++;
	return TPM_SUCCESS;
}

static TPM_RESULT delete (uint32_t tpm, const char *name, TPM_BOOL must_exist)
{
	return TPM_SUCCESS;
}

static TPM_RESULT get_locality(TPM_MODIFIER_INDICATOR *locality, uint32_t tpm)
{
	*locality = locality_now;
	return TPM_SUCCESS;
}

/* Nobody can show that they are there. */
static TPM_RESULT get_physical_presence(TPM_BOOL *presence, uint32_t tpm)
{
	*presence = FALSE;
	return TPM_SUCCESS;
}

static struct libtpms_callbacks callbacks = {
	.sizeOfStruct = sizeof(callbacks),
	.tpm_nvram_init = nothing_to_do,
	.tpm_nvram_loaddata = load,
	.tpm_nvram_storedata = store,
	.tpm_nvram_deletename = delete,
	.tpm_io_init = nothing_to_do,
	.tpm_io_getlocality = get_locality,
	.tpm_io_getphysicalpresence = get_physical_presence,
};

/* ---- Start and end ---- */

static TPM_RESULT set_state(enum TPMLIB_StateType type, struct vtpm_bytes state)
{
	if (!state.bytes)
		return TPM_SUCCESS;
	if (state.length > UINT32_MAX)
		return TPM_FAIL;
	return TPMLIB_SetState(type, state.bytes, (uint32_t)state.length);
}

/* The order is libtpms's: version, callbacks, permanent, volatile, start. */
static TPM_RESULT power_on(struct vtpm_bytes permanent_state, struct vtpm_bytes volatile_state)
{
	TPM_RESULT status = TPMLIB_ChooseTPMVersion(TPMLIB_TPM_VERSION_2);

	if (status == TPM_SUCCESS)
		status = TPMLIB_RegisterCallbacks(&callbacks);
	if (status == TPM_SUCCESS)
		status = set_state(TPMLIB_STATE_PERMANENT, permanent_state);
	if (status == TPM_SUCCESS)
		status = set_state(TPMLIB_STATE_VOLATILE, volatile_state);
	return status == TPM_SUCCESS ? TPMLIB_MainInit() : status;
}

/* States that were set and not taken stay with libtpms otherwise. */
static void forget_states(void)
{
	(void)TPMLIB_SetState(TPMLIB_STATE_PERMANENT, NULL, 0);
	(void)TPMLIB_SetState(TPMLIB_STATE_VOLATILE, NULL, 0);
}

vtpm_status vtpm_start(struct vtpm_bytes permanent_state, struct vtpm_bytes volatile_state)
{
	TPM_RESULT status;

	generation = 0;
	locality_now = 0;
	if (permanent_state.bytes &&
	    !copy(&permanent, permanent_state.bytes, permanent_state.length))
		return TPM_FAIL;
	status = power_on(permanent_state, volatile_state);
	if (status != TPM_SUCCESS)
		vtpm_stop();
	return status;
}

void vtpm_stop(void)
{
	TPMLIB_Terminate();
	forget_states();
	shim_rsa_forget();
	if (response_buffer)
		mbedtls_platform_zeroize(response_buffer, response_room);
	TPM_Free(response_buffer);
	response_buffer = NULL;
	response_room = 0;
	wipe(&permanent);
}

/* ---- Work ---- */

/* libtpms wants to write where the command is. */
vtpm_status vtpm_command(unsigned locality, struct vtpm_bytes command, struct vtpm_bytes *response)
{
	static uint8_t copied[VTPM_BUFFER_MAX]; /* wiped, up to where it was used */
	uint32_t length = 0;
	TPM_RESULT status;

	*response = (struct vtpm_bytes){ NULL, 0 };
	if (command.length > sizeof(copied) || locality >= VTPM_LOCALITIES)
		return VTPM_BAD_COMMAND;
	memcpy(copied, command.bytes, command.length);
	locality_now = locality;
	status = TPMLIB_Process(&response_buffer, &length, &response_room, copied,
	    (uint32_t)command.length);
	mbedtls_platform_zeroize(copied, command.length);
	if (status == TPM_SUCCESS)
		*response = (struct vtpm_bytes){ response_buffer, length };
	return status;
}

/* libtpms's own, replaced: it would be told by another thread. */
int _plat__IsCanceled(void);
int _plat__IsCanceled(void)
{
	return is_cancelled && is_cancelled();
}

/* Replaced as well. Asked before each command. */
int _plat__IsNvAvailable(void);
int _plat__IsNvAvailable(void)
{
	return (int)nv_now;
}

void vtpm_nv(enum vtpm_nv nv)
{
	nv_now = nv;
}

void vtpm_cancelled_by(bool (*cancelled)(void))
{
	is_cancelled = cancelled;
}

uint64_t vtpm_permanent(struct vtpm_bytes *state)
{
	*state = (struct vtpm_bytes){ permanent.bytes, permanent.length };
	return generation;
}

vtpm_status vtpm_volatile(struct vtpm_bytes *state)
{
	unsigned char *bytes = NULL;
	uint32_t length = 0;
	TPM_RESULT status = TPMLIB_VolatileAll_Store(&bytes, &length);

	*state = (struct vtpm_bytes){ status == TPM_SUCCESS ? bytes : NULL, length };
	return status;
}

void vtpm_free_state(struct vtpm_bytes *state)
{
	struct blob blob = { (uint8_t *)(uintptr_t)state->bytes, state->length };

	wipe(&blob);
	*state = (struct vtpm_bytes){ NULL, 0 };
}
