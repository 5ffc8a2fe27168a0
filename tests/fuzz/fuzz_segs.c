// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/segs.c
/*
 * Lists of segments from any pieces, cut to any block size: the invariants of
 * blkfront/segs.h, and that the bytes described are the first ones that were added.
 */
#include "fuzz.h"

#include <errno.h>
#include "../../blkfront/segs.h"

/* Every byte by number: frame and offset of the pieces that were accepted. */
struct model {
	u64 start[1024];	/* frame * VBD_PAGE + offset */
	u32 len[1024];
	u32 n, bytes;
};

static void check(const struct vbd_segs *list, const struct model *m, bool trimmed)
{
	u32 i, piece = 0, at = 0, sum = 0;

	must(list->n <= list->max);
	for (i = 0; i < list->n; i++) {
		const struct vbd_seg *seg = &list->seg[i];
		u64 first = (u64)seg->frame * VBD_PAGE + seg->offset;
		u32 left = seg->len;

		must(seg->len && seg->offset + seg->len <= VBD_PAGE);
		must(!((seg->offset | seg->len) % VBD_SECTOR));
		must(!i || seg[-1].frame != seg->frame ||
		     seg[-1].offset + seg[-1].len != seg->offset);
		sum += seg->len;
		while (left) {
			u32 part;

			must(piece < m->n);
			must(m->start[piece] + at == first);
			part = min(left, m->len[piece] - at);
			first += part;
			left -= part;
			at += part;
			if (at == m->len[piece]) {
				piece++;
				at = 0;
			}
		}
	}
	must(sum == list->bytes);
	must(trimmed || sum == m->bytes);
}

static void add(struct vbd_segs *list, struct model *m, struct fuzz_input *in)
{
	u8 how = fuzz_u8(in);
	u32 frame = how & 7, offset = fuzz_u8(in) % 9 * 512, len = fuzz_u8(in) % 10 * 512;
	u32 n = list->n;
	int err;

	if (how & 0x80) {
		offset = fuzz_u32(in);
		len = fuzz_u32(in);
	} else if (how & 0x40) {
		offset = -offset;	/* just below where 32 bits wrap */
	}
	err = vbd_segs_add(list, frame, offset, len);
	if (!len || (u64)offset + len > VBD_PAGE ||
	    offset % VBD_SECTOR || len % VBD_SECTOR) {
		must(err == -EINVAL);
	} else if (err) {
		must(err == -ENOSPC && n == list->max);
	} else {
		must(m->n < ARRAY_SIZE(m->len));
		m->start[m->n] = (u64)frame * VBD_PAGE + offset;
		m->len[m->n++] = len;
		m->bytes += len;
	}
	must(!err || list->n == n);
}

static void describe(const struct vbd_segs *list)
{
	struct blkif_request_segment wire;
	u32 i, sum = 0;

	for (i = 0; i < list->n; i++) {
		vbd_seg_describe(&list->seg[i], i, &wire);
		must(wire.gref == i);
		must(wire.first_sect <= wire.last_sect && wire.last_sect <= 7);
		must(wire.first_sect * VBD_SECTOR == list->seg[i].offset);
		sum += (wire.last_sect - wire.first_sect + 1) * VBD_SECTOR;
	}
	must(sum == list->bytes);
}

static void numbers(struct fuzz_input *in)
{
	u32 offered = fuzz_u32(in), wanted = fuzz_u32(in), slots = fuzz_u8(in);
	u32 n = vbd_segs_limit(offered, wanted);
	struct vbd_layout layout = vbd_segs_layout(n);

	must(n >= VBD_SEGS_DIRECT && n <= VBD_SEGS_MAX);
	must(n == VBD_SEGS_DIRECT || (n <= offered && n <= wanted));
	must(layout.indirect == (n > VBD_SEGS_DIRECT));
	must(layout.pages <= BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST);
	must(!layout.indirect || (layout.pages * VBD_SEGS_PER_PAGE >= n &&
				  (layout.pages - 1) * VBD_SEGS_PER_PAGE < n));
	must(vbd_segs_refs(slots, n) == slots * (n + layout.pages));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u32 room = fuzz_u8(&in) % 40, block = 512u << fuzz_u8(&in) % 8;
	struct vbd_segs list = { .max = room };
	struct model m = { .n = 0 };
	u32 bytes;

	numbers(&in);
	list.seg = calloc(room + !room, sizeof(*list.seg));
	while (in.left && m.n < ARRAY_SIZE(m.len)) {
		add(&list, &m, &in);
		check(&list, &m, false);
	}
	bytes = list.bytes;
	vbd_segs_trim(&list, block);
	must(list.bytes == bytes - bytes % block);
	check(&list, &m, true);
	describe(&list);
	free(list.seg);
	return 0;
}
