#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# deb.sh OUT VERSION: OUT/xenpv-dkms_VERSION_all.deb, made of the tree as it is by
# dpkg-deb alone, which every Debian has.  Run in the top directory.
set -eu
umask 022

out=$1 version=$2 here=platform-pci/packaging
command -v dpkg-deb >/dev/null || {
	echo "error: dpkg-deb is not here (apt install dpkg)" >&2
	exit 1
}
# The time in the package: that of the commit, or of the unpacked sources.
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y dkms.conf)}"
export SOURCE_DATE_EPOCH

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
"${MAKE:-make}" -s --no-print-directory DESTDIR="$root" dkms-files
sh $here/files.sh install "$root" deb
doc=$root/usr/share/doc/xenpv-dkms
mkdir -p "$doc" "$root/DEBIAN"
find "$root/usr/share/man" -type f -exec gzip -n9 {} + 2>/dev/null || :
cp $here/copyright "$doc"
cp README.md "$doc"
printf 'xenpv (%s) stable; urgency=medium\n\n  * Made from the tree of that version.\n\n -- xenpv <root@localhost>  %s\n' \
	"$version" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" | gzip -n9 >"$doc/changelog.gz"

size=$(du -ks --exclude=DEBIAN "$root" | cut -f 1)
sed "s/@VERSION@/$version/g; s/@SIZE@/$size/" $here/deb/control >"$root/DEBIAN/control"
cp $here/deb/triggers "$root/DEBIAN/triggers"
for script in postinst prerm postrm; do
	sed "s/@VERSION@/$version/g" $here/deb/$script >"$root/DEBIAN/$script"
	chmod 755 "$root/DEBIAN/$script"
done
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out/xenpv-dkms_${version}_all.deb" >/dev/null
echo "$out/xenpv-dkms_${version}_all.deb"
