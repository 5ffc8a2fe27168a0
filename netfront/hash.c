// SPDX-License-Identifier: GPL-2.0
/*
 * Receive hashing: the backend makes a Toeplitz hash of each packet, puts the packet on
 * the queue that a table names for it, and sends the hash along.
 *
 * It costs the backend's domain a computation for each packet, so it is off until
 * somebody asks: for hashes (`ethtool -K rxhash on`), or for a key or a table of his own
 * (`ethtool -X`; `ethtool -X default` gives the table back).
 *
 * Life: key and table belong to the interface and are told to each connection; what
 * ethtool changes is told by control work, for nobody may wait for a backend under RTNL.
 * Locks: lock, inside RTNL, guards struct vnif_hash.
 * Trust: the backend may hash as it likes: a hash only chooses CPUs and sockets' queues.
 */
#include <linux/ethtool.h>
#include <linux/mm.h>
#include <linux/rtnetlink.h>

#include "vnif.h"

/* What there are bits for. */
#define HASH_TYPES	(XEN_NETIF_CTRL_HASH_TYPE_IPV4 | \
			 XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP | \
			 XEN_NETIF_CTRL_HASH_TYPE_IPV6 | \
			 XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP)

/* ---- to the backend -------------------------------------------------------------- */

static int ask(struct vnif *vnif, u16 type, u32 a, u32 b, u32 c, u32 *data)
{
	struct xen_netif_ctrl_request req = {
		.type = type,
		.data = { a, b, c },
	};

	return vnif_ctrl_ask(vnif, &req, data);
}

static int tell_algorithm(struct vnif *vnif, u32 algorithm)
{
	return ask(vnif, XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM, algorithm, 0, 0,
		   NULL);
}

static int tell_types(struct vnif *vnif)
{
	u32 types;
	int err;

	err = ask(vnif, XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS, 0, 0, 0, &types);
	if (err)
		return err;
	return ask(vnif, XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS,
		   types & HASH_TYPES, 0, 0, NULL);
}

static int tell_key(struct vnif *vnif, const struct vnif_hash *hash)
{
	memcpy(page_address(vnif->ctrl.page), hash->key, sizeof(hash->key));
	return ask(vnif, XEN_NETIF_CTRL_TYPE_SET_HASH_KEY, vnif->ctrl.ref,
		   sizeof(hash->key), 0, NULL);
}

/* The table may be older than this connection with its number of queues. */
static int tell_table(struct vnif *vnif, const struct vnif_hash *hash)
{
	u32 *table = page_address(vnif->ctrl.page);
	unsigned int i;
	int err;

	if (!hash->size)
		return 0;
	for (i = 0; i < hash->size; i++)
		table[i] = hash->table[i] % vnif->nqueues;
	err = ask(vnif, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE, hash->size,
		  0, 0, NULL);
	if (err)
		return err;
	return ask(vnif, XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING, vnif->ctrl.ref,
		   hash->size, 0, NULL);
}

static int tell_all(struct vnif *vnif, const struct vnif_hash *hash)
{
	int err = tell_algorithm(vnif, XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ);

	if (!err)
		err = tell_types(vnif);
	if (!err)
		err = tell_key(vnif, hash);
	if (!err)
		err = tell_table(vnif, hash);
	if (err)
		tell_algorithm(vnif, XEN_NETIF_CTRL_HASH_ALGORITHM_NONE);
	return err;
}

static void fill_table(struct vnif_hash *hash, unsigned int queues)
{
	unsigned int i;

	for (i = 0; i < hash->size; i++)
		hash->table[i] = ethtool_rxfh_indir_default(i, queues);
}

/**
 * vnif_hash_begin() - a connection stands: how large a table does it take?
 * @vnif: the device; a hook of the bus
 */
void vnif_hash_begin(struct vnif *vnif)
{
	struct vnif_hash *hash = &vnif->hash;
	u32 size = 0;

	ask(vnif, XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE, 0, 0, 0, &size);
	/* Between its questions for the size and for the table, ethtool has RTNL. */
	rtnl_lock();
	mutex_lock(&hash->lock);
	hash->size = min(size, VNIF_HASH_TABLE_MAX);
	if (!netif_is_rxfh_configured(vnif->netdev))
		fill_table(hash, vnif->nqueues);
	hash->stale = true;
	hash->told = false;
	mutex_unlock(&hash->lock);
	rtnl_unlock();
}

/**
 * vnif_hash_follow() - tell the backend what is asked for, if that is news
 * @vnif: the device; a hook of the bus
 */
void vnif_hash_follow(struct vnif *vnif)
{
	struct vnif_hash *hash = &vnif->hash, copy;
	bool want;
	int err = 0;

	/* A look without locks: who sets it has us look again. */
	if (!READ_ONCE(hash->stale) || !vnif->ctrl.ready)
		return;
	/* The core says whose the table is after it has told us the table. */
	rtnl_lock();
	mutex_lock(&hash->lock);
	copy = *hash;
	hash->stale = false;
	want = copy.on || copy.keyed ||
	       netif_is_rxfh_configured(vnif->netdev);
	mutex_unlock(&hash->lock);
	rtnl_unlock();
	if (want)
		err = tell_all(vnif, &copy);
	else if (copy.told)
		err = tell_algorithm(vnif, XEN_NETIF_CTRL_HASH_ALGORITHM_NONE);
	if (err)
		netdev_warn(vnif->netdev,
			    "the backend does not hash as it was asked to: %d\n",
			    err);
	mutex_lock(&hash->lock);
	hash->told = want && !err;
	mutex_unlock(&hash->lock);
}

/* ---- from ethtool ------------------------------------------------------------------ */

static void tell_soon(struct vnif *vnif)
{
	WRITE_ONCE(vnif->hash.stale, true);
	xpv_bus_look(vnif->xd);
}

/**
 * vnif_hash_switch() - are hashes of packets wanted?
 * @vnif: the device
 * @on: they are
 */
void vnif_hash_switch(struct vnif *vnif, bool on)
{
	mutex_lock(&vnif->hash.lock);
	vnif->hash.on = on;
	tell_soon(vnif);
	mutex_unlock(&vnif->hash.lock);
}

/**
 * vnif_hash_size() - entries of the table; 0: the backend has none
 * @netdev: the interface
 */
u32 vnif_hash_size(struct net_device *netdev)
{
	struct vnif *vnif = netdev_priv(netdev);

	return READ_ONCE(vnif->hash.size);
}

/**
 * vnif_hash_get() - ethtool -x
 * @netdev: the interface
 * @rxfh: filled, what there is room for
 */
int vnif_hash_get(struct net_device *netdev, struct ethtool_rxfh_param *rxfh)
{
	struct vnif *vnif = netdev_priv(netdev);
	struct vnif_hash *hash = &vnif->hash;

	rxfh->hfunc = ETH_RSS_HASH_TOP;
	mutex_lock(&hash->lock);
	if (rxfh->indir)
		memcpy(rxfh->indir, hash->table, hash->size * sizeof(u32));
	if (rxfh->key)
		memcpy(rxfh->key, hash->key, sizeof(hash->key));
	mutex_unlock(&hash->lock);
	return 0;
}

/**
 * vnif_hash_set() - ethtool -X; the core has compared the table with the queues
 * @netdev: the interface
 * @rxfh: what to change
 */
int vnif_hash_set(struct net_device *netdev,
		  const struct ethtool_rxfh_param *rxfh)
{
	struct vnif *vnif = netdev_priv(netdev);
	struct vnif_hash *hash = &vnif->hash;

	if (!vnif_is_live(vnif) || !hash->size ||
	    (rxfh->hfunc != ETH_RSS_HASH_NO_CHANGE &&
	     rxfh->hfunc != ETH_RSS_HASH_TOP))
		return -EOPNOTSUPP;
	mutex_lock(&hash->lock);
	if (rxfh->indir)
		memcpy(hash->table, rxfh->indir, hash->size * sizeof(u32));
	if (rxfh->key) {
		memcpy(hash->key, rxfh->key, sizeof(hash->key));
		hash->keyed = true;
	}
	tell_soon(vnif);
	mutex_unlock(&hash->lock);
	return 0;
}

/**
 * vnif_hash_init() - a key that nobody can guess
 * @vnif: a new device
 */
void vnif_hash_init(struct vnif *vnif)
{
	mutex_init(&vnif->hash.lock);
	netdev_rss_key_fill(vnif->hash.key, sizeof(vnif->hash.key));
}
