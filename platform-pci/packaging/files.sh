#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# files.sh install|uninstall ROOT [deb|rpm]: what the tools of a system take from us,
# apart from the modules.  Run in the top directory of the sources.  Nothing of it is
# a user's to edit, so all is below /usr; mkinitcpio alone reads /etc and nothing
# else, and the systems that have it do not take our packages.
set -eu

action=$1 root=$2 package=${3:-}
here=platform-pci/packaging

# MODE SOURCE DESTINATION
table() {
	cat <<-EOT
		644 platform-pci/modprobe.conf usr/lib/modprobe.d/xenpv.conf
		644 blkfront/60-xenpv-disk.rules usr/lib/udev/rules.d/60-xenpv-disk.rules
		644 $here/dracut.conf usr/lib/dracut/dracut.conf.d/50-xenpv.conf
		755 platform-pci/xenpv-doctor usr/sbin/xenpv-doctor
	EOT
	[ "$package" = rpm ] || echo "755 $here/initramfs-hook usr/share/initramfs-tools/hooks/xenpv"
	[ -n "$package" ] || echo "644 $here/mkinitcpio.conf etc/mkinitcpio.conf.d/xenpv.conf"
	for page in platform-pci/man/*.[48]; do
		echo "644 $page usr/share/man/man${page##*.}/${page##*/}"
	done
}

table | while read -r mode from to; do
	if [ "$action" = uninstall ]; then
		rm -f "$root/$to"
	elif [ -e "$from" ]; then
		install -D -m "$mode" "$from" "$root/$to"
	fi
done
