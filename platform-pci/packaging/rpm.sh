#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# rpm.sh OUT VERSION: OUT/xenpv-dkms-VERSION-1.noarch.rpm, of OUT/xenpv-VERSION.tar.xz.
set -eu
umask 022

out=$1 version=$2
command -v rpmbuild >/dev/null || {
	echo "error: rpmbuild is not installed (apt install rpm, dnf install rpm-build)" >&2
	exit 1
}
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
log=$top/log
rpmbuild -bb --define "_topdir $top" --define "_sourcedir $(cd "$out" && pwd)" \
	--define "_build_id_links none" platform-pci/packaging/xenpv.spec >"$log" 2>&1 || {
	tail -n 15 "$log" >&2
	exit 1
}
cp "$top/RPMS/noarch/xenpv-dkms-$version-1.noarch.rpm" "$out/"
echo "$out/xenpv-dkms-$version-1.noarch.rpm"
