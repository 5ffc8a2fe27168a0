#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# platform-pci/ABI against the built modules and the sources, both ways: parameters by
# modinfo, attributes, files in debugfs and tracepoints by their makers in the code;
# the manual pages name every parameter.  The case abi looks at loaded modules.
# Prints PASS|FAIL NAME [REASON] for each.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$XENPV_TOP"

ABI=platform-pci/ABI
KERNEL=noxen

need_packages kmod

# documented PATTERN: the last parts of documented paths that match, sorted.
documented() { sed -n 's,^What:[[:space:]]*,,p' $ABI | grep -E "$1" | sed 's,.*/,,' | sort -u; }

# same NAME: descriptor 3 has what is documented, standard input what there is.
same() {
	local here there
	here=$(sort -u) there=$(sort -u <&3)
	if [ "$here" = "$there" ] && [ -n "$here" ]; then
		echo "PASS $1"
	else
		echo "FAIL $1: not documented: $(comm -23 <(echo "$here") <(echo "$there") | paste -sd ' '); documented, but not there: $(
			comm -13 <(echo "$here") <(echo "$there") | paste -sd ' ')"
	fi
}

out=$("$XENPV_TESTS/kernels/build-modules.sh" $KERNEL)
for module in xen-platform-pci xen-vbd xen-vnif; do
	modinfo -p "$out/$module.ko" | sed 's/:.*//' |
		same "parameters of $module" 3< <(documented "^/sys/module/${module//-/_}/parameters/")
done
grep -rhoE '^static DEVICE_ATTR_R[OW]\([a-z_]+' xenbus | sed 's/.*(//' |
	same "attributes of devices" 3< <(documented '^/sys/bus/xen/devices/DEVICE/')
grep -rhoE '^static DEVICE_ATTR_R[OW]\([a-z_]+' blkfront | sed 's/.*(//' |
	same "attributes of disks" 3< <(documented '^/sys/block/DISK/')
sed -nE 's/^(ATTRIBUTE|COMPILE_STRING)\(([a-z_]+).*;$/\2/p' platform-pci/sysfs.c |
	same "files in /sys/hypervisor" 3< <(documented '^/sys/hypervisor/')
grep -rhoE 'debugfs_create_[a-z0-9]+\("[a-z]+", 0' platform-pci xenbus blkfront netfront | sed 's/.*("\(.*\)",.*/\1/' |
	same "files in debugfs" 3< <(documented '^/sys/kernel/debug/')
cat {platform-pci,blkfront,netfront}/trace.h |
	sed -nE 's/^TRACE_EVENT\(([a-z_]+),.*/\1/p; s/^DEFINE_EVENT\([a-z_]+, ([a-z_]+),.*/\1/p' |
	same "tracepoints" 3< <(documented '^/sys/kernel/tracing/events/')
