#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# usage: guest-disk.sh load [PARAMETER...] | fill DISK
#        | job NAME DISK RW BLOCK DEPTH JOBS CPUS REQUESTS FSYNC
#
# The guest's side of `make bench-disk`; dom0-disk calls it. load loads the drivers
# under test, the disk's with the parameters given. fill writes all that jobs will read, so
# that each page is there. job leaves fio's JSON in /tmp/bench/NAME.json and the
# counters before and after it in /tmp/bench/NAME.{before,after}. DISK is a PV disk;
# without PV drivers all jobs go to the emulated one, past its boot loader.
# shellcheck source=tests/guest/lib.sh
. /cases/lib.sh

MIB=64
out=/tmp/bench
mkdir -p $out

load() {
	case $drivers in
	ours) modprobe xen-platform-pci && modprobe xen-vbd "$@" ;;
	intree) modprobe xen-blkfront "$@" ;;
	none) load_emulated ;;
	esac || fail "drivers not loaded: $(dmesg | tail -n 3)"
	for _p in "$@"; do
		check_parameter "$_p"
	done
	for _p in /sys/module/xen_vbd/parameters/* /sys/module/xen_blkfront/parameters/*; do
		[ ! -r "$_p" ] || echo "parameter ${_p##*/} = $(cat "$_p")"
	done
}

# check_parameter NAME=VALUE: a pass must not bear the name of what it did not do.
check_parameter() {
	_file=$(ls /sys/module/xen_vbd/parameters/"${1%%=*}" \
		/sys/module/xen_blkfront/parameters/"${1%%=*}" 2>/dev/null)
	[ -n "$_file" ] || fail "the driver has no parameter ${1%%=*}"
	_value=$(cat "$_file")
	case $_value in
	Y) _value=1 ;;
	N) _value=0 ;;
	esac
	[ "$_value" = "${1#*=}" ] || fail "parameter $1 did not arrive: it is $_value"
}

# node DISK: the device that stands for it here.
node() {
	if [ "$drivers" = none ]; then
		wait_for 20 ide_disk 0 || fail "no emulated disk"
		echo "/dev/$(ide_disk 0)"
	else
		pv_disk "$1"
	fi
}

# region: fio's words for the part of the disk that is used.
region() {
	if [ "$drivers" = none ]; then
		echo "--offset=1m --size=$((MIB - 2))m"
	else
		echo "--size=${MIB}m"
	fi
}

fill() {
	_node=$(node "$1") || fail "$_node"
	# shellcheck disable=SC2046 # two words
	fio --name=fill --filename="$_node" --rw=write --bs=1m --direct=1 $(region) \
		--output=$out/fill.txt || fail "cannot fill $1: $(tail -n 2 $out/fill.txt)"
}

counters() {
	cat /proc/interrupts
	for _f in /sys/kernel/debug/xen-vbd/*/stats; do
		[ ! -e "$_f" ] || sed "s,^,stats ${_f%/stats} ," "$_f"
	done
}

job() {
	name=$1 rw=$3 block=$4 depth=$5 jobs=$6 cpus=$7 requests=$8 fsync=$9
	_node=$(node "$2") || fail "$_node"
	counters >"$out/$name.before"
	# shellcheck disable=SC2046 # two words
	fio --name="$name" --filename="$_node" --rw="$rw" --bs="$block" --iodepth="$depth" \
		$(region) --number_ios=$((requests / jobs)) --io_size=64g --norandommap \
		--numjobs="$jobs" --group_reporting --thread --cpus_allowed="$cpus" \
		--cpus_allowed_policy=split --ioengine=libaio --direct=1 --fsync="$fsync" \
		--gtod_reduce=1 --output-format=json --output="$out/$name.json" ||
		fail "fio: $(tail -n 3 "$out/$name.json")"
	counters >"$out/$name.after"
}

verb=$1
shift
case $verb in
load) load "$@" ;;
fill) fill "$1" ;;
job) job "$@" ;;
*) fail "no such verb: $verb" ;;
esac
