# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# One Xen host: a QEMU process that emulates an AMD machine with SVM in
# software, booting Xen and dom0 from the cache.  Several may run at once: all
# paths are below the run directory, no port is used.
#
#   host_prepare RUN [XEN]    fill the share (scripts, agent) for this run; XEN: "old"
#                             for that of old-xen.sh
#   host_start RUN            boot; returns when dom0's agent answers
#   host_alive RUN            is QEMU still there
#   dom0 RUN [-t S] COMMAND   run in dom0; 124 time limit, 125 dom0 is lost
#   host_stop RUN
#
# RUN/share is dom0's /bed (9p): what is put there is seen at once, and the logs
# dom0 writes to /bed/log are on this machine as they are written.  RUN/xen.log
# is Xen's and dom0's console.  Needs ../lib.sh.

# Time limits are multiplied by this on a slow or busy machine.
: "${XENPV_TIMESCALE:=1}"
: "${XENPV_HOST_MEMORY:=3584}"
# One for dom0, two for a guest: with fewer a vCPU that waits for another one, or for
# the lock it holds, waits until Xen lets that run. QEMU runs them one after the other
# in one thread, and a wait with `pause` goes on to the next at once.
: "${XENPV_HOST_CPUS:=3}"
# QEMU's clock counts instructions (2 ns each) instead of following the wall
# clock: on a busy machine a host that is given a fifth of a processor would
# else drown in its own timer ticks, and time limits inside would be hit by load.
: "${XENPV_ICOUNT=shift=1,sleep=off}"

# -monitor: Xen would idle with mwait, which TCG refuses. -smap,-smep: dom0
# would crash. -rdtscp,-rdpid: without NRIPS the intercept loops for ever. Without
# XSAVE there is no AVX either: with both, programs in dom0 died of heap corruption.
HOST_CPU=EPYC,-monitor,-smap,-smep,-rdtscp,-rdpid,-xsave,-avx,-avx2,-fma,-f16c
HOST_XEN_ARGS="dom0_max_vcpus=1 dom0_mem=1200M,max:1200M spec-ctrl=no com1=115200 console=com1 noreboot"
HOST_DOM0_ARGS="console=hvc0 quiet mitigations=off tsc=reliable"

host_prepare() {
	local run=$1 tools backends xsdev
	HOST_QEMU=$("$XENPV_TESTS/xen/qemu.sh")/qemu-system-x86_64
	HOST_IMAGES=$("$XENPV_TESTS/xen/dom0.sh")
	HOST_XEN=$HOST_IMAGES/xen.elf
	[ "${2:-}" != old ] || HOST_XEN=$("$XENPV_TESTS/xen/old-xen.sh")/xen.elf
	mapfile -t tools < <("$XENPV_TESTS/guest/tools.sh" amd64)
	[ ${#tools[@]} = 2 ] || die "no programs for dom0"
	backends=$("$XENPV_TESTS/backend/build.sh")
	xsdev=$("$XENPV_TESTS/guest/xsdev.sh")
	mkdir -p "$run/share"/{bin,boot,guests,log}
	cp "$("$XENPV_TESTS/xen/loader.sh")/mbr.img" "$run/share/boot/"
	cp "${tools[1]}"/{agent,client,stream} "$backends"/{vbd,vif}-backend "$xsdev"/{xsdev,xstalk,nextkernel} "$run/share/bin/"
	cp -r "$XENPV_TESTS/xen/dom0" "$XENPV_TESTS/xen/cases" "$run/share/"
}

host_start() {
	local run=$1
	rm -f "$run/dom0.sock" "$run/xen.log"
	"$HOST_QEMU" -M q35 -accel tcg ${XENPV_ICOUNT:+-icount "$XENPV_ICOUNT"} -cpu "$HOST_CPU" -smp "$XENPV_HOST_CPUS" -m "$XENPV_HOST_MEMORY" \
		-display none -vga none -no-reboot -nic none -monitor "unix:$run/monitor,server=on,wait=off" \
		-chardev "file,id=com1,path=$run/xen.log,append=on" -serial chardev:com1 \
		-serial "unix:$run/dom0.sock,server=on,wait=off" \
		-kernel "$HOST_XEN" -append "$HOST_XEN_ARGS" \
		-initrd "$HOST_IMAGES/vmlinuz $HOST_DOM0_ARGS,$HOST_IMAGES/initrd.img" \
		-drive "file=$HOST_IMAGES/root.img,format=raw,if=virtio,snapshot=on" \
		-virtfs "local,path=$run/share,mount_tag=bed,security_model=none,multidevs=remap" \
		>"$run/qemu.log" 2>&1 </dev/null &
	echo $! >"$run/qemu.pid"
	local i
	for i in $(seq 50); do
		[ ! -S "$run/dom0.sock" ] || break
		sleep 0.1
	done
	[ -n "$i" ] && dom0 "$run" -w $((400 * XENPV_TIMESCALE)) true
}

host_alive() {
	kill -0 "$(cat "$1/qemu.pid" 2>/dev/null)" 2>/dev/null
}

# host_crash RUN: what dom0's kernel said when it crashed, if it did. It may go on with
# that, but nothing that it does means anything then.
host_crash() {
	grep -m 1 -aoE '(general protection fault|BUG: (unable|kernel)|kernel BUG at|Oops: |invalid opcode: ).*[^[:cntrl:]]' "$1/xen.log"
}

host_stop() {
	local pid
	pid=$(cat "$1/qemu.pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	rm -f "$1/qemu.pid"
}

dom0() {
	local run=$1
	shift
	local opts=()
	while [[ ${1:-} = -* ]]; do
		case $1 in
		-t | -w) opts+=("$1" "$2") && shift ;;
		*) opts+=("$1") ;;
		esac
		shift
	done
	"$run/share/bin/client" "${opts[@]}" "$run/dom0.sock" "$@"
}
