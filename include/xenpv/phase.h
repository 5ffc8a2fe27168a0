/* SPDX-License-Identifier: GPL-2.0 */
/* Where a device stands. Apart from bus.h so that pure code can include it. */
#ifndef XENPV_PHASE_H
#define XENPV_PHASE_H

/**
 * enum xpv_phase - where a device stands; only control work writes it
 * @XPV_DOWN: no rings, grants or ports
 * @XPV_PREPARED: rings granted, keys written; the backend may map them
 * @XPV_LIVE: the only phase that accepts I/O
 * @XPV_BROKEN: the peer lied or failed; I/O fails until it starts anew
 */
enum xpv_phase {
	XPV_DOWN,
	XPV_PREPARED,
	XPV_LIVE,
	XPV_BROKEN,
};

#endif /* XENPV_PHASE_H */
