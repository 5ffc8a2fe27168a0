#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds what a guest's emulated disk begins with, a small GRUB, and prints its
# directory (mbr.img). It reads grub.cfg, kernel and initramfs from the guest's
# last BIOS disk, the second or third, which is a tar archive: see dom0/guest-create.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

MODULES="biosdisk tar linux normal configfile boot"

build_loader() {
	local out=$1 grub=/usr/lib/grub/i386-pc
	# A configfile that is not there only prints so.
	printf 'set root=%s\nconfigfile /grub.cfg\n' hd1 hd2 >"$out/early.cfg"
	# shellcheck disable=SC2086 # one word a module
	grub-mkimage -O i386-pc -p '(hd1)/' -c "$out/early.cfg" -o "$out/core.img" $2
	cat "$grub/boot.img" "$out/core.img" >"$out/mbr.img"
	rm "$out/early.cfg" "$out/core.img"
}

need_packages grub-common grub-pc-bin
HASH=$(recipe_hash "$(declare -f build_loader)" "$MODULES")
cache_build loader "$HASH" build_loader "$MODULES"
