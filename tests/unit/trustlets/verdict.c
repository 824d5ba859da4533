/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What image/image.c says of files: `verdict FILE...` prints the name of each one's fault on a
 * line, for tool.py, which compares it with what tools/trustlet says.
 */
#include "guest/trustlets/image/image.h"

#include <stdio.h>

static const char *const names[] = {
	[IMAGE_OK] = "IMAGE_OK",
	[IMAGE_BAD_SIZE] = "IMAGE_BAD_SIZE",
	[IMAGE_BAD_MAGIC] = "IMAGE_BAD_MAGIC",
	[IMAGE_BAD_VERSION] = "IMAGE_BAD_VERSION",
	[IMAGE_BAD_PAGES] = "IMAGE_BAD_PAGES",
	[IMAGE_BAD_DATA_PAGES] = "IMAGE_BAD_DATA_PAGES",
	[IMAGE_BAD_VPS] = "IMAGE_BAD_VPS",
	[IMAGE_BAD_SVN] = "IMAGE_BAD_SVN",
	[IMAGE_BAD_FLAGS] = "IMAGE_BAD_FLAGS",
	[IMAGE_BAD_ID] = "IMAGE_BAD_ID",
	[IMAGE_BAD_RESERVED] = "IMAGE_BAD_RESERVED",
	[IMAGE_BAD_SIGNATURE_BLOCK] = "IMAGE_BAD_SIGNATURE_BLOCK",
};

int main(int argc, char **argv)
{
	static _Alignas(8) uint8_t bytes[1 << 20];
	struct image_signature found;

	for (int i = 1; i < argc; i++) {
		FILE *file = fopen(argv[i], "rb");
		size_t size = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

		if (!file)
			return 1;
		fclose(file);
		printf("%s\n", names[image_file_check(bytes, size, &found)]);
	}
	return 0;
}
