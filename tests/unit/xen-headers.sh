#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Lay out the kernel's public Xen headers, and nothing else of its tree, for
# programs on the host.
#
#	xen-headers.sh OUTDIR [KDIR]
#
# Without KDIR: the running kernel's headers, else any that are installed, else
# those of the test kernel 6.12-amd64 (which are fetched).
set -euo pipefail

out=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# sources KDIR: the directory that holds include/xen, if there is one.  Debian
# splits its headers: the flavour's Makefile includes that of the common part.
sources() {
	local dir
	for dir in "$1" "$1/source" \
		$(sed -n 's#^include \(/.*\)/Makefile$#\1#p' "$1/Makefile" 2>/dev/null); do
		if [ -e "$dir/include/xen/interface/io/blkif.h" ]; then
			echo "$dir"
			return 0
		fi
	done
	return 1
}

find_tree() {
	local dir
	for dir in ${1:+"$1"} "/lib/modules/$(uname -r)/build" /usr/src/linux-headers-*; do
		[ ! -d "$dir" ] || ! sources "$dir" || return 0
		[ -z "${1:-}" ] || break
	done
	[ -z "${1:-}" ] || {
		echo "error: $1 has no include/xen/interface; give KDIR=a kernel tree or headers package" >&2
		return 1
	}
	dir=$("$here/../kernels/kernels.sh" get 6.12-amd64) && sources "$dir/kdir"
}

tree=$(find_tree "${2:-}")
rm -rf "$out"
mkdir -p "$out/xen" "$out/asm"
ln -s "$tree/include/xen/interface" "$out/xen/interface"
ln -s "$tree/arch/x86/include/asm/xen" "$out/asm/xen"
for header in pvclock-abi.h emulate_prefix.h; do
	ln -s "$tree/arch/x86/include/asm/$header" "$out/asm/$header"
done
