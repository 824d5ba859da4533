# SPDX-License-Identifier: BSD-2-Clause-Patent
# shellcheck shell=bash
#
# Upstream tarballs of Debian source packages, of this release or another, found through the
# machine's own apt sources (no host is named here), pinned by version and SHA-256, kept in the cache.

# key_option FILE: the key file that the apt sources in FILE name, as a deb822 field.
key_option() {
	sed -nE 's/^Signed-By: *(\/[^ ]*).*/\1/Ip; s/^deb .*signed-by=([^] ]*).*/\1/p' "$1" |
		sed -n '1s/^/Signed-By: /p'
}

# source_stanzas SUITE: a deb-src stanza for each archive the machine takes its own release from.
source_stanzas() {
	local release uri of component entry seen=' '
	release=$(os_field VERSION_CODENAME)
	while read -r uri of component entry; do
		[[ $of == "$release" && $component == main && $seen != *" $uri "* ]] || continue
		seen+="$uri "
		printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\n%s\n\n' \
			"$uri" "$1" "$(key_option "${entry%:*}")"
	done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY)' \
		'Created-By: Packages')
}

# source_fetch PACKAGE SUITE VERSION FILE SHA256: into the cache, verified, from a private set of
# apt lists.
source_fetch() {
	local work line uri name hash opts
	work=$(mktemp -d "$CACHE/fetch.XXXXXX")
	mkdir -p "$work/parts" "$work/lists/partial"
	source_stanzas "$2" >"$work/parts/source.sources"
	[[ -s $work/parts/source.sources ]] ||
		die "no Debian archive among this machine's apt sources to take the source of $1 from"
	opts=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts"
		-o Dir::State::lists="$work/lists" -o APT::Get::List-Cleanup=0
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
	((EUID == 0)) && opts+=(-o APT::Sandbox::User=root)
	say "fetching $4 (source package $1 $3 of Debian $2)"
	apt-get -q "${opts[@]}" update >"$work/log" 2>&1 ||
		source_failed "$work" "$4" "$5" "apt-get update for $2"
	line=$(cd "$work" && apt-get "${opts[@]}" source --print-uris "$1=$3" \
		2>>"$work/log" | grep -F "$4") ||
		source_failed "$work" "$4" "$5" "apt-get source --print-uris $1=$3"
	read -r uri name _ hash <<<"$line"
	[[ $hash == "SHA256:$5" ]] ||
		die "the archive lists $name with $hash, pinned is SHA256:$5"
	uri=${uri#\'} uri=${uri%\'}
	/usr/lib/apt/apt-helper "${opts[@]}" download-file "$uri" "$work/$4" "$hash" \
		>>"$work/log" 2>&1 || source_failed "$work" "$4" "$5" "apt-helper download-file of $name"
	mv "$work/$4" "$CACHE/$4"
	rm -rf "$work"
}

# source_failed FOLDER FILE SHA256 TRIED
source_failed() {
	sed 's/^/    /' "$1/log" >&2
	say "could not get $2. Tried: $4, with these sources:"
	sed 's/^/    /' "$1/parts/source.sources" >&2
	rm -rf "$1"
	die "put $2 (SHA-256 $3) into $CACHE by hand, then try again"
}

# source_tarball PACKAGE SUITE VERSION FILE SHA256: fetches it if need be and prints where it is.
source_tarball() {
	local file=$CACHE/$4
	[[ -f $file ]] || source_fetch "$@"
	printf '%s  %s\n' "$5" "$file" | sha256sum --check --quiet >&2 ||
		die "$file is not what is pinned: remove it and try again"
	printf '%s' "$file"
}
