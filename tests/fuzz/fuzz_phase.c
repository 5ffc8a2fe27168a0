// SPDX-License-Identifier: GPL-2.0
// pure: xenbus/phase.c
/*
 * A device is led through the table of xenbus/phase.c by a backend that writes any
 * state at any time.
 *
 * Carried out here as handshake.c does: one action, the phase that phase.h names,
 * and another look, until there is nothing to do.
 */
#include "fuzz.h"

#include "../../xenbus/phase.h"

/* Where each action may begin, and where it leads. */
static const struct {
	u8 from;
	enum xpv_phase to;
} edges[] = {
	[XPV_OPEN]    = { BIT(XPV_DOWN), XPV_PREPARED },
	[XPV_CONNECT] = { BIT(XPV_PREPARED), XPV_LIVE },
	[XPV_CHANGED] = { BIT(XPV_LIVE), XPV_LIVE },
	[XPV_RESET]   = { BIT(XPV_LIVE), XPV_DOWN },
	[XPV_CLOSE]   = { BIT(XPV_PREPARED) | BIT(XPV_LIVE), XPV_DOWN },
	[XPV_LOSE]    = { BIT(XPV_PREPARED) | BIT(XPV_LIVE), XPV_DOWN },
	[XPV_REVIVE]  = { BIT(XPV_BROKEN), XPV_DOWN },
};

static bool leaves(int backend)
{
	return backend == XenbusStateClosing || backend == XenbusStateClosed ||
	       backend == XPV_BACKEND_GONE;
}

/* What each action claims that the backend said. */
static void check_reason(enum xpv_action action, int backend, bool moved, bool event)
{
	switch (action) {
	case XPV_OPEN:
		must(backend == XenbusStateInitWait ||
		     (moved && (backend == XenbusStateInitialised ||
				backend == XenbusStateConnected)));
		break;
	case XPV_CHANGED:
		must(event);
		/* fallthrough */
	case XPV_CONNECT:
		must(backend == XenbusStateInitialised ||
		     backend == XenbusStateConnected);
		break;
	case XPV_RESET:
		must(backend == XenbusStateInitWait);
		break;
	case XPV_CLOSE:
		must(backend == XenbusStateClosing);
		break;
	case XPV_LOSE:
		must(backend == XenbusStateClosed || backend == XPV_BACKEND_GONE);
		break;
	case XPV_REVIVE:
		must(leaves(backend) || (moved && backend == XenbusStateInitWait));
		break;
	default:
		must(action == XPV_STAY);
	}
}

static enum xpv_phase settle(enum xpv_phase phase, int backend, bool moved, bool event)
{
	enum xpv_action action;
	int steps = 0;

	for (;;) {
		action = xpv_phase_next(phase, backend, moved, event);
		must(action == xpv_phase_next(phase, backend, moved, event));
		if (action == XPV_STAY)
			return phase;
		must(action < ARRAY_SIZE(edges));
		must(edges[action].from & BIT(phase));
		check_reason(action, backend, moved, event);
		/* The state in which a connection ended says nothing any more. */
		if (action == XPV_CLOSE || action == XPV_LOSE || action == XPV_REVIVE)
			moved = false;
		phase = edges[action].to;
		event = false;
		must(++steps <= 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	enum xpv_phase phase = XPV_DOWN;

	while (in.left) {
		u8 op = fuzz_u8(&in);
		int backend = op & 0x80 ? (int)fuzz_u32(&in) : (op & 0xf) - 3;

		phase = settle(phase, backend, op & 0x10, op & 0x20);
		if (leaves(backend))
			must(phase == XPV_DOWN);
		if (backend < 0 || backend > XPV_BACKEND_GONE)
			must(settle(phase, backend, true, true) == phase);
		/* A lie that some other layer found. */
		if (op & 0x40 && phase != XPV_DOWN)
			phase = XPV_BROKEN;
	}
	return 0;
}
