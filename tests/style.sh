#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# style.sh: rules of this code base that a machine can check.  One line a rule,
# PASS or FAIL, with the offending lines below; exit status 1 if any failed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
cd "$XENPV_TOP"

# Budgets: enough for what is there to be read in one go, no quota to fill.
FILE_LINES=750
FUNCTION_LINES=70
DEEP=$'\t\t\t\t\t'

failed=0

# rule NAME: what comes on standard input breaks it; nothing is a pass.
rule() {
	local offence
	offence=$(cat)
	if [ -z "$offence" ]; then
		echo "PASS $1"
		return
	fi
	echo "FAIL $1"
	head -n 20 <<<"$offence" | sed 's/^/     /'
	failed=1
}

# search PATTERN FILE...: matching lines of C code, comments left out.
search() {
	local pattern=$1 file
	shift
	for file in "$@"; do
		awk '
			{ line = $0 }
			inside { if (!sub(/^.*\*\//, "", line)) next; inside = 0 }
			{ gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", line); sub(/\/\/.*/, "", line) }
			sub(/\/\*.*/, "", line) { inside = 1 }
			line ~ pattern { printf "%s:%d:%s\n", FILENAME, FNR, line }
		' pattern="$pattern" "$file"
	done
}

mapfile -t modules < <(find platform-pci xenbus blkfront netfront include -name '*.[ch]' | sort)
mapfile -t frontends < <(find blkfront netfront -name '*.[ch]' | sort)
mapfile -t programs < <(find tests -name build -prune -o -name '*.[ch]' -print | sort)
mapfile -t scripts < <(
	grep -rlE '^#!/bin/(ba)?sh|^# shellcheck shell=' include platform-pci tests .ci --exclude-dir=build --exclude='*.[ch]' |
		sort
)

long_functions() {
	awk '
		FNR == 1 { start = 0 }
		/^[a-zA-Z_].*\(/ && !/;$/ { head = $0 }
		/^{/ { start = FNR }
		/^}/ {
			if (start && FNR - start > limit)
				printf "%s:%d: %d lines: %s\n", FILENAME, start, FNR - start, head
			start = 0
		}
	' limit=$FUNCTION_LINES "$@"
}

long_files() {
	wc -l "$@" | awk -v limit=$FILE_LINES '$2 != "total" && $1 > limit { print $2 ": " $1 " lines" }'
}

deep_code() {
	search "^$DEEP+(if|for|while|do|switch|return|goto)[^a-z_]" "$@"
}

without_spdx() {
	local file
	for file in "$@" Makefile Kbuild dkms.conf platform-pci/packaging/xenpv.spec tests/{unit,fuzz}/Makefile; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' || echo "$file"
	done
}

# A file's head says what it is for, who lives how long, which locks, whom it
# trusts.
without_head() {
	local file
	for file in "$@"; do
		[[ $file == *.c ]] || continue
		awk 'NR == 2 && !/^\/\*/ { exit } /\*\// { good = NR >= 8; exit } END { exit !good }' "$file" ||
			echo "$file"
	done
}

# The data path knows no xenstore, the handshake no packets and no requests.
store_in_data_path() {
	local file
	for file in blkfront/{queue,segs}.c netfront/{tx,rx,wire,queue}.c; do
		[ ! -e "$file" ] || search 'xpv_(xs|batch|bus_(get|read|error))_?' "$file"
	done
}

foreign_exports() {
	search 'EXPORT_SYMBOL' "${modules[@]}" | grep -vE 'EXPORT_SYMBOL_GPL\((__)?xpv_' || :
}

versions_differ() {
	local kbuild dkms spec
	kbuild=$(sed -n 's/^XENPV_VERSION *:= *//p' Kbuild)
	dkms=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	spec=$(sed -n 's/^Version: *//p' platform-pci/packaging/xenpv.spec)
	[ "$kbuild" = "$dkms" ] || echo "Kbuild has $kbuild, dkms.conf has $dkms"
	grep -qx "VERSION=$kbuild" platform-pci/xenpv-doctor || echo "xenpv-doctor has another version than $kbuild"
	[ "$kbuild" = "$spec" ] || echo "Kbuild has $kbuild, xenpv.spec has $spec"
}

check_scripts() {
	need_packages shellcheck
	# A cd that fails ends every script here (errexit); paths are set by then.
	shellcheck -S warning -e SC2164,SC2115 -x -P SCRIPTDIR -P . "${scripts[@]}" 2>&1 || :
}

machine_paths() {
	# The pattern is put together so that it does not find itself.
	grep -rnE "(/wor[k]/|/roo[t]/\.|/hom[e]/|https?://[^ ]*(debian|ubuntu|pypi)\.)" \
		--exclude-dir=.git --exclude=.git --exclude-dir=build --exclude-dir=results . || :
}

main() {
	long_functions "${modules[@]}" "${programs[@]}" | rule "functions of at most $FUNCTION_LINES lines"
	long_files "${modules[@]}" | rule "files of at most $FILE_LINES lines"
	deep_code "${modules[@]}" | rule "nesting of at most 3 levels in a function"
	without_spdx "${modules[@]}" "${programs[@]}" "${scripts[@]}" | rule "licence in the first lines"
	without_head "${modules[@]}" |
		rule "each .c begins with what it is"
	search 'LINUX_VERSION_CODE|KERNEL_VERSION' "${modules[@]/include\/xenpv\/compat.h//dev/null}" |
		rule "no version check outside compat.h"
	search '(^|[^A-Z_])(BUG|BUG_ON|WARN|WARN_ON|WARN_ONCE|WARN_ON_ONCE|panic) ?\(' "${modules[@]}" |
		rule "no BUG, WARN or panic"
	search '(^|[^a-z_])(req_prod|rsp_prod|req_event|rsp_event)([^a-z_]|$)|(^|[^A-Z_])RING_[A-Z]|_sring \\*|shared->' "${frontends[@]}" |
		rule "no shared ring touched outside ring.h"
	search 'xpv_hv_|hypercall\.h|platform-pci/|internal\.h' "${frontends[@]}" |
		rule "frontends reach Xen through evtchn.h and grant.h alone"
	search 'include.*(blkfront|netfront)/' "${modules[@]}" | rule "no layer includes a frontend"
	search '(vmcall|vmmcall)' "${modules[@]/platform-pci\/hypercall.c//dev/null}" |
		rule "one seam to the hypervisor"
	store_in_data_path | rule "no xenstore in the data path"
	foreign_exports | rule "exports are GPL and begin with xpv_"
	versions_differ | rule "one version"
	machine_paths | rule "no path or mirror of one machine"
	check_scripts | rule "shellcheck"
	return "$failed"
}

main
