#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: storage.sh NAME
#
# Makes the disk image with what a guest of kernel NAME needs for file systems and
# stacked devices, and prints its path: programs of Debian packages with their
# libraries, our file system exercisers, and the kernel's own modules. A case attaches
# it (dom0/storage.sh), so that other guests stay small.
#   bin lib      programs, libraries and their loader
#   lib.sh       storage-lib.sh
#   modules/M    files of module M in the order to load them, names in modules/M.order

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

PACKAGES="e2fsprogs xfsprogs dmsetup lvm2 cryptsetup-bin"
PROGRAMS="e2fsck mke2fs resize2fs mkfs.xfs xfs_repair xfs_growfs dmsetup lvm cryptsetup"
MODULES="xfs dm-mod dm-crypt aes_generic xts ecb cbc sha256_generic algif_skcipher algif_hash"
OURS="fsx acks"
export PACKAGES PROGRAMS

# Packages and all they depend on, only unpacked: the root is empty but for them.
storage_tree() {
	local apt=$1/apt tree=$1/tree deb
	tools_apt_root "$apt" amd64
	# shellcheck disable=SC2086 # one word a package
	APT_CONFIG=$apt/apt.conf apt-get -q -y --no-install-recommends --download-only \
		-o Dir::State::status="$apt/status" install $PACKAGES
	for deb in "$apt"/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$tree"
	done
	rm -rf "$apt"
}

# What a program is linked with, as the loader of the tree finds it.
storage_libraries() {
	chroot "$1" /lib64/ld-linux-x86-64.so.2 --list "$2" | grep -o '/[^ ]*\.so[^ ]*'
}

build_programs() {
	local out=$1 tree=$1/tree name file lib
	mkdir -p "$out/bin" "$out/lib"
	storage_tree "$out"
	# Older packages name what is in /usr without it.
	for name in bin sbin lib lib64; do
		[ ! -d "$tree/$name" ] || cp -a "$tree/$name/." "$tree/usr/$name/"
		rm -rf "${tree:?}/$name"
		ln -s "usr/$name" "$tree/$name"
	done
	for name in $PROGRAMS; do
		file=$(cd "$tree" && find usr/sbin usr/bin -name "$name" | head -n 1)
		[ -n "$file" ] || die "no program $name in $PACKAGES"
		cp -L "$tree/$file" "$out/bin/$name"
		for lib in $(storage_libraries "$tree" "/$file"); do
			cp -L "$tree/$lib" "$out/lib/"
		done
	done
	rm -rf "$tree"
}

# modules KERNEL DIR
storage_modules() {
	local kernel=$1 dir=$2 release m file
	release=$(cat "$kernel/release")
	mkdir -p "$dir"
	for m in $MODULES; do
		modprobe -d "$kernel/modules" -S "$release" --show-depends "$m" >"$dir/list" 2>/dev/null || continue
		awk '$1 == "insmod" { print $2 }' "$dir/list" | while read -r file; do
			cp -n "$file" "$dir/"
			echo "${file##*/}"
		done >"$dir/$m.order"
	done
	rm -f "$dir/list"
}

build_image() {
	local out=$1 programs=$2 kernel=$3 name
	mkdir -p "$out/tree"
	cp -r "$programs"/{bin,lib} "$out/tree/"
	cd "$XENPV_TESTS/guest"
	cp storage-lib.sh "$out/tree/lib.sh"
	for name in $OURS; do
		gcc -O2 -Wall -Wextra -Werror -static -s -o "$out/tree/bin/$name" "$name.c"
	done
	storage_modules "$kernel" "$out/tree/modules"
	mke2fs -q -t ext4 -O ^has_journal -b 4096 -m 0 -d "$out/tree" "$out/storage.img" \
		$(($(du -sm "$out/tree" | cut -f1) * 5 / 4 + 4))M
	rm -rf "$out/tree"
}

[ $# -eq 1 ] || die "usage: storage.sh NAME"
need_root "unpacking packages for guests"
need_packages gcc libc6-dev e2fsprogs kmod
KERNEL=$("$XENPV_TESTS/kernels/kernels.sh" get "$1")
[ "$(cat "$KERNEL/arch")" = amd64 ] || die "these programs are for 64-bit guests"
export MODULES OURS
HASH=$(recipe_hash "$(declare -f build_programs storage_tree storage_libraries tools_apt_root)" "$PACKAGES" "$PROGRAMS")
DIR=$(cache_build storage/programs "$HASH" build_programs)
HASH=$(recipe_hash "$(declare -f build_image storage_modules)" "$HASH" "$MODULES" "$(cat "$KERNEL/.recipe")" -- \
	"$XENPV_TESTS"/guest/{fsx.c,acks.c,storage-lib.sh})
echo "$(cache_build "storage/$1" "$HASH" build_image "$DIR" "$KERNEL")/storage.img"
