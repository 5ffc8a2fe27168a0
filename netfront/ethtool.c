// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator asks: ethtool -i, -S, -g, -l, and the totals of `ip -s`.
 *
 * Life: the counters belong to the queues and outlive rings and connections.
 * Locks: counters are read without any; on 32 bits u64_stats makes them whole.
 * Trust: numbers that a backend can drive up are numbers of packets that it sent.
 */
#include <linux/ethtool.h>

#include "vnif.h"

static const char tx_names[VNIF_TX_COUNTS][ETH_GSTRING_LEN] = {
	[VNIF_TX_PACKETS] = "packets",
	[VNIF_TX_BYTES] = "bytes",
	[VNIF_TX_DROPPED] = "dropped",
	[VNIF_TX_LOST] = "lost",
	[VNIF_TX_ERRORS] = "errors",
	[VNIF_TX_COPIES] = "copies",
	[VNIF_TX_KICKS] = "kicks",
	[VNIF_TX_STOPS] = "stops",
	[VNIF_TX_HELD] = "held_pages",
	[VNIF_TX_TIMEOUTS] = "timeouts",
};

static const char rx_names[VNIF_RX_COUNTS][ETH_GSTRING_LEN] = {
	[VNIF_RX_PACKETS] = "packets",
	[VNIF_RX_BYTES] = "bytes",
	[VNIF_RX_CSUM] = "bad_offload",
	[VNIF_RX_NOMEM] = "no_memory",
	[VNIF_RX_STARVED] = "starved",
	[VNIF_RX_FIXED] = "gso_fixed",
	[VNIF_RX_KICKS] = "kicks",
	[VNIF_RX_FAULT + VNIF_RX_ERROR - 1] = "errors",
	[VNIF_RX_FAULT + VNIF_RX_BOUNDS - 1] = "bad_bounds",
	[VNIF_RX_FAULT + VNIF_RX_SHORT - 1] = "too_short",
	[VNIF_RX_FAULT + VNIF_RX_LONG - 1] = "too_long",
	[VNIF_RX_FAULT + VNIF_RX_EXTRA - 1] = "bad_extra",
};

static const char ec_names[][ETH_GSTRING_LEN] = {
	"events", "spurious", "throttled",
};

#define PORTS		2
#define QUEUE_COUNTS	(VNIF_TX_COUNTS + VNIF_RX_COUNTS + \
			 PORTS * ARRAY_SIZE(ec_names))

static void read_tx(const struct vnif_queue *q, u64 *value)
{
	const struct vnif_tx_stats *stats = &q->tx_stats;
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&stats->sync);
		for (i = 0; i < VNIF_TX_COUNTS; i++)
			value[i] = u64_stats_read(&stats->count[i]);
	} while (u64_stats_fetch_retry(&stats->sync, start));
}

static void read_rx(const struct vnif_queue *q, u64 *value)
{
	const struct vnif_rx_stats *stats = &q->rx_stats;
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&stats->sync);
		for (i = 0; i < VNIF_RX_COUNTS; i++)
			value[i] = u64_stats_read(&stats->count[i]);
	} while (u64_stats_fetch_retry(&stats->sync, start));
}

/**
 * vnif_get_stats64() - ndo_get_stats64: sums over the queues
 * @netdev: the interface
 * @stats: filled
 */
void vnif_get_stats64(struct net_device *netdev,
		      struct rtnl_link_stats64 *stats)
{
	struct vnif *vnif = netdev_priv(netdev);
	u64 tx[VNIF_TX_COUNTS], rx[VNIF_RX_COUNTS];
	unsigned int i, fault;

	for (i = 0; i < vnif->nqueues; i++) {
		read_tx(&vnif->queues[i], tx);
		read_rx(&vnif->queues[i], rx);
		stats->tx_packets += tx[VNIF_TX_PACKETS];
		stats->tx_bytes += tx[VNIF_TX_BYTES];
		stats->tx_dropped += tx[VNIF_TX_DROPPED] + tx[VNIF_TX_LOST];
		stats->tx_errors += tx[VNIF_TX_ERRORS];
		stats->rx_packets += rx[VNIF_RX_PACKETS];
		stats->rx_bytes += rx[VNIF_RX_BYTES];
		stats->rx_dropped += rx[VNIF_RX_NOMEM];
		stats->rx_errors += rx[VNIF_RX_CSUM];
		for (fault = VNIF_RX_FAULT; fault < VNIF_RX_COUNTS; fault++)
			stats->rx_errors += rx[fault];
	}
}

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
	struct vnif *vnif = netdev_priv(netdev);

	return set == ETH_SS_STATS ? vnif->nqueues * QUEUE_COUNTS : -EOPNOTSUPP;
}

static void put_names(u8 **at, unsigned int queue, const char *what,
		      const char (*names)[ETH_GSTRING_LEN], unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		scnprintf(*at, ETH_GSTRING_LEN, "q%u_%s_%s", queue, what,
			  names[i]);
		*at += ETH_GSTRING_LEN;
	}
}

static void get_strings(struct net_device *netdev, u32 set, u8 *at)
{
	struct vnif *vnif = netdev_priv(netdev);
	unsigned int i;

	if (set != ETH_SS_STATS)
		return;
	for (i = 0; i < vnif->nqueues; i++) {
		put_names(&at, i, "tx", tx_names, ARRAY_SIZE(tx_names));
		put_names(&at, i, "rx", rx_names, ARRAY_SIZE(rx_names));
		put_names(&at, i, "port0", ec_names, ARRAY_SIZE(ec_names));
		put_names(&at, i, "port1", ec_names, ARRAY_SIZE(ec_names));
	}
}

static void get_ethtool_stats(struct net_device *netdev,
			      struct ethtool_stats *request, u64 *value)
{
	struct vnif *vnif = netdev_priv(netdev);
	unsigned int i, port;

	for (i = 0; i < vnif->nqueues; i++) {
		const struct vnif_queue *q = &vnif->queues[i];

		read_tx(q, value);
		value += VNIF_TX_COUNTS;
		read_rx(q, value);
		value += VNIF_RX_COUNTS;
		for (port = 0; port < PORTS; port++) {
			*value++ = READ_ONCE(q->ec[port].events);
			*value++ = READ_ONCE(q->ec[port].spurious);
			*value++ = READ_ONCE(q->ec[port].throttled);
		}
	}
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

	channels->max_combined = vnif->nqueues;
	channels->combined_count = vnif->nqueues;
}

const struct ethtool_ops vnif_ethtool_ops = {
	.get_drvinfo = get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = get_sset_count,
	.get_strings = get_strings,
	.get_ethtool_stats = get_ethtool_stats,
	.get_ringparam = get_ringparam,
	.get_channels = get_channels,
	.get_ts_info = ethtool_op_get_ts_info,
};
