# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# dom0's half of `make bench-platform`, for dom0-bench. A job leaves lines "FIGURE VALUE" in
# NAME.figures.

TYPE=vbd BACKEND=blkback
DISK=51792	# xvdf
SAVED=/var/tmp/saved

# Both sides know the other one's card without asking: who asks and is not heard asks again
# after a second, and that would be all that is measured.
prepare() {
	local number
	number=$(cat "$BED/$name/number")
	address=10.77.1.$number
	ip neigh replace "$address" lladdr "00:16:3e:77:00:$(printf %02x "$number")" dev xenbr0
	in_guest neighbour "$(cat /sys/class/net/xenbr0/address)"
	# To wait by.
	exec {nothing}<> <(:)
}

microseconds() { echo "${EPOCHREALTIME/./}"; }

# let_go WHAT: the guest is paused, and reads without end. How long it takes, with xl's own
# time, to the next request at the backend, and to the first answer to a ping.
let_go() {
	local begin before now node pinger deadline=$((SECONDS + 60))
	node=/sys/bus/xen-backend/devices/vbd-$(guest_id "$name")-$DISK/statistics/rd_req
	ping -n -D -i 0.005 -W 1 "$address" >"$out/pings" 2>&1 &
	pinger=$!
	sleep 0.5
	before=$(cat "$node" 2>/dev/null || echo 0)
	begin=$(microseconds)
	xl unpause "$name"
	now=$before
	until [ "$now" -gt "$before" ]; do
		[ $SECONDS -lt $deadline ] || fail "$1: no read in a minute"
		{ read -r now <"$node"; } 2>/dev/null || now=$before
		read -r -t 0.001 -u "$nothing" || :
	done
	echo "$1-to-read $(($(microseconds) - begin))"
	wait_for 60 grep -q "bytes from" "$out/pings" || fail "$1: no ping is answered in a minute"
	kill $pinger
	wait
	awk -v begin="$begin" -v what="$1" '/bytes from/ { gsub(/[][]/, "", $1); printf "%s-to-ping %d\n", what, $1 * 1000000 - begin; exit }' \
		"$out/pings"
}

# restart: a guest that was only paused, to compare with; one that was saved and restored.
# (Not in-tree without vectors: when that was restored, no read came in a minute.)
restart() {
	[ "$name" != intree-intx ] || return 0
	in_guest read_on
	xl pause "$name"
	let_go unpause
	xl save "$name" $SAVED >"$out/xl" 2>&1 && xl restore -p $SAVED >>"$out/xl" 2>&1 ||
		fail "not saved and restored: $(tail -n 2 "$out/xl")"
	rm $SAVED
	let_go resume
	in_guest read_off
}

# job NAME VERB WORD...
job() {
	local file=$out/$1.figures
	shift
	case $1 in
	restart) restart >"$file" ;;
	*) in_guest "$@" >"$file" ;;
	esac || fail "$*: $(tail -n 1 "$file")"
}
