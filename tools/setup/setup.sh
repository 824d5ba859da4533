#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
#
# Puts in place what a target needs, and nothing else: `setup.sh GROUP...`. Targets call it
# themselves; called again it finds everything there and returns at once.
#
# Packages come from the machine's own Debian 12 or 13 through apt. On any other system the list
# is printed and the exit status is 1. What is not a package (an emulator built from Debian's
# source, a kernel image, EFI binaries signed by Debian) goes to a cache, $CACHE, keyed by its
# version and content.
#
# setup.sh --list prints the groups; setup.sh --packages GROUP... prints packages only; setup.sh
# --bochs fast|debug prints the folder of that build; setup.sh --mbedtls that of Mbed TLS's sources,
# --libtpms that of libtpms's package.

set -euo pipefail
export LC_ALL=C

SETUP=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$SETUP/../.." && pwd)
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/redoubt}

# shellcheck source=packages.sh
. "$SETUP/packages.sh"
# shellcheck source=apt.sh
. "$SETUP/apt.sh"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# What is installed changes for every tree on this machine: one set-up at a time.
lock() {
	mkdir -p "$CACHE"
	exec 9>"$CACHE/setup.lock"
	flock -n 9 && return
	say "another set-up is running, waiting for it"
	flock 9
}

# The packages of the groups in "$@", one a line, sorted.
packages_of() {
	local group
	for group in "$@"; do
		[[ -v PACKAGES[$group] ]] || die "no such group: $group (known: $(group_names))"
		tr ' ' '\n' <<<"${PACKAGES[$group]}"
	done | sed '/^$/d' | sort -u
}

group_names() { printf '%s\n' "${!PACKAGES[@]}" | sort | tr '\n' ' '; }

list_groups() {
	local group
	for group in $(group_names); do
		printf '%-12s %s\n' "$group" "${WHY[$group]}"
		printf '             %s\n' "${PACKAGES[$group]:-(no packages)}"
	done
}

main() {
	local group packages missing=()
	case ${1:-} in
	'' | -h | --help) sed -n '4,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
	--list) list_groups; exit 0 ;;
	--bochs)
		# shellcheck source=bochs.sh
		. "$SETUP/bochs.sh"
		bochs_dir "$2"
		exit 0
		;;
	--mbedtls)
		# shellcheck source=mbedtls.sh
		. "$SETUP/mbedtls.sh"
		mbedtls_dir
		exit 0
		;;
	--libtpms)
		# shellcheck source=debs.sh
		. "$SETUP/debs.sh"
		libtpms_dir
		exit 0
		;;
	--packages) shift; packages_of "$@"; exit 0 ;;
	esac
	packages=$(packages_of "$@")
	mapfile -t missing < <(not_installed "$packages")
	if ((${#missing[@]})); then
		for group in "$@"; do say "$group: ${WHY[$group]}"; done
		supported_debian || refuse "${missing[@]}"
		lock
		install_packages "${missing[@]}"
	fi
	for group in "$@"; do
		[[ -v STEP[$group] ]] || continue
		# shellcheck source=/dev/null
		. "$SETUP/${STEP[$group]%% *}.sh"
		${STEP[$group]#* }
	done
}

main "$@"
