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

say "demo with a guest of kernel $guest; everything made or downloaded stays in $XENPV_CACHE"
say "preparing what is not there yet: Xen host, kernel, programs, modules (minutes at the first time)"
# Messages for the user pass the log by.
rc=0
exec 3>&2
XENPV_TTY=3 "$here/xen/bed.sh" demo -o "$logs" "$guest" 2>"$logs/stderr" || rc=$?
if [ "$rc" -ne 0 ]; then
	die "the demo failed after $SECONDS s (status $rc); logs are in $logs"
fi
say "done in $SECONDS s; logs are in $logs"
