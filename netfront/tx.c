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
 * Life: the stack hands a packet to vnif_tx_xmit(). One that was copied is freed at
 * once. Another is held: its slots point to it until their answers come, counted in its
 * control block; vnif_tx_poll() frees it with the last one. What is on the ring when
 * the connection ends is lost, and counted.
 * Events: somebody waits for a held packet, whose sender may send no more before it is
 * freed, and for room when the queue is stopped; then an event comes with one of the
 * answers that are due. Else the backend's answers are taken when there are tx_frames of
 * them, and when nothing was sent for a while (vnif_tx_look()).
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
};

/* What has been sent: packets to be freed, and the sum of all, held or not. */
struct vnif_tx_done {
	struct sk_buff_head skbs;
	unsigned int packets;
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
static struct vnif_tx_slot *put_request(struct vnif_queue *q,
					const struct sk_buff *skb,
					const struct vnif_tx_seg *seg, u16 flags,
					u16 size)
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
	xpv_ring_put(&tx->ring, &req, sizeof(req));
	return slot;
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

/* Are there bytes that stay where they lie? */
static bool is_held(const struct vnif_tx_seg *seg, unsigned int n)
{
	while (n--) {
		if (seg[n].frag != VNIF_TX_COPIED)
			return true;
	}
	return false;
}

/* Return: true if the packet is held until its answers come. */
static bool put_packet(struct vnif_queue *q, struct sk_buff *skb,
		       const struct vnif_tx_seg *seg, unsigned int n)
{
	bool held = is_held(seg, n);
	struct vnif_tx_slot *slot;
	unsigned int i;
	u16 flags = 0;

	cb_of(skb)->slots = n;
	q->tx.held += held;
	q->tx.newest = q->tx.ring.req_prod_pvt;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		flags = XEN_NETTXF_csum_blank | XEN_NETTXF_data_validated;
	else if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		flags = XEN_NETTXF_data_validated;
	if (skb_is_gso(skb))
		flags |= XEN_NETTXF_extra_info;
	for (i = 0; i < n; i++) {
		if (i + 1 < n)
			flags |= XEN_NETTXF_more_data;
		slot = put_request(q, skb, &seg[i], flags,
				   i ? seg[i].len : skb->len);
		slot->skb = held ? skb : NULL;
		slot->bytes = i + 1 < n ? 0 : skb->len;
		if (flags & XEN_NETTXF_extra_info)
			put_gso(&q->tx, skb);
		flags = 0;
	}
	return held;
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

/* Does anybody wait for an answer? */
static bool is_awaited(struct vnif_queue *q)
{
	return q->tx.held || netif_xmit_stopped(vnif_netdev_queue(q));
}

/*
 * The answer to have an event with, counted from the next one: if somebody waits, the one
 * in the middle of what is still out, so that the ring never runs dry, but not in the
 * middle of the newest packet.
 */
static u32 wanted(struct vnif_queue *q)
{
	struct vnif_tx *tx = &q->tx;
	u32 due = xpv_ring_due(&tx->ring), middle = due / 2 + 1;
	u32 far = READ_ONCE(q->vnif->tx_frames);

	if (!due || !is_awaited(q))
		return far;
	if ((s32)(tx->ring.rsp_cons + middle - tx->newest) > 0)
		middle = due;
	return min(far, middle);
}

/* Ask for the event. Return: as xpv_ring_rearm(). */
static int ask(struct vnif_queue *q, u32 after)
{
	q->tx.event = q->tx.ring.rsp_cons + after;
	return xpv_ring_rearm(&q->tx.ring, after);
}

/*
 * The event that was asked for when answers were taken may have become too late, or
 * needlessly early.
 */
static void move_event(struct vnif_queue *q)
{
	struct xpv_ring *ring = &q->tx.ring;
	u32 after = q->tx.event - ring->rsp_cons, want = wanted(q);
	int n;

	if (after > want) {
		n = ask(q, want);
		if (n < 0 || n >= want)
			napi_schedule(&q->tx.napi);
	} else if (after < want && !is_awaited(q)) {
		q->tx.event = ring->rsp_cons + want;
		xpv_ring_defer(ring, want);
	}
}

/**
 * vnif_tx_watch() - have somebody look after the ring, event or not
 * @q: a queue that is up
 */
void vnif_tx_watch(struct vnif_queue *q)
{
	if (!delayed_work_pending(&q->tx.look))
		schedule_delayed_work(&q->tx.look, LOOK_DELAY);
}

static void push(struct vnif_queue *q)
{
	if (xpv_ring_push(&q->tx.ring)) {
		xpv_evtchn_notify(vnif_tx_port(q));
		vnif_tx_count(q, VNIF_TX_KICKS, 1);
	}
	move_event(q);
	vnif_tx_watch(q);
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
	bool held;

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
	held = put_packet(q, skb, seg, n);
	trace_vnif_tx(q, bytes, n);
	stop_if_full(q);
	vnif_tx_count(q, VNIF_TX_PACKETS, 1);
	vnif_tx_count(q, VNIF_TX_BYTES, bytes);
	if (__netdev_tx_sent_queue(vnif_netdev_queue(q), bytes, more))
		push(q);
	if (!held)
		dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

/* A request for @len bytes of the next slot's own page; the stack knows nothing of it. */
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
	slot->skb = NULL;
	slot->bytes = 0;
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

/* Do answers lie on the ring that lay there before? An event that got lost is counted. */
static bool forgotten(struct vnif_queue *q)
{
	struct vnif_tx *tx = &q->tx;
	int n = xpv_ring_unconsumed(&tx->ring);
	bool same = tx->looked == tx->ring.rsp_cons;

	tx->looked = tx->ring.rsp_cons;
	if (!n || !same)
		return false;
	if (n < 0 || n >= tx->event - tx->ring.rsp_cons)
		vnif_tx_count(q, VNIF_TX_MISSED, 1);
	return true;
}

/**
 * vnif_tx_look() - take answers that no event told of
 * @work: the queue's
 *
 * None was asked for, or it got lost; the same goes for packets that came. A backend
 * that just does not answer is waited for, for as long as it takes. The kernel's own
 * watchdog sees stopped queues only, and warns: the end of a guest that runs with
 * panic_on_warn.
 */
void vnif_tx_look(struct work_struct *work)
{
	struct vnif_queue *q = container_of(to_delayed_work(work),
					    struct vnif_queue, tx.look);
	struct netdev_queue *nq = vnif_netdev_queue(q);
	struct xpv_ring *ring = &q->tx.ring;
	bool busy, schedule;

	__netif_tx_lock_bh(nq);
	busy = q->up && !READ_ONCE(q->vnif->broken) &&
	       xpv_ring_free(ring) < ring->slots;
	schedule = busy && forgotten(q);
	__netif_tx_unlock_bh(nq);
	if (busy && vnif_rx_forgotten(q))
		schedule = true;
	if (schedule)
		vnif_queue_schedule(q);
	if (busy)
		schedule_delayed_work(&q->tx.look, LOOK_DELAY);
}

/*
 * The request is over: take its page back and let go of its packet. False if the
 * backend keeps pages for which no reference is left.
 */
static bool end_slot(struct vnif_queue *q, struct vnif_tx_slot *slot,
		     struct vnif_tx_done *done)
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
	if (slot->bytes) {
		done->packets++;
		done->bytes += slot->bytes;
	}
	if (skb && !--cb_of(skb)->slots) {
		__skb_queue_tail(&done->skbs, skb);
		tx->held--;
	}
	return slot->ref != XPV_GNT_NONE;
}

/* What is wrong with this answer, or NULL if it was taken. */
static const char *take_answer(struct vnif_queue *q,
			       const struct xen_netif_tx_response *rsp,
			       struct vnif_tx_done *done)
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
static bool take_answers(struct vnif_queue *q, int n, struct vnif_tx_done *done)
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

/* Take all answers. */
static void reap(struct vnif_queue *q, struct vnif_tx_done *done)
{
	struct xpv_ring *ring = &q->tx.ring;
	int n = xpv_ring_unconsumed(ring);

	if (READ_ONCE(q->vnif->broken))
		return;
	do {
		if (!take_answers(q, n, done))
			return;
		n = ask(q, wanted(q));
	} while (n);
	if (q->up && xpv_ring_free(ring) >= VNIF_TX_ROOM &&
	    netif_tx_queue_stopped(vnif_netdev_queue(q)))
		netif_tx_wake_queue(vnif_netdev_queue(q));
}

/* Free the packets whose answers have come; without the lock. */
static void free_done(struct vnif_queue *q, struct vnif_tx_done *done,
		      int budget)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&done->skbs)))
		napi_consume_skb(skb, budget);
	netdev_tx_completed_queue(vnif_netdev_queue(q), done->packets,
				  done->bytes);
}

static void begin_done(struct vnif_tx_done *done)
{
	__skb_queue_head_init(&done->skbs);
	done->packets = 0;
	done->bytes = 0;
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
	struct vnif_tx_done done;

	begin_done(&done);
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
	struct vnif_tx_done done;
	bool over;

	begin_done(&done);
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
	tx->held = 0;
	tx->newest = 0;
	tx->looked = 0;
	tx->event = tx->ring.rsp_cons + 1;
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
	struct vnif_tx_done lost;
	unsigned int i;

	begin_done(&lost);
	__netif_tx_lock_bh(nq);
	for (i = 0; tx->slot && i < VNIF_RING_SLOTS; i++) {
		if (tx->slot[i].out)
			end_slot(q, &tx->slot[i], &lost);
	}
	vnif_tx_count(q, VNIF_TX_LOST, lost.packets);
	__netif_tx_unlock_bh(nq);
	__skb_queue_purge(&lost.skbs);
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
