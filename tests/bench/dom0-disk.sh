# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154,SC2034
#
# dom0's half of `make bench-disk`, for dom0-bench.

TYPE=vbd BACKEND=blkback

prepare() {
	local disk
	for disk in xvdf xvde; do
		in_guest fill "$disk"
	done
}

job() { in_guest job "$@"; }
