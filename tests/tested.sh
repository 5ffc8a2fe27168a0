#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: tested.sh [FILE...]
#
# Prints a table, in Markdown, of the kernels that were tested and with which result.
# FILE: what `make check` keeps ($XENPV_CACHE/check/results, the default), or the
# results of beds (bed.sh -o DIR: DIR/results).

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

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

cat <<EOF
# What was tested
Made by tests/tested.sh; do not change it by hand. A case is a test that runs in a guest of this kernel on a real Xen host under
QEMU's software emulation; "-": modules for this kernel are built, but no guest is run.

EOF
table "$@"
