#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2154
#
# The guest's side of a benchmark; dom0-bench sends it, with guest-disk.sh,
# guest-net.sh or guest-platform.sh behind it, and calls it with a verb. `load [PARAMETER...]` loads the
# drivers under test; the other verbs are theirs. A job leaves its program's JSON in
# /tmp/bench/NAME.json and the counters before and after it in NAME.{before,after}.
# shellcheck source=tests/guest/lib.sh
. /cases/lib.sh

out=/tmp/bench
mkdir -p $out

# parameters PATTERN: files of the loaded driver's parameters.
# shellcheck disable=SC2086 # a pattern
parameters() { ls "/sys/module/$(echo $OURS | tr - _)/parameters"/$1 "/sys/module/$(echo $INTREE | tr - _)/parameters"/$1 2>/dev/null; }

load() {
	case $drivers in
	ours) { [ $OURS = xen-platform-pci ] || modprobe xen-platform-pci; } && modprobe $OURS "$@" ;;
	intree) modprobe $INTREE "$@" ;;
	none) load_emulated ;;
	esac || fail "drivers not loaded: $(dmesg | tail -n 3)"
	for _p in "$@"; do
		check_parameter "$_p"
	done
	for _p in $(parameters "*"); do
		[ ! -r "$_p" ] || echo "parameter ${_p##*/} = $(cat "$_p")"
	done
}

# check_parameter NAME=VALUE: a pass must not bear the name of what it did not do.
check_parameter() {
	_file=$(parameters "${1%%=*}")
	[ -n "$_file" ] || fail "the driver has no parameter ${1%%=*}"
	_value=$(cat "$_file")
	case $_value in
	Y) _value=1 ;;
	N) _value=0 ;;
	esac
	[ "$_value" = "${1#*=}" ] || fail "parameter $1 did not arrive: it is $_value"
}

# run_verb VERB WORD...
run_verb() {
	case $1 in
	load | fill | up | skbs | count | job) "$@" ;;
	*) fail "no such verb: $1" ;;
	esac
}

