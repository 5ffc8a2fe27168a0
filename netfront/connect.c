// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake of a network device: what we publish, and what becomes of the
 * interface when a connection comes and goes.
 *
 * Life: prepare reads the offer and makes the queues' rings, full of buffers; publish
 * says where they are; connect makes the interface known (the first time) and lets
 * packets move; stop and disconnect are the way back. The interface stays while
 * backends come and go: without one its carrier is off.
 * Locks: the hooks run one at a time, in process context. RTNL is taken where the
 * state of the netdev changes, but for a suspend, and never while waiting for the backend.
 * Trust: see offer.c. A backend decides how many queues there are, within limits that
 * are ours.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/rtnetlink.h>

#include "plan.h"
#include "vnif.h"

/* How long a backend that closes politely may take for what it has. */
#define DRAIN_TIME	(2 * HZ)
/* How long the network stack may take to notice a carrier: a second, or its work waits. */
#define NOTICE_TIME	(3 * HZ)

/*
 * All queues, or as many as there is room for: a card with fewer queues is better than
 * none. Return: 0, or why there is not even one.
 */
static int create_queues(struct vnif *vnif, unsigned int n)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		err = vnif_queue_create(&vnif->queues[i]);
	vnif->nqueues = err ? i - 1 : i;
	if (!vnif->nqueues)
		return err;
	if (err)
		dev_warn(&vnif->xd->dev,
			 "room for %u of %u queues only: more max_grant_frames or memory for this guest, or a smaller max_queues (%d)\n",
			 vnif->nqueues, n, err);
	return 0;
}

/**
 * vnif_prepare() - features, rings, ports
 * @xd: the bus's device
 */
int vnif_prepare(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	int n = vnif_offer_read(vnif), err;

	if (n < 0)
		return n;
	WRITE_ONCE(vnif->broken, false);
	err = create_queues(vnif, n);
	if (err) {
		xpv_bus_error(xd, err, "cannot make rings and event channels");
		return err;
	}
	/* Without it there is no hashing, and nothing else is missing. */
	vnif->terms.hash = vnif->terms.hash && !vnif_ctrl_create(vnif);
	return 0;
}

static void publish_port(const struct xpv_evtchn *ec, struct xpv_batch *batch,
			 const char *dir, const char *name)
{
	char key[40];

	snprintf(key, sizeof(key), "%s%s", dir, name);
	xpv_batch_put(batch, key, "%u", ec->port);
}

static void forget_port(struct xpv_batch *batch, const char *dir,
			const char *name)
{
	char key[40];

	snprintf(key, sizeof(key), "%s%s", dir, name);
	xpv_batch_remove(batch, key);
}

static void publish_queue(struct vnif_queue *q, struct xpv_batch *batch,
			  const char *dir)
{
	char key[40];

	snprintf(key, sizeof(key), "%stx-ring-ref", dir);
	xpv_batch_put(batch, key, "%u", q->tx.ring_ref);
	snprintf(key, sizeof(key), "%srx-ring-ref", dir);
	xpv_batch_put(batch, key, "%u", q->rx.ring_ref);
	if (q->vnif->split) {
		publish_port(vnif_tx_port(q), batch, dir, "event-channel-tx");
		publish_port(vnif_rx_port(q), batch, dir, "event-channel-rx");
		forget_port(batch, dir, "event-channel");
	} else {
		publish_port(vnif_tx_port(q), batch, dir, "event-channel");
		forget_port(batch, dir, "event-channel-tx");
		forget_port(batch, dir, "event-channel-rx");
	}
}

static void publish_queues(struct vnif *vnif, struct xpv_batch *batch)
{
	unsigned int i;
	char dir[20];

	if (vnif->multi)
		xpv_batch_put(batch, "multi-queue-num-queues", "%u",
			      vnif->nqueues);
	else
		xpv_batch_remove(batch, "multi-queue-num-queues");
	if (vnif->nqueues == 1) {
		publish_queue(&vnif->queues[0], batch, "");
		return;
	}
	for (i = 0; i < vnif->nqueues; i++) {
		snprintf(dir, sizeof(dir), "queue-%u/", i);
		publish_queue(&vnif->queues[i], batch, dir);
	}
}

static void publish_ctrl(struct vnif *vnif, struct xpv_batch *batch)
{
	if (!vnif->ctrl.ring_ref) {
		xpv_batch_remove(batch, "ctrl-ring-ref");
		xpv_batch_remove(batch, "event-channel-ctrl");
		return;
	}
	xpv_batch_put(batch, "ctrl-ring-ref", "%u", vnif->ctrl.ring_ref);
	xpv_batch_put(batch, "event-channel-ctrl", "%u", vnif->ctrl.ec.port);
}

/**
 * vnif_publish() - our keys
 * @xd: the bus's device
 * @batch: where they go
 *
 * A driver that was there before us may have left keys that mean something else:
 * all that the backend reads is written, also where it says what is the default.
 */
void vnif_publish(struct xpv_device *xd, struct xpv_batch *batch)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	/* A program sees packets as they were on a wire. */
	bool rxcsum = (vnif->netdev->features & NETIF_F_RXCSUM) &&
		      !vnif_xdp_on(vnif);

	publish_queues(vnif, batch);
	publish_ctrl(vnif, batch);
	xpv_batch_put(batch, "request-rx-copy", "1");
	xpv_batch_put(batch, "feature-rx-notify", "1");
	xpv_batch_put(batch, "feature-sg", "1");
	xpv_batch_put(batch, "feature-gso-tcpv4", rxcsum ? "1" : "0");
	xpv_batch_put(batch, "feature-gso-tcpv6", rxcsum ? "1" : "0");
	xpv_batch_put(batch, "feature-no-csum-offload", rxcsum ? "0" : "1");
	xpv_batch_put(batch, "feature-ipv6-csum-offload", rxcsum ? "1" : "0");
	xpv_batch_put(batch, "request-multicast-control", "%u",
		      vnif->mcast.filter);
	xpv_batch_put(batch, "xdp-headroom", "%u", vnif->terms.headroom);
}

/* Each CPU sends to one queue, whose events come to it. Under RTNL. */
static void aim_queues(struct vnif *vnif)
{
	unsigned int i, cpu;
	cpumask_var_t cpus;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return;
	for (i = 0; i < vnif->nqueues; i++) {
		unsigned int first = nr_cpu_ids, at = 0;

		cpumask_clear(cpus);
		for_each_online_cpu(cpu) {
			if (at++ % vnif->nqueues != i)
				continue;
			cpumask_set_cpu(cpu, cpus);
			first = min(first, cpu);
		}
		/* More queues than CPUs: somebody asked for them. */
		if (first == nr_cpu_ids)
			continue;
		netif_set_xps_queue(vnif->netdev, cpus, i);
		vnif_queue_aim(&vnif->queues[i], first);
	}
	free_cpumask_var(cpus);
}

/* The interface as this connection has it; the first time it is made known. */
static int shape_netdev(struct vnif *vnif)
{
	struct net_device *netdev = vnif->netdev;
	int err;

	netdev->max_mtu = vnif_plan_max_mtu(vnif->offered & NETIF_F_SG);
	err = netif_set_real_num_tx_queues(netdev, vnif->nqueues);
	if (!err)
		err = netif_set_real_num_rx_queues(netdev, vnif->nqueues);
	if (err || vnif->registered)
		return err;
	/* What the kernel has refused once it takes for a fault of ours the next time. */
	if (netdev->reg_state != NETREG_UNINITIALIZED)
		return -ENODEV;
	netif_carrier_off(netdev);
	err = register_netdevice(netdev);
	vnif->registered = !err;
	return err;
}

/* One line that says what was negotiated. */
static void say_connected(struct vnif *vnif)
{
	netdev_features_t offered = vnif->offered;

	netdev_info(vnif->netdev,
		    "%s: backend domain %u, %u queue%s, %s%s%s%s%s%s%s\n",
		    dev_name(&vnif->xd->dev), vnif->xd->otherend_id,
		    vnif->nqueues, vnif->nqueues == 1 ? "" : "s",
		    vnif->split ? "split event channels" : "one event channel",
		    offered & NETIF_F_SG ? ", scatter-gather" : "",
		    offered & NETIF_F_IP_CSUM ? ", IPv4 checksum" : "",
		    offered & NETIF_F_IPV6_CSUM ? ", IPv6 checksum" : "",
		    offered & NETIF_F_TSO ? ", TSO" : "",
		    offered & NETIF_F_TSO6 ? ", TSO6" : "",
		    vnif->trusted ? "" : "; backend not trusted");
}

static void go_up(struct vnif *vnif, const struct vnif_link *link)
{
	struct net_device *netdev = vnif->netdev;

	if (netdev->mtu > netdev->max_mtu)
		dev_set_mtu(netdev, netdev->max_mtu);
	netdev_update_features(netdev);
	aim_queues(vnif);
	vnif_run_set(vnif, VNIF_RUN_LIVE, true);
	vnif_link_apply(vnif, link);
}

/*
 * The guest may be somewhere else now. What is sent before the network stack has
 * noticed that the carrier is there is lost, and it notices in work of its own.
 */
static void tell_neighbours(struct net_device *netdev)
{
	unsigned long end = jiffies + NOTICE_TIME;

	while (test_bit(__LINK_STATE_LINKWATCH_PENDING, &netdev->state) &&
	       time_before(jiffies, end))
		msleep(20);
	netdev_notify_peers(netdev);
}

/**
 * vnif_connect() - the backend is there: let packets move
 * @xd: the bus's device
 */
int vnif_connect(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	struct vnif_link link;
	unsigned int i;
	int err;

	vnif_offer_link(vnif, &link);
	rtnl_lock();
	err = shape_netdev(vnif);
	if (!err)
		go_up(vnif, &link);
	rtnl_unlock();
	if (err) {
		xpv_bus_error(xd, err, "cannot register the interface");
		return err;
	}

	/* Buffers were posted before the backend could see them. */
	for (i = 0; i < vnif->nqueues; i++)
		xpv_evtchn_notify(vnif_rx_port(&vnif->queues[i]));
	vnif_hash_begin(vnif);
	vnif_hash_follow(vnif);
	vnif_mcast_follow(vnif);
	tell_neighbours(vnif->netdev);
	say_connected(vnif);
	return 0;
}

/**
 * vnif_changed() - somebody has written to one of the directories
 * @xd: the bus's device
 */
void vnif_changed(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);

	vnif_link_follow(vnif);
	vnif_hash_follow(vnif);
	vnif_mcast_follow(vnif);
}

/**
 * vnif_suspend() - no packet moves, and the stack sees no change of the link
 * @xd: the bus's device
 *
 * Without RTNL: whoever holds it does not keep a guest from being suspended, unless a
 * card is just coming or going, which takes RTNL.
 */
void vnif_suspend(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);

	/* Neither configured nor taken for hung meanwhile. */
	netif_device_detach(vnif->netdev);
	vnif_run_set(vnif, VNIF_RUN_LIVE, false);
}

/**
 * vnif_resume() - packets move again, on the same rings
 * @xd: the bus's device
 */
void vnif_resume(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);

	vnif_run_set(vnif, VNIF_RUN_LIVE, true);
	netif_device_attach(vnif->netdev);
	/* A group that was joined or left meanwhile: nobody was told of it. */
	vnif_mcast_changed(vnif->netdev);
}

/**
 * vnif_stop() - no packet moves any more
 * @xd: the bus's device
 * @why: a backend that will answer gets time for what it has
 */
int vnif_stop(struct xpv_device *xd, enum xpv_why why)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	unsigned long end = jiffies;
	unsigned int i;

	rtnl_lock();
	netif_carrier_off(vnif->netdev);
	vnif_run_set(vnif, VNIF_RUN_LIVE, false);
	/* After vnif_suspend(). */
	netif_device_attach(vnif->netdev);
	rtnl_unlock();

	/* What was answered was sent; what was not, may be in a moment. */
	if (why == XPV_WHY_CLOSING || why == XPV_WHY_REMOVE)
		end += DRAIN_TIME;
	for (i = 0; i < vnif->nqueues; i++) {
		while (!vnif_tx_drain(&vnif->queues[i]) &&
		       time_before(jiffies, end))
			msleep(20);
	}
	return 0;
}

/**
 * vnif_disconnect() - take everything back
 * @xd: the bus's device
 * @why: a packet has no second chance, whatever the reason
 */
void vnif_disconnect(struct xpv_device *xd, enum xpv_why why)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	unsigned int i;

	vnif_ctrl_destroy(vnif);
	for (i = 0; i < vnif->limit; i++)
		vnif_queue_destroy(&vnif->queues[i]);
}
