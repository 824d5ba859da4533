# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=bash disable=SC2034
#
# The groups of setup.sh: what each is for, its Debian packages, and the step that puts in place
# what is not a package. This table is the one place that knows them.
#
# Package versions are those of the Debian release, whose archive signs them. What is fetched from
# another release is pinned by version and SHA-256 where it is fetched.

declare -A WHY PACKAGES STEP

WHY[build]="compiler, linker and EFI headers for redoubt.efi and the test guests"
PACKAGES[build]="gcc binutils make python3 gnu-efi libc6-dev"

WHY[lint]="second compiler, formatter and analysers"
PACKAGES[lint]="clang clang-format clang-tidy cppcheck cloc shellcheck pyflakes3 git"

WHY[hosttest]="host unit tests, sanitizers, fuzzers, and the disassembler they compare with"
PACKAGES[hosttest]="gcc clang libclang-rt-dev llvm libc6-dev libcmocka-dev libzydis-dev"

WHY[image]="disk images, UEFI firmware for the emulators, ACPI compiler"
PACKAGES[image]="python3 mtools dosfstools ovmf acpica-tools"

WHY[bochs]="Bochs 3.0, the emulator with VT-x, built from Debian's source (about two minutes)"
PACKAGES[bochs]="g++ make xz-utils vgabios ovmf python3"
STEP[bochs]="bochs bochs_build fast"

WHY[bochs-debug]="Bochs again with its own debugger, for make debug"
PACKAGES[bochs-debug]="g++ make xz-utils vgabios ovmf python3 libreadline-dev"
STEP[bochs-debug]="bochs bochs_build debug"

# What the tools of a kernel's headers need, to build and sign redoubt.ko.
FOR_HEADERS="gcc make libelf1 openssl python3 xz-utils"

WHY[kernel]="Debian's current stock kernel image and its headers (unpacked, not installed)"
PACKAGES[kernel]=$FOR_HEADERS
STEP[kernel]="debs fetch_headers stock"

WHY[kernel-cloud]="Debian's current cloud kernel image and its headers (unpacked, not installed)"
PACKAGES[kernel-cloud]=$FOR_HEADERS
STEP[kernel-cloud]="debs fetch_headers cloud"

WHY[lint-driver]="sparse; checkpatch.pl out of the kernel's source"
PACKAGES[lint-driver]="sparse perl xz-utils"
STEP[lint-driver]="debs fetch_checkpatch"

WHY[initramfs]="userland of the test initramfs (busybox, unpacked, not installed) and a static C library"
PACKAGES[initramfs]="gcc libc6-dev python3"
STEP[initramfs]="debs fetch_deb busybox-static"

WHY[shim]="Debian's signed shim and GRUB (unpacked, not installed)"
PACKAGES[shim]=""
STEP[shim]="debs fetch_shim"

WHY[qemu]="QEMU with TCG and KVM"
PACKAGES[qemu]="qemu-system-x86 ovmf python3"

WHY[swtpm]="a TPM 2.0 in software, and tools that use one"
PACKAGES[swtpm]="swtpm tpm2-tools"

WHY[mbedtls]="Mbed TLS 3.6 LTS, the sources, from Debian's source package"
PACKAGES[mbedtls]="bzip2"
STEP[mbedtls]="mbedtls mbedtls_unpack"

WHY[libtpms]="libtpms's static archive and headers (unpacked, not installed)"
PACKAGES[libtpms]=""
STEP[libtpms]="debs fetch_libtpms"

WHY[vtpm-test]="OpenSSL to compare with, tools that use a TPM, a TPM in software to exchange state with"
PACKAGES[vtpm-test]="libssl-dev openssl python3 swtpm tpm2-tools libtss2-tcti-cmd0 libtss2-tcti-swtpm0"

WHY[vtpm-enroll]="a volume of LUKS2 that a TPM opens: cryptsetup, systemd's tools for it and what they load"
PACKAGES[vtpm-enroll]="cryptsetup-bin python3 systemd tpm2-tools"

WHY[vtpm-state]="OpenSSL for redoubt-state, and swtpm to exchange state with"
PACKAGES[vtpm-state]="openssl python3 python3-cryptography swtpm swtpm-tools"

WHY[hostcrypto]="OpenSSL's library, which the vTPM's hashes are compared with"
PACKAGES[hostcrypto]="libssl-dev"

WHY[trustlet]="signatures of trustlets"
PACKAGES[trustlet]="openssl python3"

WHY[secureboot]="signing for Secure Boot; Debian's certificate, signed shim and GRUB (unpacked, not installed)"
PACKAGES[secureboot]="sbsigntool openssl"
STEP[secureboot]="debs fetch_secureboot"
