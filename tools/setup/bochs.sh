# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=bash
#
# Bochs 3.0 from Debian's source package, built into the cache.
#
# Debian 12's Bochs 2.7 lacks MBEC, hangs on INIT with two CPUs and is four times slower; Debian
# 13's binary wants a newer C library. So: the upstream tarball of Debian 13's source package,
# pinned by version and hash (source.sh).
#
# Two builds, each in its own folder named by all that goes into it:
#   fast   as quick as it gets, with the probe of tests/emu/bochs-probe
#   debug  with Bochs's own debugger, which knows every CPU, VMX and both stages of paging, for `make
#          debug`

# shellcheck source=source.sh
. "$SETUP/source.sh"

BOCHS_SUITE=trixie
BOCHS_VERSION=3.0+dfsg-1
BOCHS_ORIG=bochs_3.0+dfsg.orig.tar.xz
BOCHS_SHA256=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
BOCHS_CXXFLAGS="-O2 -pipe"
BOCHS_OBJECTS=524
BOCHS_PROBE=$TOP/tests/emu/bochs-probe

BOCHS_COMMON=(
	--with-nogui --disable-docbook --disable-readline
	--enable-x86-64 --enable-smp --enable-cpu-level=6
	--enable-vmx=2 --enable-svm --enable-avx --enable-evex --enable-cet
	--enable-memtype --enable-protection-keys
	--enable-pci --enable-e1000 --enable-usb
)
# shellcheck disable=SC2034  # both are used by name
BOCHS_fast=(--enable-all-optimizations --disable-debugger --enable-instrumentation=instrument/probe)
# shellcheck disable=SC2034
BOCHS_debug=(--enable-debugger --disable-debugger-gui --enable-readline --enable-x86-debugger)

# Three faults of 3.0's VMX operation, mended by edits of ours to files of cpu/, one sed expression each:
#
#   INIT that reaches a CPU in root mode is dropped. It stays pending until the next VM entry (SDM 3C
#   26.2, 24.8), so that is what it does here.
#
#   SIPI for a waiting guest exits in the sender's context: the longjmp behind it cuts the sender's
#   instruction short, and a broadcast reaches one CPU only. The target takes the exit itself instead.
#
#   With external-interrupt exiting RFLAGS.IF does not block interrupts (SDM 3C 26.2). A guest that is
#   entered with IF clear, and leaves it so, is not interrupted, because entry looks at IF before it
#   counts as the guest. It looks again.
BOCHS_MENDS=(
	'event.cc s/^  if (! is_masked_event(BX_EVENT_INIT)) {$/  if (! is_masked_event(BX_EVENT_INIT) || (BX_CPU_THIS_PTR in_vmx \&\& ! BX_CPU_THIS_PTR in_vmx_guest)) {/'
	'event.cc s/^      VMexit(VMX_VMEXIT_SIPI, vector);$/    { sipi_waits[BX_CPU_ID] = 0x100 | vector; return; }/'
	'event.cc s/^bool BX_CPU_C::handleWaitForEvent(void)$/static unsigned sipi_waits[BX_MAX_SMP_THREADS_SUPPORTED];\n&/'
	'event.cc s/^    \/\/ HALT condition remains, return so other CPUs have a chance$/    if (unsigned sipi = sipi_waits[BX_CPU_ID]) {\n      sipi_waits[BX_CPU_ID] = 0;\n      if (BX_CPU_THIS_PTR in_vmx_guest) VMexit(VMX_VMEXIT_SIPI, sipi \& 0xff);\n    }\n&/'
	'vmx.cc s/^  BX_CPU_THIS_PTR in_vmx_guest = true;$/&\n  handleInterruptMaskChange();/'
)

# bochs_mend SRC: each expression must change the file.
bochs_mend() {
	local file mend
	for mend in "${BOCHS_MENDS[@]}"; do
		file=$1/cpu/${mend%% *}
		sed "${mend#* }" "$file" >"$file.new"
		cmp -s "$file" "$file.new" && die "Bochs is not the version that is mended: $mend"
		mv "$file.new" "$file"
	done
}

# bochs_dir VARIANT: where that build lives.
bochs_dir() {
	local -n options=BOCHS_$1
	local key
	key=$({
		printf '%s\n' "$BOCHS_VERSION" "$BOCHS_SHA256" "$BOCHS_CXXFLAGS"
		printf '%s\n' "${BOCHS_COMMON[@]}" "${options[@]}" "${BOCHS_MENDS[@]}"
		[[ $1 == fast ]] && cat "$BOCHS_PROBE"/{Makefile.in,instrument.cc,instrument.h}
		dpkg --print-architecture
	} | sha256sum)
	printf '%s/bochs-3.0-%s/%s' "$CACHE" "${key:0:12}" "$1"
}

# bochs_progress PID DIR: a line every few seconds while PID compiles in DIR.
bochs_progress() {
	local start=$SECONDS
	while sleep 5 && kill -0 "$1" 2>/dev/null; do
		say "bochs: $(find "$2" -name '*.o' | wc -l) of about $BOCHS_OBJECTS units" \
			"compiled, $((SECONDS - start)) s"
	done
}

# A make above us would hand down its flags, --no-builtin-rules among them.
bochs_compile() {
	local src=$1 log=$2
	shift 2
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
	cd "$src" || return
	{
		./configure "$@" CFLAGS="$BOCHS_CXXFLAGS" CXXFLAGS="$BOCHS_CXXFLAGS"
		nice -n 5 make -j"$(nproc)"
	} >"$log" 2>&1
}

bochs_failed() {
	mv "$1/log" "$CACHE/bochs-build.log"
	tail -n 30 "$CACHE/bochs-build.log" >&2
	die "Bochs did not build, all output is in $CACHE/bochs-build.log"
}

bochs_build() {
	local variant=$1 dir src pid tarball
	local -n options=BOCHS_$variant
	dir=$(bochs_dir "$variant")
	[[ -x $dir/bochs ]] && return
	lock
	[[ -x $dir/bochs ]] && return
	tarball=$(source_tarball bochs "$BOCHS_SUITE" "$BOCHS_VERSION" "$BOCHS_ORIG" "$BOCHS_SHA256")
	BOCHS_WORK=$(mktemp -d "$CACHE/bochs.XXXXXX")
	trap 'rm -rf "$BOCHS_WORK"' EXIT
	tar -xf "$tarball" -C "$BOCHS_WORK"
	src=$(echo "$BOCHS_WORK"/bochs-*)
	bochs_mend "$src"
	[[ $variant == fast ]] && cp -r "$BOCHS_PROBE" "$src/instrument/probe"
	say "building Bochs ($variant) into $dir"
	bochs_compile "$src" "$BOCHS_WORK/log" "${BOCHS_COMMON[@]}" "${options[@]}" 9>&- &
	pid=$!
	bochs_progress "$pid" "$src"
	wait "$pid" || bochs_failed "$BOCHS_WORK"
	mkdir -p "$dir"
	strip -o "$dir/bochs.new" "$src/bochs"
	mv "$dir/bochs.new" "$dir/bochs"
	rm -rf "$BOCHS_WORK"
	say "Bochs ($variant) built"
}
