// SPDX-License-Identifier: GPL-2.0
// pure: netfront/plan.c
/* Queues, MTU and speed of a network connection. */
#include <errno.h>
#include "unit.h"

#include "../../netfront/plan.h"

static void test_queues(void **state)
{
	static const struct {
		struct vnif_wish wish;
		u32 queues;
	} row[] = {
		/* One for each CPU, as far as both sides allow. */
		{ { .cpus = 2, .limit = 8, .offered = 8 }, 2 },
		{ { .cpus = 4, .limit = 8, .offered = 3 }, 3 },
		{ { .cpus = 16, .limit = 8, .offered = 64 }, 8 },
		/* A backend that knows of one only; N23. */
		{ { .cpus = 4, .limit = 8, .offered = 0 }, 1 },
		{ { .cpus = 4, .limit = 8, .offered = UINT32_MAX }, 4 },
		/* Asked for: more than CPUs, but no more than there is room for. */
		{ { .cpus = 2, .limit = 8, .asked = 5, .offered = 8 }, 5 },
		{ { .cpus = 4, .limit = 8, .asked = 1, .offered = 8 }, 1 },
		{ { .cpus = 2, .limit = 2, .asked = 5, .offered = 8 }, 2 },
		{ { .cpus = 2, .limit = 8, .asked = 5, .offered = 3 }, 3 },
		{ { .cpus = 0, .limit = 8, .offered = 8 }, 1 },
		{ { .cpus = 2, .limit = 0, .offered = 8 }, 1 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(vnif_plan_queues(&row[i].wish), row[i].queues);
}

static void test_limit(void **state)
{
	assert_int_equal(vnif_plan_limit(2, 0), 2);
	assert_int_equal(vnif_plan_limit(100, 0), VNIF_QUEUES_DEFAULT);
	assert_int_equal(vnif_plan_limit(2, 16), 16);
	assert_int_equal(vnif_plan_limit(100, UINT32_MAX), VNIF_QUEUES_MAX);
	assert_int_equal(vnif_plan_limit(0, 0), 1);
}

/* N20 */
static void test_mtu(void **state)
{
	u32 max = vnif_plan_max_mtu(true);

	assert_int_equal(max, 65521);
	assert_int_equal(vnif_plan_max_mtu(false), 1500);
	assert_int_equal(vnif_plan_mtu(0, max), 68);
	assert_int_equal(vnif_plan_mtu(67, max), 68);
	assert_int_equal(vnif_plan_mtu(9000, max), 9000);
	assert_int_equal(vnif_plan_mtu(65535, max), 65521);
	assert_int_equal(vnif_plan_mtu(1ULL << 31, max), 65521);
	assert_int_equal(vnif_plan_mtu(UINT64_MAX, max), 65521);
}

static void test_speed(void **state)
{
	static const struct {
		const char *text;
		u32 mbps;
	} good[] = {
		{ "1000000", 1 }, { "10000000000", 10000 }, { "10G", 10000 },
		{ "10 G", 10000 }, { "2 g", 2000 }, { "100M", 100 }, { "54 m", 54 },
		{ "1000 K", 1 }, { "1000k", 1 }, { "1000G", 1000000 },
		{ "1999999", 1 }, { "1000000000000", 1000000 },
	};
	static const char * const bad[] = {
		"", " ", "G", "10T", "10 GB", "10GG", "-1G", "+1G", " 1G", "1  G",
		"0", "999999", "999K", "1001G", "1000000000001", "0x10", "1.5G",
		"99999999999999999999999999999999999999999999", "18446744073709551616G",
		"10%nG",
	};
	u32 i, mbps;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		mbps = 0;
		assert_int_equal(vnif_plan_speed(good[i].text, &mbps), 0);
		assert_int_equal(mbps, good[i].mbps);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		mbps = 77;
		assert_int_equal(vnif_plan_speed(bad[i], &mbps), -EINVAL);
		assert_int_equal(mbps, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
