# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernels built here, from Debian's linux-source-6.12 and the .config
# fragments beside this file: guests that truly have no Xen support.  The source
# is one cache entry, each kernel an output directory (O=) of its own, which is
# also what modules are built against.  Needs ../lib.sh and apt.sh.

OWN_SOURCE=linux-source-6.12
OWN_PACKAGES=(build-essential bc bison flex libelf-dev libssl-dev xz-utils zstd kmod cpio rsync)
export OWN_SOURCE

own_source_hash() {
	recipe_hash "$(declare -f own_source_build)" "$OWN_SOURCE"
}

# Only what an x86 kernel is built from: a third of the tree.
own_source_build() {
	local tmp=$1
	apt_unpack bookworm "$tmp/deb" "$OWN_SOURCE"
	tar -C "$tmp" --strip-components=1 \
		--exclude="$OWN_SOURCE/arch/[a-wyz]*.[chS]" \
		--exclude="$OWN_SOURCE/arch/[a-wyz]*.dts*" \
		--exclude="$OWN_SOURCE/drivers/gpu/*.[ch]" \
		--exclude="$OWN_SOURCE/Documentation/*.rst" \
		-xf "$tmp/deb/usr/src/$OWN_SOURCE.tar.xz"
	rm -rf "$tmp/deb"
}

# own_hash FRAGMENT...: changes with the source's recipe, too.
own_hash() {
	recipe_hash "$(own_source_hash)" "$(declare -f own_build own_config own_install)" -- "$@"
}

# Every option asked for must be there in the end: kconfig drops what lacks a
# dependency without a word, and a debug kernel without its checkers passes all.
own_config() {
	local out=$1 line bad=0
	shift
	# The last fragment that names an option decides.
	cat "$@" | grep -v '^# [^C]' | awk '
		/^CONFIG_/ { split($0, a, "="); k = a[1] }
		/^# CONFIG_/ { k = $2 }
		k { v[k] = $0; k = "" }
		END { for (k in v) print v[k] }' >"$out/wanted.config"
	KCONFIG_ALLCONFIG=$out/wanted.config make O="$out" allnoconfig
	while read -r line; do
		case $line in
		"# "*) ! grep -q "^$(echo "$line" | cut -d' ' -f2)=" "$out/.config" || bad=1 ;;
		*) grep -qxF "$line" "$out/.config" || bad=1 ;;
		esac
		[ "$bad" = 0 ] || die "the kernel's configuration refuses '$line': a dependency is missing"
	done <"$out/wanted.config"
	! grep -q '^CONFIG_\(.*_\)\?XEN' "$out/.config" ||
		die "the kernel would have Xen support of its own"
}

# own_build TMPDIR FRAGMENT...
own_build() {
	local tmp=$1 src
	shift
	src=$(cache_path "$OWN_SOURCE")
	mkdir "$tmp/kdir"
	cd "$src"
	own_config "$tmp/kdir" "$@"
	nice make O="$tmp/kdir" -j"$(nproc)" bzImage modules
	own_install "$tmp"
}

# What is kept of the output directory is what modules build against.
own_install() {
	local tmp=$1 release
	release=$(cat "$tmp/kdir/include/config/kernel.release")
	cp "$tmp/kdir/arch/x86/boot/bzImage" "$tmp/vmlinuz"
	make O="$tmp/kdir" INSTALL_MOD_PATH="$tmp/modules" INSTALL_MOD_STRIP=1 modules_install
	rm -f "$tmp/modules/lib/modules/$release"/{build,source}
	find "$tmp/kdir" \( -name '*.o' -o -name '*.a' -o -name '*.ko' -o -name '*.mod*' \
		-o -name '.*.cmd' -o -name 'vmlinux*' -o -name bzImage \) \
		! -path '*/scripts/*' ! -path '*/tools/objtool/*' ! -name Module.symvers \
		-type f -delete
	find "$tmp/kdir" -type d -empty -delete
	cp "$tmp/kdir/.config" "$tmp/config"
	echo "$release" >"$tmp/release"
	echo amd64 >"$tmp/arch"
	: >"$tmp/cmdline"
	: >"$tmp/env"
}

# own_get NAME FRAGMENT...: print the directory of the finished kernel.
own_get() {
	local name=$1 hash
	shift
	hash=$(own_hash "$@")
	if ! cache_fresh "kernels/$name" "$hash"; then
		need_packages "${OWN_PACKAGES[@]}"
		need_space 4000
		cache_build "$OWN_SOURCE" "$(own_source_hash)" own_source_build >/dev/null
	fi
	cache_build "kernels/$name" "$hash" own_build "$@"
}
