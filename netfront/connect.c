// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake of a network device: what the backend offers, what we publish.
 *
 * Life: prepare reads the features and makes the queues, full of buffers; publish
 * says where they are; connect makes the interface known (the first time) and lets
 * packets move; stop and disconnect are the way back. The interface stays while
 * backends come and go: without one its carrier is off.
 * Locks: the hooks run one at a time, in process context. RTNL is taken where the
 * state of the netdev changes, and never while waiting for the backend.
 * Trust: all numbers come through the bounded readers of the bus. Features that a
 * backend does not offer are not used; packets that need them are dropped.
 */
#include <linux/delay.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>

#include "vnif.h"

/* How long a backend that closes politely may take for what it has. */
#define DRAIN_TIME	(2 * HZ)

static netdev_features_t read_offloads(struct xpv_device *xd)
{
	netdev_features_t offered = 0;

	if (!xpv_bus_get_flag(xd, "feature-no-csum-offload"))
		offered |= NETIF_F_IP_CSUM;
	if (xpv_bus_get_flag(xd, "feature-ipv6-csum-offload"))
		offered |= NETIF_F_IPV6_CSUM;
	if (!xpv_bus_get_flag(xd, "feature-sg"))
		return offered;
	offered |= NETIF_F_SG;
	/* Segments need their checksums made, too. */
	if ((offered & NETIF_F_IP_CSUM) &&
	    xpv_bus_get_flag(xd, "feature-gso-tcpv4"))
		offered |= NETIF_F_TSO;
	if ((offered & NETIF_F_IPV6_CSUM) &&
	    xpv_bus_get_flag(xd, "feature-gso-tcpv6"))
		offered |= NETIF_F_TSO6;
	return offered;
}

/**
 * vnif_prepare() - features, rings, ports
 * @xd: the bus's device
 */
int vnif_prepare(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	unsigned int i;
	u64 trusted;
	int err;

	if (!xpv_bus_get_flag(xd, "feature-rx-copy")) {
		xpv_bus_error(xd, -EOPNOTSUPP,
			      "the backend does not copy received packets (feature-rx-copy): use a newer one");
		return -EOPNOTSUPP;
	}
	vnif->offered = read_offloads(xd);
	vnif->split = xpv_bus_get_flag(xd, "feature-split-event-channels");
	vnif->multi = xpv_bus_get_u32(xd, "multi-queue-max-queues", 0, 0, ~0U);
	vnif->trusted = vnif_trusted;
	if (!xpv_bus_read_front_u64(xd, "trusted", &trusted) && !trusted)
		vnif->trusted = false;
	WRITE_ONCE(vnif->broken, false);
	for (i = 0; i < vnif->nqueues; i++) {
		err = vnif_queue_create(&vnif->queues[i]);
		if (err)
			goto err_destroy_queues;
	}
	return 0;

err_destroy_queues:
	xpv_bus_error(xd, err, "cannot make rings and event channels");
	while (i--)
		vnif_queue_destroy(&vnif->queues[i]);
	return err;
}

static void publish_queue(struct vnif_queue *q, struct xpv_batch *batch)
{
	xpv_batch_put(batch, "tx-ring-ref", "%u", q->tx.ring_ref);
	xpv_batch_put(batch, "rx-ring-ref", "%u", q->rx.ring_ref);
	if (q->vnif->split) {
		xpv_batch_put(batch, "event-channel-tx", "%u",
			      vnif_tx_port(q)->port);
		xpv_batch_put(batch, "event-channel-rx", "%u",
			      vnif_rx_port(q)->port);
	} else {
		xpv_batch_put(batch, "event-channel", "%u",
			      vnif_tx_port(q)->port);
	}
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
	bool rxcsum = vnif->netdev->features & NETIF_F_RXCSUM;

	if (vnif->multi)
		xpv_batch_put(batch, "multi-queue-num-queues", "%u",
			      vnif->nqueues);
	publish_queue(&vnif->queues[0], batch);
	xpv_batch_put(batch, "request-rx-copy", "1");
	xpv_batch_put(batch, "feature-rx-notify", "1");
	xpv_batch_put(batch, "feature-sg", "1");
	xpv_batch_put(batch, "feature-gso-tcpv4", rxcsum ? "1" : "0");
	xpv_batch_put(batch, "feature-gso-tcpv6", rxcsum ? "1" : "0");
	xpv_batch_put(batch, "feature-no-csum-offload", rxcsum ? "0" : "1");
	xpv_batch_put(batch, "feature-ipv6-csum-offload", rxcsum ? "1" : "0");
}

/* The interface takes its first MTU from the toolstack, if that says one. */
static int register_netdev_once(struct vnif *vnif)
{
	struct net_device *netdev = vnif->netdev;
	u64 mtu;
	int err;

	if (vnif->registered)
		return 0;
	if (!xpv_bus_read_front_u64(vnif->xd, "mtu", &mtu))
		netdev->mtu = clamp_t(u64, mtu, netdev->min_mtu,
				      netdev->max_mtu);
	netif_carrier_off(netdev);
	rtnl_lock();
	err = register_netdevice(netdev);
	rtnl_unlock();
	if (err)
		xpv_bus_error(vnif->xd, err, "cannot register the interface");
	else
		vnif->registered = true;
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

/**
 * vnif_connect() - the backend is there: let packets move
 * @xd: the bus's device
 */
int vnif_connect(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	struct net_device *netdev = vnif->netdev;
	unsigned int i;
	int err;

	netdev->max_mtu = vnif->offered & NETIF_F_SG ?
		VNIF_TX_MAX_LEN - ETH_HLEN : ETH_DATA_LEN;
	err = register_netdev_once(vnif);
	if (err)
		return err;

	rtnl_lock();
	if (netdev->mtu > netdev->max_mtu)
		dev_set_mtu(netdev, netdev->max_mtu);
	netdev_update_features(netdev);
	vnif->live = true;
	if (netif_running(netdev)) {
		for (i = 0; i < vnif->nqueues; i++)
			vnif_queue_start(&vnif->queues[i]);
	}
	netif_carrier_on(netdev);
	rtnl_unlock();

	/* Buffers were posted before the backend could see them. */
	for (i = 0; i < vnif->nqueues; i++)
		xpv_evtchn_notify(vnif_rx_port(&vnif->queues[i]));
	netdev_notify_peers(netdev);
	say_connected(vnif);
	return 0;
}

/**
 * vnif_changed() - the backend has announced itself again
 * @xd: the bus's device
 *
 * It may be somewhere else now: tell the neighbours.
 */
void vnif_changed(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);

	netdev_notify_peers(vnif->netdev);
}

/**
 * vnif_stop() - no packet moves any more
 * @xd: the bus's device
 * @why: a backend that will answer gets time for what it has
 */
int vnif_stop(struct xpv_device *xd, enum xpv_why why)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);
	unsigned long end = jiffies + DRAIN_TIME;
	unsigned int i;

	rtnl_lock();
	vnif->live = false;
	netif_carrier_off(vnif->netdev);
	for (i = 0; i < vnif->nqueues && netif_running(vnif->netdev); i++)
		vnif_queue_stop(&vnif->queues[i]);
	rtnl_unlock();

	if (why != XPV_WHY_CLOSING && why != XPV_WHY_REMOVE)
		return 0;
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

	for (i = 0; i < vnif->nqueues; i++)
		vnif_queue_destroy(&vnif->queues[i]);
}
