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
set -euo pipefail

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/roots.sh
. "$XENPV_TESTS/roots.sh"

need_root "a chroot"
mkdir -p "$XENPV_CACHE/tmp" "$XENPV_CACHE/log"
dir=$(mktemp -d "$XENPV_CACHE/tmp/initrd.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
LOG=$XENPV_CACHE/log/initrd.log

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

# image KIND: /xenpv/initrd.img in the root.
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
}

# sound KIND [DRIVER]
sound() {
	image "$1"
	image_sound "$RELEASE" /xenpv/initrd.img "${2:-}"
}

# An image of a system where only our settings are, as after the modules were removed by
# hand: it must be made, and load what there is.
without_modules() {
	run "mv /lib/modules/$RELEASE/updates /tmp/; depmod $RELEASE"
	trap 'run "mv /tmp/updates /lib/modules/$RELEASE/; depmod $RELEASE"' EXIT
	image initramfs-tools
	unpack /xenpv/initrd.img
	! has '/xen-.*\.ko' || { echo "it has modules that are not there"; return 1; }
	[ "$(order "$RELEASE" ata_piix)" = ata_piix ] || { echo "it would load: $(order "$RELEASE" ata_piix)"; return 1; }
}

# Where drivers of emulated disks are built in, no softdep brings ours: the hook does.
hook_alone() {
	run "mv /usr/lib/modprobe.d/xenpv.conf /tmp/"
	trap 'run "mv /tmp/xenpv.conf /usr/lib/modprobe.d/"' EXIT
	image initramfs-tools
	unpack /xenpv/initrd.img
	has '/xen-platform-pci\.ko' && has '/xen-vbd\.ko' && has '/xen-vnif\.ko' || { echo "modules are missing"; return 1; }
}

if [ "${1:-}" = make ]; then
	[ $# = 4 ] || die "usage: initrd.sh make NAME KIND OUT"
	system "$2" >&2
	sound "$3" >&2 || die "the initrd of $2 is not sound"
	cp "$dir/upper/xenpv/initrd.img" "$4"
	exit
fi
: >"$LOG"
[ $# -gt 0 ] || set -- 6.1-686 noxen
for name; do
	system "$name" >>"$LOG" 2>&1
	verdict_of "$name-initramfs-tools" sound initramfs-tools ata_piix
	verdict_of "$name-hook-alone" hook_alone
	verdict_of "$name-without-modules" without_modules
	verdict_of "$name-dracut" sound dracut ata_piix
	# For this machine alone, which has no ata_piix.
	verdict_of "$name-dracut-hostonly" sound dracut-hostonly
done
