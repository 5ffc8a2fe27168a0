// SPDX-License-Identifier: GPL-2.0
/*
 * Receive: buffers out, answers in, packets up.
 *
 * Buffers are pages of a page pool, one a slot. Each answer is copied, its page is
 * taken back, and both go to the parser (wire.c). When it says that the packet is
 * whole, an skb is built: headers, or all of a small packet, are copied, the rest
 * stays in its pages. Pages that the stack is done with come back to the pool.
 *
 * Life: vnif_rx_create() fills the ring before the backend knows it; the poll keeps
 * it full. Without memory for buffers a timer tries again, since an empty ring
 * brings no event. What the ring and the parser hold at the end goes back.
 * Locks: the poll function runs once at a time and owns struct vnif_rx; create and
 * destroy run while it is disabled.
 * Trust: a page is looked at only after the backend has let it go; a backend that
 * has not, breaks the device. Lengths are checked by the parser, headers by the
 * kernel's own parsers, and GSO packets are marked as dubious so that they are
 * looked at again where it matters.
 */
#include <linux/mm.h>
#include <linux/tcp.h>

#include "trace.h"
#include "vnif.h"

/* Packets up to this size are copied; of others, at most so much of the headers. */
#define COPY_MAX	256u
/* How long to wait for memory when no buffer could be posted. */
#define RETRY_DELAY	(HZ / 10)

/* Give a buffer that is ours back to the pool; @direct from the poll only. */
static void put_buffer(struct vnif_rx *rx, struct page *page, bool direct)
{
	page_pool_put_full_page(rx->pool, page, direct);
}

/**
 * vnif_rx_put() - give a buffer back, from the poll
 * @rx: the receive side
 * @page: a buffer that nobody else knows of
 */
void vnif_rx_put(struct vnif_rx *rx, struct page *page)
{
	put_buffer(rx, page, true);
}

static void put_pieces(struct vnif_rx *rx, bool direct)
{
	struct vnif_rx_packet *packet = &rx->packet;
	unsigned int i;

	for (i = 0; i < packet->pieces; i++)
		put_buffer(rx, packet->piece[i].page, direct);
	vnif_rx_begin(packet);
}

/* The slot's buffer, or NULL if the backend keeps it: then it is parked. */
static struct page *take_back(struct vnif_rx *rx, struct vnif_rx_slot *slot)
{
	struct page *page = slot->page;

	slot->page = NULL;
	if (xpv_gnt_revoke(slot->ref))
		return page;
	/* A page with a second reference leaves the pool for good. */
	get_page(page);
	put_buffer(rx, page, false);
	xpv_gnt_park(slot->ref, page);
	slot->ref = XPV_GNT_NONE;
	return NULL;
}

/* Post buffers until the ring is full; false if there was no memory for it. */
static bool refill(struct vnif_queue *q, gfp_t gfp)
{
	struct vnif_rx *rx = &q->rx;
	struct xpv_ring *ring = &rx->ring;

	while (xpv_ring_free(ring)) {
		struct xen_netif_rx_request req = {
			.id = ring->req_prod_pvt % VNIF_RING_SLOTS,
		};
		struct vnif_rx_slot *slot = &rx->slot[req.id];
		struct page *page = page_pool_alloc_pages(rx->pool, gfp);

		if (!page)
			return false;
		if (!q->vnif->trusted)
			clear_page(page_address(page));
		xpv_gnt_grant(slot->ref, q->vnif->xd->otherend_id, page, false);
		slot->page = page;
		req.gref = slot->ref;
		xpv_ring_put(ring, &req, sizeof(req));
	}
	return true;
}

/* Post buffers and tell the backend, if it waits for them. */
static void post(struct vnif_queue *q)
{
	struct xpv_ring *ring = &q->rx.ring;

	if (!refill(q, GFP_ATOMIC | __GFP_NOWARN)) {
		vnif_rx_count(q, VNIF_RX_STARVED, 1);
		/* With fewer than a packet may need, no event might ever come. */
		if (ring->slots - xpv_ring_free(ring) <= VNIF_MAX_SLOTS)
			schedule_delayed_work(&q->rx.refill, RETRY_DELAY);
	}
	if (xpv_ring_push(ring)) {
		xpv_evtchn_notify(vnif_rx_port(q));
		vnif_rx_count(q, VNIF_RX_KICKS, 1);
	}
}

/**
 * vnif_rx_retry() - there may be memory again: have the poll look
 * @work: the queue's
 */
void vnif_rx_retry(struct work_struct *work)
{
	struct vnif_queue *q = container_of(to_delayed_work(work),
					    struct vnif_queue, rx.refill);

	vnif_queue_schedule(q);
}

/* How much of a packet is copied out of its pages. */
static unsigned int linear_len(struct vnif_queue *q,
			       const struct vnif_rx_packet *packet)
{
	const struct vnif_rx_piece *first = &packet->piece[0];

	if (packet->len <= COPY_MAX)
		return packet->len;
	/* Pages that an skb has no place for. */
	if (packet->pieces > MAX_SKB_FRAGS)
		return first->len;
	return eth_get_headlen(q->vnif->netdev,
			       page_address(first->page) + first->offset,
			       min_t(unsigned int, first->len, COPY_MAX));
}

/* One skb out of the pieces of a whole packet; NULL without memory. */
static struct sk_buff *build(struct vnif_queue *q)
{
	struct vnif_rx *rx = &q->rx;
	unsigned int copy = linear_len(q, &rx->packet);
	struct sk_buff *skb = napi_alloc_skb(&rx->napi, copy);
	unsigned int i;

	if (!skb) {
		put_pieces(rx, true);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	for (i = 0; i < rx->packet.pieces; i++) {
		struct vnif_rx_piece *piece = &rx->packet.piece[i];
		unsigned int n = min_t(unsigned int, copy, piece->len);
		struct page *page = piece->page;

		if (n)
			skb_put_data(skb, page_address(page) + piece->offset, n);
		copy -= n;
		if (n == piece->len) {
			put_buffer(rx, page, true);
			continue;
		}
		xpv_page_pool_hand_over(rx->pool, page);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page,
				piece->offset + n, piece->len - n, PAGE_SIZE);
	}
	return skb;
}

/*
 * Segments of TCP are what it says, and only if they are: the kernel has checked
 * the headers when it looked for the checksum's place, so its place is evidence.
 */
static bool set_gso(struct sk_buff *skb, const struct vnif_rx_packet *packet)
{
	bool v6 = packet->gso_type == XEN_NETIF_GSO_TYPE_TCPV6;

	if (skb->protocol != (v6 ? htons(ETH_P_IPV6) : htons(ETH_P_IP)) ||
	    skb->csum_offset != offsetof(struct tcphdr, check))
		return false;
	/* No longer than one segment: then it is an ordinary packet. */
	if (skb->len <= packet->gso_size)
		return true;
	skb_shinfo(skb)->gso_size = packet->gso_size;
	skb_shinfo(skb)->gso_type = SKB_GSO_DODGY |
		(v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4);
	skb_shinfo(skb)->gso_segs = 0;
	return true;
}

/* Checksum and segmentation as the first slot says; false: they make no sense. */
static bool set_offloads(struct vnif_queue *q, struct sk_buff *skb,
			 const struct vnif_rx_packet *packet)
{
	bool gso = packet->gso_type != XEN_NETIF_GSO_TYPE_NONE;
	bool blank = packet->flags & XEN_NETRXF_csum_blank;

	if (!gso && !blank) {
		if ((packet->flags & XEN_NETRXF_data_validated) &&
		    (skb->dev->features & NETIF_F_RXCSUM))
			skb->ip_summed = CHECKSUM_UNNECESSARY;
		return true;
	}
	/* Some backends pass segments on whose checksum is that of the whole. */
	if (!blank)
		vnif_rx_count(q, VNIF_RX_FIXED, 1);
	skb->ip_summed = CHECKSUM_PARTIAL;
	if (skb_checksum_setup(skb, !blank))
		return false;
	return !gso || set_gso(skb, packet);
}

static enum pkt_hash_types hash_kind(const struct vnif_rx_packet *packet)
{
	switch (packet->hash_type - 1) {
	case _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP:
	case _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP:
		return PKT_HASH_TYPE_L4;
	default:
		return PKT_HASH_TYPE_L3;
	}
}

static void set_hash(struct vnif_queue *q, struct sk_buff *skb)
{
	const struct vnif_rx_packet *packet = &q->rx.packet;

	if (!packet->hash_type)
		return;
	vnif_rx_count(q, VNIF_RX_HASHED, 1);
	if (skb->dev->features & NETIF_F_RXHASH)
		skb_set_hash(skb, packet->hash, hash_kind(packet));
}

/* Hand a whole packet to the stack. */
static void deliver(struct vnif_queue *q)
{
	struct vnif_rx *rx = &q->rx;
	unsigned int len = rx->packet.len;
	struct sk_buff *skb = build(q);

	if (!skb) {
		vnif_rx_count(q, VNIF_RX_NOMEM, 1);
		return;
	}
	skb->protocol = eth_type_trans(skb, q->vnif->netdev);
	skb_reset_network_header(skb);
	if (!set_offloads(q, skb, &rx->packet)) {
		vnif_rx_count(q, VNIF_RX_CSUM, 1);
		kfree_skb(skb);
	} else {
		vnif_rx_count(q, VNIF_RX_PACKETS, 1);
		vnif_rx_count(q, VNIF_RX_BYTES, len);
		skb_record_rx_queue(skb, q->index);
		set_hash(q, skb);
		trace_vnif_rx(q, len, rx->packet.pieces);
		napi_gro_receive(&rx->napi, skb);
	}
	vnif_rx_begin(&rx->packet);
}

/* A whole packet: the XDP program's first, if there is one. */
static void take_packet(struct vnif_queue *q)
{
	struct bpf_prog *prog;
	bool pass = true;

	rcu_read_lock();
	prog = rcu_dereference(q->vnif->prog);
	if (prog)
		pass = vnif_xdp_filter(q, prog);
	rcu_read_unlock();
	if (pass)
		deliver(q);
	else
		vnif_rx_begin(&q->rx.packet);
}

/* Take one answer; false if it is a lie. */
static bool take_answer(struct vnif_queue *q, int *packets)
{
	struct vnif_rx *rx = &q->rx;
	enum vnif_rx_verdict verdict;
	union vnif_rx_answer answer;
	struct page *page;
	bool kept;
	u16 slot;

	slot = xpv_ring_get(&rx->ring, &answer, sizeof(answer)) %
	       VNIF_RING_SLOTS;
	page = take_back(rx, &rx->slot[slot]);
	if (!page) {
		vnif_broken(q->vnif,
			    "receive: buffer is still mapped after its answer");
		return false;
	}
	verdict = vnif_rx_feed(&rx->packet, slot, &answer, &q->vnif->terms,
			       page, &kept);
	if (!kept)
		put_buffer(rx, page, true);
	switch (verdict) {
	case VNIF_RX_LIE:
		vnif_broken(q->vnif,
			    "receive: answer to a request that it does not have");
		return false;
	case VNIF_RX_MORE:
		return true;
	case VNIF_RX_WHOLE:
		take_packet(q);
		break;
	case VNIF_RX_BAD:
		vnif_rx_count(q, VNIF_RX_FAULT + rx->packet.fault - 1, 1);
		put_pieces(rx, true);
		break;
	}
	++*packets;
	return true;
}

/*
 * Take answers for up to @budget packets. No buffer is posted meanwhile, so a ring
 * full of answers is the end of it. Return: number of packets.
 */
static int reap(struct vnif_queue *q, int budget)
{
	int n, packets = 0;

	while (packets < budget) {
		n = xpv_ring_unconsumed(&q->rx.ring);
		if (n < 0)
			vnif_broken(q->vnif,
				    "receive: answers to requests that were never made");
		if (n <= 0)
			break;
		while (n-- && packets < budget) {
			if (!take_answer(q, &packets))
				return packets;
		}
	}
	return packets;
}

/**
 * vnif_rx_poll() - NAPI: take answers, hand up packets, post buffers
 * @napi: the queue's
 * @budget: packets; 0 from netpoll, which wants to transmit only
 */
int vnif_rx_poll(struct napi_struct *napi, int budget)
{
	struct vnif_queue *q = container_of(napi, struct vnif_queue, rx.napi);
	struct vnif *vnif = q->vnif;
	struct vnif_rx *rx = &q->rx;
	int packets = 0;

	if (!budget)
		return 0;
	if (READ_ONCE(rx->missed)) {
		WRITE_ONCE(rx->missed, false);
		vnif_rx_count(q, VNIF_RX_MISSED, 1);
	}
	if (!READ_ONCE(vnif->broken))
		packets = reap(q, budget);
	vnif_xdp_flush(q);
	if (!READ_ONCE(vnif->broken))
		post(q);
	if (packets == budget)
		return budget;
	/* A lie that shows only now is found in the next round. */
	if (!READ_ONCE(vnif->broken) && xpv_ring_rearm(&rx->ring, 1))
		return budget;
	napi_complete_done(napi, packets);
	return packets;
}

/**
 * vnif_rx_forgotten() - do packets lie on the ring that lay there before?
 * @q: a queue that is up; one caller at a time, about once a second
 *
 * The event got lost; the poll is due.
 */
bool vnif_rx_forgotten(struct vnif_queue *q)
{
	struct vnif_rx *rx = &q->rx;
	u32 taken = READ_ONCE(rx->ring.rsp_cons);
	bool same = rx->looked == taken;

	rx->looked = taken;
	if (!same || !xpv_ring_unconsumed(&rx->ring) ||
	    test_bit(NAPI_STATE_SCHED, &rx->napi.state))
		return false;
	WRITE_ONCE(rx->missed, true);
	return true;
}

/**
 * vnif_rx_event() - an event may be for the receive side
 * @q: the queue
 */
bool vnif_rx_event(struct vnif_queue *q)
{
	if (!xpv_ring_unconsumed(&q->rx.ring))
		return false;
	napi_schedule(&q->rx.napi);
	return true;
}

/**
 * vnif_rx_create() - a ring full of buffers
 * @q: the queue
 *
 * Return: 0, or -errno and vnif_rx_destroy() is due.
 */
int vnif_rx_create(struct vnif_queue *q)
{
	struct page_pool_params params = {
		.pool_size = VNIF_RING_SLOTS,
		.nid = NUMA_NO_NODE,
	};
	struct vnif_rx *rx = &q->rx;
	struct page_pool *pool;
	unsigned int i;
	int err;

	pool = page_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	rx->pool = pool;
	rx->looked = 0;
	vnif_rx_begin(&rx->packet);
	err = vnif_xdp_create(q);
	if (err)
		return err;
	err = vnif_page_create(q->vnif->xd->otherend_id, false, &rx->ring_page, &rx->ring_ref);
	if (err)
		return err;
	xpv_ring_init(&rx->ring, page_address(rx->ring_page), VNIF_PAGE,
		      sizeof(struct xen_netif_rx_request));
	rx->slot = kvcalloc(VNIF_RING_SLOTS, sizeof(*rx->slot), GFP_KERNEL);
	if (!rx->slot)
		return -ENOMEM;
	for (i = 0; i < VNIF_RING_SLOTS && !err; i++)
		err = xpv_gnt_claim(1, &rx->slot[i].ref);
	if (err)
		return err;
	if (!refill(q, GFP_KERNEL))
		return -ENOMEM;
	/* Nobody is there yet who could wait for an event. */
	xpv_ring_push(&rx->ring);
	return 0;
}

/**
 * vnif_rx_destroy() - take back everything, also of a half-made ring
 * @q: a stopped queue with closed ports
 */
void vnif_rx_destroy(struct vnif_queue *q)
{
	struct vnif_rx *rx = &q->rx;
	unsigned int i;

	for (i = 0; rx->slot && i < VNIF_RING_SLOTS; i++) {
		struct vnif_rx_slot *slot = &rx->slot[i];
		struct page *page = slot->page ? take_back(rx, slot) : NULL;

		if (page)
			put_buffer(rx, page, false);
		xpv_gnt_release(1, &slot->ref);
	}
	kvfree(rx->slot);
	rx->slot = NULL;
	put_pieces(rx, false);
	vnif_page_destroy(&rx->ring_page, &rx->ring_ref);
	vnif_xdp_destroy(q);
	page_pool_destroy(rx->pool);
	rx->pool = NULL;
}
