// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator asks and sets: ethtool -i, -S, -g, -l, -L, -c, -C, -T, -x, -X,
 * and the link.
 *
 * The number of queues is the backend's to agree to: `ethtool -L` has the connection
 * made anew, which takes a moment in which packets wait or are lost.
 *
 * Life: from the interface's registration on; what is asked for is kept for the next
 * connection if there is none now.
 * Locks: RTNL, which the callers hold.
 * Trust: nothing here is the backend's but what vnif.h says of its origin.
 */
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>

#include "vnif.h"

static void get_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	struct vnif *vnif = netdev_priv(netdev);

	strscpy(info->driver, VNIF_DRIVER, sizeof(info->driver));
	strscpy(info->version, XENPV_VERSION, sizeof(info->version));
	strscpy(info->bus_info, dev_name(&vnif->xd->dev),
		sizeof(info->bus_info));
}

static int get_sset_count(struct net_device *netdev, int set)
{
	return set == ETH_SS_STATS ? vnif_stats_count(netdev) : -EOPNOTSUPP;
}

static void get_strings(struct net_device *netdev, u32 set, u8 *at)
{
	if (set == ETH_SS_STATS)
		vnif_stats_names(netdev, at);
}

static void get_ethtool_stats(struct net_device *netdev,
			      struct ethtool_stats *request, u64 *value)
{
	vnif_stats_read(netdev, value);
}

static void get_ringparam(XPV_RINGPARAM_ARGS(netdev, ring))
{
	ring->rx_max_pending = VNIF_RING_SLOTS;
	ring->tx_max_pending = VNIF_RING_SLOTS;
	ring->rx_pending = VNIF_RING_SLOTS;
	ring->tx_pending = VNIF_RING_SLOTS;
}

static void get_channels(struct net_device *netdev,
			 struct ethtool_channels *channels)
{
	struct vnif *vnif = netdev_priv(netdev);

	channels->max_combined = READ_ONCE(vnif->max_queues);
	channels->combined_count = netdev->real_num_tx_queues;
}

/* The core has compared the wish with what get_channels() says. */
static int set_channels(struct net_device *netdev,
			struct ethtool_channels *channels)
{
	struct vnif *vnif = netdev_priv(netdev);

	if (!channels->combined_count)
		return -EINVAL;
	WRITE_ONCE(vnif->asked, channels->combined_count);
	if (channels->combined_count != netdev->real_num_tx_queues)
		xpv_bus_reopen(vnif->xd);
	return 0;
}

static int get_link_ksettings(struct net_device *netdev,
			      struct ethtool_link_ksettings *settings)
{
	struct vnif *vnif = netdev_priv(netdev);

	settings->base.speed = vnif->link.mbps ?: SPEED_UNKNOWN;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static int get_coalesce(XPV_COALESCE_ARGS(netdev, coalesce))
{
	struct vnif *vnif = netdev_priv(netdev);

	coalesce->tx_max_coalesced_frames = vnif->tx_frames;
	return 0;
}

/*
 * Transmit events only: one comes with the last of so many answers; earlier, if somebody
 * waits for one. A receive event is never late.
 */
static int set_coalesce(XPV_COALESCE_ARGS(netdev, coalesce))
{
	struct vnif *vnif = netdev_priv(netdev);

	if (!coalesce->tx_max_coalesced_frames ||
	    coalesce->tx_max_coalesced_frames > VNIF_TX_FRAMES_MAX)
		return -EINVAL;
	WRITE_ONCE(vnif->tx_frames, coalesce->tx_max_coalesced_frames);
	return 0;
}

static int get_ts_info(struct net_device *netdev,
		       struct kernel_ethtool_ts_info *info)
{
	info->so_timestamping = SOF_TIMESTAMPING_TX_SOFTWARE |
				SOF_TIMESTAMPING_RX_SOFTWARE |
				SOF_TIMESTAMPING_SOFTWARE;
	info->phc_index = -1;
	return 0;
}

static int get_rxnfc(struct net_device *netdev, struct ethtool_rxnfc *info,
		     u32 *rules)
{
	if (info->cmd != ETHTOOL_GRXRINGS)
		return -EOPNOTSUPP;
	info->data = netdev->real_num_rx_queues;
	return 0;
}

static u32 get_rxfh_key_size(struct net_device *netdev)
{
	return VNIF_HASH_KEY;
}

XPV_RXFH_OPS(vnif_hash_get, vnif_hash_set)

const struct ethtool_ops vnif_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_TX_MAX_FRAMES,
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_ethtool_stats,
	.get_ringparam = get_ringparam,
	.get_channels = get_channels,
	.set_channels = set_channels,
	.get_link_ksettings = get_link_ksettings,
	.get_ts_info = get_ts_info,
	.get_coalesce = get_coalesce,
	.set_coalesce = set_coalesce,
	.get_rxnfc = get_rxnfc,
	.get_rxfh_indir_size = vnif_hash_size,
	.get_rxfh_key_size = get_rxfh_key_size,
	.get_rxfh = XPV_RXFH_GET(vnif_hash_get),
	.set_rxfh = XPV_RXFH_SET(vnif_hash_set),
};
