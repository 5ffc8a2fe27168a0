# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154
#
# For cases about file systems and stacked devices (header `needs: storage`): the disk
# with their programs is the guest's xvdz, mounted on /tools. Needs lib.sh, and $name.

# in_tools COMMAND: in the guest, with both libraries.
in_tools() { guest "$name" -t "${LIMIT:-300}" ". /cases/lib.sh; . /tools/lib.sh; $*"; }

tools_begin() {
	xl block-attach "$name" "format=raw,vdev=xvdz,access=ro,target=/bed/guests/$name/storage.img" ||
		fail "cannot attach the disk with programs"
	guest "$name" '. /cases/lib.sh; load_drivers; pv_disk xvdz && mkdir -p /tools && mount -t ext4 -o ro /dev/xvdz /tools' ||
		fail "the disk with programs cannot be used"
	in_tools tools_begin || fail "the programs cannot be used"
}

tools_end() {
	guest "$name" 'umount /tools' || fail "the disk with programs is still in use"
	detach_disk "$name" xvdz || fail "cannot detach the disk with programs"
}

# disk_at NAME FILE MIB: a new file as that disk, seen by the guest.
disk_at() {
	new_disk "$2" "$3"
	attach_disk "$name" "$1" "$2" || fail "cannot attach $1"
	guest "$name" ". /cases/lib.sh; pv_disk $1" >/dev/null || fail "$1 does not appear"
}

# vdev_number xvdX: of a disk from xvda to xvdp.
vdev_number() { echo $((51712 + ($(printf %d "'${1:3:1}") - 97) * 16)); }

# disk_backend xvdX: its backend's directory.
disk_backend() { xenstore-read "/local/domain/$(guest_id "$name")/device/vbd/$(vdev_number "$1")/backend"; }

# grow_disk xvdX FILE MIB: what the host does when its device has become larger.
grow_disk() {
	local back
	back=$(disk_backend "$1") || fail "$1 has no backend"
	truncate -s "$3M" "$2"
	losetup -c "$(xenstore-read "$back/node")" || fail "the host's device does not grow"
	xenstore-write "$back/sectors" $(($3 * 2048))
	guest "$name" ". /cases/lib.sh; wait_for 20 grep -qx $(($3 * 2048)) /sys/block/$1/size" || fail "$1 does not grow"
}
