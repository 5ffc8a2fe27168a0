#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the BIOS of guests that load their kernel from an emulated IDE disk, and prints its
# directory (bios.bin): Debian's SeaBIOS, but that it reads by DMA. Without, the device model
# hands each word of a sector on by itself, which takes minutes here for a kernel and its
# initrd: 75 KB a second.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

CONFIG="QEMU=y ROM_SIZE=256 ATA_DMA=y"
export CONFIG

build_bios() {
	local out=$1 apt=$1/apt
	tools_apt_root "$apt" amd64
	tools_source "$apt" seabios
	cd "$apt/seabios"
	# shellcheck disable=SC2086 # one word an option
	printf 'CONFIG_%s\n' $CONFIG >.config
	make PYTHON="python3 -B" EXTRAVERSION=-ata-dma oldnoconfig
	make PYTHON="python3 -B" EXTRAVERSION=-ata-dma -j"$(nproc)" out/bios.bin
	grep -qx CONFIG_ATA_DMA=y .config || die "this SeaBIOS has no ATA_DMA"
	cp out/bios.bin "$out/"
	cd /
	rm -rf "$apt"
}

need_packages gcc gcc-multilib libc6-dev make python3 dpkg-dev
HASH=$(recipe_hash "$(declare -f build_bios tools_apt_root tools_source)" "$CONFIG")
cache_build bios "$HASH" build_bios
