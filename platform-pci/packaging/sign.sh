#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# sign.sh KDIR KEY CERT MODULE...: sign modules with the program and the hash of
# the kernel they are for.  A module that has a signature keeps it.
set -eu

kdir=$1 key=$2 cert=$3
shift 3
program=$kdir/scripts/sign-file
mark='~Module signature appended~'

fail() {
	echo "error: $*" >&2
	exit 1
}

[ -x "$program" ] ||
	fail "$program is missing: this kernel's tree was made without CONFIG_MODULE_SIG, it asks for no signatures"
for file in "$key" "$cert"; do
	[ -r "$file" ] ||
		fail "cannot read $file: run 'dkms generate_mok' (dkms 3 or later) or give KEY= and CERT=; the guest must know the certificate: mokutil --import $cert"
done
hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' "$kdir/include/config/auto.conf")
for module; do
	if [ "$(tail -c 28 "$module")" = "$mark" ]; then
		echo "${module##*/} has a signature already; make clean all removes it"
	else
		"$program" "${hash:-sha256}" "$key" "$cert" "$module"
		echo "signed ${module##*/}"
	fi
done
