// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/segs.c
/* Segment planning: what fits, what is refused, what the backend reads. */
#include <errno.h>
#include "unit.h"

#include "../../blkfront/segs.h"

#define ROOM 64

struct plan {
	struct vbd_segs list;
	struct vbd_seg seg[ROOM];
};

static void plan_init(struct plan *p, u32 max)
{
	p->list = (struct vbd_segs){ .seg = p->seg, .max = max };
}

/* @n whole pages that are not neighbours of each other */
static int add_pages(struct plan *p, u32 n)
{
	int err = 0;
	u32 i;

	for (i = 0; i < n && !err; i++)
		err = vbd_segs_add(&p->list, 1000 + 2 * i, 0, VBD_PAGE);
	return err;
}

static void test_counts(void **state)
{
	static const struct {
		u32 max, add, n;
		int err;
	} row[] = {
		{ 11,  0,  0, 0 },
		{ 11,  1,  1, 0 },
		{ 11, 10, 10, 0 },
		{ 11, 11, 11, 0 },
		{ 11, 12, 11, -ENOSPC },
		{ 32, 12, 12, 0 },
		{ 32, 32, 32, 0 },
		{ 32, 33, 32, -ENOSPC },
	};
	struct plan p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		plan_init(&p, row[i].max);
		assert_int_equal(add_pages(&p, row[i].add), row[i].err);
		assert_int_equal(p.list.n, row[i].n);
		assert_int_equal(p.list.bytes, row[i].n * VBD_PAGE);
	}
}

static void test_pieces(void **state)
{
	static const struct {
		u32 offset, len;
		int err;
	} row[] = {
		{ 0, 0, -EINVAL },
		{ 0, 512, 0 },
		{ 3584, 512, 0 },
		{ 512, 3584, 0 },
		{ 0, 4096, 0 },
		{ 512, 4096, -EINVAL },
		{ 0, 4608, -EINVAL },
		{ 4096, 512, -EINVAL },
		{ 256, 512, -EINVAL },
		{ 512, 256, -EINVAL },
		{ 1, 512, -EINVAL },
		{ 0, 4095, -EINVAL },
		{ 0xfffffe00, 512, -EINVAL },
		{ 0, 0xfffffe00, -EINVAL },
		{ 512, 0xfffffe00, -EINVAL },
	};
	struct plan p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		plan_init(&p, 11);
		assert_int_equal(vbd_segs_add(&p.list, 7, row[i].offset,
					      row[i].len), row[i].err);
		assert_int_equal(p.list.n, row[i].err ? 0 : 1);
		assert_int_equal(p.list.bytes, row[i].err ? 0 : row[i].len);
	}
}

static void test_merging(void **state)
{
	struct plan p;

	plan_init(&p, 2);
	assert_int_equal(vbd_segs_add(&p.list, 7, 0, 512), 0);
	assert_int_equal(vbd_segs_add(&p.list, 7, 512, 1024), 0);
	assert_int_equal(p.list.n, 1);
	assert_int_equal(p.seg[0].len, 1536);
	/* not where the last one ended */
	assert_int_equal(vbd_segs_add(&p.list, 7, 2048, 2048), 0);
	assert_int_equal(p.list.n, 2);
	/* the end of a page and the start of the next are two pages */
	assert_int_equal(vbd_segs_add(&p.list, 8, 0, 512), -ENOSPC);
	assert_int_equal(p.list.n, 2);
	assert_int_equal(p.list.bytes, 3584);
	/* a full list still takes what makes its last segment longer */
	plan_init(&p, 1);
	assert_int_equal(vbd_segs_add(&p.list, 9, 0, 512), 0);
	assert_int_equal(vbd_segs_add(&p.list, 9, 512, 3584), 0);
	assert_int_equal(p.seg[0].len, 4096);
	assert_int_equal(p.list.bytes, 4096);
}

static void test_trim(void **state)
{
	struct plan p;

	/* 512-byte disk: nothing to do */
	plan_init(&p, 11);
	vbd_segs_add(&p.list, 1, 512, 512);
	vbd_segs_trim(&p.list, 512);
	assert_int_equal(p.list.bytes, 512);
	assert_int_equal(p.list.n, 1);

	/* 4096-byte disk: the last block ends in the middle of a segment */
	plan_init(&p, 11);
	vbd_segs_add(&p.list, 1, 512, 3584);
	vbd_segs_add(&p.list, 3, 0, 4096);
	vbd_segs_trim(&p.list, 4096);
	assert_int_equal(p.list.bytes, 4096);
	assert_int_equal(p.list.n, 2);
	assert_int_equal(p.seg[1].len, 512);

	/* whole segments go, too */
	plan_init(&p, 11);
	vbd_segs_add(&p.list, 1, 0, 4096);
	vbd_segs_add(&p.list, 3, 0, 512);
	vbd_segs_add(&p.list, 5, 0, 512);
	vbd_segs_trim(&p.list, 4096);
	assert_int_equal(p.list.bytes, 4096);
	assert_int_equal(p.list.n, 1);
	assert_int_equal(p.seg[0].len, 4096);

	/* no whole block: nothing is left */
	plan_init(&p, 11);
	vbd_segs_add(&p.list, 1, 0, 512);
	vbd_segs_add(&p.list, 3, 0, 512);
	vbd_segs_trim(&p.list, 4096);
	assert_int_equal(p.list.bytes, 0);
	assert_int_equal(p.list.n, 0);

	plan_init(&p, 11);
	vbd_segs_trim(&p.list, 4096);
	assert_int_equal(p.list.n, 0);
}

static void test_limit(void **state)
{
	static const struct {
		u32 offered, wanted, limit;
	} row[] = {
		{ 0, 32, 11 },
		{ 1, 32, 11 },
		{ 10, 32, 11 },
		{ 11, 32, 11 },
		{ 12, 32, 12 },
		{ 32, 32, 32 },
		{ 256, 32, 32 },
		{ 256, 11, 11 },
		{ 256, 0, 11 },
		{ 0xffffffff, 0xffffffff, 4096 },
		{ 4096, 4097, 4096 },
		{ 4095, 4097, 4095 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(vbd_segs_limit(row[i].offered, row[i].wanted),
				 row[i].limit);
}

static void test_layout(void **state)
{
	static const struct {
		u32 n;
		bool indirect;
		u32 pages;
	} row[] = {
		{ 0, false, 0 },   { 1, false, 0 },    { 11, false, 0 },
		{ 12, true, 1 },   { 32, true, 1 },    { 512, true, 1 },
		{ 513, true, 2 },  { 1024, true, 2 },  { 4095, true, 8 },
		{ 4096, true, 8 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		struct vbd_layout layout = vbd_segs_layout(row[i].n);

		assert_int_equal(layout.indirect, row[i].indirect);
		assert_int_equal(layout.pages, row[i].pages);
	}
	assert_int_equal(vbd_segs_refs(32, 11), 352);
	assert_int_equal(vbd_segs_refs(32, 32), 1056);
	assert_int_equal(vbd_segs_refs(32, 4096), 32 * 4104);
}

static void test_describe(void **state)
{
	static const struct {
		struct vbd_seg seg;
		u8 first, last;
	} row[] = {
		{ { 1, 0, 4096 }, 0, 7 },
		{ { 1, 0, 512 }, 0, 0 },
		{ { 1, 3584, 512 }, 7, 7 },
		{ { 1, 512, 3072 }, 1, 6 },
	};
	struct blkif_request_segment wire;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		vbd_seg_describe(&row[i].seg, 42 + i, &wire);
		assert_int_equal(wire.gref, 42 + i);
		assert_int_equal(wire.first_sect, row[i].first);
		assert_int_equal(wire.last_sect, row[i].last);
	}
}

/* Whatever is added, the list keeps its invariants and loses no byte. */
static void test_random(void **state)
{
	u32 rnd = 4711, round, i;
	struct plan p;

	for (round = 0; round < 20000; round++) {
		u32 block = 512U << unit_random(&rnd) % 4;
		u32 sum = 0, kept;

		plan_init(&p, 1 + unit_random(&rnd) % ROOM);
		for (i = 0; i < 80; i++) {
			u32 offset = unit_random(&rnd) % 9 * 512;
			u32 len = unit_random(&rnd) % 9 * 512;

			if (!vbd_segs_add(&p.list, unit_random(&rnd) % 4, offset,
					  len))
				sum += len;
			assert_int_equal(p.list.bytes, sum);
			assert_true(p.list.n <= p.list.max);
		}
		vbd_segs_trim(&p.list, block);
		assert_int_equal(p.list.bytes % block, 0);
		assert_true(sum - p.list.bytes < block);
		for (kept = 0, i = 0; i < p.list.n; i++) {
			assert_true(p.seg[i].len);
			assert_true(p.seg[i].offset + p.seg[i].len <= VBD_PAGE);
			kept += p.seg[i].len;
		}
		assert_int_equal(kept, p.list.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("segs", tests, NULL, NULL);
}
