# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=bash
#
# Files out of Debian packages that are not installed: a kernel image, busybox, signed EFI
# binaries. apt downloads and verifies; the files are unpacked into the cache, a folder a version:
#
#   $CACHE/debs/NAME_VERSION/   the package's files
#   $CACHE/debs/NAME            link to the version in use
#
# The version in use is what the archive offers today; that is asked once a day.

DEBS=$CACHE/debs
# The kernel modules that tests load, with what they need; all others are thrown away.
KEPT_MODULES="efivarfs ahci ata_piix sd_mod nvme e1000e virtio_pci virtio_net vfat nls_cp437 nls_ascii dm_crypt xts ecb"

# True if the link of $1 was set within a day.
deb_fresh() {
	[[ -e $DEBS/$1/.complete && -n $(find "$DEBS/$1/.complete" -mmin -1440) ]]
}

lists_stale() {
	[[ -z $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 2>/dev/null) ]]
}

candidate() { apt-cache policy "$1" | sed -n 's/^ *Candidate: *//p' | grep -v '(none)'; }

need_debian() {
	supported_debian || die "this is no Debian 12 or 13: cannot fetch its package $1"
}

# Debian 13 has all of /bin and /lib in /usr; Debian 12's paths hold here.
unpack_as_before() {
	local name
	for name in bin lib; do
		[[ -e $1/$name || ! -e $1/usr/$name ]] || ln -s "usr/$name" "$1/$name"
	done
}

# keep_modules FOLDER: those of KEPT_MODULES, listed in FOLDER/modules
keep_modules() {
	local names
	[[ -d $1/lib/modules ]] || return 0
	read -ra names <<<"$KEPT_MODULES"
	python3 "$SETUP/modules.py" "$1" "${names[@]}"
	find "$1/lib/modules/" \( -type d -empty -o -type f ! -name '*.ko' \) -delete
}

# unpack_deb PACKAGE VERSION LINK
unpack_deb() {
	local dir=$DEBS/$1_$2 work
	if [[ ! -e $dir/.complete ]]; then
		work=$(mktemp -d "$DEBS/.fetch.XXXXXX")
		say "downloading $1 $2"
		(cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$1=$2" >&2)
		mkdir "$work/files"
		dpkg-deb -x "$work"/*.deb "$work/files"
		unpack_as_before "$work/files"
		keep_modules "$work/files"
		rm -rf "$work/files/usr/share/doc"
		printf '%s %s\n' "$1" "$2" >"$work/files/.complete"
		rm -rf "$dir"
		mv "$work/files" "$dir"
		rm -rf "$work"
	fi
	ln -sfn "$1_$2" "$DEBS/$3.new"
	touch "$dir/.complete"
	mv -T "$DEBS/$3.new" "$DEBS/$3"
}

# fetch PACKAGE LINK [RESOLVER]: today's version of a package, or of the one that RESOLVER names.
fetch() {
	local package=$1 link=$2 version
	deb_fresh "$link" && return
	need_debian "$package"
	lock
	mkdir -p "$DEBS"
	if lists_stale || ! lists_know "$package"; then (update_lists) || say "no fresh lists"; fi
	[[ -z ${3:-} ]] || package=$($3 "$package")
	version=$(candidate "$package") || die "apt knows no package $package"
	unpack_deb "$package" "$version" "$link"
	say "$link: $package $version"
}

fetch_deb() { fetch "$1" "$1"; }

# The package with the image that the metapackage $1 depends on.
image_of() {
	apt-cache depends --important "$1" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1
}

fetch_image() {
	case $1 in
	stock) fetch linux-image-amd64 kernel-stock image_of ;;
	cloud) fetch linux-image-cloud-amd64 kernel-cloud image_of ;;
	esac
}

# True if the modules of kernel $1 are those that tests load today.
has_modules() { [[ $(head -n 1 "$DEBS/kernel-$1/modules" 2>/dev/null) == "# $KEPT_MODULES" ]]; }

fetch_kernel() {
	local dir=$DEBS/kernel-$1
	fetch_image "$1"
	if ! has_modules "$1"; then # unpacked for earlier tests
		rm "$dir/.complete"
		fetch_image "$1"
	fi
	ln -sfn "$(cd "$dir" && ls boot/vmlinuz-*)" "$dir/vmlinuz"
	ln -sfn "$(grep '/efivarfs\.ko$' "$dir/modules")" "$dir/efivarfs.ko"
}

# True if the archive has version $2 of package $1.
offers() { [[ " $(apt-cache policy "$1" | tr -s '\n' ' ') " == *" $2 "* ]]; }

# The packages of Linux's own that package $1 at version $2 depends on, itself first, each with a version.
with_parts() {
	local part
	printf '%s=%s\n' "$1" "$2"
	for part in $(apt-cache depends --important "$1" | sed -n 's/^ *Depends: \(linux-.*\)/\1/p'); do
		printf '%s%s\n' "$part" "$(offers "$part" "$2" && printf '=%s' "$2")"
	done
}

# The headers' makefile names its other half by the path it has when installed.
place_headers() {
	local makefile
	for makefile in "$1"/usr/src/linux-headers-*/Makefile; do
		sed -i "s|^include /usr/src/|include $2/usr/src/|" "$makefile"
	done
}

# Kernel $1, and headers for the very one that was unpacked, with all they need, as one tree; the
# modules' folder inside is $CACHE/debs/headers-$1/build.
fetch_headers() {
	local release version package dir work
	fetch_kernel "$1"
	release=$(readlink "$DEBS/kernel-$1/vmlinuz") release=${release#*vmlinuz-}
	package=linux-headers-$release
	read -r _ version <"$DEBS/kernel-$1/.complete"
	dir=$DEBS/${package}_$version
	if [[ ! -e $dir/.complete ]]; then
		need_debian "$package"
		lock
		offers "$package" "$version" || update_lists
		offers "$package" "$version" || version=$(candidate "$package") ||
			die "apt knows no package $package: the archive has a newer kernel, remove $DEBS/kernel-$1"
		work=$(mktemp -d "$DEBS/.fetch.XXXXXX")
		say "downloading $package $version and what it needs"
		mapfile -t package < <(with_parts "$package" "$version")
		(cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "${package[@]}" >&2)
		mkdir "$work/files"
		for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/files"; done
		rm -rf "$work/files/usr/share/doc"
		place_headers "$work/files" "$dir"
		ln -s "usr/src/linux-headers-$release" "$work/files/build"
		printf '%s\n' "$release $version" >"$work/files/.complete"
		rm -rf "$dir"
		mv "$work/files" "$dir"
		rm -rf "$work"
	fi
	ln -sfn "${dir##*/}" "$DEBS/headers-$1"
}

# checkpatch.pl is in no package but the whole source's. Any version will do, so it is fetched once.
fetch_checkpatch() {
	local dir=$DEBS/checkpatch package work
	[[ -e $dir/.complete ]] && return
	need_debian linux-source
	lock
	mkdir -p "$DEBS"
	lists_know linux-source || update_lists
	package=$(apt-cache depends --important linux-source | sed -n 's/^ *Depends: \(linux-source-.*\)/\1/p')
	work=$(mktemp -d "$DEBS/.fetch.XXXXXX")
	say "downloading $package for checkpatch.pl (140 MB, once)"
	(cd "$work" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package" >&2)
	dpkg-deb --fsys-tarfile "$work"/*.deb | tar -xO "./usr/src/$package.tar.xz" | tar -xJ -C "$work" \
		"$package/scripts/"{checkpatch.pl,spelling.txt,const_structs.checkpatch}
	rm -rf "$dir"
	mv "$work/$package/scripts" "$dir"
	printf '%s\n' "$package" >"$dir/.complete"
	rm -rf "$work"
}

# libtpms as an archive of objects. What they need and how their structures lie is written down in
# vtpm/platform for this version: another one is refused until that has been done anew for it.
LIBTPMS_VERSION=0.9.2-3.1+deb12u1
libtpms_dir() { printf '%s/libtpms-dev_%s' "$DEBS" "$LIBTPMS_VERSION"; }

fetch_libtpms() {
	local dir
	dir=$(libtpms_dir)
	[[ -e $dir/.complete ]] && return
	need_debian libtpms-dev
	lock
	mkdir -p "$DEBS"
	offers libtpms-dev "$LIBTPMS_VERSION" || update_lists
	offers libtpms-dev "$LIBTPMS_VERSION" ||
		die "the archive has libtpms-dev $(candidate libtpms-dev), vtpm/platform is for $LIBTPMS_VERSION (Debian 12's)"
	unpack_deb libtpms-dev "$LIBTPMS_VERSION" libtpms-dev
}

fetch_shim() {
	fetch_deb shim-signed
	fetch_deb grub-efi-amd64-signed
}

# For Debian's certificate, /usr/share/shim/debian-uefi-ca.der.
fetch_secureboot() {
	fetch_shim
	fetch_deb shim-unsigned
}
