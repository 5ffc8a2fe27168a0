#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dist.sh OUT VERSION: the sources as OUT/xenpv-VERSION.tar.xz.  The same bytes from a
# git tree and from the unpacked tarball, on any day and as any user: the files are
# those that git knows (in a tarball all that a build does not make), in one order,
# with the time of the last commit (in a tarball, of its files).
set -eu

out=$1 name=xenpv-$2
mkdir -p "$out"

# Products of builds in the tree, which .gitignore names as well.
list_tree() {
	find . \( -path ./results -o -path './tests/*/build' -o -name .git -o -name .tmp_versions \) -prune -o \
		-type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '.*.cmd' ! -name '*.order' \
		! -name '*.symvers' ! -name '*.a' ! -name 'xpv-probes.h*' -printf '%P\n'
}

if git rev-parse --show-toplevel 2>/dev/null | grep -qxF "$PWD"; then
	list='git ls-files'
	[ -z "$(git status --porcelain --untracked-files=no)" ] ||
		echo "warning: the tree has changes that are not committed; they are in the tarball" >&2
	epoch=$(git log -1 --format=%ct)
else
	list=list_tree
	epoch=$(stat -c %Y dkms.conf)
fi

$list | LC_ALL=C sort | tar --create --no-recursion --files-from=- --transform="s,^,$name/,S" \
	--owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$epoch}" \
	--mode='u+rw,go=u,go-w,a-s' --format=gnu | xz -9 --threads=1 >"$out/$name.tar.xz.new"
mv "$out/$name.tar.xz.new" "$out/$name.tar.xz"
echo "$out/$name.tar.xz"
