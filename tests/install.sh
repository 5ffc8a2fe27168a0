#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make install`, `make uninstall` and dkms, each for a kernel whose tree is in the
# cache, into a directory of this run: nothing is installed on this machine but
# dkms and udevadm.  The udev rules on a disk made of files.  Prints PASS|FAIL NAME
# [REASON] for each.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MODULES="xen-platform-pci xen-vbd xen-vnif"
RULES=usr/lib/udev/rules.d/60-xenpv-disk.rules

need_packages dkms rsync kmod udev
dir=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-install.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tree"
git -C "$XENPV_TOP" ls-files -z -- Makefile Kbuild dkms.conf README.md platform-pci xenbus blkfront netfront include |
	rsync -a --from0 --files-from=- "$XENPV_TOP" "$dir/tree"

# test NAME COMMAND...: its last line of output is the reason of a failure.
verdict() {
	local name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "PASS $name"
	else
		echo "FAIL $name: $(tail -n 1 "$dir/log")"
		sed 's/^/     /' "$dir/log" | tail -n 15 >&2
	fi
}

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

tree_make() {
	make -C "$dir/tree" KDIR="$KDIR" DESTDIR="$dir/root" "$@"
}

install_and_back() {
	local left page
	tree_make install || return
	all_there "$dir/root/lib/modules/$RELEASE/updates" || return
	[ -s "$dir/root/usr/lib/modprobe.d/xenpv.conf" ] || { echo "no load order for modprobe"; return 1; }
	[ -s "$dir/root/$RULES" ] || { echo "no rules for udev"; return 1; }
	[ -x "$dir/root/usr/sbin/xenpv-doctor" ] || { echo "no xenpv-doctor"; return 1; }
	for page in man4/{xen-platform-pci,xen-vbd,xen-vnif}.4 man8/xenpv-doctor.8; do
		[ -s "$dir/root/usr/share/man/$page" ] || { echo "no manual page $page"; return 1; }
	done
	touch "$dir/root/lib/modules/$RELEASE/updates/foreign.ko"
	tree_make uninstall || return
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
	tree_make dkms-install || return
	mkdir -p "$dir/dkms" "$dir/root/lib/modules/$RELEASE"
	dkms_here add && dkms_here build -k "$RELEASE" --kernelsourcedir "$KDIR" &&
		dkms_here install -k "$RELEASE" --no-depmod || return
	all_there "$dir/root/lib/modules/$RELEASE/updates/dkms" || return
	[ -s "$dir/root/$RULES" ] || { echo "no rules for udev"; return 1; }
	dkms_here remove --all || return
	tree_make dkms-uninstall || return
	! find "$dir/root" -type f | grep . || { echo "dkms leaves files"; return 1; }
}

VERSION=$(sed -n 's/^XENPV_VERSION *:= *//p' "$XENPV_TOP/Kbuild")
for name in 6.1-amd64 6.12-amd64; do
	kernel=$("$XENPV_TESTS/kernels/kernels.sh" get $name)
	KDIR=$(readlink -f "$kernel/kdir") RELEASE=$(cat "$kernel/release")
	rm -rf "$dir/root"
	verdict install-$name install_and_back
	rm -rf "$dir/root"
	verdict dkms-$name dkms_and_back
done

no_tree() {
	local out
	! out=$(make -C "$dir/tree" KDIR="$dir/nowhere" 2>&1) || { echo "it was built"; return 1; }
	[ "$(grep -c '^error: no kernel tree' <<<"$out")" = 1 ] || { echo "no clear line: $out"; return 1; }
}
verdict no-kernel-tree no_tree

# links SERIAL WWID: what udev makes of a disk and its first partition, in a mount
# namespace where sysfs is made of files; sorted, in one line.
links() {
	unshare -m bash -euo pipefail -s "$dir/sys" "$dir/tree/blkfront/${RULES##*/}" "$1" "$2" <<-'EOF' 2>"$dir/udev.log"
		sys=$1 disk=$1/devices/vbd-51728/block/xvdb
		rm -rf "$sys"
		mkdir -p "$disk/xvdb1" "$sys/class/block"
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
	local got id=/dev/disk/by-id
	got=$(links "$1" "$2")
	shift 2
	! grep -E 'rules:[0-9]+ (Invalid|Failed|Unknown|.*ignoring)' "$dir/udev.log" || return
	[ "$got" = "${*/#/$id/}" ] || { echo "links are: ${got:-none}, not: $*"; return 1; }
}

udev_links() {
	same_links 5b1f5a3c-9f0e-4d 't10.XENSRC  5b1f 5a' xvd-5b1f5a3c-9f0e-4d xvd-5b1f5a3c-9f0e-4d-part1 \
		xvd-t10.XENSRC_5b1f_5a xvd-t10.XENSRC_5b1f_5a-part1 || return
	same_links '' naa.5001405abcdef012 xvd-naa.5001405abcdef012 xvd-naa.5001405abcdef012-part1 || return
	same_links 'a b' '' xvd-a_b xvd-a_b-part1 || return
	same_links '' '' || return
	same_links ../../sda 'naa.1 ../../../mem' || return
	# shellcheck disable=SC2016 # not for this shell
	same_links '%n$(id)' '' 'xvd-_n__id_' 'xvd-_n__id_-part1'
}
verdict udev-links udev_links
