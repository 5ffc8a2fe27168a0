// SPDX-License-Identifier: GPL-2.0
/*
 * Multicast: have the backend send only what somebody here listens to.
 *
 * The backend keeps a list of addresses, which requests without data on the transmit
 * ring change, and a key says whether it counts. It counts only while the list is all
 * that the interface wants; before an address is missing from it, the key is taken
 * back.
 *
 * Life: the list begins empty with each connection, and with it the key at 0. What the
 * stack wants is looked at by control work, soon after it has changed.
 * Locks: the stack's lists are read under the netdev's address lock, requests are made
 * under the xmit lock. All else belongs to control work.
 * Trust: a backend that filters wrongly loses packets, which it can do anyway.
 */
#include <linux/delay.h>

#include "vnif.h"

/* A full ring is tried so often again, so many milliseconds apart. */
#define TRIES	50
#define PAUSE	20

struct wanted {
	bool filter;
	unsigned int n;
	u8 addr[VNIF_MCAST_MAX][ETH_ALEN];
};

/* What the stack wants; without a filter if it is more than a list can say. */
static void read_wanted(struct net_device *netdev, struct wanted *wanted)
{
	struct netdev_hw_addr *ha;

	memset(wanted, 0, sizeof(*wanted));
	netif_addr_lock_bh(netdev);
	wanted->filter = netdev_mc_count(netdev) <= VNIF_MCAST_MAX &&
			 !(netdev->flags & (IFF_PROMISC | IFF_ALLMULTI));
	netdev_for_each_mc_addr(ha, netdev) {
		if (!wanted->filter)
			break;
		ether_addr_copy(wanted->addr[wanted->n++], ha->addr);
	}
	netif_addr_unlock_bh(netdev);
}

static bool is_among(const u8 *addr, const u8 (*list)[ETH_ALEN], unsigned int n)
{
	while (n--) {
		if (!memcmp(addr, list[n], ETH_ALEN))
			return true;
	}
	return false;
}

static bool tell(struct vnif *vnif, u8 type, const u8 *addr)
{
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		if (vnif_tx_mcast(&vnif->queues[0], type, addr))
			return true;
		msleep(PAUSE);
	}
	return false;
}

/* Take from the backend's list what is not wanted any more. */
static bool forget(struct vnif *vnif, const struct wanted *wanted)
{
	struct vnif_mcast *mcast = &vnif->mcast;
	unsigned int i = 0;

	while (i < mcast->n) {
		if (is_among(mcast->addr[i], wanted->addr, wanted->n)) {
			i++;
			continue;
		}
		if (!tell(vnif, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, mcast->addr[i]))
			return false;
		mcast->n--;
		memcpy(mcast->addr[i], mcast->addr[mcast->n], ETH_ALEN);
	}
	return true;
}

static bool add(struct vnif *vnif, const struct wanted *wanted)
{
	struct vnif_mcast *mcast = &vnif->mcast;
	unsigned int i;

	for (i = 0; i < wanted->n; i++) {
		if (is_among(wanted->addr[i], mcast->addr, mcast->n))
			continue;
		if (!tell(vnif, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, wanted->addr[i]))
			return false;
		memcpy(mcast->addr[mcast->n++], wanted->addr[i], ETH_ALEN);
	}
	return true;
}

static void set_filter(struct vnif *vnif, bool on)
{
	if (vnif->mcast.filter == on)
		return;
	vnif->mcast.filter = on;
	xpv_bus_republish(vnif->xd);
}

/**
 * vnif_mcast_begin() - another backend, or the same with an empty list
 * @vnif: the device, not connected
 * @offered: it takes a list, and changes of it
 */
void vnif_mcast_begin(struct vnif *vnif, bool offered)
{
	vnif->mcast.offered = offered;
	vnif->mcast.filter = false;
	vnif->mcast.n = 0;
	WRITE_ONCE(vnif->mcast.stale, true);
}

/**
 * vnif_mcast_follow() - tell the backend what is wanted, if that is news
 * @vnif: the device, LIVE; a hook of the bus
 */
void vnif_mcast_follow(struct vnif *vnif)
{
	struct vnif_mcast *mcast = &vnif->mcast;
	struct wanted *wanted;
	bool told;

	/* Without rings that move, nothing can be told; going up has us look again. */
	if (!mcast->offered || !READ_ONCE(mcast->stale) ||
	    !netif_running(vnif->netdev))
		return;
	wanted = kmalloc(sizeof(*wanted), GFP_KERNEL);
	if (!wanted) {
		set_filter(vnif, false);
		return;
	}
	/* Before the look: a change after it has us look again. */
	xchg(&mcast->stale, false);
	read_wanted(vnif->netdev, wanted);
	if (!wanted->filter) {
		set_filter(vnif, false);
	} else {
		told = forget(vnif, wanted) && add(vnif, wanted);
		set_filter(vnif, told);
	}
	kfree(wanted);
}

/**
 * vnif_mcast_changed() - ndo_set_rx_mode
 * @netdev: the interface
 */
void vnif_mcast_changed(struct net_device *netdev)
{
	struct vnif *vnif = netdev_priv(netdev);

	if (!READ_ONCE(vnif->mcast.offered))
		return;
	/* Wish before the signal; pairs with the exchange in vnif_mcast_follow(). */
	smp_store_mb(vnif->mcast.stale, true);
	xpv_bus_look(vnif->xd);
}
