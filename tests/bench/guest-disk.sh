# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154,SC2034
#
# The guest's half of `make bench-disk`, behind guest-bench.sh.
#
# usage: fill DISK | job NAME DISK RW BLOCK DEPTH JOBS CPUS REQUESTS FSYNC
#
# fill writes all that jobs will read, so that each page is there. DISK is a PV disk;
# without PV drivers all jobs go to the emulated one, past its boot loader.

OURS=xen-vbd INTREE=xen-blkfront
MIB=64

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

run_verb "$@"
