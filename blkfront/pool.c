// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that data are copied through, instead of granting the user's own page.
 *
 * Three reasons to copy, in falling order of how many pages that takes:
 *	persistent	the backend keeps what it was granted mapped, and wants the same
 *			pages again and again: they have standing grants
 *	not trusted	it must not see what lies beside the bytes of a request
 *	not kept	memory of the slab allocator and frozen pages have no reference
 *			count of their own, so if the backend held on to one of them
 *			there would be no way to keep it from being used again
 *
 * The pool is bounded. It begins with as many pages as let every request go on when
 * nothing else is under way, grows when a request has found it empty and references
 * are plenty, and gives back what nobody has missed for a while. A page with a
 * standing grant goes only when the backend has let go of it.
 *
 * Life: vbd_pool_create() at connect, vbd_pool_destroy() when no page is in use.
 * Locks: the queue's lock, held by the callers of take, give and lost.
 * Trust: a standing grant is one that the backend may use at any time: data are
 * copied out of such a page after the answer, and never looked at there.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "vbd.h"

/* What blkback keeps mapped for a ring unless told otherwise. */
#define MAX_PAGES	1056U
/* So many more at a time. */
#define GROW_BY		64U
/* So often it is looked at whether pages are not needed. */
#define SHRINK_EVERY	(10 * HZ)

static int make_page(struct vbd_queue *q, struct vbd_page *page)
{
	struct vbd *vbd = q->vbd;
	int err;

	page->ref = XPV_GNT_NONE;
	page->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page->page)
		return -ENOMEM;
	if (!vbd->persistent)
		return 0;
	err = xpv_gnt_claim(1, &page->ref);
	if (err) {
		put_page(page->page);
		return err;
	}
	xpv_gnt_grant(page->ref, vbd->xd->otherend_id, page->page, false);
	return 0;
}

static void drop_page(struct vbd_page *page)
{
	if (page->ref == XPV_GNT_NONE)
		put_page(page->page);
	else
		xpv_gnt_end(page->ref, page->page);
}

/* Return: false if the backend has the page mapped. */
static bool let_go(struct vbd_page *page)
{
	if (page->ref != XPV_GNT_NONE) {
		if (!xpv_gnt_revoke(page->ref))
			return false;
		xpv_gnt_release(1, &page->ref);
	}
	put_page(page->page);
	return true;
}

static int grow(struct vbd_queue *q, u32 n)
{
	struct vbd_pool *pool = &q->pool;
	struct vbd_page page;
	unsigned long flags;
	int err = 0;

	while (n-- && pool->total < pool->max) {
		err = make_page(q, &page);
		if (err)
			break;
		spin_lock_irqsave(&q->lock, flags);
		pool->total++;
		pool->page[pool->free++] = page;
		spin_unlock_irqrestore(&q->lock, flags);
	}
	return err;
}

/* Take the coldest page out. Return: false if there is none to spare. */
static bool take_coldest(struct vbd_queue *q, struct vbd_page *page)
{
	struct vbd_pool *pool = &q->pool;
	unsigned long flags;
	bool spare;

	spin_lock_irqsave(&q->lock, flags);
	spare = pool->free && pool->low && pool->total > pool->min;
	if (spare) {
		*page = pool->page[0];
		pool->page[0] = pool->page[--pool->free];
		pool->low--;
		pool->total--;
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return spare;
}

static void shrink(struct vbd_queue *q)
{
	struct vbd_pool *pool = &q->pool;
	struct vbd_page page;
	unsigned long flags;

	while (take_coldest(q, &page)) {
		if (let_go(&page))
			continue;
		spin_lock_irqsave(&q->lock, flags);
		pool->total++;
		pool->page[pool->free++] = page;
		spin_unlock_irqrestore(&q->lock, flags);
		break;
	}
	spin_lock_irqsave(&q->lock, flags);
	pool->low = pool->free;
	spin_unlock_irqrestore(&q->lock, flags);
}

static void pool_work(struct work_struct *work)
{
	struct vbd_pool *pool = container_of(to_delayed_work(work),
					     struct vbd_pool, work);
	unsigned int noio = memalloc_noio_save();

	if (!xchg(&pool->wanted, false))
		shrink(pool->q);
	else if (!pool->q->vbd->persistent || xpv_gnt_plenty())
		grow(pool->q, GROW_BY);
	memalloc_noio_restore(noio);
	if (pool->total > pool->min)
		schedule_delayed_work(&pool->work, SHRINK_EVERY);
}

/**
 * vbd_pool_create() - make a pool for what the connection needs
 * @q: queue; its depth and max_segs are known
 *
 * Return: 0; -ENOMEM; -ENOSPC when the grant table is full. Nothing is left then.
 */
int vbd_pool_create(struct vbd_queue *q)
{
	bool always = q->vbd->persistent || !q->vbd->trusted;
	struct vbd_pool *pool = &q->pool;
	int err;

	memset(pool, 0, sizeof(*pool));
	INIT_DELAYED_WORK(&pool->work, pool_work);
	pool->q = q;
	pool->min = q->max_segs + (always ? q->depth : 0);
	pool->max = pool->min;
	if (always)
		pool->max = max(pool->min,
				min(q->depth * q->max_segs, MAX_PAGES));
	pool->page = kvcalloc(pool->max, sizeof(*pool->page), GFP_KERNEL);
	if (!pool->page)
		return -ENOMEM;
	err = grow(q, pool->min);
	if (err)
		vbd_pool_destroy(q);
	return err;
}

/**
 * vbd_pool_destroy() - give the pages back, or park them
 * @q: queue without requests; its pool may not exist
 */
void vbd_pool_destroy(struct vbd_queue *q)
{
	struct vbd_pool *pool = &q->pool;

	if (!pool->page)
		return;
	cancel_delayed_work_sync(&pool->work);
	while (pool->free)
		drop_page(&pool->page[--pool->free]);
	kvfree(pool->page);
	pool->page = NULL;
	pool->total = 0;
}

/**
 * vbd_pool_take() - take a page for a request
 * @q: the queue, locked
 * @page: set
 *
 * Return: false if there is none.
 */
bool vbd_pool_take(struct vbd_queue *q, struct vbd_page *page)
{
	struct vbd_pool *pool = &q->pool;

	if (!pool->free)
		return false;
	*page = pool->page[--pool->free];
	if (pool->free < pool->low)
		pool->low = pool->free;
	return true;
}

/**
 * vbd_pool_give() - give it back
 * @q: the queue, locked
 * @page: from vbd_pool_take()
 */
void vbd_pool_give(struct vbd_queue *q, const struct vbd_page *page)
{
	q->pool.page[q->pool.free++] = *page;
}

/**
 * vbd_pool_lost() - a page that was taken does not come back: it is parked
 * @q: the queue, locked
 */
void vbd_pool_lost(struct vbd_queue *q)
{
	q->pool.total--;
}

/**
 * vbd_pool_want() - a request has found the pool empty
 * @q: the queue
 *
 * Any context.
 */
void vbd_pool_want(struct vbd_queue *q)
{
	struct vbd_pool *pool = &q->pool;

	if (READ_ONCE(pool->total) == pool->max)
		return;
	WRITE_ONCE(pool->wanted, true);
	mod_delayed_work(system_wq, &pool->work, 0);
}
