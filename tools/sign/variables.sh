#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause-Patent
#
# Makes the contents of Secure Boot's variables: variables.sh KEYS OUT CERTIFICATE...
#
# KEYS is a folder with PK and KEK as keys.sh makes them. Each CERTIFICATE (DER) may sign what firmware
# starts. OUT gets PK.auth, KEK.auth and db.auth: signed lists, ready for SetVariable() in setup mode, for
# firmware's own set-up where it takes such files, or for efi-updatevar; and db.esl, the list alone.

set -euo pipefail

OWNER=f0f2b0a5-4a5c-4d0e-8f1b-6a3c1f6f6d55 # who enrolled: us
ATTRIBUTES=NON_VOLATILE,BOOTSERVICE_ACCESS,RUNTIME_ACCESS,TIME_BASED_AUTHENTICATED_WRITE_ACCESS

# A list of one certificate on standard output.
list() {
	local work
	work=$(mktemp)
	sbsiglist --owner "$OWNER" --type x509 --output "$work" "$1" >&2
	cat "$work"
	rm -f "$work"
}

# sign SIGNER VARIABLE: OUT/VARIABLE.esl becomes OUT/VARIABLE.auth
sign() {
	sbvarsign --key "$keys/$1.key" --cert "$keys/$1.crt" --attr "$ATTRIBUTES" \
		--output "$out/$2.auth" "$2" "$out/$2.esl" >&2
}

(($# >= 3)) || { sed -n '4,8s/^# \{0,1\}//p' "$0"; exit 2; }
keys=$1 out=$2
shift 2
mkdir -p "$out"
list "$keys/PK.cer" >"$out/PK.esl"
list "$keys/KEK.cer" >"$out/KEK.esl"
for certificate in "$@"; do list "$certificate"; done >"$out/db.esl"
sign PK PK
sign PK KEK
sign KEK db
