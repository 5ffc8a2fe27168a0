#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make install`, `make uninstall` (built beside the tree, signed) and dkms, each for a
# kernel whose tree is in the cache, into a directory of this run: nothing is installed
# on this machine but a few tools.  The udev rules on a disk made of files; what make
# says where it cannot; the tarball.  Prints PASS|FAIL NAME [REASON] for each.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MODULES="xen-platform-pci xen-vbd xen-vnif"
RULES=usr/lib/udev/rules.d/60-xenpv-disk.rules
# What an installation has apart from modules.
SYSTEM_FILES="usr/lib/modprobe.d/xenpv.conf $RULES usr/lib/dracut/dracut.conf.d/50-xenpv.conf
	usr/share/initramfs-tools/hooks/xenpv etc/mkinitcpio.conf.d/xenpv.conf usr/sbin/xenpv-doctor
	usr/share/man/man4/xen-platform-pci.4 usr/share/man/man4/xen-vbd.4 usr/share/man/man4/xen-vnif.4
	usr/share/man/man8/xenpv-doctor.8"

need_packages dkms kmod udev openssl xz-utils pahole
VERSION=$(sed -n 's/^XENPV_VERSION *:= *//p' "$XENPV_TOP/Kbuild")
dir=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-install.XXXXXX")
trap 'rm -rf "$dir"' EXIT
# All is done in the tarball's tree, which can be had without git, too.
make -s -C "$XENPV_TOP" dist OUT="$dir/dist" >&2
mkdir "$dir/tree"
tar -C "$dir/tree" --strip-components=1 -xf "$dir/dist/xenpv-$VERSION.tar.xz"

# all_there DIRECTORY: the three modules, and depmod can read them.
all_there() {
	local module
	for module in $MODULES; do
		compgen -G "$1/$module.ko*" >/dev/null || { echo "no $module in ${1#"$dir"}"; return 1; }
		modinfo -F vermagic "$1/$module".ko* | grep -q "^$RELEASE " || {
			echo "$module is not for $RELEASE"
			return 1
		}
	done
}

system_files_there() {
	local file
	for file in $SYSTEM_FILES; do
		[ -s "$dir/root/$file" ] || { echo "no $file"; return 1; }
	done
}

tree_make() {
	make -j2 -C "$dir/tree" KDIR="$KDIR" DESTDIR="$dir/root" "$@"
}

# A key of this run, as mokutil takes them.
openssl req -new -x509 -newkey rsa:2048 -nodes -subj /CN=xenpv-test/ -outform DER \
	-keyout "$dir/key" -out "$dir/cert" 2>/dev/null

# Built beside the tree, which stays as it is; signed; installed and taken away again.
install_and_back() {
	local left signer
	tree_make MO="$dir/mo" KEY="$dir/key" CERT="$dir/cert" sign
	tree_make MO="$dir/mo" install
	left=$(find "$dir/tree" -newer "$dir/key" -type f)
	[ -z "$left" ] || { echo "a build with MO= leaves in the tree: ${left//$'\n'/ }"; return 1; }
	all_there "$dir/root/lib/modules/$RELEASE/updates"
	signer=$(modinfo -F signer "$dir/root/lib/modules/$RELEASE/updates/xen-vbd".ko*)
	[ "$signer" = xenpv-test ] || { echo "xen-vbd is signed by: ${signer:-nobody}"; return 1; }
	system_files_there
	touch "$dir/root/lib/modules/$RELEASE/updates/foreign.ko"
	tree_make MO="$dir/mo" uninstall
	left=$(find "$dir/root" -type f)
	[ "$left" = "$dir/root/lib/modules/$RELEASE/updates/foreign.ko" ] || {
		echo "uninstall should leave foreign.ko, and leaves: ${left//$'\n'/ }"
		return 1
	}
}

dkms_here() {
	dkms "$@" -m xenpv -v "$VERSION" --dkmstree "$dir/dkms" --sourcetree "$dir/root/usr/src" \
		--installtree "$dir/root/lib/modules"
}

dkms_and_back() {
	tree_make dkms-install
	mkdir -p "$dir/dkms" "$dir/root/lib/modules/$RELEASE"
	dkms_here add
	dkms_here build -k "$RELEASE" --kernelsourcedir "$KDIR"
	dkms_here install -k "$RELEASE" --no-depmod
	all_there "$dir/root/lib/modules/$RELEASE/updates/dkms"
	system_files_there
	dkms_here remove --all
	tree_make dkms-uninstall
	! find "$dir/root" -type f | grep . || { echo "dkms leaves files"; return 1; }
}

# of NAME: the kernel that the next test is for.
of() {
	local kernel
	kernel=$("$XENPV_TESTS/kernels/kernels.sh" get "$1")
	KDIR=$(readlink -f "$kernel/kdir") RELEASE=$(cat "$kernel/release")
	rm -rf "$dir/root"
}

# One kernel each: packages.sh has dkms on the other, and the matrix builds for all.
of 6.12-amd64
verdict_of dkms-6.12-amd64 dkms_and_back
of 6.1-amd64
verdict_of install-6.1-amd64 install_and_back

no_tree() {
	local out
	! out=$(make -C "$dir/tree" KDIR="$dir/nowhere" 2>&1) || { echo "it was built"; return 1; }
	[ "$(grep -c '^error: no kernel tree' <<<"$out")" = 1 ] || { echo "no clear line: $out"; return 1; }
}
verdict_of no-kernel-tree no_tree

# The last kernel above is Debian's, built by gcc.
no_clang() {
	local out arg
	for arg in LLVM=1 CC=clang; do
		! out=$(tree_make MO="$dir/mo" $arg 2>&1) || { echo "it was built with $arg"; return 1; }
		[ "$(grep -c '^error: .* was built by gcc' <<<"$out")" = 1 ] || { echo "no clear line: $out"; return 1; }
	done
}
verdict_of clang-for-gcc no_clang

# The same bytes from git, and from the tarball unpacked by another umask with a file
# that a build leaves.
tarball() {
	local name=xenpv-$VERSION
	(umask 077 && tar --no-same-permissions -C "$dir" -xf "$dir/dist/$name.tar.xz")
	touch "$dir/$name/platform-pci/main.o" "$dir/$name/xen-vbd.ko"
	make -s -C "$dir/$name" dist OUT="$dir/dist2"
	cmp "$dir/dist/$name.tar.xz" "$dir/dist2/$name.tar.xz"
}
verdict_of tarball tarball

# Every verb and variable of the Makefile is in its help.
help_is_whole() {
	local word absent='' help
	help=$(make -s -C "$XENPV_TOP" help)
	for word in $(sed -n '/^\.PHONY:/,/[^\\]$/{s/^\.PHONY://;s/\\$//;p}; s/^\([A-Z_]*\) ?=.*/\1=/p' "$XENPV_TOP/Makefile"); do
		grep -qE "(^|[^a-z_-])$word" <<<"$help" || [ "$word" = help ] || absent="$absent $word"
	done
	[ -z "$absent" ] || { echo "make help does not know:$absent"; return 1; }
}
verdict_of help help_is_whole

# links SERIAL WWID: what udev makes of a disk and its first partition, in a mount
# namespace where sysfs is made of files; sorted, in one line.
links() {
	unshare -m bash -euo pipefail -s "$dir/sys" "$dir/tree/blkfront/${RULES##*/}" "$1" "$2" <<-'EOF' 2>"$dir/udev.log"
		sys=$1 disk=$1/devices/vbd-51728/block/xvdb
		rm -rf "$sys"
		mkdir -p "$disk/xvdb1" "$sys/class/block" "$sys/bus/xen"
		ln -sr "$sys/bus/xen" "$sys/devices/vbd-51728/subsystem"
		: >"$sys/devices/vbd-51728/uevent"
		ln -sr "$sys/class/block" "$disk/subsystem"
		ln -sr "$sys/class/block" "$disk/xvdb1/subsystem"
		ln -sr "$disk" "$disk/xvdb1" "$sys/class/block/"
		[ -z "$3" ] || echo "$3" >"$disk/serial"
		[ -z "$4" ] || echo "$4" >"$disk/wwid"
		printf '%s\n' MAJOR=202 MINOR=16 DEVNAME=xvdb DEVTYPE=disk >"$disk/uevent"
		printf '%s\n' MAJOR=202 MINOR=17 DEVNAME=xvdb1 DEVTYPE=partition PARTN=1 >"$disk/xvdb1/uevent"
		mount --make-rprivate /
		mount -t tmpfs tmpfs /run
		mkdir -p /run/udev/rules.d /run/dev
		cp "$2" /run/udev/rules.d/
		mknod -m 666 /run/dev/null c 1 3
		mount --bind /run/dev /dev
		mount --bind "$sys" /sys
		export SYSTEMD_DEVICE_VERIFY_SYSFS=0
		for part in '' /xvdb1; do
			udevadm test --action=add "/sys/devices/vbd-51728/block/xvdb$part" |&
				tee /dev/stderr | sed -n 's,^DEVLINKS=,,p'
		done | tr -s ' \n' '\n\n' | LC_ALL=C sort | paste -sd ' '
	EOF
}

# same_links SERIAL WWID WANTED...
same_links() {
	local got id=/dev/disk/by-id path=/dev/disk/by-path/xen-vbd-51728
	got=$(links "$1" "$2")
	shift 2
	! grep -E 'rules:[0-9]+ (Invalid|Failed|Unknown|.*ignoring)' "$dir/udev.log" || return
	set -- "${@/#/$id/}" $path $path-part1
	[ "$got" = "$*" ] || { echo "links are: ${got:-none}, not: $*"; return 1; }
}

udev_links() {
	same_links 5b1f5a3c-9f0e-4d 't10.XENSRC  5b1f 5a' xvd-5b1f5a3c-9f0e-4d xvd-5b1f5a3c-9f0e-4d-part1 \
		xvd-t10.XENSRC_5b1f_5a xvd-t10.XENSRC_5b1f_5a-part1
	same_links '' naa.5001405abcdef012 xvd-naa.5001405abcdef012 xvd-naa.5001405abcdef012-part1
	same_links 'a b' '' xvd-a_b xvd-a_b-part1
	same_links '' ''
	same_links ../../sda 'naa.1 ../../../mem'
	# shellcheck disable=SC2016 # not for this shell
	same_links '%n$(id)' '' 'xvd-_n__id_' 'xvd-_n__id_-part1'
}
verdict_of udev-links udev_links
