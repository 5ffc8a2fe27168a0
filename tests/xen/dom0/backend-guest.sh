# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The guest's half of backend.sh; sent to the guest, used beside its own lib.sh. The
# devices it is about are disks unless BE_TYPE says otherwise.
: "${BE_TYPE:=vbd}"

# other_disk: checksum of the beginning of a disk that dom0's own backend serves.
other_disk() { dd if=/dev/xvdf bs=64k count=16 iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1; }

# others SUM: what hostile disks must not touch: another disk reads the same, a card
# carries data that are compared, and whoever asks for the network devices is answered.
others() {
	[ "$(other_disk)" = "$1" ] || { echo "another disk reads differently"; return 1; }
	timeout 2 ip link >/dev/null || { echo "ip link does not answer in 2 s"; return 1; }
	timeout 30 stream recv 10.77.0.1 7000 1 >/tmp/stream.log 2>&1 ||
		{ echo "a card does not carry data: $(tail -n 1 /tmp/stream.log)"; return 1; }
}

state_of() { cut -d' ' -f1 "/sys/bus/xen/devices/$BE_TYPE-$1/state" 2>/dev/null || echo gone; }
usable() { dd if="/dev/$1" of=/dev/null count=0 2>/dev/null; }

# ---- reading ---------------------------------------------------------------------

# twice DISK: read it sequentially, then many requests at a time; checksum, or what
# went wrong.
twice() {
	{
		dd if="/dev/$1" bs=64k iflag=direct && dd if="/dev/$1" bs=1M iflag=direct
	} 2>"/tmp/dd.$1" | md5sum | cut -d' ' -f1 >"/tmp/read.$1"
	! grep -q 'error' "/tmp/dd.$1" || echo error >"/tmp/read.$1"
	mv "/tmp/read.$1" "/tmp/sum.$1"
}

# read_begin DISK...: all at once, in the background. One of them alone is waited for
# at a time: many shells that look again and again keep the disks from coming.
read_begin() {
	for _d in "$@"; do rm -f "/tmp/sum.$_d"; done
	(
		_until=$(($(date +%s) + 60))
		for _d in "$@"; do
			until usable "$_d" || [ "$(date +%s)" -ge $_until ]; do sleep 0.2; done
			(if usable "$_d"; then twice "$_d"; else echo absent >"/tmp/sum.$_d"; fi) &
		done
	) </dev/null >/dev/null 2>&1 &
}

# read_end SECONDS DISK:NUMBER...: prints DISK SUM STATE for each. One that is not
# read by then "hangs".
read_end() {
	_until=$(($(date +%s) + $1))
	shift
	for _p in "$@"; do
		until test -s "/tmp/sum.${_p%:*}" || [ "$(date +%s)" -ge $_until ]; do sleep 0.2; done
		echo "${_p%:*} $(cat "/tmp/sum.${_p%:*}" 2>/dev/null || echo hangs) $(state_of "${_p#*:}")"
	done
}

# ---- facts -----------------------------------------------------------------------

has_driver() { test -e "/sys/bus/xen/devices/$BE_TYPE-$1/driver"; }

# closed NUMBER: its driver has closed it.
closed() { grep -q '^down 6' "/sys/bus/xen/devices/$BE_TYPE-$1/state" 2>/dev/null; }

# settled DISK NUMBER: it is used, or it will not be.
settled() {
	case $(state_of "$2") in
	live) usable "$1" ;;
	broken) true ;;
	down) ! has_driver "$2" || closed "$2" ;;
	*) false ;;
	esac
}

queue_of() { cat "/sys/block/$1/queue/$2" 2>/dev/null; }

# facts DISK:NUMBER...: prints DISK NAME=VALUE... for each.
facts() {
	for _p in "$@"; do
		wait_for 40 settled "${_p%:*}" "${_p#*:}"
	done
	for _p in "$@"; do
		_d=${_p%:*}
		_line="$_d state=$(state_of "${_p#*:}") driver=$(has_driver "${_p#*:}" && echo 1 || echo 0)"
		if test -e "/sys/block/$_d" && usable "$_d"; then
			dd if="/dev/$_d" of=/dev/null bs=64k count=4 iflag=direct 2>/dev/null && _line="$_line read=ok"
			_line="$_line size=$(cat "/sys/block/$_d/size") block=$(queue_of "$_d" logical_block_size)"
			_line="$_line physical=$(queue_of "$_d" physical_block_size) segs=$(queue_of "$_d" max_segments)"
			_line="$_line ro=$(cat "/sys/block/$_d/ro") removable=$(cat "/sys/block/$_d/removable")"
			_line="$_line cache=$(queue_of "$_d" write_cache | cut -d' ' -f2)"
			_line="$_line discard=$([ "$(queue_of "$_d" discard_max_bytes)" -gt 0 ] && echo 1 || echo 0)"
			_line="$_line queues=$(find "/sys/block/$_d/mq" -maxdepth 1 -name '[0-9]*' | wc -l)"
		fi
		echo "$_line"
	done
}

# ---- states ----------------------------------------------------------------------

# wait_live NUMBER...: connected, again.
wait_live() {
	for _d in "$@"; do
		wait_for 60 grep -q '^live' "/sys/bus/xen/devices/$BE_TYPE-$_d/state" || { echo "$BE_TYPE-$_d is $(state_of "$_d")"; return 1; }
	done
}

# wait_broken NUMBER...: as long as that may take.
wait_broken() {
	for _d in "$@"; do
		wait_for 20 grep -q '^broken' "/sys/bus/xen/devices/$BE_TYPE-$_d/state" || echo "$BE_TYPE-$_d is $(state_of "$_d")"
	done
}

# states DISK:NUMBER...: prints DISK STATE for each.
states() {
	for _p in "$@"; do
		echo "${_p%:*} $(state_of "${_p#*:}")"
	done
}

devices_gone() {
	for _d in "$@"; do
		wait_for 30 test ! -e "/sys/bus/xen/devices/$BE_TYPE-$_d" || return 1
	done
}

# parked: pages that backends hold beyond the end of their use.
parked() { sed -n 's/^parked_pages  *//p' /sys/kernel/debug/xen-vbd/vbd-51792/stats; }
are_parked() { [ "$(parked)" = "$1" ]; }

ports() { grep -c xen-evtchn /proc/interrupts; }

# memory: KiB that are free when caches are dropped.
memory() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sed -n 's/^MemFree: *\([0-9]*\) kB/\1/p' /proc/meminfo
}

# ---- load ------------------------------------------------------------------------

# ticks: busy and idle ones of all processors; one that waits for I/O is idle.
ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8, $5 + $6 }' /proc/stat; }

# cpu_busy SECONDS: per cent of the processors' time.
cpu_busy() {
	{ ticks; sleep "$1"; ticks; } |
		awk '{ busy = $1 - b; idle = $2 - i; b = $1; i = $2 } END { printf "%d\n", busy * 100 / (busy + idle + 1) }'
}

# unbind NUMBER...: take devices from the driver; each ends by itself.
unbind() {
	for _d in "$@"; do
		echo "$BE_TYPE-$_d" >/sys/bus/xen/drivers/$BE_TYPE/unbind &
	done
	wait
}

stat_of() { sed -n "s/^$2  *//p" "/sys/kernel/debug/xen-vbd/vbd-$1/stats"; }

# ---- writing ---------------------------------------------------------------------

# fsync DISK: write a little and ask for it to be stable; prints what comes of it.
fsync() { dd if=/dev/zero of="/dev/$1" bs=4k count=4 conv=fsync,notrunc 2>/tmp/fsync && echo stable || echo failed; }

cache_of() { queue_of "$1" write_cache | cut -d' ' -f2; }

# writer DISK: writes on and on; how many went well is in /tmp/written, and why it ended
# in /tmp/writer.
writer() {
	rm -f /tmp/writer /tmp/written
	(
		_n=0
		while dd if=/dev/zero of="/dev/$1" bs=4k count=1 conv=notrunc oflag=direct 2>/tmp/writer.now; do
			_n=$((_n + 1))
			echo $_n >/tmp/written
		done
		mv /tmp/writer.now /tmp/writer
	) </dev/null >/dev/null 2>&1 &
}
