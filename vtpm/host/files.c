/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Files: written beside, flushed, renamed.
 */
#include "vtpm/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096u

static _Noreturn void fail(const char *path, const char *what)
{
	fprintf(stderr, "vtpm: %s: %s: %s\n", path, what, strerror(errno));
	exit(1);
}

static void path_of(char path[PATH_BYTES], const char *folder, const char *name)
{
	if ((size_t)snprintf(path, PATH_BYTES, "%s/%s", folder, name) >= PATH_BYTES) {
		errno = ENAMETOOLONG;
		fail(folder, name);
	}
}

static void read_all(int file, void *to, size_t bytes, const char *path)
{
	uint8_t *target = to;

	while (bytes > 0) {
		ssize_t got = read(file, target, bytes);

		if (got <= 0)
			fail(path, "cannot be read");
		target += got;
		bytes -= (size_t)got;
	}
}

struct vtpm_bytes file_read(const char *folder, const char *name)
{
	char path[PATH_BYTES];
	struct stat status;
	uint8_t *bytes;
	int file;

	path_of(path, folder, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return (struct vtpm_bytes){ NULL, 0 };
	if (file < 0 || fstat(file, &status) != 0)
		fail(path, "cannot be opened");
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes)
		fail(path, "no memory for it");
	read_all(file, bytes, (size_t)status.st_size, path);
	close(file);
	return (struct vtpm_bytes){ bytes, (size_t)status.st_size };
}

static void write_all(int file, struct vtpm_bytes state, const char *path)
{
	while (state.length > 0) {
		ssize_t put = write(file, state.bytes, state.length);

		if (put < 0)
			fail(path, "cannot be written");
		state.bytes += put;
		state.length -= (size_t)put;
	}
}

static void flush_folder(const char *folder)
{
	int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (file < 0 || fsync(file) != 0)
		fail(folder, "cannot be flushed");
	close(file);
}

void file_write(const char *folder, const char *name, struct vtpm_bytes state, bool durable)
{
	char path[PATH_BYTES], new[PATH_BYTES];
	int file;

	path_of(path, folder, name);
	path_of(new, folder, "new");
	file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		fail(new, "cannot be made");
	write_all(file, state, new);
	if (durable && fsync(file) != 0)
		fail(new, "cannot be flushed");
	if (close(file) != 0 || rename(new, path) != 0)
		fail(path, "cannot be replaced");
	if (durable)
		flush_folder(folder);
}

void file_remove(const char *folder, const char *name)
{
	char path[PATH_BYTES];

	path_of(path, folder, name);
	if (unlink(path) != 0 && errno != ENOENT)
		fail(path, "cannot be removed");
}
