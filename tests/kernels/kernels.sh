#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernels.sh list [boot|build]   names of the kernels to boot, or of all that
#                                modules are built for
# kernels.sh get NAME...         provide kernels; print a directory for each
#
# A kernel's directory holds
#   kdir      what `make KDIR=` takes
#   env       make arguments that building a module for it needs, or CHROOT=DIR
#             if it has to be built in there
#   release   uname -r          arch      i386 or amd64
# and of a kernel to boot also
#   vmlinuz   cmdline           extra kernel arguments of a guest
#   modules   lib/modules/RELEASE with the modules a guest may want
#
# Debian's kernels are as new as the mirror's at the time of the first `get`;
# XENPV_REFRESH=1 makes `get` build anew.  Exit status 77: the mirrors do not
# have the kernel any more, and it is one that can be done without.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
. "$here/../lib.sh"
# shellcheck source=apt.sh
. "$here/apt.sh"
# shellcheck source=own.sh
. "$here/own.sh"
# shellcheck source=stock.sh
. "$here/stock.sh"

# name           suite            arch  flavour        use   make argument
kernel_table() {
	cat <<-EOF
		noxen            own              amd64 -                boot
		noxen-debug      own              amd64 -                boot
		6.1-686          bookworm         i386  686              boot
		6.1-amd64        bookworm         amd64 amd64            boot
		6.12-amd64       bookworm         amd64 6.12-amd64       boot
		5.10-686         bullseye         i386  686              boot  CC=gcc-12
		6.1-686-pae      bookworm         i386  686-pae          build
		6.1-cloud-amd64  bookworm         amd64 cloud-amd64      build
		6.1-rt-amd64     bookworm         amd64 rt-amd64         build
		6.12-cloud-amd64 bookworm         amd64 6.12-cloud-amd64 build
		6.12-rt-amd64    bookworm         amd64 6.12-rt-amd64    build
		7-cloud-amd64    trixie-backports amd64 cloud-amd64      build
	EOF
}

kernel_list() {
	case ${1:-build} in
	boot) kernel_table | awk '$5 == "boot" { print $1 }' ;;
	build) kernel_table | awk '{ print $1 }' ;;
	*) usage ;;
	esac
}

kernel_get() {
	local name suite arch flavour use makearg rc=0
	read -r name suite arch flavour use makearg < <(kernel_table | awk -v n="$1" '$1 == n') ||
		die "no kernel named '$1'; there are: $(kernel_list | xargs)"
	if [ -n "${XENPV_REFRESH:-}" ]; then
		rm -f "$XENPV_CACHE/kernels/$name/.recipe"
	fi
	case $name in
	noxen) own_get "$name" "$here/noxen.config" ;;
	noxen-debug) own_get "$name" "$here/noxen.config" "$here/debug.config" ;;
	*) stock_get "$name" "$suite" "$arch" "$flavour" "$use" "$makearg" || rc=$? ;;
	esac
	if [ "$rc" = 77 ] && [ "$suite" != bullseye ]; then
		die "kernel $name is not to be had from the mirror"
	fi
	return "$rc"
}

usage() {
	sed -n '4,6s/^# //p' "$here/kernels.sh" >&2
	exit 2
}

case ${1:-} in
list)
	kernel_list "${2:-}"
	;;
get)
	shift
	[ $# -gt 0 ] || usage
	for kernel in "$@"; do
		kernel_get "$kernel"
	done
	;;
*)
	usage
	;;
esac
