# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian's own kernels: headers to build against and, for kernels to boot, the
# image and the few modules of it that a guest may want.  Nothing is installed;
# everything is unpacked below the kernel's cache entry.  Needs ../lib.sh and
# apt.sh.

# What a guest can ask for.  Dependencies come along; what is built in is noted
# as such by modules.builtin.
export STOCK_MODULES="ata_piix ata_generic ahci sd_mod ext4 crc32c_generic loop dm-mod
	e1000 8139cp 8139too af_packet ipv6 veth dummy 8021q bridge"

# The frontends this project is measured against, where the kernel has them.
export STOCK_FRONTENDS="xen-blkfront xen-netfront"

# stock_hash NAME SUITE ARCH FLAVOUR BOOT [MAKEARG]: of what this kernel takes.
stock_hash() {
	local recipe
	recipe=$(declare -f stock_build stock_headers)
	if [ "$5" = boot ]; then
		recipe+=$(declare -f stock_image stock_modules)$STOCK_MODULES$STOCK_FRONTENDS
	fi
	case $2 in
	trixie*) recipe+=$(declare -f stock_chroot) ;;
	esac
	recipe_hash "$recipe" "$@"
}

# stock_get NAME SUITE ARCH FLAVOUR BOOT [MAKEARG]: print the directory of the
# finished kernel.  FLAVOUR as in linux-headers-FLAVOUR; BOOT is boot or build.
stock_get() {
	local name=$1 hash
	hash=$(stock_hash "$@")
	if ! cache_fresh "kernels/$name" "$hash"; then
		need_packages build-essential gcc-12 libelf1 xz-utils kmod
		need_space 1200
		case $2 in
		trixie*)
			need_root "a build environment of a newer Debian (kernel $name)"
			need_packages debootstrap
			;;
		esac
		# Whether the mirror still has it, before anything is thrown away.
		apt_newest "$2" "linux-headers-$4:$3" linux-headers- >/dev/null || return
	fi
	cache_build "kernels/$name" "$hash" stock_build "$@"
}

# stock_build TMPDIR NAME SUITE ARCH FLAVOUR BOOT [MAKEARG]
stock_build() {
	local tmp=$1 name=$2 suite=$3 arch=$4 flavour=$5 boot=$6 makearg=${7:-} headers release
	headers=$(apt_newest "$suite" "linux-headers-$flavour:$arch" linux-headers-)
	headers=${headers%:*}
	release=${headers#linux-headers-}
	case $suite in
	trixie*) stock_chroot "$tmp" "$suite" "$name" ;;
	*) printf '%s' "${makearg:+$makearg$'\n'}" >"$tmp/env" ;;
	esac
	stock_headers "$tmp" "$suite" "$arch" "$headers" "$name"
	if [ "$boot" = boot ]; then
		stock_image "$tmp" "$suite" "$arch" "$release"
	fi
	echo "$release" >"$tmp/release"
	echo "$arch" >"$tmp/arch"
	# Native Xen support exists in this kernel unless it is a 32-bit one
	# without PAE; nopv keeps it off and the platform device free.
	if grep -q '^CONFIG_XEN=y' "$tmp/kdir/.config"; then
		echo nopv >"$tmp/cmdline"
	else
		: >"$tmp/cmdline"
	fi
}

# The flavour's headers, the common ones and linux-kbuild (host programs, so
# always amd64), all of one version: their names in Depends, the version from
# the flavour's.
stock_headers() {
	local tmp=$1 suite=$2 arch=$3 headers=$4 name=$5 root version others tree=tree
	root=$(apt_root "$suite")
	version=$(apt-cache -c "$root/apt.conf" show "$headers:$arch" | awk '/^Version:/ { print $2; exit }')
	mapfile -t others < <(apt-cache -c "$root/apt.conf" depends --no-recommends --no-suggests \
		"$headers:$arch" | grep -oE 'linux-(headers-[^ :>]*-common[^ :>]*|kbuild-[^ :>]*)' | sort -u)
	[ ${#others[@]} -ge 2 ] || die "cannot tell the parts of $headers from its dependencies"
	[ ! -d "$tmp/chroot" ] || tree=chroot
	apt_unpack "$suite" "$tmp/$tree" "$headers:$arch" "${others[@]/%/=$version}"
	ln -s "$tree/usr/src/$headers" "$tmp/kdir"
	if [ "$tree" = tree ]; then
		grep -rlZ /usr/src/ "$tmp"/tree/usr/src/*/Makefile |
			xargs -0 sed -i "s#/usr/src/#$(cache_path "kernels/$name")/tree/usr/src/#g"
	fi
}

stock_image() {
	local tmp=$1 suite=$2 arch=$3 release=$4
	apt_unpack "$suite" "$tmp/image" "linux-image-$release:$arch"
	cp "$tmp/image/boot/vmlinuz-$release" "$tmp/vmlinuz"
	stock_modules "$tmp" "$release"
	rm -rf "$tmp/image"
}

stock_modules() {
	local tmp=$1 release=$2 from=$1/image/lib/modules/$2 to=$1/modules/lib/modules/$2
	local wanted=$STOCK_MODULES mod path
	if grep -q '^CONFIG_XEN=y' "$tmp/kdir/.config"; then
		wanted+=" $STOCK_FRONTENDS"
	fi
	depmod -b "$tmp/image" "$release"
	mkdir -p "$to"
	for mod in $wanted; do
		modprobe -C /dev/null -d "$tmp/image" -S "$release" --show-depends "$mod" ||
			die "kernel $release has no module $mod"
	done | awk '$1 == "insmod" { print $2 }' | sort -u >"$tmp/image/wanted"
	while read -r path; do
		install -D -m 644 "$path" "$to/${path#"$from/"}"
	done <"$tmp/image/wanted"
	find "$to" -name '*.ko.xz' -exec xz -d {} +
	cp "$from"/modules.builtin* "$from"/modules.order "$to"
	depmod -b "$tmp/modules" "$release"
}

# A kernel newer than this machine's release needs its compiler and C library.
# The headers go into the same tree, where all paths are as their package means
# them.  debootstrap mounts /proc in the target; in a mount namespace of its own
# no kill can leave it mounted.
stock_chroot() {
	local tmp=$1 suite=${2%-backports} name=$3 mirror
	mirror=$(debian_mirror)
	unshare --mount --fork --kill-child debootstrap --variant=minbase \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--include=make,gcc-14,libelf1t64,pahole,xz-utils "$suite" "$tmp/chroot" "$mirror"
	rm -rf "$tmp"/chroot/var/cache/apt/archives/*.deb "$tmp"/chroot/usr/share/{doc,locale,man}
	ln -sf gcc-14 "$tmp/chroot/usr/bin/gcc"
	echo "CHROOT=$(cache_path "kernels/$name")/chroot" >"$tmp/env"
}
