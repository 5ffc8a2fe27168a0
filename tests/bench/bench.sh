#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: bench.sh disk|net|platform [-k KERNEL] [-c VCPUS] [-q QUEUES] [-r REPEATS] [-o DIR] [PASS...]
#
# Compares frontends on one Xen host with one stock kernel image, and prints a table
# (make bench-disk, make bench-net, make bench-platform). A PASS boots a guest and runs the rows of
# disk-jobs, net-jobs or platform-jobs:
#   intree  the kernel's own driver
#   intree-xapic  the same, booted with nox2apic. x2APIC is what a kernel turns on for
#           the Xen it knows, and one without Xen support does not: it tells of an
#           interrupt's end by a write to memory, which Xen has to decode, and not to
#           a register. What this takes is no driver's.
#   intree-2level  that, with event channels of the kind that ours has, not FIFO
#   intree-intx  the kernel's own driver, told of events by the platform device's interrupt
#   ours    the driver of this tree; the same image, booted with nopv, so without x2APIC
#   none    the emulated device: IDE disk, e1000
# with parameters of the module behind commas: ours,max_queues=1. Passes of the same
# name are one column. Default: intree intree-xapic ours ours intree-xapic intree none;
# the first is what all others are measured against. For platform: intree intree-xapic
# intree-2level ours intree-intx ours,events=intx.
#
#   -k  kernel of the guest, default 6.1-amd64   -c  its vCPUs, default 2
#   -q  queues the backend offers, default as many as vCPUs. (Its own default is
#       one for each of dom0's, and dom0 has one here.)   -r  repeats a pass, default 3
# QUICK=1: a quarter of the work, once, and without the emulated device.
# BENCH_ROWS: only rows whose names match this extended regular expression.
# SKBS=1: count the skbs that a card's guest allocates, too; a probe, which costs some. Those
# from NAPI's cache are not among them: ours takes one of those for each received packet.
#
# What is measured. QEMU counts the instructions of all processors of the emulated
# host and makes its clock of them (2 ns each), so a rate inside is "per instruction
# of guest, Xen, dom0 and backend together", whatever this machine does meanwhile.
# Waiting counts too, when every processor idles. Jobs are bound to vCPUs, a disk's pages
# are there before, jobs are repeated within a guest and guests are booted in the
# order A B C C B A; the table has the median with least and most. It says nothing about
# cycles, caches or megabytes a second. No figure fails a run.
#
# Events. "notifies" is how often the backend's interrupt came in dom0, for all
# drivers alike: two notifies before dom0 gets to run are one. "events" is how often
# the frontend's came, from the guest's /proc/interrupts. Both include what the
# program's start and the counting cost, a few in a thousand.
#
# platform measures other things than rates: how long it takes from loading a driver, and
# from the end of a suspension, to the first read and the first answer to a ping; the memory
# that modules and devices take; instructions from the sending of an event to its handler
# (event-cost/).
#
# Everything stays in DIR (default $XENPV_CACHE/bench/WHAT-KERNEL-TIME): run.json with
# every sample, the features negotiated and the versions, table.txt, raw/.

set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib.sh
. "$here/../lib.sh"
# shellcheck source=tests/xen/host.sh
. "$here/../xen/host.sh"

usage() {
	sed -n '/^# usage:/,/^#$/s/^# \?//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

bench_stop() {
	trap '' INT TERM
	cp "$RUN"/{xen.log,qemu.log} "$OUT/raw/" 2>/dev/null || :
	cp -r "$RUN/share/log/." "$OUT/raw/" 2>/dev/null || :
	host_stop "$RUN"
	rm -rf "$RUN"
}

# bench_programs DRIVERS: what platform's jobs run in a guest of that name, below a directory
# that is printed.
bench_programs() {
	local out=$RUN/programs.$1 kernel ours source=$RUN/event-cost.$1
	kernel=$("$XENPV_TESTS/kernels/kernels.sh" get "$KERNEL")
	[ ! -s "$kernel/env" ] || die "event-cost cannot be built for $KERNEL, which needs an environment of its own"
	mkdir -p "$out"/{bin,root}
	gcc -O2 -Wall -Wextra -Werror -static -s -o "$out/bin/first" "$here/first.c"
	cp -r "$here/event-cost" "$source"
	if [ "$1" = ours ]; then
		ours=$("$XENPV_TESTS/kernels/build-modules.sh" "$KERNEL")
		set -- "$1" XENPV="$ours/src" KBUILD_EXTRA_SYMBOLS="$ours/src/Module.symvers"
	fi
	make -C "$kernel/kdir" M="$source" "${@:2}" modules >&2 || die "event-cost does not build for $KERNEL"
	cp "$source/event-cost.ko" "$out/root/"
	echo "$out"
}

# bench_guest DRIVERS: the files of a guest of that name.
bench_guest() {
	local programs=${XENPV_PROGRAMS:-}
	[ ! -e "$RUN/share/guests/$1/vmlinuz" ] || return 0
	[ "$WHAT" != platform ] || programs=$(bench_programs "$1" 2>>"$OUT/raw/log")
	XENPV_PROGRAMS=$programs "$XENPV_TESTS/xen/guest.sh" "$KERNEL" "$1" "$RUN/share/guests/$1" >>"$OUT/raw/log" 2>&1
}

# The rows asked for; with an argument, requests are divided by it.
bench_jobs() {
	awk -v rows="${BENCH_ROWS:-.}" -v by="${1:-1}" \
		'/^# name/ { for (i = 2; i <= NF; i++) if ($i == "amount") at = i - 1 }
		!/^#/ && NF && $1 ~ rows { if (at) $at = $at < by ? 1 : int($at / by); print }' "$here/$WHAT-jobs"
}

# bench_create DRIVERS: a second attempt, because the emulated host may fail.
bench_create() {
	local try kind=plain
	# The emulated card is not one of a plain guest's.
	[ "$WHAT-$1" != net-none ] || kind=emulated
	for try in first second; do
		dom0 "$RUN" -t $((900 * XENPV_TIMESCALE)) \
			"BOOT_LIMIT=300 /bed/dom0/guest-create $1 256 $VCPUS $kind" >>"$OUT/raw/log" 2>&1 && return
		say "$try attempt: guest with $1 does not come up"
		dom0 "$RUN" -t 120 "mkdir -p /bed/log/$try; cp /var/log/xen/* /bed/log/$try; xl list
			/bed/dom0/guest-destroy $1" >>"$OUT/raw/log" 2>&1 || :
	done
	return 1
}

# bench_pass NUMBER PASS: one guest from its creation to its end.
bench_pass() {
	local drivers words repeats=$REPEATS divide=$DIVIDE start=$SECONDS
	IFS=, read -r -a words <<<"$2"
	drivers=${words[0]}
	if [ "$drivers" = none ]; then
		repeats=1 divide=$((DIVIDE * 16))
	fi
	bench_jobs "$divide" >"$RUN/share/bench/jobs"
	bench_create "$drivers" ||
		die "guest for $2 does not come up; see $OUT/raw"
	dom0 "$RUN" -t $((1800 * XENPV_TIMESCALE)) "bash /bed/bench/dom0-bench $WHAT $drivers /bed/log/$1.$2 \
		$repeats ${words[*]:1}" >>"$OUT/raw/log" 2>&1 || die "pass $2 failed; see $OUT/raw"
	# Its disks are dom0's memory.
	dom0 "$RUN" -t 120 "/bed/dom0/guest-destroy $drivers; cd /run/bed/$drivers && rm -f hda xvd? &&
		blockdev --flushbufs /dev/ram\$(cat number)" >>"$OUT/raw/log" 2>&1 || die "guest for $2 does not end"
	say "pass $2 done in $((SECONDS - start)) s"
}

WHAT=${1:-}
[[ $WHAT = @(disk|net|platform) ]] || usage
shift
KERNEL=6.1-amd64 VCPUS=2 QUEUES='' REPEATS='' OUT=''
while getopts k:c:q:r:o: opt; do
	case $opt in
	k) KERNEL=$OPTARG ;;
	c) VCPUS=$OPTARG ;;
	q) QUEUES=$OPTARG ;;
	r) REPEATS=$OPTARG ;;
	o) OUT=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
: "${QUEUES:=$VCPUS}"
DIVIDE=1 PASSES=(intree intree-xapic ours ours intree-xapic intree none)
[ "$WHAT" != platform ] || PASSES=(intree intree-xapic intree-2level ours intree-intx "ours,events=intx")
if [ -n "${QUICK:-}" ]; then
	: "${REPEATS:=1}"
	DIVIDE=4 PASSES=(intree ours)
fi
: "${REPEATS:=3}"
[ $# -eq 0 ] || PASSES=("$@")
for pass in "${PASSES[@]}"; do
	[[ ${pass%%,*} = @(intree|intree-xapic|intree-2level|intree-intx|ours|none) ]] || usage
	[ "$WHAT-$pass" != platform-none ] || usage
done
need_root "a benchmark"
need_packages python3
if [ "$WHAT" = net ]; then
	XENPV_PROGRAMS=$("$here/iperf3.sh")
	export XENPV_PROGRAMS
fi
[ -n "$(bench_jobs)" ] || die "no row matches $BENCH_ROWS"

[ -n "$OUT" ] || OUT=$XENPV_CACHE/bench/$WHAT-$KERNEL-$(date +%Y%m%d-%H%M%S)
mkdir -p "$OUT/raw" || die "cannot write to $OUT"
# Messages for the user pass the log by.
exec 3>&2
export XENPV_TTY=3
RUN=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-bench.XXXXXX")
trap bench_stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
host_prepare "$RUN"
mkdir "$RUN/share/bench"
cp "$here"/{dom0-bench,dom0-$WHAT.sh,guest-bench.sh,guest-$WHAT.sh} "$RUN/share/bench/"
[ -z "${SKBS:-}" ] || touch "$RUN/share/bench/skbs"
for pass in "${PASSES[@]}"; do
	bench_guest "${pass%%,*}"
done
host_start "$RUN" || die "the Xen host does not come up; see $OUT/raw"
case $WHAT in
disk | platform) backend=xen_blkback ;;
net) backend=xen_netback ;;
esac
dom0 "$RUN" "echo $QUEUES >/sys/module/$backend/parameters/max_queues" ||
	die "the backend cannot be set to $QUEUES queues"
say "Xen host up after $SECONDS s"
number=0
for pass in "${PASSES[@]}"; do
	number=$((number + 1))
	bench_pass $number "$pass"
done
cp -r "$RUN/share/log/." "$OUT/raw/"
/usr/bin/python3 "$here/report.py" "$WHAT" "$OUT" "$KERNEL" "$VCPUS" "$QUEUES"
say "done in $SECONDS s; all of it is in $OUT"
