/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segment planning: which pieces of which pages one ring request carries.
 *
 * Pure: no locks, no allocation, no kernel types but fixed-width integers; the
 * unit tests compile segs.c as it stands.
 *
 * Invariants of a list
 *   - A segment lies inside one page, begins and ends on a 512-byte sector of
 *     it, and is not empty.
 *   - Two neighbours in the list are never one contiguous piece of one page.
 *   - bytes is the sum of the lengths.
 */
#ifndef VBD_SEGS_H
#define VBD_SEGS_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/io/blkif.h>

/* The protocol counts in sectors of 512 bytes, whatever the disk's own are. */
#define VBD_SECTOR_SHIFT	9
#define VBD_SECTOR		(1U << VBD_SECTOR_SHIFT)

/* blkif is defined in pages of 4 KiB, and first_sect/last_sect count to 7. */
#define VBD_PAGE		4096U

#define VBD_SEGS_DIRECT		BLKIF_MAX_SEGMENTS_PER_REQUEST
#define VBD_SEGS_PER_PAGE	(VBD_PAGE / sizeof(struct blkif_request_segment))
#define VBD_SEGS_MAX \
	(BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST * VBD_SEGS_PER_PAGE)

/**
 * struct vbd_seg - one piece of one page
 * @frame: the page's frame number
 * @offset: first byte
 * @len: bytes
 */
struct vbd_seg {
	unsigned long frame;
	u16 offset;
	u16 len;
};

/**
 * struct vbd_segs - a list in the making
 * @seg: the segments
 * @max: room for them
 * @n: how many there are
 * @bytes: their sum
 */
struct vbd_segs {
	struct vbd_seg *seg;
	u32 max;
	u32 n;
	u32 bytes;
};

/**
 * struct vbd_layout - how a number of segments travels
 * @indirect: described in pages of their own, not in the ring slot
 * @pages: how many such pages
 */
struct vbd_layout {
	bool indirect;
	u32 pages;
};

int vbd_segs_add(struct vbd_segs *list, unsigned long frame, u32 offset,
		 u32 len);
void vbd_segs_trim(struct vbd_segs *list, u32 block);
u32 vbd_segs_limit(u32 offered, u32 wanted);
struct vbd_layout vbd_segs_layout(u32 n);
u32 vbd_segs_refs(u32 slots, u32 segs);
void vbd_seg_describe(const struct vbd_seg *seg, grant_ref_t ref,
		      struct blkif_request_segment *wire);

#endif /* VBD_SEGS_H */
