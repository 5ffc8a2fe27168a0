# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For scripts and cases that run in dom0: guests, their channel, their devices.
#
# A guest NAME is made from /bed/guests/NAME (vmlinuz, initramfs.gz, cmdline) and
# lives in /run/bed/NAME: config, chan (the socket of the agent), the disks' backing
# files, number (1...; address 10.77.1.NUMBER). Its kernel's log is on the share.
# A case ends with exit 0 (pass), fail "why" (1) or skip "why" (77); the last
# line printed is the reason shown.

export PATH=/usr/lib/xen-4.17/bin:/bed/bin:/bed/dom0:/usr/sbin:/usr/bin:/sbin:/bin
BED=/run/bed

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
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# guest NAME [-s] [-t S] COMMAND: run in the guest; output and status are its
# own, 124: time limit, 125: the guest does not answer.
guest() {
	local name=$1 opts=()
	shift
	while [[ ${1:-} = -* ]]; do
		case $1 in
		-t | -w | -l) opts+=("$1" "$2") && shift ;;
		*) opts+=("$1") ;;
		esac
		shift
	done
	client "${opts[@]}" "$BED/$name/chan" "$@"
}

# guest_id NAME: its domain number; fails when it does not run.
guest_id() {
	xl domid "$1" 2>/dev/null
}

# guest_again NAME: end it as by a power failure, and create it as it was. Its kernel's
# log so far is kept.
guest_again() {
	local shape
	shape=$(cat "$BED/$1/shape")
	guest-destroy "$1" || return
	cat "/bed/log/$1.console" >>"/bed/log/$1.console.past"
	# shellcheck disable=SC2086 # memory, processors, kind
	guest-create "$1" $shape
}

# new_disk FILE MIB: an empty backing file.
new_disk() {
	rm -f "$1"
	truncate -s "$2M" "$1"
}

# attach_disk NAME VDEV FILE: as the user does, with the loop backend.
attach_disk() {
	xl block-attach "$1" "format=raw,vdev=$2,access=rw,target=$3"
}

detach_disk() {
	xl block-detach "$1" "$2"
}

# Backends by hand, for cases in which the toolstack must not help.

# number I, disk I: the device's number and name; xvdaa and later, two rows of 26.
number() { echo $(((1 << 28) + ((26 + $1) << 8))); }
# shellcheck disable=SC2059 # the name is what is printed
disk() { printf "xvd\\x$(printf %x $((97 + $1 / 26)))\\x$(printf %x $((97 + $1 % 26)))\n"; }

# backend_dir NAME NUMBER [DOMID]: where DOMID (dom0) keeps its end of a guest's vbd.
backend_dir() {
	echo "/local/domain/${3:-0}/backend/vbd/$(guest_id "$1")/$2"
}

# backend_nodes NAME NUMBER DOMID MAJOR:MINOR FILE: what the toolstack and its hotplug
# script write for a vbd, in one go; DOMID's blkback does the rest.
backend_nodes() {
	local id back
	id=$(guest_id "$1")
	back=$(backend_dir "$1" "$2" "$3")
	xenstore-write "$back" "" || return
	xenstore-chmod "$back" "n$3" "r$id"
	xenstore-write "$back/frontend" "/local/domain/$id/device/vbd/$2" "$back/frontend-id" "$id" \
		"$back/online" 1 "$back/removable" 0 "$back/bootable" 1 "$back/dev" "$2" "$back/type" phy \
		"$back/mode" w "$back/device-type" disk "$back/params" "$5" "$back/physical-device-path" "$5" \
		"$back/script" /etc/xen/scripts/block \
		"$back/physical-device" "$4" "$back/hotplug-status" connected "$back/state" 1
}

# frontend_nodes NAME NUMBER BACK DOMID: the guest's end of a vbd.
frontend_nodes() {
	local id front
	id=$(guest_id "$1")
	front=/local/domain/$id/device/vbd/$2
	xenstore-write "$front" "" || return
	xenstore-chmod "$front" "n$id" "r$4"
	xenstore-write "$front/virtual-device" "$2" "$front/device-type" disk "$front/state" 1 \
		"$front/backend" "$3" "$front/backend-id" "$4"
}

# device_state NAME NUMBER: phase, the guest's state and what it thinks the backend's is.
device_state() {
	guest "$1" "cat /sys/bus/xen/devices/vbd-$2/state"
}

# verify_start NAME DISK IOPS SECONDS: fio writes so many blocks of 16 KiB a second, and
# then reads and compares them all, in the background.
verify_start() {
	guest "$1" "rm -f /tmp/bg.status
		setsid sh -c 'fio --name=bg --filename=/dev/$2 --rw=randwrite --bs=16k --direct=1 --ioengine=libaio \
			--iodepth=8 --rate_iops=2000,$3 --size=$(($3 * $4 * 16))k --verify=crc32c --verify_fatal=1 \
			>/tmp/bg.log 2>&1; echo \$? >/tmp/bg.status' </dev/null >/dev/null 2>&1 &"
	writes_go_on "$1" "$2" 0 || fail "the load does not start"
}

writes_done() { guest "$1" "awk '{ print \$5 }' /sys/block/$2/stat"; }

# writes_go_on NAME DISK COUNT: 60 more than COUNT are done.
writes_go_on() {
	guest "$1" ". /cases/lib.sh; wait_for 40 sh -c 'test \$(awk \"{ print \\\$5 }\" /sys/block/$2/stat) -gt $(($3 + 60))'"
}

verify_end() {
	guest "$1" '! test -e /tmp/bg.status' || fail "the load ended too early: $(guest "$1" 'tail -n 2 /tmp/bg.log')"
	guest "$1" -t 90 '. /cases/lib.sh; wait_for 80 test -s /tmp/bg.status' || fail "the load does not end"
	[ "$(guest "$1" 'cat /tmp/bg.status')" = 0 ] ||
		fail "data are wrong or lost: $(guest "$1" 'grep -m 2 -E "verify|error" /tmp/bg.log')"
}
