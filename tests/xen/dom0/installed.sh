# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# For cases about an installed guest (headers `kind: installed`, `needs: installed`). Needs
# lib.sh, and $name.

# is WHAT COMMAND EXPECTED: what the command prints in the guest.
is() {
	local found
	found=$(guest "$name" "$2" 2>&1)
	[ "$found" = "$3" ] || fail "$1: $found, not $3"
}

# started: systemd has started whatever it shall start, and nothing failed.
started() {
	local state
	state=$(guest "$name" -t 900 'systemctl is-system-running --wait')
	[ "$state" = running ] ||
		fail "the system is $state: $(guest "$name" 'systemctl list-units --failed --no-legend --plain; systemctl list-jobs --no-legend' | xargs)"
}

# again: the guest reboots, as a user has it do so, and is up. Its kernel's log so far is kept.
again() {
	local shape
	shape=$(cat "$BED/$name/shape")
	# Not before this command has ended.
	guest "$name" "setsid sh -c 'sleep 1; systemctl reboot' </dev/null >/dev/null 2>&1 &" || fail "it cannot be told to reboot"
	wait_for 600 eval "! guest_id $name" || fail "it does not reboot"
	cat "/bed/log/$name.console" >>"/bed/log/$name.console.past"
	# shellcheck disable=SC2086 # memory, processors, kind
	guest-create "$name" $shape || fail "it does not come up again"
	started
}

# again_with WORD...: the same, and its kernel gets these arguments besides its own.
again_with() {
	guest "$name" "cd /boot/grub && { test -e plain.cfg || cp grub.cfg plain.cfg; } &&
		sed 's/^[[:space:]]*linux .*/& $*/' plain.cfg >grub.cfg" || fail "the boot menu cannot be changed"
	again
}

# Xen's numbers of hda and hdb, whatever the guest calls their PV twins.
# shellcheck disable=SC2034 # for cases
HDA=768 HDB=832

# root_on NODE, data_on NODE: where the file systems are. On a PV disk udev has all its names.
root_on() { is "the root file system is on" 'findmnt -no SOURCE /' "$1"; }
data_on() {
	is "fstab has mounted" 'findmnt -no SOURCE /srv/data' "$1"
	is "by-uuid" "sed -n 's,^UUID=\([^ ]*\) /srv/data .*,/dev/disk/by-uuid/\1,p' /etc/fstab | xargs realpath" "$1"
	[ "$1" = /dev/xvdb ] || return 0
	names_of $HDB "$1"
}

# names_of NUMBER NODE: the links that our rules make.
names_of() {
	is "by-path" "realpath -e /dev/disk/by-path/xen-vbd-$1" "$2"
	is "by-id" "realpath -e /dev/disk/by-id/xvd-vbd-$1" "$2"
}

# disks NAME...: all that there are.
disks() { is "disks" "ls /sys/block | grep -E '^(sd|xvd)' | xargs" "$*"; }

cards() { guest "$name" "ls /sys/class/net | grep -v '^lo\$'"; }

# card DRIVER: the only one is of that, and works.
card() {
	local cards
	# Its driver may still look for it when the system has started.
	wait_for 60 cards || fail "no card at all"
	cards=$(cards)
	is "driver of $cards" "ethtool -i $cards | sed -n 's/^driver: //p'" "$1"
	[ "$1" = xen-vnif ] || return 0
	wait_for 60 guest "$name" "ip -4 -o addr show dev enX0 | grep -q ' 10\.77\.2\.[0-9]*/16 .* dynamic '" ||
		fail "enX0 gets no address: $(guest "$name" 'ip -4 -o addr; systemctl --no-pager -n 5 status ifup@enX0' | xargs)"
	guest "$name" -t 60 'ping -q -c 3 10.77.0.1' || fail "no answer over enX0"
}

# pv_devices: what it has when all is well.
pv_devices() {
	root_on /dev/sda1
	is "the disk of the root file system is" 'readlink -f /sys/block/sda/device | grep -o /ata1/' /ata1/
	data_on /dev/xvdb
	disks sda xvdb xvde xvdf xvdg
	card xen-vnif
}

# doctor: it finds nothing wrong.
doctor() {
	guest "$name" -t 300 'xenpv-doctor >/tmp/doctor' ||
		fail "the doctor: $(guest "$name" "grep -F '!!' /tmp/doctor")"
}
