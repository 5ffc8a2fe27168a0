#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# packages.sh [ROOT...]: the .deb and the .rpm: what they hold, and in clean Debian
# systems with real kernel packages, installed, upgraded and removed in the orders in
# which people do that.  Prints PASS|FAIL ROOT/NAME [REASON] for each step.
#
# A root is a chroot (roots.sh) that the steps fill one after the other; so a step that
# fails may take later ones with it.  Nothing is installed on this machine but the tools.
# Takes half an hour, and 400 MB of packages at the first run. QUICK=1: a quarter of
# that, with modules that do nothing; who comes and goes, and when, is the same.
set -euo pipefail

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/roots.sh
. "$XENPV_TESTS/roots.sh"

ROOTS="contents amd64 forgotten i386 trixie"

need_root "a chroot"
need_packages rpm xz-utils
VERSION=$(sed -n 's/^XENPV_VERSION *:= *//p' "$XENPV_TOP/Kbuild")
NEWER=$VERSION.1
mkdir -p "$XENPV_CACHE"/{tmp,lock,log}
dir=$(mktemp -d "$XENPV_CACHE/tmp/packages.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
exec {lock}>"$XENPV_CACHE/lock/packages"
flock "$lock"
LOG=${XENPV_PACKAGES_LOG:-$XENPV_CACHE/log/packages.log}
: >"$LOG"

# ---- what must be there ---------------------------------------------------------

# modules_for RELEASE VERSION: all three, in dkms's place, known to depmod, from our
# sources.
modules_for() {
	local module file version
	for module in $MODULES; do
		file=$(modinfo -k "$1" -n "$module" 2>&1) || :
		case $file in
		"/lib/modules/$1/updates/dkms/$module.ko"*) ;;
		*) echo "$module for $1: $file" && return 1 ;;
		esac
		version=$(modinfo -k "$1" -F version "$module")
		[ "$version" = "$2" ] || { echo "$module for $1 is $version, not $2"; return 1; }
	done
}

# No package half there.
healthy() {
	[ -z "$(dpkg --audit)" ] || { dpkg --audit | tail -n 1; return 1; }
	! dpkg -l | grep '^i[^i]' || return 1
}

# serves RELEASE [VERSION]: modules, and an initrd that loads the same in order.
serves() {
	local version=${2:-$VERSION} inside
	in_root modules_for "$1" "$version"
	image_sound "$1" "/boot/initrd.img-$1" ata_piix
	inside=$(run "modinfo -F version \$(find /tmp/image -name 'xen-vbd.ko*')")
	[ "$inside" = "$version" ] || { echo "xen-vbd in the initrd of $1 is $inside, not $version"; return 1; }
	in_root healthy
}

# Modules that do nothing but say why.
refusing() {
	local module
	for module in $MODULES; do
		modinfo -k "$1" -F description "$module" | grep 'did not build' || { echo "$module for $1 is not one that refuses"; return 1; }
	done
}

nothing_left() {
	local image left
	left=$(find /lib/modules /var/lib/dkms /usr/src /usr/lib/modprobe.d /usr/lib/udev /usr/lib/dracut /usr/share/initramfs-tools \
		\( -name '*xenpv*' -o -name 'xen-vbd.ko*' -o -name 'xen-vnif.ko*' -o -name 'xen-platform-pci.ko*' \) 2>/dev/null || :)
	[ -z "$left" ] || { echo "left behind: ${left//$'\n'/ }"; return 1; }
	for image in /boot/initrd.img-*; do
		! lsinitramfs "$image" | grep -E '/xen-(vbd|vnif|platform-pci)\.ko' || { echo "$image has modules"; return 1; }
	done
}

# kernels [PATTERN], release [PATTERN]: those in the root, the newest of them.
kernels() { run "ls /lib/modules 2>/dev/null || :" | grep -E -- "${1:-.}" | sort -V; }
release() { kernels "$@" | tail -n 1; }

# ---- what people do -------------------------------------------------------------

apt_install() { run "apt-get -y -q install $*"; }

# quick_packages VERSION: of a tree whose modules are built in seconds.
quick_packages() {
	local copy=$dir/quick
	rm -rf "$copy"
	mkdir "$copy"
	tar -C "$copy" --strip-components=1 -xf "$dir/packages/xenpv-$VERSION.tar.xz"
	sed -i "s/$VERSION/$1/" "$copy"/{Kbuild,dkms.conf,platform-pci/{packaging/xenpv.spec,xenpv-doctor}}
	sed -i '1i XPV_REFUSE := 1' "$copy/Kbuild"
	make -s -C "$copy" deb rpm OUT="$dir/packages"
}

make_packages() {
	make -s -C "$XENPV_TOP" deb rpm OUT="$dir/packages"
	quick_packages "$NEWER"
	[ -z "${QUICK:-}" ] || quick_packages "$VERSION"
}

# system SUITE ARCH: a clean one, with the packages in /xenpv. Its initrds hold no more
# drivers than the one that ours go before: initrd.sh has all of them.
system() {
	root "$1" "$2"
	echo MODULES=list >>"$dir/upper/etc/initramfs-tools/conf.d/fast"
	echo ata_piix >"$dir/upper/etc/initramfs-tools/modules"
	cp "$dir/packages"/*.{deb,rpm} "$dir/upper/xenpv/"
	run "apt-get -q update" >>"$LOG" 2>&1
}

# Of this tree, or of VERSION, for all kernels that are there.
install_deb() {
	local version=${1:-$VERSION} kernel
	apt_install "/xenpv/xenpv-dkms_${version}_all.deb"
	for kernel in $(kernels); do
		serves "$kernel" "$version"
	done
	in_root healthy
}

# install_kernel FLAVOUR: image and headers in one go, as apt orders them.
install_kernel() {
	apt_install "linux-image-$1" "linux-headers-$1"
	serves "$(release "-$1\$")"
}

# The image first: its initrd is made when dkms cannot build yet, and then once more.
image_then_headers() {
	apt_install "linux-image-$1"
	install_kernel "$1"
}

# To the one of the security updates; the old one stays beside it.
upgrade_kernel() {
	local old=$1
	mkdir -p "$dir/upper/etc/apt/sources.list.d"
	echo "deb $(debian_mirror security) $suite-security main" >"$dir/upper/etc/apt/sources.list.d/security.list"
	run "apt-get -q update"
	install_kernel cloud-amd64
	[ "$(release)" != "$old" ] || { echo "there is no kernel newer than $old"; return 1; }
	serves "$old"
}

# remove_kernel RELEASE: with what depends on it; the others still work, and there must be
# one: when none has modules any more, dkms 3.0 forgets the sources.
remove_kernel() {
	local kernel left
	run "apt-get -y -q purge linux-image-$1 linux-headers-$1"
	left=$(run "ls -d /lib/modules/$1 /boot/*-$1 /var/lib/dkms/xenpv/*/$1 2>/dev/null || :")
	[ -z "$left" ] || { echo "left behind: ${left//$'\n'/ }"; return 1; }
	for kernel in $(kernels); do
		serves "$kernel"
	done
	[ -n "${kernel:-}" ] || { echo "no kernel is left"; return 1; }
}

# What the package of a kernel runs that we know nothing of: its headers do not go
# with our sources. It has no initrd before that.
as_unknown_kernel() {
	local common
	rm "/boot/initrd.img-$1"
	dkms unbuild -m xenpv -v "$VERSION" -k "$1"
	common=$(sed -n 's,^include \(.*\)/Makefile,\1,p' "/usr/src/linux-headers-$1/Makefile")
	sed -i '1i #error no such kernel' "$common/include/linux/blkdev.h"
	run-parts --exit-on-error --arg="$1" --arg="/boot/vmlinuz-$1" /etc/kernel/postinst.d
	test -s "/boot/initrd.img-$1" || { echo "no initrd"; return 1; }
}

unknown_kernel() {
	in_root as_unknown_kernel "$1"
	in_root refusing "$1"
	in_root healthy
}

purge_deb() {
	run "apt-get -y -q purge xenpv-dkms"
	in_root nothing_left
	in_root healthy
}

# When the last kernel goes that has modules, dkms 3.0 forgets the sources, and the next
# kernel gets none.
forgotten() {
	local kernel
	kernel=$(release)
	run "apt-get -y -q purge linux-image-$kernel"
	apt_install linux-image-cloud-amd64
	run "dpkg-reconfigure xenpv-dkms"
	serves "$kernel"
	in_root healthy
}

# rpm has its own view of what is installed: only files and scripts are ours here.
rpm_life() {
	local kernel
	kernel=$(release)
	apt_install rpm
	run "rpm -i --nodeps --force-debian /xenpv/xenpv-dkms-$VERSION-1.noarch.rpm"
	serves "$kernel"
	run "rpm -U --nodeps --force-debian /xenpv/xenpv-dkms-$NEWER-1.noarch.rpm"
	serves "$kernel" "$NEWER"
	run "rpm -e --nodeps --force-debian xenpv-dkms"
	in_root nothing_left
}

# files_of deb|rpm: what a package holds, one path a line, from the root directory on.
files_of() {
	case $1 in
	deb) dpkg-deb --fsys-tarfile "$dir/packages/xenpv-dkms_${VERSION}_all.deb" | tar -t | sed 's,^\.,,' ;;
	rpm) rpm -qpl "$dir/packages/xenpv-dkms-$VERSION-1.noarch.rpm" ;;
	esac
}

# What a package must hold, what it must not (sources of tests, objects, settings of
# tools that its systems lack), and that it runs something when it comes and goes.
contents() {
	local kind=$1 file files src=/usr/src/xenpv-$VERSION
	files=$(files_of "$kind")
	for file in $src/{dkms.conf,Makefile,Kbuild,include/xenpv/probes.sh,platform-pci/main.c,xenbus/phase.c,blkfront/queue.c,netfront/tx.c} \
		$src/platform-pci/packaging/{dkms,initrd}.sh /usr/lib/modprobe.d/xenpv.conf /usr/lib/udev/rules.d/60-xenpv-disk.rules \
		/usr/lib/dracut/dracut.conf.d/50-xenpv.conf /usr/sbin/xenpv-doctor /usr/share/man/man4/xen-vbd.4 /usr/share/man/man8/xenpv-doctor.8; do
		grep -qE "^$file(\.gz)?$" <<<"$files" || { echo "$kind lacks $file"; return 1; }
	done
	! grep -E '\.(o|ko|cmd|mod)$|/tests/|mkinitcpio\.conf\.d' <<<"$files" || return
	case $kind in
	deb)
		grep -q /initramfs-tools/hooks/xenpv <<<"$files" || { echo "no hook"; return 1; }
		[ "$(dpkg-deb --ctrl-tarfile "$dir/packages/xenpv-dkms_${VERSION}_all.deb" | tar -t | grep -cE '/(postinst|prerm|postrm|triggers|md5sums)$')" = 5 ]
		;;
	rpm)
		! grep initramfs-tools <<<"$files" || return
		rpm -qp --scripts "$dir/packages/xenpv-dkms-$VERSION-1.noarch.rpm" | grep -c 'dkms.sh \(install\|remove\)' | grep -qx 2
		;;
	esac
}

# ---- roots ----------------------------------------------------------------------

step() { verdict_of "$label/$1" "${@:2}"; }

# No root: the packages as they were built.
root_contents() {
	step deb contents deb
	step rpm contents rpm
}

root_amd64() {
	local old variant
	system bookworm amd64
	step kernel apt_install linux-image-cloud-amd64 linux-headers-cloud-amd64
	old=$(release)
	step deb install_deb
	step upgrade-kernel upgrade_kernel "$old"
	step remove-kernel remove_kernel "$old"
	step variant-rt image_then_headers rt-amd64
	variant=$(release rt)
	step unknown-kernel unknown_kernel "$variant"
	step remove-variant remove_kernel "$variant"
	step upgrade-deb install_deb "$NEWER"
	step purge purge_deb
	step rpm rpm_life
}

root_forgotten() {
	system bookworm amd64
	step kernel apt_install linux-image-cloud-amd64 linux-headers-cloud-amd64
	step deb install_deb
	step forgotten forgotten
}

root_i386() {
	system bookworm i386
	step deb-without-kernel install_deb
	step kernel install_kernel 686
	step variant-pae install_kernel 686-pae
	step remove-variant remove_kernel "$(release '[^e]$')"
	step purge purge_deb
}

# dkms 3.2, and modules that are compressed.
root_trixie() {
	system trixie amd64
	step deb-without-kernel install_deb
	step kernel install_kernel cloud-amd64
	step unknown-kernel unknown_kernel "$(release)"
	step purge purge_deb
}

# shellcheck disable=SC2086 # one word a root
[ $# -gt 0 ] || set -- $ROOTS
make_packages >>"$LOG" 2>&1 || die "the packages cannot be made; see $LOG"
for label; do
	"root_$label"
done
