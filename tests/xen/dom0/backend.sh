# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# For cases that need a backend of their own: disks served by vbd-backend, number
# 0, 1, ... of guest $name. Needs lib.sh, and $name set.
#
# A row of the catalogue is judged by what the guest says about its disk:
# `judge` compares, and `fail` names the row. Logs of the backends are printed when
# a case fails.

IMAGE=$BED/$name/image
declare -A BE_PID BE_ROW

be_log() { echo "/bed/log/$name.backend.$1"; }

# be_image KIB: what the disks hold, and its checksum, twice in a row: $IMAGE_SUM.
be_image() {
	head -c "$1K" /dev/urandom >"$IMAGE"
	IMAGE_SUM=$(cat "$IMAGE" "$IMAGE" | md5sum | cut -d' ' -f1)
}

# be_begin: drivers, helpers and a card that works in the guest, and what it looks like
# before anything is done to it.
be_begin() {
	guest "$name" -s 'cat >/tmp/backend.sh' </bed/dom0/backend-guest.sh || fail "the guest does not answer"
	in_guest 'unload_drivers; memory >/tmp/memory; load_drivers; pv_disk xvdf; net_up $(pv_nic); leaks_forget; other_disk' ||
		fail "no PV disk or card"
	OTHER=$(in_guest other_disk)
	PORTS=$(in_guest ports)
	ID=$(guest_id "$name")
}

in_guest() { guest "$name" ". /cases/lib.sh; . /tmp/backend.sh; $*"; }

# be_start I ROW OPTION...: a disk; ROW is what it is called in messages.
be_start() {
	local i=$1 row=$2
	shift 2
	vbd-backend "$@" "$ID" "$(number "$i")" >"$(be_log "$i")" 2>&1 &
	BE_PID[$i]=$!
	BE_ROW[$i]=$row
}

# be_signal SIGNAL I...
be_signal() {
	local signal=$1 i
	shift
	for i in "$@"; do
		kill -"$signal" "${BE_PID[$i]}" || fail "${BE_ROW[$i]}: its backend has ended: $(tail -n 1 "$(be_log "$i")")"
	done
}

# be_stop I...: politely; all of them must close in time.
be_stop() {
	local i names=()
	be_signal TERM "$@"
	for i in "$@"; do
		wait "${BE_PID[$i]}" || be_fail "$i" "does not close, status $?: $(tail -n 1 "$(be_log "$i")")"
		unset "BE_PID[$i]"
	done
	for i in "$@"; do
		names+=("$(number "$i")")
	done
	in_guest "devices_gone ${names[*]}" || fail "devices stay in the guest: $(in_guest "ls /sys/bus/xen/devices")"
}

# be_said I REGEX: its log has such a line.
be_said() { grep -qE "$2" "$(be_log "$1")"; }

# be_fail I WHY: name the row and show what its backend said.
be_fail() {
	sed "s/^/	/" "$(be_log "$1")"
	fail "${BE_ROW[$1]}: $2"
}

# pairs I...: DISK:NUMBER of each.
pairs() {
	local i
	for i in "$@"; do
		echo "$(disk "$i"):$(number "$i")"
	done
}

# be_read I...: read all of them in the guest; SEEN[I] is what was read and the state.
declare -A SEEN
be_read() {
	be_read_begin "$@"
	be_read_end 100 "$@"
}

be_read_begin() {
	in_guest "read_begin $(for i in "$@"; do disk "$i"; done | xargs)" || fail "the guest does not answer"
}

# be_read_end SECONDS I...
be_read_end() {
	local seconds=$1
	shift
	be_look "read_end $seconds" "$@"
}

# be_look COMMAND I...: SEEN[I] is what COMMAND prints behind the disk's name.
be_look() {
	local command=$1 text i disk rest
	local -A index=()
	shift
	for i in "$@"; do
		index[$(disk "$i")]=$i
		SEEN[$i]=
	done
	text=$(in_guest "$command $(pairs "$@" | xargs)") || fail "the guest does not answer: $text"
	while read -r disk rest; do
		SEEN[${index[$disk]:-none}]=$rest
	done <<<"$text"
}

# be_judge I VERDICT: the verdicts of the catalogue for a disk that was read:
#   K  the device is broken, I/O fails, and the host is told
#   E  I/O fails, the device lives
#   T  all is well
#   H  the read waits, the device lives
#   A  anything, as long as it ends
be_judge() {
	local i=$1 seen=${SEEN[$1]} good
	case $2 in
	K) good="^error broken$" ;;
	E) good="^error live$" ;;
	T) good="^$IMAGE_SUM live$" ;;
	H) good="^hangs live$" ;;
	A) good="^(error|[0-9a-f]{32}) (broken|live)$" ;;
	esac
	[[ $seen =~ $good ]] || be_fail "$i" "$2 expected, seen: ${seen:-nothing} (right sum: $IMAGE_SUM)"
	[ "$2" != K ] || xenstore-exists "/local/domain/$ID/error/device/vbd/$(number "$i")/error" ||
		be_fail "$i" "broken without an error node"
}

# be_others WHEN: what must not be touched.
be_others() {
	local why
	why=$(in_guest "others $OTHER") || fail "$1: $why"
}

# be_start_rows ROW...: NAME|VERDICT|OPTIONS; NAME begins with the lie. ALL: their numbers.
be_start_rows() {
	local row verdict options
	ALL=()
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		# shellcheck disable=SC2086 # options are words
		be_start "${#ALL[@]}" "$row" -f "$IMAGE" -p $options
		ALL+=("${#ALL[@]}")
	done
}

# be_judge_rows ROW...: all of them were read, or are being read. A request fails a
# little before its disk is said to be broken.
be_judge_rows() {
	local row verdict options i=0 broken=()
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		[ "$verdict" != K ] || broken+=("$(number "$i")")
		i=$((i + 1))
	done
	be_settle "${broken[*]}" "${ALL[@]}"
	i=0
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		echo "$row: ${SEEN[$i]#"$IMAGE_SUM "}"
		i=$((i + 1))
	done
	i=0
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		be_judge "$i" "$verdict"
		[[ $options != *-l* ]] || be_said "$i" "^told" || be_fail "$i" "the lie was not told"
		i=$((i + 1))
	done
}

# be_settle NUMBERS I...: wait for NUMBERS to be broken; then look at the states again.
be_settle() {
	local numbers=$1 i
	shift
	local -A was=()
	for i in "$@"; do was[$i]=${SEEN[$i]% *}; done
	[ -z "$numbers" ] || in_guest "wait_broken $numbers"
	be_look states "$@"
	for i in "$@"; do SEEN[$i]="${was[$i]} ${SEEN[$i]}"; done
}

# be_rows ROW...: all rows at once: they are attached and read; the others are looked
# at; all start anew without a lie and are read; they are closed and gone.
be_rows() {
	be_start_rows "$@"
	be_read "${ALL[@]}"
	be_judge_rows "$@"
	be_others "beside ${BE_ROW[*]}"
	be_honest "${ALL[@]}"
	be_stop "${ALL[@]}"
}

# be_honest I...: they start anew without a lie, and can be read.
be_honest() {
	be_signal USR1 "$@"
	be_again 2 "starts anew" "$@"
}

# be_again COUNT WHEN I...: they have connected so often and can be read.
be_again() {
	local count=$1 when=$2 i
	shift 2
	for i in "$@"; do
		wait_for 60 eval "[ \$(grep -c ^connected \"$(be_log "$i")\") -ge $count ]" ||
			be_fail "$i" "$when: does not connect"
	done
	in_guest "wait_live $(for i in "$@"; do number "$i"; done | xargs)" || fail "$when: not connected"
	be_read "$@"
	for i in "$@"; do
		[ "${SEEN[$i]}" = "$IMAGE_SUM live" ] || be_fail "$i" "$when: seen: ${SEEN[$i]:-nothing}"
	done
}

# be_end: as it was before, and nothing is left when the drivers go.
be_end() {
	local now
	be_others "at the end"
	in_guest 'wait_for 30 are_parked 0' || fail "$(in_guest parked) pages stay parked"
	now=$(in_guest ports)
	[ "$now" = "$PORTS" ] || fail "$now event channels instead of $PORTS"
	in_guest 'unload_drivers; ! dmesg | grep "still held by backends"' || fail "pages or devices are left at unload"
	now=$(in_guest leaks)
	[ -z "$now" ] || fail "kmemleak: $now"
	now=$(in_guest 'echo $(($(cat /tmp/memory) - $(memory)))')
	echo "memory: $now KiB less than before"
	[ "$now" -lt "${BE_MEMORY:-8192}" ] || fail "$now KiB are lost"
}

# What runs is ended with the case, whatever became of it.
be_cleanup() {
	local i
	for i in "${!BE_PID[@]}"; do
		kill -HUP "${BE_PID[$i]}" 2>/dev/null
		kill -USR2 "${BE_PID[$i]}" 2>/dev/null
	done
}
trap be_cleanup EXIT
