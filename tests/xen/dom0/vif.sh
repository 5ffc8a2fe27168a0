# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# For cases that need a network backend of their own: cards served by vif-backend, number
# 10, 11, ... of guest $name; 0, 1, ... in what follows. Each has a tap device in dom0 and
# a network of its own, 10.80.0.0/24 and so on: dom0 is .1, the guest .2. Needs lib.sh, and
# $name set. Rows, verdicts and all else are backend.sh's; this is what is different.

. /bed/dom0/backend.sh

BE_TYPE=vif
BE_AT_ONCE=14
number() { echo $((10 + $1)); }
disk() { echo "$1"; }

vif_begin() {
	be_begin
	guest "$name" -s 'cat >>/tmp/backend.sh' </bed/dom0/vif-guest.sh || fail "the guest does not answer"
}

# vif_start I ROW OPTION...: a card; ROW is what it is called in messages.
vif_start() {
	local i=$1 row=$2 n
	n=$(number "$i")
	shift 2
	eval "exec vif-backend -t vif$n -K mac=00:16:3e:78:00:$(printf %02x "$n") $* $ID $n" >"$(be_log "$i")" 2>&1 &
	BE_PID[$i]=$!
	BE_ROW[$i]=$row
	wait_for 10 ip link set "vif$n" up || be_fail "$i" "no tap device"
	ip addr add "10.$((80 + i)).0.1/24" dev "vif$n"
}
be_start_row() { vif_start "$@"; }

# vif_traffic I...: packets of all kinds over all of them; SEEN[I] is "WORD STATE".
vif_traffic() {
	in_guest "traffic_begin $(pairs "$@")" || fail "the guest does not answer"
	be_look "traffic_end 150" "$@"
}
be_use() { vif_traffic "$@"; }
be_right() { echo right; }

be_detail() { echo "${SEEN[$1]} $(in_guest "counters $(number "$1")")"; }

# be_judge I VERDICT [COUNTER]: the verdicts of the catalogue for a card:
#   K  the device is broken, and the host is told
#   T  all is well
#   D  packets were dropped and counted as COUNTER, and all is well
#   C  the device is broken, the host is told, and the backend, which goes on, closes it
#   H  packets wait, the device lives
#   W  bytes may be wrong, for the guest was told that they are checked; the device lives
#   A  anything, as long as it ends
be_judge() {
	local good n
	case $2 in
	K) good="^[a-z]+ broken$" ;;
	C) good="^[a-z]+ (broken|down)$" ;;
	T | D) good="^right live$" ;;
	W) good="^(right|lost|wrong) live$" ;;
	H) good="^(lost|hangs) live$" ;;
	A) good="^(right|lost) (broken|live)$" ;;
	esac
	be_expect "$1" "$2" "$good"
	[ "$2" = D ] || return 0
	n=$(in_guest "counter $(number "$1") $3")
	[ "$n" -gt 0 ] || be_fail "$1" "nothing was counted as $3: $(in_guest "counters $(number "$1")")"
}

# Whoever looks at them is not held up.
be_broken() { in_guest "broken_ones $1" || fail "broken cards hold an administrator up"; }
