// SPDX-License-Identifier: GPL-2.0
/*
 * One ring and its port: requests are put on it, answers are taken off it.
 *
 * Answers are taken by vbd_ring_reap(): called by the event handler, by a task that
 * polls, and when a request has waited for long (an event may have been lost).
 * A fast backend is asked to say nothing until several answers are there, or all
 * that are due (plan.c). Who submits puts the event off, because a fast backend has
 * answered all by the time its answers are taken; and while the backend has enough to
 * do, he keeps requests for a few more to join them. A request that takes long holds
 * up the others for some five ticks (late_work()).
 *
 * Life: vbd_ring_create() at prepare, dead; vbd_ring_start() once slots are there;
 * vbd_ring_kill() closes the port, and nothing is put or taken from then on;
 * vbd_ring_destroy() gives the pages back.
 * Locks: put_lock and get_lock, see vbd.h. vbd_ring_put() publishes a slot with a
 * release of slot->rq that pairs with the acquire in take_response(): a backend may
 * answer before it was asked, but then finds either no request or all of it.
 * Trust: a response is legal iff its index was asked, its id is a slot that uses
 * this ring and is with the backend, and it names the slot's operation. The first
 * lie makes the ring dead: it is not looked at again.
 */
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/vmalloc.h>
#include <xen/interface/io/blkif.h>

#include "trace.h"
#include "vbd.h"

/* The two ABIs that `protocol` tells the backend apart by differ in padding. */
#define ID_OFFSET	(IS_ENABLED(CONFIG_X86_32) ? 4 : 8)
static_assert(offsetof(struct blkif_request, u.rw.id) == ID_OFFSET);
static_assert(offsetof(struct blkif_request, u.indirect.id) == ID_OFFSET);
static_assert(offsetof(struct blkif_request, u.discard.id) == ID_OFFSET);
static_assert(sizeof(struct xpv_sring) ==
	      offsetof(struct blkif_sring, ring));

#define SLOT_SIZE	sizeof(union blkif_sring_entry)

/* An event for an answer that never comes. */
#define NEVER		(1U << 30)

/* Jiffies: a whole tick at least. */
#define LATE		2

/**
 * vbd_ring_broken() - believe the backend no more
 * @ring: the ring
 * @reason: constant string, see xpv_bus_broken()
 *
 * Any context.
 */
void vbd_ring_broken(struct vbd_ring *ring, const char *reason)
{
	WRITE_ONCE(ring->dead, true);
	xpv_bus_broken(ring->vbd->xd, reason);
}

/* ---- out -------------------------------------------------------------------- */

/*
 * The consumer's lock is held: the next event comes with so many answers. If that is
 * more than one, somebody looks whether they are waited for in vain.
 */
static void wait_for(struct vbd_ring *ring, u32 answers)
{
	WRITE_ONCE(ring->wait, answers);
	if (answers == 1 || READ_ONCE(ring->dead) ||
	    delayed_work_pending(&ring->late_work))
		return;
	ring->answered_then = ring->answered;
	/* For disks that memory is written to, too. */
	kblockd_mod_delayed_work_on(WORK_CPU_UNBOUND, &ring->late_work, LATE);
}

/* More is due than when the event was asked for. The producer's lock is held. */
static void put_off(struct vbd_ring *ring)
{
	u32 answers;

	if (ring->polled || READ_ONCE(ring->pace.after) == 1)
		return;
	/* Who is taking answers asks for an event himself. */
	if (!spin_trylock(&ring->get_lock))
		return;
	answers = vbd_pace_wait(&ring->pace, xpv_ring_due(&ring->ring));
	if (answers > ring->wait) {
		wait_for(ring, answers);
		xpv_ring_defer(&ring->ring, answers);
	}
	spin_unlock(&ring->get_lock);
}

/* The producer's lock is held. Return: tell the backend. */
static bool push(struct vbd_ring *ring)
{
	bool kick;

	WRITE_ONCE(ring->holds, false);
	ring->urgent = false;
	if (ring->ring.req_prod_pvt == ring->ring.req_prod_seen)
		return false;
	kick = xpv_ring_push(&ring->ring);
	ring->notifies += kick;
	put_off(ring);
	return kick;
}

/*
 * Keep what was put for the next requests to join it? The producer's lock is held. Who
 * takes answers looks for what is held afterwards (vbd_ring_reap()): one of both sees
 * what the other did. If nobody watches the event that lets them go (wait_for()),
 * nothing is held.
 */
static bool hold(struct vbd_ring *ring)
{
	u32 after = READ_ONCE(ring->pace.after);

	if (after < VBD_PACE_MAX || ring->urgent)
		return false;
	WRITE_ONCE(ring->holds, true);
	/* Said before the looks; pairs with the barrier in xpv_ring_rearm(). */
	smp_mb();
	return READ_ONCE(ring->wait) > 1 &&
	       vbd_pace_hold(after, xpv_ring_due(&ring->ring),
			     ring->ring.req_prod_pvt - ring->ring.req_prod_seen);
}

/**
 * vbd_ring_push() - let the backend see what was put
 * @ring: the ring
 */
void vbd_ring_push(struct vbd_ring *ring)
{
	unsigned long flags;
	bool kick;

	spin_lock_irqsave(&ring->put_lock, flags);
	/* Older kernels end a batch in a queue that is quiesced already. */
	kick = !READ_ONCE(ring->dead) && push(ring);
	spin_unlock_irqrestore(&ring->put_lock, flags);
	/* Outside the lock: it is a hypercall. */
	if (kick)
		xpv_evtchn_notify(&ring->evtchn);
}

/**
 * vbd_ring_put() - put one request on a ring
 * @ring: the ring
 * @slot: the request's slot, complete
 * @rq: the request; the slot belongs to the backend from now on
 * @req: what the backend is to read
 * @last: of a batch: the backend sees all of it now, or soon if it has enough to do
 *
 * One round of the lock for a request.
 *
 * Return: false if the ring is full, and nothing was put.
 */
bool vbd_ring_put(struct vbd_ring *ring, struct vbd_slot *slot,
		  struct request *rq, const struct blkif_request *req, bool last)
{
	unsigned long flags;
	bool urgent = slot->op != BLKIF_OP_READ && slot->op != BLKIF_OP_WRITE;
	bool room, kick;

	spin_lock_irqsave(&ring->put_lock, flags);
	room = xpv_ring_free(&ring->ring);
	if (likely(room)) {
		slot->seq = ring->ring.req_prod_pvt;
		/* All of the slot before its request; see take_response(). */
		smp_store_release(&slot->rq, rq);
		xpv_ring_put(&ring->ring, req, sizeof(*req));
		trace_vbd_submit(ring->vbd, slot, rq, req);
		ring->asked++;
		ring->segments += slot->segs;
		ring->urgent |= urgent;
	}
	/* What was put before it must not wait for it. */
	kick = (!room || (last && !hold(ring))) && push(ring);
	spin_unlock_irqrestore(&ring->put_lock, flags);
	if (kick)
		xpv_evtchn_notify(&ring->evtchn);
	return room;
}

/* ---- in --------------------------------------------------------------------- */

static blk_status_t response_status(const struct blkif_response *rsp)
{
	if (rsp->status == BLKIF_RSP_OKAY)
		return BLK_STS_OK;
	if (rsp->status == BLKIF_RSP_EOPNOTSUPP &&
	    rsp->operation != BLKIF_OP_READ && rsp->operation != BLKIF_OP_WRITE)
		return BLK_STS_NOTSUPP;
	return BLK_STS_IOERR;
}

static struct vbd_slot *find_slot(const struct vbd_ring *ring, u64 id)
{
	const struct vbd *vbd = ring->vbd;
	u64 index = id >> VBD_ID_SHIFT;
	u32 tag = id & VBD_ID_TAG;
	struct vbd_queue *q;

	if (index >= vbd->queues)
		return NULL;
	q = &vbd->queue[index];
	return q->ring == ring && tag < q->depth ? &q->slot[tag] : NULL;
}

/* Return: NULL, or what is wrong with the next response. */
static const char *take_response(struct vbd_ring *ring)
{
	struct blkif_response rsp;
	struct vbd_slot *slot;
	struct request *rq;

	xpv_ring_get(&ring->ring, &rsp, sizeof(rsp));
	slot = find_slot(ring, rsp.id);
	if (!slot)
		return "response with an impossible id";
	/* Pairs with the release in vbd_ring_put(). */
	rq = smp_load_acquire(&slot->rq);
	if (!rq)
		return "response to a request that was not made";
	if (rsp.operation != slot->op)
		return "response with another operation than its request";
	slot->status = response_status(&rsp);
	trace_vbd_response(ring->vbd, &rsp);
	WRITE_ONCE(slot->rq, NULL);
	ring->answered++;
	blk_mq_complete_request(rq);
	return NULL;
}

/* The consumer's lock is held. Return: as xpv_ring_rearm(). */
static int ask(struct vbd_ring *ring, u32 answers)
{
	wait_for(ring, answers);
	return xpv_ring_rearm(&ring->ring, answers);
}

/* The same, for what was learnt from @got answers until @now. */
static int ask_again(struct vbd_ring *ring, u32 got, u64 now)
{
	if (ring->polled)
		return xpv_ring_rearm(&ring->ring, NEVER);
	vbd_pace_learn(&ring->pace, got, now - ring->armed);
	return ask(ring, vbd_pace_wait(&ring->pace, xpv_ring_due(&ring->ring)));
}

/* The consumer's lock is held. Return: was there anything? */
static bool reap(struct vbd_ring *ring)
{
	int n = xpv_ring_unconsumed(&ring->ring);
	const char *lie = NULL;
	u64 now = 0;
	u32 got = 0;

	while (n > 0 && !lie) {
		while (n > 0 && !lie) {
			lie = take_response(ring);
			got++;
			n--;
		}
		now = local_clock();
		if (!lie)
			n = ask_again(ring, got, now);
	}
	if (n < 0)
		lie = "responses to requests that were never made";
	if (lie)
		vbd_ring_broken(ring, lie);
	if (got)
		ring->armed = now;
	return got || lie;
}

/**
 * vbd_ring_reap() - take all answers that are there and end their requests
 * @ring: the ring; dead ones are left alone
 *
 * Any context.
 *
 * Return: was there anything?
 */
bool vbd_ring_reap(struct vbd_ring *ring)
{
	unsigned long flags;
	bool work = false;

	spin_lock_irqsave(&ring->get_lock, flags);
	/* Nothing is expected before the connection stands. */
	if (!READ_ONCE(ring->dead))
		work = reap(ring);
	spin_unlock_irqrestore(&ring->get_lock, flags);
	if (work && READ_ONCE(ring->holds))
		vbd_ring_push(ring);
	return work;
}

static bool event(void *data)
{
	return vbd_ring_reap(data);
}

/*
 * Several answers are waited for. If none was taken for a tick, one is enough, and what
 * is held goes.
 */
static void late_work(struct work_struct *work)
{
	struct vbd_ring *ring = container_of(to_delayed_work(work),
					     struct vbd_ring, late_work);
	unsigned long flags;
	bool stuck = false;

	spin_lock_irqsave(&ring->get_lock, flags);
	if (READ_ONCE(ring->dead) || ring->wait == 1) {
		/* Nobody waits. */
	} else if (ring->answered != ring->answered_then) {
		wait_for(ring, ring->wait);
	} else {
		stuck = true;
		if (ask(ring, 1)) {
			ring->late++;
			vbd_pace_late(&ring->pace);
		} else {
			ring->pace.after = 1;
		}
	}
	spin_unlock_irqrestore(&ring->get_lock, flags);
	if (stuck && !vbd_ring_reap(ring))
		vbd_ring_push(ring);
}

/* ---- life ------------------------------------------------------------------- */

/**
 * vbd_ring_init() - once, before any other function of the ring
 * @vbd: the device
 * @ring: zeroed
 */
void vbd_ring_init(struct vbd *vbd, struct vbd_ring *ring)
{
	ring->vbd = vbd;
	ring->dead = true;
	spin_lock_init(&ring->put_lock);
	spin_lock_init(&ring->get_lock);
	INIT_DELAYED_WORK(&ring->late_work, late_work);
}

/**
 * vbd_ring_create() - make a ring and its port, before the backend knows
 * @vbd: the device
 * @ring: initialised, or destroyed
 * @order: 1 << @order pages
 * @polled: no events are wanted
 *
 * Return: 0; -ENOMEM; -ENOSPC: no grant reference or no port left.
 */
int vbd_ring_create(struct vbd *vbd, struct vbd_ring *ring, unsigned int order,
		    bool polled)
{
	struct xpv_device *xd = vbd->xd;
	u32 pages = 1U << order;
	u32 i;
	void *mem;
	int err;

	ring->vbd = vbd;
	ring->dead = true;
	ring->polled = polled;
	ring->order = order;
	ring->pace = (struct vbd_pace){ .after = 1 };
	ring->wait = 1;
	ring->holds = false;
	ring->urgent = false;
	ring->armed = local_clock();
	/* Single pages: each may have to be parked by itself. */
	mem = vzalloc(pages * PAGE_SIZE);
	if (!mem)
		return -ENOMEM;
	err = xpv_gnt_claim(pages, ring->ref);
	if (err)
		goto err_free;
	xpv_ring_init(&ring->ring, mem, pages * PAGE_SIZE, SLOT_SIZE);
	if (polled)
		xpv_ring_rearm(&ring->ring, NEVER);
	err = xpv_evtchn_open(&ring->evtchn, xd->otherend_id, event, ring,
			      dev_name(&xd->dev));
	if (err)
		goto err_release;
	for (i = 0; i < pages; i++)
		xpv_gnt_grant(ring->ref[i], xd->otherend_id,
			      vmalloc_to_page(mem + i * PAGE_SIZE), false);
	return 0;

err_release:
	xpv_gnt_release(pages, ring->ref);
	ring->ring.shared = NULL;
err_free:
	vfree(mem);
	return err;
}

/**
 * vbd_ring_destroy() - undo vbd_ring_create()
 * @ring: ring without requests, or one that was never created
 */
void vbd_ring_destroy(struct vbd_ring *ring)
{
	void *mem = ring->ring.shared;
	struct page *page;
	u32 i;

	if (!mem)
		return;
	vbd_ring_kill(ring);
	for (i = 0; i < 1U << ring->order; i++) {
		page = vmalloc_to_page(mem + i * PAGE_SIZE);
		get_page(page);
		xpv_gnt_end(ring->ref[i], page);
	}
	ring->ring.shared = NULL;
	vfree(mem);
}

/**
 * vbd_ring_start() - let requests and answers pass
 * @ring: created; the slots of its queues are there
 */
void vbd_ring_start(struct vbd_ring *ring)
{
	unsigned long flags;

	/* All of the queues before anybody reaps. */
	spin_lock_irqsave(&ring->get_lock, flags);
	WRITE_ONCE(ring->dead, false);
	spin_unlock_irqrestore(&ring->get_lock, flags);
}

/**
 * vbd_ring_kill() - let nothing pass any more, and close the port
 * @ring: created or not
 *
 * Process context. Nobody reaps or pushes when it returns.
 */
void vbd_ring_kill(struct vbd_ring *ring)
{
	unsigned long flags;

	spin_lock_irqsave(&ring->get_lock, flags);
	spin_lock(&ring->put_lock);
	WRITE_ONCE(ring->dead, true);
	spin_unlock(&ring->put_lock);
	spin_unlock_irqrestore(&ring->get_lock, flags);
	xpv_evtchn_close(&ring->evtchn);
	cancel_delayed_work_sync(&ring->late_work);
}
