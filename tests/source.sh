# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sources of Debian packages, from an apt root of their own: nothing is installed
# or configured on this machine.  Needs lib.sh and the package dpkg-dev.

# An apt root of its own under DIR, for architecture ARCH, with sources.
tools_apt_root() {
	local dir=$1 arch=$2 key=/usr/share/keyrings/debian-archive-keyring.gpg codename
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mkdir -p "$dir"/{lists/partial,cache/archives/partial,etc/preferences.d,parts}
	: >"$dir/status"
	{
		echo "deb [arch=$arch signed-by=$key] $(debian_mirror) $codename main"
		echo "deb-src [signed-by=$key] $(debian_mirror) $codename main"
	} >"$dir/sources.list"
	cat >"$dir/apt.conf" <<-EOF
		Dir::State "$dir";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir/cache";
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "$dir/parts";
		Dir::Etc::preferencesparts "$dir/etc/preferences.d";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; };
		APT::Sandbox::User "root";
	EOF
	APT_CONFIG=$dir/apt.conf apt-get -q update
}

# Unpacks the source of PACKAGE into APT/PACKAGE.
tools_source() {
	local apt=$1 package=$2
	(cd "$apt" && APT_CONFIG=$apt/apt.conf apt-get -q source --download-only "$package" &&
		dpkg-source -x "${package}"_*.dsc "$apt/$package")
}

# Unpacks PACKAGE of the private root APT into DIR.
tools_unpack() {
	local apt=$1 dir=$2 package=$3
	(cd "$apt" && APT_CONFIG=$apt/apt.conf apt-get -q download "$package")
	dpkg -x "$apt/${package}"_*.deb "$dir"
}
