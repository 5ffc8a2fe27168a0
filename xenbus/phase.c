// SPDX-License-Identifier: GPL-2.0
/*
 * The table of the handshake.
 *
 * All transitions of all devices stand here; handshake.c only carries them out.
 * What the table does not list means "stay": a backend may write any state at
 * any time and as often as it likes, and only the edges below move us.
 *
 * Some edges need more than the state. A backend that still says Connected after
 * we closed means the old connection, and one that says InitWait while we break
 * has not started anew yet; so both count only once the state has moved. And
 * Connected in LIVE means "look again" only when the backend wrote something.
 * A backend that vanishes is waited for if there is something that may wait.
 *
 * Life: none. Locks: none. Trust: the backend's state is not trusted.
 */
#include <linux/kernel.h>

#include "phase.h"

enum says {
	SAYS_NOTHING,	/* Initialising, reconfiguration, or no state at all */
	SAYS_READY,	/* InitWait: it waits for our keys */
	SAYS_UP,	/* Initialised, Connected */
	SAYS_CLOSING,
	SAYS_CLOSED,
	SAYS_GONE,
	SAYS_COUNT,
};

static enum says backend_says(int backend)
{
	switch (backend) {
	case XenbusStateInitWait:
		return SAYS_READY;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		return SAYS_UP;
	case XenbusStateClosing:
		return SAYS_CLOSING;
	case XenbusStateClosed:
		return SAYS_CLOSED;
	case XPV_BACKEND_GONE:
		return SAYS_GONE;
	default:
		return SAYS_NOTHING;
	}
}

/* clang-format off */
static const u8 table[][SAYS_COUNT] = {
	[XPV_DOWN] = {
		[SAYS_READY]	= XPV_OPEN,
		[SAYS_UP]	= XPV_OPEN,	/* if moved */
	},
	[XPV_PREPARED] = {
		[SAYS_UP]	= XPV_CONNECT,
		[SAYS_CLOSING]	= XPV_CLOSE,
		[SAYS_CLOSED]	= XPV_LOSE,
		[SAYS_GONE]	= XPV_LINGER,	/* without patience: lose */
	},
	[XPV_LIVE] = {
		[SAYS_READY]	= XPV_RESET,
		[SAYS_UP]	= XPV_CHANGED,	/* if event */
		[SAYS_CLOSING]	= XPV_CLOSE,
		[SAYS_CLOSED]	= XPV_LOSE,
		[SAYS_GONE]	= XPV_LINGER,	/* without patience: lose */
	},
	[XPV_BROKEN] = {
		[SAYS_READY]	= XPV_REVIVE,	/* if moved */
		[SAYS_CLOSING]	= XPV_REVIVE,
		[SAYS_CLOSED]	= XPV_REVIVE,
		[SAYS_GONE]	= XPV_REVIVE,
	},
};
/* clang-format on */

enum xpv_action xpv_phase_next(enum xpv_phase phase, int backend,
			       unsigned int seen)
{
	bool moved = seen & XPV_SEEN_MOVED;
	enum says says = backend_says(backend);
	enum xpv_action action = table[phase][says];

	if (phase == XPV_DOWN && says == SAYS_UP && !moved)
		return XPV_STAY;
	if (phase == XPV_BROKEN && says == SAYS_READY && !moved)
		return XPV_STAY;
	if (action == XPV_CHANGED && !(seen & XPV_SEEN_EVENT))
		return XPV_STAY;
	if (action == XPV_LINGER && !(seen & XPV_SEEN_PATIENCE))
		return XPV_LOSE;
	return action;
}
