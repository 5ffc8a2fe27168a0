#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Ask the target kernel's headers what they offer, by compiling a few lines.
#
#	probes.sh OUT.h CC FLAGS...
#
# Each probe below that compiles becomes `#define XPV_HAVE_<NAME> 1` in OUT.h.
# Distributions move interfaces between versions, so what is known to have been
# moved is probed here; compat.h turns the answers into code.
set -eu

out=$1
shift
dir=$(mktemp -d "${TMPDIR:-/tmp}/xpv-probes.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
jobs=0

# probe NAME: the program comes on standard input
probe() {
	cat > "$dir/$1.c"
	name=$1
	(
		shift
		if "$@" -Werror=implicit-function-declaration \
			-Werror=incompatible-pointer-types -Werror=int-conversion \
			-fsyntax-only "$dir/$name.c" 2> "$dir/$name.log"; then
			: > "$dir/$name.yes"
		fi
	) &
	jobs=$((jobs + 1))
	if [ $((jobs % 4)) -eq 0 ]; then
		wait
	fi
}

# The harness first: if even this does not compile, the tree is not usable.
probe HARNESS "$@" <<'EOF'
#include <linux/module.h>
int probe(void) { return 0; }
EOF
wait
if [ ! -e "$dir/HARNESS.yes" ]; then
	echo "probes.sh: the kernel tree's headers do not compile:" >&2
	head -n 5 "$dir/HARNESS.log" >&2
	exit 1
fi
probe XEN_INTERFACE "$@" <<'EOF'
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/io/blkif.h>
#include <xen/interface/io/netif.h>
EOF
wait
if [ ! -e "$dir/XEN_INTERFACE.yes" ]; then
	echo "probes.sh: the kernel tree lacks Xen's public headers (include/xen/interface): install the full headers package" >&2
	head -n 5 "$dir/XEN_INTERFACE.log" >&2
	exit 1
fi

# --- probes, one noun each, in alphabetical order -------------------------
probe CPUID_API_H "$@" <<'EOF'
#include <asm/cpuid/api.h>
EOF
probe HVMOP_UPCALL_VECTOR "$@" <<'EOF'
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/hvm_op.h>
int probe = sizeof(struct xen_hvm_evtchn_upcall_vector);
EOF
probe IRQ_MOVE_PCNTXT "$@" <<'EOF'
#include <linux/irq.h>
int probe = IRQ_MOVE_PCNTXT;
EOF
# --------------------------------------------------------------------------

wait
{
	echo "/* Made by probes.sh from the kernel tree; do not edit. */"
	for yes in "$dir"/*.yes; do
		name=$(basename "$yes" .yes)
		echo "#define XPV_HAVE_$name 1"
	done
} > "$out.tmp"
mv "$out.tmp" "$out"
