/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual device numbers and the xvd* names and minors that follow from them.
 * Pure, as segs.h.
 */
#ifndef VBD_VDEVICE_H
#define VBD_VDEVICE_H

#include <linux/types.h>

/* "xvd", up to five letters, a partition of up to three digits, NUL */
#define VBD_NAME_MAX	16

/**
 * struct vbd_place - where a disk appears in /dev
 * @disk: 0 is xvda
 * @part: 0 for a whole disk; else the host gives this partition alone
 * @minor: first minor number of major 202
 * @minors: how many
 */
struct vbd_place {
	u32 disk;
	u32 part;
	u32 minor;
	u32 minors;
};

int vbd_place_find(u64 vdevice, struct vbd_place *place);
void vbd_place_name(const struct vbd_place *place, char *name);
bool vbd_place_overlaps(const struct vbd_place *a, const struct vbd_place *b);

#endif /* VBD_VDEVICE_H */
