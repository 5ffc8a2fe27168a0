// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake: what we say to the backend, and what becomes of requests when a
 * connection comes and goes.
 *
 *	prepare		rings and ports
 *	publish		`ring-ref`, `event-channel`, `protocol`, for each queue if there
 *			are several
 *	connect		geometry and features (offer.c); then slots with all their
 *			references, and the disk
 *	changed		size and mode may change while connected
 *	suspend, resume	requests wait in the block layer meanwhile
 *	stop, disconnect	see the table below
 *
 *	why	requests		the disk
 *	RESET	wait for the next one	stays
 *	CLOSING	are all answered	goes; refused while somebody uses it
 *	REMOVE	are answered, or fail	goes
 *		after GIVE_UP
 *	GONE	fail at once		goes
 *	BROKEN	fail at once		stays, and fails all that comes
 *
 * Life: hooks of the bus, one at a time; see <xenpv/bus.h>.
 * Locks: none here.
 * Trust: see offer.c.
 */
#include <xen/interface/io/protocols.h>

#include "vbd.h"

/* A removal waits so long for the backend to answer what is under way. */
#define GIVE_UP		(10 * HZ)

/* ---- rings and their keys -------------------------------------------------------- */

static void destroy_connection(struct vbd *vbd)
{
	u32 i;

	for (i = 0; i < vbd->limit; i++)
		vbd_slots_destroy(&vbd->queue[i]);
	for (i = 0; i < vbd->rings; i++)
		vbd_ring_destroy(&vbd->ring[i]);
}

/* Queues beyond the rings of this connection share them. */
static void assign_rings(struct vbd *vbd)
{
	u32 i;

	for (i = 0; i < vbd->limit; i++)
		WRITE_ONCE(vbd->queue[i].ring, &vbd->ring[i % vbd->rings]);
}

int vbd_prepare(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	struct vbd_plan *plan = &vbd->plan;
	int err = 0;
	u32 i;

	/* The administrator of either side may say no. */
	vbd->trusted = vbd_trusted && xpv_bus_front_trusted(xd);
	vbd_offer_plan(vbd, plan);
	vbd->rings = plan->rings;
	assign_rings(vbd);
	for (i = 0; i < plan->rings && !err; i++)
		err = vbd_ring_create(vbd, &vbd->ring[i], plan->order,
				      i >= plan->rings - plan->polled);
	if (!err)
		return 0;
	destroy_connection(vbd);
	/* Requests that waited for this connection wait in vain. */
	vbd_io_fail(vbd);
	return err;
}

static void publish_pages(const struct vbd_ring *ring, struct xpv_batch *batch,
			  const char *dir)
{
	char key[40];
	u32 i;

	if (!ring->order) {
		snprintf(key, sizeof(key), "%sring-ref", dir);
		xpv_batch_put(batch, key, "%u", ring->ref[0]);
		return;
	}
	for (i = 0; i < 1U << ring->order; i++) {
		snprintf(key, sizeof(key), "%sring-ref%u", dir, i);
		xpv_batch_put(batch, key, "%u", ring->ref[i]);
	}
}

static void publish_ring(const struct vbd_ring *ring, struct xpv_batch *batch,
			 const char *dir)
{
	char key[40];

	publish_pages(ring, batch, dir);
	snprintf(key, sizeof(key), "%sevent-channel", dir);
	xpv_batch_put(batch, key, "%u", ring->evtchn.port);
}

/* Two generations of the same key; an older connection's must not stay. */
static void publish_order(u32 order, struct xpv_batch *batch)
{
	if (!order) {
		xpv_batch_remove(batch, "ring-page-order");
		xpv_batch_remove(batch, "num-ring-pages");
		return;
	}
	xpv_batch_put(batch, "ring-page-order", "%u", order);
	xpv_batch_put(batch, "num-ring-pages", "%u", 1U << order);
}

void vbd_publish(struct xpv_device *xd, struct xpv_batch *batch)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	char dir[20];
	u32 i;

	publish_order(vbd->plan.order, batch);
	if (vbd->rings == 1) {
		xpv_batch_remove(batch, "multi-queue-num-queues");
		publish_ring(&vbd->ring[0], batch, "");
	} else {
		xpv_batch_put(batch, "multi-queue-num-queues", "%u", vbd->rings);
		for (i = 0; i < vbd->rings; i++) {
			snprintf(dir, sizeof(dir), "queue-%u/", i);
			publish_ring(&vbd->ring[i], batch, dir);
		}
	}
	xpv_batch_put(batch, "feature-persistent", "%u", vbd_persistent);
	xpv_batch_put(batch, "paging", "%u", READ_ONCE(vbd->swap));
	xpv_batch_put(batch, "root", "%u", vbd_usage_root(vbd));
	xpv_batch_put(batch, "protocol", "%s", XEN_IO_PROTO_ABI_NATIVE);
}

/* ---- coming ---------------------------------------------------------------------- */

/* The queues of a disk that is not made yet: one for each ring. */
static void shape_queues(struct vbd *vbd)
{
	u32 i;

	vbd->queues = vbd->rings;
	vbd->polled = vbd->plan.polled;
	for (i = 0; i < vbd->queues; i++)
		vbd->queue[i].depth = vbd->ring[i].ring.slots;
}

static int create_slots(struct vbd *vbd, u32 segs, bool lean)
{
	int err = 0;
	u32 i;

	for (i = 0; i < vbd->queues && !err; i++)
		err = vbd_slots_create(&vbd->queue[i], segs, lean);
	for (i = 0; err && i < vbd->queues; i++)
		vbd_slots_destroy(&vbd->queue[i]);
	return err;
}

static int create_all_slots(struct vbd *vbd)
{
	u32 offered = xpv_bus_get_u32(vbd->xd, "feature-max-indirect-segments",
				      0, 0, VBD_SEGS_MAX);
	u32 segs = vbd_segs_limit(offered, vbd_max_indirect_segments);
	int err = create_slots(vbd, segs, false);

	if (err == -ENOSPC)
		err = create_slots(vbd, segs, true);
	if (err)
		xpv_bus_error(vbd->xd, err,
			      err == -ENOSPC ?
			      "grant table full: fewer disks or queues, or more max_grant_frames for this guest" :
			      "not enough memory for requests");
	return err;
}

/* Events go where the requests come from. */
static void aim_events(struct vbd *vbd)
{
	struct blk_mq_hw_ctx *hctx;
	struct vbd_queue *q;
	unsigned int cpu;
	unsigned long i;

	queue_for_each_hw_ctx(vbd->disk->queue, hctx, i) {
		q = hctx->driver_data;
		cpu = cpumask_first_and(hctx->cpumask, cpu_online_mask);
		if (q->ring == &vbd->ring[q->index] && cpu < nr_cpu_ids)
			xpv_evtchn_set_cpu(&q->ring->evtchn, cpu);
	}
}

static void say_connected(struct vbd *vbd)
{
	const struct vbd_offer *offer = &vbd->offer;
	unsigned long features = offer->features;

	if (!__ratelimit(&vbd->news))
		return;
	dev_info(&vbd->xd->dev,
		 "%s: %llu KiB, blocks of %u%s%s, %s, discard %s, %u segments, %u queue%s (%u for polling) of %u%s%s\n",
		 vbd->name, offer->sectors >> 1, offer->sector_size,
		 features & BIT(VBD_READONLY) ? ", read-only" : "",
		 features & BIT(VBD_REMOVABLE) ? ", removable" : "",
		 features & BIT(VBD_FLUSH) ? "flush by cache flush" :
		 features & BIT(VBD_BARRIER) ? "flush by barrier" : "no flush offered",
		 features & BIT(VBD_DISCARD) ? "on" : "off",
		 vbd->queue[0].max_segs, vbd->rings, vbd->rings == 1 ? "" : "s",
		 vbd->plan.polled, vbd->ring[0].ring.slots,
		 vbd->persistent ? ", persistent grants" : "",
		 vbd->trusted ? "" : ", backend not trusted");
}

/* A disk that users have must not turn into another one. */
static bool is_another(const struct vbd *vbd, const struct vbd_offer *offer)
{
	const struct vbd_offer *old = &vbd->offer;

	return old->sector_size != offer->sector_size ||
	       strcmp(old->serial, offer->serial) ||
	       strcmp(old->wwid, offer->wwid);
}

int vbd_connect(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	struct vbd_offer offer;
	int err;

	err = vbd_offer_read(vbd, &offer);
	if (err)
		return err;
	if (vbd->disk && is_another(vbd, &offer)) {
		xpv_bus_error(xd, -EMEDIUMTYPE,
			      "backend came back with another disk: identity or block size differ");
		return -EMEDIUMTYPE;
	}
	/* Whole: disk work of an earlier connection may be reading it. */
	vbd->offer = offer;
	vbd->persistent = vbd_offer_persistent(vbd);
	if (!vbd->disk)
		shape_queues(vbd);
	err = create_all_slots(vbd);
	if (err)
		return err;
	if (!vbd->disk) {
		err = vbd_disk_create(vbd);
		if (err)
			return err;
	}
	aim_events(vbd);
	say_connected(vbd);
	vbd_io_start(vbd);
	WRITE_ONCE(vbd->limits_stale, true);
	vbd_disk_update(vbd);
	return 0;
}

void vbd_changed(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	bool readonly;
	u64 sectors;

	if (vbd_offer_changed(vbd, &sectors, &readonly))
		return;
	if (sectors == vbd->offer.sectors &&
	    readonly == test_bit(VBD_READONLY, &vbd->offer.features))
		return;
	/* Disk work reads both; it runs once more if it reads them too early. */
	WRITE_ONCE(vbd->offer.sectors, sectors);
	if (readonly)
		set_bit(VBD_READONLY, &vbd->offer.features);
	else
		clear_bit(VBD_READONLY, &vbd->offer.features);
	vbd_disk_update(vbd);
}

/* ---- going --------------------------------------------------------------------- */

int vbd_stop(struct xpv_device *xd, enum xpv_why why)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);

	switch (why) {
	case XPV_WHY_RESET:
		vbd_io_hold(vbd);
		break;
	case XPV_WHY_CLOSING:
	case XPV_WHY_REMOVE:
		if (!vbd_disk_claim(vbd, why == XPV_WHY_REMOVE))
			return -EBUSY;
		/* What users have not written yet goes out; bounded. */
		if (vbd->disk)
			schedule_delayed_work(&vbd->give_up, GIVE_UP);
		vbd_disk_remove(vbd);
		break;
	case XPV_WHY_GONE:
	case XPV_WHY_BROKEN:
		vbd_io_fail(vbd);
		break;
	}
	return 0;
}

void vbd_disconnect(struct xpv_device *xd, enum xpv_why why)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);

	if (why == XPV_WHY_RESET)
		vbd_io_keep(vbd);
	else
		vbd_io_fail(vbd);
	destroy_connection(vbd);
	if (why != XPV_WHY_RESET && why != XPV_WHY_BROKEN)
		vbd_disk_kill(vbd);
}

/* What is under way goes on, until the guest stands still. */
void vbd_suspend(struct xpv_device *xd)
{
	vbd_io_hold(dev_get_drvdata(&xd->dev));
}

void vbd_resume(struct xpv_device *xd)
{
	vbd_io_release(dev_get_drvdata(&xd->dev));
}
