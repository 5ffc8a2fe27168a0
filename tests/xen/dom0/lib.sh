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
