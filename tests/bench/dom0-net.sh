# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# dom0's half of `make bench-net`, for dom0-bench: the other end of the guest's
# connections, and the one that pings.

TYPE=vif BACKEND=netback

prepare() {
	# What a guest sends in its turn waits for dom0's: with the usual buffer, a part of the
	# datagrams would be lost behind the backend; likewise in the guest.
	echo 16777216 >/proc/sys/net/core/rmem_default
	pgrep -x iperf3 >/dev/null || iperf3 -s -D --logfile /dev/null
	in_guest up 1500
	MTU=1500
	[ ! -e /bed/bench/skbs ] || in_guest skbs
}

# job NAME KIND WAY STREAMS SIZE MTU CPU AMOUNT
job() {
	if [ "$6" != "$MTU" ]; then
		in_guest up "$6"
		MTU=$6
	fi
	if [ "$2" = ping ]; then
		in_guest count "$1" before
		ping -q -f -c "$8" -s "$5" "10.77.1.$(cat "$BED/$name/number")" >"$out/$1.ping" ||
			fail "ping: $(tail -n 2 "$out/$1.ping")"
		in_guest count "$1" after
	else
		in_guest job "$@"
	fi
}
