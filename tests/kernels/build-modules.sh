#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build-modules.sh NAME [OUT [MAKEARG...]]: build the modules of this working
# tree for kernel NAME (kernels.sh list) and print OUT, the directory with the
# three .ko files; $XENPV_CACHE/build/NAME unless given.  OUT/src is a copy of
# the sources, so that builds for several kernels can run at once and the tree
# stays clean.  It is kept with its objects for the next build, of this working
# tree or of another one, if that one was without a warning: what is not compiled
# again does not warn again.  OUT/log has what make said.  MAKEARG: W=1, C=1, ...
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"

MODULES="xen-platform-pci xen-vbd xen-vnif"
SOURCES="Makefile Kbuild platform-pci xenbus blkfront netfront include"

copy_sources() {
	local out=$1 want=$2
	# Objects made for another kernel or with other flags are of no use.
	[ "$(cat "$out/made-for" 2>/dev/null)" = "$want" ] || rm -rf "$out/src"
	# Until the build has ended well.
	rm -f "$out/made-for"
	mkdir -p "$out/src"
	(
		cd "$XENPV_TOP"
		# What is the same keeps its time, what is not gets the one of now: a file's own
		# time may be older than the object.
		# shellcheck disable=SC2086 # a list of names
		rsync -rlp --checksum --delete --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
			--exclude='.*' --exclude='*.order' --exclude='*.symvers' --exclude='xpv-probes.h*' \
			$SOURCES "$out/src/"
	)
}

# run_make KERNEL OUT MAKEARG...
run_make() {
	local kernel=$1 out=$2 chroot
	shift 2
	chroot=$(sed -n 's/^CHROOT=//p' "$kernel/env")
	if [ -z "$chroot" ]; then
		# shellcheck disable=SC2046 # make arguments, one a word
		nice make -C "$out/src" KDIR="$kernel/kdir" $(cat "$kernel/env") "$@" modules
		return
	fi
	need_root "building in a chroot"
	mkdir -p "$chroot/build"
	# The mounts end with the namespace, whatever ends the build.
	# shellcheck disable=SC2016 # expanded by the inner shell
	nice unshare --mount --pid --fork --kill-child bash -euc '
		chroot=$1 src=$2
		shift 2
		mount --bind "$src" "$chroot/build"
		mount -t proc proc "$chroot/proc"
		exec chroot "$chroot" make -C /build "$@"' build "$chroot" "$out/src" \
		KDIR="/usr/src/$(basename "$(readlink "$kernel/kdir")")" "$@" modules
}

install_modules() {
	local out=$1 mod
	for mod in $MODULES; do
		cp "$out/src/$mod.ko" "$out/$mod.ko.new"
		mv "$out/$mod.ko.new" "$out/$mod.ko"
	done
}

main() {
	local name=${1:-} out kernel lock mod want
	[ -n "$name" ] || {
		sed -n '4,5s/^# //p' "$here/build-modules.sh" >&2
		exit 2
	}
	out=${2:-$XENPV_CACHE/build/$name}
	shift $(($# > 2 ? 2 : $#))
	kernel=$("$here/kernels.sh" get "$name")
	# Some kernels have pahole look at every module.
	need_packages make rsync pahole
	mkdir -p "$out" || die "cannot create $out"
	out=$(cd "$out" && pwd)
	exec {lock}>"$out/lock"
	flock "$lock"
	want="$(cat "$kernel"/{release,.recipe}) $*"
	copy_sources "$out" "$want"
	# A failed build must not leave the modules of an earlier one.
	for mod in $MODULES; do
		rm -f "$out/$mod.ko"
	done
	if ! run_make "$kernel" "$out" "$@" >"$out/log" 2>&1; then
		grep -E '(error|Error|undefined)' "$out/log" | head -n 20 | sed 's/^/    /' >&2 || :
		die "the modules do not build for $name ($(cat "$kernel/release")); the whole log is $out/log"
	fi
	install_modules "$out"
	grep -qE 'warning|WARNING' "$out/log" || echo "$want" >"$out/made-for"
	echo "$out"
}

main "$@"
