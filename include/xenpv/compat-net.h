/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The newest kernel's network interfaces on older kernels: compat.h's chapter for
 * netfront/, apart because it needs the network headers, which nobody else wants.
 * Decided by probes.sh alone.
 */
#ifndef XENPV_COMPAT_NET_H
#define XENPV_COMPAT_NET_H

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>
#include <net/xdp.h>
#ifdef XPV_HAVE_PAGE_POOL_HELPERS_H
#include <net/page_pool/helpers.h>
#else
#include <net/page_pool.h>
#endif

/* --- eth_hw_addr_set(): 5.15, and some of the 5.10 series ---------------- */
#ifndef XPV_HAVE_ETH_HW_ADDR_SET
#define eth_hw_addr_set(netdev, mac) ether_addr_copy((netdev)->dev_addr, mac)
#endif

/* --- ethtool_ops.get_ringparam(): two more arguments from 5.17 on -------- */
#ifdef XPV_HAVE_KERNEL_RINGPARAM
#define XPV_RINGPARAM_ARGS(netdev, ring) \
	struct net_device *netdev, struct ethtool_ringparam *ring, \
	struct kernel_ethtool_ringparam *kernel_ring, \
	struct netlink_ext_ack *extack
#else
#define XPV_RINGPARAM_ARGS(netdev, ring) \
	struct net_device *netdev, struct ethtool_ringparam *ring
#endif

/* --- ethtool_ops.get_coalesce(): two more arguments from 5.15 on --------- */
#ifdef XPV_HAVE_KERNEL_COALESCE
#define XPV_COALESCE_ARGS(netdev, coalesce) \
	struct net_device *netdev, struct ethtool_coalesce *coalesce, \
	struct kernel_ethtool_coalesce *kernel_coalesce, \
	struct netlink_ext_ack *extack
#else
#define XPV_COALESCE_ARGS(netdev, coalesce) \
	struct net_device *netdev, struct ethtool_coalesce *coalesce
#endif

/* --- ethtool_ops.get_ts_info(): a structure of the kernel's own from 6.11 on -- */
#ifndef XPV_HAVE_KERNEL_TS_INFO
#define kernel_ethtool_ts_info ethtool_ts_info
#endif

/* --- ethtool_ops.get_rxfh(): one structure instead of arguments from 6.8 on --- */
#ifdef XPV_HAVE_RXFH_PARAM
#define XPV_RXFH_OPS(get, set) \
static int set##_ext(struct net_device *netdev, \
		     struct ethtool_rxfh_param *rxfh, \
		     struct netlink_ext_ack *extack) \
{ \
	return set(netdev, rxfh); \
}
#define XPV_RXFH_GET(get) get
#define XPV_RXFH_SET(set) set##_ext
#else
struct ethtool_rxfh_param {
	u8 hfunc;
	u32 *indir;
	u8 *key;
};

#define XPV_RXFH_OPS(get, set) \
static int get##_args(struct net_device *netdev, u32 *indir, u8 *key, u8 *hfunc) \
{ \
	struct ethtool_rxfh_param rxfh = { .indir = indir, .key = key }; \
	int err = get(netdev, &rxfh); \
\
	if (hfunc) \
		*hfunc = rxfh.hfunc; \
	return err; \
} \
static int set##_args(struct net_device *netdev, const u32 *indir, \
		      const u8 *key, const u8 hfunc) \
{ \
	struct ethtool_rxfh_param rxfh = { \
		.hfunc = hfunc, .indir = (u32 *)indir, .key = (u8 *)key, \
	}; \
\
	return set(netdev, &rxfh); \
}
#define XPV_RXFH_GET(get) get##_args
#define XPV_RXFH_SET(set) set##_args
#endif

/* --- netif_napi_add(): without a weight from 6.1 on ---------------------- */
#ifndef XPV_HAVE_NETIF_NAPI_ADD_3
static inline void xpv_napi_add(struct net_device *netdev,
				struct napi_struct *napi,
				int (*poll)(struct napi_struct *, int))
{
	netif_napi_add(netdev, napi, poll, NAPI_POLL_WEIGHT);
}

#define netif_napi_add(netdev, napi, poll) xpv_napi_add(netdev, napi, poll)
#endif

/* --- netif_napi_add_tx(): 5.19 ------------------------------------------- */
#ifndef XPV_HAVE_NETIF_NAPI_ADD_TX
#define netif_napi_add_tx(netdev, napi, poll) \
	netif_tx_napi_add(netdev, napi, poll, NAPI_POLL_WEIGHT)
#endif

/* --- netif_set_tso_max_size(): 5.19 -------------------------------------- */
#ifndef XPV_HAVE_NETIF_SET_TSO_MAX_SIZE
#define netif_set_tso_max_size(netdev, size) netif_set_gso_max_size(netdev, size)
#endif

/*
 * --- page_pool: skbs that bring pages back from 5.15 on; none without the option
 * Before that a page leaves the pool when the stack gets it.
 */
#if !IS_ENABLED(CONFIG_PAGE_POOL)
#define page_pool_create(params) ((void)(params), (struct page_pool *)NULL)
#define page_pool_alloc_pages(pool, gfp) ((void)(pool), alloc_page(gfp))
#define page_pool_put_full_page(pool, page, direct) \
	((void)(pool), (void)(direct), put_page(page))
#define page_pool_destroy(pool) ((void)(pool))
#define skb_mark_for_recycle(skb) ((void)(skb))
#define xpv_page_pool_hand_over(pool, page) ((void)(pool), (void)(page))
#elif !defined(XPV_HAVE_SKB_MARK_FOR_RECYCLE)
#define skb_mark_for_recycle(skb) ((void)(skb))
#define xpv_page_pool_hand_over(pool, page) page_pool_release_page(pool, page)
#else
#define xpv_page_pool_hand_over(pool, page) ((void)(pool), (void)(page))
#endif

/* --- xdp_rxq_info_reg(): with the NAPI's number from 5.11 on --------------- */
#ifndef XPV_HAVE_XDP_RXQ_NAPI_ID
#define xdp_rxq_info_reg(rxq, netdev, index, napi) \
	xdp_rxq_info_reg(rxq, netdev, index)
#endif

/* --- net_device.xdp_features: 6.3 ------------------------------------------- */
#ifdef XPV_HAVE_XDP_FEATURES
#define xpv_set_xdp_features(netdev) \
	((void)((netdev)->xdp_features = NETDEV_XDP_ACT_BASIC | \
		NETDEV_XDP_ACT_REDIRECT | NETDEV_XDP_ACT_NDO_XMIT))
#else
#define xpv_set_xdp_features(netdev) ((void)(netdev))
#endif

/* What XDP returns goes to the pool, if there is one. */
static inline int xpv_xdp_reg_pool(struct xdp_rxq_info *rxq,
				   struct page_pool *pool)
{
#if IS_ENABLED(CONFIG_PAGE_POOL)
	return xdp_rxq_info_reg_mem_model(rxq, MEM_TYPE_PAGE_POOL, pool);
#else
	return xdp_rxq_info_reg_mem_model(rxq, MEM_TYPE_PAGE_ORDER0, NULL);
#endif
}

/* --- ndo_xdp_xmit(): its caller frees what was not sent from 5.13 on -------- */
static inline void xpv_xdp_return_sent(struct xdp_frame **frames, int sent,
				       int n)
{
	int i;

	if (!IS_ENABLED(XPV_XDP_CALLER_FREES))
		sent = n;
	for (i = 0; i < sent; i++)
		xdp_return_frame(frames[i]);
}

/* --- u64_stats_fetch_begin(): safe against interrupts from 6.2 on --------- */
#ifdef XPV_HAVE_U64_STATS_FETCH_IRQ
#define u64_stats_fetch_begin(sync) u64_stats_fetch_begin_irq(sync)
#define u64_stats_fetch_retry(sync, start) u64_stats_fetch_retry_irq(sync, start)
#endif

#endif /* XENPV_COMPAT_NET_H */
