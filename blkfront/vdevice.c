// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual device numbers: what the toolstack's `virtual-device` means.
 *
 * The number is a Linux device number of old, and there are three kinds:
 *	1 << 28 | disk << 8 | partition	"extended": xvd with 256 minors a disk
 *	202 << 8 | disk << 4 | partition	xvd with 16 minors a disk
 *	IDE or SCSI major << 8 | minor	hda, sdb: shown as xvda, xvdb
 * Disks 0 to 15 have 16 minors each and disks from 16 on 256 each, so that both
 * kinds of xvd numbers live in major 202 side by side. A host may name one disk
 * hda and another xvda; both would be xvda here, and the second one is refused
 * (vbd_place_overlaps()).
 *
 * Pure: compiled unmodified into the unit tests. The number comes from the
 * toolstack, which is trusted, but may be anything.
 */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "vdevice.h"

#define EXTENDED_SHIFT		28
#define MINORS			16U	/* a disk of the first sixteen */
#define MINORS_EXTENDED		256U	/* a disk of the others */
#define DISKS_EXTENDED		4096U	/* Linux has 20 bits of minor numbers */

/**
 * struct family - a block of old majors that numbered disks of one kind
 * @major: first major
 * @majors: how many
 * @disk: what its first disk is called here; 0 is xvda
 * @disks: disks a major had
 * @minors: minors a disk had
 */
struct family {
	u32 major, majors, disk, disks, minors;
};

static const struct family families[] = {
	{ 202, 1,   0, 16, 16 },	/* xvda .. xvdp */
	{   3, 1,   0,  2, 64 },	/* hda, hdb */
	{  22, 1,   2,  2, 64 },	/* hdc, hdd */
	{  33, 2,   4,  2, 64 },	/* hde .. hdh */
	{  56, 2,   8,  2, 64 },	/* hdi .. hdl */
	{  88, 4,  12,  2, 64 },	/* hdm .. hdt */
	{   8, 1,   0, 16, 16 },	/* sda .. sdp */
	{  65, 7,  16, 16, 16 },	/* sdq .. sddx */
	{ 128, 8, 128, 16, 16 },	/* sddy .. sdiv */
};

static int place_old(u32 major, u32 minor, struct vbd_place *place)
{
	const struct family *f;

	for (f = families; f < families + ARRAY_SIZE(families); f++) {
		if (major < f->major || major >= f->major + f->majors)
			continue;
		place->disk = f->disk + (major - f->major) * f->disks +
			      minor / f->minors;
		place->part = minor % f->minors;
		if (place->part >= MINORS || minor / f->minors >= f->disks)
			return -EINVAL;
		place->minors = MINORS;
		place->minor = place->disk * MINORS + place->part;
		return 0;
	}
	return -EINVAL;
}

/**
 * vbd_place_find() - where a disk with this number belongs
 * @vdevice: the number
 * @place: filled in
 *
 * Return: 0, or -EINVAL for a number that names no disk.
 */
int vbd_place_find(u64 vdevice, struct vbd_place *place)
{
	u32 disk = (vdevice >> 8) & 0xfffff;
	int err = 0;

	if (vdevice >> EXTENDED_SHIFT > 1)
		return -EINVAL;
	if (vdevice >> EXTENDED_SHIFT == 0) {
		err = place_old(vdevice >> 8, vdevice & 0xff, place);
	} else if (disk < DISKS_EXTENDED) {
		place->disk = disk;
		place->part = vdevice & 0xff;
		place->minors = MINORS_EXTENDED;
		place->minor = disk * MINORS_EXTENDED + place->part;
	} else {
		err = -EINVAL;
	}
	if (!err && place->part)
		place->minors = 1;
	return err;
}

/**
 * vbd_place_name() - the name in /dev
 * @place: from vbd_place_find()
 * @name: VBD_NAME_MAX bytes
 */
void vbd_place_name(const struct vbd_place *place, char *name)
{
	char letters[6];
	char *p = letters + sizeof(letters) - 1;
	u32 n = place->disk;

	*p = '\0';
	for (;;) {
		*--p = 'a' + n % 26;
		if (n < 26)
			break;
		n = n / 26 - 1;
	}
	if (place->part)
		snprintf(name, VBD_NAME_MAX, "xvd%s%u", p, place->part);
	else
		snprintf(name, VBD_NAME_MAX, "xvd%s", p);
}

/**
 * vbd_place_overlaps() - would two disks share a minor or a name?
 * @a: a place
 * @b: another one
 */
bool vbd_place_overlaps(const struct vbd_place *a, const struct vbd_place *b)
{
	return (a->disk == b->disk && a->part == b->part) ||
	       (a->minor < b->minor + b->minors &&
		b->minor < a->minor + a->minors);
}
