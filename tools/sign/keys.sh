#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
#
# Makes keys for Secure Boot: keys.sh FOLDER NAME...
#
# For each NAME: FOLDER/NAME.key (RSA-2048, private, without a passphrase), NAME.crt (its certificate,
# PEM) and NAME.cer (the same, DER, as firmware and mokutil want it). What is there is left alone.

set -euo pipefail
umask 077

make_key() {
	local path=$1/$2
	[[ -e $path.key && -e $path.cer ]] && return
	openssl req -new -x509 -newkey rsa:2048 -sha256 -nodes -days 3650 -subj "/CN=Redoubt $2/" \
		-addext basicConstraints=critical,CA:TRUE -keyout "$path.key" -out "$path.crt" 2>/dev/null
	openssl x509 -in "$path.crt" -outform DER -out "$path.cer"
}

(($# >= 2)) || { sed -n '4,7s/^# \{0,1\}//p' "$0"; exit 2; }
folder=$1
shift
mkdir -p "$folder"
for name in "$@"; do make_key "$folder" "$name"; done
