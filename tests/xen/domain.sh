#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds what a driver domain boots and prints its directory (vmlinuz, initrd.img): Debian's
# stock kernel with blkback and no program but busybox. dom0/driver-domain creates one.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/kernels/apt.sh
. "$XENPV_TESTS/kernels/apt.sh"

MODULES="xen-blkfront xen-blkback"

# Loads what is there, and sleeps.
domain_init() {
	cat <<-'EOF2'
		#!/bin/busybox sh
		busybox mount -t devtmpfs dev /dev
		while read -r module; do
			busybox insmod "/modules/$module"
		done </modules/order
		while :; do busybox sleep 1000; done
	EOF2
}

build_domain() {
	local out=$1 busybox=$2 modules=$3 image=$1/image tree=$1/tree name release m file
	name=$(apt_newest bookworm linux-image-amd64 linux-image-)
	apt_unpack bookworm "$image" "$name"
	release=${name#linux-image-}
	cp "$image/boot/vmlinuz-$release" "$out/vmlinuz"
	depmod -b "$image" "$release"
	mkdir -p "$tree"/{bin,dev,modules}
	cp "$busybox" "$tree/bin/"
	for m in $modules; do
		modprobe -C /dev/null -d "$image" -S "$release" --show-depends "$m" ||
			die "kernel $release has no module $m"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
		cp "$file" "$tree/modules/"
		echo "${file##*/}" >>"$tree/modules/order"
	done
	domain_init >"$tree/init"
	chmod 755 "$tree/init"
	(cd "$tree" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -6) >"$out/initrd.img"
	rm -rf "$image" "$tree"
}

need_packages cpio kmod
mapfile -t TOOLS < <("$XENPV_TESTS/guest/tools.sh" amd64)
[ ${#TOOLS[@]} = 2 ] || die "no busybox for it"
HASH=$(recipe_hash "$(declare -f build_domain domain_init)" "$MODULES")
cache_build domain "$HASH" build_domain "${TOOLS[0]}/busybox" "$MODULES"
