#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the QEMU that the Xen host runs in, and prints its directory
# (qemu-system-x86_64): Debian's source with the least it needs and one fault of its
# SVM emulation mended, which newer upstream source still had when it was looked at.
#
# VMRUN delivers an injected interrupt at once, and leaves its vector in
# exception_index. If a timer makes the emulated processor stop before something
# else overwrites that, the vector is delivered a second time, with interrupts off:
# a guest then deadlocks on the lock of its interrupt, or crashes in its entry code.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

mend_qemu() {
	local file=target/i386/tcg/sysemu/svm_helper.c
	local line='do_interrupt_x86_hardirq(env, vector, 1);'
	[ "$(grep -c "$line" $file)" = 1 ] || die "this QEMU looks different: see $file"
	sed -i "s/$line/$line cs->exception_index = -1;/" $file
}

build_qemu() {
	local out=$1 apt=$1/apt
	tools_apt_root "$apt" amd64
	tools_source "$apt" qemu
	cd "$apt/qemu"
	mend_qemu
	# Not a python of this machine's own: Debian's, which its meson runs on.
	PATH=/usr/sbin:/usr/bin:/sbin:/bin ./configure --target-list=x86_64-softmmu --without-default-features --enable-tcg \
		--enable-system --enable-attr --enable-cap-ng --enable-virtfs --enable-fdt=system \
		--disable-werror --firmwarepath=/usr/share/qemu:/usr/share/seabios
	ninja -C build qemu-system-x86_64
	strip -o "$out/qemu-system-x86_64" build/qemu-system-x86_64
	cd /
	rm -rf "$apt"
}

# Firmware comes from Debian's package.
need_packages qemu-system-x86 gcc libc6-dev make meson ninja-build pkg-config python3 dpkg-dev \
	libfdt-dev libglib2.0-dev libpixman-1-dev libcap-ng-dev libattr1-dev
HASH=$(recipe_hash "$(declare -f build_qemu mend_qemu tools_apt_root tools_source)")
cache_build qemu "$HASH" build_qemu
