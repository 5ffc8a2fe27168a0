/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of the handshake: where we stand and what the backend says give what
 * to do next. Pure; the unit tests compile phase.c as it stands.
 */
#ifndef XENPV_XENBUS_PHASE_H
#define XENPV_XENBUS_PHASE_H

#include <linux/bits.h>
#include <linux/types.h>
#include <xen/interface/io/xenbus.h>
#include <xenpv/phase.h>

/* A backend without a state: beside xenbus_state's values in one variable. */
#define XPV_BACKEND_GONE	9

/**
 * enum xpv_action - the one edge to walk now
 * @XPV_STAY: nothing to do
 * @XPV_OPEN: prepare and publish: DOWN -> PREPARED
 * @XPV_CONNECT: the backend has taken our keys: PREPARED -> LIVE
 * @XPV_CHANGED: the backend, connected, wrote something: LIVE -> LIVE
 * @XPV_RESET: the backend starts anew and we with it: LIVE -> DOWN
 * @XPV_CLOSE: the backend asks us to close, and waits for it: -> DOWN
 * @XPV_LOSE: the backend has left without asking: -> DOWN
 * @XPV_LINGER: the same, but requests wait for its return: -> DOWN
 * @XPV_REVIVE: the backend that lied has left or starts anew: BROKEN -> DOWN
 */
enum xpv_action {
	XPV_STAY,
	XPV_OPEN,
	XPV_CONNECT,
	XPV_CHANGED,
	XPV_RESET,
	XPV_CLOSE,
	XPV_LOSE,
	XPV_LINGER,
	XPV_REVIVE,
};

/* What else is known, beside the two states. */
/* It is not the state in which an earlier connection ended or broke. */
#define XPV_SEEN_MOVED		BIT(0)
/* The backend has written something since the last look. */
#define XPV_SEEN_EVENT		BIT(1)
/* There are requests that may wait for a backend that has vanished. */
#define XPV_SEEN_PATIENCE	BIT(2)

/**
 * xpv_phase_next() - look into the table
 * @phase: where we stand
 * @backend: the backend's state, or XPV_BACKEND_GONE; anything else is no edge
 * @seen: XPV_SEEN_*
 */
enum xpv_action xpv_phase_next(enum xpv_phase phase, int backend,
			       unsigned int seen);

#endif /* XENPV_XENBUS_PHASE_H */
