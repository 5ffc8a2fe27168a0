#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh load | slave | disk DISK | card CARD | nic DRIVER |
#                read|write DISK MIB | ping CARD | stream send|recv MIB
#
# The guest's side of `make demo`; tests/xen/dom0/demo calls it. disk and card
# print MODULE PLACE, slave the emulated disk that is not the boot disk, nic the
# card that DRIVER serves, read and write SECONDS SHA256 of the first MIB of the
# disk, past the page cache.
# shellcheck source=tests/guest/lib.sh
. /cases/lib.sh

# Emulated devices first, so that ours find them in use.
load() {
	load_emulated
	wait_for 20 test -b /dev/sdb || fail "no emulated disk"
	wait_for 20 _nic_by_driver e1000 e1000 || fail "no emulated card"
	for _m in "xen-platform-pci unplug=never" xen-vbd xen-vnif; do
		echo "# modprobe $_m"
		# shellcheck disable=SC2086 # a module and its parameter
		modprobe $_m || fail "modprobe $_m failed: $(dmesg | tail -n 3)"
	done
	pv_disk xvde >/dev/null
	pv_nic >/dev/null
	dmesg | grep -E '(xenpv-platform|vbd|vif) '
}

# bus_device PATH: the device on a PCI or Xen bus that PATH in sysfs hangs from.
bus_device() {
	_p=$(readlink -f "$1/device")
	while [ "$_p" != /sys ]; do
		_bus=$(readlink "$_p/subsystem")
		case ${_bus##*/} in
		pci | xen*) echo "$_p"; return ;;
		esac
		_p=${_p%/*}
	done
	fail "$1 is on no bus"
}

# link NAME: the last part of what a link points to.
link() {
	_l=$(readlink "$1") && echo "${_l##*/}"
}

# describe CLASS/NAME: of a disk or card.
describe() {
	_dev=$(bus_device "/sys/$1") || fail "$_dev"
	_place="$(link "$_dev/subsystem") ${_dev##*/}"
	[ ! -e "$_dev/vendor" ] ||
		_place="$_place [$(cut -c3- "$_dev/vendor"):$(cut -c3- "$_dev/device")]"
	_module=$(link "$_dev/driver/module") || _module=$(link "$_dev/driver")
	echo "$_module $_place, driver $(link "$_dev/driver")"
}

# The clock in microseconds; this busybox's dd and date tell no parts of a second.
now() {
	echo | ts %.s
}

# timed COMMAND...: sets seconds to what it took.
timed() {
	_start=$(now)
	"$@" 2>/tmp/dd || return
	seconds=$(echo "$_start $(now)" | awk '{ printf "%.6f", $2 - $1 }')
}

sum() {
	sha256sum "$1" | cut -d' ' -f1
}

read_disk() {
	timed dd if="/dev/$1" of=/tmp/data bs=256k count=$(($2 * 4)) iflag=direct ||
		fail "reading $1: $(cat /tmp/dd)"
	echo "$seconds $(sum /tmp/data)"
}

write_disk() {
	dd if=/dev/urandom of=/tmp/data bs=256k count=$(($2 * 4)) 2>/tmp/dd || fail "$(cat /tmp/dd)"
	timed dd if=/tmp/data of="/dev/$1" bs=256k oflag=direct conv=fsync ||
		fail "writing $1: $(cat /tmp/dd)"
	echo "$seconds $(sum /tmp/data)"
}

ping_over() {
	net_up "$1" || exit
	ping -c 3 -i 0.2 -W 5 10.77.0.1 >/tmp/ping || fail "$(tail -n 2 /tmp/ping)"
	tail -n 2 /tmp/ping
}

verb=$1
shift
case $verb in
load) load ;;
slave) ide_disk 1 ;;
disk) describe "block/$1" ;;
card) describe "class/net/$1" ;;
nic) _nic_by_driver "$1" "$1" ;;
read) read_disk "$1" "$2" ;;
write) write_disk "$1" "$2" ;;
ping) ping_over "$1" ;;
stream) stream "$1" 10.77.0.1 7000 "$2" ;;
*) fail "no such verb: $verb" ;;
esac
