// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake: what the backend says, what we say, and what happens to requests
 * when a connection comes and goes.
 *
 *	prepare		ring and port
 *	publish		`ring-ref`, `event-channel`, `protocol`
 *	connect		geometry and features, which a backend writes last; then
 *			slots with all their references, and the disk
 *	changed		size and read-only may change while connected
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
 * Trust: each key is read once and through the bounded readers of the bus. What
 * cannot be used is refused or replaced here, before anything depends on it.
 */
#include <linux/log2.h>
#include <xen/interface/io/protocols.h>

#include "vbd.h"

/* A removal waits so long for the backend to answer what is under way. */
#define GIVE_UP		(10 * HZ)

/* ---- what the backend says ---------------------------------------------------- */

static int read_size(struct xpv_device *xd, u64 *sectors)
{
	int err = xpv_bus_read_u64(xd, "sectors", sectors);

	if (!err && *sectors > (u64)S64_MAX >> VBD_SECTOR_SHIFT)
		err = -ERANGE;
	if (err)
		xpv_bus_error(xd, err,
			      "backend's sectors is no size of a disk");
	return err;
}

static int read_geometry(struct xpv_device *xd, struct vbd_offer *offer)
{
	u64 size = VBD_SECTOR;
	int err = xpv_bus_read_u64(xd, "sector-size", &size);

	if (err == -ENOENT)
		err = 0;
	if (!err && (size < VBD_SECTOR || size > PAGE_SIZE || !is_power_of_2(size)))
		err = -EINVAL;
	if (err) {
		xpv_bus_error(xd, err,
			      "backend's sector-size is not 512, 1024, 2048 or 4096");
		return err;
	}
	offer->sector_size = size;
	size = xpv_bus_get_u32(xd, "physical-sector-size", offer->sector_size,
			       offer->sector_size, U32_MAX);
	offer->physical_size = is_power_of_2(size) ? size : offer->sector_size;
	err = read_size(xd, &offer->sectors);
	/* The end of the disk that is no whole block cannot be reached. */
	offer->sectors = round_down(offer->sectors,
				    offer->sector_size >> VBD_SECTOR_SHIFT);
	return err;
}

static bool is_readonly(struct xpv_device *xd, u32 info)
{
	char mode[8];

	return info & VDISK_READONLY ||
	       (xpv_bus_read_string(xd, "mode", mode, sizeof(mode)) > 0 &&
		mode[0] == 'r');
}

static void read_discard(struct xpv_device *xd, struct vbd_offer *offer)
{
	if (!xpv_bus_get_flag(xd, "feature-discard") ||
	    !xpv_bus_get_u32(xd, "discard-enable", 1, 0, 1))
		return;
	offer->granularity = xpv_bus_get_u32(xd, "discard-granularity",
					     offer->physical_size, 0, U32_MAX);
	offer->alignment = xpv_bus_get_u32(xd, "discard-alignment", 0, 0,
					   U32_MAX);
	if (!is_power_of_2(offer->granularity) ||
	    offer->granularity < offer->sector_size ||
	    offer->alignment >= offer->granularity) {
		dev_warn(&xd->dev,
			 "no discard: granularity %u, alignment %u make no sense\n",
			 offer->granularity, offer->alignment);
		return;
	}
	__set_bit(VBD_DISCARD, &offer->features);
	if (xpv_bus_get_flag(xd, "discard-secure"))
		__set_bit(VBD_SECURE, &offer->features);
}

static int read_offer(struct xpv_device *xd, struct vbd_offer *offer)
{
	u32 info = xpv_bus_get_u32(xd, "info", 0, 0, U32_MAX);
	int err;

	memset(offer, 0, sizeof(*offer));
	err = read_geometry(xd, offer);
	if (err)
		return err;
	if (xpv_bus_get_flag(xd, "feature-flush-cache"))
		__set_bit(VBD_FLUSH, &offer->features);
	if (xpv_bus_get_flag(xd, "feature-barrier"))
		__set_bit(VBD_BARRIER, &offer->features);
	if (is_readonly(xd, info))
		__set_bit(VBD_READONLY, &offer->features);
	if (info & (VDISK_CDROM | VDISK_REMOVABLE) ||
	    xpv_bus_get_flag(xd, "removable"))
		__set_bit(VBD_REMOVABLE, &offer->features);
	read_discard(xd, offer);
	return 0;
}

static bool read_trusted(struct xpv_device *xd)
{
	u64 trusted;
	int err = xpv_bus_read_front_u64(xd, "trusted", &trusted);

	/* A key that cannot be read is no reason to trust. */
	return vbd_trusted && (err == -ENOENT || (!err && trusted));
}

/* ---- coming -------------------------------------------------------------------- */

static void destroy_queues(struct vbd *vbd)
{
	unsigned int i;

	for (i = 0; i < vbd->queues; i++)
		vbd_queue_destroy(&vbd->queue[i]);
}

int vbd_prepare(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	unsigned int i;
	int err;

	vbd->trusted = read_trusted(xd);
	for (i = 0; i < vbd->queues; i++) {
		err = vbd_queue_create(vbd, &vbd->queue[i]);
		if (err)
			goto err_destroy;
	}
	return 0;

err_destroy:
	destroy_queues(vbd);
	/* Requests that waited for this connection wait in vain. */
	vbd_io_fail(vbd);
	return err;
}

void vbd_publish(struct xpv_device *xd, struct xpv_batch *batch)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	struct vbd_queue *q = &vbd->queue[0];

	xpv_batch_put(batch, "ring-ref", "%u", q->ring_ref[0]);
	xpv_batch_put(batch, "event-channel", "%u", q->evtchn.port);
	xpv_batch_put(batch, "protocol", "%s", XEN_IO_PROTO_ABI_NATIVE);
}

static int create_slots(struct vbd *vbd)
{
	u32 offered = xpv_bus_get_u32(vbd->xd, "feature-max-indirect-segments",
				      0, 0, VBD_SEGS_MAX);
	u32 segs = vbd_segs_limit(offered, vbd_max_indirect_segments);
	unsigned int i;
	int err;

	for (i = 0; i < vbd->queues; i++) {
		err = vbd_slots_create(&vbd->queue[i], segs);
		if (err) {
			xpv_bus_error(vbd->xd, err,
				      err == -ENOSPC ?
				      "grant table full: fewer disks, max_indirect_segments=11, or more max_grant_frames for this guest" :
				      "not enough memory for requests");
			return err;
		}
	}
	return 0;
}

static void say_connected(struct vbd *vbd)
{
	const struct vbd_offer *offer = &vbd->offer;
	unsigned long features = offer->features;

	dev_info(&vbd->xd->dev,
		 "%s: %llu KiB, blocks of %u%s%s, %s, discard %s, %u segments%s\n",
		 vbd->name, offer->sectors >> 1, offer->sector_size,
		 features & BIT(VBD_READONLY) ? ", read-only" : "",
		 features & BIT(VBD_REMOVABLE) ? ", removable" : "",
		 features & BIT(VBD_FLUSH) ? "flush by cache flush" :
		 features & BIT(VBD_BARRIER) ? "flush by barrier" : "no flush offered",
		 features & BIT(VBD_DISCARD) ? "on" : "off",
		 vbd->queue[0].max_segs,
		 vbd->trusted ? "" : ", backend not trusted");
}

int vbd_connect(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	struct vbd_offer offer;
	int err;

	err = read_offer(xd, &offer);
	if (err)
		return err;
	/* Whole: disk work of an earlier connection may be reading it. */
	vbd->offer = offer;
	err = create_slots(vbd);
	if (err)
		return err;
	if (!vbd->disk) {
		err = vbd_disk_create(vbd);
		if (err)
			return err;
	}
	say_connected(vbd);
	vbd_io_start(vbd);
	vbd_disk_update(vbd);
	return 0;
}

void vbd_changed(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);
	u32 info = xpv_bus_get_u32(xd, "info", 0, 0, U32_MAX);
	bool readonly = is_readonly(xd, info);
	u64 sectors;

	if (read_size(xd, &sectors))
		return;
	sectors = round_down(sectors,
			     vbd->offer.sector_size >> VBD_SECTOR_SHIFT);
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
	destroy_queues(vbd);
	if (why != XPV_WHY_RESET && why != XPV_WHY_BROKEN)
		vbd_disk_kill(vbd);
}
