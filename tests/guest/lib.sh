# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# For cases that run in the guest (busybox sh): verdicts, drivers, devices.
# A case ends with exit 0 (pass), fail "why" (1) or skip "why" (77); the last
# line it prints is the reason shown.

drivers=$(cat /etc/drivers)	# ours, intree or none

fail() {
	echo "$*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	_end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$_end" ] || return 1
		sleep 0.2
	done
}

load_emulated() {
	for _m in ata_piix sd_mod e1000 af_packet; do
		modprobe -q "$_m" 2>/dev/null
	done
	return 0
}

# ide_disk 0|1: name of the disk that is master or slave of the first channel; Linux
# gives the names in the order in which disks answer.
ide_disk() {
	for _d in /sys/block/sd*; do
		case $(readlink "$_d/device") in
		*/0:0:$1:0) echo "${_d##*/}"; return 0 ;;
		esac
	done
	return 1
}

# loaded MODULE: it is in the kernel.
loaded() { grep -q "^$(echo "$1" | tr - _) " /proc/modules; }

# The drivers under test, loaded if they are not yet.
load_drivers() {
	case $drivers in
	ours) _list="xen-platform-pci xen-vbd xen-vnif" ;;
	intree) _list="xen-blkfront xen-netfront" ;;
	none) skip "needs PV drivers, guest was made without" ;;
	esac
	for _m in $_list; do
		loaded "$_m" || modprobe "$_m" ||
			fail "modprobe $_m failed: $(dmesg | tail -n 3)"
	done
}

unload_drivers() {
	case $drivers in
	ours) _list="xen-vnif xen-vbd xen-platform-pci" ;;
	*) skip "only our modules can be unloaded" ;;
	esac
	for _m in $_list; do
		! loaded "$_m" || rmmod "$_m" ||
			fail "rmmod $_m failed"
	done
}

# leaks: what kmemleak has found since `leaks_forget`, where the kernel has it.
leaks_forget() { ! test -e /sys/kernel/debug/kmemleak || echo clear >/sys/kernel/debug/kmemleak; }
leaks() {
	test -e /sys/kernel/debug/kmemleak || return 0
	# Younger objects than five seconds are not reported.
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	head -n 12 /sys/kernel/debug/kmemleak
}

# pv_disk NAME: wait for the PV disk xvdX; prints its device node. The node is there
# a little before it can be opened.
pv_disk() {
	wait_for 20 dd if="/dev/$1" of=/dev/null count=0 || fail "PV disk $1 did not appear in 20 s"
	echo "/dev/$1"
}

_nic_by_driver() {
	for _n in /sys/class/net/*; do
		_d=$(readlink "$_n/device/driver") || continue
		case ${_d##*/} in
		"$1" | "$2") echo "${_n##*/}"; return 0 ;;
		esac
	done
	return 1
}

# Name of the PV network device.
pv_nic() {
	wait_for 20 _nic_by_driver vif xen-vnif || fail "no PV network device after 20 s"
	_nic_by_driver vif xen-vnif
}

# card_counter NIC NAME: of our driver's, the sum over its queues.
card_counter() { ethtool -S "$1" | sed -n "s/^ *q[0-9]*_$2: //p" | awk '{ s += $1 } END { print s + 0 }'; }

# This guest's address on the bed's network; dom0 is 10.77.0.1, fd77::1.
# The number comes from the guest's domain slot, on the kernel command line.
guest_number() {
	sed -n 's/.*xenpv.n=\([0-9]*\).*/\1/p' /proc/cmdline
}

# net_up DEVICE [MTU]: the only device with an address on the test network.
net_up() {
	for _n in /sys/class/net/*; do
		_n=${_n##*/}
		[ "$_n" = lo ] || ip addr flush dev "$_n"
		[ "$_n" = lo ] || [ "$_n" = "$1" ] || ip link set "$_n" down
	done
	ip link set "$1" mtu "${2:-1500}" || fail "MTU ${2:-1500} refused by $1"
	ip link set "$1" up || fail "cannot bring $1 up"
	ip addr add "10.77.1.$(guest_number)/16" dev "$1"
	ip -6 addr add "fd77::1:$(guest_number)/64" dev "$1" 2>/dev/null
	wait_for 10 ping -c 1 -W 1 10.77.0.1 || fail "dom0 does not answer pings over $1"
}
