/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xen-vnif: the network frontend.
 *
 *	main.c		module, parameters, the netdev's birth and death
 *	connect.c	the handshake; offer.c what is read, plan.c what it comes to (pure)
 *	link.c		carrier, speed and MTU as the host says
 *	queue.c		a queue as a whole; tx.c, rx.c its two sides; wire.c slots (pure)
 *	xdp.c		programs that look at packets before there is an skb
 *	ctrl.c		the control ring; hash.c what it is good for
 *	mcast.c		which multicast packets the backend sends
 *	stats.c		counters; ethtool.c what an administrator may ask and set
 *	debug.c		what was agreed on, in debugfs
 *
 * Invariants
 *   - A transmit slot is out iff its request is with the backend. An skb is freed
 *     when the last of its slots was answered or taken back.
 *   - A receive slot has a page iff it is granted iff it is with the backend.
 *   - A page that the backend still has mapped is parked, never freed.
 *   - The rings move only while vnif_queue.up; only then NAPI is enabled.
 *
 * Locks
 *   RTNL	netdev state: features, MTU. Never held while waiting for the backend.
 *   run_lock	whether queues are up, and vnif.run, which says why. Taken inside RTNL,
 *		and without it when the guest is suspended.
 *   xmit lock	(of the netdev's queue) vnif_queue.up for writing and all of
 *		struct vnif_tx. Taken inside run_lock.
 *   NAPI	each poll function runs once at a time: all of struct vnif_rx.
 *		The transmit poll takes the xmit lock.
 * Hooks of the bus run one at a time for a device (bus.h): with the queues down
 * they own rings and slots without a lock.
 */
#ifndef XENPV_VNIF_H
#define XENPV_VNIF_H

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <net/xdp.h>
#include <xenpv/bus.h>
#include <xenpv/compat-net.h>
#include <xenpv/evtchn.h>
#include <xenpv/grant.h>
#include <xenpv/ring.h>

#include "wire.h"

#define VNIF_DRIVER		"xen-vnif"
#define VNIF_RING_SLOTS		256u
/* References in reserve: so many pages may a backend sit on before it breaks. */
#define VNIF_TX_SPARES		32u
/* Most answers that one transmit event may stand for. */
#define VNIF_TX_FRAMES_MAX	128u
/* Slots that the largest packet takes: 18 and one of extra information. */
#define VNIF_TX_ROOM		(VNIF_MAX_SLOTS + 1)

/* Offloads that depend on the backend. */
#define VNIF_OFFLOADS	(NETIF_F_SG | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | \
			 NETIF_F_TSO | NETIF_F_TSO6)

struct vnif;

/**
 * struct vnif_tx_slot - one request on its way; its index is the id on the wire
 * @out: the request is with the backend
 * @skb: its packet, while it is out; NULL for one that was only copied
 * @bytes: of the packet that it is the last slot of; 0: of none that the stack counts
 * @page: page granted for this request alone, or NULL if @copy carries the bytes
 * @ref: reference for @page; claimed, granted iff @page
 * @copy: the slot's own page; granted read-only as long as the ring lives, and
 *	never holds anything but bytes sent to this backend
 * @copy_ref: reference of @copy
 * @next: next free slot
 */
struct vnif_tx_slot {
	bool out;
	struct sk_buff *skb;
	unsigned int bytes;
	struct page *page;
	grant_ref_t ref;
	struct page *copy;
	grant_ref_t copy_ref;
	u16 next;
};

/**
 * struct vnif_tx - the transmit side of a queue
 * @ring: requests and answers
 * @ring_page: its page
 * @ring_ref: its reference
 * @slot: what is where
 * @free: first free slot
 * @nulls: answers to extra slots that the backend owes; they carry no id
 * @held: packets that are freed when their answers come
 * @newest: index on the ring where the newest packet begins
 * @event: index behind the answer that an event was asked for with
 * @spares: references that replace parked ones
 * @spare: how many are left
 * @napi: reaps answers
 * @look: looks for answers and packets that no event told of
 * @looked: ring's @rsp_cons then
 */
struct vnif_tx {
	struct xpv_ring ring;
	struct page *ring_page;
	grant_ref_t ring_ref;
	struct vnif_tx_slot *slot;
	u16 free;
	unsigned int nulls;
	unsigned int held;
	u32 newest;
	u32 event;
	grant_ref_t spares[VNIF_TX_SPARES];
	unsigned int spare;
	struct napi_struct napi;
	struct delayed_work look;
	u32 looked;
};

/**
 * struct vnif_rx_slot - one buffer on its way; its index is the ring's
 * @page: buffer, while it is with the backend
 * @ref: its reference; claimed, granted iff @page
 */
struct vnif_rx_slot {
	struct page *page;
	grant_ref_t ref;
};

/**
 * struct vnif_rx - the receive side of a queue
 * @ring: requests and answers
 * @ring_page: its page
 * @ring_ref: its reference
 * @slot: what is where
 * @pool: where buffers come from
 * @rxq: what XDP has to know of them
 * @sent: XDP has put frames on the transmit ring of this queue
 * @redirected: XDP has sent frames elsewhere
 * @packet: the packet whose answers have not all come
 * @napi: reaps answers, builds packets, posts buffers
 * @refill: looks again when there was no memory for buffers
 * @looked: ring's @rsp_cons at the last look
 * @missed: that look has found packets whose event did not come
 */
struct vnif_rx {
	struct xpv_ring ring;
	struct page *ring_page;
	grant_ref_t ring_ref;
	struct vnif_rx_slot *slot;
	struct page_pool *pool;
	struct xdp_rxq_info rxq;
	bool sent;
	bool redirected;
	struct vnif_rx_packet packet;
	struct napi_struct napi;
	struct delayed_work refill;
	u32 looked;
	bool missed;
};

/* Counters of one direction; written under the lock of that direction. */
enum vnif_tx_count {
	VNIF_TX_PACKETS,
	VNIF_TX_BYTES,
	VNIF_TX_DROPPED,	/* never sent: too large, or the device is down */
	VNIF_TX_LOST,		/* on the ring when the backend went away */
	VNIF_TX_ERRORS,		/* the backend says that it did not send it */
	VNIF_TX_COPIES,		/* packets copied whole */
	VNIF_TX_KICKS,		/* notifications to the backend */
	VNIF_TX_STOPS,		/* queue stopped for want of slots */
	VNIF_TX_HELD,		/* pages that the backend would not let go */
	VNIF_TX_MISSED,		/* answers whose event did not come */
	VNIF_TX_COUNTS,
};

enum vnif_rx_count {
	VNIF_RX_PACKETS,
	VNIF_RX_BYTES,
	VNIF_RX_CSUM,		/* dropped: checksum asked for in a wrong place */
	VNIF_RX_NOMEM,		/* dropped for lack of memory */
	VNIF_RX_STARVED,	/* times no buffer could be posted */
	VNIF_RX_FIXED,		/* GSO packets without their blank checksum */
	VNIF_RX_KICKS,
	VNIF_RX_MISSED,		/* packets whose event did not come */
	VNIF_RX_HASHED,		/* came with a hash */
	VNIF_RX_XDP_PASS,
	VNIF_RX_XDP_DROP,	/* and aborted */
	VNIF_RX_XDP_TX,
	VNIF_RX_XDP_REDIRECT,
	VNIF_RX_XDP_UNFIT,	/* dropped: in pieces, or without its checksum */
	VNIF_RX_XDP_LOST,	/* the program's wish could not be carried out */
	VNIF_RX_FAULT,		/* first of VNIF_RX_FAULTS - 1 counters */
	VNIF_RX_COUNTS = VNIF_RX_FAULT + VNIF_RX_FAULTS - 1,
};

struct vnif_tx_stats {
	u64_stats_t count[VNIF_TX_COUNTS];
	struct u64_stats_sync sync;
};

struct vnif_rx_stats {
	u64_stats_t count[VNIF_RX_COUNTS];
	struct u64_stats_sync sync;
};

/**
 * struct vnif_queue - one queue of the netdev, with a pair of rings while connected
 * @vnif: the device
 * @index: its number
 * @up: packets may move
 * @tx: transmit side
 * @rx: receive side
 * @ec: event channels: one of both sides, or transmit and receive
 * @tx_stats: counters; they outlive rings
 * @rx_stats: counters
 */
struct vnif_queue {
	struct vnif *vnif;
	unsigned int index;
	bool up;
	struct vnif_tx tx;
	struct vnif_rx rx;
	struct xpv_evtchn ec[2];
	struct vnif_tx_stats tx_stats;
	struct vnif_rx_stats rx_stats;
};

/**
 * struct vnif_ctrl - the control ring of a connection
 * @ring: questions and answers
 * @ring_page: its page
 * @ring_ref: its reference
 * @page: what a question points to
 * @ref: its reference
 * @ec: its event channel
 * @wait: for an answer
 * @id: of the next question
 * @ready: questions are answered, as far as is known
 */
struct vnif_ctrl {
	struct xpv_ring ring;
	struct page *ring_page;
	grant_ref_t ring_ref;
	struct page *page;
	grant_ref_t ref;
	struct xpv_evtchn ec;
	wait_queue_head_t wait;
	u16 id;
	bool ready;
};

#define VNIF_HASH_TABLE_MAX	128u
#define VNIF_HASH_KEY		40u

/**
 * struct vnif_hash - hashing of received packets
 * @lock: over all of it
 * @on: hashes are wanted
 * @keyed: the key was chosen by somebody
 * @stale: the backend has not been told yet
 * @told: the backend hashes
 * @size: entries of the table; 0: the backend has none
 * @table: queue for each value, modulo the size
 * @key: of the Toeplitz hash
 */
struct vnif_hash {
	struct mutex lock;
	bool on;
	bool keyed;
	bool stale;
	bool told;
	u32 size;
	u32 table[VNIF_HASH_TABLE_MAX];
	u8 key[VNIF_HASH_KEY];
};

#define VNIF_MCAST_MAX		64u

/**
 * struct vnif_mcast - which multicast packets the backend sends
 * @offered: it can be told
 * @stale: the stack has changed its mind since
 * @filter: the list counts
 * @n: addresses on the backend's list
 * @addr: them
 */
struct vnif_mcast {
	bool offered;
	bool stale;
	bool filter;
	unsigned int n;
	u8 addr[VNIF_MCAST_MAX][ETH_ALEN];
};

/**
 * struct vnif_link - what the host says about the link
 * @up: it is up, as long as a backend is connected
 * @mbps: its speed; 0: not said
 * @mtu: the toolstack's wish; 0: none
 */
struct vnif_link {
	bool up;
	u32 mbps;
	u32 mtu;
};

/**
 * enum vnif_run - what it takes for packets to move
 * @VNIF_RUN_OPEN: the interface is up
 * @VNIF_RUN_LIVE: the backend is connected, and the guest runs
 * @VNIF_RUN_ALL: they do
 */
enum vnif_run {
	VNIF_RUN_OPEN	= 1,
	VNIF_RUN_LIVE	= 2,
	VNIF_RUN_ALL	= VNIF_RUN_OPEN | VNIF_RUN_LIVE,
};

/**
 * struct vnif - one interface; the private part of its netdev
 * @xd: the bus's device
 * @netdev: the interface
 * @queues: its queues, as long as the netdev lives
 * @limit: how many of them there are
 * @nqueues: how many of them this connection uses, the first ones; changes while
 *	there is none
 * @max_queues: how many the backend would allow
 * @asked: number of queues that was asked for; 0: one for each CPU
 * @watch: on the frontend's directory
 * @ctrl: control ring, if the backend has one
 * @hash: hashing of received packets
 * @mcast: multicast packets; control work's, but for its @stale
 * @terms: what received packets may look like in this connection
 * @prog: XDP program; written under RTNL
 * @tx_frames: most answers that one transmit event is worth
 * @link: what was read about the link; under RTNL or by control work alone
 * @registered: the interface is known to the network stack
 * @run_lock: see @run
 * @run: reasons for queues to be up, enum vnif_run
 * @broken: the backend lied: nothing on the rings counts any more
 * @trusted: the backend may see what lies beside the bytes it is given
 * @multi: the backend wants to be told the number of queues
 * @split: separate event channels for transmit and receive
 * @offered: offloads that the backend knows
 * @debug: directory in debugfs
 */
struct vnif {
	struct xpv_device *xd;
	struct net_device *netdev;
	struct vnif_queue *queues;
	unsigned int limit;
	unsigned int nqueues;
	unsigned int max_queues;
	unsigned int asked;
	struct xpv_watch watch;
	struct vnif_ctrl ctrl;
	struct vnif_hash hash;
	struct vnif_mcast mcast;
	struct vnif_rx_terms terms;
	struct bpf_prog __rcu *prog;
	u32 tx_frames;
	struct vnif_link link;
	struct mutex run_lock;
	unsigned int run;
	bool registered;
	bool broken;
	bool trusted;
	bool multi;
	bool split;
	netdev_features_t offered;
	struct dentry *debug;
};

static inline bool vnif_is_live(const struct vnif *vnif)
{
	return READ_ONCE(vnif->run) & VNIF_RUN_LIVE;
}

static inline struct netdev_queue *vnif_netdev_queue(struct vnif_queue *q)
{
	return netdev_get_tx_queue(q->vnif->netdev, q->index);
}

static inline void vnif_tx_count(struct vnif_queue *q, enum vnif_tx_count what,
				 u64 n)
{
	u64_stats_update_begin(&q->tx_stats.sync);
	u64_stats_add(&q->tx_stats.count[what], n);
	u64_stats_update_end(&q->tx_stats.sync);
}

static inline void vnif_rx_count(struct vnif_queue *q, enum vnif_rx_count what,
				 u64 n)
{
	u64_stats_update_begin(&q->rx_stats.sync);
	u64_stats_add(&q->rx_stats.count[what], n);
	u64_stats_update_end(&q->rx_stats.sync);
}

/* main.c */
extern bool vnif_trusted;
void vnif_broken(struct vnif *vnif, const char *reason);

/* offer.c */
int vnif_offer_read(struct vnif *vnif);
void vnif_offer_link(struct vnif *vnif, struct vnif_link *link);

/* ctrl.c */
int vnif_ctrl_create(struct vnif *vnif);
void vnif_ctrl_destroy(struct vnif *vnif);
int vnif_ctrl_ask(struct vnif *vnif, struct xen_netif_ctrl_request *req,
		  u32 *data);

/* hash.c */
void vnif_hash_init(struct vnif *vnif);
void vnif_hash_begin(struct vnif *vnif);
void vnif_hash_follow(struct vnif *vnif);
void vnif_hash_switch(struct vnif *vnif, bool on);
u32 vnif_hash_size(struct net_device *netdev);
int vnif_hash_get(struct net_device *netdev, struct ethtool_rxfh_param *rxfh);
int vnif_hash_set(struct net_device *netdev,
		  const struct ethtool_rxfh_param *rxfh);

/* mcast.c */
void vnif_mcast_begin(struct vnif *vnif, bool offered);
void vnif_mcast_follow(struct vnif *vnif);
void vnif_mcast_changed(struct net_device *netdev);

/* link.c */
int vnif_link_watch(struct vnif *vnif);
void vnif_link_unwatch(struct vnif *vnif);
void vnif_link_apply(struct vnif *vnif, const struct vnif_link *link);
void vnif_link_follow(struct vnif *vnif);

/* connect.c: hooks of struct xpv_driver, described there */
int vnif_prepare(struct xpv_device *xd);
void vnif_publish(struct xpv_device *xd, struct xpv_batch *batch);
int vnif_connect(struct xpv_device *xd);
void vnif_changed(struct xpv_device *xd);
int vnif_stop(struct xpv_device *xd, enum xpv_why why);
void vnif_disconnect(struct xpv_device *xd, enum xpv_why why);
void vnif_suspend(struct xpv_device *xd);
void vnif_resume(struct xpv_device *xd);

/* queue.c */
int vnif_queue_create(struct vnif_queue *q);
void vnif_queue_destroy(struct vnif_queue *q);
void vnif_run_set(struct vnif *vnif, enum vnif_run reason, bool there);
void vnif_queue_schedule(struct vnif_queue *q);
void vnif_queue_aim(struct vnif_queue *q, unsigned int cpu);
int vnif_page_create(domid_t domid, bool readonly, struct page **page,
		     grant_ref_t *ref);
void vnif_page_destroy(struct page **page, grant_ref_t *ref);

static inline struct xpv_evtchn *vnif_tx_port(struct vnif_queue *q)
{
	return &q->ec[0];
}

static inline struct xpv_evtchn *vnif_rx_port(struct vnif_queue *q)
{
	return &q->ec[q->vnif->split ? 1 : 0];
}

/* tx.c */
netdev_tx_t vnif_tx_xmit(struct sk_buff *skb, struct net_device *netdev);
void vnif_tx_look(struct work_struct *work);
void vnif_tx_watch(struct vnif_queue *q);
bool vnif_tx_frame(struct vnif_queue *q, const void *data, unsigned int len);
bool vnif_tx_mcast(struct vnif_queue *q, u8 type, const u8 *addr);
void vnif_tx_flush(struct vnif_queue *q);
int vnif_tx_poll(struct napi_struct *napi, int budget);
bool vnif_tx_drain(struct vnif_queue *q);
bool vnif_tx_event(struct vnif_queue *q);
int vnif_tx_create(struct vnif_queue *q);
void vnif_tx_destroy(struct vnif_queue *q);

/* xdp.c */
int vnif_xdp(struct net_device *netdev, struct netdev_bpf *bpf);
int vnif_xdp_xmit(struct net_device *netdev, int n, struct xdp_frame **frames,
		  u32 flags);
bool vnif_xdp_filter(struct vnif_queue *q, struct bpf_prog *prog);
void vnif_xdp_flush(struct vnif_queue *q);
unsigned int vnif_xdp_max_mtu(void);
int vnif_xdp_create(struct vnif_queue *q);
void vnif_xdp_destroy(struct vnif_queue *q);

static inline bool vnif_xdp_on(const struct vnif *vnif)
{
	return rcu_access_pointer(vnif->prog);
}

/* rx.c */
void vnif_rx_put(struct vnif_rx *rx, struct page *page);
int vnif_rx_poll(struct napi_struct *napi, int budget);
bool vnif_rx_event(struct vnif_queue *q);
bool vnif_rx_forgotten(struct vnif_queue *q);
void vnif_rx_retry(struct work_struct *work);
int vnif_rx_create(struct vnif_queue *q);
void vnif_rx_destroy(struct vnif_queue *q);

/* stats.c */
void vnif_get_stats64(struct net_device *netdev,
		      struct rtnl_link_stats64 *stats);
int vnif_stats_count(struct net_device *netdev);
void vnif_stats_names(struct net_device *netdev, u8 *at);
void vnif_stats_read(struct net_device *netdev, u64 *value);

/* debug.c */
void vnif_debug_add(struct vnif *vnif);
void vnif_debug_remove(struct vnif *vnif);
void vnif_debug_init(void);
void vnif_debug_exit(void);

/* ethtool.c */
extern const struct ethtool_ops vnif_ethtool_ops;

#endif /* XENPV_VNIF_H */
