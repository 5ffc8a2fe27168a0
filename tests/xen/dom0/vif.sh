# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# For cases that need a network backend of their own: cards served by vif-backend, number
# 10, 11, ... of guest $name; 0, 1, ... in what follows. Each has a tap device in dom0 and
# a network of its own, 10.80.0.0/24 and so on: dom0 is .1, the guest .2. Needs lib.sh, and
# $name set; backend.sh does what any backend needs.

. /bed/dom0/backend.sh

BE_TYPE=vif
number() { echo $((10 + $1)); }

vif_begin() {
	be_begin
	guest "$name" -s 'cat >/tmp/vif.sh' </bed/dom0/vif-guest.sh || fail "the guest does not answer"
}

in_guest() {
	guest "$name" "BE_TYPE=vif; . /cases/lib.sh; . /tmp/backend.sh; test ! -e /tmp/vif.sh || . /tmp/vif.sh; $*"
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

# vif_pairs I...: I:NUMBER of each.
vif_pairs() {
	local i
	for i in "$@"; do echo "$i:$(number "$i")"; done | xargs
}

vif_numbers() {
	local i
	for i in "$@"; do number "$i"; done | xargs
}

# vif_traffic I...: packets of all kinds over all of them; SEEN[I] is "WORD STATE".
vif_traffic() {
	in_guest "traffic_begin $(vif_pairs "$@")" || fail "the guest does not answer"
	vif_look "traffic_end 150" "$@"
}

# vif_look COMMAND I...: SEEN[I] is what COMMAND prints behind I.
vif_look() {
	local command=$1 text i rest
	shift
	for i in "$@"; do SEEN[$i]=; done
	text=$(in_guest "$command $(vif_pairs "$@")") || fail "the guest does not answer: $text"
	while read -r i rest; do
		SEEN[$i]=$rest
	done <<<"$text"
}

# vif_judge I VERDICT [COUNTER]: the verdicts of the catalogue for a card:
#   K  the device is broken, and the host is told
#   T  all is well
#   D  packets were dropped and counted as COUNTER, and all is well
#   H  packets wait, the device lives
#   A  anything, as long as it ends
vif_judge() {
	local i=$1 seen=${SEEN[$1]} good n
	case $2 in
	K) good="^[a-z]+ broken$" ;;
	T | D) good="^right live$" ;;
	H) good="^lost live$" ;;
	A) good="^(right|lost) (broken|live)$" ;;
	esac
	[[ $seen =~ $good ]] || be_fail "$i" "$2 expected, seen: ${seen:-nothing}"
	[ "$2" != K ] || xenstore-exists "/local/domain/$ID/error/device/vif/$(number "$i")/error" ||
		be_fail "$i" "broken without an error node"
	[ "$2" = D ] || return 0
	n=$(in_guest "counter $(number "$i") $3")
	[ "$n" -gt 0 ] || be_fail "$i" "nothing was counted as $3: $(in_guest "counters $(number "$i")")"
}

# vif_start_rows ROW...: NAME|VERDICT|OPTIONS. ALL: their numbers.
vif_start_rows() {
	local row verdict options
	ALL=()
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		vif_start "${#ALL[@]}" "$row" "$options"
		ALL+=("${#ALL[@]}")
	done
}

# vif_judge_rows ROW...: there was traffic on all of them.
vif_judge_rows() {
	local row verdict options i=0 broken=()
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		echo "$row: ${SEEN[$i]} $(in_guest "counters $(number "$i")")"
		[ "$verdict" != K ] || broken+=("$i")
		i=$((i + 1))
	done
	i=0
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		[[ $options != *-l* ]] || be_said "$i" "^told" || be_fail "$i" "the lie was not told"
		# shellcheck disable=SC2086 # words
		vif_judge "$i" $verdict
		i=$((i + 1))
	done
	[ ${#broken[@]} = 0 ] || in_guest "broken_ones $(vif_numbers "${broken[@]}")" || fail "broken cards hold an administrator up"
}

# vif_rows ROW...: all rows at once: traffic, what became of it and of others; all start
# anew without a lie; they close and are gone.
vif_rows() {
	vif_start_rows "$@"
	vif_traffic "${ALL[@]}"
	vif_judge_rows "$@"
	be_others "beside ${BE_ROW[*]}"
	vif_honest "${ALL[@]}"
	be_stop "${ALL[@]}"
}

# vif_honest I...: they start anew without a lie, and carry traffic.
vif_honest() {
	local i
	be_signal USR1 "$@"
	for i in "$@"; do
		wait_for 60 eval "[ \$(grep -c ^connected \"$(be_log "$i")\") -ge 2 ]" ||
			be_fail "$i" "starts anew: does not connect: $(in_guest "state_of $(number "$i")")"
	done
	in_guest "wait_live $(vif_numbers "$@")" || fail "start anew: not connected"
	vif_traffic "$@"
	for i in "$@"; do
		[ "${SEEN[$i]}" = "right live" ] || be_fail "$i" "starts anew: seen: ${SEEN[$i]:-nothing}"
	done
}
