#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the Xen host of the test bed and prints its directory:
#   xen.elf     the hypervisor, as QEMU's multiboot loader takes it
#   vmlinuz     dom0's kernel
#   initrd.img  small: just enough to mount the root image
#   root.img    ext4, sparse, raw; always run as a snapshot
#   release     dom0's uname -r
#
# Everything comes from Debian packages of this machine's own release; nothing
# that changes from run to run is inside (that is the share which bed.sh gives
# to QEMU: start script, guests, cases).  Needs root, for debootstrap.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# xen-utils brings xl and xenstored, qemu-system-xen the device model; brd,
# loop, xen-blkback and xen-netback are in the stock kernel's package.
PACKAGES=xen-utils-4.17,xen-hypervisor-4.17-amd64,qemu-system-xen,seabios,linux-image-amd64
PACKAGES+=,kmod,udev,iproute2,iputils-ping,ethtool,procps,e2fsprogs,fio,iperf3,socat,netcat-openbsd,busybox-static
INITRD_MODULES="virtio_pci virtio_blk ext4"
DOM0_MODULES="$INITRD_MODULES 9p 9pnet_virtio xen-evtchn xen-gntdev xen-gntalloc xen-privcmd \
xen-blkback xen-netback xenfs tun veth bridge loop brd"
export PACKAGES INITRD_MODULES DOM0_MODULES

# Fills TREE with the packages and leaves only what a run uses.
dom0_tree() {
	local tree=$1 release
	debootstrap --variant=minbase --include="$PACKAGES" \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$tree" "$(debian_mirror)"
	release=$(ls "$tree/usr/lib/modules")
	dom0_modules "$tree/usr/lib/modules/$release" "$release" "$tree" "$DOM0_MODULES"
	rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,man,locale,info} \
		"$tree"/boot/initrd* "$tree"/boot/*.efi
	ln -sf busybox "$tree/bin/vi"
	mkdir -p "$tree/bed"
	install -m 755 "$XENPV_TESTS/xen/dom0/init" "$tree/sbin/xenpv-init"
}

# Leaves in the module directory DIR only the named modules and what they need.
dom0_modules() {
	local dir=$1 release=$2 base=$3 keep=$1.keep file
	mkdir -p "$keep"
	dom0_module_files "$release" "$base" "$4" | while read -r file; do
		install -D -m 644 "$file" "$keep/${file#"$dir/"}"
	done
	cp "$dir"/modules.builtin* "$dir/modules.order" "$keep/"
	rm -rf "$dir"
	mv "$keep" "$dir"
	depmod -b "$base" "$release"
}

dom0_module_files() {
	local m
	for m in $3; do
		modprobe -d "$2" -S "$1" --show-depends "$m" || die "no module $m in $1"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

dom0_initrd() {
	local tree=$1 out=$2 dir=$3 release=$4 file
	mkdir -p "$dir"/{bin,dev,proc,sys,root,modules}
	cp "$tree/bin/busybox" "$dir/bin/busybox"
	dom0_module_files "$release" "$tree" "$INITRD_MODULES" | while read -r file; do
		cp "$file" "$dir/modules/"
		echo "${file##*/}" >>"$dir/modules/order"
	done
	install -m 755 "$XENPV_TESTS/xen/dom0/initrd-init" "$dir/init"
	(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -6) >"$out"
}

build_dom0() {
	local out=$1 tree=$1/tree release
	dom0_tree "$tree"
	release=$(ls "$tree/usr/lib/modules")
	echo "$release" >"$out/release"
	gzip -dc "$tree"/boot/xen-4.*-amd64.gz >"$out/xen.elf"
	cp "$tree/boot/vmlinuz-$release" "$out/vmlinuz"
	rm -f "$tree"/boot/vmlinuz* "$tree"/boot/System.map*
	dom0_initrd "$tree" "$out/initrd.img" "$out/initrd" "$release"
	rm -rf "$tree/dev"
	mkdir "$tree/dev"
	mke2fs -q -t ext4 -O ^has_journal,^metadata_csum -d "$tree" "$out/root.img" 1500M
	rm -rf "$tree" "$out/initrd"
}

need_root "preparing the Xen host"
need_packages debootstrap e2fsprogs cpio kmod gzip
HASH=$(recipe_hash "$(declare -f build_dom0 dom0_tree dom0_modules dom0_module_files dom0_initrd)" \
	"$PACKAGES" "$DOM0_MODULES" -- "$XENPV_TESTS/xen/dom0/init" "$XENPV_TESTS/xen/dom0/initrd-init")
cache_fresh dom0 "$HASH" || need_space 3000
cache_build dom0 "$HASH" build_dom0
