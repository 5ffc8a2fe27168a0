# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Private apt roots: packages of another Debian release or architecture without
# touching what this machine has installed or configured.  A root is a sources
# list, the index it downloads and an empty dpkg status; the mirror, proxies and
# credentials are the machine's own.  Needs ../lib.sh.

# How long an index is taken for current, in minutes.
export APT_INDEX_AGE=720

# 32-bit kernels come from the release proper: security and backports rebuild
# them rarely, and mirrors are known to serve stale i386 indexes of those.
apt_root_sources() {
	local main security key=/usr/share/keyrings/debian-archive-keyring.gpg
	main=$(debian_mirror) || exit
	security=$(debian_mirror security) || exit
	[ -r "$key" ] || die "$key missing; install debian-archive-keyring"
	case $1 in
	*-backports)
		echo "deb [arch=amd64 signed-by=$key] $main $1 main"
		;;
	*)
		echo "deb [arch=amd64,i386 signed-by=$key] $main $1 main"
		echo "deb [arch=amd64 signed-by=$key] $security $1-security main"
		;;
	esac
}

apt_root_config() {
	cat <<-EOF
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		#clear APT::Architectures;
		Dir::Etc::SourceList "$1/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$1/state";
		Dir::State::Status "$1/status";
		Dir::Cache "$1/cache";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; "i386"; };
		APT::Default-Release "";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF
}

# apt_root SUITE: print the root's directory, its index no older than
# APT_INDEX_AGE.  Status 77 if the mirror says that it does not have the suite;
# being unable to ask is an error.
apt_root() {
	local root=$XENPV_CACHE/apt/$1 lock
	mkdir -p "$root"/state/lists/partial "$root"/cache/archives/partial "$XENPV_CACHE"/{lock,log} ||
		die "cannot write to $root"
	(
		exec {lock}>"$XENPV_CACHE/lock/apt-$1"
		flock "$lock"
		if [ -n "$(find "$root/updated" -mmin "-$APT_INDEX_AGE" 2>/dev/null)" ]; then
			exit 0
		fi
		: >"$root/status"
		apt_root_sources "$1" >"$root/sources.list"
		apt_root_config "$root" >"$root/apt.conf"
		say "reading the package index of $1"
		apt_update "$root" "$XENPV_CACHE/log/apt-$1.log" || exit
		touch "$root/updated"
	) || return
	echo "$root"
}

apt_update() {
	local root=$1 log=$2
	apt-get -c "$root/apt.conf" -q -o APT::Update::Error-Mode=any update >"$log" 2>&1 &&
		return
	if grep -qE ' 404 |HTTP/[0-9.]+ 404' "$log"; then
		warn "the mirror has dropped ${root##*/} (log: $log)"
		return 77
	fi
	die "cannot read the package index of ${root##*/} from the mirror; is there a network? (log: $log)"
}

# apt_newest SUITE META PREFIX: the package that META stands for today, that is
# its newest dependency whose name begins with PREFIX.  Status 77 if there is none.
apt_newest() {
	local root name
	root=$(apt_root "$1") || return
	name=$(apt-cache -c "$root/apt.conf" depends --no-recommends --no-suggests "$2" 2>/dev/null |
		awk -v p="$3" '$1 == "Depends:" && index($2, p) == 1 { print $2 }' |
		sort -V | tail -n 1)
	[ -n "$name" ] || {
		warn "$2 is not in $1 on the mirror"
		return 77
	}
	echo "$name"
}

# apt_unpack SUITE DIR PACKAGE...: unpack packages under DIR, no scripts run.
apt_unpack() {
	local root dir=$2 debs
	root=$(apt_root "$1") || return
	shift 2
	debs=$(mktemp -d "$XENPV_CACHE/tmp/debs.XXXXXX")
	if ! (cd "$debs" && apt-get -c "$root/apt.conf" -q download "$@"); then
		rm -rf "$debs"
		# An index older than the mirror names packages that are gone.
		rm -f "$root/updated"
		warn "cannot download $*: no network, or just replaced on the mirror; try again"
		return 1
	fi
	mkdir -p "$dir"
	for deb in "$debs"/*.deb; do
		dpkg -x "$deb" "$dir" || {
			rm -rf "$debs"
			return 1
		}
		rm -f "$deb"
	done
	rm -rf "$debs"
}
