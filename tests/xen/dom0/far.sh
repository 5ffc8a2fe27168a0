# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A network namespace of dom0 behind the bridge, for tests of checksums: to it, dom0 completes
# by software those that a guest leaves open, of what the card says about them. And programs
# that come to the guest on a disk, because not every guest needs them. Needs lib.sh, and in
# name the guest's.
# shellcheck disable=SC2154 # name is assigned there

far=10.77.9.8 far6=fd77::9:8
own=10.77.1.$(cat "$BED/$name/number") own6=fd77::1:$(cat "$BED/$name/number")

in_far() { ip netns exec far "$@"; }

# far_begin MTU: it and the guest's card, whose name is in nic from then on, reach each other.
far_begin() {
	modprobe veth && ip netns add far && ip link add far0 type veth peer name far1 netns far || fail "no namespace in dom0"
	trap far_end EXIT
	ethtool -K far0 tx off >/dev/null || fail "the namespace's side leaves checksums open"
	ip link set far0 mtu "$1" master xenbr0 up
	in_far ip link set lo up
	in_far ip link set far1 mtu "$1" up
	in_far ip addr add $far/16 dev far1
	in_far ip -6 addr add $far6/64 dev far1 nodad
	guest "$name" ". /cases/lib.sh; load_drivers; modprobe -q af_packet; n=\$(pv_nic) && net_up \$n $1" || fail "no PV card"
	nic=$(guest "$name" '. /cases/lib.sh; pv_nic')
	ip link set "vif$(guest_id "$name").0" mtu "$1"
	wait_for 30 in_far ping -c 1 -W 1 "$own" >/dev/null && wait_for 30 in_far ping -6 -c 1 -W 1 "$own6" >/dev/null ||
		fail "the namespace does not reach the guest"
}

far_end() {
	ip netns pids far | xargs -r kill
	ip netns del far
	ip link set "vif$(guest_id "$name").0" mtu 1500
	detach_disk "$name" xvdz
	guest "$name" ". /cases/lib.sh; net_up $nic 1500"
} >/dev/null 2>&1

# bring_programs DIR: to the guest's /tmp/tests.
bring_programs() {
	tar cf "$BED/$name/tests.tar" -C "$1" .
	attach_disk "$name" xvdz "$BED/$name/tests.tar" || fail "cannot attach the disk with programs"
	guest "$name" '. /cases/lib.sh; pv_disk xvdz && mkdir -p /tmp/tests && tar xf /dev/xvdz -C /tmp/tests' ||
		fail "no programs in the guest"
}
