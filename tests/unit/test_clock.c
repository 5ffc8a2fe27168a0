// SPDX-License-Identifier: GPL-2.0
// pure: platform-pci/clock.c
/* Xen's time from its stamp, and what the wall clock is set forward. */
#include "unit.h"

#include "../../platform-pci/clock.h"

#define SECOND	1000000000ULL

/* 2 GHz: half a nanosecond a tick. */
static const struct xpv_stamp two_ghz = {
	.tsc = 1000, .system = 5 * SECOND, .mul = 0x80000000U, .shift = 0,
};

static void test_ticks(void **state)
{
	assert_int_equal(xpv_clock_system(&two_ghz, 1000), 5 * SECOND);
	assert_int_equal(xpv_clock_system(&two_ghz, 1000 + 2 * SECOND), 6 * SECOND);
	/* An hour and more: the product does not fit 64 bits. */
	assert_int_equal(xpv_clock_system(&two_ghz, 1000 + 2 * 86400 * SECOND),
			 86405 * SECOND);
	/* Read before Xen's stamp. */
	assert_int_equal(xpv_clock_system(&two_ghz, 999), 5 * SECOND);
}

static void test_shifts(void **state)
{
	struct xpv_stamp stamp = two_ghz;

	stamp.shift = 1;
	assert_int_equal(xpv_clock_system(&stamp, 1000 + SECOND), 6 * SECOND);
	stamp.shift = -1;
	assert_int_equal(xpv_clock_system(&stamp, 1000 + 4 * SECOND), 6 * SECOND);
	/* What Xen would never say must still be some number. */
	stamp.shift = -128;
	xpv_clock_system(&stamp, ~0ULL);
	stamp.shift = 127;
	xpv_clock_system(&stamp, ~0ULL);
}

static void test_against_wide_arithmetic(void **state)
{
	u32 seed = 7;
	int i;

	for (i = 0; i < 10000; i++) {
		struct xpv_stamp stamp = { .mul = unit_random(&seed) };
		u64 tsc = ((u64)unit_random(&seed) << 31) | unit_random(&seed);
		unsigned __int128 wide = (unsigned __int128)tsc * stamp.mul >> 32;

		assert_int_equal(xpv_clock_system(&stamp, tsc), (u64)wide);
	}
}

static void test_lag(void **state)
{
	static const struct {
		u64 wall, mono;		/* how far each has gone */
		u64 lag;
	} rows[] = {
		{ 0, 0, 0 },
		{ 60 * SECOND, 0, 60 * SECOND },
		{ 60 * SECOND, 60 * SECOND, 0 },
		{ 60 * SECOND, 20 * SECOND, 40 * SECOND },
		{ 20 * SECOND, 60 * SECOND, 0 },
		{ -3600 * SECOND, 0, 0 },
		{ XPV_CLOCK_LEAST - 1, 0, 0 },
		{ XPV_CLOCK_LEAST, 0, XPV_CLOCK_LEAST },
	};
	static const struct xpv_moment start = {
		.wall = 1700000000 * SECOND, .mono = 77 * SECOND,
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xpv_moment end = {
			start.wall + rows[i].wall, start.mono + rows[i].mono,
		};

		assert_int_equal(xpv_clock_lag(&start, &end), rows[i].lag);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_shifts),
		cmocka_unit_test(test_against_wide_arithmetic),
		cmocka_unit_test(test_lag),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
