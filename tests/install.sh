#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make install`, `make uninstall` and dkms, each for a kernel whose tree is in the
# cache, into a directory of this run: nothing is installed on this machine but
# dkms itself.  Prints PASS|FAIL NAME [REASON] for each.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MODULES="xen-platform-pci xen-vbd xen-vnif"

need_packages dkms rsync kmod
dir=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-install.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tree"
git -C "$XENPV_TOP" ls-files -z -- Makefile Kbuild dkms.conf README.md platform-pci xenbus blkfront netfront include |
	rsync -a --from0 --files-from=- "$XENPV_TOP" "$dir/tree"

# test NAME COMMAND...: its last line of output is the reason of a failure.
verdict() {
	local name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "PASS $name"
	else
		echo "FAIL $name: $(tail -n 1 "$dir/log")"
		sed 's/^/     /' "$dir/log" | tail -n 15 >&2
	fi
}

# all_there DIRECTORY: the three modules, and depmod can read them.
all_there() {
	local module
	for module in $MODULES; do
		compgen -G "$1/$module.ko*" >/dev/null || { echo "no $module in ${1#"$dir"}"; return 1; }
		modinfo -F vermagic "$1/$module".ko* | grep -q "^$RELEASE " || {
			echo "$module is not for $RELEASE"
			return 1
		}
	done
}

tree_make() {
	make -C "$dir/tree" KDIR="$KDIR" DESTDIR="$dir/root" "$@"
}

install_and_back() {
	local left
	tree_make install || return
	all_there "$dir/root/lib/modules/$RELEASE/updates" || return
	[ -s "$dir/root/usr/lib/modprobe.d/xenpv.conf" ] || { echo "no load order for modprobe"; return 1; }
	touch "$dir/root/lib/modules/$RELEASE/updates/foreign.ko"
	tree_make uninstall || return
	left=$(find "$dir/root" -type f)
	[ "$left" = "$dir/root/lib/modules/$RELEASE/updates/foreign.ko" ] || {
		echo "uninstall should leave foreign.ko, and leaves: ${left//$'\n'/ }"
		return 1
	}
}

dkms_here() {
	dkms "$@" -m xenpv -v "$VERSION" --dkmstree "$dir/dkms" --sourcetree "$dir/root/usr/src" \
		--installtree "$dir/root/lib/modules"
}

dkms_and_back() {
	tree_make dkms-install || return
	mkdir -p "$dir/dkms" "$dir/root/lib/modules/$RELEASE"
	dkms_here add && dkms_here build -k "$RELEASE" --kernelsourcedir "$KDIR" &&
		dkms_here install -k "$RELEASE" --no-depmod || return
	all_there "$dir/root/lib/modules/$RELEASE/updates/dkms" || return
	dkms_here remove --all || return
	tree_make dkms-uninstall || return
	! find "$dir/root" -type f -name '*.ko*' | grep . || { echo "dkms leaves modules"; return 1; }
}

VERSION=$(sed -n 's/^XENPV_VERSION *:= *//p' "$XENPV_TOP/Kbuild")
for name in 6.1-amd64 6.12-amd64; do
	kernel=$("$XENPV_TESTS/kernels/kernels.sh" get $name)
	KDIR=$(readlink -f "$kernel/kdir") RELEASE=$(cat "$kernel/release")
	rm -rf "$dir/root"
	verdict install-$name install_and_back
	rm -rf "$dir/root"
	verdict dkms-$name dkms_and_back
done

no_tree() {
	local out
	! out=$(make -C "$dir/tree" KDIR="$dir/nowhere" 2>&1) || { echo "it was built"; return 1; }
	[ "$(grep -c '^error: no kernel tree' <<<"$out")" = 1 ] || { echo "no clear line: $out"; return 1; }
}
verdict no-kernel-tree no_tree
