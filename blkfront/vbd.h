/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xen-vbd, the block frontend: what its files know of each other.
 *
 *	main.c		module, parameters, a device's birth and death
 *	connect.c	handshake: keys, features, geometry
 *	disk.c		gendisk: limits, users, adding, resizing, removal
 *	queue.c		data path: block requests to ring requests and back
 *	slot.c		what one ring slot owns: grants, bounce pages
 *	segs.c		pure: segment planning
 *	vdevice.c	pure: device numbers and names
 *
 * Invariants
 *	- id on the wire = blk-mq tag = index of a slot. There are as many tags as
 *	  ring slots, so a request that has a tag has room on the ring.
 *	- slot->rq is set iff the backend owns the slot; the slot's data pages are
 *	  granted from before it is set until after it is cleared.
 *	- A page whose grant the backend holds on to is parked with a reference of
 *	  its own; its request fails and the device breaks.
 *	- Nothing between queue_rq and the end of a request allocates, claims or
 *	  searches: slots, references and bounce pages are there since connect.
 *
 * Locks
 *	vbd_disks_lock	(mutex) list of disks; vbd.openers, closing, close_wanted,
 *			disk->private_data. Taken under the block layer's open
 *			mutex; no I/O is done under it.
 *	vbd_queue.lock	(irq-safe) the producer side of the ring, the bounce pool.
 * The consumer side of a ring belongs to the event handler, which never runs
 * twice at once, and to control work once the port is closed. All else in struct
 * vbd belongs to control work; what others read of it is marked.
 */
#ifndef VBD_VBD_H
#define VBD_VBD_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xenpv/bus.h>
#include <xenpv/evtchn.h>
#include <xenpv/grant.h>
#include <xenpv/ring.h>
#include <xenpv/compat_blk.h>

#include "segs.h"
#include "vdevice.h"

#define VBD_MAJOR	202	/* /dev/xvd*, assigned to Xen */
#define VBD_QUEUES	1
#define VBD_RING_PAGES	1

struct vbd;

/**
 * struct vbd_slot - one slot of the ring, one request
 * @rq: the request while the backend owns the slot, else NULL
 * @op: operation that the response must name
 * @status: what the response said, or why there was none
 * @segs: segments of the request
 * @bytes: their sum, which may be less than the request has left
 * @bounced: how many of them are bounced
 * @seg: the segments; room for vbd_queue.max_segs
 * @ref: their grant references, claimed for as long as the slot exists
 * @bounce: pages granted in place of theirs, NULL: their own
 * @ind_ref: references of the pages that hold descriptors of segments; granted,
 *	read-only, as long as the slot exists
 * @ind_page: these pages
 */
struct vbd_slot {
	struct request *rq;
	u8 op;
	blk_status_t status;
	u32 segs;
	u32 bytes;
	u32 bounced;
	struct vbd_seg *seg;
	grant_ref_t *ref;
	struct page **bounce;
	grant_ref_t *ind_ref;
	struct page **ind_page;
};

/**
 * struct vbd_queue - one ring with all that belongs to it
 * @vbd: the device
 * @lock: see above
 * @ring: our side of the ring
 * @evtchn: its event channel
 * @dead: requests fail, responses are not looked at; any context reads it
 * @pages: pages of the ring
 * @ring_ref: their references
 * @max_segs: segments of the largest request
 * @slot: the slots, ring.slots of them, while connected
 * @refs: number of references in @ref
 * @ref: references of all slots: first those of data, then of indirect pages
 * @seg: segments of all slots
 * @bounce: bounce pages in use, of all slots
 * @ind_page: indirect pages of all slots
 * @pool: bounce pages that are free
 * @pool_n: how many
 */
struct vbd_queue {
	struct vbd *vbd;
	spinlock_t lock;
	struct xpv_ring ring;
	struct xpv_evtchn evtchn;
	bool dead;
	unsigned int pages;
	grant_ref_t ring_ref[VBD_RING_PAGES];
	u32 max_segs;
	struct vbd_slot *slot;
	u32 refs;
	grant_ref_t *ref;
	struct vbd_seg *seg;
	struct page **bounce;
	struct page **ind_page;
	struct page **pool;
	u32 pool_n;
};

/* Bits of vbd.features; the data path clears the first four when refused. */
enum vbd_feature {
	VBD_FLUSH,	/* BLKIF_OP_FLUSH_DISKCACHE */
	VBD_BARRIER,	/* BLKIF_OP_WRITE_BARRIER */
	VBD_DISCARD,
	VBD_SECURE,	/* discard may be secure */
	VBD_READONLY,
	VBD_REMOVABLE,
};

/**
 * struct vbd_offer - what a backend says about its disk
 * @features: bits of enum vbd_feature
 * @sectors: size in units of 512 bytes
 * @sector_size: logical block size
 * @physical_size: physical block size
 * @granularity: of discard
 * @alignment: of discard
 */
struct vbd_offer {
	unsigned long features;
	u64 sectors;
	u32 sector_size;
	u32 physical_size;
	u32 granularity;
	u32 alignment;
};

/**
 * struct vbd - one disk
 * @xd: its device on the bus
 * @vdevice: the toolstack's number of it
 * @place: where it appears in /dev
 * @name: "xvda"
 * @trusted: the backend may see what lies beside the bytes of a request
 * @offer: what the backend offers; features is changed atomically, and disk work
 *	reads all of it
 * @disk: the gendisk from the first connection until removal
 * @tags: its tag set
 * @held: the disk's queue is quiesced until the next connection
 * @disk_work: adds the disk, and brings it up to date later: both may wait for I/O
 * @added: it is added; belongs to disk work
 * @give_up: fails I/O that hinders a removal for too long
 * @node: on the list of disks
 * @openers: users of @disk, partitions included
 * @closing: no new users
 * @close_wanted: tell the bus when the last user leaves
 * @queues: queues in use
 * @queue: the queues
 */
struct vbd {
	struct xpv_device *xd;
	u32 vdevice;
	struct vbd_place place;
	char name[VBD_NAME_MAX];
	bool trusted;
	struct vbd_offer offer;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	bool held;
	struct work_struct disk_work;
	bool added;
	struct delayed_work give_up;
	struct list_head node;
	unsigned int openers;
	bool closing;
	bool close_wanted;
	unsigned int queues;
	struct vbd_queue queue[VBD_QUEUES];
};

/* main.c: module parameters */
extern bool vbd_trusted;
extern unsigned int vbd_max_indirect_segments;
extern unsigned int vbd_timeout;

/* connect.c */
int vbd_prepare(struct xpv_device *xd);
void vbd_publish(struct xpv_device *xd, struct xpv_batch *batch);
int vbd_connect(struct xpv_device *xd);
void vbd_changed(struct xpv_device *xd);
int vbd_stop(struct xpv_device *xd, enum xpv_why why);
void vbd_disconnect(struct xpv_device *xd, enum xpv_why why);

/* disk.c */
void vbd_disk_init(struct vbd *vbd);
int vbd_disk_create(struct vbd *vbd);
void vbd_disk_update(struct vbd *vbd);
bool vbd_disk_claim(struct vbd *vbd, bool force);
void vbd_disk_remove(struct vbd *vbd);
void vbd_disk_kill(struct vbd *vbd);

/* queue.c */
extern const struct blk_mq_ops vbd_mq_ops;
int vbd_queue_create(struct vbd *vbd, struct vbd_queue *q);
void vbd_queue_destroy(struct vbd_queue *q);
void vbd_queue_broken(struct vbd_queue *q, const char *reason);
void vbd_io_hold(struct vbd *vbd);
void vbd_io_start(struct vbd *vbd);
void vbd_io_fail(struct vbd *vbd);
void vbd_io_keep(struct vbd *vbd);

/* slot.c */
int vbd_slots_create(struct vbd_queue *q, u32 max_segs);
void vbd_slots_destroy(struct vbd_queue *q);
blk_status_t vbd_slot_load(struct vbd_queue *q, struct vbd_slot *slot,
			   struct request *rq);
bool vbd_slot_unload(struct vbd_queue *q, struct vbd_slot *slot, bool copy);

#endif /* VBD_VBD_H */
