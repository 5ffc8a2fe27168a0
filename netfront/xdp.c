// SPDX-License-Identifier: GPL-2.0
/*
 * XDP: a program looks at each received packet before there is an skb.
 *
 * A program needs room before a packet, and all of it in one piece, with its checksum
 * made. Attaching one has the connection made anew, on terms that say so: headroom in
 * each buffer if the backend knows of that, no segments, no blank checksums. Until
 * then, and with a backend that knows no headroom, a packet is copied to make room;
 * what still does not fit is dropped, for nothing may pass the program by.
 * Frames that a program sends back, and those of other devices, are copied into the
 * transmit slots' own pages: no grant is made for them.
 *
 * Life: the program from ndo_bpf to the next, or to the interface's end; what XDP
 * knows of a ring's buffers as long as the ring.
 * Locks: the program is set under RTNL and read under RCU. The filter runs in the
 * receive poll; sending takes the xmit lock of the queue.
 * Trust: a packet is the backend's word; its bounds were checked by the parser.
 */
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/mm.h>

#include "vnif.h"

#define TAILROOM	SKB_DATA_ALIGN(sizeof(struct skb_shared_info))
/* The largest frame that fits between headroom and what an skb needs behind it. */
#define FRAME_MAX	(PAGE_SIZE - XDP_PACKET_HEADROOM - TAILROOM)

/* ---- received packets ------------------------------------------------------------ */

/* Put the packet into a page of its own, behind the headroom. */
static bool move_packet(struct vnif_queue *q, struct vnif_rx_piece *piece)
{
	struct page *page = page_pool_alloc_pages(q->rx.pool,
						  GFP_ATOMIC | __GFP_NOWARN);

	if (!page)
		return false;
	memcpy(page_address(page) + XDP_PACKET_HEADROOM,
	       page_address(piece->page) + piece->offset, piece->len);
	vnif_rx_put(&q->rx, piece->page);
	piece->page = page;
	piece->offset = XDP_PACKET_HEADROOM;
	return true;
}

/* Can the program have it? If so it lies in piece 0 with room on both sides. */
static bool make_fit(struct vnif_queue *q)
{
	struct vnif_rx_packet *packet = &q->rx.packet;
	struct vnif_rx_piece *piece = &packet->piece[0];

	if (packet->pieces != 1 || piece->len > FRAME_MAX ||
	    packet->gso_type != XEN_NETIF_GSO_TYPE_NONE ||
	    packet->flags & XEN_NETRXF_csum_blank)
		return false;
	if (piece->offset >= XDP_PACKET_HEADROOM &&
	    piece->offset + piece->len <= PAGE_SIZE - TAILROOM)
		return true;
	return move_packet(q, piece);
}

/* Send a frame back where it came from. */
static bool send_back(struct vnif_queue *q, const struct xdp_buff *xdp)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);
	bool sent;

	__netif_tx_lock(nq, smp_processor_id());
	sent = vnif_tx_frame(q, xdp->data, xdp->data_end - xdp->data);
	__netif_tx_unlock(nq);
	q->rx.sent |= sent;
	return sent;
}

/* Return: was it redirected? Then its page is somebody else's. */
static bool send_elsewhere(struct vnif_queue *q, struct xdp_buff *xdp,
			   struct bpf_prog *prog)
{
	if (xdp_do_redirect(q->vnif->netdev, xdp, prog))
		return false;
	q->rx.redirected = true;
	return true;
}

/* What the program has left of a packet that it lets pass. */
static bool pass(struct vnif_rx_packet *packet, const struct xdp_buff *xdp)
{
	struct vnif_rx_piece *piece = &packet->piece[0];

	piece->offset = xdp->data - xdp->data_hard_start;
	piece->len = xdp->data_end - xdp->data;
	packet->len = piece->len;
	/* Whatever was said of its checksum and hash, it may be another packet. */
	packet->flags &= ~XEN_NETRXF_data_validated;
	packet->hash_type = 0;
	return packet->len >= VNIF_MIN_LEN;
}

static void drop(struct vnif_queue *q, enum vnif_rx_count why)
{
	struct vnif_rx_packet *packet = &q->rx.packet;
	unsigned int i;

	for (i = 0; i < packet->pieces; i++)
		vnif_rx_put(&q->rx, packet->piece[i].page);
	vnif_rx_count(q, why, 1);
}

/* Carry out what the program said. Return: the packet goes up. */
static bool obey(struct vnif_queue *q, struct bpf_prog *prog,
		 struct xdp_buff *xdp, u32 action)
{
	switch (action) {
	case XDP_PASS:
		if (pass(&q->rx.packet, xdp)) {
			vnif_rx_count(q, VNIF_RX_XDP_PASS, 1);
			return true;
		}
		drop(q, VNIF_RX_XDP_LOST);
		return false;
	case XDP_TX:
		drop(q, send_back(q, xdp) ? VNIF_RX_XDP_TX : VNIF_RX_XDP_LOST);
		return false;
	case XDP_REDIRECT:
		if (send_elsewhere(q, xdp, prog))
			vnif_rx_count(q, VNIF_RX_XDP_REDIRECT, 1);
		else
			drop(q, VNIF_RX_XDP_LOST);
		return false;
	default:
		drop(q, VNIF_RX_XDP_DROP);
		return false;
	}
}

/**
 * vnif_xdp_filter() - what the program says to a whole packet
 * @q: the queue, from its receive poll
 * @prog: the program, under RCU
 *
 * Return: true if the packet goes up; else its buffers are not the caller's any more.
 */
bool vnif_xdp_filter(struct vnif_queue *q, struct bpf_prog *prog)
{
	const struct vnif_rx_piece *piece = &q->rx.packet.piece[0];
	struct xdp_buff xdp = { .rxq = &q->rx.rxq, .frame_sz = PAGE_SIZE };

	if (!make_fit(q)) {
		drop(q, VNIF_RX_XDP_UNFIT);
		return false;
	}
	xdp.data_hard_start = page_address(piece->page);
	xdp.data = xdp.data_hard_start + piece->offset;
	xdp.data_end = xdp.data + piece->len;
	xdp_set_data_meta_invalid(&xdp);
	return obey(q, prog, &xdp, bpf_prog_run_xdp(prog, &xdp));
}

/**
 * vnif_xdp_flush() - the poll is over: send what the program has put together
 * @q: the queue, from its receive poll
 */
void vnif_xdp_flush(struct vnif_queue *q)
{
	struct netdev_queue *nq = vnif_netdev_queue(q);

	if (q->rx.redirected) {
		q->rx.redirected = false;
		xdp_do_flush();
	}
	if (q->rx.sent) {
		q->rx.sent = false;
		__netif_tx_lock(nq, smp_processor_id());
		vnif_tx_flush(q);
		__netif_tx_unlock(nq);
	}
}

/* ---- frames of other devices ------------------------------------------------------- */

/**
 * vnif_xdp_xmit() - ndo_xdp_xmit
 * @netdev: the interface
 * @n: number of frames
 * @frames: them
 * @flags: XDP_XMIT_FLUSH
 *
 * Return: how many were sent, or -errno and nothing was.
 */
int vnif_xdp_xmit(struct net_device *netdev, int n, struct xdp_frame **frames,
		  u32 flags)
{
	struct vnif *vnif = netdev_priv(netdev);
	struct netdev_queue *nq;
	struct vnif_queue *q;
	int sent = 0;

	if (flags & ~XDP_XMIT_FLAGS_MASK)
		return -EINVAL;
	if (!netif_carrier_ok(netdev))
		return -ENETDOWN;
	q = &vnif->queues[smp_processor_id() % netdev->real_num_tx_queues];
	nq = vnif_netdev_queue(q);
	__netif_tx_lock(nq, smp_processor_id());
	while (sent < n &&
	       vnif_tx_frame(q, frames[sent]->data, frames[sent]->len))
		sent++;
	if (flags & XDP_XMIT_FLUSH)
		vnif_tx_flush(q);
	__netif_tx_unlock(nq);
	xpv_xdp_return_sent(frames, sent, n);
	return sent;
}

/* ---- programs ------------------------------------------------------------------------ */

/**
 * vnif_xdp_max_mtu() - the largest MTU with a program
 *
 * A frame has an Ethernet header, and may have a VLAN tag.
 */
unsigned int vnif_xdp_max_mtu(void)
{
	return FRAME_MAX - VNIF_MIN_LEN - 4;
}

static int set_program(struct net_device *netdev, struct bpf_prog *prog,
		       struct netlink_ext_ack *extack)
{
	struct vnif *vnif = netdev_priv(netdev);
	struct bpf_prog *old = rtnl_dereference(vnif->prog);

	if (prog && netdev->mtu > vnif_xdp_max_mtu()) {
		NL_SET_ERR_MSG_MOD(extack,
				   "MTU too large: with XDP a packet has to fit into one page");
		return -EINVAL;
	}
	rcu_assign_pointer(vnif->prog, prog);
	if (old)
		bpf_prog_put(old);
	/* Other terms: see the head of this file. */
	if (!old != !prog)
		xpv_bus_reopen(vnif->xd);
	return 0;
}

/**
 * vnif_xdp() - ndo_bpf
 * @netdev: the interface
 * @bpf: what is asked for
 */
int vnif_xdp(struct net_device *netdev, struct netdev_bpf *bpf)
{
	if (bpf->command != XDP_SETUP_PROG)
		return -EINVAL;
	return set_program(netdev, bpf->prog, bpf->extack);
}

/**
 * vnif_xdp_create() - make a ring's buffers known to XDP
 * @q: a queue with its pool
 */
int vnif_xdp_create(struct vnif_queue *q)
{
	struct vnif_rx *rx = &q->rx;
	int err = xdp_rxq_info_reg(&rx->rxq, q->vnif->netdev, q->index, 0);

	if (err)
		return err;
	return xpv_xdp_reg_pool(&rx->rxq, rx->pool);
}

/**
 * vnif_xdp_destroy() - undo it, if it was done
 * @q: the queue
 */
void vnif_xdp_destroy(struct vnif_queue *q)
{
	if (xdp_rxq_info_is_reg(&q->rx.rxq))
		xdp_rxq_info_unreg(&q->rx.rxq);
}
