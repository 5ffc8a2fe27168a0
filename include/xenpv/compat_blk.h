/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block layer's newest language on older kernels: a part of compat.h that
 * only blkfront/ needs. Include it after all of the kernel's headers: some names
 * below stand for ours from then on.
 *
 * Everything is decided by the answers of probes.sh and by macros of the kernel
 * tree itself, never by a version number.
 */
#ifndef XENPV_COMPAT_BLK_H
#define XENPV_COMPAT_BLK_H

#include <linux/blkdev.h>
#include <linux/blk-mq.h>
#include <linux/hdreg.h>
#include <linux/highmem.h>

/* --- BLK_MQ_F_SHOULD_MERGE: the default, and gone, from 6.14 on ----------- */
#ifndef XPV_HAVE_BLK_MQ_F_SHOULD_MERGE
#define BLK_MQ_F_SHOULD_MERGE 0
#endif

/* --- GENHD_FL_NO_PART: 5.17 ------------------------------------------------ */
#ifdef GENHD_FL_NO_PART_SCAN
#define GENHD_FL_NO_PART GENHD_FL_NO_PART_SCAN
#endif

/* --- kmap_local_page(): 5.11 ----------------------------------------------- */
#ifndef XPV_HAVE_KMAP_LOCAL
#define kmap_local_page(page) kmap_atomic(page)
#define kunmap_local(addr) kunmap_atomic(addr)
#endif

/* --- set_capacity_and_notify(): 5.11 ---------------------------------------- */
#ifndef XPV_HAVE_SET_CAPACITY_AND_NOTIFY
#define set_capacity_and_notify(disk, size) \
	set_capacity_revalidate_and_notify(disk, size, true)
#endif

/* --- device_add_disk() tells of errors: 5.15 --------------------------------- */
#ifndef XPV_HAVE_DEVICE_ADD_DISK_INT
static inline int xpv_device_add_disk(struct device *parent,
				      struct gendisk *disk,
				      const struct attribute_group **groups)
{
	device_add_disk(parent, disk, groups);
	return 0;
}
#define device_add_disk xpv_device_add_disk
#endif

/* --- blk_mark_disk_dead(): 5.17 ----------------------------------------------- */
#ifndef XPV_HAVE_BLK_MARK_DISK_DEAD
static inline void blk_mark_disk_dead(struct gendisk *disk)
{
	blk_set_queue_dying(disk->queue);
	set_capacity(disk, 0);
}
#endif

/* --- the queue's end: a part of del_gendisk() and put_disk() from 6.0 on -------- */
/*
 * After del_gendisk(); and before put_disk(), with what became of the disk: an
 * older put_disk() drops a reference to the queue that only adding takes.
 */
#ifdef XPV_HAVE_BLK_CLEANUP_QUEUE
static inline void xpv_blk_exit_queue(struct gendisk *disk, bool added)
{
	blk_cleanup_queue(disk->queue);
	if (!added)
		disk->queue = NULL;
}
#else
static inline void xpv_blk_exit_queue(struct gendisk *disk, bool added)
{
}
#endif

/* --- limits as one structure with features: 6.11 --------------------------------- */
#ifndef XPV_HAVE_BLK_LIMITS_FEATURES
#define BLK_FEAT_WRITE_CACHE	(1u << 0)

struct xpv_queue_limits {
	unsigned int features;
	unsigned long seg_boundary_mask;
	unsigned int max_hw_sectors;
	unsigned int max_segment_size;
	unsigned int physical_block_size;
	unsigned int logical_block_size;
	unsigned int max_hw_discard_sectors;
	unsigned int max_secure_erase_sectors;
	unsigned int discard_granularity;
	unsigned int discard_alignment;
	unsigned short max_segments;
	unsigned int dma_alignment;
};

static inline void xpv_queue_discard(struct request_queue *q,
				     const struct xpv_queue_limits *lim)
{
	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	q->limits.discard_granularity = lim->discard_granularity;
	q->limits.discard_alignment = lim->discard_alignment;
#ifdef QUEUE_FLAG_DISCARD
	if (lim->max_hw_discard_sectors)
		blk_queue_flag_set(QUEUE_FLAG_DISCARD, q);
	else
		blk_queue_flag_clear(QUEUE_FLAG_DISCARD, q);
#endif
#ifdef QUEUE_FLAG_SECERASE
	if (lim->max_secure_erase_sectors)
		blk_queue_flag_set(QUEUE_FLAG_SECERASE, q);
	else
		blk_queue_flag_clear(QUEUE_FLAG_SECERASE, q);
#else
	blk_queue_max_secure_erase_sectors(q, lim->max_secure_erase_sectors);
#endif
}

static inline void xpv_queue_limits_apply(struct request_queue *q,
					  const struct xpv_queue_limits *lim)
{
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_segment_boundary(q, lim->seg_boundary_mask);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	blk_queue_write_cache(q, lim->features & BLK_FEAT_WRITE_CACHE, false);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	blk_queue_flag_clear(QUEUE_FLAG_ADD_RANDOM, q);
	xpv_queue_discard(q, lim);
}

/* What is not in the structure above stays as it is. */
static inline struct xpv_queue_limits
xpv_queue_limits_start_update(struct request_queue *q)
{
	return (struct xpv_queue_limits){ 0 };
}

static inline int xpv_queue_limits_commit(struct request_queue *q,
					  const struct xpv_queue_limits *lim)
{
	blk_mq_freeze_queue(q);
	xpv_queue_limits_apply(q, lim);
	blk_mq_unfreeze_queue(q);
	return 0;
}

#ifdef blk_mq_alloc_disk
static inline struct gendisk *xpv_alloc_disk(struct blk_mq_tag_set *set,
					     void *queuedata)
{
#ifdef XPV_HAVE_BLK_ALLOC_DISK_LIMITS
	return blk_mq_alloc_disk(set, NULL, queuedata);
#else
	return blk_mq_alloc_disk(set, queuedata);
#endif
}
#else /* before 5.14 queue and disk were made one by one */
static inline struct gendisk *xpv_alloc_disk(struct blk_mq_tag_set *set,
					     void *queuedata)
{
	struct request_queue *q = blk_mq_init_queue_data(set, queuedata);
	struct gendisk *disk;

	if (IS_ERR(q))
		return ERR_CAST(q);
	disk = alloc_disk(1);
	if (!disk) {
		blk_cleanup_queue(q);
		return ERR_PTR(-ENOMEM);
	}
	disk->flags |= GENHD_FL_EXT_DEVT;
	disk->queue = q;
	return disk;
}
#endif

static inline struct gendisk *
xpv_blk_mq_alloc_disk(struct blk_mq_tag_set *set,
		      const struct xpv_queue_limits *lim, void *queuedata)
{
	struct gendisk *disk = xpv_alloc_disk(set, queuedata);

	if (!IS_ERR(disk))
		xpv_queue_limits_apply(disk->queue, lim);
	return disk;
}

#undef blk_mq_alloc_disk
#define blk_mq_alloc_disk xpv_blk_mq_alloc_disk
#define queue_limits xpv_queue_limits
#define queue_limits_start_update xpv_queue_limits_start_update
#define queue_limits_commit_update_frozen xpv_queue_limits_commit

#elif !defined(XPV_HAVE_QUEUE_LIMITS_COMMIT_FROZEN)

static inline int
queue_limits_commit_update_frozen(struct request_queue *q,
				  struct queue_limits *lim)
{
	int err;

	blk_mq_freeze_queue(q);
	err = queue_limits_commit_update(q, lim);
	blk_mq_unfreeze_queue(q);
	return err;
}
#endif

/* --- operations that changed: open 6.5, timeout 6.1, getgeo 6.18, poll 5.16,
 * map_queues 6.0 --- */
/*
 * XPV_BLK_*(fn) stands for fn in a table of operations; XPV_BLK_*_ADAPTER(fn),
 * after fn, makes the function that older kernels call.
 */
#ifdef XPV_HAVE_BLK_OPEN_GENDISK
#define XPV_BLK_OPEN_ADAPTERS(open, release)
#define XPV_BLK_OPEN(fn) fn
#else
typedef fmode_t blk_mode_t;
#define XPV_BLK_OPEN_ADAPTERS(open, release)				\
static int open##_bdev(struct block_device *bdev, fmode_t mode)	\
{									\
	return open(bdev->bd_disk, mode);				\
}									\
static void release##_bdev(struct gendisk *disk, fmode_t mode)		\
{									\
	release(disk);							\
}
#define XPV_BLK_OPEN(fn) fn##_bdev
#endif

#ifdef XPV_HAVE_BLK_GETGEO_GENDISK
#define XPV_BLK_GETGEO_ADAPTER(fn)
#define XPV_BLK_GETGEO(fn) fn
#else
#define XPV_BLK_GETGEO_ADAPTER(fn)					\
static int fn##_bdev(struct block_device *bdev, struct hd_geometry *geo) \
{									\
	return fn(bdev->bd_disk, geo);					\
}
#define XPV_BLK_GETGEO(fn) fn##_bdev
#endif

#ifdef XPV_HAVE_BLK_POLL_BATCH
#define XPV_BLK_POLL_ADAPTER(fn)					\
static int fn##_batch(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob) \
{									\
	return fn(hctx);						\
}
#define XPV_BLK_POLL(fn) fn##_batch
#else
#define XPV_BLK_POLL_ADAPTER(fn)
#define XPV_BLK_POLL(fn) fn
#endif

#ifdef XPV_HAVE_BLK_MAP_QUEUES_VOID
#define XPV_BLK_MAP_QUEUES_ADAPTER(fn)
#define XPV_BLK_MAP_QUEUES(fn) fn
#else
#define XPV_BLK_MAP_QUEUES_ADAPTER(fn)					\
static int fn##_int(struct blk_mq_tag_set *set)				\
{									\
	fn(set);							\
	return 0;							\
}
#define XPV_BLK_MAP_QUEUES(fn) fn##_int
#endif

#ifdef XPV_HAVE_BLK_TIMEOUT_ONE
#define XPV_BLK_TIMEOUT_ADAPTER(fn)
#define XPV_BLK_TIMEOUT(fn) fn
#else
#define XPV_BLK_TIMEOUT_ADAPTER(fn)					\
static enum blk_eh_timer_return fn##_reserved(struct request *rq, bool res) \
{									\
	return fn(rq);							\
}
#define XPV_BLK_TIMEOUT(fn) fn##_reserved
#endif

#endif /* XENPV_COMPAT_BLK_H */
