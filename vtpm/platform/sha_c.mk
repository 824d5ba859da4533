# SPDX-License-Identifier: BSD-2-Clause-Patent
# Mbed TLS's compression functions in C, for sha_ni.c to fall back on. With PROCESS_ALT the library leaves its own out:
# so its file is compiled once more without, its function renamed, and all else in the object made local (and left out
# of an image that is linked with --gc-sections).
#
#   $(call sha_c_object,CC FLAGS,LIBRARY,HASH,OBJECT)   part of a recipe; HASH is sha1 or sha256, LIBRARY the folder of
#                                                       its file; makes OBJECT with HASH_c_process()
OBJCOPY ?= objcopy
sha_c_object = $(1) -w -UMBEDTLS_CONFIG_FILE -DMBEDTLS_CONFIG_FILE='<vtpm/platform/sha_c_config.h>' \
	-ffunction-sections -fdata-sections -c $(2)/$(3).c -o $(4) && $(OBJCOPY) \
	--redefine-sym mbedtls_internal_$(3)_process=$(3)_c_process --keep-global-symbol=$(3)_c_process $(4)
