# SPDX-License-Identifier: BSD-2-Clause-Patent
# What the vTPM is made of, for the image and for the program on the host; names are from the top.

VTPM_SHIM := digests block ciphers bn ec ecdsa rsa pkey rand bio
VTPM_SHARED := vtpm/tpm.c $(VTPM_SHIM:%=vtpm/platform/ossl_shim/%.c) vtpm/platform/sha_ni.c
VTPM_PARTITION := vtpm/platform/partition.c vtpm/platform/libc/fortify.c vtpm/platform/libc/jump.S \
	vtpm/platform/libc/process.c vtpm/platform/libc/absent.c
# The platform's TPM: the partition alone has it.
VTPM_PTPM := $(patsubst %,vtpm/ptpm/%.c,ptpm tis crb mmio wait anchor session message)
VTPM_MBEDTLS := aes aesni asn1parse asn1write bignum bignum_core block_cipher camellia constant_time des ecdsa ecp \
	ecp_curves md oid pk pk_ecc pk_wrap pkwrite platform_util rsa rsa_alt_helpers sha1 sha256 sha512 x509_create x509write \
	x509write_crt
