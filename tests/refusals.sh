#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the modules must refuse to load, and say why: a machine without Xen. The
# guest kernel boots on plain QEMU; its agent is asked over the second serial
# port, as on the bed.  Prints PASS|FAIL NAME [REASON] for each refusal.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

KERNEL=noxen
BOOT_LIMIT=300

need_packages qemu-system-x86
guest=$("$XENPV_TESTS/xen/guest.sh" $KERNEL ours)
client=$("$XENPV_TESTS/guest/tools.sh" amd64 | tail -n 1)/client
dir=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-refusals.XXXXXX")
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; wait; rm -rf "$dir"' EXIT

qemu-system-x86_64 -M pc -accel tcg -smp 2 -m 256 -display none -vga none -nic none \
	-no-reboot -monitor none -serial "file:$dir/console" \
	-serial "unix:$dir/chan,server=on,wait=off" \
	-kernel "$guest/vmlinuz" -initrd "$guest/initramfs.gz" \
	-append "console=ttyS0,115200 quiet loglevel=5 panic=-1" >"$dir/qemu.log" 2>&1 </dev/null &
qemu=$!
for _ in $(seq 50); do
	[ ! -S "$dir/chan" ] || break
	sleep 0.2
done
"$client" -w $BOOT_LIMIT "$dir/chan" true || {
	tail -n 5 "$dir/qemu.log" "$dir/console" >&2
	die "the guest does not come up on plain QEMU"
}

# refuses MODULE TEXT: loading fails, and one line of the kernel's log says TEXT.
refuses() {
	local out rc=0
	out=$("$client" -t 60 "$dir/chan" "dmesg -c >/dev/null; modprobe $1 && echo LOADED; dmesg; cat /proc/modules") || rc=$?
	if [ "$rc" -ne 0 ]; then
		echo "FAIL $1 the guest does not answer ($rc)"
	elif grep -qE 'LOADED|^xen_' <<<"$out"; then
		echo "FAIL $1 it was loaded"
	elif [ "$(grep -c "$2" <<<"$out")" -lt 1 ]; then
		echo "FAIL $1 no line says '$2': $(tail -n 3 <<<"$out" | tr '\n' ' ')"
	elif grep -qE 'BUG|WARNING|Oops|Call Trace' <<<"$out"; then
		echo "FAIL $1 the kernel complains"
	else
		echo "PASS $1 on a machine without Xen"
	fi
}

refuses xen-platform-pci 'no Xen hypervisor here'
refuses xen-vbd 'no Xen hypervisor here'
refuses xen-vnif 'no Xen hypervisor here'
