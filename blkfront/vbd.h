/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xen-vbd, the block frontend: what its files know of each other.
 *
 *	main.c		module, parameters, a device's birth and death
 *	connect.c	handshake: keys, and what happens when connections come and go
 *	offer.c		what the backend says about its disk
 *	disk.c		gendisk: limits, users, adding, resizing, removal
 *	queue.c		data path: block requests to ring requests and back
 *	ring.c		one ring with its port: putting, reaping, events
 *	slot.c		what one request owns while it is under way
 *	pool.c		pages that data are copied through
 *	hold.c		requests across connections: held, kept, sent again, failed
 *	usage.c		does the guest depend on it: root, swap
 *	stats.c		counters in debugfs
 *	segs.c plan.c vdevice.c ident.c	pure: segments, sizes, names, identity
 *
 * A queue is the block layer's hardware queue: tags and slots, as long as the disk
 * lives. A ring is the backend's: as long as a connection. Queue i uses ring i, or
 * shares one when the backend of a later connection has fewer of them.
 *
 * Invariants
 *	- id on the wire = index of the queue and blk-mq tag = one slot.
 *	- A first connection has as many tags as ring slots, so a request that has a
 *	  tag has room; after a reconnection the ring may be full, and says so.
 *	- slot->rq is set iff the backend owns the slot; the slot's data pages are
 *	  granted from before it is set until after it is cleared.
 *	- A page whose grant the backend holds on to is parked with a reference of
 *	  its own; its request fails and the device breaks.
 *	- Nothing between queue_rq and the end of a request allocates or searches:
 *	  slots, references and pages are there since connect.
 *
 * Locks, in this order
 *	vbd_disks_lock	(mutex) list of disks; vbd.openers, closing, close_wanted,
 *			disk->private_data. Taken under the block layer's open
 *			mutex; no I/O is done under it.
 *	vbd_ring.get_lock (irq-safe) the consumer side of a ring; requests are ended
 *			under it
 *	vbd_queue.lock	(irq-safe) the queue's spare references, its pool
 *	vbd_ring.put_lock (irq-safe) the producer side of a ring
 * All else in struct vbd belongs to control work; what others read of it is marked.
 */
#ifndef VBD_VBD_H
#define VBD_VBD_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <xenpv/bus.h>
#include <xenpv/evtchn.h>
#include <xenpv/grant.h>
#include <xenpv/ring.h>
#include <xenpv/compat_blk.h>

#include "ident.h"
#include "plan.h"
#include "segs.h"
#include "vdevice.h"

#define VBD_MAJOR	202	/* /dev/xvd*, assigned to Xen */

/* A request's id on the wire: index of its queue, then its tag. */
#define VBD_ID_SHIFT	16
#define VBD_ID_TAG	((1U << VBD_ID_SHIFT) - 1)

/* References of data that a slot keeps: small requests need no lock for them. */
#define VBD_SLOT_REFS	4U

#define VBD_PHYSICAL_MAX	65536U	/* largest physical block that is believed */

struct vbd;

/**
 * struct vbd_ring - one ring and its port, for one connection
 * @vbd: the device
 * @put_lock: producer side: @ring's, @holds, @urgent, @asked, @segments, @notifies
 * @get_lock: consumer side: @ring's, @pace, @wait, @armed, @answered, @answered_then,
 *	      @late; who has @put_lock may only try it
 * @ring: our side of the shared pages
 * @evtchn: its event channel
 * @dead: requests fail, responses are not looked at; any context reads it
 * @polled: its users look for answers themselves: no events
 * @order: it has 1 << @order pages
 * @ref: their references
 * @pace: how many answers an event is worth
 * @wait: how many the next event waits for
 * @late_work: looks whether it waits in vain
 * @answered_then: @answered when @late_work was started
 * @late: how often it did
 * @holds: what was put may be kept for more to join it
 * @urgent: but something is among it that must not wait
 * @armed: local clock when the next event was asked for
 * @asked: requests put
 * @segments: segments of these
 * @notifies: events we sent
 * @answered: responses taken
 */
struct vbd_ring {
	struct vbd *vbd;
	spinlock_t put_lock;
	spinlock_t get_lock;
	struct xpv_ring ring;
	struct xpv_evtchn evtchn;
	bool dead;
	bool polled;
	unsigned int order;
	grant_ref_t ref[VBD_RING_PAGES_MAX];
	struct vbd_pace pace;
	u32 wait;
	struct delayed_work late_work;
	u64 answered_then;
	u64 late;
	bool holds;
	bool urgent;
	u64 armed;
	u64 asked;
	u64 segments;
	u64 notifies;
	u64 answered;
};

/**
 * struct vbd_page - a page that data are copied through
 * @page: the page
 * @ref: its standing grant, or XPV_GNT_NONE: it is granted for each request
 */
struct vbd_page {
	struct page *page;
	grant_ref_t ref;
};

/**
 * struct vbd_pool - pages of one queue that are free for copying
 * @q: its queue
 * @page: stack of free pages, the warmest on top; room for @max
 * @free: how many there are
 * @total: pages of the pool, free or in use
 * @max: it grows to so many
 * @min: and shrinks to so many
 * @low: fewest free ones since the last look: nobody missed these
 * @work: grows and shrinks it
 * @wanted: a request found it empty
 */
struct vbd_pool {
	struct vbd_queue *q;
	struct vbd_page *page;
	u32 free;
	u32 total;
	u32 max;
	u32 min;
	u32 low;
	struct delayed_work work;
	bool wanted;
};

/**
 * struct vbd_slot - one request under way
 * @rq: the request while the backend owns the slot, else NULL
 * @seq: its index on the ring: who was first
 * @op: operation that the response must name
 * @status: what the response said, or why there was none
 * @segs: segments of the request
 * @bytes: their sum, which may be less than the request has left
 * @copied: how many of them go through pages of the pool
 * @seg: the segments; room for vbd_queue.max_segs
 * @ref: their grant references; the first VBD_SLOT_REFS stay with the slot, the
 *	others come from the queue for the time of a request
 * @copy: pages granted in place of theirs; page is NULL: their own
 * @ind_ref: references of the pages that hold descriptors of segments; granted
 *	as long as the slot exists, read-only unless grants are persistent
 * @ind_page: these pages
 */
struct vbd_slot {
	struct request *rq;
	u32 seq;
	u8 op;
	blk_status_t status;
	u32 segs;
	u32 bytes;
	u32 copied;
	struct vbd_seg *seg;
	grant_ref_t *ref;
	struct vbd_page *copy;
	grant_ref_t *ind_ref;
	struct page **ind_page;
};

/**
 * struct vbd_queue - a hardware queue of the disk
 * @vbd: the device
 * @index: which one
 * @ring: the ring it uses in this connection
 * @lock: @spare and @pool
 * @depth: tags, and slots
 * @max_segs: segments of the largest request
 * @slot: the slots, while connected
 * @seg: segments of all slots
 * @ref: references of all slots
 * @copy: pages of the pool in use, of all slots
 * @ind_refs: references of indirect pages of all slots
 * @ind_page: indirect pages of all slots
 * @spare: stack of references for segments beyond VBD_SLOT_REFS
 * @spare_n: how many there are
 * @spare_max: how many belong to it
 * @pool: pages for copying
 * @copied_bytes: bytes copied since it was made
 */
struct vbd_queue {
	struct vbd *vbd;
	u32 index;
	struct vbd_ring *ring;
	spinlock_t lock;
	u32 depth;
	u32 max_segs;
	struct vbd_slot *slot;
	struct vbd_seg *seg;
	grant_ref_t *ref;
	struct vbd_page *copy;
	grant_ref_t *ind_refs;
	struct page **ind_page;
	grant_ref_t *spare;
	u32 spare_n;
	u32 spare_max;
	struct vbd_pool pool;
	u64 copied_bytes;
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
 * @serial: unit serial number, or what serves as one
 * @wwid: worldwide identifier, or ""
 */
struct vbd_offer {
	unsigned long features;
	u64 sectors;
	u32 sector_size;
	u32 physical_size;
	u32 granularity;
	u32 alignment;
	char serial[VBD_IDENT_SIZE];
	char wwid[VBD_IDENT_SIZE];
};

/**
 * struct vbd - one disk
 * @xd: its device on the bus
 * @vdevice: the toolstack's number of it
 * @place: where it appears in /dev
 * @name: "xvda"
 * @trusted: the backend may see what lies beside the bytes of a request
 * @persistent: pages stay granted from request to request
 * @offer: what the backend offers; features is changed atomically, and disk work
 *	reads all of it
 * @limits_stale: disk work is to take the limits over from @offer
 * @disk: the gendisk from the first connection until removal
 * @tags: its tag set
 * @held: the disk's queue is quiesced until the next connection
 * @kept: requests that wait for the next connection, oldest first
 * @disk_work: adds the disk, and brings it up to date later: both may wait for I/O
 * @added: it is added; belongs to disk work
 * @give_up: fails I/O that hinders a removal for too long
 * @node: on the list of disks
 * @openers: users of @disk, partitions included
 * @closing: no new users
 * @close_wanted: tell the bus when the last user leaves
 * @swap: pages of the guest's memory are here
 * @news: how many log lines it may have that the backend can cause at will
 * @stats: directory in debugfs
 * @plan: rings of this connection
 * @queues: hardware queues of the disk, once it is made
 * @polled: how many of them, the last ones, are for polling
 * @queue: the queues
 * @limit: room for so many queues, and rings
 * @rings: rings of this connection; those that exist are among the first ones
 * @ring: the rings
 */
struct vbd {
	struct xpv_device *xd;
	u32 vdevice;
	struct vbd_place place;
	char name[VBD_NAME_MAX];
	bool trusted;
	bool persistent;
	struct vbd_offer offer;
	bool limits_stale;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	bool held;
	struct list_head kept;
	struct work_struct disk_work;
	bool added;
	struct delayed_work give_up;
	struct list_head node;
	unsigned int openers;
	bool closing;
	bool close_wanted;
	bool swap;
	struct ratelimit_state news;
	struct dentry *stats;
	struct vbd_plan plan;
	u32 queues;
	u32 polled;
	struct vbd_queue *queue;
	u32 limit;
	u32 rings;
	struct vbd_ring *ring;
};

/* main.c: module parameters */
extern bool vbd_trusted;
extern bool vbd_persistent;
extern unsigned int vbd_max_queues;
extern unsigned int vbd_poll_queues;
extern unsigned int vbd_max_ring_order;
extern unsigned int vbd_max_indirect_segments;
extern unsigned int vbd_timeout;
extern unsigned int vbd_reconnect_timeout;

/* offer.c */
int vbd_offer_read(struct vbd *vbd, struct vbd_offer *offer);
int vbd_offer_changed(struct vbd *vbd, u64 *sectors, bool *readonly);
bool vbd_offer_persistent(struct vbd *vbd);
void vbd_offer_plan(struct vbd *vbd, struct vbd_plan *plan);

/* connect.c */
int vbd_prepare(struct xpv_device *xd);
void vbd_publish(struct xpv_device *xd, struct xpv_batch *batch);
int vbd_connect(struct xpv_device *xd);
void vbd_changed(struct xpv_device *xd);
int vbd_stop(struct xpv_device *xd, enum xpv_why why);
void vbd_disconnect(struct xpv_device *xd, enum xpv_why why);
void vbd_suspend(struct xpv_device *xd);
void vbd_resume(struct xpv_device *xd);

/* disk.c */
void vbd_disk_init(struct vbd *vbd);
int vbd_disk_create(struct vbd *vbd);
void vbd_disk_update(struct vbd *vbd);
bool vbd_disk_claim(struct vbd *vbd, bool force);
void vbd_disk_remove(struct vbd *vbd);
void vbd_disk_kill(struct vbd *vbd);

/* hold.c */
void vbd_io_hold(struct vbd *vbd);
void vbd_io_release(struct vbd *vbd);
void vbd_io_start(struct vbd *vbd);
void vbd_io_fail(struct vbd *vbd);
void vbd_io_keep(struct vbd *vbd);

/* queue.c */
extern const struct blk_mq_ops vbd_mq_ops;
blk_status_t vbd_queue_send(struct vbd_queue *q, struct request *rq, bool last);

/* ring.c */
void vbd_ring_init(struct vbd *vbd, struct vbd_ring *ring);
int vbd_ring_create(struct vbd *vbd, struct vbd_ring *ring, unsigned int order,
		    bool polled);
void vbd_ring_destroy(struct vbd_ring *ring);
bool vbd_ring_put(struct vbd_ring *ring, struct vbd_slot *slot,
		  struct request *rq, const struct blkif_request *req, bool last);
void vbd_ring_push(struct vbd_ring *ring);
bool vbd_ring_reap(struct vbd_ring *ring);
void vbd_ring_start(struct vbd_ring *ring);
void vbd_ring_kill(struct vbd_ring *ring);
void vbd_ring_broken(struct vbd_ring *ring, const char *reason);

/* slot.c */
int vbd_slots_create(struct vbd_queue *q, u32 max_segs, bool lean);
void vbd_slots_destroy(struct vbd_queue *q);
blk_status_t vbd_slot_load(struct vbd_queue *q, struct vbd_slot *slot,
			   struct request *rq);
bool vbd_slot_end_grants(const struct vbd_queue *q, const struct vbd_slot *slot);
bool vbd_slot_unload(struct vbd_queue *q, struct vbd_slot *slot, bool copy);

/* pool.c */
int vbd_pool_create(struct vbd_queue *q);
void vbd_pool_destroy(struct vbd_queue *q);
bool vbd_pool_take(struct vbd_queue *q, struct vbd_page *page);
void vbd_pool_give(struct vbd_queue *q, const struct vbd_page *page);
void vbd_pool_lost(struct vbd_queue *q);
void vbd_pool_want(struct vbd_queue *q);

/* usage.c */
bool vbd_usage_root(struct vbd *vbd);

/* stats.c */
void vbd_stats_init(void);
void vbd_stats_exit(void);
void vbd_stats_add(struct vbd *vbd);
void vbd_stats_remove(struct vbd *vbd);

#endif /* VBD_VBD_H */
