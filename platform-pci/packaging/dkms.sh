#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh install VERSION [KERNEL...]  give dkms the sources in /usr/src/xenpv-VERSION
#                                      and have it build them; without KERNEL for
#                                      every kernel here that has headers. Another
#                                      version is taken out of dkms.
# dkms.sh remove [VERSION]             take it out of dkms again, or all versions
#
# What make dkms-install, the .deb and the .rpm do. A package must never fail for a
# kernel that a module cannot be built for, so neither does this when all kernels are
# meant: it says what did not work.
set -u

action=$1 version=${2:-}
shift $(($# > 1 ? 2 : 1))

# VERSION of each line of `dkms status`: "xenpv/VERSION, ..." or "xenpv, VERSION, ...",
# by the age of dkms.
known() {
	dkms status -m xenpv 2>/dev/null | sed -n 's,^xenpv[/,] *\([^,: ]*\).*,\1,p' | sort -u
}

kernels() {
	for dir in /lib/modules/*/; do
		kernel=${dir%/}
		[ ! -e "$dir/build/Makefile" ] || echo "${kernel##*/}"
	done
}

remove() {
	for old in $(known); do
		[ -n "$1" ] && [ "$1" != "$old" ] || dkms remove -m xenpv -v "$old" --all || :
	done
}

install_for() {
	dkms build -m xenpv -v "$version" -k "$1" &&
		dkms install -m xenpv -v "$version" -k "$1" --force
}

install_all() {
	for kernel in $(kernels); do
		install_for "$kernel" ||
			echo "warning: no modules of xenpv for kernel $kernel: that kernel uses emulated devices" >&2
	done
	[ -n "$(kernels)" ] ||
		echo "no kernel here has headers: dkms builds the modules when they are installed" >&2
}

command -v dkms >/dev/null || {
	echo "error: dkms is not installed (apt install dkms)" >&2
	exit 1
}
case $action in
install)
	remove ""
	dkms add -m xenpv -v "$version" || exit
	if [ $# -eq 0 ]; then
		install_all
		exit 0
	fi
	for kernel; do
		install_for "$kernel" || exit
	done
	;;
remove)
	remove "$version"
	;;
esac
