#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the disk of a guest as people install it, and prints the directory of its image
# (disk.img, sparse): Debian 12, 32-bit, with a kernel without PAE, its headers, a compiler,
# dkms and our .deb, all on its first partition. The release has more than one such kernel:
# it is the last but one.
#
# Its boot sector is written here, with a grub.cfg that boots the links /vmlinuz and
# /initrd.img: GRUB's own programs want a running system. In the guest, `grub-install
# /dev/sda` and `update-grub` do the rest, as on any machine. Its only source of packages
# is /srv/upgrade: image and headers of the newest one.
#
# Apart from that: the agent on the second serial port, a kernel that logs to the first
# one, no password for root, a card enX0 that asks for an address by DHCP, and in fstab
# /srv/data, which dom0/guest-create puts on another disk.

set -euo pipefail
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=tests/roots.sh
. "$XENPV_TESTS/roots.sh"

PACKAGES="systemd-sysv dbus ifupdown isc-dhcp-client iproute2 iputils-ping ethtool procps fdisk"
# grub-pc itself asks for the disk to install to when it is installed.
PACKAGES+=" grub2-common grub-pc-bin"
ROOT_UUID=6b1d7c52-3a0f-4f5e-9c07-0d1f5b7a4e21
# dom0/guest-create has the same.
DATA_UUID=2f0c9b3e-57d4-4d0a-8a53-71c6e2b9d810
# Of a guest in this bed; see dom0/guest-create.
CMDLINE="console=ttyS0,115200 loglevel=5 nokaslr mitigations=off tsc=reliable panic=-1"
GRUB_MODULES="biosdisk part_msdos ext2 normal configfile linux search search_fs_uuid boot"
SIZE=3072
export MODULES ROOT_INCLUDE PACKAGES ROOT_UUID DATA_UUID CMDLINE GRUB_MODULES SIZE

# to PATH: standard input as that file of the root.
to() {
	mkdir -p "$(dirname "$dir/upper/$1")"
	cat >"$dir/upper/$1"
}

settings() {
	echo installed | to etc/hostname
	printf '127.0.0.1 localhost\n127.0.1.1 installed\n' | to etc/hosts
	printf 'UUID=%s / ext4 errors=remount-ro 0 1\nUUID=%s /srv/data ext4 nofail 0 2\n' "$ROOT_UUID" "$DATA_UUID" | to etc/fstab
	printf 'auto lo\niface lo inet loopback\nallow-hotplug enX0\niface enX0 inet dhcp\n' | to etc/network/interfaces
	to etc/default/grub <<-EOF2
		GRUB_DEFAULT=0
		GRUB_TIMEOUT=0
		GRUB_DISTRIBUTOR=Debian
		GRUB_CMDLINE_LINUX_DEFAULT=quiet
		GRUB_CMDLINE_LINUX="$CMDLINE"
		GRUB_TERMINAL=console
	EOF2
	to etc/systemd/system/xenpv-agent.service <<-EOF2
		[Unit]
		Description=Runs commands for the test bed
		[Service]
		ExecStart=/usr/local/sbin/agent /dev/ttyS1
		Restart=always
		[Install]
		WantedBy=multi-user.target
	EOF2
	mkdir -p "$dir/upper/srv/data"
}

# Initrds as Debian's installer has them made by "targeted": with what the machine needs. This
# one, made in a chroot, is told what that is.
targeted() {
	case $1 in
	chroot)
		printf 'MODULES=list\nRESUME=none\n' | to etc/initramfs-tools/conf.d/driver-policy
		printf '%s\n' ata_piix sd_mod ext4 | to etc/initramfs-tools/modules
		;;
	guest)
		printf 'MODULES=dep\nRESUME=none\n' | to etc/initramfs-tools/conf.d/driver-policy
		: | to etc/initramfs-tools/modules
		;;
	esac
}

# Once it is there, a kernel's package runs update-grub.
boot_menu() {
	to boot/grub/grub.cfg <<-EOF2
		search --no-floppy --fs-uuid --set=root $ROOT_UUID
		linux /vmlinuz root=UUID=$ROOT_UUID ro quiet $CMDLINE
		initrd /initrd.img
		boot
	EOF2
}

# In the root: the newer kernel as a source of packages.
upgrade_source() {
	local kernel="linux-image-686 linux-headers-686" name version
	mkdir /srv/upgrade
	apt-get -y -q --download-only install $kernel
	apt-get -q --simulate install $kernel | sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1 \2/p' |
		while read -r name version; do
			cp "/var/cache/apt/archives/${name}_${version/:/%3a}"_*.deb /srv/upgrade/
		done
	cd /srv/upgrade
	dpkg-scanpackages . >Packages
	echo 'deb [trusted=yes] file:/srv/upgrade ./' >/etc/apt/sources.list
}

# In the root: the one before the newest kernel.
older_kernel() {
	local old
	old=$(apt-cache pkgnames linux-headers-6 | grep -E '^linux-headers-[0-9.-]+-686$' | sort -V | tail -n 2 | head -n 1)
	[ "$(apt-cache depends linux-headers-686 | grep -c " $old\$")" = 0 ] || { echo "the mirror has no kernel but $old"; return 1; }
	apt-get -y -q install "$old" "${old/headers/image}"
}

# build_system TMPDIR: all but what is ours.
build_system() {
	dir=$1
	root bookworm i386
	rm "$dir/upper/etc/initramfs-tools/conf.d/fast"
	settings
	targeted chroot
	run "apt-get -q update
		apt-get -y -q install $PACKAGES"
	in_root older_kernel
	in_root upgrade_source
	boot_menu
	run "rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d /etc/resolv.conf
		systemctl enable xenpv-agent
		passwd -d root"
	rm -rf --one-file-system "$dir/work" "$dir/root"
}

# build_disk TMPDIR SYSTEM AGENT
build_disk() {
	local grub=/usr/lib/grub/i386-pc image=$1/disk.img
	dir=$1
	root bookworm i386
	lower=$2/upper:$lower
	rm -rf "$dir/upper/etc"
	make -s -C "$XENPV_TOP" deb OUT="$dir/upper/xenpv"
	install -D -m 755 "$3/agent" "$dir/upper/usr/local/sbin/agent"
	run "apt-get -y -q install /xenpv/xenpv-dkms_*.deb; rm -rf /xenpv"
	targeted guest
	truncate -s "${SIZE}M" "$image"
	merged mke2fs -q -t ext4 -U "$ROOT_UUID" -E offset=1048576 -d "$dir/root" "$image" $((SIZE - 1))M
	echo 'start=2048, type=83, bootable' | sfdisk -q "$image"
	# shellcheck disable=SC2086 # one word a module
	grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$dir/core.img" $GRUB_MODULES
	dd if=$grub/boot.img of="$image" bs=440 count=1 conv=notrunc status=none
	dd if="$dir/core.img" of="$image" bs=512 seek=1 conv=notrunc status=none
	rm -rf --one-file-system "$dir"/{upper,work,root,core.img}
}

need_root "a chroot"
need_packages debootstrap e2fsprogs fdisk grub-common grub-pc-bin
need_space 6000
mapfile -t TOOLS < <("$XENPV_TESTS/guest/tools.sh" i386)
[ ${#TOOLS[@]} = 2 ] || die "no agent for it"
BASE=$(base bookworm i386)
HASH=$(recipe_hash "$(declare -f build_system settings targeted boot_menu older_kernel upgrade_source to root run in_root)" "$(cat "$BASE/.recipe")" \
	"$PACKAGES" "$ROOT_UUID" "$DATA_UUID" "$CMDLINE")
SYSTEM=$(cache_build installed/system "$HASH" build_system)
cd "$XENPV_TOP"
mapfile -t SOURCES < <(find Makefile Kbuild dkms.conf platform-pci xenbus blkfront netfront include -type f \
	! -name '.*' ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '*.order' ! -name '*.symvers' \
	! -name 'xpv-probes.h*' | LC_ALL=C sort)
HASH=$(recipe_hash "$HASH" "$(declare -f build_disk targeted to merged)" "$(cat "${TOOLS[1]}/.recipe")" "$GRUB_MODULES" "$SIZE" -- "${SOURCES[@]}")
cache_build installed/disk "$HASH" build_disk "$SYSTEM" "${TOOLS[1]}"
