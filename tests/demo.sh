#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: demo.sh GUEST     (make demo GUEST=NAME)
#
# From a machine with nothing to a guest on a real Xen host that shows its
# emulated and its PV disk and card side by side, with a table at the end. What is
# shown is tests/xen/dom0/demo; this says what is going on meanwhile. Logs stay in
# $XENPV_CACHE/demo/GUEST. Status 0 when everything was right.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

[ $# -eq 1 ] || die "usage: demo.sh GUEST"
guest=$1
need_root "the demo"
"$here/kernels/kernels.sh" list boot | grep -qxF -- "$guest" ||
	die "there is no guest '$guest'; there are: $("$here/kernels/kernels.sh" list boot | xargs)"
logs=$XENPV_CACHE/demo/$guest
rm -rf "$logs"
mkdir -p "$logs" || die "cannot write to $logs"

# The host is built while the guest's kernel and programs are; bed.sh finds all of
# it made. A job of its own, because ^C does not reach one in the background.
prepare() {
	local kernel job rc=0
	set -m
	"$here/xen/dom0.sh" &
	job=$!
	set +m
	# shellcheck disable=SC2064 # this job
	trap "kill -TERM -- -$job 2>/dev/null; wait; exit 130" INT TERM
	kernel=$("$here/kernels/kernels.sh" get "$guest") &&
		"$here/guest/tools.sh" amd64 &&
		"$here/guest/tools.sh" "$(cat "$kernel/arch")" || rc=1
	"$here/xen/qemu.sh" || rc=1
	wait "$job" || rc=1
	trap - INT TERM
	return $rc
}

say "demo with a guest of kernel $guest; everything made or downloaded stays in $XENPV_CACHE"
say "preparing what is not there yet: Xen host, kernel, programs, modules (minutes at the first time)"
# Messages for the user pass the log by.
exec 3>&2
export XENPV_TTY=3
prepare >"$logs/stderr" 2>&1 || die "not all of it could be made, see above"
rc=0
"$here/xen/bed.sh" demo -o "$logs" "$guest" 2>>"$logs/stderr" || rc=$?
[ "$rc" -eq 0 ] || die "the demo failed after $SECONDS s (status $rc); logs are in $logs"
say "done in $SECONDS s; logs are in $logs"
