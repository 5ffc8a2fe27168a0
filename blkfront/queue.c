// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: block requests become ring requests, responses end them.
 *
 * A request goes queue_rq -> slot loaded -> ring -> backend -> event -> response
 * checked (ring.c) -> slot unloaded -> end. What one ring request cannot carry is
 * sent again as the rest of the same block request. Nothing allocates on the way.
 *
 * Durability: the protocol has no "force unit access", and a barrier cannot be
 * combined with indirect segments. So only empty flushes are sent, the block
 * layer makes them from whatever a file system wants, and a write is stable when
 * the flush after it is. A backend that refuses a flush at run time makes that
 * flush fail; then the feature goes off. There is no request that writes zeroes:
 * the block layer writes them as data, and a discard is never used for it.
 *
 * Life: queues live as long as the disk; their slots and rings come and go with
 * connections, while nothing runs here (hold.c).
 * Locks: those of slot.c and ring.c, which see.
 * Trust: nothing here reads what the backend wrote.
 */
#include <xen/interface/io/blkif.h>

#include "trace.h"
#include "vbd.h"

static struct vbd_slot *slot_of(struct vbd_queue *q, struct request *rq)
{
	return &q->slot[rq->tag];
}

static u64 id_of(const struct vbd_queue *q, const struct request *rq)
{
	return (u64)q->index << VBD_ID_SHIFT | rq->tag;
}

/* ---- out: block request to ring request ------------------------------------ */

static void describe_seg(const struct vbd_slot *slot, u32 i, bool persistent,
			 struct blkif_request_segment *wire)
{
	vbd_seg_describe(&slot->seg[i],
			 persistent ? slot->copy[i].ref : slot->ref[i], wire);
}

static void compose_direct(struct vbd_queue *q, struct vbd_slot *slot,
			   struct request *rq, struct blkif_request *req)
{
	u32 i;

	req->operation = slot->op;
	req->u.rw.nr_segments = slot->segs;
	req->u.rw.id = id_of(q, rq);
	req->u.rw.sector_number = blk_rq_pos(rq);
	req->u.rw.handle = (u16)q->vbd->vdevice;
	for (i = 0; i < slot->segs; i++)
		describe_seg(slot, i, q->vbd->persistent, &req->u.rw.seg[i]);
}

/* The backend may write nothing to these pages, and we never read them. */
static void compose_indirect(struct vbd_queue *q, struct vbd_slot *slot,
			     struct request *rq, struct blkif_request *req,
			     u32 pages)
{
	struct blkif_request_segment *wire = NULL;
	u32 i;

	req->operation = BLKIF_OP_INDIRECT;
	req->u.indirect.indirect_op = slot->op;
	req->u.indirect.nr_segments = slot->segs;
	req->u.indirect.id = id_of(q, rq);
	req->u.indirect.sector_number = blk_rq_pos(rq);
	req->u.indirect.handle = (u16)q->vbd->vdevice;
	for (i = 0; i < pages; i++)
		req->u.indirect.indirect_grefs[i] = slot->ind_ref[i];
	for (i = 0; i < slot->segs; i++) {
		if (i % VBD_SEGS_PER_PAGE == 0)
			wire = page_address(slot->ind_page[i / VBD_SEGS_PER_PAGE]);
		describe_seg(slot, i, q->vbd->persistent,
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
	if (layout.indirect)
		compose_indirect(q, slot, rq, req, layout.pages);
	else
		compose_direct(q, slot, rq, req);
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
		return BLK_STS_IOERR;
	slot->bytes = 0;
	req->operation = slot->op;
	req->u.rw.id = id_of(q, rq);
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
	req->u.discard.id = id_of(q, rq);
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

/**
 * vbd_queue_send() - send a request to the backend
 * @q: its queue, with slots and a ring
 * @rq: the request, started
 * @last: of a batch
 *
 * Return: BLK_STS_OK: the backend has it, or will soon; BLK_STS_RESOURCE,
 * BLK_STS_DEV_RESOURCE: not now; else it cannot be done.
 */
blk_status_t vbd_queue_send(struct vbd_queue *q, struct request *rq, bool last)
{
	struct blkif_request req = { 0 };
	struct vbd_slot *slot = slot_of(q, rq);
	blk_status_t status = compose(q, slot, rq, &req);

	if (likely(!status)) {
		if (likely(vbd_ring_put(q->ring, slot, rq, &req, last)))
			return BLK_STS_OK;
		/* Only a backend that came back with less has such a ring. */
		vbd_slot_unload(q, slot, false);
		return BLK_STS_RESOURCE;
	}
	/* What was put before it must not wait for it. */
	vbd_ring_push(q->ring);
	return status;
}

static void note_swap(struct vbd *vbd)
{
	WRITE_ONCE(vbd->swap, true);
	xpv_bus_republish(vbd->xd);
}

static blk_status_t vbd_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct vbd_queue *q = hctx->driver_data;
	struct request *rq = bd->rq;

	/* Before the slots: a dead ring may have none. */
	if (READ_ONCE(q->ring->dead))
		return BLK_STS_IOERR;
	if (unlikely(rq->cmd_flags & REQ_SWAP) && !READ_ONCE(q->vbd->swap))
		note_swap(q->vbd);
	blk_mq_start_request(rq);
	return vbd_queue_send(q, rq, bd->last);
}

static void vbd_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct vbd_queue *q = hctx->driver_data;

	vbd_ring_push(q->ring);
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
	if (__ratelimit(&vbd->news))
		dev_warn(&vbd->xd->dev, "%s: backend refuses %s\n", vbd->name,
			 news);
	WRITE_ONCE(vbd->limits_stale, true);
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
		vbd_ring_broken(q->ring, "backend keeps pages of a request it has ended mapped");
		status = BLK_STS_IOERR;
	}
	if (status == BLK_STS_NOTSUPP) {
		if (refused(q, slot->op)) {
			blk_mq_requeue_request(rq, true);
			return;
		}
		/* Who flushes takes "not supported" for "not needed". */
		if (slot->op != BLKIF_OP_DISCARD)
			status = BLK_STS_IOERR;
	}
	trace_vbd_end(q->vbd, id_of(q, rq), slot->op, bytes, status);
	finish(rq, status, bytes);
}

static int vbd_poll(struct blk_mq_hw_ctx *hctx)
{
	struct vbd_queue *q = hctx->driver_data;

	return vbd_ring_reap(q->ring);
}
XPV_BLK_POLL_ADAPTER(vbd_poll)

/* ---- time ------------------------------------------------------------------- */

/*
 * Only observe: during a migration, or when the host's storage is away, I/O stands
 * still for minutes and must not fail. Xen says when the backend is gone. But an
 * event may have been lost: look.
 */
static enum blk_eh_timer_return vbd_timed_out(struct request *rq)
{
	struct vbd_queue *q = rq->mq_hctx->driver_data;
	/* Not one that was put off, nor one that nobody wants. */
	bool expected = READ_ONCE(q->ring->wait) == 1 && !q->ring->polled;

	if (vbd_ring_reap(q->ring)) {
		if (expected)
			dev_warn_ratelimited(&q->vbd->xd->dev,
					     "%s: found answers without an event\n",
					     q->vbd->name);
	} else {
		vbd_ring_push(q->ring);
		dev_warn_ratelimited(&q->vbd->xd->dev,
				     "%s: backend has not answered a request for %u s, waiting on\n",
				     q->vbd->name, rq->q->rq_timeout / HZ);
	}
	return BLK_EH_RESET_TIMER;
}
XPV_BLK_TIMEOUT_ADAPTER(vbd_timed_out)

/* ---- which queue ------------------------------------------------------------- */

static int vbd_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			 unsigned int index)
{
	struct vbd *vbd = data;

	hctx->driver_data = &vbd->queue[index];
	return 0;
}

static void vbd_map_queues(struct blk_mq_tag_set *set)
{
	struct blk_mq_queue_map *map = set->map;
	struct vbd *vbd = set->driver_data;

	map[HCTX_TYPE_DEFAULT].nr_queues = vbd->queues - vbd->polled;
	blk_mq_map_queues(&map[HCTX_TYPE_DEFAULT]);
	if (!vbd->polled)
		return;
	map[HCTX_TYPE_READ].nr_queues = 0;
	map[HCTX_TYPE_POLL].nr_queues = vbd->polled;
	map[HCTX_TYPE_POLL].queue_offset = vbd->queues - vbd->polled;
	blk_mq_map_queues(&map[HCTX_TYPE_POLL]);
}
XPV_BLK_MAP_QUEUES_ADAPTER(vbd_map_queues)

const struct blk_mq_ops vbd_mq_ops = {
	.queue_rq = vbd_queue_rq,
	.commit_rqs = vbd_commit_rqs,
	.complete = vbd_complete,
	.poll = XPV_BLK_POLL(vbd_poll),
	.timeout = XPV_BLK_TIMEOUT(vbd_timed_out),
	.init_hctx = vbd_init_hctx,
	.map_queues = XPV_BLK_MAP_QUEUES(vbd_map_queues),
};
