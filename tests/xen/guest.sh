#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: guest.sh NAME [DRIVERS [OUT]]
#
# Makes what a guest of kernel NAME boots and prints the directory OUT
# (default: in the cache): vmlinuz, initramfs.gz, cmdline, release, arch.
#   DRIVERS  ours    this tree's modules, built now (default)
#            intree  the kernel's own Xen drivers, for comparison
#            intree-xapic  the same with nox2apic; intree-2level: also without FIFO event
#                    channels; intree-intx: without vectors for events
#            native  ours, where the kernel's own Xen support is active
#            none    emulated devices only
#
# XENPV_MODULES names a directory of ready-made modules to take instead of ours,
# XENPV_PROGRAMS one to be copied into the root besides.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# Stock modules a guest needs for its emulated devices and file systems. A
# kernel may have any of them built in, or not at all.
STOCK="ata_piix sd_mod e1000 ext4 crc32c_generic af_packet ipv6 loop 8021q bridge"
INTREE="xen-blkfront xen-netfront"

usage() { die "usage: guest.sh NAME [ours|intree|native|none [OUT]]"; }

# Copies the stock modules to ROOT; those the kernel lacks are simply not there.
guest_stock() {
	local kernel=$1 root=$2 release=$3 m file
	[ -d "$kernel/modules/lib/modules/$release" ] || return 0
	for m in $4; do
		modprobe -d "$kernel/modules" -S "$release" --show-depends "$m" 2>/dev/null || :
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
		install -D -m 644 "$file" "$root${file#"$kernel/modules"}"
	done
	cp "$kernel/modules/lib/modules/$release"/modules.{builtin,order} \
		"$root/lib/modules/$release/" 2>/dev/null || :
}

guest_ours() {
	local root=$1 release=$2 dir=${XENPV_MODULES:-}
	[ -n "$dir" ] || dir=$("$XENPV_TESTS/kernels/build-modules.sh" "$NAME")
	compgen -G "$dir/*.ko" >/dev/null || die "no modules in $dir"
	mkdir -p "$root/lib/modules/$release/updates"
	cp "$dir"/*.ko "$root/lib/modules/$release/updates/"
	strip --strip-debug "$root/lib/modules/$release/updates/"*.ko
}

guest_programs() {
	local root=$1 arch=$2 tools net applet
	mapfile -t tools < <("$XENPV_TESTS/guest/tools.sh" "$arch")
	mapfile -t net < <("$XENPV_TESTS/guest/nettools.sh" "$arch")
	[ ${#tools[@]} = 2 ] && [ ${#net[@]} = 4 ] || die "no programs for $arch guests"
	install -m 755 "${tools[0]}"/{busybox,fio} "${tools[1]}"/{agent,stream} \
		"${net[0]}/ethtool" "${net[1]}/xdp" "${net[2]}/rtnl" "${net[3]}/failnth" "$root/bin/"
	[ -z "${XENPV_PROGRAMS:-}" ] || cp -r "$XENPV_PROGRAMS"/. "$root/"
	for applet in sh mount; do
		ln -s busybox "$root/bin/$applet"
	done
	# Where the kernel looks for it, when ext4 wants a checksum driver.
	ln -s ../bin/busybox "$root/sbin/modprobe"
}

guest_tree() {
	local root=$1 kernel=$2 release=$3 arch=$4 stock=$STOCK
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,dev,proc,sys,tmp,mnt,etc,root,cases,run} \
		"$root/lib/modules/$release"
	guest_programs "$root" "$arch"
	[ "$DRIVERS" != intree ] || stock+=" $INTREE"
	guest_stock "$kernel" "$root" "$release" "$stock"
	[[ $DRIVERS != @(ours|native) ]] || guest_ours "$root" "$release"
	depmod -b "$root" "$release"
	install -m 755 "$XENPV_TESTS/guest/init" "$root/init"
	install -m 755 "$XENPV_TOP/platform-pci/xenpv-doctor" "$root/sbin/"
	cp "$XENPV_TESTS"/guest/{lib,demo,fail}.sh "$root/cases/"
	cp "$XENPV_TESTS"/guest/cases/* "$XENPV_TOP/platform-pci/ABI" "$root/cases/"
	echo "$NAME" >"$root/etc/hostname"
	echo "$DRIVERS" >"$root/etc/drivers"
	echo "root::0:0::/root:/bin/sh" >"$root/etc/passwd"
}

[ $# -ge 1 ] && [ $# -le 3 ] || usage
NAME=$1
DRIVERS=${2:-ours}
OUT=${3:-$XENPV_CACHE/guests/$NAME-$DRIVERS}
CMDLINE=
case $DRIVERS in
ours | intree | native | none) ;;
intree-xapic) DRIVERS=intree CMDLINE=nox2apic ;;
intree-2level) DRIVERS=intree CMDLINE="nox2apic xen.fifo_events=0" ;;
intree-intx) DRIVERS=intree CMDLINE="nox2apic xen_no_vector_callback" ;;
*) usage ;;
esac
need_packages cpio kmod binutils

KERNEL=$("$XENPV_TESTS/kernels/kernels.sh" get "$NAME")
RELEASE=$(cat "$KERNEL/release")
ARCH=$(cat "$KERNEL/arch")
WORK=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-guest.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
mkdir -p "$OUT" "$WORK/root"
guest_tree "$WORK/root" "$KERNEL" "$RELEASE" "$ARCH"
(cd "$WORK/root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -6) >"$WORK/initramfs.gz"
cp "$KERNEL/vmlinuz" "$WORK/vmlinuz"
cp "$KERNEL/release" "$KERNEL/arch" "$WORK/"
# The kernel's own arguments (nopv) are what keeps the in-tree drivers away.
[[ $DRIVERS = @(intree|native) ]] || CMDLINE=$(cat "$KERNEL/cmdline")
echo "$CMDLINE" >"$WORK/cmdline"
for f in vmlinuz initramfs.gz cmdline release arch; do
	mv "$WORK/$f" "$OUT/$f.new"
	mv "$OUT/$f.new" "$OUT/$f"
done
echo "$OUT"
