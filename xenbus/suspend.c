// SPDX-License-Identifier: GPL-2.0
/*
 * The xenstore client and the bus while the guest stands still.
 *
 * Before, everything comes to rest: control work of all devices, so that no handshake
 * and no transaction is halfway; then the drivers' queues; then the xenstore ring.
 * Requests to xenstore that others make meanwhile just wait.
 *
 * A guest that was not suspended after all goes on where it was. One that runs in
 * another domain finds another xenstored, other directories and other backends there:
 * the ring is taken as the host names it now, and watches are made again. Each device
 * is only marked: its control work resets it as if its backend had died (what was in
 * flight is kept), and begins the handshake as ever.
 *
 * Life: xpv_bus_suspend() and then xpv_bus_resume(), between xpv_bus_start() and
 * xpv_bus_stop().
 * Locks: xpv_control_gate is held in between. It stands for all that control work
 * owns; a driver that is bound meanwhile begins with nothing, and waits at the gate.
 * Trust: see comms.c and handshake.c.
 */
#include <linux/delay.h>

#include "xenbus.h"

DECLARE_RWSEM(xpv_control_gate);

static const struct xpv_driver *driver_of(struct xpv_device *xd)
{
	/* Pairs with the release in xpv_control_start(). */
	return smp_load_acquire(&xd->drv);
}

/*
 * What a card waits for may itself wait for memory, and that for a disk. So cards come to
 * rest while disks still work, and go on when disks do again.
 */
static bool keeps_requests(const struct xpv_driver *drv)
{
	return drv->linger;
}

static bool is_live(struct xpv_device *xd, bool keeps)
{
	const struct xpv_driver *drv = driver_of(xd);

	return drv && xd->phase == XPV_LIVE && keeps_requests(drv) == keeps;
}

static void suspend_card(struct xpv_device *xd)
{
	if (is_live(xd, false))
		xd->drv->suspend(xd);
}

static void suspend_disk(struct xpv_device *xd)
{
	if (is_live(xd, true))
		xd->drv->suspend(xd);
}

static void resume_disk(struct xpv_device *xd)
{
	if (is_live(xd, true))
		xd->drv->resume(xd);
}

static void resume_card(struct xpv_device *xd)
{
	if (is_live(xd, false))
		xd->drv->resume(xd);
}

/* Control work does the rest, of each device by itself. */
static void transplant(struct xpv_device *xd)
{
	if (!driver_of(xd))
		return;
	/* Of a directory that is not there any more, or not ours to read. */
	xpv_watch_forget(&xd->watch);
	xd->fresh = true;
	xd->transplanted = true;
	xpv_control_named(xd);
}

void xpv_bus_suspend(void)
{
	/*
	 * Not queued for it: control work of a card may wait for RTNL, and whoever has that
	 * for a disk whose control work would then be kept out.
	 */
	while (!down_write_trylock(&xpv_control_gate))
		usleep_range(1000, 2000);
	xpv_bus_each(suspend_card);
	xpv_bus_each(suspend_disk);
	xpv_comms_suspend();
}

void xpv_bus_resume(bool anew)
{
	int err = xpv_comms_resume(anew);

	if (err)
		pr_err("xenstore is lost: no device comes back before the guest restarts: %d\n",
		       err);
	if (anew) {
		xpv_bus_each(transplant);
		xpv_watch_renew();
	} else {
		xpv_bus_each(resume_disk);
		xpv_bus_each(resume_card);
	}
	up_write(&xpv_control_gate);
}
