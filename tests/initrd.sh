#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# initrd.sh [NAME...]           tests of initrds, of kernels 6.1-686 and noxen unless told;
#                               prints PASS|FAIL NAME-TEST [REASON] for each
# initrd.sh make NAME KIND OUT  makes one, for the bed
#
# An initrd of kernel NAME as Debian 12's own tools make it, in a chroot where our
# modules and settings are installed.  KIND: initramfs-tools; dracut (for any
# machine) or dracut-hostonly.  XENPV_MODULES as for tests/xen/guest.sh.
#
# What is in an image is asked of the image: it is unpacked, and its own modprobe says
# in which order it would load drivers.
set -euo pipefail

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/roots.sh
. "$XENPV_TESTS/roots.sh"

MODULES="xen-platform-pci xen-vbd xen-vnif"

need_root "a chroot"
mkdir -p "$XENPV_CACHE/tmp" "$XENPV_CACHE/log"
dir=$(mktemp -d "$XENPV_CACHE/tmp/initrd.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT

# system NAME: a root with that kernel's modules and ours. The base has /lib in /usr.
system() {
	local name=$1 kernel to ours=${XENPV_MODULES:-}
	kernel=$("$XENPV_TESTS/kernels/kernels.sh" get "$name")
	RELEASE=$(cat "$kernel/release")
	root bookworm "$(cat "$kernel/arch")"
	to=$dir/upper/usr/lib/modules/$RELEASE
	mkdir -p "$to" "$dir/upper/boot"
	cp -r "$kernel/modules/lib/modules/$RELEASE/." "$to/"
	cp "$kernel/kdir/.config" "$dir/upper/boot/config-$RELEASE"
	[ -n "$ours" ] || ours=$("$XENPV_TESTS/kernels/build-modules.sh" "$name")
	mkdir -p "$to/updates"
	cp "$ours"/*.ko "$to/updates/"
	strip --strip-debug "$to"/updates/*.ko
	(cd "$XENPV_TOP" && sh platform-pci/packaging/files.sh install "$dir/upper")
	run "depmod $RELEASE"
}

# image KIND: /xenpv/initrd.img in the root, and unpacked in /tmp/image.
image() {
	case $1 in
	initramfs-tools) run "mkinitramfs -o /xenpv/initrd.img $RELEASE" ;;
	dracut*)
		run "command -v dracut >/dev/null || { apt-get -q update && apt-get -y -q install dracut-core; }"
		run "mode=--no-hostonly; [ $1 = dracut ] || mode=--hostonly
		dracut \$mode --no-hostonly-cmdline --compress 'gzip -n -1' --force --kver $RELEASE /xenpv/initrd.img"
		;;
	*) die "no kind of initrd is called $1" ;;
	esac
	run 'rm -rf /tmp/image; mkdir /tmp/image; cd /tmp/image; gzip -dc /xenpv/initrd.img | cpio -idm --quiet'
}

# has PATTERN: a file in the image. (grep -q would end find by a signal.)
has() { run "cd /tmp/image && find . | grep -E '$1'" >/dev/null; }

# The order in which the image's own modprobe would load them.
order() {
	run "chroot /tmp/image modprobe -S $RELEASE --show-depends $1" | sed -n 's,^insmod .*/\([^ ]*\)\.ko.*,\1,p' |
		grep -E "^(xen|$1)" | awk '!seen[$0]++' | paste -sd ' '
}

# sound KIND [DRIVER]: all modules, once; our settings; DRIVER, of emulated disks, comes
# after them.
sound() {
	local module found
	image "$1"
	for module in $MODULES; do
		found=$(run "find /tmp/image -name '$module.ko*' | wc -l")
		[ "$found" = 1 ] || { echo "$module.ko is there $found times"; return 1; }
	done
	has '/modprobe\.d/xenpv\.conf$' || { echo "no load order"; return 1; }
	[ -n "${2:-}" ] || return 0
	found=$(order "$2")
	[[ $found =~ ^xen-platform-pci\ (xen-vbd\ xen-vnif|xen-vnif\ xen-vbd)\ $2$ ]] || {
		echo "loaded in this order: $found"
		return 1
	}
}

# An image of a system where only our settings are, as after the modules were removed by
# hand: it must be made, and load what there is.
without_modules() {
	run "mv /lib/modules/$RELEASE/updates /tmp/; depmod $RELEASE"
	trap 'run "mv /tmp/updates /lib/modules/$RELEASE/; depmod $RELEASE"' EXIT
	image initramfs-tools || { echo "it is not made"; return 1; }
	! has '/xen-.*\.ko' || { echo "it has modules that are not there"; return 1; }
	[ "$(order ata_piix)" = ata_piix ] || { echo "it would load: $(order ata_piix)"; return 1; }
}

# Where drivers of emulated disks are built in, no softdep brings ours: the hook does.
hook_alone() {
	run "mv /usr/lib/modprobe.d/xenpv.conf /tmp/"
	trap 'run "mv /tmp/xenpv.conf /usr/lib/modprobe.d/"' EXIT
	image initramfs-tools
	has '/xen-platform-pci\.ko' && has '/xen-vbd\.ko' && has '/xen-vnif\.ko' || { echo "modules are missing"; return 1; }
}

# verdict NAME COMMAND...: its last line of output is the reason of a failure.
verdict() {
	local name=$1 rc=0
	shift
	# A fresh shell level with errexit: `if` and `||` would switch it off.
	set +e
	(set -e; "$@") >"$dir/log" 2>&1
	rc=$?
	set -e
	cat "$dir/log" >>"$XENPV_CACHE/log/initrd.log"
	if [ "$rc" = 0 ]; then
		echo "PASS $name"
	else
		echo "FAIL $name: $(tail -n 1 "$dir/log")"
	fi
}

if [ "${1:-}" = make ]; then
	[ $# = 4 ] || die "usage: initrd.sh make NAME KIND OUT"
	system "$2" >&2
	sound "$3" >&2 || die "the initrd of $2 is not sound"
	cp "$dir/upper/xenpv/initrd.img" "$4"
	exit
fi
: >"$XENPV_CACHE/log/initrd.log"
[ $# -gt 0 ] || set -- 6.1-686 noxen
for name; do
	system "$name" >>"$XENPV_CACHE/log/initrd.log" 2>&1
	verdict "$name-initramfs-tools" sound initramfs-tools ata_piix
	verdict "$name-hook-alone" hook_alone
	verdict "$name-without-modules" without_modules
	verdict "$name-dracut" sound dracut ata_piix
	# For this machine alone, which has no ata_piix.
	verdict "$name-dracut-hostonly" sound dracut-hostonly
done
