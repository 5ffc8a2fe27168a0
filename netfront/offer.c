// SPDX-License-Identifier: GPL-2.0
/*
 * What the backend offers, and what the toolstack has written about the link.
 *
 * Life: the offer is read at prepare; the link's keys at connect and whenever one of
 * them is written.
 * Locks: none here.
 * Trust: each key is read once and through the bounded readers of the bus. What a
 * backend does not offer is not used.
 */
#include <linux/cpumask.h>

#include "plan.h"
#include "vnif.h"

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
 * vnif_offer_read() - all that the next connection depends on
 * @vnif: the device; its part that belongs to the connection is set
 *
 * Return: the number of queues that there should be, or -EOPNOTSUPP and an error node
 * says what is missing.
 */
int vnif_offer_read(struct vnif *vnif)
{
	struct xpv_device *xd = vnif->xd;
	struct vnif_wish wish = {
		.cpus = num_online_cpus(),
		.limit = vnif->limit,
		.asked = READ_ONCE(vnif->asked),
	};

	if (!xpv_bus_get_flag(xd, "feature-rx-copy")) {
		xpv_bus_error(xd, -EOPNOTSUPP,
			      "the backend does not copy received packets (feature-rx-copy): use a newer one");
		return -EOPNOTSUPP;
	}
	vnif->offered = read_offloads(xd);
	vnif->split = xpv_bus_get_flag(xd, "feature-split-event-channels");
	/* The administrator of either side may say no. */
	vnif->trusted = vnif_trusted && xpv_bus_front_trusted(xd);
	vnif_mcast_begin(vnif, xpv_bus_get_flag(xd, "feature-dynamic-multicast-control"));
	vnif->terms.hash = xpv_bus_get_flag(xd, "feature-ctrl-ring");
	vnif->terms.headroom = vnif_xdp_on(vnif) &&
			       xpv_bus_get_flag(xd, "feature-xdp-headroom") ?
			       XDP_PACKET_HEADROOM : 0;
	wish.offered = xpv_bus_get_u32(xd, "multi-queue-max-queues", 0, 0,
				       VNIF_QUEUES_MAX);
	vnif->multi = wish.offered;
	WRITE_ONCE(vnif->max_queues,
		   clamp_t(u32, wish.offered, 1, vnif->limit));
	return vnif_plan_queues(&wish);
}

/**
 * vnif_offer_link() - what both directories say about the link
 * @vnif: the device
 * @link: filled
 */
void vnif_offer_link(struct vnif *vnif, struct vnif_link *link)
{
	struct xpv_device *xd = vnif->xd;
	char text[24];
	u64 value;

	memset(link, 0, sizeof(*link));
	link->up = xpv_bus_get_u32(xd, "carrier", 1, 0, 1);
	if (!xpv_bus_read_front_u64(xd, "disconnect", &value) && value)
		link->up = false;
	if (xpv_bus_read_front_string(xd, "speed", text, sizeof(text)) <= 0 ||
	    vnif_plan_speed(text, &link->mbps))
		link->mbps = 0;
	if (!xpv_bus_read_front_u64(xd, "mtu", &value))
		link->mtu = vnif_plan_mtu(value, U32_MAX);
}
