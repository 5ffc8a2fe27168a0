#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: check.sh [PART...]     without PART those of make check; `check.sh help`
#                               lists them, `all` adds the long beds
#
# Every part prints one line a test, `PASS|FAIL|SKIP PART/NAME [reason]`; they
# are counted at the end.  Logs stay in $XENPV_CACHE/check/PART.  Status 0 when
# nothing failed and something passed.
#
# Two emulated hosts run at a time, because a bed is one busy core.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

PARTS=(unit fuzz style doctor manual abi refusals matrix install beds)
# One Xen host a line, the longest first: drivers, vCPUs, guests, cases. EVERY stands for
# what is run on every guest; a guest of another kind is booted anew, so the cases
# of one kind stand together.
EVERY="load-unload disk-verify disk-ext4 disk-hotplug net-ping net-tcp net-udp net-hotplug"
BEDS=("ours 2 noxen-debug EVERY disk-forced store-garbage"
	"ours 2 noxen boot EVERY disk-forced store-garbage backend-silent backend-lost few-grants disk-kinds disk-resize disk-discard unplug hostile-short hostile-vif-short"
	"ours 2 6.1-686,6.1-amd64 EVERY pair"
	"ours 1 5.10-686,6.12-amd64 EVERY"
	"ours 2 noxen net-features net-queues net-selftests events suspend"
	"native 2 6.1-amd64 refuse-native")
# All of the cards, for make check-net; what happens to a guest, for make check-lifecycle.
NET_BED="ours 2 noxen net-ping net-tcp net-udp net-hotplug net-queues net-features net-xdp net-multicast net-returns net-many net-sizes net-announce net-vlan net-dump net-selftests"
LIFECYCLE_BEDS=("ours 2 noxen load-order loads-200 backend-returns backend-states backend-abuse backend-flap"
	"ours 2 noxen events events-storm store-node store-fuzz host-view guest-agent kexec panic disk-cpus mem-set store-update"
	"ours 4 noxen events"
	"ours 8 noxen events"
	"ours 40 6.1-amd64 many-cpus"
	"ours 2 noxen old-host"
	"ours 2 noxen-debug suspend fail-load fail-disk fail-card fail-resume"
	"ours 2 noxen suspend suspend-odd suspend-20 suspend-held"
	"ours 2 6.1-686 suspend suspend-odd suspend-20"
	"ours 1 noxen suspend events suspend-odd suspend-20"
	"ours 1 6.1-686 suspend suspend-20")
# What takes longer than make check may: in make check-all.
LONG_BEDS=("ours 2 noxen doctor abi trace disk-queues disk-swap disk-stacked disk-roles disk-many"
	"ours 2 noxen driver-domain fs-destroy fs-load"
	"ours 2 6.1-686 initrd initrd-dracut installed installed-arguments"
	"ours 2 6.1-686 installed-upgrade"
	"$NET_BED" "${LIFECYCLE_BEDS[@]}")
# Backends that lie, for make check-hostile.
HOSTILE_BEDS=("ours 2 noxen honest-backend hostile-ring hostile-requests hostile-silence hostile-keys"
	"ours 2 noxen-debug hostile-ring hostile-requests hostile-silence hostile-keys"
	"ours 2 noxen honest-vif hostile-vif-ring hostile-vif-ctrl hostile-vif-silence hostile-vif-packets hostile-vif-keys"
	"ours 2 noxen-debug hostile-vif-packets hostile-vif-ring hostile-vif-ctrl hostile-vif-silence hostile-vif-keys")
DISK_BED="ours 2 noxen load-unload disk-verify disk-ext4 disk-hotplug disk-forced disk-kinds disk-resize
	disk-queues disk-discard disk-swap disk-stacked fs-load fs-destroy driver-domain backend-silent backend-lost backend-returns backend-states backend-abuse few-grants disk-roles disk-many"
SPARSE_KERNEL=6.12-amd64

usage() {
	cat <<-EOF2
		parts of make check, each also as make check-PART:
		  unit      the pure parts on this machine, under sanitizers
		  fuzz      the pure parts against any input, a minute in all
		  style     rules of the code base that a script can check
		  doctor    xenpv-doctor on good guests and broken ones
		  manual    manual pages: sound, every parameter and message
		  abi       platform-pci/ABI has what the modules have
		  refusals  where the modules must refuse to load, and say why
		  install   make install and dkms, into a directory of their own
		  matrix    the modules built for every kernel, W=1; sparse on $SPARSE_KERNEL
		  beds      guests on Xen hosts:
		$(printf '            %s\n' "${BEDS[@]}")
		not part of make check:
		  hostile   backends that lie (tests/backend/README.md):
		$(printf '            %s\n' "${HOSTILE_BEDS[@]}")
		  initrd    what Debian's tools put into initrds
		  packages  the .deb and the .rpm: contents; installed, upgraded, removed in clean
		            Debian systems while kernels come and go
		  long      more guests on Xen hosts:
		$(printf '            %s\n' "${LONG_BEDS[@]}")
		  all       make check, initrd, packages, hostile and long
		  disk      all cases of the disk driver, on noxen
		  net       those of the network driver
		  lifecycle those of events, suspend, kexec, and all around a guest that goes and comes
		  bed-GUEST one guest, all cases but the longest
	EOF2
}

logs=$XENPV_CACHE/check
tally=

# verdict PASS|FAIL|SKIP NAME [REASON...]
verdict() {
	echo "$*" >>"$tally"
	say "$*"
}

show() { tail -n "${2:-15}" "$1" | sed 's/^/     /' >&2; }

# ---- parts ------------------------------------------------------------------

part_unit() {
	local log=$logs/unit.log kdir rc=0
	need_packages gcc make libc6-dev libcmocka-dev
	kdir=$("$here/kernels/kernels.sh" get $SPARSE_KERNEL)/kdir || rc=$?
	if [ "$rc" -ne 0 ]; then
		verdict FAIL unit/headers "no kernel tree for the wire headers"
		return
	fi
	make -s -C "$here/unit" KDIR="$kdir" >"$log" 2>&1 || rc=$?
	awk '/^ok .*test_/ { name = $2; sub(/^test_/, "", name); n = $3; gsub(/[()]/, "", n)
			for (i = 1; i <= n + 0; i++) print "PASS", "unit/" name "#" i }
		/^FAIL .*test_/ { name = $2; sub(/^test_/, "", name); n = $3; sub(/\(/, "", n)
			for (i = 1; i <= n + 0; i++) print "PASS", "unit/" name "#" i
			for (i = 1; i <= $5 + 0; i++) print "FAIL", "unit/" name "!" i }' "$log" >>"$tally"
	tail -n 1 "$log" | sed 's/^/     /' >&2
	if [ "$rc" -ne 0 ]; then
		show "$log" 40
		grep -q '^FAIL .*test_' "$log" || verdict FAIL unit/build "status $rc; see $log"
	fi
}

part_fuzz() {
	local log=$logs/fuzz.log kdir rc=0
	need_packages clang libclang-rt-14-dev make libc6-dev
	kdir=$("$here/kernels/kernels.sh" get $SPARSE_KERNEL)/kdir || {
		verdict FAIL fuzz/headers "no kernel tree for the wire headers"
		return
	}
	make -s -C "$here/fuzz" KDIR="$kdir" >"$log" 2>&1 || rc=$?
	sed -nE 's,^ok (.*),PASS fuzz/\1,p; s,^(FAIL) (.*),\1 fuzz/\2,p' "$log" >>"$tally"
	if [ "$rc" -ne 0 ]; then
		show "$log" 40
		grep -q '^FAIL ' "$log" || verdict FAIL fuzz/build "status $rc; see $log"
	fi
}

# script NAME: NAME.sh, which prints the verdicts itself.
script() {
	local name=$1 log=$logs/$1.log rc=0
	"$here/$name.sh" >"$log" 2>&1 || rc=$?
	sed -nE "s,^(PASS|FAIL) (.*),\\1 $name/\\2,p" "$log" >>"$tally"
	grep -v '^PASS' "$log" >&2
	if ! grep -qE '^(PASS|FAIL) ' "$log" || { [ "$rc" -ne 0 ] && ! grep -q '^FAIL ' "$log"; }; then
		verdict FAIL "$name/run" "status $rc; see $log"
	fi
}

# build NAME LABEL MAKEARG...: one kernel; a warning about our files fails it.
build() {
	local name=$1 label=$2 log=$logs/matrix/$2.log out=$XENPV_CACHE/build/$2 rc=0 start=$SECONDS
	shift 2
	"$here/kernels/build-modules.sh" "$name" "$out" "$@" >"$log" 2>&1 || rc=$?
	cat "$out/log" >>"$log" 2>/dev/null
	if [ "$rc" -eq 77 ]; then
		verdict SKIP "matrix/$label" "$(grep -m 1 -iE 'mirror|vanish|not have' "$log" || tail -n 1 "$log")"
	elif [ "$rc" -ne 0 ]; then
		verdict FAIL "matrix/$label" "does not build; see $log"
		show "$log"
	elif grep -qE '(platform-pci|xenbus|blkfront|netfront|include/xenpv)/.*(warning|error):' "$log"; then
		verdict FAIL "matrix/$label" "builds with warnings; see $log"
		grep -E '(warning|error):' "$log" | head -n 8 | sed 's/^/     /' >&2
	else
		verdict PASS "matrix/$label" "$((SECONDS - start)) s"
	fi
}

part_matrix() {
	local name
	need_packages sparse
	mkdir -p "$logs/matrix"
	while read -r name; do
		while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
		build "$name" "$name-w1" W=1 &
	done < <("$here/kernels/kernels.sh" list build)
	wait
	build $SPARSE_KERNEL $SPARSE_KERNEL-sparse C=2 CF=-D__CHECK_ENDIAN__
}

# bed DIR DRIVERS VCPUS GUESTS [CASE...]: all cases, or those named, on each of them, in
# one host.
bed() {
	local dir=$1 drivers=$2 vcpus=$3 guests=$4 rc=0
	shift 3
	rm -rf "$dir"
	mkdir -p "$dir"
	"$here/xen/bed.sh" run -d "$drivers" -c "$vcpus" -o "$dir" "$@" >"$dir.log" 2>&1 || rc=$?
	if ! [ -s "$dir/results" ]; then
		verdict FAIL "bed/$guests" "no results, status $rc; see $dir.log"
		show "$dir.log"
		return
	fi
	while read -r word guest name _ reason; do
		case $word in
		ok) echo "PASS bed/$guest/$name" >>"$tally" ;;
		skip) verdict SKIP "bed/$guest/$name" "$reason" ;;
		FAIL) verdict FAIL "bed/$guest/$name" "$reason" ;;
		*) verdict FAIL "bed/$guest" "not a result: $word $guest $name" ;;
		esac
	done <"$dir/results"
	say "     bed of $guests: $(grep -c '^ok ' "$dir/results") cases passed, logs in $dir"
	if [ "$rc" -ne 0 ] && ! grep -qvE '^(ok|skip) ' "$dir/results"; then
		verdict FAIL "bed/$guests" "ended with status $rc; see $dir.log"
	fi
}

# part_beds NAME LINE...
part_beds() {
	local name=$1 line n=0
	shift
	need_root "the test bed"
	# What both beds need is made once, before they start.
	if ! { "$here/xen/dom0.sh" && "$here/xen/qemu.sh"; } >"$logs/dom0.log" 2>&1; then
		verdict FAIL bed/host "the Xen host cannot be prepared; see $logs/dom0.log"
		show "$logs/dom0.log"
		return
	fi
	for line in "$@"; do
		while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
		n=$((n + 1))
		# shellcheck disable=SC2086 # one word a case
		bed "$logs/$name-$n" ${line/EVERY/$EVERY} &
	done
	wait
}

# ---- all --------------------------------------------------------------------

run_part() {
	local start=$SECONDS
	say "== $1"
	case $1 in
	unit | fuzz | matrix) "part_$1" ;;
	style | doctor | manual | abi | refusals | install | initrd | packages) script "$1" ;;
	beds) part_beds beds "${BEDS[@]}" ;;
	hostile) part_beds hostile "${HOSTILE_BEDS[@]}" ;;
	long) part_beds long "${LONG_BEDS[@]}" ;;
	disk) part_beds disk "$DISK_BED" ;;
	net) part_beds net "$NET_BED" ;;
	lifecycle) part_beds lifecycle "${LIFECYCLE_BEDS[@]}" ;;
	bed-*) part_beds "$1" "ours 2 ${1#bed-}" ;;
	*) die "there is no part $1; make check-help lists them" ;;
	esac
	say "   $1: $((SECONDS - start)) s"
}

# keep PART...: what was found, for tests/tested.sh; that of make check in a file of its own.
keep() {
	local name=results
	[ "$*" = "${PARTS[*]}" ] || name=results-$(tr ' ' + <<<"$*")
	{
		echo "# $(date -u +%F), revision $(git -C "$XENPV_TOP" describe --always --dirty 2>/dev/null || echo unknown)"
		grep -ahom 1 'Xen version [^ ]* ([^)]*)' "$logs"/*/xen.log 2>/dev/null | sort -u | sed 's/^/# /'
		"$XENPV_CACHE"/qemu/qemu-system-x86_64 --version 2>/dev/null | sed -n "1s/^/# /p"
		sort -u "$tally"
	} >"$logs/$name"
}

sum_up() {
	local passed failed skipped
	passed=$(grep -c '^PASS ' "$tally")
	failed=$(grep -c '^FAIL ' "$tally")
	skipped=$(grep -c '^SKIP ' "$tally")
	grep -E '^(FAIL|SKIP) ' "$tally"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

main() {
	local part
	if [ "${1:-}" = help ]; then
		usage
		return
	fi
	mkdir -p "$logs" || die "cannot write to $logs"
	tally=$(mktemp "$logs/tally.XXXXXX")
	trap 'rm -f "$tally"' EXIT
	trap 'say "interrupted"; kill $(jobs -rp) 2>/dev/null; wait; exit 130' INT TERM
	[ $# -gt 0 ] || set -- "${PARTS[@]}"
	[ "$*" != all ] || set -- "${PARTS[@]}" initrd packages hostile long
	for part in "$@"; do
		run_part "$part"
	done
	keep "$@"
	sum_up
}

main "$@"
