// SPDX-License-Identifier: GPL-2.0
/*
 * A queue as a whole: its ports, its granted pages, its start and stop.
 *
 * Life: create makes both rings and opens the ports; from then on the backend may
 * see them, but no packet moves. start and stop follow the interface (`ip link
 * set up`) and the connection, whichever is down last. destroy takes everything
 * back; what the backend still has mapped is parked.
 * Locks: start and stop run under vnif.run_lock, create and destroy in a hook of the bus
 * with the queue stopped. A port's handler may run at any time between: all it
 * does is look at the rings and schedule NAPI, and a NAPI that is disabled cannot
 * be scheduled.
 * Trust: an event says nothing; what it is good for shows on the ring.
 */
#include <linux/mm.h>

#include "vnif.h"

static bool both_event(void *data)
{
	struct vnif_queue *q = data;
	bool tx = vnif_tx_event(q);

	return vnif_rx_event(q) || tx;
}

static bool tx_event(void *data)
{
	return vnif_tx_event(data);
}

static bool rx_event(void *data)
{
	return vnif_rx_event(data);
}

static int open_ports(struct vnif_queue *q)
{
	struct xpv_device *xd = q->vnif->xd;
	char name[32];
	int err;

	if (!q->vnif->split) {
		snprintf(name, sizeof(name), "%s-q%u", dev_name(&xd->dev),
			 q->index);
		return xpv_evtchn_open(&q->ec[0], xd->otherend_id, both_event,
				       q, name);
	}
	snprintf(name, sizeof(name), "%s-q%u-tx", dev_name(&xd->dev), q->index);
	err = xpv_evtchn_open(&q->ec[0], xd->otherend_id, tx_event, q, name);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s-q%u-rx", dev_name(&xd->dev), q->index);
	return xpv_evtchn_open(&q->ec[1], xd->otherend_id, rx_event, q, name);
}

/**
 * vnif_queue_create() - make rings and ports; nothing moves yet
 * @q: a queue without them
 *
 * Return: 0, or -errno with nothing left behind.
 */
int vnif_queue_create(struct vnif_queue *q)
{
	int err;

	err = vnif_tx_create(q);
	if (!err)
		err = vnif_rx_create(q);
	if (!err)
		err = open_ports(q);
	if (err)
		vnif_queue_destroy(q);
	return err;
}

/**
 * vnif_queue_destroy() - take back rings and ports, also half-made ones
 * @q: a stopped queue
 */
void vnif_queue_destroy(struct vnif_queue *q)
{
	xpv_evtchn_close(&q->ec[0]);
	xpv_evtchn_close(&q->ec[1]);
	vnif_rx_destroy(q);
	vnif_tx_destroy(q);
}

/**
 * vnif_queue_aim() - have a queue's events come to a CPU
 * @q: a queue with open ports
 * @cpu: an online CPU
 */
void vnif_queue_aim(struct vnif_queue *q, unsigned int cpu)
{
	xpv_evtchn_set_cpu(&q->ec[0], cpu);
	if (q->vnif->split)
		xpv_evtchn_set_cpu(&q->ec[1], cpu);
}

/**
 * vnif_queue_schedule() - look at both rings, whether there was an event or not
 * @q: a queue that is up
 */
void vnif_queue_schedule(struct vnif_queue *q)
{
	local_bh_disable();
	napi_schedule(&q->tx.napi);
	napi_schedule(&q->rx.napi);
	local_bh_enable();
}

/* The transmit poll wakes the netdev's queue once it has seen room. */
static void queue_start(struct vnif_queue *q)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);

	napi_enable(&q->tx.napi);
	napi_enable(&q->rx.napi);
	__netif_tx_lock_bh(nq);
	q->up = true;
	__netif_tx_unlock_bh(nq);
	vnif_queue_schedule(q);
	vnif_tx_watch(q);
}

/* No packet moves after this returns. Requests that the backend has stay with it. */
static void queue_stop(struct vnif_queue *q)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);

	__netif_tx_lock_bh(nq);
	q->up = false;
	netif_tx_stop_queue(nq);
	__netif_tx_unlock_bh(nq);
	napi_disable(&q->tx.napi);
	napi_disable(&q->rx.napi);
	/* Last: the polls may have asked for them. */
	cancel_delayed_work_sync(&q->tx.look);
	cancel_delayed_work_sync(&q->rx.refill);
}

/**
 * vnif_run_set() - queues are up when there is every reason for it
 * @vnif: the device; while it is connected the number of its queues does not change
 * @reason: one of them
 * @there: it is there, or it is not any more
 *
 * Sleeps. A lock of its own, taken inside RTNL or without it.
 */
void vnif_run_set(struct vnif *vnif, enum vnif_run reason, bool there)
{
	unsigned int i;
	bool was, is;

	mutex_lock(&vnif->run_lock);
	was = vnif->run == VNIF_RUN_ALL;
	WRITE_ONCE(vnif->run, there ? vnif->run | reason : vnif->run & ~reason);
	is = vnif->run == VNIF_RUN_ALL;
	for (i = 0; i < vnif->nqueues && was != is; i++) {
		if (is)
			queue_start(&vnif->queues[i]);
		else
			queue_stop(&vnif->queues[i]);
	}
	mutex_unlock(&vnif->run_lock);
}

/**
 * vnif_page_create() - a zeroed page that the backend may use as long as it lives
 * @domid: the backend's domain
 * @readonly: the backend may only read it
 * @page: set
 * @ref: set
 */
int vnif_page_create(domid_t domid, bool readonly, struct page **page,
		     grant_ref_t *ref)
{
	int err;

	err = xpv_gnt_claim(1, ref);
	if (err)
		return err;
	*page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!*page) {
		xpv_gnt_release(1, ref);
		return -ENOMEM;
	}
	xpv_gnt_grant(*ref, domid, *page, readonly);
	return 0;
}

/**
 * vnif_page_destroy() - end what vnif_page_create() made, if it did
 * @page: cleared
 * @ref: cleared
 */
void vnif_page_destroy(struct page **page, grant_ref_t *ref)
{
	xpv_gnt_end(*ref, *page);
	*page = NULL;
	*ref = XPV_GNT_NONE;
}
