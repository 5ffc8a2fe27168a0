#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: tools.sh amd64|i386
#
# Builds the static programs a guest of that architecture carries and prints
# their directory: busybox (Debian's static package), fio (from Debian's
# source, with the least it needs), and our agent and stream.  Nothing foreign is
# installed on this machine: packages of the other architecture and sources
# come through a private apt root and are only unpacked.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

tools_fio() {
	local apt=$1 out=$2 cc=$3 libs=$1/pkg
	tools_source "$apt" fio
	tools_unpack "$apt" "$libs" libaio-dev
	mkdir -p "$libs/lib"
	cp "$libs"/usr/lib/*/libaio.a "$libs/lib/"
	cd "$apt/fio"
	# Every compile and link must find the private libaio: hence the flags in CC.
	./configure --cc="$cc -I$libs/usr/include -L$libs/lib" --build-static --disable-native \
		--disable-numa --disable-rdma --disable-rados --disable-rbd --disable-http
	make -j"$(nproc)" fio
	strip -o "$out/fio" fio
}

build_tools() {
	local out=$1 arch=$2 apt=$1/apt cc=gcc
	[ "$arch" = amd64 ] || cc="gcc -m32"
	tools_apt_root "$apt" "$arch"
	tools_unpack "$apt" "$apt/pkg" busybox-static
	cp "$apt/pkg/bin/busybox" "$out/busybox"
	(tools_fio "$apt" "$out" "$cc")
	rm -rf "$apt"
}

build_agent() {
	local out=$1 cc=gcc
	[ "$2" = amd64 ] || cc="gcc -m32"
	cd "$XENPV_TESTS/guest"
	$cc -O2 -Wall -Wextra -Werror -static -s -o "$out/agent" agent.c link.c
	$cc -O2 -Wall -Wextra -Werror -static -s -o "$out/client" client.c link.c
	$cc -O2 -Wall -Wextra -Werror -static -s -o "$out/stream" stream.c
}

[ "${1:-}" = amd64 ] || [ "${1:-}" = i386 ] || die "usage: tools.sh amd64|i386"
need_packages gcc gcc-multilib libc6-dev make dpkg-dev
HASH=$(recipe_hash "$(declare -f build_tools tools_apt_root tools_unpack tools_source tools_fio)")
cache_build "tools/$1" "$HASH" build_tools "$1"
HASH=$(recipe_hash "$(declare -f build_agent)" -- "$XENPV_TESTS"/guest/{agent.c,client.c,link.c,link.h,stream.c})
cache_build "agent/$1" "$HASH" build_agent "$1"
