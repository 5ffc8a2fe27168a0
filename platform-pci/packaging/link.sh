#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# link.sh DIR SOURCE...: links to the sources, made in DIR, for a build there.
# The kernel's MO= does the like, but exists since 6.13 alone. Only sources are
# linked: objects of another build, reached through a link, would be overwritten.
set -eu

dir=$1
shift
mkdir -p "$dir"
[ "$(realpath "$dir")" != "$(pwd -P)" ] || {
	echo "error: MO= is this directory itself" >&2
	exit 1
}
find "$@" -type f \( -name Kbuild -o -name '*.[ch]' -o -name '*.sh' \) ! -name '*.mod.c' |
	while read -r file; do
		[ -d "$dir/${file%/*}" ] || [ "${file%/*}" = "$file" ] || mkdir -p "$dir/${file%/*}"
		ln -sf "$PWD/$file" "$dir/$file"
	done
# Sources that are gone.
find "$dir" -xtype l -delete
