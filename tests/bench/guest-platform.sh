# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2034
#
# The guest's half of `make bench-platform`, behind guest-bench.sh. Figures are printed as
# lines "NAME VALUE"; report.py has their units.
#
# usage: neighbour MAC | modules platform|disk|card | memory disk|card | events
#        | read_on | read_off

OURS=xen-platform-pci INTREE=xen-blkfront

# module disk|card: the frontend under test.
module() {
	case $drivers-$1 in
	ours-disk) echo xen-vbd ;;
	ours-card) echo xen-vnif ;;
	*-disk) echo xen-blkfront ;;
	*-card) echo xen-netfront ;;
	esac
}

# directory disk|card: of the frontend as a driver. Where the kernel has a bus of its own, ours
# has another name.
directory() {
	_bus=/sys/bus/xen
	[ "$drivers" != ours ] || [ ! -d /sys/bus/xenpv ] || _bus=/sys/bus/xenpv
	case $1 in
	disk) echo $_bus/drivers/vbd ;;
	card) echo $_bus/drivers/vif ;;
	esac
}
# devices disk|card: that it has.
devices() { (cd "$(directory "$1")" 2>/dev/null && ls -d ./*-*) || :; }
take() { echo "$2" >"$(directory "$1")/unbind" || fail "$2 cannot be unbound"; }
give() { echo "$2" >"$(directory "$1")/bind" || fail "$2 cannot be bound"; }

# unload disk|card...: those that are there.
unload() {
	for _w in "$@"; do
		! loaded "$(module "$_w")" || rmmod "$(module "$_w")" || fail "rmmod $(module "$_w")"
	done
}

neighbour() { echo "$1" >/tmp/neighbour; }

# all_there: as the jobs find it and leave it.
all_there() {
	modprobe "$(module disk)" && modprobe "$(module card)" && pv_disk xvdf >/tmp/disk || fail "no PV disk: $(cat /tmp/disk)"
	_nic=$(pv_nic) || fail "$_nic"
	net_up "$_nic"
}

# card_up: as soon as there is one.
card_up() {
	until _nic=$(_nic_by_driver vif xen-vnif); do usleep 1000; done
	ip addr add "10.77.1.$(guest_number)/16" dev "$_nic"
	ip link set "$_nic" up
	arp -s 10.77.0.1 "$(cat /tmp/neighbour)"
}

# modules platform|disk|card: how long it takes from modprobe to the first I/O, and what the
# module takes. Ours are taken away before, each time. The kernel's own disk
# was not there again after that: they are loaded here for the first time, and never again.
modules() {
	if [ "$drivers" = ours ]; then
		unload disk card
		ours_anew "$1"
		all_there
	elif [ "$1" != platform ] && ! loaded "$(module "$1")"; then
		_without=$(free_kib)
		frontend "$1"
		_with=$(free_kib)
		_n=$(devices "$1" | wc -l)
		echo "$1-memory $(awk "BEGIN { print ($_without - $_with - $(size "$(module "$1")")) / $_n }")"
	fi
}
ours_anew() {
	[ "$1" = platform ] || {
		frontend "$1"
		return
	}
	rmmod $OURS || fail "rmmod $OURS"
	first load-to-read read /dev/xvdf sh -c "modprobe $OURS $(cat $out/words) && modprobe xen-vbd"
	echo "platform-module $(size $OURS)"
}
frontend() {
	case $1 in
	disk) first driver-to-read read /dev/xvdf modprobe "$(module disk)" ;;
	card) first driver-to-ping ping 10.77.0.1 sh /tmp/bench.sh card ;;
	esac
	echo "$1-module $(size "$(module "$1")")"
}

# first FIGURE WORD...: what the program of that name says.
first() {
	_figure=$1
	shift
	_took=$(/bin/first "$@" 2>/tmp/first.err) || fail "$_figure: $(tail -n 1 /tmp/first.err)"
	echo "$_figure $_took"
}

# size MODULE: in KiB.
size() { awk -v m="$(echo "$1" | tr - _)" '$1 == m { print $2 / 1024 }' /proc/modules; }

card() {
	modprobe "$(module card)" && card_up
}

free_kib() {
	sync
	sleep 1
	echo 3 >/proc/sys/vm/drop_caches
	echo 1 >/proc/sys/vm/compact_memory
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

# memory disk|card: what is free with the driver loaded, and without, for each device. Devices
# are taken from the driver, the module stays. (Of the kernel's own: see modules.)
memory() {
	[ "$drivers" = ours ] || return 0
	_bound=$(devices "$1")
	_n=$(echo "$_bound" | wc -w)
	[ "$_n" -gt 0 ] || fail "no device in $(directory "$1")"
	_with=$(free_kib)
	for _d in $_bound; do take "$1" "${_d#./}"; done
	_without=$(free_kib)
	for _d in $_bound; do give "$1" "${_d#./}"; done
	echo "$1-memory $(awk "BEGIN { print ($_without - $_with) / $_n }")"
	all_there
}

events() {
	dmesg -c >/dev/null
	# It says what it has found and is not loaded; insmod tries that twice.
	insmod /root/event-cost.ko 2>/dev/null
	dmesg | sed -n 's/.*event-cost \(event-[a-z-]*\) \([0-9]*\) .*/\1 \2/p' | tail -n 2
	dmesg | grep -q "event-cost event-to-handler" || fail "no events: $(dmesg | tail -n 2)"
}

read_on() {
	all_there
	setsid sh -c 'while [ ! -e /tmp/enough ]; do dd if=/dev/xvdf of=/dev/null bs=4k count=1 iflag=direct; done' \
		</dev/null >/dev/null 2>&1 &
}
read_off() { touch /tmp/enough; sleep 1; rm /tmp/enough; }

case $1 in
load)
	[ "$drivers" != ours ] || run_verb "$@"
	shift
	echo "$*" >$out/words
	;;
neighbour | modules | card | memory | events | read_on | read_off) "$@" ;;
*) fail "no such verb: $1" ;;
esac
