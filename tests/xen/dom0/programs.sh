# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# For cases that run dom0's programs in a 64-bit guest as they are, with their
# libraries: they go there on a disk and stay in the guest's memory, /tmp/programs, so
# that modules can be unloaded. Needs lib.sh, and $name.

programs_begin() {
	local tree=$BED/$name/programs program lib
	[ "$(guest "$name" 'uname -m')" = x86_64 ] || skip "these programs are for 64-bit guests"
	rm -rf "$tree"
	mkdir -p "$tree"/{bin,lib}
	for program in "$@"; do
		program=$(command -v "$program") || fail "dom0 has no $program"
		cp -L "$program" "$tree/bin/"
		for lib in $(ldd "$program" | grep -o '/[^ ]*\.so[^ ]*'); do
			cp -L "$lib" "$tree/lib/"
		done
	done
	rm -f "$tree.img"
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$tree" "$tree.img" 24M || fail "cannot make the disk with programs"
	xl block-attach "$name" "format=raw,vdev=xvdz,access=ro,target=$tree.img" || fail "cannot attach the disk with programs"
	guest "$name" '. /cases/lib.sh; load_drivers
		pv_disk xvdz && modprobe -q ext4; mkdir -p /mnt/programs /lib64 &&
		mount -t ext4 -o ro /dev/xvdz /mnt/programs && cp -r /mnt/programs /tmp/ && umount /mnt/programs &&
		ln -sf /tmp/programs/lib/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2 &&
		ln -sfn /tmp/programs/lib /lib/x86_64-linux-gnu' || fail "the programs cannot be used"
	detach_disk "$name" xvdz || fail "cannot detach the disk with programs"
}

# with_programs [-t SECONDS] COMMAND: in the guest, before busybox's of the same name.
with_programs() {
	local limit=60
	[ "$1" != -t ] || { limit=$2 && shift 2; }
	guest "$name" -t "$limit" ". /cases/lib.sh; PATH=/tmp/programs/bin:\$PATH; $*"
}

# xenstore_works NAME WHAT: a program of the guest NAME is answered. The host's end is not
# what is tested, but must be there.
xenstore_works() {
	timeout 20 xenstore-exists / || {
		dmesg | grep -E 'xenstored|segfault' | tail -n 3
		cat "/proc/$(pidof xenstored)/wchan"
		tail -n 5 /var/log/xen/*xenstored* /var/log/xenstored* 2>/dev/null
		fail "$2: xenstored itself does not answer any more: process $(pidof xenstored || echo gone)"
	}
	[ "$(with_programs 'timeout 10 xenstore-read domid')" = "$(guest_id "$1")" ] ||
		fail "$2: xenstore-read does not work any more"
}
