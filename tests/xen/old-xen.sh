#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds a Xen that offers its guests what one before 4.6 did, and prints its directory
# (xen.elf): no vectors for events, no vCPU's or domain's number in CPUID, and it calls
# itself 4.5. It is Debian's 4.17 without these, because today's dom0 and tools run on no
# older one.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/source.sh
. "$XENPV_TESTS/source.sh"

build_old_xen() {
	local out=$1 apt=$1/apt src=$1/apt/xen/xen
	tools_apt_root "$apt" amd64
	tools_source "$apt" xen
	# The operation is not known; leaf 4 ends before the flags that came with it.
	sed -i '/^    case HVMOP_set_evtchn_upcall_vector:/,/^        break;/d' "$src/arch/x86/hvm/hvm.c"
	sed -i '/res->a |= XEN_HVM_CPUID_IOMMU_MAPPINGS;/,/res->a |= XEN_HVM_CPUID_UPCALL_VECTOR;/d' "$src/arch/x86/traps.c"
	# The function is still there, for nobody.
	sed -i 's/^static int hvmop_set_evtchn_upcall_vector/static int __maybe_unused hvmop_set_evtchn_upcall_vector/' "$src/arch/x86/hvm/hvm.c"
	! grep -q 'case HVMOP_set_evtchn_upcall_vector' "$src/arch/x86/hvm/hvm.c"
	! grep -q XEN_HVM_CPUID_UPCALL_VECTOR "$src/arch/x86/traps.c"
	make -s -C "$src" XEN_TARGET_ARCH=x86_64 defconfig
	make -s -j"$(nproc)" -C "$src" XEN_TARGET_ARCH=x86_64 XEN_SUBVERSION=5 XEN_EXTRAVERSION=.0 debug=n
	gzip -dc "$src/xen.gz" >"$out/xen.elf"
	rm -rf "$apt"
}

need_packages build-essential bison flex python3 dpkg-dev gzip
HASH=$(recipe_hash "$(declare -f build_old_xen tools_apt_root tools_source)")
cache_build old-xen "$HASH" build_old_xen
