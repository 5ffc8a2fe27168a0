#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Run unit test programs and sum up: run.sh PROGRAM...
# A program that crashes, hangs or says nothing counts as one failure.
set -uo pipefail

passed=0 failed=0
for prog in "$@"; do
	log=$prog.log
	rc=0
	CMOCKA_MESSAGE_OUTPUT=TAP UBSAN_OPTIONS=print_stacktrace=1 \
		timeout -k 5 "${UNIT_TIMEOUT:-120}" "$prog" >"$log" 2>&1 || rc=$?
	good=$(grep -c '^ok ' "$log")
	bad=$(grep -c '^not ok ' "$log")
	name=$(basename "$prog")
	if [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "$name: ended with status $rc" >>"$log"
	elif [ "$good" -eq 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "$name: no test ran" >>"$log"
	fi
	passed=$((passed + good)) failed=$((failed + bad))
	if [ "$bad" -eq 0 ]; then
		echo "ok    $name ($good)"
	else
		echo "FAIL  $name ($good passed, $bad failed)"
		grep -v '^ok ' "$log" | sed 's/^/      /' | head -n 60
	fi
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
