#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: bed.sh run   [-d DRIVERS] [-o DIR] GUESTS [CASE...]
#        bed.sh try   [-d DRIVERS] [-o DIR] GUEST -- COMMAND
#        bed.sh shell [-d DRIVERS] [-o DIR] GUEST
#
# Boots one Xen host under QEMU and, in it, guests of the kernels named.
#   run    runs cases on each of GUESTS (comma separated); without CASE all that
#          fit. One line per case as it ends: ok|FAIL|skip GUEST CASE SECONDS
#          [REASON]; the same lines in DIR/results, everything printed and all
#          logs beside it. Status 0 when nothing failed.
#   try    boots GUEST, loads nothing, runs COMMAND in it and shows its output
#          and the kernel's log. Status: COMMAND's.
#   shell  gives a root prompt in GUEST.
# DRIVERS: ours (default), intree, none. DIR: default in the cache, kept.
#
# A case is a script in tests/guest/cases (runs in the guest) or
# tests/xen/cases (runs in dom0, drives xl and, through `guest NAME COMMAND`,
# the guests). Header lines say what it needs:
#   # limit: SECONDS         default 60; times XENPV_TIMESCALE
#   # drivers: ours|pv|any|none   ours only; ours or intree; any; emulated only
#   # guests: one|pair       pair: with a second guest, the next in GUESTS
#   # memory: MIB  # vcpus: N   what the guest must have; else it is made anew
# Exit 0 passes, 77 skips, anything else fails; the last line printed is the
# reason. A case also fails when a guest's kernel complained meanwhile.
#
# A fault of the host (QEMU gone, Xen panic, dom0 silent) is not the case's:
# it is shown as BED FAULT and the case is run once more on a new host.

set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$HERE/../lib.sh"
# shellcheck source=tests/xen/host.sh
. "$HERE/host.sh"

# What a sound kernel never prints. Lockdep's texts are among them.
COMPLAINTS='BUG:|kernel BUG|WARNING:|Oops|general protection|KASAN|UBSAN|KCSAN|Call Trace|'
COMPLAINTS+='possible circular locking|possible recursive locking|inconsistent lock state|'
COMPLAINTS+='suspicious RCU|bad unlock balance|held lock freed|invalid wait context|hung task|'
COMPLAINTS+='blocked for more than|rcu.*(stall|kthread starved)|soft lockup|hard LOCKUP|'
COMPLAINTS+='scheduling while atomic|sleeping function called|unreferenced object|'
COMPLAINTS+='ODEBUG|list_(add|del) corruption|refcount_t:|page allocation failure|nobody cared|'
COMPLAINTS+='Kernel panic|unable to handle|Bad page|DMA-API|NETDEV WATCHDOG|I/O error'
readonly COMPLAINTS

usage() {
	sed -n '/^# usage:/,/^#$/s/^# \?//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

# header FILE KEY DEFAULT
header() {
	local value
	value=$(sed -n "s/^# $2: *//p" "$1" | head -n 1)
	echo "${value:-$3}"
}

bed_open() {
	need_root "the test bed"
	RUN=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-bed.XXXXXX")
	trap bed_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ -n "$OUT" ] || OUT=$XENPV_CACHE/results/$(date +%Y%m%d-%H%M%S)-$$
	mkdir -p "$OUT"
	host_prepare "$RUN"
}

bed_close() {
	trap '' INT TERM
	bed_logs
	host_stop "$RUN"
	rm -rf "$RUN"
}

bed_logs() {
	cp "$RUN"/{xen.log,qemu.log} "$OUT/" 2>/dev/null || :
	cp -r "$RUN/share/log/." "$OUT/" 2>/dev/null || :
}

# bed_guest NAME: its files are in the share. Made once per run.
bed_guest() {
	local name=$1
	[ ! -e "$RUN/share/guests/$name/vmlinuz" ] || return 0
	say "preparing guest $name ($DRIVERS)"
	"$HERE/guest.sh" "$name" "$DRIVERS" "$RUN/share/guests/$name" >/dev/null
}

bed_host() {
	local start=$SECONDS
	if host_alive "$RUN"; then
		return 0
	fi
	say "booting the Xen host"
	host_start "$RUN" || {
		tail -n 20 "$RUN/xen.log" "$RUN/qemu.log" >&2
		return 1
	}
	say "Xen host up in $((SECONDS - start)) s"
}

guest_memory() {
	case $1 in *debug*) echo 640 ;; *) echo 256 ;; esac
}

# bed_create NAME [MEMORY [VCPUS]]: boot the guest unless it runs like that.
bed_create() {
	local name=$1 shape="${2:-$(guest_memory "$1")} ${3:-2}" start=$SECONDS
	bed_guest "$name"
	if [ "$(dom0 "$RUN" -t 30 "cat $(guest_dir "$name")/shape 2>/dev/null; true")" = "$shape" ]; then
		return 0
	fi
	bed_destroy "$name" || return
	say "creating guest $name"
	dom0 "$RUN" -t $((300 * XENPV_TIMESCALE)) \
		"/bed/dom0/guest-create $name $shape && echo $shape >/run/bed/$name/shape" >&2 || return
	say "guest $name up in $((SECONDS - start)) s"
}

guest_dir() { echo "/run/bed/$1"; }

bed_destroy() {
	dom0 "$RUN" -t 60 "rm -f /run/bed/$1/shape; /bed/dom0/guest-destroy $1"
}

cmd_try() {
	local name=${1:-} rc=0
	[ $# -ge 3 ] && [ "$2" = -- ] || usage
	shift 2
	bed_open
	bed_guest "$name"
	bed_host && bed_create "$name" || {
		rc=$?
		dom0 "$RUN" -t 20 "cat /run/bed/$name/console; tail -n 5 /var/log/xen/*$name*" || :
		die "guest $name does not come up (status $rc)"
	}
	printf '%s\n' "$*" >"$RUN/share/guests/$name/try"
	dom0 "$RUN" -t $((600 * XENPV_TIMESCALE)) "/bed/dom0/guest-run $name /bed/guests/$name/try" || rc=$?
	echo "--- status $rc; kernel log:"
	dom0 "$RUN" -t 60 "/bed/bin/client -w 10 -t 30 /run/bed/$name/chan 'dmesg -r | tail -n 80'" ||
		dom0 "$RUN" -t 20 "tail -n 80 /run/bed/$name/console" || :
	return "$rc"
}

cmd_shell() {
	local name=${1:-}
	[ $# -eq 1 ] || usage
	bed_open
	bed_guest "$name"
	bed_host
	bed_create "$name"
	say "root prompt in $name; exit or ^D ends the guest and the host"
	dom0 "$RUN" -i "/bed/bin/client -i /run/bed/$name/chan 'cd /root; exec sh -l'"
}

[ $# -ge 1 ] || usage
COMMAND=$1
shift
DRIVERS=ours OUT=
while getopts d:o: opt; do
	case $opt in
	d) DRIVERS=$OPTARG ;;
	o) OUT=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
case $COMMAND in
try) cmd_try "$@" ;;
shell) cmd_shell "$@" ;;
*) usage ;;
esac
