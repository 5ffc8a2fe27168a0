#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the QEMU that the Xen host runs in, and prints its directory
# (qemu-system-x86_64): Debian's source with the least it needs and four faults mended.
#
# VMRUN delivers an injected interrupt at once, and leaves its vector in
# exception_index. If a timer makes the emulated processor stop before something
# else overwrites that, the vector is delivered a second time, with interrupts off:
# a guest then deadlocks on the lock of its interrupt, or crashes in its entry code.
#
# With -icount the emulated processors take turns, and a turn lasts until the next
# timer is due. One that spins has all of that time; another one that sets a timer
# gives its turn away with that. A guest's processor that waited for a tick while
# dom0 served timers left dom0 so little that the next tick came before it was done
# with the last: dom0 never ran anything else again. A turn has a bound now.
#
# CMPXCHG8B and 16B keep all flags but one, and take them from what the last instruction
# has left without saying which that was: any number became the flags. What PUSHF then saves
# has any of the upper bits: a kernel's allocator, which saves flags around CMPXCHG, went on
# with NT set and died at an IRET, with TF and stepped, or with interrupts on in the middle.
#
# Xen gives a guest that it restores a task register whose segment is busy, as a processor
# has it; QEMU has it idle, and gave up when a 32-bit guest's program met its first interrupt.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

# mend FILE LINE TEXT: LINE, which FILE has once, becomes TEXT.
mend() {
	[ "$(grep -cF "$2" "$1")" = 1 ] || die "this QEMU looks different: see $1"
	sed -i "s/$2/$3/" "$1"
}

mend_qemu() {
	local line='do_interrupt_x86_hardirq(env, vector, 1);'
	mend target/i386/tcg/sysemu/svm_helper.c "$line" "$line cs->exception_index = -1;"
	mend target/i386/tcg/sysemu/svm_helper.c 'addr + offsetof(struct vmcb, save.tr), &env->tr);' \
		'addr + offsetof(struct vmcb, save.tr), \&env->tr); env->tr.flags \&= ~DESC_TSS_BUSY_MASK;'
	mend target/i386/tcg/translate.c 'if (!(s->cpuid_features & CPUID_CX8)) {' \
		'gen_update_cc_op(s); if (!(s->cpuid_features \& CPUID_CX8)) {'
	mend target/i386/tcg/translate.c 'if (!(s->cpuid_ext_features & CPUID_EXT_CX16)) {' \
		'gen_update_cc_op(s); if (!(s->cpuid_ext_features \& CPUID_EXT_CX16)) {'
	mend accel/tcg/tcg-accel-ops-icount.c 'cpu->icount_budget = icount_get_limit();' \
		'cpu->icount_budget = MIN(icount_get_limit(), 10000);'
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
HASH=$(recipe_hash "$(declare -f build_qemu mend_qemu mend tools_apt_root tools_source)")
cache_build qemu "$HASH" build_qemu
