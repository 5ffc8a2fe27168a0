# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For cases in which a guest is saved, restored, migrated, or copied, while it works.
#
# What goes on meanwhile, from work_start to work_end: fio writes to xvdf and verifies,
# and a TCP connection carries numbered lines of a thousand bytes with the guest's
# monotonic time in them. After `busy` one more connection carries as much as it can.
# Needs lib.sh.

SAVED=/var/tmp/saved

# guest_ready NAME: drivers loaded, the card up.
guest_ready() {
	guest "$1" '. /cases/lib.sh; load_drivers; pv_disk xvde; pv_disk xvdf; n=$(pv_nic) && net_up "$n"' ||
		fail "no PV devices"
}

# work_start NAME SECONDS
work_start() {
	nc -l 7001 >"$BED/$1/ticks" 2>/dev/null </dev/null &
	guest "$1" 'rm -f /tmp/ticks.*; setsid sh -c "i=0; while [ ! -e /tmp/ticks.stop ]; do
		i=\$((i + 1)); read up rest </proc/uptime; printf \"%d %s %1000s\\n\" \$i \$up .; usleep 100000; done | nc 10.77.0.1 7001;
		echo \$? >/tmp/ticks.status" </dev/null >/dev/null 2>&1 &'
	wait_for 20 test -s "$BED/$1/ticks" || fail "no connection for the ticks"
	verify_start "$1" xvdf 30 "$2"
	guest_offset=$(clock_offset "$1")
}

# Each line once, in order, and time never going back.
ticks_check() {
	awk '$1 != NR || $3 != "." { print "line " NR " says " $1; exit 1 }
		$2 < before { print "time went back from " before " to " $2; exit 1 }
		{ before = $2 }' "$BED/$1/ticks"
}

work_end() {
	verify_end "$1"
	guest "$1" 'touch /tmp/ticks.stop; . /cases/lib.sh; wait_for 20 test -s /tmp/ticks.status' ||
		fail "the connection does not end"
	wait
	[ "$(wc -l <"$BED/$1/ticks")" -gt 50 ] || fail "only $(wc -l <"$BED/$1/ticks") lines came"
	ticks_check "$1" || fail "the connection lost something"
}

# busy NAME: a stream that is under way when the guest stops.
busy() {
	guest "$1" 'rm -f /tmp/stream.status; setsid sh -c "stream send 10.77.0.1 7000 128 >/tmp/stream.log 2>&1
		echo \$? >/tmp/stream.status" </dev/null >/dev/null 2>&1 &
		. /cases/lib.sh; wait_for 20 grep -q ":1B58 01" /proc/net/tcp' || fail "no stream to port 7000"
}

# stream_ends NAME: and all of it was right.
stream_ends() {
	guest "$1" '. /cases/lib.sh; wait_for 60 test -s /tmp/stream.status && test $(cat /tmp/stream.status) = 0' ||
		fail "the stream broke: $(guest "$1" 'tail -n 1 /tmp/stream.log')"
}

# goes_on NAME WHAT: after WHAT the disk is written, lines come, and the clock is right.
# The guest's seconds are cut off.
goes_on() {
	local before lines offset
	before=$(writes_done "$1" xvdf)
	lines=$(wc -l <"$BED/$1/ticks")
	writes_go_on "$1" xvdf "$before" || fail "$2: writes do not go on: $(states "$1")"
	lines_come() { [ "$(wc -l <"$BED/$1/ticks")" -gt "$((lines + 5))" ]; }
	wait_for 30 lines_come "$1" || fail "$2: the connection stands still: $(states "$1")"
	offset=$(clock_offset "$1")
	[ "$((offset - guest_offset))" -ge -1 ] && [ "$((offset - guest_offset))" -le 1 ] ||
		fail "$2: the clock was $guest_offset s off, and is $offset s off now"
}

# clock_offset NAME: seconds that the guest is ahead of dom0.
clock_offset() { echo "$(($(guest "$1" 'date +%s') - $(date +%s)))"; }

states() { guest "$1" 'cat /sys/bus/xen/devices/*/state' | tr '\n' ','; }

# The device model begins the log of the guest's kernel anew.
keep_console() { cat "/bed/log/$1.console" >>"/bed/log/$1.console.past"; }

save() {
	xl save "$1" $SAVED >"$BED/$1/xl.log" 2>&1 || fail "cannot save: $(tail -n 1 "$BED/$1/xl.log")"
}

restore() {
	keep_console "$1"
	xl restore $SAVED >"$BED/$1/xl.log" 2>&1 || fail "cannot restore: $(tail -n 1 "$BED/$1/xl.log")"
	rm -f $SAVED
	guest "$1" -w 60 true || fail "does not run after restore"
}

# checkpoint NAME: a copy is taken, and the guest goes on.
checkpoint() {
	xl save -c "$1" $SAVED >"$BED/$1/xl.log" 2>&1 || fail "cannot take a copy: $(tail -n 1 "$BED/$1/xl.log")"
	rm -f $SAVED
	guest "$1" -w 60 true || fail "does not run after a copy was taken"
}

# migrate NAME: to the same host. Two device models are there at once: each has a
# socket of its own.
migrate() {
	local dir=$BED/$1 to=chan.1
	[ "$(readlink "$dir/chan")" != chan.1 ] || to=chan.2
	sed "s,unix:$dir/chan,unix:$dir/$to," "$dir/config" >"$dir/config.to"
	keep_console "$1"
	xl migrate -C "$dir/config.to" -s "" "$1" "xl migrate-receive" >"$dir/xl.log" 2>&1 </dev/null ||
		fail "cannot migrate: $(grep -m 2 -iE 'error|fail' "$dir/xl.log")"
	ln -sfn "$to" "$dir/chan"
	guest "$1" -w 60 true || fail "does not run after migration"
}
