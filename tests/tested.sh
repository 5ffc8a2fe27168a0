#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: tested.sh [--into README] [FILE...]
#
# Prints a table, in Markdown, of the kernels that were tested and with which result, or
# puts it into README in place of what stands between the two lines `make tested`.
# FILE: what `make check` keeps ($XENPV_CACHE/check/results, the default), or the
# results of beds (bed.sh -o DIR: DIR/results).

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

into=''
if [ "${1:-}" = --into ]; then
	into=${2:?"--into needs a file"}
	shift 2
fi
[ $# -gt 0 ] || set -- "$XENPV_CACHE/check/results"
for file; do
	[ -s "$file" ] || [ -p "$file" ] || die "no results in $file: run make check first"
done

table() {
	awk '
		/^# / { sub(/^# /, ""); head[++heads] = $0; next }
		{ sub(/^ok /, "PASS "); sub(/^skip /, "SKIP ") }
		$2 ~ /^bed\// { split($2, part, "/"); note(part[2], $1, part[3]); next }
		$2 ~ /^matrix\// {
			name = substr($2, 8)
			if (sub(/-w1$/, "", name)) { see(name); built[name] = $1 == "PASS" ? "yes" : $1 == "SKIP" ? "skipped" : "NO" }
			next
		}
		$2 ~ /^[a-z]+\// { split($2, part, "/"); count[part[1], $1]++; if (!(part[1] in host)) { host[part[1]]; hosts[++nhosts] = part[1] }; next }
		$1 ~ /^(PASS|FAIL|SKIP)$/ && NF >= 4 { note($2, $1, $3) }
		function see(kernel) { if (!(kernel in known)) { known[kernel]; list[++n] = kernel } }
		function note(kernel, verdict, name) {
			see(kernel); guest[kernel] = 1; cases[kernel, verdict]++
			if (verdict == "FAIL") failed[kernel] = failed[kernel] (failed[kernel] ? ", " : ": ") name
		}
		END {
			for (i = 1; i <= heads; i++) print "- " head[i]
			if (heads) print ""
			print "| kernel | builds with W=1 | cases passed | failed | skipped |\n|---|---|---|---|---|"
			for (i = 1; i <= n; i++) {
				k = list[i]
				printf "| `%s` | %s | %s | %s%s | %s |\n", k, k in built ? built[k] : "", number(cases[k, "PASS"], k),
					number(cases[k, "FAIL"], k), failed[k], number(cases[k, "SKIP"], k)
			}
			if (nhosts) print "\n| without a guest | passed | failed | skipped |\n|---|---|---|---|"
			for (i = 1; i <= nhosts; i++)
				printf "| %s | %d | %d | %d |\n", hosts[i], count[hosts[i], "PASS"], count[hosts[i], "FAIL"], count[hosts[i], "SKIP"]
		}
		function number(value, kernel) { return kernel in guest ? value + 0 : "-" }
	' "$@"
}

# replace README TABLE: nothing changes unless both lines are there, in order.
replace() {
	awk '
		NR == FNR { table = table $0 "\n"; next }
		/^<!-- begin: make tested -->$/ { begin++; print; printf "%s", table; next }
		/^<!-- end: make tested -->$/ { ends++ }
		begin == ends { print }
		END { exit begin != 1 || ends != 1 }
	' "$2" "$1" >"$1.new" || {
		rm -f "$1.new"
		die "$1 has no place for the table: one line each of <!-- begin: make tested --> and <!-- end: make tested -->"
	}
	cat "$1.new" >"$1"
	rm "$1.new"
}

if [ -n "$into" ]; then
	replace "$into" <(table "$@")
	exit
fi
cat <<EOF
# What was tested
Made by tests/tested.sh; do not change it by hand. A case is a test that runs in a guest of this kernel on a real Xen host under
QEMU's software emulation; "-": modules for this kernel are built, but no guest is run.

EOF
table "$@"
