# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# For cases in which the backend of a guest's first card goes away and comes back, without
# the toolstack; dom0's own netback does the rest. Needs lib.sh, and $name set.

# card_begin: the drivers, and a card that works. Sets $nic, its interface in the guest, and
# $id, $front, $back, $mac.
card_begin() {
	guest "$name" '. /cases/lib.sh; load_drivers; n=$(pv_nic) && net_up "$n"' || fail "no PV card"
	nic=$(guest "$name" '. /cases/lib.sh; pv_nic')
	id=$(guest_id "$name")
	front=/local/domain/$id/device/vif/0
	back=$(xenstore-read "$front/backend")
	mac=$(xenstore-read "$front/mac")
}

# card_vanishes: as when its domain died; the frontend's directory stays.
card_vanishes() {
	xenstore-rm "$back"
	wait_for 20 test ! -e "/sys/bus/xen-backend/devices/vif-$id-0" || fail "dom0 keeps the device"
	guest "$name" ". /cases/lib.sh; wait_for 20 sh -c '[ \$(cat /sys/class/net/$nic/carrier) = 0 ]'" || fail "the link stays up"
}

# card_appears [COMMAND...]: what the toolstack writes for a card. It connects when it is on
# the bridge and COMMAND is done.
card_appears() {
	xenstore-write "$back" "" || fail "cannot write"
	xenstore-chmod "$back" n0 "r$id"
	xenstore-write "$back/frontend" "$front" "$back/frontend-id" "$id" "$back/online" 1 "$back/handle" 0 \
		"$back/mac" "$mac" "$back/bridge" xenbr0 "$back/script" /etc/xen/scripts/vif-bridge \
		"$back/type" vif "$back/state" 1
	wait_for 30 test -e "/sys/class/net/vif$id.0" || fail "dom0 makes no interface"
	ip link set "vif$id.0" mtu 9000 master xenbr0 up || fail "no place on the bridge"
	[ $# = 0 ] || "$@" || fail "$*"
	xenstore-write "$back/hotplug-status" connected
}

card_connected() { [ "$(xenstore-read "$back/state" 2>/dev/null)" = 4 ]; }
