// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/vdevice.c
/* Virtual device numbers: names, minors, clashes, nonsense. */
#include <errno.h>
#include "unit.h"

#include "../../blkfront/vdevice.h"

#define EXT(disk, part) (1U << 28 | (disk) << 8 | (part))
#define OLD(major, minor) ((major) << 8 | (minor))

static void test_names(void **state)
{
	static const struct {
		u64 vdevice;
		const char *name;
		u32 minor, minors;
	} row[] = {
		{ OLD(202, 0), "xvda", 0, 16 },
		{ OLD(202, 1), "xvda1", 1, 1 },
		{ OLD(202, 15), "xvda15", 15, 1 },
		{ OLD(202, 16), "xvdb", 16, 16 },
		{ OLD(202, 240), "xvdp", 240, 16 },
		{ OLD(3, 0), "xvda", 0, 16 },
		{ OLD(3, 1), "xvda1", 1, 1 },
		{ OLD(3, 64), "xvdb", 16, 16 },
		{ OLD(22, 0), "xvdc", 32, 16 },
		{ OLD(22, 64), "xvdd", 48, 16 },
		{ OLD(33, 0), "xvde", 64, 16 },
		{ OLD(34, 64), "xvdh", 112, 16 },
		{ OLD(91, 64), "xvdt", 304, 16 },
		{ OLD(8, 0), "xvda", 0, 16 },
		{ OLD(8, 17), "xvdb1", 17, 1 },
		{ OLD(65, 0), "xvdq", 256, 16 },
		{ OLD(71, 240), "xvddx", 2032, 16 },
		{ OLD(128, 0), "xvddy", 2048, 16 },
		{ OLD(135, 240), "xvdiv", 4080, 16 },
		{ EXT(0, 0), "xvda", 0, 256 },
		{ EXT(16, 0), "xvdq", 4096, 256 },
		{ EXT(16, 255), "xvdq255", 4351, 1 },
		{ EXT(25, 0), "xvdz", 6400, 256 },
		{ EXT(26, 0), "xvdaa", 6656, 256 },
		{ EXT(701, 0), "xvdzz", 179456, 256 },
		{ EXT(702, 0), "xvdaaa", 179712, 256 },
		{ EXT(4095, 0), "xvdfan", 1048320, 256 },
	};
	char name[VBD_NAME_MAX];
	struct vbd_place place;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		assert_int_equal(vbd_place_find(row[i].vdevice, &place), 0);
		vbd_place_name(&place, name);
		assert_string_equal(name, row[i].name);
		assert_int_equal(place.minor, row[i].minor);
		assert_int_equal(place.minors, row[i].minors);
	}
}

static void test_refused(void **state)
{
	static const u64 row[] = {
		0, 1, 255, OLD(1, 0), OLD(2, 0), OLD(4, 64), OLD(9, 0),
		OLD(201, 0), OLD(203, 0), OLD(3, 16), OLD(3, 63), OLD(22, 80), OLD(3, 128),
		OLD(256, 0), EXT(4096, 0), EXT(0xfffff, 255), 1U << 29, 1U << 30,
		1U << 31, 0xffffffff, (u64)1 << 32 | OLD(202, 0), ~0ULL,
	};
	struct vbd_place place;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(vbd_place_find(row[i], &place), -EINVAL);
}

static bool clash(u64 a, u64 b)
{
	struct vbd_place pa, pb;

	assert_int_equal(vbd_place_find(a, &pa), 0);
	assert_int_equal(vbd_place_find(b, &pb), 0);
	assert_int_equal(vbd_place_overlaps(&pa, &pb),
			 vbd_place_overlaps(&pb, &pa));
	return vbd_place_overlaps(&pa, &pb);
}

static void test_clashes(void **state)
{
	assert_true(clash(OLD(202, 0), OLD(202, 0)));
	assert_true(clash(OLD(202, 0), OLD(3, 0)));
	assert_true(clash(OLD(202, 0), OLD(8, 0)));
	assert_true(clash(OLD(202, 0), OLD(202, 1)));
	assert_true(clash(OLD(202, 0), EXT(0, 0)));
	assert_true(clash(OLD(202, 16), EXT(0, 0)));	/* minors */
	assert_true(clash(OLD(202, 16), EXT(1, 0)));	/* name */
	assert_true(clash(OLD(65, 0), EXT(16, 0)));	/* name */
	assert_false(clash(OLD(202, 0), OLD(202, 16)));
	assert_false(clash(OLD(202, 1), OLD(202, 2)));
	assert_false(clash(OLD(202, 240), EXT(16, 0)));
	assert_false(clash(EXT(16, 0), EXT(17, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_clashes),
	};

	return cmocka_run_group_tests_name("vdevice", tests, NULL, NULL);
}
