# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2034
#
# The guest's half of `make bench-net`, behind guest-bench.sh.
#
# usage: up MTU | skbs | count NAME before|after
#        | job NAME KIND WAY STREAMS SIZE MTU CPU AMOUNT

OURS=xen-vnif INTREE=xen-netfront

tracing=/sys/kernel/tracing

nic() {
	if [ "$drivers" = none ]; then
		wait_for 20 _nic_by_driver e1000 e1000 || fail "no emulated card"
		_nic_by_driver e1000 e1000
	else
		pv_nic
	fi
}

counters() {
	cat /proc/interrupts
	if [ "$drivers" = ours ]; then
		ethtool -S "$(nic)" | sed -n 's/^ *\(q[0-9]*_\)*\([a-z0-9_]*\): /stats card \2 /p'
	fi
	[ ! -e $tracing/kprobe_profile ] || awk '$1 == "skbs" { print "stats card skbs", $2 }' $tracing/kprobe_profile
}

# skbs: have allocated ones counted from now on.
skbs() {
	mount -t tracefs tracefs $tracing 2>/dev/null
	echo 0 >$tracing/tracing_on
	echo p:skbs __alloc_skb >$tracing/kprobe_events && echo 1 >$tracing/events/kprobes/skbs/enable ||
		fail "this kernel does not count skbs"
}

count() { counters >"$out/$1.$2"; }

up() {
	_nic=$(nic) || fail "$_nic"
	net_up "$_nic" "$1"
	# As in dom0 (dom0-net.sh): one turn of the sender's is more than the usual buffer holds.
	echo 16777216 >/proc/sys/net/core/rmem_default
}

job() {
	name=$1 kind=$2 way=$3 streams=$4 size=$5 cpu=$7 amount=$8
	set -- -c 10.77.0.1 -l "$size" -P "$streams" -J
	# A receiver of datagrams would count to the end what is lost on the way.
	case $kind-$way in
	tcp-*) set -- "$@" -n "${amount}M" ;;
	udp-send) set -- "$@" -u -b 0 -k "$amount" ;;
	udp-recv) set -- "$@" -u -b 0 -t "$amount" ;;
	esac
	[ "$way" = send ] || set -- "$@" -R
	[ "$cpu" = - ] || set -- "$@" -A "$cpu"
	count "$name" before
	iperf3 "$@" >"$out/$name.json" || fail "iperf3: $(grep error "$out/$name.json")"
	count "$name" after
}

run_verb "$@"
