#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: run.sh fuzz SECONDS PROGRAM...	replay each corpus, then try new inputs
#        run.sh merge SECONDS PROGRAM...	the same, and keep what reaches more
#
# Two programs at a time. One line a program, `ok|FAIL NAME what`; the input that
# failed is kept in build/, to be put into the corpus once the fault is mended.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
verb=$1 seconds=$2
shift 2
export UBSAN_OPTIONS=print_stacktrace=1

# fuzz PROGRAM
fuzz() {
	local prog=$1 name=${1##*/fuzz_} corpus new log=$1.log rc=0 runs
	corpus=$here/corpus/$name new=$here/build/new-$name
	rm -rf "$new"
	mkdir -p "$corpus" "$new"
	if ! "$prog" -runs=0 -timeout=10 -artifact_prefix="$here/build/failed-$name-" "$corpus" >"$log" 2>&1; then
		echo "FAIL $name: an input of the corpus: $(reason "$log")"
		return 1
	fi
	# A small input is a fast one, and 16 KiB are enough for all that is counted.
	"$prog" -max_total_time="$seconds" -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
		-print_final_stats=1 -artifact_prefix="$here/build/failed-$name-" "$new" "$corpus" >"$log" 2>&1 || rc=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "$rc" -ne 0 ]; then
		echo "FAIL $name: $(reason "$log")"
		return 1
	elif [ "${runs:-0}" -lt 100 ]; then
		echo "FAIL $name: ${runs:-0} inputs were tried, of 100 at least"
		return 1
	fi
	echo "ok $name: $runs inputs, $(find "$corpus" -type f | wc -l) of them kept"
}

reason() {
	grep -m 1 -E 'not so:|runtime error:|ERROR: ' "$1" || tail -n 1 "$1"
	sed -n 's/.*Test unit written to /     input: /p' "$1"
}

# merge PROGRAM: the smallest set of inputs that reaches all that was reached.
merge() {
	local name=${1##*/fuzz_} least
	least=$here/build/least-$name
	fuzz "$1" || return
	rm -rf "$least"
	mkdir "$least"
	"$1" -merge=1 -use_counters=0 -max_len=4096 "$least" "$here/corpus/$name" "$here/build/new-$name" >>"$1.log" 2>&1 || return
	cp "$here/corpus/$name/"was-* "$least/" 2>/dev/null
	rm -rf "$here/corpus/$name"
	mv "$least" "$here/corpus/$name"
	echo "ok $name: $(find "$here/corpus/$name" -type f | wc -l) inputs kept"
}

failed=0
for prog in "$@"; do
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n || failed=1
	done
	"$verb" "$prog" &
done
while [ -n "$(jobs -p)" ]; do
	wait -n || failed=1
	jobs >/dev/null
done
exit "$failed"
