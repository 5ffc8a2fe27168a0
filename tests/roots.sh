# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Clean Debian systems to install into: a root is a chroot, the base system of a
# release from the cache under an overlay of this run.  And the initrds made there: an
# image is asked itself, unpacked, by its own modprobe.  Needs lib.sh and $dir, a
# directory of the caller's, in which $dir/upper is what the run has added.
# shellcheck disable=SC2154 # dir is assigned there

MODULES="xen-platform-pci xen-vbd xen-vnif"

ROOT_INCLUDE=dkms,initramfs-tools,kmod,udev,zstd,xz-utils,ca-certificates

# The mirror's names stay in the chroot's own files.
base_build() {
	local tmp=$1 suite=$2 arch=$3
	unshare --mount --fork debootstrap --variant=minbase --arch="$arch" \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg --include="$4" \
		"$suite" "$tmp/root" "$(debian_mirror)"
	rm -rf "$tmp"/root/var/cache/apt/archives/*.deb "$tmp"/root/usr/share/{doc,locale,man}/*
	mkdir -p "$tmp/root/xenpv"
	printf '%s\n' 'Acquire::Languages "none";' 'Acquire::Check-Valid-Until "false";' \
		'APT::Install-Recommends "false";' 'DPkg::Options { "--force-confnew"; };' \
		'APT::Keep-Downloaded-Packages "true";' >"$tmp/root/etc/apt/apt.conf.d/99xenpv"
	# No daemon is started, and fsync of a thousand modules is of no use here.
	printf '#!/bin/sh\nexit 101\n' >"$tmp/root/usr/sbin/policy-rc.d"
	chmod 755 "$tmp/root/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$tmp/root/etc/dpkg/dpkg.cfg.d/xenpv"
}

base() {
	need_packages debootstrap
	cache_build "packages/$1-$2" "$(recipe_hash "$(declare -f base_build)" "$@" "$ROOT_INCLUDE")" \
		base_build "$1" "$2" "$ROOT_INCLUDE"
}

# root SUITE ARCH: the one that `run` enters from now on, empty but for its base.
root() {
	suite=$1 arch=$2
	lower=$(base "$suite" "$arch")/root
	rm -rf --one-file-system "$dir/upper" "$dir/work"
	mkdir -p "$dir"/{upper/xenpv,upper/etc/initramfs-tools/conf.d,work,root} "$XENPV_CACHE/apt/archives-$suite-$arch/partial"
	# Many initrds are made here; what is in them counts, not their size. All kernels
	# of the matrix can unpack gzip.
	printf '%s\n' COMPRESS=gzip COMPRESSLEVEL=1 RESUME=none >"$dir/upper/etc/initramfs-tools/conf.d/fast"
}

# run COMMAND: a shell command in the root. The mounts end with it.
run() {
	local personality=linux64
	[ "$arch" != i386 ] || personality=linux32
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --pid --fork --kill-child bash -euc '
		mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
		mount -t proc proc "$2/root/proc"
		mount --rbind /dev "$2/root/dev"
		mount --bind "$3" "$2/root/var/cache/apt/archives"
		cp /etc/resolv.conf "$2/root/etc/resolv.conf" 2>/dev/null || :
		exec "$5" chroot "$2/root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ \
			LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive VERSION="$6" bash -euo pipefail -c "$4"
	' run "$lower" "$dir" "$XENPV_CACHE/apt/archives-$suite-$arch" "$1" "$personality" "${VERSION:-}"
}

# merged COMMAND...: outside of the root, with its files in $dir/root.
merged() {
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount bash -euc '
		mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
		shift 2
		exec "$@"
	' merged "$lower" "$dir" "$@"
}

# in_root FUNCTION [WORD...]: a function of this script, run in the root.
in_root() { run "MODULES='$MODULES'; $(declare -f "$1"); $*"; }

# ---- initrds --------------------------------------------------------------------

# unpack IMAGE: into /tmp/image; newer ones have modules in a part of their own.
unpack() {
	run "rm -rf /tmp/image /tmp/parts
	mkdir /tmp/image
	unmkinitramfs $1 /tmp/parts
	[ -d /tmp/parts/main ] || exec mv -T /tmp/parts /tmp/image
	for part in /tmp/parts/early* /tmp/parts/main; do
		[ ! -d \$part ] || cp -a \$part/. /tmp/image
	done"
}

# has PATTERN: a file in it. (grep -q would end find by a signal.)
has() { run "cd /tmp/image && find . | grep -E '$1'" >/dev/null; }

# order RELEASE DRIVER: how it would load them.
order() {
	run "chroot /tmp/image modprobe -S $1 --show-depends $2" | sed -n 's,^insmod .*/\([^ ]*\)\.ko.*,\1,p' |
		grep -E "^(xen|$2)" | awk '!seen[$0]++' | paste -sd ' '
}

# image_sound RELEASE IMAGE [DRIVER]: all modules, once; our settings; DRIVER, of emulated
# disks, comes after them.
image_sound() {
	local module found
	unpack "$2"
	for module in $MODULES; do
		found=$(run "find /tmp/image -name '$module.ko*' | wc -l")
		[ "$found" = 1 ] || { echo "$module.ko is in $2 $found times"; return 1; }
	done
	has '/modprobe\.d/xenpv\.conf$' || { echo "no load order in $2"; return 1; }
	[ -n "${3:-}" ] || return 0
	found=$(order "$1" "$3")
	[[ $found =~ ^xen-platform-pci\ (xen-vbd\ xen-vnif|xen-vnif\ xen-vbd)\ $3$ ]] || {
		echo "$2 loads in this order: $found"
		return 1
	}
}
