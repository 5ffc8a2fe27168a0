// SPDX-License-Identifier: GPL-2.0
/*
 * Transmit: packets onto the ring, answers off it.
 *
 * Each slot owns a page, granted to the backend as long as the ring lives. The
 * linear part of a packet is copied there: headers mostly, so that neither what
 * lies beside them in the kernel's heap is shown nor a grant made and revoked.
 * Fragments are granted where they lie, one reference of the slot's for each. A
 * packet with too many pieces, and every packet of a backend that is not trusted,
 * is copied whole; that takes no memory and cannot fail.
 *
 * Life: the stack hands a packet to vnif_tx_xmit(); its slots point to it until
 * their answers come, counted in its control block; vnif_tx_poll() frees it with
 * the last one. What is on the ring when the connection ends is lost, and counted.
 * Locks: the xmit lock of the netdev's queue guards all of struct vnif_tx; the
 * poll takes it once for all answers.
 * Trust: an answer is copied, its id must name a slot that is with the backend. An
 * extra slot is owed one answer without an id. A page that the backend keeps is
 * parked and the slot gets a spare reference; without spares the device breaks.
 */
#include <linux/if_vlan.h>
#include <linux/mm.h>

#include "trace.h"
#include "vnif.h"

/* Packets up to this size go into one slot, however many pieces they are in. */
#define COPY_WHOLE	256u
/* How often a ring with requests is looked at without an event. */
#define LOOK_DELAY	HZ

struct vnif_tx_cb {
	unsigned int slots;
	unsigned int bytes;
};

static struct vnif_tx_cb *cb_of(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct vnif_tx_cb) > sizeof(skb->cb));
	return (struct vnif_tx_cb *)skb->cb;
}

static u8 gso_type(const struct sk_buff *skb)
{
	if (!skb_is_gso(skb))
		return XEN_NETIF_GSO_TYPE_NONE;
	return skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6 ?
		XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
}

/*
 * May this packet go out? The stack has asked for our features, but a packet that
 * waited in a qdisc may be older than the backend that we have now.
 */
static bool acceptable(const struct vnif_queue *q, const struct sk_buff *skb)
{
	netdev_features_t offered = q->vnif->offered;

	if (READ_ONCE(q->vnif->broken) ||
	    xpv_ring_free(&q->tx.ring) < VNIF_TX_ROOM)
		return false;
	if (skb->len < VNIF_MIN_LEN || skb->len > VNIF_TX_MAX_LEN)
		return false;
	if (!skb_is_gso(skb))
		return true;
	return (skb_is_gso_v6(skb) && (offered & NETIF_F_TSO6)) ||
	       ((skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4) &&
		(offered & NETIF_F_TSO));
}

/*
 * A packet that waited in a qdisc may be older than this backend: its checksum is made
 * here if the backend does not make it. Return: false if that cannot be done.
 */
static bool make_checksum(struct vnif_queue *q, struct sk_buff *skb)
{
	netdev_features_t need = NETIF_F_IP_CSUM;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return true;
	if (vlan_get_protocol(skb) == htons(ETH_P_IPV6))
		need = NETIF_F_IPV6_CSUM;
	return (q->vnif->offered & need) || !skb_checksum_help(skb);
}

static unsigned int plan(struct vnif_queue *q, const struct sk_buff *skb,
			 struct vnif_tx_seg *seg)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int max = q->vnif->offered & NETIF_F_SG ? VNIF_MAX_SLOTS : 1;
	struct vnif_tx_span span[MAX_SKB_FRAGS];
	unsigned int i, n = 0;

	if (q->vnif->trusted && skb->len > COPY_WHOLE &&
	    !skb_has_frag_list(skb)) {
		for (i = 0; i < info->nr_frags; i++) {
			span[i].offset = skb_frag_off(&info->frags[i]);
			span[i].len = skb_frag_size(&info->frags[i]);
		}
		n = vnif_tx_plan(seg, max, skb_headlen(skb), span, i);
	}
	if (n)
		return n;
	if (skb->len > COPY_WHOLE)
		vnif_tx_count(q, VNIF_TX_COPIES, 1);
	return vnif_tx_plan(seg, max, skb->len, NULL, 0);
}

/* Write one request for @seg; the first of a packet says how long it is. */
static void put_request(struct vnif_queue *q, struct sk_buff *skb,
			const struct vnif_tx_seg *seg, u16 flags, u16 size)
{
	struct vnif_tx *tx = &q->tx;
	struct vnif_tx_slot *slot = &tx->slot[tx->free];
	struct xen_netif_tx_request req = {
		.offset = seg->offset,
		.flags = flags,
		.id = tx->free,
		.size = size,
	};

	if (seg->frag == VNIF_TX_COPIED) {
		/* Within the packet by plan, so it cannot fail. */
		skb_copy_bits(skb, seg->pos, page_address(slot->copy),
			      seg->len);
		req.gref = slot->copy_ref;
	} else {
		slot->page = skb_frag_page(&skb_shinfo(skb)->frags[seg->frag]) +
			     seg->page;
		xpv_gnt_grant(slot->ref, q->vnif->xd->otherend_id, slot->page,
			      true);
		req.gref = slot->ref;
	}
	tx->free = slot->next;
	slot->out = true;
	slot->skb = skb;
	xpv_ring_put(&tx->ring, &req, sizeof(req));
}

/* The extra slot takes no id; the backend owes one empty answer for it. */
static void put_gso(struct vnif_tx *tx, const struct sk_buff *skb)
{
	struct xen_netif_extra_info extra = {
		.type = XEN_NETIF_EXTRA_TYPE_GSO,
		.u.gso.size = skb_shinfo(skb)->gso_size,
		.u.gso.type = gso_type(skb),
	};

	xpv_ring_put(&tx->ring, &extra, sizeof(extra));
	tx->nulls++;
}

static void put_packet(struct vnif_queue *q, struct sk_buff *skb,
		       const struct vnif_tx_seg *seg, unsigned int n)
{
	unsigned int i;
	u16 flags = 0;

	cb_of(skb)->slots = n;
	cb_of(skb)->bytes = skb->len;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	else if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		flags = XEN_NETTXF_data_validated;
	if (skb_is_gso(skb))
		flags |= XEN_NETTXF_extra_info;
	for (i = 0; i < n; i++) {
		if (i + 1 < n)
			flags |= XEN_NETTXF_more_data;
		put_request(q, skb, &seg[i], flags, i ? seg[i].len : skb->len);
		if (flags & XEN_NETTXF_extra_info)
			put_gso(&q->tx, skb);
		flags = 0;
	}
}

/* No packet more if the largest one would not find room. */
static void stop_if_full(struct vnif_queue *q)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);

	if (xpv_ring_free(&q->tx.ring) >= VNIF_TX_ROOM ||
	    netif_tx_queue_stopped(nq))
		return;
	netif_tx_stop_queue(nq);
	vnif_tx_count(q, VNIF_TX_STOPS, 1);
}

static void push(struct vnif_queue *q)
{
	if (xpv_ring_push(&q->tx.ring)) {
		xpv_evtchn_notify(vnif_tx_port(q));
		vnif_tx_count(q, VNIF_TX_KICKS, 1);
	}
	if (!delayed_work_pending(&q->tx.look))
		schedule_delayed_work(&q->tx.look, LOOK_DELAY);
}

/**
 * vnif_tx_xmit() - ndo_start_xmit
 * @skb: the packet
 * @netdev: the interface
 *
 * Under the xmit lock. With more packets announced, the backend is told after the
 * last one.
 */
netdev_tx_t vnif_tx_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct vnif *vnif = netdev_priv(netdev);
	struct vnif_queue *q = &vnif->queues[skb_get_queue_mapping(skb)];
	struct vnif_tx_seg seg[VNIF_MAX_SLOTS];
	unsigned int bytes = skb->len, n = 0;
	bool more = netdev_xmit_more();

	if (q->up && acceptable(q, skb) && make_checksum(q, skb))
		n = plan(q, skb, seg);
	if (!n) {
		vnif_tx_count(q, VNIF_TX_DROPPED, 1);
		dev_kfree_skb_any(skb);
		if (q->up)
			stop_if_full(q);
		/* Those before it may wait for being announced. */
		if (q->up && !more)
			push(q);
		return NETDEV_TX_OK;
	}
	skb_tx_timestamp(skb);
	put_packet(q, skb, seg, n);
	trace_vnif_tx(q, bytes, n);
	stop_if_full(q);
	vnif_tx_count(q, VNIF_TX_PACKETS, 1);
	vnif_tx_count(q, VNIF_TX_BYTES, bytes);
	if (__netdev_tx_sent_queue(vnif_netdev_queue(q), bytes, more))
		push(q);
	return NETDEV_TX_OK;
}

/* A request for @len bytes of the next slot's own page. */
static void put_copied(struct vnif_queue *q, u16 len, u16 flags)
{
	struct vnif_tx *tx = &q->tx;
	struct vnif_tx_slot *slot = &tx->slot[tx->free];
	struct xen_netif_tx_request req = {
		.gref = slot->copy_ref,
		.flags = flags,
		.id = tx->free,
		.size = len,
	};

	tx->free = slot->next;
	slot->out = true;
	xpv_ring_put(&tx->ring, &req, sizeof(req));
}

/**
 * vnif_tx_frame() - a frame without an skb; it is copied
 * @q: the queue, its xmit lock held
 * @data: the frame
 * @len: its length, a page at most
 *
 * vnif_tx_flush() is due afterwards. The frame stays the caller's.
 *
 * Return: false if it was not sent.
 */
bool vnif_tx_frame(struct vnif_queue *q, const void *data, unsigned int len)
{
	struct vnif_tx *tx = &q->tx;

	if (!q->up || READ_ONCE(q->vnif->broken) || !xpv_ring_free(&tx->ring) ||
	    len < VNIF_MIN_LEN || len > VNIF_PAGE) {
		vnif_tx_count(q, VNIF_TX_DROPPED, 1);
		return false;
	}
	memcpy(page_address(tx->slot[tx->free].copy), data, len);
	put_copied(q, len, 0);
	trace_vnif_tx(q, len, 1);
	vnif_tx_count(q, VNIF_TX_PACKETS, 1);
	vnif_tx_count(q, VNIF_TX_BYTES, len);
	stop_if_full(q);
	return true;
}

/**
 * vnif_tx_mcast() - change the backend's list of multicast addresses
 * @q: the queue
 * @type: XEN_NETIF_EXTRA_TYPE_MCAST_ADD or _DEL
 * @addr: the address
 *
 * Return: false if there is no room now, or the interface is down.
 */
bool vnif_tx_mcast(struct vnif_queue *q, u8 type, const u8 *addr)
{
	struct xen_netif_extra_info extra = { .type = type };
	struct netdev_queue *nq = vnif_netdev_queue(q);
	bool room;

	memcpy(extra.u.mcast.addr, addr, sizeof(extra.u.mcast.addr));
	__netif_tx_lock_bh(nq);
	room = q->up && !READ_ONCE(q->vnif->broken) &&
	       xpv_ring_free(&q->tx.ring) >= VNIF_TX_ROOM;
	if (room) {
		put_copied(q, 0, XEN_NETTXF_extra_info);
		xpv_ring_put(&q->tx.ring, &extra, sizeof(extra));
		q->tx.nulls++;
		stop_if_full(q);
		push(q);
	}
	__netif_tx_unlock_bh(nq);
	return room;
}

/**
 * vnif_tx_flush() - tell the backend of frames
 * @q: the queue, its xmit lock held
 */
void vnif_tx_flush(struct vnif_queue *q)
{
	if (q->up)
		push(q);
}

/**
 * vnif_tx_look() - do answers lie on the ring that no event told of?
 * @work: the queue's
 *
 * An event that got lost is made up for; a backend that just does not answer is
 * waited for, for as long as it takes. The kernel's own watchdog sees stopped queues
 * only, and warns: the end of a guest that runs with panic_on_warn.
 */
void vnif_tx_look(struct work_struct *work)
{
	struct vnif_queue *q = container_of(to_delayed_work(work),
					    struct vnif_queue, tx.look);
	struct netdev_queue *nq = vnif_netdev_queue(q);
	struct xpv_ring *ring = &q->tx.ring;
	bool busy, missed;

	__netif_tx_lock_bh(nq);
	busy = q->up && !READ_ONCE(q->vnif->broken) &&
	       xpv_ring_free(ring) < ring->slots;
	missed = busy && q->tx.looked == ring->rsp_cons &&
		 xpv_ring_unconsumed(ring);
	if (missed)
		vnif_tx_count(q, VNIF_TX_MISSED, 1);
	q->tx.looked = ring->rsp_cons;
	__netif_tx_unlock_bh(nq);
	if (missed)
		vnif_queue_schedule(q);
	if (busy)
		schedule_delayed_work(&q->tx.look, LOOK_DELAY);
}

/*
 * The request is over: take its page back and let go of its packet. False if the
 * backend keeps pages for which no reference is left.
 */
static bool end_slot(struct vnif_queue *q, struct vnif_tx_slot *slot,
		     struct sk_buff_head *done)
{
	struct vnif_tx *tx = &q->tx;
	struct sk_buff *skb = slot->skb;

	if (slot->page && !xpv_gnt_revoke(slot->ref)) {
		get_page(slot->page);
		xpv_gnt_park(slot->ref, slot->page);
		vnif_tx_count(q, VNIF_TX_HELD, 1);
		slot->ref = tx->spare ? tx->spares[--tx->spare] : XPV_GNT_NONE;
	}
	slot->page = NULL;
	slot->skb = NULL;
	slot->out = false;
	slot->next = tx->free;
	tx->free = slot - tx->slot;
	if (skb && !--cb_of(skb)->slots)
		__skb_queue_tail(done, skb);
	return slot->ref != XPV_GNT_NONE;
}

/* What is wrong with this answer, or NULL if it was taken. */
static const char *take_answer(struct vnif_queue *q,
			       const struct xen_netif_tx_response *rsp,
			       struct sk_buff_head *done)
{
	struct vnif_tx *tx = &q->tx;

	if (rsp->status == XEN_NETIF_RSP_NULL) {
		if (!tx->nulls)
			return "transmit: empty answer that is not owed";
		tx->nulls--;
		return NULL;
	}
	if (rsp->id >= VNIF_RING_SLOTS || !tx->slot[rsp->id].out)
		return "transmit: answer to a request that it does not have";
	trace_vnif_tx_answer(q, rsp->id, rsp->status);
	if (rsp->status < 0)
		vnif_tx_count(q, VNIF_TX_ERRORS, 1);
	if (!end_slot(q, &tx->slot[rsp->id], done))
		return "transmit: too many pages are still mapped after their answers";
	return NULL;
}

/* Take @n answers; false if one of them is a lie. */
static bool take_answers(struct vnif_queue *q, int n, struct sk_buff_head *done)
{
	const char *lie = NULL;

	if (n < 0)
		lie = "transmit: answers to requests that were never made";
	while (n-- > 0 && !lie) {
		struct xen_netif_tx_response rsp;

		xpv_ring_get(&q->tx.ring, &rsp, sizeof(rsp));
		lie = take_answer(q, &rsp, done);
	}
	if (lie)
		vnif_broken(q->vnif, lie);
	return !lie;
}

/*
 * Take all answers and ask for an event with the one in the middle of what is
 * still out: fewer events, and the ring never runs dry.
 */
static void reap(struct vnif_queue *q, struct sk_buff_head *done)
{
	struct xpv_ring *ring = &q->tx.ring;
	int n = xpv_ring_unconsumed(ring);
	u32 due;

	if (READ_ONCE(q->vnif->broken))
		return;
	do {
		if (!take_answers(q, n, done))
			return;
		due = ring->slots - xpv_ring_free(ring);
		n = xpv_ring_rearm(ring, min(due / 2 + 1,
					     READ_ONCE(q->vnif->tx_frames)));
	} while (n);
	if (q->up && xpv_ring_free(ring) >= VNIF_TX_ROOM &&
	    netif_tx_queue_stopped(vnif_netdev_queue(q)))
		netif_tx_wake_queue(vnif_netdev_queue(q));
}

/* Free the packets whose answers have come; without the lock. */
static void free_done(struct vnif_queue *q, struct sk_buff_head *done,
		      int budget)
{
	unsigned int packets = skb_queue_len(done), bytes = 0;
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(done))) {
		bytes += cb_of(skb)->bytes;
		napi_consume_skb(skb, budget);
	}
	netdev_tx_completed_queue(vnif_netdev_queue(q), packets, bytes);
}

/**
 * vnif_tx_poll() - NAPI: take all answers, free their packets
 * @napi: the queue's
 * @budget: 0 from netpoll, which may have interrupted the lock's holder
 */
int vnif_tx_poll(struct napi_struct *napi, int budget)
{
	struct vnif_queue *q = container_of(napi, struct vnif_queue, tx.napi);
	struct netdev_queue *nq = vnif_netdev_queue(q);
	struct sk_buff_head done;

	__skb_queue_head_init(&done);
	if (budget)
		__netif_tx_lock(nq, smp_processor_id());
	else if (!__netif_tx_trylock(nq))
		return 0;
	reap(q, &done);
	__netif_tx_unlock(nq);
	free_done(q, &done, budget);
	napi_complete_done(napi, 0);
	return 0;
}

/**
 * vnif_tx_drain() - take the answers that have come to a stopped queue
 * @q: the queue; its NAPI is disabled
 *
 * Return: true if there is nothing to wait for any more.
 */
bool vnif_tx_drain(struct vnif_queue *q)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);
	struct xpv_ring *ring = &q->tx.ring;
	struct sk_buff_head done;
	bool over;

	__skb_queue_head_init(&done);
	__netif_tx_lock_bh(nq);
	reap(q, &done);
	over = READ_ONCE(q->vnif->broken) || xpv_ring_free(ring) == ring->slots;
	__netif_tx_unlock_bh(nq);
	free_done(q, &done, 0);
	return over;
}

/**
 * vnif_tx_event() - an event may be for the transmit side
 * @q: the queue
 */
bool vnif_tx_event(struct vnif_queue *q)
{
	if (!xpv_ring_unconsumed(&q->tx.ring))
		return false;
	napi_schedule(&q->tx.napi);
	return true;
}

/**
 * vnif_tx_create() - an empty ring with all that its slots will ever need
 * @q: the queue
 *
 * Return: 0, or -errno and vnif_tx_destroy() is due.
 */
int vnif_tx_create(struct vnif_queue *q)
{
	struct vnif_tx *tx = &q->tx;
	unsigned int i;
	int err;

	err = vnif_page_create(q->vnif->xd->otherend_id, false, &tx->ring_page, &tx->ring_ref);
	if (err)
		return err;
	xpv_ring_init(&tx->ring, page_address(tx->ring_page), VNIF_PAGE,
		      sizeof(struct xen_netif_tx_request));
	err = xpv_gnt_claim(VNIF_TX_SPARES, tx->spares);
	if (err)
		return err;
	tx->spare = VNIF_TX_SPARES;
	tx->nulls = 0;
	tx->free = 0;
	tx->slot = kvcalloc(VNIF_RING_SLOTS, sizeof(*tx->slot), GFP_KERNEL);
	if (!tx->slot)
		return -ENOMEM;
	for (i = 0; i < VNIF_RING_SLOTS && !err; i++) {
		struct vnif_tx_slot *slot = &tx->slot[i];

		slot->next = i + 1;
		err = vnif_page_create(q->vnif->xd->otherend_id, true, &slot->copy, &slot->copy_ref);
		if (!err)
			err = xpv_gnt_claim(1, &slot->ref);
	}
	return err;
}

/**
 * vnif_tx_destroy() - take back everything, also of a half-made ring
 * @q: a stopped queue with closed ports
 */
void vnif_tx_destroy(struct vnif_queue *q)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);
	struct vnif_tx *tx = &q->tx;
	struct sk_buff_head lost;
	unsigned int i;

	__skb_queue_head_init(&lost);
	__netif_tx_lock_bh(nq);
	for (i = 0; tx->slot && i < VNIF_RING_SLOTS; i++) {
		if (tx->slot[i].out)
			end_slot(q, &tx->slot[i], &lost);
	}
	vnif_tx_count(q, VNIF_TX_LOST, skb_queue_len(&lost));
	__netif_tx_unlock_bh(nq);
	__skb_queue_purge(&lost);
	netdev_tx_reset_queue(nq);

	for (i = 0; tx->slot && i < VNIF_RING_SLOTS; i++) {
		xpv_gnt_release(1, &tx->slot[i].ref);
		vnif_page_destroy(&tx->slot[i].copy, &tx->slot[i].copy_ref);
	}
	kvfree(tx->slot);
	tx->slot = NULL;
	xpv_gnt_release(tx->spare, tx->spares);
	tx->spare = 0;
	vnif_page_destroy(&tx->ring_page, &tx->ring_ref);
}
