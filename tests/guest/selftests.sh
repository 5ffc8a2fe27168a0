#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: selftests.sh
#
# Builds those of the kernel's own network tests that need a real device and somebody at
# its other end, static, from linux-source's tools/testing/selftests, and prints their
# directory.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/kernels/apt.sh
. "$XENPV_TESTS/kernels/apt.sh"
# shellcheck source=tests/kernels/own.sh
. "$XENPV_TESTS/kernels/own.sh"

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

need_packages gcc libc6-dev "${OWN_PACKAGES[@]}"
HASH=$(recipe_hash "$(own_source_hash)" "$(declare -f build_selftests)" "$PROGRAMS")
# shellcheck disable=SC2086 # one word a program
cache_build selftests "$HASH" build_selftests $PROGRAMS
