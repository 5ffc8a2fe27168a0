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
	struct vbd_pace pace = { .after = 1 };
	u32 i;

	for (i = 0; i < 20; i++)
		vbd_pace_learn(&pace, 1, VBD_PACE_NS);
	assert_int_equal(pace.after, VBD_PACE_MAX);
	/* One slow answer halves it, and several bring it back to one. */
	vbd_pace_learn(&pace, 1, VBD_PACE_NS + 1);
	assert_int_equal(pace.after, VBD_PACE_MAX / 2);
	for (i = 0; i < 3; i++)
		vbd_pace_learn(&pace, 1, 10 * VBD_PACE_NS);
	assert_int_equal(pace.after, 1);
	/* Ten in the time of ten are fast. */
	vbd_pace_learn(&pace, 10, 10 * VBD_PACE_NS);
	assert_int_equal(pace.after, 2);
}

static void test_pace_rests(void **state)
{
	struct vbd_pace pace = { .after = VBD_PACE_MAX };
	u32 i;

	vbd_pace_late(&pace);
	assert_int_equal(vbd_pace_wait(&pace, 100), 1);
	for (i = 0; i < VBD_PACE_REST / 4; i++) {
		vbd_pace_learn(&pace, 4, 0);
		assert_int_equal(pace.after, 1);
	}
	vbd_pace_learn(&pace, 4, 0);
	assert_int_equal(pace.after, 2);
	/* More than were left to rest for. */
	pace.rest = 3;
	vbd_pace_learn(&pace, 4, 0);
	assert_int_equal(pace.rest, 0);
	/* Twice as long each time, up to a limit, until all goes well again. */
	vbd_pace_late(&pace);
	assert_int_equal(pace.rest, 2 * VBD_PACE_REST);
	for (i = 0; i < 40; i++)
		vbd_pace_late(&pace);
	assert_int_equal(pace.rest, VBD_PACE_REST_MAX);
	vbd_pace_learn(&pace, VBD_PACE_REST_MAX, 0);
	for (i = 0; i < VBD_PACE_MAX; i++)
		vbd_pace_learn(&pace, 1, 0);
	vbd_pace_late(&pace);
	assert_int_equal(pace.rest, VBD_PACE_REST);
}

/* What is waited for is on its way: the wait always ends. */
static void test_pace_ends(void **state)
{
	struct vbd_pace pace = { .after = 1 };
	u32 due, i, wait, seed = 7;

	for (i = 0; i < 10000; i++) {
		due = unit_random(&seed) % 20;
		if (unit_random(&seed) % 64)
			vbd_pace_learn(&pace, unit_random(&seed) % 8,
				       unit_random(&seed) % 500000);
		else
			vbd_pace_late(&pace);
		wait = vbd_pace_wait(&pace, due);
		assert_true(wait >= 1 && wait <= VBD_PACE_MAX);
		assert_true(wait == 1 || wait <= due);
	}
}

/* Requests are only kept where an event is sure to let them go. */
static void test_pace_holds(void **state)
{
	struct vbd_pace pace = { .after = VBD_PACE_MAX };
	u32 due, held;

	for (due = 0; due < 40; due++) {
		for (held = 1; held <= VBD_PACE_MAX; held++)
			assert_int_equal(vbd_pace_hold(VBD_PACE_MAX, due, held),
					 vbd_pace_wait(&pace, due) == VBD_PACE_MAX &&
					 held < VBD_PACE_MAX);
	}
	assert_false(vbd_pace_hold(VBD_PACE_MAX - 1, 100, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rings),
		cmocka_unit_test(test_pace_learns),
		cmocka_unit_test(test_pace_rests),
		cmocka_unit_test(test_pace_ends),
		cmocka_unit_test(test_pace_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
