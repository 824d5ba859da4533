# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=bash
#
# Mbed TLS 3.6 LTS for trustlets: the sources from Debian 13's source package (Debian 12 has 2.28),
# unpacked into a folder of the cache that is named by what it holds. Those who link it compile what
# they need of it, with their own flags and configuration (guest/trustlets/rt/mbedtls.mk).

# shellcheck source=source.sh
. "$SETUP/source.sh"

MBEDTLS_SUITE=trixie
MBEDTLS_VERSION=3.6.6-0.1~deb13u1
MBEDTLS_ORIG=mbedtls_3.6.6.orig.tar.bz2
MBEDTLS_SHA256=8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a
# What is kept of the tarball.
MBEDTLS_KEPT=(include library LICENSE)

mbedtls_dir() {
	local key
	key=$(printf '%s\n' "$MBEDTLS_SHA256" "${MBEDTLS_KEPT[@]}" | sha256sum)
	printf '%s/mbedtls-3.6.6-%s' "$CACHE" "${key:0:12}"
}

mbedtls_unpack() {
	local dir work tarball
	dir=$(mbedtls_dir)
	[[ -d $dir ]] && return
	lock
	[[ -d $dir ]] && return
	tarball=$(source_tarball mbedtls "$MBEDTLS_SUITE" "$MBEDTLS_VERSION" "$MBEDTLS_ORIG" "$MBEDTLS_SHA256")
	work=$(mktemp -d "$CACHE/mbedtls.XXXXXX")
	tar -xf "$tarball" -C "$work"
	mkdir "$work/kept"
	(cd "$work"/mbedtls-3.6.6* && mv "${MBEDTLS_KEPT[@]}" "$work/kept")
	chmod 755 "$work/kept"
	mv -T "$work/kept" "$dir"
	rm -rf "$work"
	say "Mbed TLS unpacked into $dir"
}
