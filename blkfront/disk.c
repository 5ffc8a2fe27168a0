// SPDX-License-Identifier: GPL-2.0
/*
 * The disk as the rest of the kernel sees it: name, limits, size, users.
 *
 * Life: the gendisk comes with the first connection and goes with the device, or
 * when the backend closes for good. Its users may keep it open beyond that: from
 * then on disk->private_data is NULL and everything they do fails. So struct vbd
 * needs no reference count.
 *	Adding a disk reads its partition table, and changing its limits waits for
 * the requests under way. Both depend on the backend, so neither is done by
 * control work, which must be able to end them: they are disk work. It is
 * cancelled after requests have been answered or failed, and therefore ends.
 * Locks: vbd_disks_lock; see vbd.h.
 * Trust: all numbers were checked in connect.c.
 */
#include <linux/mutex.h>

#include "vbd.h"

static DEFINE_MUTEX(vbd_disks_lock);
static LIST_HEAD(vbd_disks);

/* ---- operations ---------------------------------------------------------------- */

static int vbd_open(struct gendisk *disk, blk_mode_t mode)
{
	struct vbd *vbd;
	int err = 0;

	mutex_lock(&vbd_disks_lock);
	vbd = disk->private_data;
	if (!vbd || vbd->closing)
		err = -ENXIO;
	else
		vbd->openers++;
	mutex_unlock(&vbd_disks_lock);
	return err;
}

static void vbd_release(struct gendisk *disk)
{
	struct vbd *vbd;

	mutex_lock(&vbd_disks_lock);
	vbd = disk->private_data;
	if (vbd && --vbd->openers == 0 && vbd->close_wanted)
		xpv_bus_kick(vbd->xd);
	mutex_unlock(&vbd_disks_lock);
}
XPV_BLK_OPEN_ADAPTERS(vbd_open, vbd_release)

/* There are no cylinders; old boot loaders and fdisk want some all the same. */
static int vbd_getgeo(struct gendisk *disk, struct hd_geometry *geo)
{
	sector_t cylinders = get_capacity(disk);

	geo->heads = 255;
	geo->sectors = 63;
	sector_div(cylinders, geo->heads * geo->sectors);
	geo->cylinders = min_t(sector_t, cylinders, U16_MAX);
	return 0;
}
XPV_BLK_GETGEO_ADAPTER(vbd_getgeo)

static const struct block_device_operations vbd_ops = {
	.owner = THIS_MODULE,
	.open = XPV_BLK_OPEN(vbd_open),
	.release = XPV_BLK_OPEN(vbd_release),
	.getgeo = XPV_BLK_GETGEO(vbd_getgeo),
};

/* ---- limits --------------------------------------------------------------------- */

static void fill_limits(const struct vbd *vbd, struct queue_limits *lim)
{
	const struct vbd_offer *offer = &vbd->offer;
	unsigned long features = READ_ONCE(offer->features);
	u32 discard = 0;

	lim->logical_block_size = offer->sector_size;
	lim->physical_block_size = offer->physical_size;
	lim->max_segments = vbd->queue[0].max_segs;
	lim->max_hw_sectors = vbd->queue[0].max_segs *
			      (PAGE_SIZE >> VBD_SECTOR_SHIFT);
	/* A segment is granted, and a grant is a page. */
	lim->max_segment_size = PAGE_SIZE;
	lim->seg_boundary_mask = PAGE_SIZE - 1;
	lim->dma_alignment = VBD_SECTOR - 1;

	if (features & (BIT(VBD_FLUSH) | BIT(VBD_BARRIER)))
		lim->features |= BLK_FEAT_WRITE_CACHE;
	else
		lim->features &= ~BLK_FEAT_WRITE_CACHE;

	if (features & BIT(VBD_DISCARD))
		discard = UINT_MAX >> VBD_SECTOR_SHIFT;
	lim->max_hw_discard_sectors = discard;
	lim->max_secure_erase_sectors = features & BIT(VBD_SECURE) ? discard : 0;
	lim->discard_granularity = discard ? offer->granularity : 0;
	lim->discard_alignment = discard ? offer->alignment : 0;
}

static int update_limits(struct vbd *vbd)
{
	struct request_queue *q = vbd->disk->queue;
	struct queue_limits lim = queue_limits_start_update(q);

	fill_limits(vbd, &lim);
	return queue_limits_commit_update_frozen(q, &lim);
}

/* ---- identity -------------------------------------------------------------------- */

/* The disk is there as long as its attributes: private_data is, too. */
static ssize_t serial_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct vbd *vbd = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", vbd->offer.serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t wwid_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct vbd *vbd = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", vbd->offer.wwid);
}
static DEVICE_ATTR_RO(wwid);

static struct attribute *disk_attrs[] = {
	&dev_attr_serial.attr,
	&dev_attr_wwid.attr,
	NULL
};
ATTRIBUTE_GROUPS(disk);

/* ---- disk work --------------------------------------------------------------------- */

static void add_disk_now(struct vbd *vbd)
{
	int err = device_add_disk(&vbd->xd->dev, vbd->disk, disk_groups);

	if (err)
		xpv_bus_error(vbd->xd, err, "%s cannot be added", vbd->name);
	vbd->added = !err;
}

static void disk_work(struct work_struct *work)
{
	struct vbd *vbd = container_of(work, struct vbd, disk_work);
	int err;

	if (READ_ONCE(vbd->closing))
		return;
	set_disk_ro(vbd->disk, test_bit(VBD_READONLY, &vbd->offer.features));
	if (!vbd->added) {
		vbd->limits_stale = false;
		set_capacity(vbd->disk, READ_ONCE(vbd->offer.sectors));
		add_disk_now(vbd);
		return;
	}
	if (xchg(&vbd->limits_stale, false)) {
		err = update_limits(vbd);
		if (err)
			xpv_bus_error(vbd->xd, err, "%s: cannot change its limits",
				      vbd->name);
	}
	if (set_capacity_and_notify(vbd->disk, READ_ONCE(vbd->offer.sectors)) &&
	    __ratelimit(&vbd->news))
		dev_info(&vbd->xd->dev, "%s: now %llu KiB\n", vbd->name,
			 (u64)get_capacity(vbd->disk) >> 1);
}

/**
 * vbd_disk_update() - have the disk follow vbd->offer soon, adding it first
 * @vbd: the device; its disk is created
 *
 * Any context.
 */
void vbd_disk_update(struct vbd *vbd)
{
	queue_work(system_long_wq, &vbd->disk_work);
}

/* A removal takes too long: the backend does not answer. */
static void give_up(struct work_struct *work)
{
	struct vbd *vbd = container_of(to_delayed_work(work), struct vbd,
				       give_up);

	dev_warn(&vbd->xd->dev,
		 "%s: backend does not answer, removing the disk without it\n",
		 vbd->name);
	vbd_io_fail(vbd);
}

/**
 * vbd_disk_init() - for a new device
 * @vbd: the device
 */
void vbd_disk_init(struct vbd *vbd)
{
	INIT_LIST_HEAD(&vbd->node);
	INIT_WORK(&vbd->disk_work, disk_work);
	INIT_DELAYED_WORK(&vbd->give_up, give_up);
}

/* ---- coming and going ----------------------------------------------------------------- */

/* A host may call one disk hda and another xvda; both are xvda here. */
static int take_place(struct vbd *vbd)
{
	struct vbd *other;
	int err = 0;

	mutex_lock(&vbd_disks_lock);
	list_for_each_entry(other, &vbd_disks, node) {
		if (!vbd_place_overlaps(&vbd->place, &other->place))
			continue;
		err = -EBUSY;
		break;
	}
	if (!err) {
		list_add(&vbd->node, &vbd_disks);
		vbd->openers = 0;
		vbd->closing = false;
		vbd->close_wanted = false;
	}
	mutex_unlock(&vbd_disks_lock);
	if (err)
		xpv_bus_error(vbd->xd, err,
			      "%s: name or minor numbers belong to another disk: give it another vdev in the guest's configuration",
			      vbd->name);
	return err;
}

static void leave_place(struct vbd *vbd)
{
	mutex_lock(&vbd_disks_lock);
	list_del_init(&vbd->node);
	mutex_unlock(&vbd_disks_lock);
}

static int create_tags(struct vbd *vbd)
{
	struct blk_mq_tag_set *set = &vbd->tags;

	memset(set, 0, sizeof(*set));
	set->ops = &vbd_mq_ops;
	set->nr_hw_queues = vbd->queues;
	set->nr_maps = vbd->polled ? HCTX_MAX_TYPES : 1;
	set->queue_depth = vbd->queue[0].depth;
	set->numa_node = NUMA_NO_NODE;
	set->flags = BLK_MQ_F_SHOULD_MERGE;
	set->timeout = vbd_timeout * HZ;
	set->driver_data = vbd;
	return blk_mq_alloc_tag_set(set);
}

static void name_disk(struct vbd *vbd, struct gendisk *disk)
{
	disk->major = VBD_MAJOR;
	disk->first_minor = vbd->place.minor;
	disk->minors = vbd->place.minors;
	strscpy(disk->disk_name, vbd->name, sizeof(disk->disk_name));
	disk->fops = &vbd_ops;
	disk->private_data = vbd;
	if (vbd->place.part)
		disk->flags |= GENHD_FL_NO_PART;
	if (vbd->offer.features & BIT(VBD_REMOVABLE))
		disk->flags |= GENHD_FL_REMOVABLE;
}

/**
 * vbd_disk_create() - make the disk for what the backend offers
 * @vbd: the device, with slots and no disk
 *
 * It is not visible before vbd_disk_update().
 *
 * Return: 0; -EBUSY: its name is taken; -ENOMEM, -EINVAL from the block layer.
 */
int vbd_disk_create(struct vbd *vbd)
{
	struct queue_limits lim = { 0 };
	struct gendisk *disk;
	int err;

	err = take_place(vbd);
	if (err)
		return err;
	err = create_tags(vbd);
	if (err)
		goto err_leave;
	fill_limits(vbd, &lim);
	disk = blk_mq_alloc_disk(&vbd->tags, &lim, vbd);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto err_free_tags;
	}
	name_disk(vbd, disk);
	vbd->added = false;
	vbd->held = false;
	vbd->disk = disk;
	return 0;

err_free_tags:
	blk_mq_free_tag_set(&vbd->tags);
err_leave:
	leave_place(vbd);
	return err;
}

/**
 * vbd_disk_claim() - let no new user open the disk
 * @vbd: the device
 * @force: even if there are users
 *
 * Return: false if it is in use; the bus is told when it no longer is.
 */
bool vbd_disk_claim(struct vbd *vbd, bool force)
{
	bool ok;

	mutex_lock(&vbd_disks_lock);
	ok = force || !vbd->openers;
	if (ok)
		WRITE_ONCE(vbd->closing, true);
	else
		vbd->close_wanted = true;
	mutex_unlock(&vbd_disks_lock);
	return ok;
}

/**
 * vbd_disk_remove() - take the disk away; what its users wrote goes out first
 * @vbd: the device, claimed; with or without a disk
 *
 * Waits for requests: they are being answered, or fail. Ends vbd->give_up.
 */
void vbd_disk_remove(struct vbd *vbd)
{
	struct gendisk *disk = vbd->disk;

	if (!disk)
		return;
	cancel_work_sync(&vbd->disk_work);
	if (vbd->added)
		del_gendisk(disk);

	mutex_lock(&vbd_disks_lock);
	disk->private_data = NULL;
	mutex_unlock(&vbd_disks_lock);
	xpv_blk_exit_queue(disk, vbd->added);
	/* Both use the queue, and requests may have asked for them until now. */
	cancel_delayed_work_sync(&vbd->give_up);
	cancel_work_sync(&vbd->disk_work);
	/* In this order: a disk that was never added looks at its tags once more. */
	put_disk(disk);
	blk_mq_free_tag_set(&vbd->tags);
	vbd->disk = NULL;
	leave_place(vbd);
}

/**
 * vbd_disk_kill() - take the disk away from under its users
 * @vbd: the device, after vbd_io_fail(); with or without a disk
 */
void vbd_disk_kill(struct vbd *vbd)
{
	if (!vbd->disk)
		return;
	vbd_disk_claim(vbd, true);
	cancel_work_sync(&vbd->disk_work);
	if (vbd->added)
		blk_mark_disk_dead(vbd->disk);
	vbd_disk_remove(vbd);
}
