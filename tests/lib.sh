# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every test script shares: messages, verdicts, the cache of slow things,
# packages of the host, the Debian mirror.  Source it; it sets no option and no trap.
#
# The cache ($XENPV_CACHE) holds whatever takes minutes to make: kernels, root
# images, downloads.  An entry is a directory that is complete or absent: it is
# built beside its place under a lock and moved there last, so neither a second
# run nor ^C nor a full disk can leave a half-made one that is taken for whole.
# Entries carry the hash of their recipe and are rebuilt when it changes.

XENPV_TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
XENPV_TOP=$(dirname "$XENPV_TESTS")
: "${XENPV_CACHE:=${XDG_CACHE_HOME:-$HOME/.cache}/xenpv}"
mkdir -p "$XENPV_CACHE" 2>/dev/null || {
	echo "error: cannot create $XENPV_CACHE; set XENPV_CACHE to a directory you can write to" >&2
	exit 1
}
XENPV_CACHE=$(cd "$XENPV_CACHE" && pwd)
export XENPV_TESTS XENPV_TOP XENPV_CACHE

# Messages go to descriptor $XENPV_TTY, which stays the user's stderr while a
# builder's own output goes to its log.
export XENPV_TTY=${XENPV_TTY:-2}

say() { echo "$*" >&"$XENPV_TTY"; }
warn() { echo "warning: $*" >&"$XENPV_TTY"; }
die() {
	echo "error: $*" >&"$XENPV_TTY"
	exit 1
}

# verdict_of NAME COMMAND...: PASS or FAIL; the last line of its output is the reason of
# a failure, and all of it goes to $LOG.
verdict_of() {
	local - name=$1 start=$SECONDS rc out
	shift
	out=$(mktemp)
	echo "==== $name" >>"${LOG:=/dev/null}"
	# A fresh shell level with errexit: `if` and `||` would switch it off.
	set +e
	(set -e; "$@") 2>&1 </dev/null | tee -a "$LOG" >"$out"
	rc=${PIPESTATUS[0]}
	if [ "$rc" -eq 0 ]; then
		echo "PASS $name $((SECONDS - start)) s"
	else
		echo "FAIL $name status $rc: $(tail -n 1 "$out")"
		tail -n 15 "$out" | sed 's/^/     /' >&2
	fi
	rm -f "$out"
}

need_root() {
	[ "$(id -u)" = 0 ] || die "${1:-this} needs root; run it with sudo"
}

# need_space MIB [DIR]: stop before a long job that cannot end well.
need_space() {
	local dir=${2:-$XENPV_CACHE} free
	free=$(df -Pm -- "$dir" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] ||
		die "$1 MiB needed in $dir, $free MiB free; make room or set XENPV_CACHE to another disk"
}

# recipe_hash [STRING...] [-- FILE...]: what cache_build compares.  Give it the
# text of the builder (`declare -f`) and the files it reads.
recipe_hash() {
	{
		while [ $# -gt 0 ] && [ "$1" != -- ]; do
			printf '%s\0' "$1"
			shift
		done
		[ $# -lt 2 ] || cat "$@"
	} | sha256sum | cut -c1-32
}

# cache_path NAME, cache_fresh NAME HASH: where the entry is, and whether it is
# there, whole and of this recipe.
cache_path() { echo "$XENPV_CACHE/$1"; }
cache_fresh() { [ "$(cat "$XENPV_CACHE/$1/.recipe" 2>/dev/null)" = "$2" ]; }

# cache_build NAME HASH FUNCTION [ARG...]: print the directory of entry NAME,
# after building it if it is absent or its recipe has changed.
#
# `FUNCTION TMPDIR ARG...` fills TMPDIR; it runs in a fresh shell with -euo
# pipefail, all functions and the exported variables of the caller, and its
# output goes to $XENPV_CACHE/log/NAME.log.  A fresh shell, because bash ignores
# -e in everything called from `if` or `||`, and a build that runs on after an
# error must not be taken for complete.  TMPDIR becomes $(cache_path NAME):
# absolute paths written into files must name the latter.
cache_build() { (_cache_build "$@"); }

_cache_build() {
	local name=$1 hash=$2 dest=$XENPV_CACHE/$1 flat=${1//\//_} log lock
	shift 2
	log=$XENPV_CACHE/log/$flat.log
	if cache_fresh "$name" "$hash"; then
		echo "$dest"
		return
	fi
	mkdir -p "$XENPV_CACHE"/{lock,log,tmp} "$(dirname "$dest")" ||
		die "cannot write to $XENPV_CACHE"
	exec {lock}>"$XENPV_CACHE/lock/$flat"
	if ! flock -n "$lock"; then
		say "waiting for another run that builds $name"
		flock "$lock"
	fi
	# Under the lock anything left in tmp/ is from a run that was killed.
	rm -rf --one-file-system "$XENPV_CACHE/tmp/$flat".*
	cache_fresh "$name" "$hash" || _cache_make "$@"
	echo "$dest"
}

# The building itself, with the lock held; uses the variables of _cache_build.
# Every way to fail ends in die, for -e may be off here.
_cache_make() {
	local tmp=$XENPV_CACHE/tmp/$flat.$BASHPID start=$SECONDS rc=0 pid=
	trap "_cache_stop INT" INT
	trap "_cache_stop TERM" TERM
	trap "_cache_stop HUP" HUP
	mkdir -p "$tmp" || die "cannot create $tmp"
	say "building $name (log: $log)"
	# Own process group: ^C must end make and all its children before the
	# directory they write to is removed.
	set -m
	bash -euo pipefail /dev/fd/8 "$log" "$1" "$tmp" "${@:2}" </dev/null >&2 8<<-EOF &
		$(declare -f)
		exec 9>&"\$XENPV_TTY"
		XENPV_TTY=9
		log=\$1
		shift
		"\$@" >"\$log" 2>&1
	EOF
	pid=$!
	set +m
	wait "$pid" || rc=$?
	if [ "$rc" -ne 0 ]; then
		rm -rf --one-file-system "$tmp"
		[ ! -s "$log" ] || tail -n 15 "$log" | sed 's/^/    /' >&"$XENPV_TTY"
		[ "$(df -Pm "$XENPV_CACHE" | awk 'NR == 2 { print $4 }')" -ge 64 ] ||
			warn "no space left in $XENPV_CACHE"
		die "building $name failed; the whole log is $log"
	fi
	echo "$hash" >"$tmp/.recipe" || die "cannot write $tmp/.recipe"
	if [ -e "$dest" ]; then
		mv -T "$dest" "$tmp.old"
	fi
	mv -T "$tmp" "$dest" || die "cannot move $name into place"
	rm -rf --one-file-system "$tmp.old"
	trap - INT TERM HUP
	say "built $name in $((SECONDS - start)) s"
}

_cache_stop() {
	if [ -n "$pid" ]; then
		kill -TERM -- "-$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	fi
	rm -rf --one-file-system "$tmp"
	say "stopped while building $name; nothing half-made is kept"
	trap - "$1"
	kill -"$1" "$BASHPID"
}

# need_packages PACKAGE...: install on the host what is missing.
need_packages() {
	local p missing=()
	for p in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
			missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] ||
		die "packages missing; as root run: apt-get install ${missing[*]}"
	_apt_install "${missing[@]}"
}

# One apt at a time; the index is read again only if the one at hand fails.
_apt_install() (
	mkdir -p "$XENPV_CACHE/lock" "$XENPV_CACHE/log"
	log=$XENPV_CACHE/log/apt.log
	exec {lock}>"$XENPV_CACHE/lock/apt"
	flock "$lock"
	install=(apt-get -y -q -o DPkg::Lock::Timeout=600 -o APT::Get::Assume-Yes=true)
	export DEBIAN_FRONTEND=noninteractive
	say "installing on this machine: $*"
	"${install[@]}" install --no-install-recommends "$@" >"$log" 2>&1 {lock}>&- && exit 0
	"${install[@]}" update >"$log" 2>&1 {lock}>&- || warn "apt-get update had errors (log: $log)"
	"${install[@]}" install --no-install-recommends "$@" >>"$log" 2>&1 {lock}>&- && exit 0
	grep '^E:' "$log" | head -n 5 >&"$XENPV_TTY" || :
	die "cannot install $*: check the network and apt's sources (log: $log)"
)

# debian_mirror [security]: the mirror this machine's apt is set up to use, so
# that no host name is written down here and local mirrors and proxies count.
debian_mirror() {
	local codename want uri
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	want=$codename${1:+-$1}
	# shellcheck disable=SC2016 # apt's own placeholders
	uri=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
		awk -v r="$want" '$1 == "Packages" && $2 == r && $3 == "main" { print $4; exit }')
	[ -n "$uri" ] || die "apt has no source for $want main; this needs a Debian machine with it"
	echo "${uri%/}"
}
