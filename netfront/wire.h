/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pure part of the network frontend: packets to slots and slots to packets.
 *
 * No locks, no allocation, no kernel types beyond fixed-width integers: the unit
 * tests compile wire.c as it stands.
 */
#ifndef XENPV_VNIF_WIRE_H
#define XENPV_VNIF_WIRE_H

#include <linux/string.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/io/netif.h>

#define VNIF_PAGE		4096u
/* Slots that every backend takes for one packet (XEN_NETIF_NR_SLOTS_MIN). */
#define VNIF_MAX_SLOTS		18u
/* The first request of a packet carries its whole length in 16 bits. */
#define VNIF_TX_MAX_LEN		65535u
/* Received: 65535 bytes of IP behind an Ethernet header with a VLAN tag. */
#define VNIF_RX_MAX_LEN		(65535u + 18u)
/* Shorter than an Ethernet header is no packet. */
#define VNIF_MIN_LEN		14u
/*
 * Segment sizes that GSO can mean: TCP never makes smaller ones (48 bytes of
 * segment less 40 of options), and 65535 has a meaning of its own in the kernel.
 */
#define VNIF_GSO_MIN		8u
#define VNIF_GSO_MAX		65534u

/* Transmit ------------------------------------------------------------- */

/**
 * struct vnif_tx_span - one fragment of a packet
 * @offset: first byte, from the start of its first page; may be beyond it
 * @len: bytes; 0 takes no slot
 */
struct vnif_tx_span {
	u32 offset;
	u32 len;
};

/* struct vnif_tx_seg.frag of bytes that are copied into the slot's own page */
#define VNIF_TX_COPIED		(-1)

/**
 * struct vnif_tx_seg - what one slot carries
 * @frag: index of the fragment whose page is granted, or VNIF_TX_COPIED
 * @page: which page of the fragment, counted from its first one
 * @pos: VNIF_TX_COPIED: first byte, from the start of the packet
 * @offset: first byte within the page
 * @len: bytes, at least 1; never beyond the end of the page
 */
struct vnif_tx_seg {
	s16 frag;
	u16 page;
	u32 pos;
	u16 offset;
	u16 len;
};

unsigned int vnif_tx_plan(struct vnif_tx_seg *seg, unsigned int max, u32 copied,
			  const struct vnif_tx_span *span, unsigned int spans);

/* Receive -------------------------------------------------------------- */

/**
 * union vnif_rx_answer - one slot of the receive ring, as the backend fills it
 * @rsp: a buffer's answer
 * @extra: or a piece of information about the packet
 */
union vnif_rx_answer {
	struct xen_netif_rx_response rsp;
	struct xen_netif_extra_info extra;
};

/**
 * struct vnif_rx_piece - one buffer of a packet
 * @page: what the caller knows it by
 * @offset: first byte within the page
 * @len: bytes; never beyond the end of the page
 */
struct vnif_rx_piece {
	void *page;
	u16 offset;
	u16 len;
};

/* Why a packet was dropped; also the index of a counter. */
enum vnif_rx_fault {
	VNIF_RX_FINE,
	VNIF_RX_ERROR,		/* the backend itself says so */
	VNIF_RX_BOUNDS,		/* bytes beyond the end of the page */
	VNIF_RX_SHORT,		/* first slot without an Ethernet header */
	VNIF_RX_LONG,		/* more slots or bytes than a packet can have */
	VNIF_RX_EXTRA,		/* extra information that makes no sense */
	VNIF_RX_FAULTS,
};

enum vnif_rx_expect {
	VNIF_RX_EXPECT_FIRST,
	VNIF_RX_EXPECT_EXTRA,
	VNIF_RX_EXPECT_MORE,
};

/**
 * struct vnif_rx_terms - what a connection has agreed on
 * @headroom: bytes left free before the data in each buffer; 0: none. A backend may
 *	count them as part of the data
 * @hash: packets may come with their hash
 */
struct vnif_rx_terms {
	u16 headroom;
	bool hash;
};

/**
 * struct vnif_rx_packet - a packet on its way; see vnif_rx_begin()
 * @pieces: buffers so far
 * @len: bytes in them
 * @flags: XEN_NETRXF_* of its first slot
 * @gso_type: XEN_NETIF_GSO_TYPE_*, XEN_NETIF_GSO_TYPE_NONE without GSO
 * @gso_size: bytes of payload in a segment
 * @hash_type: 1 + _XEN_NETIF_CTRL_HASH_TYPE_*, 0 without a hash
 * @hash: Toeplitz hash over what the type says
 * @extras: types of extra slots that it had, a bit each
 * @fault: why it will be dropped, VNIF_RX_FINE while all is well
 * @expect: what the next answer is
 * @more: after the extra slots more buffers follow
 * @piece: the buffers
 *
 * When vnif_rx_feed() says WHOLE all of it is valid and within bounds.
 */
struct vnif_rx_packet {
	unsigned int pieces;
	u32 len;
	u16 flags;
	u8 gso_type;
	u16 gso_size;
	u8 hash_type;
	u32 hash;
	u32 extras;
	enum vnif_rx_fault fault;
	enum vnif_rx_expect expect;
	bool more;
	struct vnif_rx_piece piece[VNIF_MAX_SLOTS];
};

/**
 * enum vnif_rx_verdict - where a packet stands after one more answer
 * @VNIF_RX_LIE: answer to a request that is not in its slot; believe no more
 * @VNIF_RX_MORE: goes on with the next answer
 * @VNIF_RX_WHOLE: complete
 * @VNIF_RX_BAD: complete, to be dropped: @fault says why
 */
enum vnif_rx_verdict {
	VNIF_RX_LIE,
	VNIF_RX_MORE,
	VNIF_RX_WHOLE,
	VNIF_RX_BAD,
};

/**
 * vnif_rx_begin() - make ready for the first answer of a packet
 * @packet: whatever it was before
 */
static inline void vnif_rx_begin(struct vnif_rx_packet *packet)
{
	memset(packet, 0, offsetof(struct vnif_rx_packet, piece));
}

enum vnif_rx_verdict vnif_rx_feed(struct vnif_rx_packet *packet, u16 slot,
				  const union vnif_rx_answer *answer,
				  const struct vnif_rx_terms *terms,
				  void *page, bool *kept);

#endif /* XENPV_VNIF_WIRE_H */
