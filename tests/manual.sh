#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The manual pages: without a complaint of mandoc and groff, with every parameter and its
# default, every line that the modules put into the kernel's log as a warning or an
# error, and no such line that they do not; the problems of xenpv-doctor; and the table
# of what was tested.
# Prints PASS|FAIL NAME [REASON] for each.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$XENPV_TOP"

PAGES=(platform-pci/man/*.[48])

need_packages mandoc groff

# verdict NAME: what comes on standard input is wrong; nothing is a pass.
verdict() {
	local wrong
	wrong=$(cat)
	if [ -z "$wrong" ]; then
		echo "PASS $1"
	else
		echo "FAIL $1: $(head -n 1 <<<"$wrong")"
		sed 's/^/     /' <<<"$wrong" | sed -n '1,30p'
	fi
}

# plain FILE...: words as they stand, in one line.
plain() { sed 's/\\&//g' "$@" | tr '\n' ' ' | tr -s ' '; }

# Formats of warnings and errors, a line each, and reasons to break a device: the longest
# part of each that no value interrupts.
messages() {
	{
		cat platform-pci/*.c xenbus/*.c blkfront/*.c netfront/*.c | tr '\n' ' ' |
			grep -oE '((pr|dev|netdev)_(err|warn|notice)(_ratelimited)?|xpv_bus_error|vnif_broken|vbd_ring_broken)\([^";]*"[^"]*"'
		grep -hoE '(lie = |return )"[a-z]+:? [^"]+"' netfront/{rx,tx}.c blkfront/ring.c
	} | sed 's/^[^"]*"//; s/"$//; s/\\n$//; s/%[-#0-9.]*\(ll\|l\)\?[a-zA-Z]/\n/g; s/$/\n\f/' |
		awk 'BEGIN { RS = "\f" }
		{ n = split($0, part, "\n"); best = ""
			for (i = 1; i <= n; i++) { sub(/^[ :,'"'"']+/, "", part[i]); sub(/[ :,('"'"']+$/, "", part[i]); if (length(part[i]) > length(best)) best = part[i] }
			if (length(best) > 5) print best }' | sort -u
}

for page in "${PAGES[@]}"; do
	{ mandoc -T lint -W warning "$page" || :; groff -ww -mandoc -T utf8 -z "$page" 2>&1 || :; } |
		verdict "${page##*/} is sound"
done

text=$(plain "${PAGES[@]}")
n=0
while read -r message; do
	n=$((n + 1))
	[[ $text == *"$message"* ]] || echo "not explained: $message"
done < <(messages) | verdict "every warning and error is explained"
[ "$(messages | wc -l)" -gt 50 ] || echo "FAIL messages: only $(messages | wc -l) were found in the sources"

known=$(cat {platform-pci,xenbus,blkfront,netfront}/*.[ch] | tr '\n' ' ' | sed 's/" *XENPV_VERSION *"//g; s/"[[:space:]]*"//g')
sed -n 's/^\.It Sy //p' "${PAGES[@]}" | while read -r line; do
	# Upper case stands for a value; what is between must be in the code.
	sed -E "s/(^|[^A-Za-z])(N|ERROR|NAME=WORD|WORD|WHAT|REASON|DISK|CARD|DEVICE|KEY|MAC|PATH)([^A-Za-z]|\$)/\1\n\3/g; s/emulated (disks|cards) stay/emulated %s stay/; s/(is in use|is no number|bus xen:|'\$)/\n\1\n/g" <<<"$line" |
		sed -E "s/^[ :(,]+//; s/[ :(,]+\$//" | awk 'length > 7' | while read -r part; do
		case $part in "is in use" | "is no number" | "bus xen:") continue ;; esac
		[[ $known == *"$part"* ]] || echo "no module says: $part"
	done
done | verdict "every line explained is said by a module"

grep -rhoE 'module_param(_named|_cb)\([a-z_]+' platform-pci blkfront netfront | sed 's/.*(//' | sort -u | while read -r name; do
	grep -qE "^\.It Cm $name Ns = Ns " "${PAGES[@]}" || echo "no parameter $name"
done | verdict "every parameter is there"

grep -oE '	(bad|note) [a-z-]+' platform-pci/xenpv-doctor | awk '$1 == "bad" { print $2 }' | sort -u | while read -r id; do
	sed -n '/^\.Ss Problems/,/^\.Ss Secure/p' platform-pci/man/xenpv-doctor.8 | grep -qE "Li (.* )?$id( |\$)" || echo "no problem $id"
done | verdict "every problem of the doctor is there"

# What a run of all parts keeps, and what a bed leaves.
results() {
	printf '%s\n' '# 2026-01-02, revision abc' 'PASS unit/ring#1' 'FAIL unit/ring!1' 'PASS bed/noxen/boot' \
		'FAIL bed/noxen/disk-ext4 a reason' 'SKIP bed/6.1-686/pair a reason' 'PASS matrix/noxen-w1 10 s' \
		'SKIP matrix/7-cloud-amd64-w1 no mirror' 'PASS matrix/noxen-sparse 9 s' 'ok 5.10-686 net-tcp 12 fine'
}

results_table() {
	local table row
	table=$(tests/tested.sh <(results)) || { echo "it ends with $?"; return; }
	for row in '- 2026-01-02, revision abc' '| `noxen` | yes | 1 | 1: disk-ext4 | 0 |' '| `6.1-686` |  | 0 | 0 | 1 |' \
		'| `7-cloud-amd64` | skipped | - | - | - |' '| `5.10-686` |  | 1 | 0 | 0 |' '| unit | 1 | 1 | 0 |'; do
		grep -qxF -- "$row" <<<"$table" || echo "the table lacks: $row"
	done
	[ "$(grep -c noxen <<<"$table")" = 1 ] || echo "noxen stands there more than once"
}
results_table | verdict "table of what was tested"

# The table goes into README's place for it and takes that of an earlier run away;
# a file with half such a place stays as it is.
results_into() {
	local file copy
	file=$(mktemp) copy=$(mktemp)
	sed -n '1,/^<!-- begin: make tested/p' README.md >"$file"
	cp "$file" "$copy"
	! (tests/tested.sh --into "$file" <(results)) 2>/dev/null || echo "half a place is taken for one"
	cmp "$file" "$copy"
	printf '%s\n' 'of an earlier run' '<!-- end: make tested -->' '' 'below' >>"$file"
	tests/tested.sh --into "$file" <(results) || echo "it ends with $?"
	! grep 'earlier run' "$file" || echo "what an earlier run has put there stays"
	sed -n '/^<!-- begin: make tested/,$p' "$file" | sed 1d | cmp - <(
		tests/tested.sh <(results) | sed -n '/^- 2026/,$p'
		printf '%s\n' '<!-- end: make tested -->' '' 'below'
	)
	rm "$file" "$copy"
}
results_into 2>&1 | verdict "table of what was tested, in README"
