// SPDX-License-Identifier: GPL-2.0
/*
 * What goes on the rings: packets to slots, and slots back to packets.
 *
 * Transmit: a packet is cut into slots of at most one page each. Its first bytes
 * are copied into pages that belong to the slots, the fragments behind them are
 * granted where they lie. A packet that would take too many slots is copied
 * whole: 64 KiB are never more than 16 slots.
 *
 * Receive: answers come one at a time, in the order of the ring. A packet is a
 * first slot, then the extra slots that it announces, then more buffers. The
 * parser takes one answer after the other and keeps its state in the packet, so
 * a packet whose end has not come yet just waits. What makes no sense marks the
 * packet; the chain is followed to its end, so that the next packet starts where
 * it does, and then the whole packet is dropped.
 *
 * Life, locks: none; the callers own everything.
 * Trust: nothing in an answer is believed before it was compared with a limit.
 * Flags are the exception, they only say what comes next: each of them leads to a
 * state in which every answer is legal.
 */
#include <linux/build_bug.h>

#include "wire.h"

#define EXTRA_SIZE sizeof(struct xen_netif_extra_info)

/* Extra slots take the place of a request or an answer; none may be larger. */
static_assert(sizeof(struct xen_netif_tx_request) == 12);
static_assert(sizeof(struct xen_netif_tx_response) == 4);
static_assert(sizeof(struct xen_netif_rx_request) == 8);
static_assert(sizeof(struct xen_netif_rx_response) == 8);
static_assert(EXTRA_SIZE <= sizeof(struct xen_netif_tx_request));
static_assert(EXTRA_SIZE <= sizeof(struct xen_netif_rx_response));

/**
 * vnif_tx_plan() - cut a packet into slots
 * @seg: filled, one a slot
 * @max: slots there may be
 * @copied: bytes at the start of the packet that are copied
 * @span: fragments behind them, granted where they lie
 * @spans: number of fragments
 *
 * With @copied the length of the packet and no fragments, the whole packet is
 * copied.
 *
 * Return: number of slots; 0 if the packet is empty or takes more than @max.
 */
unsigned int vnif_tx_plan(struct vnif_tx_seg *seg, unsigned int max, u32 copied,
			  const struct vnif_tx_span *span, unsigned int spans)
{
	unsigned int n = 0, i;
	u32 pos;

	for (pos = 0; pos < copied; pos += VNIF_PAGE) {
		u32 len = copied - pos;

		if (n == max)
			return 0;
		seg[n++] = (struct vnif_tx_seg) {
			.frag = VNIF_TX_COPIED,
			.pos = pos,
			.len = len < VNIF_PAGE ? len : VNIF_PAGE,
		};
	}
	for (i = 0; i < spans; i++) {
		u32 at = span[i].offset, left = span[i].len;

		while (left) {
			u32 room = VNIF_PAGE - at % VNIF_PAGE;
			u32 len = left < room ? left : room;

			if (n == max)
				return 0;
			seg[n++] = (struct vnif_tx_seg) {
				.frag = i,
				.page = at / VNIF_PAGE,
				.offset = at % VNIF_PAGE,
				.len = len,
			};
			at += len;
			left -= len;
		}
	}
	return n;
}

static void fault(struct vnif_rx_packet *packet, enum vnif_rx_fault why)
{
	if (packet->fault == VNIF_RX_FINE)
		packet->fault = why;
}

/*
 * One answer about a buffer: keep it if the packet is still worth it. Data begin
 * behind the headroom; netback says offset 0 and counts the headroom as data.
 */
static bool take_buffer(struct vnif_rx_packet *packet,
			const struct xen_netif_rx_response *rsp,
			const struct vnif_rx_terms *terms, void *page)
{
	u32 len = rsp->status > 0 ? rsp->status : 0;
	u32 skip = rsp->offset < terms->headroom ?
		   terms->headroom - rsp->offset : 0;

	if (rsp->status < 0)
		fault(packet, VNIF_RX_ERROR);
	else if (rsp->offset > VNIF_PAGE || len > VNIF_PAGE - rsp->offset)
		fault(packet, VNIF_RX_BOUNDS);
	len = len > skip ? len - skip : 0;
	if (packet->expect == VNIF_RX_EXPECT_FIRST && len < VNIF_MIN_LEN)
		fault(packet, VNIF_RX_SHORT);
	else if (packet->pieces == VNIF_MAX_SLOTS ||
		 packet->len + len > VNIF_RX_MAX_LEN)
		fault(packet, VNIF_RX_LONG);
	if (packet->fault != VNIF_RX_FINE || !len)
		return false;
	packet->piece[packet->pieces++] = (struct vnif_rx_piece) {
		.page = page,
		.offset = rsp->offset + skip,
		.len = len,
	};
	packet->len += len;
	return true;
}

static bool take_gso(struct vnif_rx_packet *packet,
		     const struct xen_netif_extra_info *extra)
{
	u8 type = extra->u.gso.type;
	u16 size = extra->u.gso.size;

	if ((type != XEN_NETIF_GSO_TYPE_TCPV4 &&
	     type != XEN_NETIF_GSO_TYPE_TCPV6) ||
	    size < VNIF_GSO_MIN || size > VNIF_GSO_MAX)
		return false;
	packet->gso_type = type;
	packet->gso_size = size;
	return true;
}

static bool take_hash(struct vnif_rx_packet *packet,
		      const struct xen_netif_extra_info *extra)
{
	if (extra->u.hash.type > _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP ||
	    extra->u.hash.algorithm != XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ)
		return false;
	packet->hash_type = extra->u.hash.type + 1;
	memcpy(&packet->hash, extra->u.hash.value, sizeof(packet->hash));
	return true;
}

/* Only what was agreed on, and each of it once. */
static void take_extra(struct vnif_rx_packet *packet,
		       const struct xen_netif_extra_info *extra,
		       const struct vnif_rx_terms *terms)
{
	bool good = false;

	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		good = take_gso(packet, extra);
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		good = terms->hash && take_hash(packet, extra);
		break;
	case XEN_NETIF_EXTRA_TYPE_XDP:
		/* How much it is was our wish. */
		good = terms->headroom;
		break;
	}
	if (!good || packet->extras & (1u << extra->type))
		fault(packet, VNIF_RX_EXTRA);
	else
		packet->extras |= 1u << extra->type;
}

/**
 * vnif_rx_feed() - one more answer
 * @packet: the packet on its way; vnif_rx_begin() for a new one
 * @slot: where the answer stood, index modulo the size of the ring
 * @answer: private copy of it
 * @terms: what the connection has agreed on
 * @page: the buffer that was posted in that slot
 * @kept: set if the packet keeps @page; otherwise it is the caller's again
 *
 * After WHOLE and BAD the pieces are the caller's, who begins a new packet. The
 * pieces of a BAD packet are valid too, only not all of them.
 *
 * Return: see &enum vnif_rx_verdict.
 */
enum vnif_rx_verdict vnif_rx_feed(struct vnif_rx_packet *packet, u16 slot,
				  const union vnif_rx_answer *answer,
				  const struct vnif_rx_terms *terms,
				  void *page, bool *kept)
{
	bool extra = false;

	*kept = false;
	if (packet->expect == VNIF_RX_EXPECT_EXTRA) {
		take_extra(packet, &answer->extra, terms);
		extra = answer->extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
	} else {
		const struct xen_netif_rx_response *rsp = &answer->rsp;

		if (rsp->id != slot)
			return VNIF_RX_LIE;
		*kept = take_buffer(packet, rsp, terms, page);
		packet->more = rsp->flags & XEN_NETRXF_more_data;
		extra = rsp->flags & XEN_NETRXF_extra_info;
		if (packet->expect == VNIF_RX_EXPECT_FIRST)
			packet->flags = rsp->flags;
		else if (extra)
			fault(packet, VNIF_RX_EXTRA);
	}
	if (extra)
		packet->expect = VNIF_RX_EXPECT_EXTRA;
	else if (packet->more)
		packet->expect = VNIF_RX_EXPECT_MORE;
	else
		return packet->fault == VNIF_RX_FINE ? VNIF_RX_WHOLE :
						       VNIF_RX_BAD;
	return VNIF_RX_MORE;
}
