// SPDX-License-Identifier: GPL-2.0
/*
 * What the backend says about its disk, and what it allows of a connection.
 *
 * Life: read at prepare (rings) and at connect (all else, which a
 * backend writes last); size and mode again whenever a key changes.
 * Locks: none here.
 * Trust: each key is read once and through the bounded readers of the bus. What
 * cannot be used is refused or replaced here, before anything depends on it.
 */
#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/slab.h>

#include "ident.h"
#include "vbd.h"

/* Longest text of a page of vital product data: base64 of 4 + 65,535 is not real. */
#define VPD_TEXT	1024

/* ---- geometry and mode ---------------------------------------------------------- */

static int read_size(struct xpv_device *xd, u32 sector_size, u64 *sectors)
{
	int err = xpv_bus_read_u64(xd, "sectors", sectors);

	if (!err && *sectors > (u64)S64_MAX >> VBD_SECTOR_SHIFT)
		err = -ERANGE;
	if (err)
		xpv_bus_error(xd, err,
			      "backend's sectors is no size of a disk");
	/* The end of the disk that is no whole block cannot be reached. */
	*sectors = round_down(*sectors, sector_size >> VBD_SECTOR_SHIFT);
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
	if (!is_power_of_2(size) || size > VBD_PHYSICAL_MAX) {
		dev_warn_ratelimited(&xd->dev,
				     "physical-sector-size %llu makes no sense\n",
				     size);
		size = offer->sector_size;
	}
	offer->physical_size = size;
	return read_size(xd, offer->sector_size, &offer->sectors);
}

static bool is_readonly(struct xpv_device *xd, u32 info)
{
	char mode[8];

	return info & VDISK_READONLY ||
	       (xpv_bus_read_string(xd, "mode", mode, sizeof(mode)) > 0 &&
		mode[0] == 'r');
}

/**
 * vbd_offer_changed() - size and mode, which may change while connected
 * @vbd: the device
 * @sectors: set
 * @readonly: set
 *
 * Return: 0, or -errno with nothing set: the backend's directory makes no sense.
 */
int vbd_offer_changed(struct vbd *vbd, u64 *sectors, bool *readonly)
{
	u32 info = xpv_bus_get_u32(vbd->xd, "info", 0, 0, U32_MAX);
	int err = read_size(vbd->xd, vbd->offer.sector_size, sectors);

	if (!err)
		*readonly = is_readonly(vbd->xd, info);
	return err;
}

/* ---- features ------------------------------------------------------------------- */

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
		dev_warn_ratelimited(&xd->dev,
				     "no discard: granularity %u, alignment %u make no sense\n",
				     offer->granularity, offer->alignment);
		return;
	}
	__set_bit(VBD_DISCARD, &offer->features);
	if (xpv_bus_get_flag(xd, "discard-secure"))
		__set_bit(VBD_SECURE, &offer->features);
}

static void read_features(struct xpv_device *xd, struct vbd_offer *offer)
{
	u32 info = xpv_bus_get_u32(xd, "info", 0, 0, U32_MAX);

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
}

/* ---- identity ------------------------------------------------------------------- */

/* One page of vital product data. Return: was it there and good? */
static bool read_vpd(struct xpv_device *xd, const char *key,
		     int (*parse)(const char *, size_t, char *, size_t),
		     char *out)
{
	char *text = kmalloc(VPD_TEXT, GFP_KERNEL);
	int len, err;

	if (!text)
		return false;
	len = xpv_bus_read_bytes(xd, key, text, VPD_TEXT);
	err = len < 0 ? len : parse(text, len, out, VBD_IDENT_SIZE);
	if (err && err != -ENOENT)
		dev_warn_ratelimited(&xd->dev, "%s is no identity of a disk: %d\n",
				     key, err);
	kfree(text);
	return !err;
}

/* What is not said by the host is made of what stays the same: uuid, or number. */
static void read_identity(struct vbd *vbd, struct vbd_offer *offer)
{
	struct xpv_device *xd = vbd->xd;

	read_vpd(xd, "sm-data/scsi/0x12/0x83", vbd_ident_wwid, offer->wwid);
	if (read_vpd(xd, "sm-data/scsi/0x12/0x80", vbd_ident_serial,
		     offer->serial))
		return;
	if (xpv_bus_read_string(xd, "uuid", offer->serial,
				sizeof(offer->serial)) > 0)
		return;
	snprintf(offer->serial, sizeof(offer->serial), "vbd-%s", xd->id);
}

/**
 * vbd_offer_read() - all that a connected backend says about its disk
 * @vbd: the device
 * @offer: filled
 *
 * Return: 0; -errno, and an error node says which key makes no sense.
 */
int vbd_offer_read(struct vbd *vbd, struct vbd_offer *offer)
{
	int err;

	memset(offer, 0, sizeof(*offer));
	err = read_geometry(vbd->xd, offer);
	if (err)
		return err;
	read_features(vbd->xd, offer);
	read_identity(vbd, offer);
	return 0;
}

/* ---- the connection --------------------------------------------------------------- */

/**
 * vbd_offer_persistent() - do both sides want pages that stay granted?
 * @vbd: the device, whose backend is connected: blkback says so no earlier, and
 *	goes by what we have published
 */
bool vbd_offer_persistent(struct vbd *vbd)
{
	return vbd_persistent && xpv_bus_get_flag(vbd->xd, "feature-persistent");
}

/**
 * vbd_offer_plan() - rings for the next connection
 * @vbd: the device
 * @plan: set
 */
void vbd_offer_plan(struct vbd *vbd, struct vbd_plan *plan)
{
	struct xpv_device *xd = vbd->xd;
	struct vbd_wish wish = {
		.cpus = num_online_cpus(),
		.max_queues = vbd_max_queues,
		.poll_queues = vbd_poll_queues,
		.order = vbd_max_ring_order,
	};

	wish.offered_queues = xpv_bus_get_u32(xd, "multi-queue-max-queues", 1, 1,
					      U32_MAX);
	wish.offered_order = xpv_bus_get_u32(xd, "max-ring-page-order", 0, 0,
					     VBD_RING_ORDER_MAX);
	wish.offered_pages = xpv_bus_get_u32(xd, "max-ring-pages", 1, 1,
					     VBD_RING_PAGES_MAX);
	*plan = vbd_plan_rings(&wish);
	plan->rings = min(plan->rings, vbd->limit);
	/* A disk that is there keeps its queues: more rings would have no user. */
	if (vbd->disk && plan->rings > vbd->queues)
		plan->rings = vbd->queues;
	if (vbd->disk)
		plan->polled = plan->rings == vbd->queues ? vbd->polled : 0;
}
