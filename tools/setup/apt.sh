# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=bash
#
# What setup.sh needs of apt and dpkg.

# Names of $1 (one a line) that are not installed.
not_installed() {
	[[ -n $1 ]] || return 0
	command -v dpkg-query >/dev/null || { printf '%s\n' "$1"; return 0; }
	# shellcheck disable=SC2086
	comm -23 <(printf '%s\n' "$1") <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $1 \
		2>/dev/null | sed -n 's/^installed //p' | sort -u)
}

os_field() { (. /etc/os-release 2>/dev/null && printf '%s' "${!1:-}"); }

supported_debian() {
	[[ $(os_field ID) == debian && $(os_field VERSION_ID) =~ ^1[23]$ ]] &&
		command -v apt-get >/dev/null
}

refuse() {
	say "this is no Debian 12 or 13: install these (or what they are called here), then try again:"
	printf '%s\n' "$@"
	exit 1
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "not root and no sudo: run as root: $*"
	fi
}

update_lists() {
	say "apt-get update"
	as_root apt-get -q -o DPkg::Lock::Timeout=600 update >&2
}

# True if apt's lists know every package of "$@".
lists_know() { apt-cache show --no-all-versions "$@" >/dev/null 2>&1; }

try_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
		-o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >&2
}

install_packages() {
	say "installing with apt: $*"
	lists_know "$@" || update_lists
	try_install "$@" && return
	say "that failed; once more with fresh package lists"
	update_lists
	try_install "$@" || die "apt could not install: $*"
}
