// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/plan.c
/* Rings of a connection, and the pace of events. */
#include <string.h>
#include "unit.h"

#include "../../blkfront/plan.h"

static void test_rings(void **state)
{
	static const struct {
		struct vbd_wish wish;
		struct vbd_plan plan;
	} row[] = {
		/* One for each CPU, as far as both sides allow. */
		{ { .cpus = 2, .offered_queues = 4 }, { .rings = 2 } },
		{ { .cpus = 8, .offered_queues = 4 }, { .rings = 4 } },
		{ { .cpus = 8, .max_queues = 3, .offered_queues = 4 }, { .rings = 3 } },
		{ { .cpus = 2, .offered_queues = 0 }, { .rings = 1 } },
		{ { .cpus = 0, .offered_queues = 9 }, { .rings = 1 } },
		{ { .cpus = 4, .offered_queues = UINT32_MAX }, { .rings = 4 } },
		/* Those for polling are extra, or cost one of the others. */
		{ { .cpus = 2, .poll_queues = 2, .offered_queues = 8 },
		  { .rings = 4, .polled = 2 } },
		{ { .cpus = 4, .poll_queues = 2, .offered_queues = 5 },
		  { .rings = 5, .polled = 1 } },
		{ { .cpus = 4, .poll_queues = 2, .offered_queues = 4 },
		  { .rings = 4, .polled = 1 } },
		{ { .cpus = 4, .poll_queues = 2, .offered_queues = 1 }, { .rings = 1 } },
		{ { .cpus = 1, .poll_queues = UINT32_MAX, .offered_queues = UINT32_MAX },
		  { .rings = UINT32_MAX, .polled = UINT32_MAX - 1 } },
		/* Two keys for the size of a ring; ours is the limit. */
		{ { .cpus = 1, .order = 4, .offered_order = 2 }, { .rings = 1, .order = 2 } },
		{ { .cpus = 1, .order = 1, .offered_order = 4 }, { .rings = 1, .order = 1 } },
		{ { .cpus = 1, .order = 4, .offered_order = 99 }, { .rings = 1, .order = 4 } },
		{ { .cpus = 1, .order = 99, .offered_order = 99 }, { .rings = 1, .order = 4 } },
		{ { .cpus = 1, .order = 4, .offered_pages = 1 }, { .rings = 1 } },
		{ { .cpus = 1, .order = 4, .offered_pages = 7 }, { .rings = 1, .order = 2 } },
		{ { .cpus = 1, .order = 4, .offered_pages = 8 }, { .rings = 1, .order = 3 } },
		{ { .cpus = 1, .order = 4, .offered_pages = UINT32_MAX },
		  { .rings = 1, .order = 4 } },
		{ { .cpus = 1, .order = 4, .offered_order = 1, .offered_pages = 16 },
		  { .rings = 1, .order = 1 } },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		struct vbd_plan plan = vbd_plan_rings(&row[i].wish);

		assert_memory_equal(&plan, &row[i].plan, sizeof(plan));
	}
}

static void test_pace_learns(void **state)
{
	struct vbd_pace pace = { 0 };
	u32 i, next = 0;

	for (i = 0; i < 20; i++)
		next = vbd_pace_next(&pace, 1, VBD_PACE_NS, 100);
	assert_int_equal(next, VBD_PACE_MAX);
	/* One slow answer halves it, and several bring it back to one. */
	assert_int_equal(vbd_pace_next(&pace, 1, VBD_PACE_NS + 1, 100), VBD_PACE_MAX / 2);
	for (i = 0; i < 3; i++)
		next = vbd_pace_next(&pace, 1, 10 * VBD_PACE_NS, 100);
	assert_int_equal(next, 1);
	/* Ten in the time of ten are fast. */
	assert_int_equal(vbd_pace_next(&pace, 10, 10 * VBD_PACE_NS, 100), 2);
}

/* What is waited for is on its way: the wait always ends. */
static void test_pace_ends(void **state)
{
	struct vbd_pace pace = { 0 };
	u32 due, i, next, seed = 7;

	for (i = 0; i < 10000; i++) {
		due = unit_random(&seed) % 40;
		next = vbd_pace_next(&pace, unit_random(&seed) % 8,
				     unit_random(&seed) % 1000000, due);
		assert_true(next >= 1);
		assert_true(next <= VBD_PACE_MAX);
		assert_true(next == 1 || next * 2 <= due);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_pace_learns),
		cmocka_unit_test(test_pace_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
