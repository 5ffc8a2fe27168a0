# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# For cases in which the nth allocation or hypercall fails, n = 1, 2, 3, ... until none is
# left. (Not each beyond the first ones, and the more the fewer: most are the kernel's own,
# below a few calls of ours.) Each time there is an error or success, and the same works then.
# In the end no event channel is left, and no memory. Needs lib.sh.
#
# Cases expect what the kernel itself says to that: of allocations, and of a file of an
# interrupt in /proc, which it misses at the end when it could not be made (genirq goes on
# without it).

fault=/sys/kernel/debug/xenpv-fault
bus=/sys/bus/xen
ko=$(echo /lib/modules/*/updates)
# All places up to the first number, and then each that is so much of it further on.
dense=12 sparse=3

fail_begin() {
	[ -e /sys/kernel/debug/failslab ] || skip "this kernel cannot have allocations fail"
	for d in failslab fail_page_alloc; do
		echo N >/sys/kernel/debug/$d/ignore-gfp-wait
		echo 0 >/sys/kernel/debug/$d/verbose
	done
	echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	unload_drivers
	leaks_forget
}

fail_end() {
	unload_drivers
	! dmesg | grep "still held by backends" || fail "pages are left at unload"
	[ ! -e /sys/kernel/debug/kmemleak ] || echo scan >/sys/kernel/debug/kmemleak || fail "kmemleak has given up"
	leaked=$(leaks)
	[ -z "$leaked" ] || fail "kmemleak: $leaked"
}

# nth N WHAT...: sets error and left.
nth() {
	_result=$(failnth "$@") || fail "failnth $*"
	error=${_result% *} left=${_result#* }
}

# ports_begin, ports_end: as many event channels in the end.
ports() { grep -c xen-evtchn /proc/interrupts; }
ports_begin() { before=$(ports); }
ports_end() {
	[ "$(ports)" = "$before" ] || fail "$(ports) event channels instead of $before: $(grep xen-evtchn /proc/interrupts)"
}

# sweep NAME STEP WORD...: STEP N WORD..., until it sets left to something. Some fail, some
# are got over.
sweep() {
	_name=$1 _step=$2 _n=1 _faults=0 _failed=0
	shift 2
	until "$_step" $_n "$@"; [ "$left" != 0 ]; do
		[ "$error" = 0 ] || _failed=$((_failed + 1))
		_faults=$((_faults + 1))
		_n=$((_n + 1 + (_n < dense ? 0 : _n / sparse)))
	done
	[ $_faults -gt 0 ] || fail "$_name: nothing can fail there"
	echo "$_name: $_faults faults in less than $_n places, $_failed of them errors, $(cut -d. -f1 /proc/uptime) s"
}

# ---- devices ---------------------------------------------------------------------------

phase() { cut -d' ' -f1 "$bus/devices/$1/state"; }
explained() { [ -n "$(cat "$bus/devices/$1/last_error")" ]; }
# A broken one is down when its backend has closed, too.
settled() {
	case $(phase "$1") in
	live | broken) true ;;
	*) explained "$1" ;;
	esac
}
live() { [ "$(phase "$1")" = live ]; }
has_driver() { [ -e "$bus/devices/$1/driver" ]; }
take() { echo "$1" >"$bus/drivers/${1%%-*}/unbind"; }
give() { echo "$1" >"$bus/drivers/${1%%-*}/bind"; }

# connect N DEVICE USABLE...: what workers do once it is bound.
connect() {
	_at=$1 _d=$2
	shift 2
	echo "$_at" >$fault/connect
	give "$_d" || fail "fault $_at: $_d cannot be bound"
	wait_for 80 settled "$_d" || fail "fault $_at: $_d hangs: $(cat "$bus/devices/$_d/state")"
	sleep 0.2
	read -r left <$fault/connect
	echo 0 >$fault/connect
	error=0
	if ! live "$_d"; then
		error=1
		explained "$_d" || fail "fault $_at: $_d is broken and does not say why"
		take "$_d"
		give "$_d" || fail "fault $_at: $_d cannot be bound afterwards"
		wait_for 40 live "$_d" ||
			fail "fault $_at: $_d does not connect afterwards: $(cat "$bus/devices/$_d/last_error")"
	fi
	# A shell of its own: it must not change our variables.
	("$@") >/dev/null || fail "fault $_at: $_d cannot be used afterwards"
	take "$_d"
}

# bind N DEVICE: the part of it that whoever binds does.
bind() {
	nth "$1" write "$bus/drivers/${2%%-*}/bind" "$2"
	has_driver "$2" || give "$2" || fail "fault $1: $2 cannot be bound afterwards"
	take "$2"
}
