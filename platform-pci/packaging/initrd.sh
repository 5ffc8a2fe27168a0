#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# initrd.sh KERNEL: dkms runs this when it has installed or removed the modules of
# that kernel. Where its initrd is there already, it was made without them: the image
# was installed before its headers, or long ago. An initrd that is not there yet is
# made after dkms is done, by the kernel's own package.
#
# Never fails: the initrd that is there still boots, from emulated devices.
# XENPV_TRIGGERED names the kernel whose initrd a package manager makes anew anyway, or
# is `all`.
set -u

kernel=$1
case ${XENPV_TRIGGERED:-} in
all | "$kernel") exit 0 ;;
esac
# dkms takes the modules away because the kernel goes, and its initrd with it.
case ${DPKG_MAINTSCRIPT_PACKAGE:-}/${DPKG_MAINTSCRIPT_NAME:-} in
linux-image-*/prerm) exit 0 ;;
esac

# dkms itself does it later, too late for what reads modules.dep.
depmod() {
	[ ! -d "/lib/modules/$kernel/kernel" ] || command depmod -a "$kernel"
}

# Debian, Fedora, openSUSE.
for image in "/boot/initrd.img-$kernel" "/boot/initramfs-$kernel.img" "/boot/initrd-$kernel"; do
	[ -e "$image" ] || continue
	depmod
	if command -v update-initramfs >/dev/null; then
		update-initramfs -u -k "$kernel"
	elif command -v dracut >/dev/null; then
		dracut --quiet --force "$image" "$kernel"
	fi || echo "warning: $image could not be made anew; it stays as it was" >&2
done
exit 0
