#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes iperf3 and its libraries from Debian's packages, for amd64 guests, and prints a
# directory to be copied into their root.
set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

PACKAGES="iperf3 libiperf0 libsctp1 libssl3 libc6"
LIBRARIES="libiperf.so.0 libsctp.so.1 libssl.so.3 libcrypto.so.3 libc.so.6 libm.so.6"
export PACKAGES LIBRARIES

build_iperf3() {
	local out=$1 apt=$1/apt lib=lib/x86_64-linux-gnu package name
	tools_apt_root "$apt" amd64
	for package in $PACKAGES; do
		tools_unpack "$apt" "$apt/all" "$package"
	done
	cd "$apt"
	mkdir -p "$out"/bin "$out"/lib64 "$out/$lib"
	install -m 755 all/usr/bin/iperf3 "$out/bin/"
	for name in $LIBRARIES; do
		cp "$(find all -name "$name" | head -n 1)" "$out/$lib/$name"
	done
	cp "$(find all -name ld-linux-x86-64.so.2 -type f | head -n 1)" "$out/lib64/"
	cd "$out"
	rm -rf "$apt"
}

need_packages dpkg-dev
HASH=$(recipe_hash "$(declare -f build_iperf3 tools_apt_root tools_unpack)" "$PACKAGES" "$LIBRARIES")
cache_build iperf3 "$HASH" build_iperf3
