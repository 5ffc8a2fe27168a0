/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A front ring: requests out, responses in, over pages a backend can write.
 *
 * This header is the only code that touches a shared ring. It is pure: no
 * locks, no allocation, no kernel types but fixed-width integers; the unit tests
 * compile it as it stands.
 *
 * Invariants
 *   - req_prod_pvt - rsp_cons <= slots. Only our private indices are believed.
 *   - A shared index is read once a pass (xpv_ring_unconsumed()).
 *   - A request is written whole and never read back; a response is copied once,
 *     and only the copy is looked at.
 *
 * A ring has one producer and one consumer at a time; the owner's locks see to
 * that. The producer and the consumer side may run at the same time: each reads what
 * the other has done, in xpv_ring_free(), xpv_ring_unconsumed() and xpv_ring_due().
 */
#ifndef XENPV_RING_H
#define XENPV_RING_H

#include <linux/types.h>
#include <linux/errno.h>
#include <linux/compiler.h>
#include <linux/string.h>
#include <asm/barrier.h>

/* Head of a shared ring as <xen/interface/io/ring.h> lays it out. */
struct xpv_sring {
	u32 req_prod, req_event;
	u32 rsp_prod, rsp_event;
	u8 reserved[48];
	u8 slot[];
};

/**
 * struct xpv_ring - our side of one ring
 * @shared: the shared pages, virtually contiguous
 * @slots: number of slots, a power of two
 * @slot_size: bytes a slot; requests and responses share it
 * @req_prod_pvt: index behind the last request written
 * @req_prod_seen: index behind the last request published
 * @rsp_cons: index of the next response
 */
struct xpv_ring {
	struct xpv_sring *shared;
	u32 slots;
	u32 slot_size;
	u32 req_prod_pvt;
	u32 req_prod_seen;
	u32 rsp_cons;
};

/**
 * xpv_ring_slots() - how many slots fit
 * @bytes: size of the shared pages
 * @slot_size: bytes a slot
 *
 * Return: the largest power of two that fits behind the head.
 */
static inline u32 xpv_ring_slots(u32 bytes, u32 slot_size)
{
	u32 n = (bytes - sizeof(struct xpv_sring)) / slot_size;

	while (n & (n - 1))
		n &= n - 1;
	return n;
}

/**
 * xpv_ring_init() - lay out an empty ring; the backend must not see it yet
 * @ring: filled in
 * @pages: shared pages, virtually contiguous
 * @bytes: their size
 * @slot_size: bytes a slot
 */
static inline void xpv_ring_init(struct xpv_ring *ring, void *pages, u32 bytes,
				 u32 slot_size)
{
	memset(pages, 0, bytes);
	ring->shared = pages;
	ring->slots = xpv_ring_slots(bytes, slot_size);
	ring->slot_size = slot_size;
	ring->req_prod_pvt = 0;
	ring->req_prod_seen = 0;
	ring->rsp_cons = 0;
	ring->shared->req_event = 1;
	ring->shared->rsp_event = 1;
}

/**
 * xpv_ring_free() - slots that a new request may take
 * @ring: the ring
 */
static inline u32 xpv_ring_free(const struct xpv_ring *ring)
{
	return ring->slots - (ring->req_prod_pvt - READ_ONCE(ring->rsp_cons));
}

/**
 * xpv_ring_due() - requests that the backend may see and has not answered, or whose
 * answers were not taken
 * @ring: the ring
 */
static inline u32 xpv_ring_due(const struct xpv_ring *ring)
{
	return READ_ONCE(ring->req_prod_seen) - READ_ONCE(ring->rsp_cons);
}

/**
 * xpv_ring_put() - write one request; the backend sees it after a push
 * @ring: a ring with a free slot (xpv_ring_free())
 * @req: the request
 * @size: its size, at most the slot's
 *
 * Return: the request's index on the ring.
 */
static inline u32 xpv_ring_put(struct xpv_ring *ring, const void *req, u32 size)
{
	u32 index = ring->req_prod_pvt;

	memcpy(ring->shared->slot +
	       (size_t)(index & (ring->slots - 1)) * ring->slot_size, req, size);
	ring->req_prod_pvt = index + 1;
	return index;
}

/**
 * xpv_ring_push() - publish what was written since the last push
 * @ring: the ring
 *
 * Return: true if the backend asked to be notified of one of the requests.
 */
static inline bool xpv_ring_push(struct xpv_ring *ring)
{
	u32 old = ring->req_prod_seen;
	u32 new = ring->req_prod_pvt;

	if (new == old)
		return false;
	/* First ours: an answer may come, and be checked, before this returns. */
	WRITE_ONCE(ring->req_prod_seen, new);
	/* Requests before the index; pairs with the backend's rmb after req_prod. */
	virt_wmb();
	WRITE_ONCE(ring->shared->req_prod, new);
	/*
	 * Index before the look at req_event; pairs with the backend's mb between
	 * its req_event and its last look at req_prod.
	 */
	virt_mb();
	return (u32)(new - READ_ONCE(ring->shared->req_event)) < (u32)(new - old);
}

/**
 * xpv_ring_unconsumed() - look once how many responses wait
 * @ring: the ring
 *
 * The count is checked against what was asked, so a lie is found here. Responses
 * up to it may be copied afterwards.
 *
 * Return: number of responses, or -EPROTO if the backend claims answers to
 * requests that were never made.
 */
static inline int xpv_ring_unconsumed(const struct xpv_ring *ring)
{
	u32 cons = ring->rsp_cons;
	u32 n = READ_ONCE(ring->shared->rsp_prod) - cons;

	/* Index before the bodies; pairs with the backend's wmb before rsp_prod. */
	virt_rmb();
	return n <= (u32)(READ_ONCE(ring->req_prod_seen) - cons) ? (int)n : -EPROTO;
}

/**
 * xpv_ring_get() - copy the next response and step over it
 * @ring: a ring whose xpv_ring_unconsumed() said that there is one
 * @rsp: private copy, the only one to be looked at
 * @size: its size, at most the slot's
 *
 * Return: the response's index on the ring.
 */
static inline u32 xpv_ring_get(struct xpv_ring *ring, void *rsp, u32 size)
{
	u32 index = ring->rsp_cons;

	memcpy(rsp, ring->shared->slot +
	       (size_t)(index & (ring->slots - 1)) * ring->slot_size, size);
	/* The copy is made once: keep the compiler from reading the slot again. */
	barrier();
	WRITE_ONCE(ring->rsp_cons, index + 1);
	return index;
}

/**
 * xpv_ring_rearm() - ask for an event, and look once more
 * @ring: the ring
 * @after: the event comes with this response from now on; 1 is the next one
 *
 * Return: as xpv_ring_unconsumed(): what came before the wish was seen and will
 * raise no event.
 */
static inline int xpv_ring_rearm(struct xpv_ring *ring, u32 after)
{
	WRITE_ONCE(ring->shared->rsp_event, ring->rsp_cons + after);
	/*
	 * Wish before the last look; pairs with the backend's mb between rsp_prod
	 * and its look at rsp_event.
	 */
	virt_mb();
	return xpv_ring_unconsumed(ring);
}

/**
 * xpv_ring_defer() - let the event that was asked for come later
 * @ring: the ring
 * @after: the event comes with this response; later than was asked for before
 *
 * The consumer's side. No second look is needed: the backend has not passed the new
 * place, and whatever it saw of the old one brings an event the earlier. Behind the last
 * response that is due, it comes when more was asked of the backend, if ever.
 */
static inline void xpv_ring_defer(struct xpv_ring *ring, u32 after)
{
	WRITE_ONCE(ring->shared->rsp_event, ring->rsp_cons + after);
}

#endif /* XENPV_RING_H */
