#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: xsdev.sh
#
# Builds xsdev, the static program that a case brings into a 64-bit guest
# (dom0/programs.sh), and prints its directory.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

build_xsdev() {
	gcc -O2 -Wall -Wextra -Werror -static -s -o "$1/xsdev" "$XENPV_TESTS/guest/xsdev.c"
}

need_packages gcc libc6-dev
HASH=$(recipe_hash "$(declare -f build_xsdev)" -- "$XENPV_TESTS/guest/xsdev.c")
cache_build xsdev "$HASH" build_xsdev
