// SPDX-License-Identifier: GPL-2.0
/*
 * The link: carrier, speed and MTU, as the host says.
 *
 * The link is up while a backend is connected, unless the backend's `carrier` is 0 or
 * the toolstack has pulled the plug (`disconnect`). `mtu` is the toolstack's wish: it
 * is taken when it is new, and the guest's administrator may choose another one.
 *
 * Life: a watch on the frontend's directory from probe to remove, as the bus watches
 * the backend's alone; what was written is read by control work.
 * Locks: the netdev is changed under RTNL, and only if there is something to change:
 * a backend that writes all the time must not keep that busy.
 * Trust: see offer.c. A backend can let the link flap, ten times a second at most.
 */
#include <linux/rtnetlink.h>
#include <linux/string.h>

#include "plan.h"
#include "vnif.h"

/* What we write there ourselves is of no interest. */
static void front_event(struct xpv_watch *watch, const char *path)
{
	static const char * const keys[] = { "disconnect", "speed", "mtu" };
	struct vnif *vnif = container_of(watch, struct vnif, watch);
	const char *key = strrchr(path, '/');

	if (key && match_string(keys, ARRAY_SIZE(keys), key + 1) >= 0)
		xpv_bus_look(vnif->xd);
}

/**
 * vnif_link_watch() - begin to follow the toolstack
 * @vnif: the device
 */
int vnif_link_watch(struct vnif *vnif)
{
	vnif->watch.path = vnif->xd->nodename;
	vnif->watch.fn = front_event;
	return xpv_xs_watch(&vnif->watch);
}

/**
 * vnif_link_unwatch() - end it
 * @vnif: the device
 */
void vnif_link_unwatch(struct vnif *vnif)
{
	xpv_xs_unwatch(&vnif->watch);
}

static void set_mtu(struct vnif *vnif, u32 mtu)
{
	struct net_device *netdev = vnif->netdev;

	if (mtu)
		mtu = clamp_t(u32, mtu, netdev->min_mtu, netdev->max_mtu);
	if (mtu && mtu != netdev->mtu)
		dev_set_mtu(netdev, mtu);
}

/**
 * vnif_link_apply() - make the netdev what the keys say
 * @vnif: the device, LIVE
 * @link: from vnif_offer_link()
 *
 * Under RTNL.
 */
void vnif_link_apply(struct vnif *vnif, const struct vnif_link *link)
{
	if (link->mtu != vnif->link.mtu)
		set_mtu(vnif, link->mtu);
	vnif->link = *link;
	if (link->up)
		netif_carrier_on(vnif->netdev);
	else
		netif_carrier_off(vnif->netdev);
}

/**
 * vnif_link_follow() - one of the keys may have changed
 * @vnif: the device, LIVE
 */
void vnif_link_follow(struct vnif *vnif)
{
	struct vnif_link link;

	vnif_offer_link(vnif, &link);
	if (!memcmp(&link, &vnif->link, sizeof(link)))
		return;
	rtnl_lock();
	vnif_link_apply(vnif, &link);
	rtnl_unlock();
}
