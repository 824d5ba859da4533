/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* redoubtctl backup: a package of the TPM's state, for the guardian, in a file that is new. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/linux/libredoubt/json.h"
#include "guest/linux/libredoubt/libredoubt.h"
#include "guest/linux/redoubtctl/redoubtctl.h"
#include "guest/trustlets/rt/sha256.h"

/* Exit status. */
static int refused(const char *why)
{
	fprintf(stderr, "redoubtctl: no backup: %s\n", why);
	return EXIT_NOT_SO;
}

static int without(const char *what)
{
	refused(what);
	return EXIT_NO_MONITOR;
}

/* Why there is no package. */
static int no_package(int error)
{
	switch (-error) {
	case ENOENT:
		return without("this machine has no TPM of Redoubt's");
	case EOPNOTSUPP:
		return without("Redoubt's TPM on this machine makes no packages");
	case ENOTTY:
		return without("the module is older than this program");
	case ENODATA:
		return refused("the TPM is off, or no state of it was ever kept");
	case ENOKEY:
		return refused("the TPM's image names no guardian to whom it could go");
	case EAGAIN:
		return refused("somebody else took one meanwhile; try again");
	default:
		return say_error(error, "partitions");
	}
}

static void digest_of(const void *bytes, size_t size, uint8_t digest[SHA256_BYTES])
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, bytes, size);
	sha256_end(&hash, digest);
}

/* A package ends with the SHA-256 of what is in front of it. */
static bool is_whole(const struct redoubt_package *package)
{
	size_t size = package->size - SHA256_BYTES;
	uint8_t digest[SHA256_BYTES];

	if (package->size < SHA256_BYTES)
		return false;
	digest_of(package->bytes, size, digest);
	return memcmp(digest, package->bytes + size, sizeof(digest)) == 0;
}

/* So that the file is found under its name after a power cut. */
static int flush_folder(const char *file)
{
	char path[PATH_MAX];
	int fd, error;

	if ((size_t)snprintf(path, sizeof(path), "%s", file) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = fsync(fd) ? -errno : 0;
	close(fd);
	return error;
}

static int write_all(int fd, const struct redoubt_package *package)
{
	for (size_t done = 0; done < package->size;) {
		ssize_t count = write(fd, package->bytes + done, package->size - done);

		if (count <= 0)
			return count ? -errno : -EIO;
		done += (size_t)count;
	}
	return fsync(fd) ? -errno : 0;
}

/* The file is on the disk, or is not there. */
static int write_new(const char *file, const struct redoubt_package *package)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error;

	if (fd < 0)
		return -errno;
	error = write_all(fd, package);
	if (close(fd) && !error)
		error = -errno;
	if (!error)
		error = flush_folder(file);
	if (error)
		unlink(file);
	return error;
}

static void tell(const struct redoubt_package *package, bool as_json)
{
	struct json json = { .out = stdout };
	uint8_t digest[SHA256_BYTES];

	digest_of(package->bytes, package->size, digest);
	if (as_json) {
		json_begin(&json, NULL, '{');
		json_number(&json, "bytes", package->size);
		json_number(&json, "generation", package->generation);
		json_hex(&json, "digest", digest, sizeof(digest));
		json_end(&json, '}');
	} else {
		printf("%" PRIu32 " bytes, of generation %" PRIu64 "\ndigest ", package->size,
		    package->generation);
		for (size_t i = 0; i < sizeof(digest); i++)
			printf("%02x", digest[i]);
	}
	printf("\n");
}

int command_backup(const struct options *options)
{
	static struct redoubt_package package;
	int fd, error, status;

	if (!open_device(true, &fd, &status))
		return status;
	error = redoubt_take_package(fd, &package);
	close(fd);
	if (error)
		return no_package(error);
	if (!is_whole(&package))
		return refused("it came damaged; try again");
	error = write_new(options->file, &package);
	if (error) {
		fprintf(stderr, "redoubtctl: %s: %s\n", options->file, strerror(-error));
		return EXIT_USAGE;
	}
	tell(&package, options->json);
	return EXIT_DONE;
}
