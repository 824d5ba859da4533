# SPDX-License-Identifier: BSD-2-Clause-Patent
# tools/sign: redoubt.efi with a signature for Secure Boot.

.PHONY: keys sign
keys: ## make keys of your own for Secure Boot: KEYS=FOLDER gets PK, KEK, db and mok
	@[ -n "$(KEYS)" ] || { echo "make keys KEYS=FOLDER (outside this tree)" >&2; exit 2; }
	@$(SETUP) secureboot
	@tools/sign/keys.sh "$(KEYS)" PK KEK db mok

sign: ## sign redoubt.efi: KEY=FILE CERT=FILE (PEM); the result is build/boot/redoubt.signed.efi
	@[ -n "$(KEY)" ] && [ -n "$(CERT)" ] || { echo "make sign KEY=FILE.key CERT=FILE.crt" >&2; exit 2; }
	@$(SETUP) build secureboot
	@$(MAKE) --no-print-directory -s $(B)/boot/redoubt.efi
	sbsign --key "$(KEY)" --cert "$(CERT)" --output $(B)/boot/redoubt.signed.efi $(B)/boot/redoubt.efi
