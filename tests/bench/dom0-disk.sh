# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# dom0's half of `make bench-disk`, for dom0-bench.

prepare() {
	local disk
	for disk in xvdf xvde; do
		in_guest fill "$disk"
	done
}

job() { in_guest job "$@"; }

describe_connection() {
	xenstore-ls -f "/local/domain/0/backend/vbd/$1"
	xenstore-ls -f "/local/domain/$1/device/vbd"
	grep . /sys/module/xen_blkback/parameters/* | sed 's,.*/,blkback ,; s/:/ = /'
}
