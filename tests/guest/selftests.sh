#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: selftests.sh
#
# Builds what network tests need at both ends, static, and prints the directories: those
# of the kernel's own tests that need a real device (linux-source, tools/testing/selftests),
# and tcpdump.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/kernels/apt.sh
. "$XENPV_TESTS/kernels/apt.sh"
# shellcheck source=tests/kernels/own.sh
. "$XENPV_TESTS/kernels/own.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

PROGRAMS="lib/csum gro toeplitz msg_zerocopy udpgso_bench_tx udpgso_bench_rx"

build_selftests() {
	local out=$1 tests program source
	shift
	source=$(cache_build "$OWN_SOURCE" "$(own_source_hash)" own_source_build)
	tests=$source/tools/testing/selftests
	for program; do
		gcc -O2 -static -s -I "$tests" -I "$source/tools/include/uapi" \
			-o "$out/${program##*/}" "$tests/net/$program.c"
	done
}

# A program of one binary: it reads packets and prints them, no more.
build_tcpdump() {
	local out=$1 apt=$1/apt
	tools_apt_root "$apt" amd64
	tools_source "$apt" libpcap
	tools_source "$apt" tcpdump
	cd "$apt/libpcap"
	./configure --disable-shared --disable-dbus --disable-rdma --disable-usb --disable-bluetooth --without-libnl
	make -j"$(nproc)"
	cd "$apt/tcpdump"
	# It takes the libpcap that lies beside it.
	./configure --without-crypto --without-smi --without-cap-ng LDFLAGS=-static
	make -j"$(nproc)" tcpdump
	strip -o "$out/tcpdump" tcpdump
	rm -rf "$apt"
}

need_packages gcc libc6-dev make dpkg-dev "${OWN_PACKAGES[@]}"
HASH=$(recipe_hash "$(own_source_hash)" "$(declare -f build_selftests)" "$PROGRAMS")
# shellcheck disable=SC2086 # one word a program
cache_build selftests "$HASH" build_selftests $PROGRAMS
HASH=$(recipe_hash "$(declare -f build_tcpdump tools_apt_root tools_source)")
cache_build tcpdump "$HASH" build_tcpdump
