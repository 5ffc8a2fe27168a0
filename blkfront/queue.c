// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: block requests become ring requests, responses end them.
 *
 * A request goes queue_rq -> slot loaded -> ring -> backend -> event -> response
 * checked -> slot unloaded -> end. What one ring request cannot carry is sent
 * again as the rest of the same block request. Nothing allocates on the way.
 *
 * Durability: the protocol has no "force unit access", and a barrier cannot be
 * combined with indirect segments. So only empty flushes are sent, the block
 * layer makes them from whatever a file system wants, and a write is stable when
 * the flush after it is. A backend that refuses a flush at run time makes that
 * flush fail; then the feature goes off.
 *
 * Life: vbd_queue_create() at prepare makes ring and port. Of the four functions
 * vbd_io_*() the handshake uses, hold keeps requests in the block layer, start
 * lets them go, fail ends them all with errors now and later, keep takes those on
 * the ring back to be sent to the next backend.
 * Locks: see vbd.h. queue_rq publishes a slot with a release of slot->rq that
 * pairs with the acquire in the event handler: a backend may answer before it was
 * asked, but then finds either no request or all of it.
 * Trust: a response is legal iff its index was asked, its slot is with the
 * backend and it names the slot's operation. The first lie makes the queue dead:
 * the ring is not looked at again.
 */
#include <linux/mm.h>
#include <xen/interface/io/blkif.h>

#include "vbd.h"

/* The two ABIs that `protocol` tells the backend apart by differ in padding. */
#define ID_OFFSET	(IS_ENABLED(CONFIG_X86_32) ? 4 : 8)
static_assert(offsetof(struct blkif_request, u.rw.id) == ID_OFFSET);
static_assert(offsetof(struct blkif_request, u.indirect.id) == ID_OFFSET);
static_assert(offsetof(struct blkif_request, u.discard.id) == ID_OFFSET);
static_assert(sizeof(struct xpv_sring) ==
	      offsetof(struct blkif_sring, ring));

#define SLOT_SIZE	sizeof(union blkif_sring_entry)

static struct vbd_slot *slot_of(struct vbd_queue *q, struct request *rq)
{
	return &q->slot[rq->tag];
}

/**
 * vbd_queue_broken() - believe the backend no more
 * @q: the queue
 * @reason: constant string, see xpv_bus_broken()
 *
 * Any context.
 */
void vbd_queue_broken(struct vbd_queue *q, const char *reason)
{
	WRITE_ONCE(q->dead, true);
	xpv_bus_broken(q->vbd->xd, reason);
}

/* ---- out: block request to ring request ------------------------------------ */

static void describe_segs(struct vbd_slot *slot, struct blkif_request *req)
{
	struct blkif_request_segment *wire = req->u.rw.seg;
	u32 i;

	for (i = 0; i < slot->segs; i++)
		vbd_seg_describe(&slot->seg[i], slot->ref[i], &wire[i]);
}

/* The backend may write nothing there, and we never read it. */
static void describe_segs_indirect(struct vbd_slot *slot,
				   struct blkif_request *req, u32 pages)
{
	struct blkif_request_segment *wire = NULL;
	u32 i;

	for (i = 0; i < pages; i++)
		req->u.indirect.indirect_grefs[i] = slot->ind_ref[i];
	for (i = 0; i < slot->segs; i++) {
		if (i % VBD_SEGS_PER_PAGE == 0)
			wire = page_address(slot->ind_page[i / VBD_SEGS_PER_PAGE]);
		vbd_seg_describe(&slot->seg[i], slot->ref[i],
				 &wire[i % VBD_SEGS_PER_PAGE]);
	}
}

static blk_status_t compose_rw(struct vbd_queue *q, struct vbd_slot *slot,
			       struct request *rq, struct blkif_request *req)
{
	blk_status_t status = vbd_slot_load(q, slot, rq);
	struct vbd_layout layout;

	if (status)
		return status;
	slot->op = rq_data_dir(rq) == WRITE ? BLKIF_OP_WRITE : BLKIF_OP_READ;
	layout = vbd_segs_layout(slot->segs);
	if (layout.indirect) {
		req->operation = BLKIF_OP_INDIRECT;
		req->u.indirect.indirect_op = slot->op;
		req->u.indirect.nr_segments = slot->segs;
		req->u.indirect.id = rq->tag;
		req->u.indirect.sector_number = blk_rq_pos(rq);
		req->u.indirect.handle = (u16)q->vbd->vdevice;
		describe_segs_indirect(slot, req, layout.pages);
	} else {
		req->operation = slot->op;
		req->u.rw.nr_segments = slot->segs;
		req->u.rw.id = rq->tag;
		req->u.rw.sector_number = blk_rq_pos(rq);
		req->u.rw.handle = (u16)q->vbd->vdevice;
		describe_segs(slot, req);
	}
	return BLK_STS_OK;
}

/*
 * An empty barrier orders and flushes what was written before it, as a flush
 * does. Without either the disk is said to have no cache, and no flush comes but
 * those that were under way when the backend took its offer back.
 */
static blk_status_t compose_flush(struct vbd_queue *q, struct vbd_slot *slot,
				  struct request *rq, struct blkif_request *req)
{
	unsigned long features = READ_ONCE(q->vbd->offer.features);

	if (features & BIT(VBD_FLUSH))
		slot->op = BLKIF_OP_FLUSH_DISKCACHE;
	else if (features & BIT(VBD_BARRIER))
		slot->op = BLKIF_OP_WRITE_BARRIER;
	else
		return BLK_STS_NOTSUPP;
	slot->bytes = 0;
	req->operation = slot->op;
	req->u.rw.id = rq->tag;
	req->u.rw.handle = (u16)q->vbd->vdevice;
	return BLK_STS_OK;
}

static blk_status_t compose_discard(struct vbd_queue *q, struct vbd_slot *slot,
				    struct request *rq,
				    struct blkif_request *req)
{
	bool secure = req_op(rq) == REQ_OP_SECURE_ERASE;
	unsigned long features = READ_ONCE(q->vbd->offer.features);

	if (!(features & BIT(VBD_DISCARD)) ||
	    (secure && !(features & BIT(VBD_SECURE))))
		return BLK_STS_NOTSUPP;
	slot->op = BLKIF_OP_DISCARD;
	slot->bytes = blk_rq_bytes(rq);
	req->operation = BLKIF_OP_DISCARD;
	req->u.discard.flag = secure ? BLKIF_DISCARD_SECURE : 0;
	req->u.discard.id = rq->tag;
	req->u.discard.sector_number = blk_rq_pos(rq);
	req->u.discard.nr_sectors = blk_rq_sectors(rq);
	return BLK_STS_OK;
}

static blk_status_t compose(struct vbd_queue *q, struct vbd_slot *slot,
			    struct request *rq, struct blkif_request *req)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		return compose_rw(q, slot, rq, req);
	case REQ_OP_FLUSH:
		return compose_flush(q, slot, rq, req);
	case REQ_OP_DISCARD:
	case REQ_OP_SECURE_ERASE:
		return compose_discard(q, slot, rq, req);
	default:
		return BLK_STS_NOTSUPP;
	}
}

static void commit(struct vbd_queue *q)
{
	unsigned long flags;
	bool kick;

	spin_lock_irqsave(&q->lock, flags);
	kick = xpv_ring_push(&q->ring);
	spin_unlock_irqrestore(&q->lock, flags);
	/* Outside the lock: it is a hypercall. */
	if (kick)
		xpv_evtchn_notify(&q->evtchn);
}

/* One round of the lock for a request; the last of a batch publishes it. */
static void put(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq,
		const struct blkif_request *req, bool last)
{
	unsigned long flags;
	bool kick;

	spin_lock_irqsave(&q->lock, flags);
	/* All of the slot before its request; see the event handler. */
	smp_store_release(&slot->rq, rq);
	xpv_ring_put(&q->ring, req, sizeof(*req));
	kick = last && xpv_ring_push(&q->ring);
	spin_unlock_irqrestore(&q->lock, flags);
	if (kick)
		xpv_evtchn_notify(&q->evtchn);
}

static blk_status_t vbd_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct vbd_queue *q = hctx->driver_data;
	struct blkif_request req = { 0 };
	struct request *rq = bd->rq;
	struct vbd_slot *slot;
	blk_status_t status;

	/* Before the slots: a dead queue may have none. */
	if (READ_ONCE(q->dead))
		return BLK_STS_IOERR;
	slot = slot_of(q, rq);
	status = compose(q, slot, rq, &req);
	if (unlikely(status)) {
		/* What was put before it must not wait for it. */
		commit(q);
		return status;
	}
	blk_mq_start_request(rq);
	put(q, slot, rq, &req, bd->last);
	return BLK_STS_OK;
}

static void vbd_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	commit(hctx->driver_data);
}

/* ---- in: response to the end of a request ----------------------------------- */

/*
 * The backend refuses what it offered: never ask again, say so once.
 * Return: true if there is another way to do the same.
 */
static bool refused(struct vbd_queue *q, u8 op)
{
	struct vbd *vbd = q->vbd;
	unsigned long *features = &vbd->offer.features;
	bool other = op == BLKIF_OP_FLUSH_DISKCACHE &&
		     test_bit(VBD_BARRIER, features);
	const char *news;

	if (op == BLKIF_OP_DISCARD) {
		news = "discards: no more are sent";
		clear_bit(VBD_SECURE, features);
		if (!test_and_clear_bit(VBD_DISCARD, features))
			return false;
	} else {
		news = other ? "cache flushes, using barriers" :
		       "cache flushes: the last one failed; from now on a write counts as stable when the backend reports it done";
		if (!test_and_clear_bit(op == BLKIF_OP_FLUSH_DISKCACHE ?
					VBD_FLUSH : VBD_BARRIER, features))
			return other;
	}
	dev_warn(&vbd->xd->dev, "%s: backend refuses %s\n", vbd->name, news);
	vbd_disk_update(vbd);
	return other;
}

/*
 * End a request whose slot is empty again: all of it, or what was done of it.
 * A request that can go on is queued once more.
 */
static void finish(struct request *rq, blk_status_t status, u32 bytes)
{
	if (!status && bytes && bytes < blk_rq_bytes(rq)) {
		blk_update_request(rq, BLK_STS_OK, bytes);
		blk_mq_requeue_request(rq, true);
		return;
	}
	blk_mq_end_request(rq, status);
}

/* blk-mq's completion: the response was legal, or there will be none. */
static void vbd_complete(struct request *rq)
{
	struct vbd_queue *q = rq->mq_hctx->driver_data;
	struct vbd_slot *slot = slot_of(q, rq);
	blk_status_t status = slot->status;
	u32 bytes = slot->bytes;

	if (!vbd_slot_unload(q, slot, !status && slot->op == BLKIF_OP_READ)) {
		vbd_queue_broken(q, "backend keeps pages of a request it has ended mapped");
		status = BLK_STS_IOERR;
	}
	if (status == BLK_STS_NOTSUPP && refused(q, slot->op))
		blk_mq_requeue_request(rq, true);
	else
		finish(rq, status, bytes);
}

static blk_status_t response_status(const struct blkif_response *rsp)
{
	if (rsp->status == BLKIF_RSP_OKAY)
		return BLK_STS_OK;
	if (rsp->status == BLKIF_RSP_EOPNOTSUPP &&
	    rsp->operation != BLKIF_OP_READ && rsp->operation != BLKIF_OP_WRITE)
		return BLK_STS_NOTSUPP;
	return BLK_STS_IOERR;
}

/* Return: NULL, or what is wrong with the next response. */
static const char *take_response(struct vbd_queue *q)
{
	struct blkif_response rsp;
	struct vbd_slot *slot;
	struct request *rq;

	xpv_ring_get(&q->ring, &rsp, sizeof(rsp));
	if (rsp.id >= q->ring.slots)
		return "response with an impossible id";
	slot = &q->slot[rsp.id];
	/* Pairs with the release in queue_rq. */
	rq = smp_load_acquire(&slot->rq);
	if (!rq)
		return "response to a request that was not made";
	if (rsp.operation != slot->op)
		return "response with another operation than its request";
	slot->status = response_status(&rsp);
	WRITE_ONCE(slot->rq, NULL);
	blk_mq_complete_request(rq);
	return NULL;
}

/* The event handler. Return: was there anything to do? */
static bool vbd_event(void *data)
{
	struct vbd_queue *q = data;
	const char *lie = NULL;
	bool work = false;
	int n;

	/* Nothing is expected before the connection stands. Pairs with start. */
	if (smp_load_acquire(&q->dead))
		return false;
	n = xpv_ring_unconsumed(&q->ring);
	while (n > 0 && !lie) {
		work = true;
		while (n-- > 0 && !lie)
			lie = take_response(q);
		if (!lie)
			n = xpv_ring_rearm(&q->ring, 1);
	}
	if (n == -EPROTO)
		lie = "responses to requests that were never made";
	if (lie)
		vbd_queue_broken(q, lie);
	return work || lie;
}

/* ---- time ------------------------------------------------------------------- */

/*
 * Only observe: during a migration, or when the host's storage is away, I/O stands
 * still for minutes and must not fail. Xen says when the backend is gone.
 */
static enum blk_eh_timer_return vbd_timed_out(struct request *rq)
{
	struct vbd_queue *q = rq->mq_hctx->driver_data;

	dev_warn_ratelimited(&q->vbd->xd->dev,
			     "%s: backend has not answered a request for %u s, waiting on\n",
			     q->vbd->name, rq->q->rq_timeout / HZ);
	return BLK_EH_RESET_TIMER;
}
XPV_BLK_TIMEOUT_ADAPTER(vbd_timed_out)

static int vbd_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			 unsigned int index)
{
	struct vbd *vbd = data;

	hctx->driver_data = &vbd->queue[index];
	return 0;
}

const struct blk_mq_ops vbd_mq_ops = {
	.queue_rq = vbd_queue_rq,
	.commit_rqs = vbd_commit_rqs,
	.complete = vbd_complete,
	.timeout = XPV_BLK_TIMEOUT(vbd_timed_out),
	.init_hctx = vbd_init_hctx,
};

/* ---- life --------------------------------------------------------------------- */

/**
 * vbd_queue_create() - make ring and port of a queue, before the backend knows
 * @vbd: the device
 * @q: the queue, not created
 *
 * Return: 0; -ENOMEM; -ENOSPC: no grant reference or no port left.
 */
int vbd_queue_create(struct vbd *vbd, struct vbd_queue *q)
{
	struct xpv_device *xd = vbd->xd;
	unsigned int i;
	void *pages;
	int err;

	q->vbd = vbd;
	q->dead = true;
	q->pages = VBD_RING_PAGES;
	/* Contiguous, but each page by itself: one may have to be parked. */
	pages = alloc_pages_exact(q->pages * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!pages)
		return -ENOMEM;
	err = xpv_gnt_claim(q->pages, q->ring_ref);
	if (err)
		goto err_free_pages;
	xpv_ring_init(&q->ring, pages, q->pages * PAGE_SIZE, SLOT_SIZE);
	err = xpv_evtchn_open(&q->evtchn, xd->otherend_id, vbd_event, q,
			      dev_name(&xd->dev));
	if (err)
		goto err_release_refs;
	for (i = 0; i < q->pages; i++)
		xpv_gnt_grant(q->ring_ref[i], xd->otherend_id,
			      virt_to_page(pages + i * PAGE_SIZE), false);
	return 0;

err_release_refs:
	xpv_gnt_release(q->pages, q->ring_ref);
err_free_pages:
	free_pages_exact(pages, q->pages * PAGE_SIZE);
	q->ring.shared = NULL;
	return err;
}

/**
 * vbd_queue_destroy() - undo vbd_queue_create() and vbd_slots_create()
 * @q: queue without requests, or one that was never created
 */
void vbd_queue_destroy(struct vbd_queue *q)
{
	void *pages = q->ring.shared;
	unsigned int i;

	if (!pages)
		return;
	xpv_evtchn_close(&q->evtchn);
	vbd_slots_destroy(q);
	for (i = 0; i < q->pages; i++)
		xpv_gnt_end(q->ring_ref[i], virt_to_page(pages + i * PAGE_SIZE));
	q->ring.shared = NULL;
}

/**
 * vbd_io_hold() - let no request reach the ring until vbd_io_start()
 * @vbd: the device
 *
 * Requests wait in the block layer. When it returns, queue_rq runs nowhere.
 */
void vbd_io_hold(struct vbd *vbd)
{
	if (!vbd->disk || vbd->held)
		return;
	blk_mq_quiesce_queue(vbd->disk->queue);
	vbd->held = true;
}

static void release_held(struct vbd *vbd)
{
	if (!vbd->held)
		return;
	vbd->held = false;
	blk_mq_unquiesce_queue(vbd->disk->queue);
	blk_mq_kick_requeue_list(vbd->disk->queue);
}

/**
 * vbd_io_start() - slots are there: send what waited, and all that comes
 * @vbd: the device
 */
void vbd_io_start(struct vbd *vbd)
{
	unsigned int i;

	/* All of the queue before the handler may look; pairs with it. */
	for (i = 0; i < vbd->queues; i++)
		smp_store_release(&vbd->queue[i].dead, false);
	release_held(vbd);
}

/*
 * No handler runs and queue_rq does not either: the slots are ours. Their requests
 * fail, or with @keep are to be sent again.
 */
static void take_back(struct vbd_queue *q, bool keep)
{
	struct vbd_slot *slot;
	struct request *rq;
	u32 i;

	for (i = 0; q->slot && i < q->ring.slots; i++) {
		slot = &q->slot[i];
		rq = slot->rq;
		if (!rq)
			continue;
		slot->rq = NULL;
		slot->status = BLK_STS_IOERR;
		/* A page that somebody may still write to cannot be sent again. */
		if (keep && vbd_slot_unload(q, slot, false))
			blk_mq_requeue_request(rq, false);
		else
			blk_mq_complete_request(rq);
	}
}

/**
 * vbd_io_fail() - end all requests with an error, now and from now on
 * @vbd: the device
 *
 * Closes the ports. Process context; does not wait for the backend. Ends with
 * vbd_io_start(). Not to be called twice at once.
 */
void vbd_io_fail(struct vbd *vbd)
{
	bool was_held = vbd->held;
	unsigned int i;

	for (i = 0; i < vbd->queues; i++)
		WRITE_ONCE(vbd->queue[i].dead, true);
	if (vbd->disk && !was_held)
		blk_mq_quiesce_queue(vbd->disk->queue);
	for (i = 0; i < vbd->queues; i++)
		xpv_evtchn_close(&vbd->queue[i].evtchn);
	if (!vbd->disk)
		return;
	for (i = 0; i < vbd->queues; i++)
		take_back(&vbd->queue[i], false);
	blk_mq_tagset_wait_completed_request(&vbd->tags);
	if (was_held)
		release_held(vbd);
	else
		blk_mq_unquiesce_queue(vbd->disk->queue);
}

/**
 * vbd_io_keep() - take requests back from a backend that starts anew
 * @vbd: the device, held with vbd_io_hold()
 *
 * Closes the ports. The requests are sent again after vbd_io_start(), or fail
 * with vbd_io_fail(). Reads and writes may be done twice: nobody has been told
 * yet that they were done once.
 */
void vbd_io_keep(struct vbd *vbd)
{
	unsigned int i;

	for (i = 0; i < vbd->queues; i++) {
		WRITE_ONCE(vbd->queue[i].dead, true);
		xpv_evtchn_close(&vbd->queue[i].evtchn);
	}
	if (!vbd->disk)
		return;
	for (i = 0; i < vbd->queues; i++)
		take_back(&vbd->queue[i], true);
	/* Also those that the handler took: their slots go next. */
	blk_mq_tagset_wait_completed_request(&vbd->tags);
}
