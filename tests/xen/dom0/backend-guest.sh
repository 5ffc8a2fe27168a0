# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The guest's half of backend.sh; sent to the guest, used beside its own lib.sh.

# other_disk: checksum of the beginning of a disk that dom0's own backend serves.
other_disk() { dd if=/dev/xvdf bs=64k count=16 iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1; }

state_of() { cut -d' ' -f1 "/sys/bus/xen/devices/vbd-$1/state" 2>/dev/null || echo gone; }

# twice DISK: read it sequentially, then many requests at a time; checksum, or what
# went wrong.
twice() {
	{
		timeout 60 dd if="/dev/$1" bs=64k iflag=direct && timeout 60 dd if="/dev/$1" bs=1M iflag=direct
	} 2>"/tmp/dd.$1" | md5sum | cut -d' ' -f1 >"/tmp/sum.$1"
	! grep -q 'error' "/tmp/dd.$1" || echo error >"/tmp/sum.$1"
}

# read_all DISK:NUMBER...: all at once; prints DISK SUM STATE for each. A read that
# hangs is "hangs".
read_all() {
	for _p in "$@"; do
		rm -f "/tmp/sum.${_p%:*}"
		{ wait_for 40 dd if="/dev/${_p%:*}" of=/dev/null count=0 && twice "${_p%:*}" || echo absent >"/tmp/sum.${_p%:*}"; } &
	done
	for _p in "$@"; do
		wait_for 60 test -s "/tmp/sum.${_p%:*}" || echo hangs >"/tmp/sum.${_p%:*}"
		echo "${_p%:*} $(cat "/tmp/sum.${_p%:*}") $(state_of "${_p#*:}")"
	done
}

# wait_live NUMBER...: connected, again.
wait_live() {
	for _d in "$@"; do
		wait_for 30 grep -q '^live' "/sys/bus/xen/devices/vbd-$_d/state" || { echo "vbd-$_d is $(state_of "$_d")"; return 1; }
	done
}

# parked: pages that backends hold beyond the end of their use.
parked() { sed -n 's/^parked_pages  *//p' /sys/kernel/debug/xen-vbd/vbd-51792/stats; }

devices_gone() {
	for _d in "$@"; do
		wait_for 30 test ! -e "/sys/bus/xen/devices/vbd-$_d" || return 1
	done
}
