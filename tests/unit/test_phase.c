// SPDX-License-Identifier: GPL-2.0
// pure: xenbus/phase.c
/*
 * xenbus/phase.c: the handshake's table, all of it (X01).
 *
 * The expected edges are written down here once more, from the protocol and in
 * another form; whatever is not among them must be "stay". Then whole lives of a
 * device are walked through, and random backends must never reach LIVE without
 * going through PREPARED, nor leave a phase by an edge that it does not have.
 */
#include "unit.h"

#include <string.h>
#include "../../xenbus/phase.h"

#define MOVED	XPV_SEEN_MOVED
#define EVENT	XPV_SEEN_EVENT
#define PATIENT	XPV_SEEN_PATIENCE
#define FLAGS	8	/* as many combinations */
#define ANY	8	/* whatever the flags */
#define WITHOUT	16	/* if the flag is not set */

/* An edge is walked if one flag of @when is seen, or with WITHOUT if it is not. */
static const struct edge {
	enum xpv_phase phase;
	int backend;
	int when;
	enum xpv_action action;
} edges[] = {
	{ XPV_DOWN, XenbusStateInitWait, ANY, XPV_OPEN },
	{ XPV_DOWN, XenbusStateInitialised, MOVED, XPV_OPEN },
	{ XPV_DOWN, XenbusStateConnected, MOVED, XPV_OPEN },
	{ XPV_PREPARED, XenbusStateInitialised, ANY, XPV_CONNECT },
	{ XPV_PREPARED, XenbusStateConnected, ANY, XPV_CONNECT },
	{ XPV_PREPARED, XenbusStateClosing, ANY, XPV_CLOSE },
	{ XPV_PREPARED, XenbusStateClosed, ANY, XPV_LOSE },
	{ XPV_PREPARED, XPV_BACKEND_GONE, PATIENT, XPV_LINGER },
	{ XPV_PREPARED, XPV_BACKEND_GONE, PATIENT | WITHOUT, XPV_LOSE },
	{ XPV_LIVE, XenbusStateInitWait, ANY, XPV_RESET },
	{ XPV_LIVE, XenbusStateInitialised, EVENT, XPV_CHANGED },
	{ XPV_LIVE, XenbusStateConnected, EVENT, XPV_CHANGED },
	{ XPV_LIVE, XenbusStateClosing, ANY, XPV_CLOSE },
	{ XPV_LIVE, XenbusStateClosed, ANY, XPV_LOSE },
	{ XPV_LIVE, XPV_BACKEND_GONE, PATIENT, XPV_LINGER },
	{ XPV_LIVE, XPV_BACKEND_GONE, PATIENT | WITHOUT, XPV_LOSE },
	{ XPV_BROKEN, XenbusStateInitWait, MOVED, XPV_REVIVE },
	{ XPV_BROKEN, XenbusStateClosing, ANY, XPV_REVIVE },
	{ XPV_BROKEN, XenbusStateClosed, ANY, XPV_REVIVE },
	{ XPV_BROKEN, XPV_BACKEND_GONE, ANY, XPV_REVIVE },
};

static bool applies(int when, int flags)
{
	if (when == ANY)
		return true;
	return when & WITHOUT ? !(when & flags) : when & flags;
}

static enum xpv_action expected(enum xpv_phase phase, int backend, int flags)
{
	for (u32 i = 0; i < ARRAY_SIZE(edges); i++)
		if (edges[i].phase == phase && edges[i].backend == backend &&
		    applies(edges[i].when, flags))
			return edges[i].action;
	return XPV_STAY;
}

static void whole_matrix(void **state)
{
	static const int odd[] = { -1, -2, 10, 99, 256 + 4, 0x7fffffff,
				   -0x7fffffff - 1 };
	int walked = 0;

	for (int phase = XPV_DOWN; phase <= XPV_BROKEN; phase++) {
		for (int flags = 0; flags < FLAGS; flags++) {
			for (int b = 0; b <= XPV_BACKEND_GONE; b++) {
				enum xpv_action action =
					xpv_phase_next(phase, b, flags);

				assert_int_equal(action,
						 expected(phase, b, flags));
				walked += action != XPV_STAY;
			}
			for (u32 i = 0; i < ARRAY_SIZE(odd); i++)
				assert_int_equal(xpv_phase_next(phase, odd[i],
								flags),
						 XPV_STAY);
		}
	}
	/* 13 edges whatever is seen, 5 if one thing is */
	assert_int_equal(walked, 13 * FLAGS + 5 * FLAGS / 2);
}

/* Where an action leads; what handshake.c does when nothing fails. */
static enum xpv_phase after(enum xpv_phase phase, enum xpv_action action)
{
	switch (action) {
	case XPV_OPEN:
		return XPV_PREPARED;
	case XPV_CONNECT:
		return XPV_LIVE;
	case XPV_RESET:
	case XPV_CLOSE:
	case XPV_LOSE:
	case XPV_LINGER:
	case XPV_REVIVE:
		return XPV_DOWN;
	case XPV_STAY:
	case XPV_CHANGED:
		break;
	}
	return phase;
}

/* Walk edges until the table says stay, as control work does. */
static enum xpv_phase settle(enum xpv_phase phase, int backend, int *steps)
{
	bool event = true;
	enum xpv_action action;

	*steps = 0;
	do {
		action = xpv_phase_next(phase, backend,
					MOVED | PATIENT | (event ? EVENT : 0));
		event = false;
		phase = after(phase, action);
		assert_true(++*steps < 10);
	} while (action != XPV_STAY);
	return phase;
}

/* What a backend writes, and where the device must stand after each. */
struct life {
	int backend;
	enum xpv_phase phase;
};

static void live(const struct life *life, u32 n)
{
	enum xpv_phase phase = XPV_DOWN;
	int steps;

	for (u32 i = 0; i < n; i++) {
		phase = settle(phase, life[i].backend, &steps);
		assert_int_equal(phase, life[i].phase);
	}
}

static void lives(void **state)
{
	static const struct life usual[] = {
		{ XenbusStateInitialising, XPV_DOWN },
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateConnected, XPV_LIVE },
		{ XenbusStateConnected, XPV_LIVE },
		{ XenbusStateClosing, XPV_DOWN },
		{ XenbusStateClosed, XPV_DOWN },
		{ XPV_BACKEND_GONE, XPV_DOWN },
	};
	/* X02: Connected without InitWait connects, once. */
	static const struct life hasty[] = {
		{ XenbusStateConnected, XPV_LIVE },
		{ XenbusStateConnected, XPV_LIVE },
	};
	/* X04, X05: closed under I/O, and back without being unplugged. */
	static const struct life again[] = {
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateConnected, XPV_LIVE },
		{ XenbusStateClosed, XPV_DOWN },
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateClosing, XPV_DOWN },
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateConnected, XPV_LIVE },
	};
	/* The backend restarts: it waits for new keys at once. */
	static const struct life restart[] = {
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateConnected, XPV_LIVE },
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateConnected, XPV_LIVE },
		{ XPV_BACKEND_GONE, XPV_DOWN },
	};
	/* It vanishes and returns, or another one does; the second time at once. */
	static const struct life returns[] = {
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XenbusStateConnected, XPV_LIVE },
		{ XPV_BACKEND_GONE, XPV_DOWN },
		{ XenbusStateInitialising, XPV_DOWN },
		{ XenbusStateInitWait, XPV_PREPARED },
		{ XPV_BACKEND_GONE, XPV_DOWN },
		{ XenbusStateConnected, XPV_LIVE },
	};

	live(usual, ARRAY_SIZE(usual));
	live(hasty, ARRAY_SIZE(hasty));
	live(again, ARRAY_SIZE(again));
	live(restart, ARRAY_SIZE(restart));
	live(returns, ARRAY_SIZE(returns));
}

/* X12: whatever it flaps between, no state makes us walk in circles. */
static void flapping_settles(void **state)
{
	enum xpv_phase phase = XPV_DOWN;
	u32 seed = 88172645;
	int steps;

	for (int round = 0; round < 100000; round++) {
		phase = settle(phase, unit_random(&seed) % 10, &steps);
		/* reset, open, connect at most, and the last look */
		assert_in_range(steps, 1, 4);
	}
}

/* A connection that is over, or broke, is not revived by its own leftovers. */
static void old_news(void **state)
{
	assert_int_equal(xpv_phase_next(XPV_DOWN, XenbusStateConnected, EVENT),
			 XPV_STAY);
	assert_int_equal(xpv_phase_next(XPV_BROKEN, XenbusStateInitWait, EVENT),
			 XPV_STAY);
	assert_int_equal(xpv_phase_next(XPV_BROKEN, XenbusStateConnected,
					MOVED | EVENT), XPV_STAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_matrix),
		cmocka_unit_test(lives),
		cmocka_unit_test(flapping_settles),
		cmocka_unit_test(old_news),
	};

	return cmocka_run_group_tests_name("phase", tests, NULL, NULL);
}
