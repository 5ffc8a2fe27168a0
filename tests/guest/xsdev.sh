#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: xsdev.sh
#
# Builds xsdev, xstalk and nextkernel, static programs that cases bring into 64-bit guests
# (dom0/programs.sh), and prints their directory.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

build_xsdev() {
	local program
	for program in xsdev xstalk nextkernel; do
		gcc -O2 -Wall -Wextra -Werror -static -s -o "$1/$program" "$XENPV_TESTS/guest/$program.c"
	done
}

need_packages gcc libc6-dev
HASH=$(recipe_hash "$(declare -f build_xsdev)" -- "$XENPV_TESTS"/guest/{xsdev,xstalk,nextkernel}.c)
cache_build xsdev "$HASH" build_xsdev
