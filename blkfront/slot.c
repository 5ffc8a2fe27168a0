// SPDX-License-Identifier: GPL-2.0
/*
 * What one request owns while it is under way: segments, grant references, pages.
 *
 * Loading a slot plans the segments of a request and grants their pages; unloading
 * takes the grants back. Pages are granted as they are (zero-copy), or a page of the
 * pool stands in for them: pool.c says when and why.
 *
 * References: a slot keeps a few, enough for small requests; the others are the
 * queue's and taken for the time of a request. All are claimed at connect.
 *
 * Life: vbd_slots_create() at connect, vbd_slots_destroy() at disconnect.
 * Locks: the queue's lock guards spare references and pool, and is taken once for a
 * request that needs either; a slot belongs to whoever holds its tag: queue_rq,
 * then the backend, then the completion.
 * Trust: nothing the backend wrote is read here but the data themselves, which are
 * copied once, after the answer.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "vbd.h"

static_assert(PAGE_SIZE == VBD_PAGE);

/* Spare references of a queue whose requests are not larger than these. */
#define SPARE_REFS	256U

/* ---- life ---------------------------------------------------------------- */

static u32 ind_pages(const struct vbd_queue *q)
{
	return q->depth * vbd_segs_layout(q->max_segs).pages;
}

/* References of data that a slot keeps: pages of a persistent pool have their own. */
static u32 own_refs(const struct vbd_queue *q)
{
	return q->vbd->persistent ? 0 : min(VBD_SLOT_REFS, q->max_segs);
}

/* One request can always go on. */
static u32 spare_refs(const struct vbd_queue *q, bool lean)
{
	u32 one = q->max_segs - own_refs(q);

	if (q->vbd->persistent)
		return 0;
	return lean ? one : max(one, min(q->depth * one, SPARE_REFS));
}

static int alloc_tables(struct vbd_queue *q)
{
	u32 n = q->depth * q->max_segs;

	/* One more: a table without entries is no error. */
	q->slot = kcalloc(q->depth, sizeof(*q->slot), GFP_KERNEL);
	q->seg = kvcalloc(n, sizeof(*q->seg), GFP_KERNEL);
	q->ref = kvcalloc(n, sizeof(*q->ref), GFP_KERNEL);
	q->copy = kvcalloc(n, sizeof(*q->copy), GFP_KERNEL);
	q->spare = kvcalloc(q->spare_max + 1, sizeof(*q->spare), GFP_KERNEL);
	q->ind_refs = kvcalloc(ind_pages(q) + 1, sizeof(*q->ind_refs), GFP_KERNEL);
	q->ind_page = kvcalloc(ind_pages(q) + 1, sizeof(*q->ind_page), GFP_KERNEL);
	return q->slot && q->seg && q->ref && q->copy && q->spare &&
	       q->ind_refs && q->ind_page ? 0 : -ENOMEM;
}

static void divide(struct vbd_queue *q)
{
	u32 pages = vbd_segs_layout(q->max_segs).pages;
	u32 i;

	for (i = 0; i < q->depth; i++) {
		struct vbd_slot *slot = &q->slot[i];

		slot->seg = q->seg + i * q->max_segs;
		slot->ref = q->ref + i * q->max_segs;
		slot->copy = q->copy + i * q->max_segs;
		slot->ind_ref = q->ind_refs + i * pages;
		slot->ind_page = q->ind_page + i * pages;
	}
}

static int claim_refs(struct vbd_queue *q)
{
	u32 i;
	int err = xpv_gnt_claim(q->spare_max, q->spare);

	if (err)
		return err;
	q->spare_n = q->spare_max;
	for (i = 0; i < q->depth && !err; i++)
		err = xpv_gnt_claim(own_refs(q), q->slot[i].ref);
	return err ?: xpv_gnt_claim(ind_pages(q), q->ind_refs);
}

/* A backend that keeps grants maps all of them for writing, these too. */
static int make_ind_pages(struct vbd_queue *q)
{
	bool readonly = !q->vbd->persistent;
	u32 i;

	for (i = 0; i < ind_pages(q); i++) {
		q->ind_page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!q->ind_page[i])
			return -ENOMEM;
		xpv_gnt_grant(q->ind_refs[i], q->vbd->xd->otherend_id,
			      q->ind_page[i], readonly);
	}
	return 0;
}

/**
 * vbd_slots_create() - claim all that the requests of a queue will need
 * @q: queue; its depth is known
 * @max_segs: segments of the largest request
 * @lean: with as few references as let every request go on, one by one if need be
 *
 * Return: 0; -ENOSPC when the grant table is full; -ENOMEM. Nothing is left then.
 */
int vbd_slots_create(struct vbd_queue *q, u32 max_segs, bool lean)
{
	int err;

	q->max_segs = max_segs;
	q->spare_max = spare_refs(q, lean);
	err = alloc_tables(q);
	if (err)
		goto err_destroy;
	divide(q);
	err = claim_refs(q);
	if (err)
		goto err_destroy;
	err = make_ind_pages(q);
	if (err)
		goto err_destroy;
	err = vbd_pool_create(q);
	if (err)
		goto err_destroy;
	return 0;

err_destroy:
	vbd_slots_destroy(q);
	return err;
}

static void drop_ind_pages(struct vbd_queue *q)
{
	u32 i;

	for (i = 0; i < ind_pages(q) && q->ind_page[i]; i++) {
		xpv_gnt_end(q->ind_refs[i], q->ind_page[i]);
		q->ind_refs[i] = XPV_GNT_NONE;
	}
}

/**
 * vbd_slots_destroy() - give everything back; all slots are unloaded
 * @q: queue; its slots may be half made, or not at all
 *
 * Pages that the backend still has mapped are parked.
 */
void vbd_slots_destroy(struct vbd_queue *q)
{
	vbd_pool_destroy(q);
	if (q->ind_page && q->ind_refs) {
		drop_ind_pages(q);
		xpv_gnt_release(ind_pages(q), q->ind_refs);
	}
	if (q->ref)
		xpv_gnt_release(q->depth * q->max_segs, q->ref);
	/* What was taken and parked is still named above the top of the stack. */
	if (q->spare)
		xpv_gnt_release(q->spare_n, q->spare);
	q->spare_n = 0;
	kvfree(q->ind_page);
	kvfree(q->ind_refs);
	kvfree(q->spare);
	kvfree(q->copy);
	kvfree(q->ref);
	kvfree(q->seg);
	kfree(q->slot);
	q->ind_page = NULL;
	q->ind_refs = NULL;
	q->spare = NULL;
	q->copy = NULL;
	q->ref = NULL;
	q->seg = NULL;
	q->slot = NULL;
}

/* ---- what a request needs for its time -------------------------------------- */

static struct page *seg_page(const struct vbd_slot *slot, u32 i)
{
	return pfn_to_page(slot->seg[i].frame);
}

static bool must_copy(const struct vbd_queue *q, struct page *page)
{
	return q->vbd->persistent || !q->vbd->trusted || PageSlab(page) ||
	       !page_count(page);
}

static bool needs_copy(const struct vbd_queue *q, const struct vbd_slot *slot)
{
	u32 i;

	for (i = 0; i < slot->segs; i++)
		if (must_copy(q, seg_page(slot, i)))
			return true;
	return false;
}

/* The queue is locked. What was taken stays with the slot if it is not enough. */
static bool take_pages(struct vbd_queue *q, struct vbd_slot *slot)
{
	u32 i;

	for (i = 0; i < slot->segs; i++) {
		if (!must_copy(q, seg_page(slot, i)))
			continue;
		if (!vbd_pool_take(q, &slot->copy[i]))
			return false;
		slot->copied++;
	}
	return true;
}

static void take_spare(struct vbd_queue *q, struct vbd_slot *slot)
{
	u32 i;

	for (i = own_refs(q); i < slot->segs; i++)
		slot->ref[i] = q->spare[--q->spare_n];
}

/* References and pages back to the queue, in one round of the lock if any. */
static void give_back(struct vbd_queue *q, struct vbd_slot *slot)
{
	u32 own = q->vbd->persistent ? slot->segs : own_refs(q);
	unsigned long flags;
	u32 i;

	if (slot->segs <= own && !slot->copied)
		return;
	spin_lock_irqsave(&q->lock, flags);
	for (i = own; i < slot->segs; i++) {
		if (slot->ref[i] != XPV_GNT_NONE)
			q->spare[q->spare_n++] = slot->ref[i];
		slot->ref[i] = XPV_GNT_NONE;
	}
	for (i = 0; slot->copied && i < slot->segs; i++) {
		if (slot->copy[i].page)
			vbd_pool_give(q, &slot->copy[i]);
		slot->copy[i].page = NULL;
	}
	if (slot->copied)
		q->copied_bytes += slot->bytes;
	spin_unlock_irqrestore(&q->lock, flags);
	slot->copied = 0;
}

static blk_status_t take_what_it_needs(struct vbd_queue *q,
				       struct vbd_slot *slot)
{
	bool spare = !q->vbd->persistent && slot->segs > own_refs(q);
	bool copy = needs_copy(q, slot);
	unsigned long flags;
	bool enough = true;

	if (likely(!spare && !copy))
		return BLK_STS_OK;
	spin_lock_irqsave(&q->lock, flags);
	if (spare && q->spare_n < slot->segs - own_refs(q)) {
		spin_unlock_irqrestore(&q->lock, flags);
		/* Those who have them are under way on this queue. */
		return BLK_STS_DEV_RESOURCE;
	}
	if (spare)
		take_spare(q, slot);
	if (copy)
		enough = take_pages(q, slot);
	spin_unlock_irqrestore(&q->lock, flags);
	if (enough)
		return BLK_STS_OK;
	give_back(q, slot);
	vbd_pool_want(q);
	return BLK_STS_RESOURCE;
}

/* ---- copying ----------------------------------------------------------------- */

static void copy_seg(struct vbd_slot *slot, u32 i, bool out)
{
	const struct vbd_seg *seg = &slot->seg[i];
	void *ours = page_address(slot->copy[i].page);
	void *theirs = kmap_local_page(seg_page(slot, i));

	if (out)
		memcpy(ours + seg->offset, theirs + seg->offset, seg->len);
	else
		memcpy(theirs + seg->offset, ours + seg->offset, seg->len);
	kunmap_local(theirs);
}

/* A page that was used before holds somebody else's data: not for strangers. */
static void copy_out(struct vbd_queue *q, struct vbd_slot *slot, bool write)
{
	u32 i;

	for (i = 0; i < slot->segs; i++) {
		if (!slot->copy[i].page)
			continue;
		if (!q->vbd->trusted &&
		    (!write || slot->seg[i].len < PAGE_SIZE))
			clear_page(page_address(slot->copy[i].page));
		if (write)
			copy_seg(slot, i, true);
	}
}

static void copy_in(struct vbd_slot *slot)
{
	u32 i;

	for (i = 0; i < slot->segs; i++)
		if (slot->copy[i].page)
			copy_seg(slot, i, false);
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

static void grant(struct vbd_queue *q, struct vbd_slot *slot, bool write)
{
	struct page *page;
	u32 i;

	for (i = 0; i < slot->segs; i++) {
		page = slot->copy[i].page ?: seg_page(slot, i);
		xpv_gnt_grant(slot->ref[i], q->vbd->xd->otherend_id, page, write);
	}
}

/**
 * vbd_slot_load() - make a slot carry a read or a write
 * @q: the queue
 * @slot: the request's slot
 * @rq: the request; if it is too large the slot carries its beginning
 *
 * Return: BLK_STS_OK with the data granted; BLK_STS_DEV_RESOURCE, BLK_STS_RESOURCE:
 * no reference or no page is free, it comes again by itself; BLK_STS_IOERR: a
 * request that does not consist of whole sectors. The slot is empty unless it is OK.
 */
blk_status_t vbd_slot_load(struct vbd_queue *q, struct vbd_slot *slot,
			   struct request *rq)
{
	bool write = rq_data_dir(rq) == WRITE;
	blk_status_t status = BLK_STS_IOERR;

	if (plan(q, slot, rq))
		status = take_what_it_needs(q, slot);
	if (status) {
		slot->segs = 0;
		return status;
	}
	if (slot->copied)
		copy_out(q, slot, write);
	if (!q->vbd->persistent)
		grant(q, slot, write);
	return BLK_STS_OK;
}

/**
 * vbd_slot_end_grants() - let no one map the pages of a slot any more
 * @q: the queue
 * @slot: slot that the backend is not answering any more
 *
 * May be called again and again; vbd_slot_unload() follows. Any context.
 *
 * Return: false if the backend still has one of them mapped.
 */
bool vbd_slot_end_grants(const struct vbd_queue *q, const struct vbd_slot *slot)
{
	bool ok = true;
	u32 i;

	for (i = 0; !q->vbd->persistent && i < slot->segs; i++)
		ok &= xpv_gnt_revoke(slot->ref[i]);
	return ok;
}

/* Return: false if a page is still mapped: it is parked, its reference lost. */
static bool revoke(struct vbd_queue *q, struct vbd_slot *slot)
{
	unsigned long flags;
	struct page *page;
	bool ok = true;
	u32 i;

	for (i = 0; i < slot->segs; i++) {
		if (likely(xpv_gnt_revoke(slot->ref[i])))
			continue;
		ok = false;
		page = slot->copy[i].page;
		if (!page) {
			page = seg_page(slot, i);
			get_page(page);
		} else {
			spin_lock_irqsave(&q->lock, flags);
			vbd_pool_lost(q);
			spin_unlock_irqrestore(&q->lock, flags);
		}
		xpv_gnt_park(slot->ref[i], page);
		slot->ref[i] = XPV_GNT_NONE;
		slot->copy[i].page = NULL;
	}
	return ok;
}

/**
 * vbd_slot_unload() - take back what a slot carries; the slot is empty then
 * @q: the queue
 * @slot: slot that the backend does not own any more
 * @copy: it carried a read that went well: copy its data
 *
 * Any context.
 *
 * Return: true; false if the backend still has a page mapped, which is parked.
 * The data must not be believed then, and the slot lacks references: the caller
 * breaks the device.
 */
bool vbd_slot_unload(struct vbd_queue *q, struct vbd_slot *slot, bool copy)
{
	bool ok = q->vbd->persistent || revoke(q, slot);

	if (slot->copied && copy && ok)
		copy_in(slot);
	give_back(q, slot);
	slot->segs = 0;
	return ok;
}
