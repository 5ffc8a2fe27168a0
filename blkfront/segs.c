// SPDX-License-Identifier: GPL-2.0
/*
 * Segment planning: from the pieces of memory that the block layer hands over to
 * the segments of one ring request.
 *
 * A list is filled with vbd_segs_add() until it is full, cut to whole blocks of
 * the disk with vbd_segs_trim(), and each segment is described for the backend
 * with vbd_seg_describe(). What did not fit is the caller's to send later: a
 * request may be larger than a list when the backend that it was made for was
 * replaced by one with smaller requests.
 *
 * Pure: compiled unmodified into the unit tests. No state, no locks; the caller
 * owns the memory. Nothing here comes from the backend but @offered in
 * vbd_segs_limit(), which may be any number.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/stddef.h>

#include "segs.h"

static_assert(sizeof(struct blkif_request_segment) == 8);
static_assert(offsetof(struct blkif_request_segment, first_sect) == 4);
static_assert(VBD_PAGE / VBD_SECTOR - 1 <= 0xff);

/**
 * vbd_segs_add() - append a piece of a page
 * @list: the list
 * @frame: frame number of the page
 * @offset: first byte in it
 * @len: bytes
 *
 * A piece that continues the last one in the same page makes it longer, as the
 * block layer counts them too.
 *
 * Return: 0; -ENOSPC when the list is full; -EINVAL for a piece that is empty,
 * leaves its page, or does not begin and end on a sector. The list is unchanged
 * then.
 */
int vbd_segs_add(struct vbd_segs *list, unsigned long frame, u32 offset,
		 u32 len)
{
	struct vbd_seg *last = list->n ? &list->seg[list->n - 1] : NULL;

	if (!len || len > VBD_PAGE || offset > VBD_PAGE - len ||
	    (offset | len) & (VBD_SECTOR - 1))
		return -EINVAL;
	if (last && last->frame == frame && last->offset + last->len == offset) {
		last->len += len;
	} else if (list->n == list->max) {
		return -ENOSPC;
	} else {
		list->seg[list->n].frame = frame;
		list->seg[list->n].offset = offset;
		list->seg[list->n].len = len;
		list->n++;
	}
	list->bytes += len;
	return 0;
}

/**
 * vbd_segs_trim() - drop what does not fill a block at the end
 * @list: the list
 * @block: the disk's logical block size, a power of two
 *
 * For a list that was cut off because it was full: a backend refuses a request
 * that is not made of whole blocks.
 */
void vbd_segs_trim(struct vbd_segs *list, u32 block)
{
	u32 rest = list->bytes & (block - 1);

	list->bytes -= rest;
	while (rest) {
		struct vbd_seg *last = &list->seg[list->n - 1];

		if (last->len > rest) {
			last->len -= rest;
			break;
		}
		rest -= last->len;
		list->n--;
	}
}

/**
 * vbd_segs_limit() - segments a request may have
 * @offered: what the backend says it takes indirectly; 0 for not at all
 * @wanted: what the administrator allows
 *
 * Return: the smaller one, but never less than fits into a ring slot, which
 * every backend takes, and never more than the protocol can describe.
 */
u32 vbd_segs_limit(u32 offered, u32 wanted)
{
	u32 n = offered < wanted ? offered : wanted;

	if (n <= VBD_SEGS_DIRECT)
		return VBD_SEGS_DIRECT;
	return n < VBD_SEGS_MAX ? n : VBD_SEGS_MAX;
}

/**
 * vbd_segs_layout() - how a number of segments travels
 * @n: segments of a request, at most VBD_SEGS_MAX
 */
struct vbd_layout vbd_segs_layout(u32 n)
{
	struct vbd_layout layout = { 0 };

	if (n > VBD_SEGS_DIRECT) {
		layout.indirect = true;
		layout.pages = (n + VBD_SEGS_PER_PAGE - 1) / VBD_SEGS_PER_PAGE;
	}
	return layout;
}

/**
 * vbd_segs_refs() - grant references that a ring needs, so that none lacks later
 * @slots: requests that may be under way at once
 * @segs: segments of the largest request
 */
u32 vbd_segs_refs(u32 slots, u32 segs)
{
	return slots * (segs + vbd_segs_layout(segs).pages);
}

/**
 * vbd_seg_describe() - write one segment as the backend reads it
 * @seg: the segment
 * @ref: grant of the page that the backend is to use
 * @wire: filled; both sector numbers are inclusive
 */
void vbd_seg_describe(const struct vbd_seg *seg, grant_ref_t ref,
		      struct blkif_request_segment *wire)
{
	wire->gref = ref;
	wire->first_sect = seg->offset >> VBD_SECTOR_SHIFT;
	wire->last_sect = ((seg->offset + seg->len) >> VBD_SECTOR_SHIFT) - 1;
}
