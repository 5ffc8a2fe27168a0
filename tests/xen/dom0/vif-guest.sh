# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The guest's half of vif.sh; sent to the guest, used beside backend-guest.sh.

# nic_of NUMBER: its interface, once there is one.
nic_of() { ls "/sys/bus/xen/devices/vif-$1/net" 2>/dev/null; }
has_nic() { test -n "$(nic_of "$1")"; }

# card_up I NUMBER
card_up() {
	wait_for 60 has_nic "$2" || return 1
	_nic=$(nic_of "$2")
	ip link set "$_nic" up
	ip addr add "10.$((80 + $1)).0.2/24" dev "$_nic" 2>/dev/null
	return 0
}

# while_live NUMBER COMMAND...: it ends after 40 seconds, or with its card.
while_live() {
	_state=/sys/bus/xen/devices/vif-$1/state
	shift
	timeout 40 "$@" &
	_pid=$!
	while kill -0 $_pid 2>/dev/null; do
		sleep 0.5
		read -r _now _ <"$_state" || _now=gone
		case $_now in
		broken | gone | down) kill $_pid ;;
		esac
	done 2>/dev/null
	wait $_pid
}

# traffic I NUMBER: small packets, large ones with segments both ways, datagrams; says
# right, lost (some did not arrive in time), wrong (other bytes) or absent.
traffic() {
	_at=10.$((80 + $1)).0.1
	card_up "$1" "$2" || { echo absent; return; }
	ping -c 8 -i 0.2 -W 1 -q "$_at"
	if while_live "$2" stream send "$_at" 7000 1 && while_live "$2" stream recv "$_at" 7000 1 &&
		while_live "$2" stream udp "$_at" 7000 30 1400; then
		echo right
	else
		echo lost
	fi
}

# traffic_begin I:NUMBER...: all at once, in the background.
traffic_begin() {
	rm -f /tmp/traffic.shells
	for _p in "$@"; do
		rm -f "/tmp/traffic.${_p%:*}" "/tmp/traffic.${_p%:*}.log"
		(
			_i=${_p%:*}
			traffic "$_i" "${_p#*:}" >"/tmp/traffic.$_i.log" 2>&1
			_word=$(tail -n 1 "/tmp/traffic.$_i.log")
			! grep -qE 'WRONG|stream: wrong' "/tmp/traffic.$_i.log" || _word=wrong
			echo "$_word" >"/tmp/traffic.$_i"
		) </dev/null >/dev/null 2>&1 &
		echo $! >>/tmp/traffic.shells
	done
}

# traffic_still COMMAND...: meanwhile the shells stand still, which look at their cards
# twice a second: that is not the driver's work. What the programs sent still waits.
traffic_still() {
	xargs kill -STOP </tmp/traffic.shells 2>/dev/null
	"$@"
	xargs kill -CONT </tmp/traffic.shells 2>/dev/null
}

# traffic_end SECONDS I:NUMBER...: prints I WORD STATE for each.
traffic_end() {
	_until=$(($(date +%s) + $1))
	shift
	for _p in "$@"; do
		until test -s "/tmp/traffic.${_p%:*}" || [ "$(date +%s)" -ge $_until ]; do sleep 0.2; done
		echo "${_p%:*} $(cat "/tmp/traffic.${_p%:*}" 2>/dev/null || echo hangs) $(state_of "${_p#*:}")"
	done
}

# answers I:NUMBER...: prints I WORD STATE for each; a few packets tell.
answers() {
	for _p in "$@"; do
		_at=10.$((80 + ${_p%:*})).0.1
		_word=lost
		card_up "${_p%:*}" "${_p#*:}"
		! wait_for 20 ping -c 1 -W 1 "$_at" || ! wait_for 20 timeout 10 stream udp "$_at" 7000 8 1400 || _word=right
		echo "${_p%:*} $_word $(state_of "${_p#*:}")"
	done
}

# counter NUMBER NAME: sum over its queues.
counter() { card_counter "$(nic_of "$1")" "$2"; }

# counters NUMBER: those of things that are not right, where there were any.
counters() {
	ethtool -S "$(nic_of "$1")" 2>/dev/null |
		sed -nE 's/^ *q[0-9]+_((tx_(errors|held_pages|missed_events|lost))|(rx_(missed_events|bad_offload|gso_fixed|errors|bad_bounds|too_short|too_long|bad_extra|xdp_unfit))|(port[01]_throttled)): /\1=/p' |
		grep -v '=0$' | xargs
}

# quick COMMAND...: it ends in two seconds.
quick() { timeout 2 "$@" >/dev/null || { echo "$* takes longer than 2 s, or fails: $?"; return 1; }; }

# broken_ones NUMBER...: whoever looks at them, or takes them down and up, is not held up.
broken_ones() {
	for _d in "$@"; do
		_nic=$(nic_of "$_d")
		quick ethtool -S "$_nic" && quick ip link set "$_nic" down && quick ip link set "$_nic" up &&
			quick ethtool "$_nic" || return 1
	done
}

# facts I:NUMBER...: prints I NAME=VALUE... for each.
vif_settled() {
	case $(state_of "$1") in
	live) has_nic "$1" ;;
	broken) true ;;
	down) ! has_driver "$1" || closed "$1" ;;
	*) false ;;
	esac
}
vif_facts() {
	for _p in "$@"; do wait_for 40 vif_settled "${_p#*:}"; done
	for _p in "$@"; do
		_n=$(nic_of "${_p#*:}")
		_line="${_p%:*} state=$(state_of "${_p#*:}") driver=$(has_driver "${_p#*:}" && echo 1 || echo 0)"
		if [ -n "$_n" ]; then
			_line="$_line mac=$(cat "/sys/class/net/$_n/address") mtu=$(cat "/sys/class/net/$_n/mtu")"
			_line="$_line carrier=$(ip link set "$_n" up; cat "/sys/class/net/$_n/carrier")"
			_line="$_line queues=$(find "/sys/class/net/$_n/queues" -name 'tx-*' | wc -l)"
			card_up "${_p%:*}" "${_p#*:}"
			! wait_for 5 ping -c 1 -W 1 "10.$((80 + ${_p%:*})).0.1" || _line="$_line ping=ok"
		fi
		echo "$_line"
	done
}
