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
	[XPV_LINGER]  = { BIT(XPV_PREPARED) | BIT(XPV_LIVE), XPV_DOWN },
	[XPV_REVIVE]  = { BIT(XPV_BROKEN), XPV_DOWN },
};

static bool leaves(int backend)
{
	return backend == XenbusStateClosing || backend == XenbusStateClosed ||
	       backend == XPV_BACKEND_GONE;
}

/* What each action claims that the backend said. */
static void check_reason(enum xpv_action action, int backend, unsigned int seen)
{
	bool moved = seen & XPV_SEEN_MOVED;

	switch (action) {
	case XPV_OPEN:
		must(backend == XenbusStateInitWait ||
		     (moved && (backend == XenbusStateInitialised ||
				backend == XenbusStateConnected)));
		break;
	case XPV_CHANGED:
		must(seen & XPV_SEEN_EVENT);
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
	case XPV_LINGER:
		must(backend == XPV_BACKEND_GONE && (seen & XPV_SEEN_PATIENCE));
		break;
	case XPV_REVIVE:
		must(leaves(backend) || (moved && backend == XenbusStateInitWait));
		break;
	default:
		must(action == XPV_STAY);
	}
}

static enum xpv_phase settle(enum xpv_phase phase, int backend, unsigned int seen)
{
	enum xpv_action action;
	int steps = 0;

	for (;;) {
		action = xpv_phase_next(phase, backend, seen);
		must(action == xpv_phase_next(phase, backend, seen));
		if (action == XPV_STAY)
			return phase;
		must(action < ARRAY_SIZE(edges));
		must(edges[action].from & BIT(phase));
		check_reason(action, backend, seen);
		/* The state in which a connection ended says nothing any more. */
		if (action == XPV_CLOSE || action == XPV_LOSE ||
		    action == XPV_LINGER || action == XPV_REVIVE)
			seen &= ~XPV_SEEN_MOVED;
		phase = edges[action].to;
		seen &= ~XPV_SEEN_EVENT;
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
		unsigned int seen;

		seen = op >> 4 & (XPV_SEEN_MOVED | XPV_SEEN_EVENT);
		if (!(op & 0x40))
			seen |= XPV_SEEN_PATIENCE;
		phase = settle(phase, backend, seen);
		if (leaves(backend))
			must(phase == XPV_DOWN);
		if (backend < 0 || backend > XPV_BACKEND_GONE)
			must(settle(phase, backend, XPV_SEEN_MOVED | XPV_SEEN_EVENT) == phase);
		/* A lie that some other layer found. */
		if (op & 0x40 && phase != XPV_DOWN)
			phase = XPV_BROKEN;
	}
	return 0;
}
