#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: bed.sh run   [-d DRIVERS] [-c VCPUS] [-o DIR] GUESTS [CASE...]
#        bed.sh try   [-d DRIVERS] [-c VCPUS] [-o DIR] GUEST -- COMMAND
#        bed.sh shell [-d DRIVERS] [-c VCPUS] [-o DIR] GUEST
#        bed.sh demo  [-o DIR] GUEST
#
# Boots one Xen host under QEMU and, in it, guests of the kernels named.
#   run    runs cases on each of GUESTS (comma separated); without CASE all that
#          fit. One line per case as it ends: ok|FAIL|skip GUEST CASE SECONDS
#          [REASON]; the same lines in DIR/results, everything printed and all
#          logs beside it. Status 0 when nothing failed.
#   try    boots GUEST, loads nothing, runs COMMAND in it and shows its output
#          and the kernel's log. Status: COMMAND's.
#   shell  gives a root prompt in GUEST.
#   demo   shows GUEST's emulated and PV devices side by side (dom0/demo).
# DRIVERS: ours (default), intree, native (ours, in a kernel whose own Xen support
# is active), none. VCPUS: of each guest, default 2. DIR: default in the cache, kept.
#
# A case is a script in tests/guest/cases (runs in the guest) or
# tests/xen/cases (runs in dom0, drives xl and, through `guest NAME COMMAND`,
# the guests). Header lines say what it needs:
#   # limit: SECONDS         default 60; times XENPV_TIMESCALE, times 3 for a debug kernel
#   # drivers: ours|pv|any|native|none   ours only; ours or intree; any; as above
#   # guests: one|pair       pair: with a second guest, the next in GUESTS
#   # kind: KIND             what dom0/guest-create makes (default plain)
#   # expect: REGEX          complaints of the kernel that are right in this case
#   # needs: storage         programs for file systems, for dom0/storage.sh
#   # needs: initrd KIND     a distribution's initrd, made by tests/initrd.sh
#   # needs: installed       the disk of an installed Debian, for kind installed
#   # needs: domain          what dom0/driver-domain boots
#   # needs: selftests       the kernel's own network tests and tcpdump, in /bed/selftests
#   # host: old              on the Xen of old-xen.sh; all cases of a run then are
#   # when: asked            only when it is named, because it is long
# Exit 0 passes, 77 skips, anything else fails; the last line printed is the
# reason. A case also fails when a guest's kernel complained meanwhile.
#
# A fault of the host (QEMU gone, Xen panic, dom0 silent) is not the case's:
# it is shown as BED FAULT and the case is run once more on a new host. So is a
# guest that does not come up or does not answer, and has had none of our modules
# loaded yet: the case is run once more in a new one.

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

# bed_open [XEN]
bed_open() {
	need_root "the test bed"
	RUN=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-bed.XXXXXX")
	trap bed_close EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	[ -n "$OUT" ] || OUT=$XENPV_CACHE/results/$(date +%Y%m%d-%H%M%S)-$$
	mkdir -p "$OUT"
	host_prepare "$RUN" "$@"
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

# The host is gone, or does not answer, or has crashed.
bed_lost() {
	! host_alive "$RUN" || host_crash "$RUN" >/dev/null || ! dom0 "$RUN" -t 60 true
}

# bed_storage NAME: the disk with programs for file systems is in the share.
bed_storage() {
	local image
	image=$("$HERE/../guest/storage.sh" "$1") && cp -u "$image" "$RUN/share/guests/$1/storage.img"
}

# bed_fresh NAME: a guest that runs is of no use: it has not booted what is made now.
bed_fresh() {
	! host_alive "$RUN" || bed_destroy "$1"
}

# bed_initrd NAME KIND
bed_initrd() {
	bed_fresh "$1" || return
	"$HERE/../initrd.sh" make "$1" "$2" "$RUN/share/guests/$1/initrd.img" >"$OUT/$1.initrd.log" 2>&1
}

# bed_installed NAME: a disk that nobody has booted from.
bed_installed() {
	local dir bios share=$RUN/share/guests/$1
	dir=$("$HERE/installed.sh") && bios=$("$HERE/bios.sh") || return
	cp -u "$bios/bios.bin" "$RUN/share/boot/"
	bed_fresh "$1" || return
	: >"$share/data.img"
	cp --sparse=always "$dir/disk.img" "$share/installed.img"
}

bed_domain() {
	local dir
	dir=$("$HERE/domain.sh") && mkdir -p "$RUN/share/boot/domain" &&
		cp -u "$dir/vmlinuz" "$dir/initrd.img" "$RUN/share/boot/domain/"
}

bed_selftests() {
	local dirs
	dirs=$("$HERE/../guest/selftests.sh") && mkdir -p "$RUN/share/selftests" &&
		xargs -I{} cp -ru {}/. "$RUN/share/selftests" <<<"$dirs"
}

# bed_needs NAME NEED...: what a case needs on the share.
bed_needs() {
	case ${2:-} in
	storage) bed_storage "$1" ;;
	initrd) bed_initrd "$1" "$3" ;;
	installed) bed_installed "$1" ;;
	domain) bed_domain ;;
	selftests) bed_selftests ;;
	esac
}

# guest_memory NAME [KIND]
guest_memory() {
	case $1-${2:-} in
	*debug*) echo 640 ;;
	*-installed) echo 512 ;;
	*) echo 256 ;;
	esac
}

# bed_create NAME [KIND]: boot the guest unless it runs like that.
bed_create() {
	local name=$1 shape start=$SECONDS
	shape="$(guest_memory "$@") $VCPUS ${2:-plain}"
	bed_guest "$name"
	if [ "$(dom0 "$RUN" -t 30 "cat $(guest_dir "$name")/shape 2>/dev/null; true")" = "$shape" ]; then
		return 0
	fi
	bed_destroy "$name" || return
	say "creating guest $name"
	dom0 "$RUN" -t $((900 * XENPV_TIMESCALE)) \
		"/bed/dom0/guest-create $name $shape && echo $shape >/run/bed/$name/shape" >&2 || return
	say "guest $name up in $((SECONDS - start)) s"
}

# bed_up NAME [KIND]: the same, and once more after a fault that cannot be ours.
bed_up() {
	bed_host || {
		say "BED FAULT: the Xen host did not come up"
		host_stop "$RUN"
		bed_host || return
	}
	! bed_create "$@" || return 0
	keep_logs "$1" create
	! ours_loaded "$1" || return 1
	say "BED FAULT: guest $1 did not come up, logs in $OUT/$1.create"
	bed_destroy "$1" || host_stop "$RUN"
	bed_host && bed_create "$@"
}

guest_dir() { echo "/run/bed/$1"; }

bed_destroy() {
	dom0 "$RUN" -t 60 "rm -f /run/bed/$1/shape; /bed/dom0/guest-destroy $1"
}

# ---- run ----------------------------------------------------------------------

# result WORD GUEST CASE SECONDS [REASON]
result() {
	echo "$*" | tee -a "$OUT/results"
}

# Which cases there are for a set of drivers, those of the guest first.
list_cases() {
	local file
	for file in "$HERE"/../guest/cases/* "$HERE"/cases/*; do
		[ "$(header "$file" when always)" != asked ] || continue
		case "$(header "$file" drivers any)/$DRIVERS" in
		any/* | pv/ours | pv/intree | ours/ours | native/native | none/none) basename "$file" ;;
		esac
	done
}

case_file() {
	local file
	for file in "$HERE/../guest/cases/$1" "$HERE/cases/$1"; do
		[ ! -f "$file" ] || { echo "$file" && return; }
	done
	die "there is no case $1"
}

# The kernel's log of a guest, written by its device model.
console() { echo "$RUN/share/log/$1.console"; }

console_size() { stat -c %s "$(console "$1")" 2>/dev/null || echo 0; }

# ours_loaded NAME: some module of ours has been, since the guest was created.
ours_loaded() { grep -qa xen_platform_pci "$(console "$1")"; }

# complaints NAME OFFSET EXPECTED: what the guest's kernel has complained about
# since, but for what the case expects.
complaints() {
	local past
	past=$(console "$1").past
	# A case that ends its guest and creates it again keeps the log of the first one.
	{ if [ -e "$past" ]; then cat "$past" "$(console "$1")"; else cat "$(console "$1")"; fi; } |
		tail -c "+$(($2 + 1))" | tr -d '\r' | grep -aE "$COMPLAINTS" | grep -avE "${3:-^$}" | head -n 3 || :
}

# What a guest says of itself when a case has failed in it, as long as it answers.
readonly GUEST_STATE='uptime; ps
	cd /proc && grep -s . interrupts net/dev net/snmp net/netstat net/tcp
	cd /sys && for card in class/net/*; do ethtool -k ${card##*/}; ethtool -S ${card##*/}; done
	cd kernel/debug && grep -s . xen-platform-pci/* xen-v*/*/*'

# keep_logs NAME CASE: what a failed case leaves to be read, first how the guest's interrupts,
# events and vCPUs stand (kernels run without KASLR: their symbol tables tell).
keep_logs() {
	local dir=$OUT/$1.$2
	mkdir -p "$dir"
	dom0 "$RUN" -t 60 "id=\$(xl domid $1); xl vcpu-list $1; xl dmesg -c >/dev/null; xl debug-keys Ieq; xl dmesg
		for i in \$(seq 0 $((VCPUS - 1))); do /usr/lib/xen-4.17/bin/xenctx -S \$id \$i; done" >"$dir/vcpus" 2>&1 || :
	cp "$(console "$1")" "$dir/console" 2>/dev/null || :
	dom0 "$RUN" -t 60 "/bed/bin/client -t 40 $(guest_dir "$1")/chan '$GUEST_STATE'" >"$dir/guest" 2>&1 || :
	dom0 "$RUN" -t 60 "xl list; xenstore-ls -f; dmesg | tail -n 50; cat /var/log/xen/*$1*" \
		>"$dir/dom0" 2>&1 || :
}

# Runs one case once. Sets STATUS and REASON. The limit counts the bed's own time,
# which stands still while this machine is busy; the one kept here only ends a bed
# that is lost.
run_once() {
	local name=$1 case=$2 other=$3 file limit command
	file=$(case_file "$case")
	limit=$(($(header "$file" limit 60) * XENPV_TIMESCALE))
	[[ $name != *debug* ]] || limit=$((limit * 3))
	if [ "$(dirname "$file")" = "$HERE/cases" ]; then
		command="timeout $limit bash /bed/cases/$case $name $other"
	else
		command="/bed/bin/client -t $limit $(guest_dir "$name")/chan 'sh /cases/$case'"
	fi
	# 123: the bed's own limit, 124: the one of this machine's clock.
	STATUS=0
	dom0 "$RUN" -t $((limit * 3 + 60)) "$command; rc=\$?; [ \$rc -ne 124 ] || rc=123; exit \$rc" \
		>"$OUT/$name.$case.out" 2>&1 || STATUS=$?
	REASON=$(tail -n 1 "$OUT/$name.$case.out")
	case $STATUS in
	123) REASON="time limit of $limit s; last line: $REASON" ;;
	124) REASON="not done after $((limit * 3 + 60)) s on this machine; last line: $REASON" ;;
	esac
}

# Judges a case by its status and the kernel's log; prints the result line.
run_case() {
	local name=$1 case=$2 other=$3 start=$SECONDS offset other_offset found kind expect needs
	kind=$(header "$(case_file "$case")" kind plain)
	expect=$(header "$(case_file "$case")" expect '^$')
	needs=$(header "$(case_file "$case")" needs '')
	# shellcheck disable=SC2086 # what, and of which kind
	if ! bed_needs "$name" $needs; then
		case $needs in
		storage) result "skip $name $case 0 no programs for this guest" ;;
		*) result "FAIL $name $case 0 cannot be made: $needs; see $OUT/$name.initrd.log" ;;
		esac
		return
	fi
	# The second one's trouble may have cost the host, and the first one with it.
	bed_up "$name" "$kind" && { [ -z "$other" ] || {
		bed_up "$other" "$kind" && bed_up "$name" "$kind"
	}; } || {
		if bed_lost; then
			STATUS=host
			return
		fi
		result "FAIL $name $case $((SECONDS - start)) the guest does not come up"
		bed_destroy "$name" || host_stop "$RUN"
		return
	}
	rm -f "$(console "$name").past"
	offset=$(console_size "$name")
	[ -z "$other" ] || other_offset=$(console_size "$other")
	run_once "$name" "$case" "$other"
	if bed_lost; then
		STATUS=host
		return
	fi
	if [ "$STATUS" = 125 ] && ! ours_loaded "$name"; then
		STATUS=guest
		return
	fi
	found=$(complaints "$name" "$offset" "$expect")
	[ -n "$found" ] || [ -z "$other" ] || found=$(complaints "$other" "$other_offset" "$expect")
	case $STATUS in
	0 | 77)
		if [ -n "$found" ]; then
			result "FAIL $name $case $((SECONDS - start)) kernel: ${found%%$'\n'*}"
		elif [ "$STATUS" = 77 ]; then
			result "skip $name $case $((SECONDS - start)) $REASON"
			return
		else
			result "ok $name $case $((SECONDS - start)) $REASON"
			return
		fi
		;;
	*)
		result "FAIL $name $case $((SECONDS - start)) ${found:+kernel: ${found%%$'\n'*}; }$REASON"
		;;
	esac
	keep_logs "$name" "$case"
	# The next case starts from a guest that nothing has happened to.
	bed_destroy "$name" || host_stop "$RUN"
}

# bed_fault NAME CASE: what was lost is ended, and its logs are kept.
bed_fault() {
	case $STATUS in
	host)
		say "BED FAULT during $1 $2: $(host_crash "$RUN" || tail -n 1 "$RUN/xen.log")"
		cp "$RUN/xen.log" "$OUT/fault.$1.$2.log" 2>/dev/null || :
		host_stop "$RUN"
		;;
	guest)
		say "BED FAULT during $1 $2: $REASON, and no module of ours was loaded; logs in $OUT/$1.$2"
		keep_logs "$1" "$2"
		bed_destroy "$1" || host_stop "$RUN"
		;;
	*) return 1 ;;
	esac
}

# A host or a guest that the bed has lost is no fault of a case: shown, and tried once more.
run_with_retry() {
	STATUS=
	run_case "$@"
	bed_fault "$1" "$2" || return 0
	STATUS=
	run_case "$@"
	! bed_fault "$1" "$2" || result "FAIL $1 $2 0 BED FAULT twice"
}

cmd_run() {
	local guests name case other cases host
	[ $# -ge 1 ] || usage
	IFS=, read -r -a guests <<<"$1"
	shift
	cases=("$@")
	[ ${#cases[@]} -gt 0 ] || mapfile -t cases < <(list_cases)
	host=$(for case in "${cases[@]}"; do header "$(case_file "$case")" host new; done | sort -u)
	[ "$(wc -l <<<"$host")" = 1 ] || die "these cases are for different hosts"
	bed_open "$host"
	: >"$OUT/results"
	for name in "${guests[@]}"; do
		bed_guest "$name"
	done
	for name in "${guests[@]}"; do
		for case in "${cases[@]}"; do
			other=
			if [ "$(header "$(case_file "$case")" guests one)" = pair ]; then
				other=$(next_guest "$name" "${guests[@]}")
				if [ -z "$other" ]; then
					# The last of several was the second of the one before it.
					[ ${#guests[@]} -gt 1 ] ||
						result "skip $name $case 0 needs two guests"
					continue
				fi
			fi
			run_with_retry "$name" "$case" "$other"
		done
		! host_alive "$RUN" || bed_destroy "$name" || :
	done
	! grep -qvE '^(ok|skip) ' "$OUT/results"
}

# next_guest NAME GUESTS...: the one behind NAME, if any.
next_guest() {
	local name=$1 seen=
	shift
	for guest in "$@"; do
		[ -z "$seen" ] || { echo "$guest" && return; }
		[ "$guest" != "$name" ] || seen=1
	done
}

cmd_try() {
	local name=${1:-} rc=0
	[ $# -ge 3 ] && [ "$2" = -- ] || usage
	shift 2
	bed_open
	bed_guest "$name"
	bed_up "$name" || die "guest $name does not come up; see $OUT/$name.create"
	printf '%s\n' "$*" >"$RUN/share/guests/$name/try"
	dom0 "$RUN" -t $((600 * XENPV_TIMESCALE)) "/bed/dom0/guest-run $name /bed/guests/$name/try" || rc=$?
	echo "--- status $rc; kernel log:"
	dom0 "$RUN" -t 60 "/bed/bin/client -w 10 -t 30 /run/bed/$name/chan 'dmesg -r | tail -n 80'" ||
		tail -n 80 "$(console "$name")" || :
	return "$rc"
}

cmd_shell() {
	local name=${1:-}
	[ $# -eq 1 ] || usage
	bed_open
	bed_guest "$name"
	bed_up "$name"
	say "root prompt in $name; exit or ^D ends the guest and the host"
	dom0 "$RUN" -i "/bed/bin/client -i /run/bed/$name/chan 'cd /root; exec sh -l'"
}

cmd_demo() {
	local name=${1:-} rc=0 offset found
	[ $# -eq 1 ] && [ "$DRIVERS" = ours ] || usage
	bed_open
	bed_guest "$name"
	bed_up "$name" emulated || die "guest $name does not come up; see $OUT/$name.create"
	offset=$(console_size "$name")
	dom0 "$RUN" -t $((600 * XENPV_TIMESCALE)) "/bed/dom0/demo $name" || rc=$?
	if [ "$rc" -eq 125 ]; then
		die "the emulated host was lost, which is no fault of the drivers: try again"
	fi
	found=$(complaints "$name" "$offset")
	[ -z "$found" ] || {
		say "the guest's kernel complains: $found"
		rc=1
	}
	[ "$rc" -eq 0 ] || keep_logs "$name" demo
	return "$rc"
}

[ $# -ge 1 ] || usage
COMMAND=$1
shift
DRIVERS=ours VCPUS=2 OUT=
while getopts c:d:o: opt; do
	case $opt in
	c) VCPUS=$OPTARG ;;
	d) DRIVERS=$OPTARG ;;
	o) OUT=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
case $COMMAND in
run) cmd_run "$@" ;;
try) cmd_try "$@" ;;
shell) cmd_shell "$@" ;;
demo) cmd_demo "$@" ;;
*) usage ;;
esac
