#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: nettools.sh amd64|i386
#
# Builds the static programs for network tests and for faults that a guest of that
# architecture carries, and prints their directories: ethtool (from Debian's source, by
# ioctl alone), and our xdp, rtnl and failnth.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

build_ethtool() {
	local out=$1 arch=$2 apt=$1/apt cc=gcc
	[ "$arch" = amd64 ] || cc="gcc -m32"
	tools_apt_root "$apt" "$arch"
	tools_source "$apt" ethtool
	cd "$apt/ethtool"
	./configure CC="$cc" LDFLAGS=-static --disable-netlink --host=x86_64-linux-gnu
	make -j"$(nproc)" ethtool
	strip -o "$out/ethtool" ethtool
	rm -rf "$apt"
}

build_own() {
	local out=$1 cc=gcc program=$3
	[ "$2" = amd64 ] || cc="gcc -m32"
	$cc -O2 -Wall -Wextra -Werror -static -s -o "$out/$program" "$XENPV_TESTS/guest/$program.c"
}

[ "${1:-}" = amd64 ] || [ "${1:-}" = i386 ] || die "usage: nettools.sh amd64|i386"
need_packages gcc gcc-multilib libc6-dev make dpkg-dev
HASH=$(recipe_hash "$(declare -f build_ethtool tools_apt_root tools_source)")
cache_build "ethtool/$1" "$HASH" build_ethtool "$1"
for program in xdp rtnl failnth; do
	HASH=$(recipe_hash "$(declare -f build_own)" -- "$XENPV_TESTS/guest/$program.c")
	cache_build "$program/$1" "$HASH" build_own "$1" $program
done
