#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# xenpv-doctor on a good guest and on broken ones, each a directory with the files of
# such a guest, by dash and some by busybox.   A broken guest is the good one with one thing
# changed; the doctor must name that thing, say what to do, and find nothing else.
# Prints PASS|FAIL NAME [REASON] for each.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DOCTOR=$XENPV_TOP/platform-pci/xenpv-doctor
R=6.12.1-noxen
VAR=sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c

need_packages busybox dash jq
dir=$(mktemp -d "${TMPDIR:-/tmp}/xenpv-doctor.XXXXXX")
trap 'rm -rf "$dir"' EXIT
root=$dir/root

# The lister of initrds is a stand-in: an image here is a list of names.
mkdir "$dir/bin"
printf '#!/bin/sh\ncat "$1"\n' >"$dir/bin/lsinitramfs"
chmod +x "$dir/bin/lsinitramfs"
export PATH=$dir/bin:$PATH

# put FILE: standard input goes there.
put() {
	mkdir -p "$root/$(dirname "$1")"
	cat >"$root/$1"
}

# pci ADDRESS VENDOR DEVICE
pci() {
	echo "$2" | put "sys/bus/pci/devices/$1/vendor"
	echo "$3" | put "sys/bus/pci/devices/$1/device"
}

# bus_device NAME DRIVER STATE ERROR
bus_device() {
	local at=sys/bus/xen/devices/$1
	echo "device/${1/-//}" | put "$at/nodename"
	echo "$3" | put "$at/state"
	printf '%s' "$4" | put "$at/last_error"
	[ -z "$2" ] || ln -s "../../drivers/$2" "$root/$at/driver"
}

# disk NAME DEVICE MODEL
disk() {
	mkdir -p "$root/sys/block/$1" "$root/sys/devices/$2"
	ln -s "../../devices/$2" "$root/sys/block/$1/device"
	[ -z "$3" ] || echo "$3" | put "sys/devices/$2/model"
}

# card NAME DEVICE DRIVER
card() {
	mkdir -p "$root/sys/class/net/$1" "$root/sys/devices/$2"
	ln -s "../../../devices/$2" "$root/sys/class/net/$1/device"
	ln -s "../../bus/x/drivers/$3" "$root/sys/devices/$2/driver"
}

modules_for() {
	local module
	for module in xen-platform-pci xen-vbd xen-vnif; do
		echo "updates/$module.ko:" | tee -a "$dir/dep" | put "lib/modules/$1/updates/$module.ko"
	done
	put "lib/modules/$1/modules.dep" <"$dir/dep"
	rm "$dir/dep"
}

good_debugfs() {
	put sys/kernel/debug/xen-platform-pci/platform <<-'EOF'
		xen 4.17.5
		unplug auto
		events upcall vectors on 2 of 2 CPUs
		shared_pages RAM
		grant_frames 4
		grant_frames_max 64
		parked_pages 0
		unplugged unplugged 1 emulated disk, 1 card
	EOF
	put sys/kernel/debug/xen-platform-pci/ports <<-'EOF'
		port 1 irq 24 cpu 0 events 240 spurious 80 throttled 0 name xenstore
		port 9 irq 25 cpu 0 events 5200 spurious 3 throttled 0 name vbd-51728
	EOF
	printf '%s\n' 'rings 2' 'ring_pages 1' 'persistent 1' 'segments_max 32' |
		put sys/kernel/debug/xen-vbd/vbd-51728/stats
	printf '%s\n' 'interface enX0' 'queues 2' 'queues_max 2' 'offloads scatter-gather TSO' |
		put sys/kernel/debug/xen-vnif/vif-0/state
}

# A guest with its primary master emulated, a PV disk and a PV card.
good() {
	rm -rf "$root"
	echo $R | put proc/sys/kernel/osrelease
	echo "root=/dev/sda1 quiet" | put proc/cmdline
	echo "flags		: fpu vme hypervisor lahf_lm" | put proc/cpuinfo
	printf '%s 98304 0 - Live 0x0 (O)\n' xen_platform_pci xen_vbd xen_vnif | put proc/modules
	printf '/dev/%s ext4 rw 0 0\n' 'sda1 /' 'xvdb /srv' | put proc/mounts
	echo Xen | put sys/class/dmi/id/sys_vendor
	echo "HVM domU" | put sys/class/dmi/id/product_name
	pci 0000:00:02.0 0x5853 0x0001
	pci 0000:00:01.0 0x8086 0x7010
	modules_for $R
	put "boot/config-$R" </dev/null
	printf '%s\n' updates/xen-platform-pci.ko updates/xen-vbd.ko updates/xen-vnif.ko |
		sed "s,^,usr/lib/modules/$R/," | put "boot/initrd.img-$R"
	put var/log/dmesg <<-'EOF'
		[    0.000000] Hypervisor detected: Xen HVM
		[    2.345678] xenpv-platform 0000:00:02.0: Xen 4.17.5; events by upcall vectors on 2 of 2 CPUs
	EOF
	bus_device vbd-51728 vbd "live 4 4" ""
	bus_device vif-0 vif "live 4 4" ""
	bus_device vbd-768 "" "down 1 2" ""
	bus_device vkbd-0 "" "down 1 2" ""
	disk sda pci0000:00/ata1/0:0:0:0 "QEMU HARDDISK"
	disk xvdb vbd-51728 ""
	card enX0 vif-0 vif
	good_debugfs
}

unload() {
	put proc/modules </dev/null
	rm -rf "$root/sys/bus/xen" "$root/sys/kernel/debug" "$root/sys/block/xvdb" "$root/sys/class/net/enX0"
}

log() { printf '[    3.1] %s\n' "$@" >>"$root/var/log/dmesg"; }

# look SHELL: what it says, as text and as JSON, and that both agree on the status.
look() {
	local text=0 json=0
	$1 "$DOCTOR" --root "$root" >"$dir/text" 2>"$dir/errors" || text=$?
	$1 "$DOCTOR" --json --root "$root" >"$dir/json" 2>>"$dir/errors" || json=$?
	[ ! -s "$dir/errors" ] || { echo "it complains: $(head -n 1 "$dir/errors")"; return 1; }
	jq -e '.findings | length > 0' "$dir/json" >/dev/null || { echo "this is no JSON: $(head -n 3 "$dir/json")"; return 1; }
	[ "$text" = "$json" ] || { echo "status $text as text, $json as JSON"; return 1; }
	status=$text
}

# expect STATUS "ID ..." TEXT...: the problems it finds, none else, and words it says.
expect() {
	local ids sh text
	for sh in "${shells[@]}"; do
		look "$sh" || return
		[ "$status" = "$1" ] || { echo "status $status, not $1 ($sh)"; cat "$dir/text"; return 1; }
		ids=$(jq -r '[.findings[] | select(.level == "problem") | .id] | join(" ")' "$dir/json")
		[ "$ids" = "$2" ] || { echo "problems: ${ids:-none}, not: $2 ($sh)"; cat "$dir/text"; return 1; }
		for text in "${@:3}"; do
			grep -qE "$text" "$dir/text" || { echo "it does not say: $text ($sh)"; cat "$dir/text"; return 1; }
		done
		jq -e 'all(.findings[]; .level != "problem" or .next != "")' "$dir/json" >/dev/null ||
			{ echo "a problem without a next step ($sh)"; return 1; }
	done
}

# guest NAME STATUS "ID ..." TEXT...: the guest that stands in $root.
guest() {
	local name=$1 out
	shift
	if out=$(expect "$@"); then
		echo "PASS $name"
	else
		echo "FAIL $name $(head -n 1 <<<"$out")"
		sed 1d <<<"$out" | sed 's/^/     /'
	fi
}

shells=(dash "busybox sh")
good; guest good 0 "" "All is well: this guest uses PV drivers" "PV disks: xvdb \(mounted on /srv\)" \
	"Emulated disks: sda \(mounted on /\)" "vbd-768 is left alone" \
	"vif-0: connected, 2 of 2 queue\(s\), offloads: scatter-gather TSO" "vbd-51728: connected, 2 ring"
if grep vkbd "$dir/text"; then echo "FAIL keyboard it is mentioned"; else echo "PASS keyboard"; fi
shells=(dash)

good; unload; sed -i 's/ hypervisor//' "$root/proc/cpuinfo"
rm -r "$root"/{sys/class/dmi,sys/bus/pci,var}
guest bare-metal 1 hypervisor "no virtual machine"

good; unload; echo QEMU | put sys/class/dmi/id/sys_vendor; echo "Standard PC" | put sys/class/dmi/id/product_name
rm -r "$root"/{sys/bus/pci,var}
guest other-hypervisor 1 hypervisor "does not run on Xen .it calls itself QEMU Standard PC"

good; unload; echo PVH | put sys/hypervisor/guest_type; echo xen | put sys/hypervisor/type
guest pvh 1 guest-type "This is a PVH guest"

good; unload; rm -r "$root/sys/bus/pci/devices/0000:00:02.0"
guest no-platform-device 1 platform-device "xen_platform_pci=1"

good; unload; echo xen | put sys/hypervisor/type; printf 'CONFIG_XEN=y\nCONFIG_XEN_PVHVM=y\n' | put "boot/config-$R"
guest native 0 "" "it is active: xenpv is not needed"

good; printf 'CONFIG_XEN=y\nCONFIG_XEN_PVHVM_GUEST=y\n' | put "boot/config-$R"; echo "root=/dev/sda1 nopv" | put proc/cmdline
guest native-off 0 "" "switched off on its command line"

good; unload; rm -r "$root/lib/modules/$R/updates"; modules_for 6.11.0-old
guest not-built 1 built "not built for the running kernel $R .built for: 6.11.0-old"

good; unload; echo "Xen PV driver that did not build for this kernel" | put "lib/modules/$R/updates/xen-platform-pci.ko"
guest refusing-modules 1 refusing "stand-ins that only refuse"

good; unload; put "lib/modules/$R/modules.dep" </dev/null
guest no-depmod 1 "depmod loaded" "depmod -a $R"

good; unload; printf '\006\000\000\000\001' | put $VAR; echo "none [integrity] confidentiality" | put sys/kernel/security/lockdown
log "Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7"
guest secure-boot-unsigned 1 "signature loaded" "mokutil --import"

good; unload; printf '\006\000\000\000\001' | put $VAR; echo "none [integrity] confidentiality" | put sys/kernel/security/lockdown
printf 'code~Module signature appended~\n' | put "lib/modules/$R/updates/xen-platform-pci.ko"
log "Loading of module with unavailable key is rejected"
guest secure-boot-key 1 "key loaded" "does not know the key"

good; unload; echo "blacklist xen-vbd" | put etc/modprobe.d/local.conf
guest blacklist 1 "blacklist loaded" "xen-vbd is kept from loading by /etc/modprobe.d/local.conf"

good; unload; echo "root=/dev/sda1 modprobe.blacklist=floppy,xen_platform_pci" | put proc/cmdline
guest blacklist-argument 1 "blacklist loaded" "command line"

good; unload; log "xen_platform_pci: unplug=everything is not known: see modinfo xen-platform-pci"
guest bad-parameter 1 "refused loaded" "Correct this parameter"

good; unload; log "xen_vbd: disagrees about version of symbol xpv_gnt_claim"
guest other-build 1 "refused loaded" "Build them anew for $R"

good; rm -r "$root/sys/bus/xen"; sed -i /xen_vbd/d "$root/proc/modules"
log "xen_platform_pci: unplug=everything is not known: see modinfo xen-platform-pci" \
	"xen_platform_pci: loading out-of-tree module taints kernel." \
	"xenpv-platform 0000:00:02.0: Xen 4.17.5; events by upcall vectors on 2 of 2 CPUs"
guest refusal-is-over 1 loaded "Not loaded: xen-vbd"

good; rm -r "$root/sys/bus/xen"; sed -i /xen_vbd/d "$root/proc/modules"; bus_device vbd-51728 "" "down 1 2" ""
guest vbd-not-loaded 1 "loaded device" "vbd-51728 has no driver"

good; echo "usr/lib/modules/$R/kernel/drivers/ata/ata_piix.ko" | put "boot/initrd.img-$R"
echo "disks_stay sdb is in use" >>"$root/sys/kernel/debug/xen-platform-pci/platform"
guest initrd-lacks 0 "" "initrd.* lacks xen-platform-pci, xen-vbd"
guest disk-in-use 0 "" "could not be unplugged: sdb is in use"

good; rm -r "$root/sys/bus/xen/devices/vbd-51728"; bus_device vbd-51728 vbd "broken 6 5" "5 response to a request that was never made"
guest broken-backend 1 "device device-error" "last error told to the host is: 5 response"

good; rm -r "$root/sys/bus/xen/devices/vif-0"; bus_device vif-0 vif "prepared 3 2" ""
guest waiting-backend 1 device "vif-0: not connected; it waits"

good; rm -r "$root/sys/bus/xen/devices/vif-0"; bus_device vif-0 "" "down 1 2" "22 no usable Ethernet address"
guest refused-device 1 device "vif-0 has no driver: 22 no usable"

good; sed -i 's/^parked_pages .*/parked_pages 17/' "$root/sys/kernel/debug/xen-platform-pci/platform"
guest parked 1 parked "17 pages are still held"

good; echo "port 12 irq 29 cpu 1 events 70000 spurious 69990 throttled 5 name vif-0" >>"$root/sys/kernel/debug/xen-platform-pci/ports"
guest storm 1 spurious "vif-0 .port 12: 69990 of 70000 without work, throttled 5"

good; modules_for 6.13.0-next; rm -r "$root/lib/modules/6.13.0-next/updates"
guest next-kernel 0 "" "6.13.0-next is installed without the modules"

good; rm -r "$root/sys/kernel/debug"
guest no-debugfs 0 "" "mount -t debugfs"

shells=("busybox sh")
good; unload
log 'xen_platform_pci: a "quoted" \ line	with a tab is not known'
guest quoting 1 "refused loaded" 'a "quoted"'

rc=0
"$DOCTOR" --nonsense >/dev/null 2>&1 || rc=$?
if [ $rc = 2 ]; then echo "PASS usage"; else echo "FAIL usage status $rc"; fi
