# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# In the image of storage.sh as /tools/lib.sh, for what runs in the guest: file
# systems, loads on them, the kernel's own modules. Needs /cases/lib.sh.

export PATH="/tools/bin:$PATH"
# Without udev libdevmapper makes the nodes itself.
export DM_DISABLE_UDEV=1 LVM_SYSTEM_DIR=/tmp/lvm LVM_SUPPRESS_FD_WARNINGS=1

# tools_begin: links that make the programs find their loader and libraries.
tools_begin() {
	mkdir -p /lib64
	ln -sf /tools/lib/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
	ln -sfn /tools/lib /lib/x86_64-linux-gnu
}

# own_modules NAME...: the kernel's own, with what they need; those built in have no list.
own_modules() {
	for _m in "$@"; do
		[ -e "/tools/modules/$_m.order" ] || continue
		while read -r _f; do
			_n=$(echo "${_f%.ko*}" | tr - _)
			grep -q "^$_n " /proc/modules || insmod "/tools/modules/$_f" || fail "cannot load $_f"
		done <"/tools/modules/$_m.order"
	done
}

# fs_make TYPE DEVICE. The shell would take its own mke2fs; mkfs.xfs makes small ones only for file system tests.
fs_make() {
	case $1 in
	ext4) /tools/bin/mke2fs -q -F -t ext4 "$2" ;;
	xfs) TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1 mkfs.xfs -q -f "$2" ;;
	esac || fail "cannot make $1 on $2"
}

fs_mount() {
	[ "$1" != xfs ] || own_modules xfs
	mkdir -p "$3"
	mount -t "$1" "$2" "$3" || fail "cannot mount $1 from $2: $(dmesg | tail -n 2)"
}

# fs_check TYPE DEVICE: unmounted, its journal replayed: not a fault must be left.
fs_check() {
	case $1 in
	ext4) e2fsck -f -n "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	esac >/tmp/check.log 2>&1 || fail "$1 on $2 is damaged: $(tail -n 3 /tmp/check.log)"
}

# bg NAME COMMAND...: in the background, of its own session, or the agent waits for it.
bg() {
	_name=$1
	shift
	rm -f "/tmp/$_name.status"
	setsid sh -c "$* >/tmp/$_name.log 2>&1; echo \$? >/tmp/$_name.status" </dev/null >/dev/null 2>&1 &
}

bg_running() { [ ! -e "/tmp/$1.status" ] || fail "$1 has ended too early: $(tail -n 2 "/tmp/$1.log")"; }

# bg_end NAME SECONDS: it ends by itself, well.
bg_end() {
	wait_for "$2" test -s "/tmp/$1.status" || fail "$1 does not end"
	[ "$(cat "/tmp/$1.status")" = 0 ] || fail "$1: $(tail -n 3 "/tmp/$1.log")"
}

# fio_rounds SECONDS FILE: writes 4 MiB, reads and compares them, again and again.
fio_rounds() {
	_end=$(($(date +%s) + $1)) _rounds=0
	until [ "$(date +%s)" -ge "$_end" ]; do
		fio --name=round --filename="$2" --rw=randwrite --bsrange=4k-64k --blockalign=4k --direct=1 --ioengine=libaio 			--iodepth=8 --rate_iops=400,400 --size=4m --randseed=$_rounds --verify=crc32c --verify_fatal=1 || return
		_rounds=$((_rounds + 1))
	done
	echo "$_rounds rounds of fio"
}

# fs_load NAME DIR SECONDS SEED: fsx and rounds of fio on files of their own.
fs_load() {
	bg "$1.fsx" "fsx $4 $3 $2/fsx"
	bg "$1.fio" ". /cases/lib.sh; . /tools/lib.sh; fio_rounds $3 $2/fio"
}

fs_load_running() { bg_running "$1.fsx"; bg_running "$1.fio"; }

fs_load_end() {
	bg_end "$1.fsx" "$2"
	bg_end "$1.fio" "$2"
	tail -qn 1 "/tmp/$1.fsx.log" "/tmp/$1.fio.log"
}
