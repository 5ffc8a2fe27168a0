// SPDX-License-Identifier: GPL-2.0
/*
 * xen-vnif: the module, its devices and their interfaces.
 *
 * Life: probe makes the netdev with its queues, remove frees it. In between the
 * hooks in connect.c bring a backend and take it away; the interface is registered
 * with the first one and then stays.
 * Locks: queues are up when the interface is up and the backend is there; see
 * vnif_run_set().
 * Trust: the address comes from the toolstack, or from the backend where that says
 * none; it is parsed strictly, and an address that is no host's is refused.
 */
#include <linux/cpumask.h>
#include <linux/module.h>

#include "plan.h"
#include "vnif.h"

bool vnif_trusted = true;
module_param_named(trusted, vnif_trusted, bool, 0444);
MODULE_PARM_DESC(trusted, "the backend may see what lies beside the bytes it is given; no: copy every packet, clear every buffer (default yes)");

static unsigned int vnif_max_queues;
module_param_named(max_queues, vnif_max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues, "most queues of a card (0: one for each CPU, 8 at most; up to 64, default 0)");

/**
 * vnif_broken() - stop believing the backend of a device
 * @vnif: the device
 * @reason: constant string, see xpv_bus_broken()
 *
 * Any context.
 */
void vnif_broken(struct vnif *vnif, const char *reason)
{
	WRITE_ONCE(vnif->broken, true);
	xpv_bus_broken(vnif->xd, reason);
}

static int vnif_open(struct net_device *netdev)
{
	vnif_run_set(netdev_priv(netdev), VNIF_RUN_OPEN, true);
	return 0;
}

static int vnif_close(struct net_device *netdev)
{
	vnif_run_set(netdev_priv(netdev), VNIF_RUN_OPEN, false);
	return 0;
}

static netdev_features_t vnif_fix_features(struct net_device *netdev,
					   netdev_features_t features)
{
	struct vnif *vnif = netdev_priv(netdev);

	if (!vnif->terms.hash)
		features &= ~NETIF_F_RXHASH;
	return features & (~VNIF_OFFLOADS | vnif->offered);
}

static int vnif_set_features(struct net_device *netdev,
			     netdev_features_t features)
{
	if ((netdev->features ^ features) & NETIF_F_RXHASH)
		vnif_hash_switch(netdev_priv(netdev), features & NETIF_F_RXHASH);
	return 0;
}

static int vnif_change_mtu(struct net_device *netdev, int mtu)
{
	if (vnif_xdp_on(netdev_priv(netdev)) && mtu > vnif_xdp_max_mtu()) {
		netdev_warn(netdev, "MTU %d is too large for an XDP program: %u at most\n",
			    mtu, vnif_xdp_max_mtu());
		return -EINVAL;
	}
	WRITE_ONCE(netdev->mtu, mtu);
	return 0;
}

static const struct net_device_ops vnif_netdev_ops = {
	.ndo_open = vnif_open,
	.ndo_stop = vnif_close,
	.ndo_start_xmit = vnif_tx_xmit,
	.ndo_get_stats64 = vnif_get_stats64,
	.ndo_fix_features = vnif_fix_features,
	.ndo_set_rx_mode = vnif_mcast_changed,
	.ndo_set_features = vnif_set_features,
	.ndo_change_mtu = vnif_change_mtu,
	.ndo_bpf = vnif_xdp,
	.ndo_xdp_xmit = vnif_xdp_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

/* "00:16:3e:01:02:03", nothing before and nothing behind it. */
static int read_mac(struct xpv_device *xd, u8 *mac)
{
	char text[sizeof("00:16:3e:01:02:03")];
	int len;

	len = xpv_bus_read_front_string(xd, "mac", text, sizeof(text));
	if (len == -ENOENT)
		len = xpv_bus_read_string(xd, "mac", text, sizeof(text));
	if (len == sizeof(text) - 1 && mac_pton(text, mac) &&
	    is_valid_ether_addr(mac))
		return 0;
	if (len >= 0)
		len = -EINVAL;
	xpv_bus_error(xd, len,
		      "no usable Ethernet address in xenstore: set mac= in the guest's configuration");
	return len;
}

/* As many as any connection of it may have. */
static int make_queues(struct vnif *vnif, unsigned int n)
{
	unsigned int i;

	vnif->queues = kvcalloc(n, sizeof(*vnif->queues), GFP_KERNEL);
	if (!vnif->queues)
		return -ENOMEM;
	vnif->limit = n;
	vnif->max_queues = n;
	vnif->tx_frames = VNIF_TX_FRAMES_MAX;
	for (i = 0; i < n; i++) {
		struct vnif_queue *q = &vnif->queues[i];

		q->vnif = vnif;
		q->index = i;
		u64_stats_init(&q->tx_stats.sync);
		u64_stats_init(&q->rx_stats.sync);
		INIT_DELAYED_WORK(&q->tx.look, vnif_tx_look);
		INIT_DELAYED_WORK(&q->rx.refill, vnif_rx_retry);
		netif_napi_add_tx(vnif->netdev, &q->tx.napi, vnif_tx_poll);
		netif_napi_add(vnif->netdev, &q->rx.napi, vnif_rx_poll);
	}
	return 0;
}

static void shape_netdev(struct net_device *netdev, const u8 *mac)
{
	eth_hw_addr_set(netdev, mac);
	netdev->netdev_ops = &vnif_netdev_ops;
	netdev->ethtool_ops = &vnif_ethtool_ops;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	/* A held packet's control block is ours: it is in one place on the ring at a time. */
	netdev->priv_flags &= ~IFF_TX_SKB_SHARING;
	netdev->hw_features = VNIF_OFFLOADS | NETIF_F_RXCSUM;
	/* What the backend does not offer is taken away by ndo_fix_features. */
	netdev->features = netdev->hw_features | NETIF_F_HIGHDMA |
			   NETIF_F_GSO_ROBUST;
	/* Costs the backend: for those who ask. */
	netdev->hw_features |= NETIF_F_RXHASH;
	netif_set_tso_max_size(netdev, VNIF_TX_MAX_LEN);
	xpv_set_xdp_features(netdev);
}

/* The interface with its queues, not known to anybody yet. */
static struct vnif *vnif_alloc(struct xpv_device *xd)
{
	u32 limit = vnif_plan_limit(num_possible_cpus(), vnif_max_queues);
	struct net_device *netdev = alloc_etherdev_mq(sizeof(struct vnif), limit);
	struct vnif *vnif;

	if (!netdev)
		return NULL;
	SET_NETDEV_DEV(netdev, &xd->dev);
	vnif = netdev_priv(netdev);
	vnif->xd = xd;
	vnif->netdev = netdev;
	mutex_init(&vnif->run_lock);
	vnif_hash_init(vnif);
	if (make_queues(vnif, limit)) {
		free_netdev(netdev);
		return NULL;
	}
	return vnif;
}

static void vnif_free(struct vnif *vnif)
{
	struct vnif_queue *queues = vnif->queues;

	/* The netdev frees its NAPIs, which are inside the queues. */
	free_netdev(vnif->netdev);
	kvfree(queues);
}

/* xl says of a card that has no emulated twin that it has none. */
static bool has_twin(struct xpv_device *xd, const u8 *mac)
{
	char type[sizeof("vif")];
	bool alone = xpv_bus_read_string(xd, "type", type, sizeof(type)) > 0 &&
		     !strcmp(type, "vif");

	return !alone && xpv_unplug_nic_twin(mac);
}

static int vnif_probe(struct xpv_device *xd)
{
	struct vnif *vnif;
	u8 mac[ETH_ALEN];
	int err;

	err = read_mac(xd, mac);
	if (err)
		return err;
	if (has_twin(xd, mac)) {
		dev_info(&xd->dev,
			 "left alone: the emulated card with address %pM is still there; load xen-platform-pci with unplug=nics to use this one\n",
			 mac);
		return -ENODEV;
	}
	vnif = vnif_alloc(xd);
	if (!vnif)
		return -ENOMEM;
	shape_netdev(vnif->netdev, mac);
	err = vnif_link_watch(vnif);
	if (err) {
		xpv_bus_error(xd, err, "cannot watch its own directory");
		vnif_free(vnif);
		return err;
	}
	vnif_debug_add(vnif);
	dev_set_drvdata(&xd->dev, vnif);
	return 0;
}

static void vnif_remove(struct xpv_device *xd)
{
	struct vnif *vnif = dev_get_drvdata(&xd->dev);

	vnif_link_unwatch(vnif);
	vnif_debug_remove(vnif);
	if (vnif->registered)
		unregister_netdev(vnif->netdev);
	vnif_free(vnif);
	dev_set_drvdata(&xd->dev, NULL);
}

static struct xpv_driver vnif_driver = {
	.type = "vif",
	.announce = XenbusStateConnected,
	.probe = vnif_probe,
	.prepare = vnif_prepare,
	.publish = vnif_publish,
	.connect = vnif_connect,
	.changed = vnif_changed,
	.stop = vnif_stop,
	.disconnect = vnif_disconnect,
	.suspend = vnif_suspend,
	.resume = vnif_resume,
	.remove = vnif_remove,
};

static int __init vnif_init(void)
{
	int err;

	vnif_debug_init();
	err = xpv_bus_register_driver(&vnif_driver);
	if (err)
		vnif_debug_exit();
	return err;
}
module_init(vnif_init);

static void __exit vnif_exit(void)
{
	xpv_bus_unregister_driver(&vnif_driver);
	vnif_debug_exit();
}
module_exit(vnif_exit);

MODULE_AUTHOR("The xenpv authors");
MODULE_DESCRIPTION("Xen paravirtual network frontend for kernels without Xen support");
MODULE_LICENSE("GPL");
MODULE_VERSION(XENPV_VERSION);
MODULE_ALIAS("xen:vif");
MODULE_ALIAS("xennet");
MODULE_ALIAS("xen_netfront");
