# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# For cases that need a backend of their own: disks served by vbd-backend, number
# 0, 1, ... of guest $name. Needs lib.sh, and $name set.
#
# A row of the catalogue is judged by what the guest says about its disk: be_judge
# compares, and `fail` names the row. Logs of the backends are printed when a case fails.
#
# What is said of disks here goes for cards, too, where vif.sh says nothing else: it has
# its own number, disk (what a device is called between dom0 and the guest), be_start_row,
# be_use, be_right, be_detail, be_judge and be_broken.

BE_TYPE=vbd
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

in_guest() { guest "$name" "BE_TYPE=$BE_TYPE; . /cases/lib.sh; . /tmp/backend.sh; $*"; }

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
	local i
	be_signal TERM "$@"
	for i in "$@"; do
		wait "${BE_PID[$i]}" || be_fail "$i" "does not close, status $?: $(tail -n 1 "$(be_log "$i")")"
		unset "BE_PID[$i]"
	done
	in_guest "devices_gone $(numbers "$@")" || fail "devices stay in the guest: $(in_guest "ls /sys/bus/xen/devices")"
}

# be_said I REGEX: its log has such a line.
be_said() { grep -qE "$2" "$(be_log "$1")"; }

# be_fail I WHY: name the row and show what its backend said.
be_fail() {
	sed "s/^/	/" "$(be_log "$1")"
	fail "${BE_ROW[$1]}: $2"
}

# pairs I...: DISK:NUMBER of each; numbers: NUMBER.
pairs() {
	local i
	for i in "$@"; do echo "$(disk "$i"):$(number "$i")"; done | xargs
}
numbers() {
	local i
	for i in "$@"; do number "$i"; done | xargs
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
	text=$(in_guest "$command $(pairs "$@")") || fail "the guest does not answer: $text"
	while read -r disk rest; do
		SEEN[${index[$disk]:-none}]=$rest
	done <<<"$text"
}

# be_use I...: what makes a lie be told, and shows whether all is well: then SEEN is what
# be_right prints, and "live".
be_use() { be_read "$@"; }
be_right() { echo "$IMAGE_SUM"; }

# be_detail I: what a case's log has of it.
be_detail() { echo "${SEEN[$1]#"$IMAGE_SUM "}"; }

# be_judge I VERDICT: the verdicts of the catalogue for a disk that was read:
#   K  the device is broken, I/O fails, and the host is told
#   E  I/O fails, the device lives
#   T  all is well
#   H  the read waits, the device lives
#   A  anything, as long as it ends
be_judge() {
	local good
	case $2 in
	K) good="^error broken$" ;;
	E) good="^error live$" ;;
	T) good="^$IMAGE_SUM live$" ;;
	H) good="^hangs live$" ;;
	A) good="^(error|[0-9a-f]{32}) (broken|live)$" ;;
	esac
	be_expect "$1" "$2" "$good"
}

# be_expect I VERDICT REGEX: it was seen like that; of a broken device the host is told.
be_expect() {
	local seen=${SEEN[$1]}
	[[ $seen =~ $3 ]] || be_fail "$1" "$2 expected, $3; seen: ${seen:-nothing}"
	[[ $2 != [KC] ]] || xenstore-exists "/local/domain/$ID/error/device/$BE_TYPE/$(number "$1")/error" ||
		be_fail "$1" "broken without an error node"
}

# be_others WHEN: what must not be touched.
be_others() {
	local why
	why=$(in_guest "others $OTHER") || fail "$1: $why"
}

# be_start_row I ROW OPTIONS
be_start_row() {
	# shellcheck disable=SC2086 # options are words
	be_start "$1" "$2" -f "$IMAGE" -p $3
}

# be_start_rows ROW...: NAME|VERDICT|OPTIONS; NAME begins with the lie. ALL: their numbers.
be_start_rows() {
	local row verdict options
	ALL=()
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		be_start_row "${#ALL[@]}" "$row" "$options"
		ALL+=("${#ALL[@]}")
	done
}

# be_broken NUMBERS: what else is to be seen of broken ones.
be_broken() { true; }

# broken_rows ROW...: numbers of those that are to break.
broken_rows() {
	local row verdict i=0
	for row in "$@"; do
		IFS='|' read -r _ verdict _ <<<"$row"
		[ "$verdict" != K ] || number "$i"
		i=$((i + 1))
	done | xargs
}

# be_judge_rows ROW...: all of them were used, or are being used. A request fails a
# little before its disk is said to be broken.
be_judge_rows() {
	local row verdict options broken i=0
	broken=$(broken_rows "$@")
	be_settle "$broken" "${ALL[@]}"
	for row in "$@"; do
		echo "${row%%|*}: $(be_detail "$i")"
		i=$((i + 1))
	done
	i=0
	for row in "$@"; do
		IFS='|' read -r row verdict options <<<"$row"
		[[ $options != *-l* ]] || be_said "$i" "^told" || be_fail "$i" "the lie was not told"
		# shellcheck disable=SC2086 # words
		be_judge "$i" $verdict
		i=$((i + 1))
	done
	[ -z "$broken" ] || be_broken "$broken"
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

# be_groups COMMAND ROW...: COMMAND for all rows at once, or for $BE_AT_ONCE of them, or
# for so many as a slow guest can deal with in the time.
be_groups() {
	local command=$1 at_once
	shift
	at_once=${BE_AT_ONCE:-$#}
	[[ $name != *debug* ]] || at_once=7
	while [ $# -gt 0 ]; do
		"$command" "${@:1:at_once}"
		shift $((at_once < $# ? at_once : $#))
	done
}

# be_rows ROW...: they are attached and used; the others are looked at; all start anew
# without a lie and are used; they are closed and gone.
be_rows() { be_groups be_rows_at_once "$@"; }

be_rows_at_once() {
	be_start_rows "$@"
	be_use "${ALL[@]}"
	be_judge_rows "$@"
	be_others "beside ${BE_ROW[*]}"
	be_honest "${ALL[@]}"
	be_stop "${ALL[@]}"
}

# be_honest I...: they start anew without a lie, and can be used.
be_honest() {
	be_signal USR1 "$@"
	be_again 2 "starts anew" "$@"
}

# be_again COUNT WHEN I...: they have connected so often and can be used.
be_again() {
	local count=$1 when=$2 i
	shift 2
	for i in "$@"; do
		wait_for 60 eval "[ \$(grep -c ^connected \"$(be_log "$i")\") -ge $count ]" ||
			be_fail "$i" "$when: does not connect: $(in_guest "state_of $(number "$i")")"
	done
	in_guest "wait_live $(numbers "$@")" || fail "$when: not connected"
	be_use "$@"
	for i in "$@"; do
		[ "${SEEN[$i]}" = "$(be_right) live" ] || be_fail "$i" "$when: seen: ${SEEN[$i]:-nothing}"
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
