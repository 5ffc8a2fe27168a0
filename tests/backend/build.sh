#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: build.sh
#
# Builds the backends that run as programs in dom0 and prints their directory. The
# libraries are those of dom0: same release. (The static libxenstore loses replies when
# a watch event comes before them.)

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

SOURCES=("$XENPV_TESTS"/backend/*.[ch])

build_backends() {
	local out=$1
	cd "$XENPV_TESTS/backend"
	gcc -O2 -Wall -Wextra -Werror -s -o "$out/vbd-backend" \
		vbd.c ring.c disk.c lies.c lying.c life.c device.c pages.c \
		-lxengnttab -lxenevtchn -lxenstore
	gcc -O2 -Wall -Wextra -Werror -s -o "$out/vif-backend" \
		vif.c net_ring.c net_tx.c net_rx.c net_ctrl.c net_tap.c net_lies.c net_plans.c \
		lying.c life.c device.c pages.c -lxengnttab -lxenevtchn -lxenstore
}

need_packages gcc libc6-dev libxen-dev
HASH=$(recipe_hash "$(declare -f build_backends)" -- "${SOURCES[@]}")
cache_build backend "$HASH" build_backends
