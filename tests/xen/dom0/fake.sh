# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# For cases in which the backend is nothing but nodes in xenstore: whatever they say, no
# one answers a handshake or a request. Needs lib.sh, $name set, and fake_begin.
#
# Fake disks have the numbers 0, 1, ... of disk and number in lib.sh.

FAKES=/local/domain/0/backend/fake

fake_begin() {
	guest "$name" '. /cases/lib.sh; load_drivers; pv_disk xvdf' || fail "no PV disk"
	ID=$(guest_id "$name")
}

back() { echo "$FAKES/$ID/$(number "$1")"; }
front() { echo "/local/domain/$ID/device/vbd/$(number "$1")"; }
error_of() { xenstore-read "/local/domain/$ID/error/device/vbd/$(number "$1")/error"; }

# fake_back I STATE [SECTORS]: what a backend offers, nothing by default, as xenstore-write
# takes it: \xNN is a byte.
fake_back() {
	local back
	back=$(back "$1")
	xenstore-write "$back" "" || return
	xenstore-chmod "$back" n0 "r$ID"
	xenstore-write "$back/frontend" "$(front "$1")" "$back/frontend-id" "$ID" "$back/online" 1 \
		"$back/sectors" "${3:-0}" "$back/sector-size" 512 "$back/info" 0 "$back/mode" w "$back/state" "$2"
}

# fake_disk I STATE [SECTORS]
fake_disk() { fake_back "$@" && frontend_nodes "$name" "$(number "$1")" "$(back "$1")" 0; }

# says STATE I...: what the backends say next.
says() {
	local state=$1 i pairs=()
	shift
	for i; do
		pairs+=("$(back "$i")/state" "$state")
	done
	xenstore-write -- "${pairs[@]}"
}

numbers() {
	local i
	for i; do
		number "$i"
	done
}

# seen I...: a line each, "phase state" or "none".
seen() {
	guest "$name" "for n in $(numbers "$@" | xargs); do
		set -- \$(cat /sys/bus/xen/devices/vbd-\$n/state 2>/dev/null || echo none); echo \$1 \$2; done"
}

all_are() {
	local want=$1
	shift
	[ "$(seen "$@" | grep -cxE "$want")" = $# ]
}

# are SECONDS "PHASE STATE" I...: a regular expression that all of them match in time.
are() {
	local limit=$1 want=$2
	shift 2
	wait_for "$limit" all_are "$want" "$@" || {
		paste -d: <(printf '%s\n' "$@") <(seen "$@") | grep -vE ":($want)\$"
		fail "$want was expected"
	}
}

# remove I...: as a toolstack does that does not ask; they must be gone.
remove() {
	local i
	for i; do
		xenstore-rm "$(front "$i")"
		xenstore-rm "$(back "$i")"
	done 2>/dev/null
	are 25 'none ?' "$@"
}

# works: a disk with a true backend.
works() {
	guest "$name" -t 60 'dd if=/dev/xvdf of=/dev/null bs=64k count=16 iflag=direct' || fail "another disk does not work"
}
