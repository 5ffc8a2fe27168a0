// SPDX-License-Identifier: GPL-2.0
/*
 * Requests across connections: what the handshake does with them.
 *
 *	hold	they wait in the block layer; queue_rq runs nowhere
 *	release	they go on: nothing has happened meanwhile
 *	keep	those that the backend has are taken back, to be sent to the next one
 *	start	the kept ones are sent, oldest first, then all that waited or comes
 *	fail	all end with errors, now and until the next start
 *
 * A kept request may be done twice, by the old backend and by the new one: nobody
 * has been told yet that it was done once.
 *
 * Life: called by control work, and fail by vbd->give_up, too: never two at once for
 * a device (disk removal ends give_up before anything else follows).
 * Locks: none; hold, keep and fail make sure first that nobody else is there.
 * Trust: none of the backend's words is read.
 */
#include <linux/delay.h>

#include "vbd.h"

/* So long may a backend that has left keep the pages of requests that wait. */
#define LET_GO		(10 * HZ)

static void kill_rings(struct vbd *vbd)
{
	u32 i;

	for (i = 0; i < vbd->rings; i++)
		vbd_ring_kill(&vbd->ring[i]);
}

/**
 * vbd_io_hold() - let no request reach the rings until vbd_io_start()
 * @vbd: the device
 */
void vbd_io_hold(struct vbd *vbd)
{
	if (!vbd->disk || vbd->held)
		return;
	blk_mq_quiesce_queue(vbd->disk->queue);
	vbd->held = true;
}

/**
 * vbd_io_release() - let requests reach the rings again, which are as they were
 * @vbd: the device, held or not
 */
void vbd_io_release(struct vbd *vbd)
{
	if (!vbd->held)
		return;
	vbd->held = false;
	blk_mq_unquiesce_queue(vbd->disk->queue);
	blk_mq_kick_requeue_list(vbd->disk->queue);
}

static u32 seq_of(struct request *rq)
{
	struct vbd_queue *q = rq->mq_hctx->driver_data;

	return q->slot[rq->tag].seq;
}

/* Into the list of one ring's requests, behind the older ones. */
static void keep_sorted(struct list_head *kept, struct request *rq)
{
	struct request *other;

	list_for_each_entry_reverse(other, kept, queuelist)
		if ((s32)(seq_of(rq) - seq_of(other)) > 0)
			break;
	list_add(&rq->queuelist, &other->queuelist);
}

static bool queue_let_go(const struct vbd_queue *q)
{
	bool ok = true;
	u32 i;

	for (i = 0; q->slot && i < q->depth; i++)
		if (q->slot[i].rq)
			ok &= vbd_slot_end_grants(q, &q->slot[i]);
	return ok;
}

/* A dying backend unmaps what it has a little after it was seen to go. */
static void wait_let_go(const struct vbd *vbd)
{
	unsigned long end = jiffies + LET_GO;
	bool ok;
	u32 i;

	for (;;) {
		ok = true;
		for (i = 0; i < vbd->queues; i++)
			ok &= queue_let_go(&vbd->queue[i]);
		if (ok || time_after(jiffies, end))
			return;
		msleep(20);
	}
}

/* Take the requests of a queue from the backend: to @kept, or to their end. */
static void take_back(struct vbd_queue *q, struct list_head *kept)
{
	struct vbd_slot *slot;
	struct request *rq;
	u32 i;

	for (i = 0; q->slot && i < q->depth; i++) {
		slot = &q->slot[i];
		rq = slot->rq;
		if (!rq)
			continue;
		slot->rq = NULL;
		slot->status = BLK_STS_IOERR;
		/* A page that somebody may still write to cannot be sent again. */
		if (kept && vbd_slot_unload(q, slot, false))
			keep_sorted(kept, rq);
		else
			blk_mq_complete_request(rq);
	}
}

/**
 * vbd_io_keep() - take requests back from a backend that starts anew, or has gone
 * @vbd: the device, held with vbd_io_hold()
 *
 * Closes the ports. The requests are sent again by vbd_io_start(), or fail with
 * vbd_io_fail(). Waits for the backend to let go of their pages, LET_GO at most; a
 * request whose page it keeps fails.
 */
void vbd_io_keep(struct vbd *vbd)
{
	u32 r, i;

	kill_rings(vbd);
	if (!vbd->disk)
		return;
	wait_let_go(vbd);
	for (r = 0; r < vbd->rings; r++) {
		LIST_HEAD(kept);

		for (i = 0; i < vbd->queues; i++)
			if (vbd->queue[i].ring == &vbd->ring[r])
				take_back(&vbd->queue[i], &kept);
		list_splice_tail(&kept, &vbd->kept);
	}
	/* Also those that were answered: their slots go next. */
	blk_mq_tagset_wait_completed_request(&vbd->tags);
}

/* To the new backend. What does not fit now waits in the block layer. */
static void send_kept(struct vbd *vbd)
{
	struct request *rq, *next;
	struct vbd_queue *q;
	blk_status_t status;

	list_for_each_entry_safe(rq, next, &vbd->kept, queuelist) {
		list_del_init(&rq->queuelist);
		q = rq->mq_hctx->driver_data;
		status = vbd_queue_send(q, rq, true);
		if (status == BLK_STS_RESOURCE || status == BLK_STS_DEV_RESOURCE)
			blk_mq_requeue_request(rq, false);
		else if (status)
			blk_mq_end_request(rq, status);
	}
}

/**
 * vbd_io_start() - slots are there: send what waited, and all that comes
 * @vbd: the device
 */
void vbd_io_start(struct vbd *vbd)
{
	u32 i;

	for (i = 0; i < vbd->rings; i++)
		vbd_ring_start(&vbd->ring[i]);
	send_kept(vbd);
	vbd_io_release(vbd);
}

static void fail_kept(struct vbd *vbd)
{
	struct request *rq, *next;

	list_for_each_entry_safe(rq, next, &vbd->kept, queuelist) {
		list_del_init(&rq->queuelist);
		blk_mq_end_request(rq, BLK_STS_IOERR);
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
	u32 i;

	for (i = 0; i < vbd->limit; i++)
		WRITE_ONCE(vbd->ring[i].dead, true);
	if (vbd->disk && !was_held)
		blk_mq_quiesce_queue(vbd->disk->queue);
	kill_rings(vbd);
	if (!vbd->disk)
		return;
	for (i = 0; i < vbd->queues; i++)
		take_back(&vbd->queue[i], NULL);
	fail_kept(vbd);
	blk_mq_tagset_wait_completed_request(&vbd->tags);
	if (was_held)
		vbd_io_release(vbd);
	else
		blk_mq_unquiesce_queue(vbd->disk->queue);
}
