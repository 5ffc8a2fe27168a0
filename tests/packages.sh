#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# packages.sh [ROOT...]: what the .deb and the .rpm hold, and the .deb in a clean Debian
# system with a real kernel package: installed, a kernel added that it cannot build for,
# removed.  Prints PASS|FAIL ROOT/NAME [REASON] for each step.
#
# A root is a chroot (roots.sh) that the steps fill one after the other; so a step that
# fails may take later ones with it.  Nothing is installed on this machine but the tools.
# Takes some minutes, and 400 MB of packages at the first run.
set -euo pipefail

# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/roots.sh
. "$XENPV_TESTS/roots.sh"

ROOTS="contents amd64"
MODULES="xen-platform-pci xen-vbd xen-vnif"

need_root "a chroot"
need_packages rpm xz-utils
VERSION=$(sed -n 's/^XENPV_VERSION *:= *//p' "$XENPV_TOP/Kbuild")
mkdir -p "$XENPV_CACHE"/{tmp,lock,log}
dir=$(mktemp -d "$XENPV_CACHE/tmp/packages.XXXXXX")
trap 'rm -rf --one-file-system "$dir"' EXIT
exec {lock}>"$XENPV_CACHE/lock/packages"
flock "$lock"
LOG=${XENPV_PACKAGES_LOG:-$XENPV_CACHE/log/packages.log}
: >"$LOG"

apt_install() { run "apt-get -y -q install $*"; }

# ---- what must be there ---------------------------------------------------------

# Output of these, if any, is what is wrong.

# modules_for RELEASE: all three, in dkms's place, known to depmod, from our sources.
modules_for() {
	run "for module in $MODULES; do
		file=\$(modinfo -k $1 -n \$module 2>/dev/null) || file=
		case \$file in
		/lib/modules/$1/updates/dkms/*) ;;
		*) echo \"no \$module for $1: \${file:-none}\" ;;
		esac
		[ \"\$(modinfo -k $1 -F version \$module 2>/dev/null)\" = \"${2:-$VERSION}\" ] || echo \"\$module for $1 is not ${2:-$VERSION}\"
	done"
}

refusing_for() {
	run "for module in $MODULES; do
		modinfo -k $1 -F description \$module | grep -q 'did not build' || echo \"\$module for $1 is not one that refuses\"
	done"
}

# in_initrd RELEASE: the modules, the order, and nothing of it twice.
in_initrd() {
	run "lsinitramfs /boot/initrd.img-$1 >/tmp/list
	for module in $MODULES; do
		[ \"\$(grep -c \"/\$module\\.ko\" /tmp/list)\" = 1 ] || echo \"\$module is not in the initrd of $1\"
	done
	grep -q 'modprobe.d/xenpv.conf\$' /tmp/list || echo 'no load order in the initrd of $1'
	grep -q '/ata_piix\\.ko' /tmp/list || echo 'no ata_piix in the initrd of $1: this test is of no use'"
}

# What modprobe would do in that initrd, told to load the driver of the emulated disk.
order_in_initrd() {
	run "rm -rf /tmp/unpacked
	unmkinitramfs /boot/initrd.img-$1 /tmp/unpacked
	top=/tmp/unpacked; [ ! -d \$top/main ] || top=\$top/main
	modprobe -d \$top -C \$top/usr/lib/modprobe.d -S $1 --show-depends ata_piix | sed 's,.*/,,; s,\\.ko.*,,' |
		grep -E 'xen|ata_piix' | paste -sd ' ' >/tmp/order
	grep -qE '^xen-platform-pci (xen-[a-z-]+ )+ata_piix\$' /tmp/order || echo \"order: \$(cat /tmp/order)\""
}

nothing_left() {
	run "find /lib/modules /var/lib/dkms /usr/src /usr/lib/modprobe.d /usr/lib/udev /usr/lib/dracut /usr/share/initramfs-tools \
		\\( -name '*xenpv*' -o -name 'xen-vbd.ko*' -o -name 'xen-vnif.ko*' -o -name 'xen-platform-pci.ko*' \\) 2>/dev/null || :
	dpkg -l xenpv-dkms 2>/dev/null | grep '^ii' || :"
}

healthy() { run "dpkg --audit; dpkg -l | awk '/^i[^i]/ { print \"half-installed:\", \$2 }'"; }

# releases PATTERN: of kernels installed in the root.
releases() { run "ls /lib/modules" | grep -E -- "$1" | sort -V; }

# step NAME COMMAND...: its last line of output is the reason of a failure.
step() {
	local name=$label/$1 start=$SECONDS out rc=0
	shift
	echo "==== $name" >>"$LOG"
	out=$(set -o pipefail; "$@" 2>&1 | tee -a "$LOG" | tail -n 1) || rc=$?
	if [ "$rc" -eq 0 ]; then
		echo "PASS $name $((SECONDS - start)) s"
	else
		echo "FAIL $name status $rc: $out"
	fi
}

# sound CHECK...: fails if any of the checks, each a function with its arguments in one
# word, says a thing.
sound() {
	local check bad=
	for check in "$@"; do
		# shellcheck disable=SC2086 # a function and its arguments
		bad+=$($check) || bad+="$check failed"
	done
	[ -z "$bad" ] || { echo "${bad//$'\n'/; }"; return 1; }
}

# ---- what people do -------------------------------------------------------------

# The packages of this tree.
make_packages() { make -s -C "$XENPV_TOP" deb rpm OUT="$dir/packages"; }

give_packages() { cp "$dir/packages"/*.{deb,rpm} "$dir/upper/xenpv/"; }

deb_step() {
	apt_install "/xenpv/xenpv-dkms_${1}_all.deb" || return
	release=$(releases . | tail -n 1)
	sound "modules_for $release $1" "in_initrd $release" "order_in_initrd $release" healthy
}

# What the package of a kernel runs that we know nothing of: its headers do not go
# with our sources. It has no initrd before that.
unknown_kernel() {
	local release=$1
	run "rm -f /boot/initrd.img-$release
	dkms unbuild -m xenpv -v \$VERSION -k $release >/dev/null
	common=\$(sed -n 's,^include \\(.*\\)/Makefile,\\1,p' /usr/src/linux-headers-$release/Makefile)
	sed -i '1i #error no such kernel' \$common/include/linux/blkdev.h
	run-parts --exit-on-error --arg=$release --arg=/boot/vmlinuz-$release /etc/kernel/postinst.d" || return
	run "test -s /boot/initrd.img-$release" || { echo "no initrd"; return 1; }
	sound "refusing_for $release" healthy
}

purge_step() {
	run "apt-get -y -q purge xenpv-dkms" || return
	sound nothing_left healthy || return
	run "for image in /boot/initrd.img-*; do
		! lsinitramfs \$image | grep -E 'xen-(vbd|vnif|platform-pci)\\.ko|xenpv' || exit 1
	done"
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

# No root: the packages as they were built.
root_contents() {
	step deb contents deb
	step rpm contents rpm
}

root_amd64() {
	root bookworm amd64
	give_packages
	run "apt-get -q update" >>"$LOG" 2>&1
	step kernel apt_install linux-image-amd64 linux-headers-amd64
	step deb deb_step "$VERSION"
	step unknown-kernel unknown_kernel "$(releases . | tail -n 1)"
	step purge purge_step
}

# shellcheck disable=SC2086 # one word a root
[ $# -gt 0 ] || set -- $ROOTS
make_packages >>"$LOG" 2>&1 || die "the packages cannot be made; see $LOG"
for label; do
	"root_$label"
done
