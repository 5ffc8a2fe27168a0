// SPDX-License-Identifier: GPL-2.0
/*
 * What one slot of the ring owns: segments, grant references, bounce pages.
 *
 * Loading a slot plans the segments of a request and grants their pages;
 * unloading takes the grants back. Pages are granted as they are (zero-copy),
 * with two exceptions that go through a bounce page of ours:
 *	- the backend is not trusted: it must not see what lies beside the bytes
 *	  of the request, so it is given a cleared page with these bytes alone;
 *	- the page could not be kept: memory of the slab allocator and frozen pages
 *	  have no reference count of their own, so if the backend held on to one of
 *	  them there would be no way to keep it from being used again.
 *
 * Life: vbd_slots_create() at connect claims everything that the largest
 * requests can need at once, vbd_slots_destroy() at disconnect gives it back. The
 * pool of bounce pages is large enough for all slots when the backend is not
 * trusted, else for one request: a request that finds it empty comes again.
 * Locks: the queue's lock guards the pool; a slot belongs to whoever holds its
 * tag: queue_rq, then the backend, then the completion.
 * Trust: nothing the backend wrote is read here but the data themselves, and
 * bounced data are copied after the grant is gone.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "vbd.h"

static_assert(PAGE_SIZE == VBD_PAGE);

/* ---- life ---------------------------------------------------------------- */

static u32 ind_pages(const struct vbd_queue *q)
{
	return q->ring.slots * vbd_segs_layout(q->max_segs).pages;
}

static u32 data_segs(const struct vbd_queue *q)
{
	return q->ring.slots * q->max_segs;
}

static u32 pool_size(const struct vbd_queue *q)
{
	return q->vbd->trusted ? q->max_segs : data_segs(q);
}

/* References to indirect pages follow those to data. */
static grant_ref_t *ind_refs(const struct vbd_queue *q)
{
	return q->ref + data_segs(q);
}

static int alloc_tables(struct vbd_queue *q)
{
	u32 n = data_segs(q);

	q->refs = vbd_segs_refs(q->ring.slots, q->max_segs);
	q->slot = kcalloc(q->ring.slots, sizeof(*q->slot), GFP_KERNEL);
	q->seg = kvcalloc(n, sizeof(*q->seg), GFP_KERNEL);
	q->ref = kvcalloc(q->refs, sizeof(*q->ref), GFP_KERNEL);
	q->bounce = kvcalloc(n, sizeof(*q->bounce), GFP_KERNEL);
	q->pool = kvcalloc(pool_size(q), sizeof(*q->pool), GFP_KERNEL);
	/* One more: a table without entries is no error. */
	q->ind_page = kvcalloc(ind_pages(q) + 1, sizeof(*q->ind_page),
			       GFP_KERNEL);
	return q->slot && q->seg && q->ref && q->bounce && q->pool &&
	       q->ind_page ? 0 : -ENOMEM;
}

static int alloc_pages_of(struct vbd_queue *q)
{
	u32 i;

	for (i = 0; i < ind_pages(q); i++) {
		q->ind_page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!q->ind_page[i])
			return -ENOMEM;
		xpv_gnt_grant(ind_refs(q)[i], q->vbd->xd->otherend_id,
			      q->ind_page[i], true);
	}
	while (q->pool_n < pool_size(q)) {
		q->pool[q->pool_n] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!q->pool[q->pool_n])
			return -ENOMEM;
		q->pool_n++;
	}
	return 0;
}

static void divide(struct vbd_queue *q)
{
	u32 pages = vbd_segs_layout(q->max_segs).pages;
	u32 i;

	for (i = 0; i < q->ring.slots; i++) {
		struct vbd_slot *slot = &q->slot[i];

		slot->seg = q->seg + i * q->max_segs;
		slot->ref = q->ref + i * q->max_segs;
		slot->bounce = q->bounce + i * q->max_segs;
		slot->ind_ref = ind_refs(q) + i * pages;
		slot->ind_page = q->ind_page + i * pages;
	}
}

/**
 * vbd_slots_create() - claim all that the requests of a queue will need
 * @q: queue with a ring
 * @max_segs: segments of the largest request
 *
 * Return: 0; -ENOSPC when the grant table is full; -ENOMEM. Nothing is left then.
 */
int vbd_slots_create(struct vbd_queue *q, u32 max_segs)
{
	int err;

	q->max_segs = max_segs;
	q->pool_n = 0;
	err = alloc_tables(q);
	if (err)
		goto err_destroy;
	err = xpv_gnt_claim(q->refs, q->ref);
	if (err)
		goto err_destroy;
	err = alloc_pages_of(q);
	if (err)
		goto err_destroy;
	divide(q);
	return 0;

err_destroy:
	vbd_slots_destroy(q);
	return err;
}

/**
 * vbd_slots_destroy() - give everything back; all slots are unloaded
 * @q: queue; its slots may be half made, or not at all
 *
 * Indirect pages that the backend still has mapped are parked.
 */
void vbd_slots_destroy(struct vbd_queue *q)
{
	u32 i;

	for (i = 0; q->ref && q->ind_page && i < ind_pages(q); i++) {
		if (!q->ind_page[i])
			break;
		xpv_gnt_end(ind_refs(q)[i], q->ind_page[i]);
		ind_refs(q)[i] = XPV_GNT_NONE;
	}
	if (q->ref)
		xpv_gnt_release(q->refs, q->ref);
	while (q->pool_n)
		put_page(q->pool[--q->pool_n]);
	kvfree(q->ind_page);
	kvfree(q->pool);
	kvfree(q->bounce);
	kvfree(q->ref);
	kvfree(q->seg);
	kfree(q->slot);
	q->ind_page = NULL;
	q->pool = NULL;
	q->bounce = NULL;
	q->ref = NULL;
	q->seg = NULL;
	q->slot = NULL;
}

/* ---- bounce pages ----------------------------------------------------------- */

static struct page *seg_page(const struct vbd_slot *slot, u32 i)
{
	return pfn_to_page(slot->seg[i].frame);
}

static bool must_bounce(const struct vbd_queue *q, struct page *page)
{
	return !q->vbd->trusted || PageSlab(page) || !page_count(page);
}

static void bounce_return(struct vbd_queue *q, struct vbd_slot *slot)
{
	unsigned long flags;
	u32 i;

	if (!slot->bounced)
		return;
	spin_lock_irqsave(&q->lock, flags);
	for (i = 0; i < slot->segs; i++) {
		if (slot->bounce[i])
			q->pool[q->pool_n++] = slot->bounce[i];
		slot->bounce[i] = NULL;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	slot->bounced = 0;
}

/*
 * The lock is taken once, and only if a page needs it.
 * Return: false if the pool is empty; the slot has no bounce pages then.
 */
static bool bounce_take(struct vbd_queue *q, struct vbd_slot *slot)
{
	unsigned long flags;
	bool ok = true;
	u32 i = 0;

	while (i < slot->segs && !must_bounce(q, seg_page(slot, i)))
		i++;
	if (likely(i == slot->segs))
		return true;
	spin_lock_irqsave(&q->lock, flags);
	for (; i < slot->segs && ok; i++) {
		if (!must_bounce(q, seg_page(slot, i)))
			continue;
		ok = q->pool_n > 0;
		if (ok)
			slot->bounce[i] = q->pool[--q->pool_n];
		slot->bounced += ok;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	if (!ok)
		bounce_return(q, slot);
	return ok;
}

static void bounce_copy(struct vbd_slot *slot, u32 i, bool out)
{
	const struct vbd_seg *seg = &slot->seg[i];
	void *ours = page_address(slot->bounce[i]);
	void *theirs = kmap_local_page(seg_page(slot, i));

	if (out)
		memcpy(ours + seg->offset, theirs + seg->offset, seg->len);
	else
		memcpy(theirs + seg->offset, ours + seg->offset, seg->len);
	kunmap_local(theirs);
}

/* A page that was used before holds somebody else's data: clear all of it. */
static void bounce_fill(struct vbd_slot *slot, bool write)
{
	u32 i;

	for (i = 0; i < slot->segs; i++) {
		if (!slot->bounce[i])
			continue;
		if (!write || slot->seg[i].len < PAGE_SIZE)
			clear_page(page_address(slot->bounce[i]));
		if (write)
			bounce_copy(slot, i, true);
	}
}

static void bounce_empty(struct vbd_slot *slot)
{
	u32 i;

	for (i = 0; i < slot->segs; i++)
		if (slot->bounce[i])
			bounce_copy(slot, i, false);
}

/* ---- loading and unloading ---------------------------------------------------- */

static bool plan(struct vbd_queue *q, struct vbd_slot *slot, struct request *rq)
{
	struct vbd_segs list = { .seg = slot->seg, .max = q->max_segs };
	struct req_iterator iter;
	struct bio_vec bv;
	int err = 0;

	rq_for_each_segment(bv, rq, iter) {
		err = vbd_segs_add(&list, page_to_pfn(bv.bv_page), bv.bv_offset,
				   bv.bv_len);
		if (err)
			break;
	}
	if (err == -ENOSPC)
		vbd_segs_trim(&list, queue_logical_block_size(rq->q));
	slot->segs = list.n;
	slot->bytes = list.bytes;
	return err != -EINVAL && list.n;
}

/**
 * vbd_slot_load() - make a slot carry a read or a write
 * @q: the queue
 * @slot: the request's slot
 * @rq: the request; if it is too large the slot carries its beginning
 *
 * Return: BLK_STS_OK with the data granted; BLK_STS_RESOURCE: no bounce page is
 * free, try again when another request has ended; BLK_STS_IOERR: a request that
 * does not consist of whole sectors. The slot is empty unless it is OK.
 */
blk_status_t vbd_slot_load(struct vbd_queue *q, struct vbd_slot *slot,
			   struct request *rq)
{
	bool write = rq_data_dir(rq) == WRITE;
	struct page *page;
	u32 i;

	if (!plan(q, slot, rq)) {
		slot->segs = 0;
		return BLK_STS_IOERR;
	}
	if (!bounce_take(q, slot)) {
		slot->segs = 0;
		return BLK_STS_RESOURCE;
	}
	if (slot->bounced)
		bounce_fill(slot, write);
	for (i = 0; i < slot->segs; i++) {
		page = slot->bounce[i] ? slot->bounce[i] : seg_page(slot, i);
		xpv_gnt_grant(slot->ref[i], q->vbd->xd->otherend_id, page, write);
	}
	return BLK_STS_OK;
}

/**
 * vbd_slot_unload() - take back what a slot carries; the slot is empty then
 * @q: the queue
 * @slot: slot that the backend does not own any more
 * @copy: it carried a read that went well: copy the bounced data
 *
 * Any context.
 *
 * Return: true; false if the backend still has a page mapped, which is parked.
 * The data must not be believed then, and the slot lacks references: the caller
 * breaks the device.
 */
bool vbd_slot_unload(struct vbd_queue *q, struct vbd_slot *slot, bool copy)
{
	struct page *page;
	bool ok = true;
	u32 i;

	for (i = 0; i < slot->segs; i++) {
		if (likely(xpv_gnt_revoke(slot->ref[i])))
			continue;
		ok = false;
		page = slot->bounce[i];
		if (!page) {
			page = seg_page(slot, i);
			get_page(page);
		}
		xpv_gnt_park(slot->ref[i], page);
		slot->ref[i] = XPV_GNT_NONE;
		slot->bounce[i] = NULL;
	}
	if (slot->bounced) {
		if (copy && ok)
			bounce_empty(slot);
		bounce_return(q, slot);
	}
	slot->segs = 0;
	return ok;
}
