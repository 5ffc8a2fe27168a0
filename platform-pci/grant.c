// SPDX-License-Identifier: GPL-2.0
/*
 * Grant references: claimed in bulk, granted and revoked without a lock.
 *
 * The table (frames.c) is version 1: eight bytes an entry, which we and Xen
 * change with atomic operations on its flags. Beside each frame of it lies a
 * chunk of bookkeeping, one struct gnt_slot a reference: it links the free list,
 * and, for a page that its backend will not let go, the parked list. So parking
 * needs no memory and cannot fail.
 *
 * Life: start takes over the table as the last kernel left it. References that
 * some domain still has mapped are parked without a page and come back when the
 * domain lets go. stop leaves what is still parked to its backend: page and
 * reference are lost to this guest until it restarts, and that is said.
 * Locks: claim_lock guards both lists and may be taken in any context; grow_lock
 * is the mutex of the one that makes the table larger.
 * Trust: the other domain changes the flags of an entry only through Xen. One that
 * lets go of nothing gets no more pages, so what it can make us lose is bounded.
 */
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/sync_bitops.h>
#include <xen/interface/grant_table.h>
#include <xenpv/grant.h>

#include "internal.h"

#define REFS_PER_FRAME	(PAGE_SIZE / sizeof(struct grant_entry_v1))
/* Xen's toolstack keeps the first ones: console, xenstore and friends. */
#define REFS_RESERVED	8
/* Parked pages looked at a second: bounded work, whatever a backend holds. */
#define PARKED_PER_TICK	256
#define PARKED_TICK	HZ
/* More than these, and a domain gets no new ones. */
#define PARKED_MAX	4096
/* At unload, wait this many times 20 ms for backends that are just closing. */
#define PARKED_LAST_TRIES	50

static_assert(sizeof(struct grant_entry_v1) == 8);

struct gnt_slot {
	grant_ref_t next;
	struct page *page;	/* parked: to be put; NULL when only the ref is */
};

static struct gnt_slot **chunks;	/* one a frame of the table */
static unsigned int nr_chunks;

static DEFINE_SPINLOCK(claim_lock);
static DEFINE_MUTEX(grow_lock);
static grant_ref_t free_head;
static unsigned int nr_free;
static grant_ref_t parked_head, parked_tail;
static unsigned int nr_parked;

static void parked_retry(struct work_struct *work);
static DECLARE_DELAYED_WORK(parked_work, parked_retry);

static struct gnt_slot *slot_of(grant_ref_t ref)
{
	return &chunks[ref / REFS_PER_FRAME][ref % REFS_PER_FRAME];
}

static struct grant_entry_v1 *entry_of(grant_ref_t ref)
{
	return (struct grant_entry_v1 *)xpv_frames.grant + ref;
}

/* claim_lock held */
static void push_free(grant_ref_t ref)
{
	slot_of(ref)->next = free_head;
	free_head = ref;
	nr_free++;
}

/* claim_lock held */
static void push_parked(grant_ref_t ref, struct page *page)
{
	slot_of(ref)->next = 0;
	slot_of(ref)->page = page;
	if (nr_parked++)
		slot_of(parked_tail)->next = ref;
	else
		parked_head = ref;
	parked_tail = ref;
}

/* claim_lock held, the list not empty */
static grant_ref_t pop_parked(struct page **page)
{
	grant_ref_t ref = parked_head;

	*page = slot_of(ref)->page;
	parked_head = slot_of(ref)->next;
	nr_parked--;
	return ref;
}

/*
 * Take over one more frame of the table: references that are idle become free,
 * those that a domain still maps are parked.
 */
static int adopt_frame(unsigned int frame)
{
	grant_ref_t ref = frame * REFS_PER_FRAME;
	grant_ref_t end = ref + REFS_PER_FRAME;
	unsigned long flags;

	chunks[frame] = kvcalloc(REFS_PER_FRAME, sizeof(struct gnt_slot),
				 GFP_KERNEL);
	if (!chunks[frame])
		return -ENOMEM;
	if (!frame)
		ref = REFS_RESERVED;
	spin_lock_irqsave(&claim_lock, flags);
	/* From the end, so that low references are claimed first. */
	while (end-- > ref) {
		if (xpv_gnt_revoke(end))
			push_free(end);
		else
			push_parked(end, NULL);
	}
	spin_unlock_irqrestore(&claim_lock, flags);
	return 0;
}

/* Make the table hold @n more free references than it has frames for. */
static int grow(unsigned int n)
{
	int err = 0;

	mutex_lock(&grow_lock);
	while (!err && READ_ONCE(nr_free) < n) {
		if (nr_chunks == xpv_frames.grant_now)
			err = xpv_frames_grow_grant();
		if (!err)
			err = adopt_frame(nr_chunks);
		if (!err)
			nr_chunks++;
	}
	mutex_unlock(&grow_lock);
	return err;
}

static bool take(unsigned int n, grant_ref_t *refs)
{
	unsigned long flags;
	unsigned int i;
	bool enough;

	spin_lock_irqsave(&claim_lock, flags);
	enough = nr_free >= n;
	for (i = 0; enough && i < n; i++) {
		refs[i] = free_head;
		free_head = slot_of(free_head)->next;
		nr_free--;
	}
	spin_unlock_irqrestore(&claim_lock, flags);
	return enough;
}

int xpv_gnt_claim(unsigned int n, grant_ref_t *refs)
{
	int err;

	/* Somebody else may take what was grown: then grow again. */
	while (!take(n, refs)) {
		err = grow(n);
		if (err) {
			memset(refs, 0, n * sizeof(*refs));
			return err;
		}
	}
	return 0;
}
EXPORT_SYMBOL_GPL(xpv_gnt_claim);

bool xpv_gnt_plenty(void)
{
	unsigned int all = xpv_frames.grant_max * REFS_PER_FRAME;
	unsigned int claimed = READ_ONCE(nr_chunks) * REFS_PER_FRAME -
			       READ_ONCE(nr_free);

	return claimed < all - all / 4;
}
EXPORT_SYMBOL_GPL(xpv_gnt_plenty);

void xpv_gnt_release(unsigned int n, grant_ref_t *refs)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&claim_lock, flags);
	for (i = 0; i < n; i++) {
		if (refs[i] != XPV_GNT_NONE)
			push_free(refs[i]);
		refs[i] = XPV_GNT_NONE;
	}
	spin_unlock_irqrestore(&claim_lock, flags);
}
EXPORT_SYMBOL_GPL(xpv_gnt_release);

void xpv_gnt_grant(grant_ref_t ref, domid_t domid, struct page *page,
		   bool readonly)
{
	struct grant_entry_v1 *entry = entry_of(ref);

	entry->domid = domid;
	entry->frame = page_to_pfn(page);
	/* The entry is whole before Xen may use it. */
	virt_wmb();
	WRITE_ONCE(entry->flags,
		   GTF_permit_access | (readonly ? GTF_readonly : 0));
}
EXPORT_SYMBOL_GPL(xpv_gnt_grant);

bool xpv_gnt_revoke(grant_ref_t ref)
{
	struct grant_entry_v1 *entry = entry_of(ref);
	u16 seen = READ_ONCE(entry->flags);
	u16 was;

	/* Xen sets reading and writing in the same word: compare and swap. */
	do {
		if (seen & (GTF_reading | GTF_writing))
			return false;
		was = seen;
		seen = sync_cmpxchg(&entry->flags, was, 0);
	} while (seen != was);
	return true;
}
EXPORT_SYMBOL_GPL(xpv_gnt_revoke);

void xpv_gnt_park(grant_ref_t ref, struct page *page)
{
	unsigned long flags;

	spin_lock_irqsave(&claim_lock, flags);
	push_parked(ref, page);
	spin_unlock_irqrestore(&claim_lock, flags);
	schedule_delayed_work(&parked_work, PARKED_TICK);
}
EXPORT_SYMBOL_GPL(xpv_gnt_park);

bool xpv_gnt_end(grant_ref_t ref, struct page *page)
{
	if (ref == XPV_GNT_NONE)
		return true;
	if (!xpv_gnt_revoke(ref)) {
		xpv_gnt_park(ref, page);
		return false;
	}
	xpv_gnt_release(1, &ref);
	put_page(page);
	return true;
}
EXPORT_SYMBOL_GPL(xpv_gnt_end);

unsigned int xpv_gnt_parked(void)
{
	return READ_ONCE(nr_parked);
}
EXPORT_SYMBOL_GPL(xpv_gnt_parked);

/* Try the oldest parked ones again; those still held go to the end. */
static unsigned int retry_parked(unsigned int budget)
{
	unsigned long flags;
	unsigned int left;
	struct page *page;
	grant_ref_t ref;

	spin_lock_irqsave(&claim_lock, flags);
	for (budget = min(budget, nr_parked); budget; budget--) {
		ref = pop_parked(&page);
		if (!xpv_gnt_revoke(ref)) {
			push_parked(ref, page);
			continue;
		}
		push_free(ref);
		if (page)
			put_page(page);
	}
	left = nr_parked;
	spin_unlock_irqrestore(&claim_lock, flags);
	return left;
}

/* Pages, that is: a reference that an earlier kernel gave costs us nothing. */
static unsigned int parked_by(domid_t domid)
{
	unsigned int pages = 0, left;
	unsigned long flags;
	grant_ref_t ref;

	spin_lock_irqsave(&claim_lock, flags);
	ref = parked_head;
	for (left = nr_parked; left; left--) {
		if (slot_of(ref)->page && entry_of(ref)->domid == domid)
			pages++;
		ref = slot_of(ref)->next;
	}
	spin_unlock_irqrestore(&claim_lock, flags);
	return pages;
}

bool xpv_gnt_tolerates(domid_t domid)
{
	unsigned int parked = READ_ONCE(nr_parked);
	unsigned int tried;

	if (parked <= PARKED_MAX)
		return true;
	/* It may have let go just now. */
	for (tried = 0; tried < parked; tried += PARKED_PER_TICK)
		retry_parked(PARKED_PER_TICK);
	return parked_by(domid) <= PARKED_MAX;
}

static void parked_retry(struct work_struct *work)
{
	if (retry_parked(PARKED_PER_TICK))
		schedule_delayed_work(&parked_work, PARKED_TICK);
}

int xpv_gnt_start(void)
{
	unsigned int n = xpv_frames.grant_now;
	int err = 0;

	free_head = 0;
	nr_free = 0;
	nr_parked = 0;
	nr_chunks = 0;
	chunks = kvcalloc(xpv_frames.grant_max, sizeof(*chunks), GFP_KERNEL);
	if (!chunks)
		return -ENOMEM;
	while (!err && nr_chunks < n) {
		err = adopt_frame(nr_chunks);
		if (!err)
			nr_chunks++;
	}
	if (err) {
		xpv_gnt_stop();
		return err;
	}
	if (nr_parked) {
		pr_info("%u grants of an earlier kernel are still in use\n",
			nr_parked);
		schedule_delayed_work(&parked_work, PARKED_TICK);
	}
	return 0;
}

void xpv_gnt_stop(void)
{
	unsigned int tries = PARKED_LAST_TRIES;

	cancel_delayed_work_sync(&parked_work);
	while (retry_parked(nr_parked) && tries--)
		msleep(20);
	if (nr_parked)
		pr_warn("%u pages are still held by backends and lost until the guest restarts\n",
			nr_parked);
	while (nr_chunks)
		kvfree(chunks[--nr_chunks]);
	kvfree(chunks);
	chunks = NULL;
}
