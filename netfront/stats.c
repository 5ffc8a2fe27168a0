// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: per queue for `ethtool -S`, summed up for `ip -s link`.
 *
 * Life: the counters belong to the queues and outlive rings and connections; those of
 * event channels begin with each connection. Shown are the queues in use.
 * Locks: counters are read without any; on 32 bits u64_stats makes them whole. The
 * number of queues changes under RTNL, which ethtool holds.
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
	[VNIF_TX_MISSED] = "missed_events",
};

static const char rx_names[VNIF_RX_COUNTS][ETH_GSTRING_LEN] = {
	[VNIF_RX_PACKETS] = "packets",
	[VNIF_RX_BYTES] = "bytes",
	[VNIF_RX_CSUM] = "bad_offload",
	[VNIF_RX_NOMEM] = "no_memory",
	[VNIF_RX_STARVED] = "starved",
	[VNIF_RX_FIXED] = "gso_fixed",
	[VNIF_RX_KICKS] = "kicks",
	[VNIF_RX_MISSED] = "missed_events",
	[VNIF_RX_HASHED] = "hashed",
	[VNIF_RX_XDP_PASS] = "xdp_pass",
	[VNIF_RX_XDP_DROP] = "xdp_drop",
	[VNIF_RX_XDP_TX] = "xdp_tx",
	[VNIF_RX_XDP_REDIRECT] = "xdp_redirect",
	[VNIF_RX_XDP_UNFIT] = "xdp_unfit",
	[VNIF_RX_XDP_LOST] = "xdp_lost",
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

static void read_counts(const struct u64_stats_sync *sync,
			const u64_stats_t *count, unsigned int n, u64 *value)
{
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(sync);
		for (i = 0; i < n; i++)
			value[i] = u64_stats_read(&count[i]);
	} while (u64_stats_fetch_retry(sync, start));
}

static void read_tx(const struct vnif_queue *q, u64 *value)
{
	read_counts(&q->tx_stats.sync, q->tx_stats.count, VNIF_TX_COUNTS, value);
}

static void read_rx(const struct vnif_queue *q, u64 *value)
{
	read_counts(&q->rx_stats.sync, q->rx_stats.count, VNIF_RX_COUNTS, value);
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

	for (i = 0; i < vnif->limit; i++) {
		read_tx(&vnif->queues[i], tx);
		read_rx(&vnif->queues[i], rx);
		stats->tx_packets += tx[VNIF_TX_PACKETS];
		stats->tx_bytes += tx[VNIF_TX_BYTES];
		stats->tx_dropped += tx[VNIF_TX_DROPPED] + tx[VNIF_TX_LOST];
		stats->tx_errors += tx[VNIF_TX_ERRORS];
		stats->rx_packets += rx[VNIF_RX_PACKETS];
		stats->rx_bytes += rx[VNIF_RX_BYTES];
		stats->rx_dropped += rx[VNIF_RX_NOMEM] + rx[VNIF_RX_XDP_UNFIT] +
				     rx[VNIF_RX_XDP_LOST];
		stats->rx_errors += rx[VNIF_RX_CSUM];
		for (fault = VNIF_RX_FAULT; fault < VNIF_RX_COUNTS; fault++)
			stats->rx_errors += rx[fault];
	}
}

static unsigned int shown(const struct net_device *netdev)
{
	return netdev->real_num_tx_queues;
}

/**
 * vnif_stats_count() - numbers that vnif_stats_read() gives
 * @netdev: the interface
 */
int vnif_stats_count(struct net_device *netdev)
{
	return shown(netdev) * QUEUE_COUNTS;
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

/**
 * vnif_stats_names() - what the numbers are called
 * @netdev: the interface
 * @at: filled
 */
void vnif_stats_names(struct net_device *netdev, u8 *at)
{
	unsigned int i;

	for (i = 0; i < shown(netdev); i++) {
		put_names(&at, i, "tx", tx_names, ARRAY_SIZE(tx_names));
		put_names(&at, i, "rx", rx_names, ARRAY_SIZE(rx_names));
		put_names(&at, i, "port0", ec_names, ARRAY_SIZE(ec_names));
		put_names(&at, i, "port1", ec_names, ARRAY_SIZE(ec_names));
	}
}

/**
 * vnif_stats_read() - the numbers
 * @netdev: the interface
 * @value: filled
 */
void vnif_stats_read(struct net_device *netdev, u64 *value)
{
	struct vnif *vnif = netdev_priv(netdev);
	unsigned int i, port;

	for (i = 0; i < shown(netdev); i++) {
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
