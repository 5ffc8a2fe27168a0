// SPDX-License-Identifier: GPL-2.0
// pure: netfront/wire.c
/*
 * Packets to slots and slots to packets: netfront/wire.c.
 *
 * The transmit side is checked against a second, dull account of the same packet,
 * byte by byte. The receive side is fed rings as an honest backend writes them and
 * as a hostile one might; Nnn are rows of the catalogue of hostile backends.
 */
#include "unit.h"

#include <string.h>

#include "../../netfront/wire.h"

/* Transmit ------------------------------------------------------------- */

static void check_plan(const struct vnif_tx_seg *seg, unsigned int n, u32 copied,
		       const struct vnif_tx_span *span, unsigned int spans)
{
	unsigned int i = 0, f;
	u32 pos, at;

	/* Every byte of the packet, in order, exactly once. */
	for (pos = 0; pos < copied; i++) {
		assert_true(i < n);
		assert_int_equal(seg[i].frag, VNIF_TX_COPIED);
		assert_int_equal(seg[i].pos, pos);
		assert_int_equal(seg[i].offset, 0);
		assert_in_range(seg[i].len, 1, VNIF_PAGE);
		pos += seg[i].len;
	}
	assert_int_equal(pos, copied);
	for (f = 0; f < spans; f++) {
		for (at = 0; at < span[f].len; i++) {
			assert_true(i < n);
			assert_int_equal(seg[i].frag, f);
			assert_int_equal(seg[i].page * VNIF_PAGE + seg[i].offset,
					 span[f].offset + at);
			assert_in_range(seg[i].len, 1,
					VNIF_PAGE - seg[i].offset);
			at += seg[i].len;
		}
		assert_int_equal(at, span[f].len);
	}
	assert_int_equal(i, n);
}

struct plan_row {
	const char *what;
	u32 copied;
	struct vnif_tx_span span[20];
	unsigned int spans, max, slots;
};

static const struct plan_row plan_rows[] = {
	{ "empty", 0, { { 0 } }, 0, 18, 0 },
	{ "one byte", 1, { { 0 } }, 0, 18, 1 },
	{ "one page", 4096, { { 0 } }, 0, 18, 1 },
	{ "one page and a byte", 4097, { { 0 } }, 0, 18, 2 },
	{ "64 KiB copied", 65535, { { 0 } }, 0, 18, 16 },
	{ "no room at all", 1, { { 0 } }, 0, 0, 0 },
	{ "two pages into one slot", 4097, { { 0 } }, 0, 1, 0 },
	{ "head and one fragment", 66, { { 0, 1448 } }, 1, 18, 2 },
	{ "head and two fragments", 66, { { 0, 100 }, { 8, 9 } }, 2, 18, 3 },
	{ "fragment alone", 0, { { 4095, 1 } }, 1, 18, 1 },
	{ "fragment over the edge", 14, { { 4095, 2 } }, 1, 18, 3 },
	{ "empty fragment between", 14, { { 0, 1 }, { 7, 0 }, { 0, 1 } }, 3, 18, 3 },
	{ "second page of a fragment", 14, { { 4096, 4096 } }, 1, 18, 2 },
	{ "deep in a large page", 14, { { 32767, 2 } }, 1, 18, 3 },
	{ "32 KiB fragment, unaligned", 14, { { 1, 32768 } }, 1, 18, 10 },
	{ "18 slots", 66, { { 0, 69632 } }, 1, 18, 18 },
	{ "19 slots", 66, { { 0, 69633 } }, 1, 18, 0 },
	{ "one slot allowed, two needed", 66, { { 0, 1 } }, 1, 1, 0 },
};

static void plan_table(void **state)
{
	struct vnif_tx_seg seg[VNIF_MAX_SLOTS];
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(plan_rows); i++) {
		const struct plan_row *row = &plan_rows[i];

		n = vnif_tx_plan(seg, row->max, row->copied, row->span,
				 row->spans);
		if (n != row->slots)
			fail_msg("%s: %u slots, not %u", row->what, n,
				 row->slots);
		if (n)
			check_plan(seg, n, row->copied, row->span, row->spans);
	}
}

static void plan_seventeen_fragments(void **state)
{
	struct vnif_tx_seg seg[VNIF_MAX_SLOTS];
	struct vnif_tx_span span[18];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(span); i++)
		span[i] = (struct vnif_tx_span) { 100 * i, 1000 };
	assert_int_equal(vnif_tx_plan(seg, 18, 66, span, 17), 18);
	check_plan(seg, 18, 66, span, 17);
	assert_int_equal(vnif_tx_plan(seg, 18, 66, span, 18), 0);
}

static void plan_random(void **state)
{
	struct vnif_tx_seg seg[VNIF_MAX_SLOTS];
	struct vnif_tx_span span[17];
	unsigned int planned = 0, round, i, n;
	u32 rnd = 0x5eed;

	for (round = 0; round < 100000; round++) {
		unsigned int spans = unit_random(&rnd) % 18;
		u32 copied = unit_random(&rnd) % 9000;
		unsigned int slots = (copied + VNIF_PAGE - 1) / VNIF_PAGE;

		for (i = 0; i < spans; i++) {
			span[i].offset = unit_random(&rnd) % 40000;
			span[i].len = unit_random(&rnd) % 5000;
			if (span[i].len)
				slots += (span[i].offset % VNIF_PAGE +
					  span[i].len + VNIF_PAGE - 1) / VNIF_PAGE;
		}
		n = vnif_tx_plan(seg, VNIF_MAX_SLOTS, copied, span, spans);
		assert_int_equal(n, slots <= VNIF_MAX_SLOTS ? slots : 0);
		if (!n)
			continue;
		check_plan(seg, n, copied, span, spans);
		planned++;
	}
	assert_true(planned > 1000);
}

/* Receive -------------------------------------------------------------- */

#define MORE	XEN_NETRXF_more_data
#define EXTRA	XEN_NETRXF_extra_info
#define BLANK	(XEN_NETRXF_csum_blank | XEN_NETRXF_data_validated)

/* A ring as a backend fills it; the slot's index doubles as its page. */
struct answers {
	union vnif_rx_answer a[300];
	unsigned int n;
};

static void add(struct answers *r, u16 offset, s16 status, u16 flags)
{
	r->a[r->n].rsp = (struct xen_netif_rx_response) {
		.id = r->n % 256, .offset = offset, .flags = flags,
		.status = status,
	};
	r->n++;
}

static void add_extra(struct answers *r, u8 type, u8 flags, u8 gso_type, u16 size)
{
	memset(&r->a[r->n], 0xa5, sizeof(r->a[r->n]));
	r->a[r->n].extra.type = type;
	r->a[r->n].extra.flags = flags;
	r->a[r->n].extra.u.gso.type = gso_type;
	r->a[r->n].extra.u.gso.size = size;
	r->n++;
}

static void add_gso(struct answers *r, u16 size)
{
	add_extra(r, XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV4, size);
}

static char pages[300];

/* What most tests agree on: nothing. */
static struct vnif_rx_terms terms;

/*
 * Feed all answers; each of them but the last must ask for more. Whatever comes
 * out, pages are kept or given back, never both, and a whole packet is in bounds.
 */
static enum vnif_rx_verdict feed(const struct answers *r,
				 struct vnif_rx_packet *packet)
{
	enum vnif_rx_verdict verdict = VNIF_RX_MORE;
	unsigned int i, kept_pages = 0;
	u32 len = 0;
	bool kept;

	vnif_rx_begin(packet);
	for (i = 0; i < r->n; i++) {
		assert_int_equal(verdict, VNIF_RX_MORE);
		verdict = vnif_rx_feed(packet, i % 256, &r->a[i], &terms,
				       &pages[i], &kept);
		if (kept)
			assert_ptr_equal(packet->piece[kept_pages++].page,
					 &pages[i]);
		assert_int_equal(packet->pieces, kept_pages);
	}
	for (i = 0; i < packet->pieces; i++) {
		assert_true(packet->piece[i].offset + packet->piece[i].len <=
			    (int)VNIF_PAGE);
		len += packet->piece[i].len;
	}
	assert_int_equal(packet->len, len);
	return verdict;
}

static void expect_whole(const struct answers *r, unsigned int pieces, u32 len)
{
	struct vnif_rx_packet packet;

	assert_int_equal(feed(r, &packet), VNIF_RX_WHOLE);
	assert_int_equal(packet.fault, VNIF_RX_FINE);
	assert_int_equal(packet.pieces, pieces);
	assert_int_equal(packet.len, len);
}

static void expect_bad(const struct answers *r, enum vnif_rx_fault why)
{
	struct vnif_rx_packet packet;

	assert_int_equal(feed(r, &packet), VNIF_RX_BAD);
	assert_int_equal(packet.fault, why);
}

static void rx_one(void **state)
{
	struct answers r = { 0 };
	struct vnif_rx_packet packet;

	add(&r, 0, 60, BLANK);
	expect_whole(&r, 1, 60);
	feed(&r, &packet);
	assert_int_equal(packet.flags, BLANK);
	assert_int_equal(packet.gso_type, XEN_NETIF_GSO_TYPE_NONE);
}

static void rx_two_and_three(void **state)
{
	struct answers r = { 0 };

	add(&r, 0, 4096, MORE);
	add(&r, 0, 1, 0);
	expect_whole(&r, 2, 4097);
	r.n--;
	add(&r, 0, 4096, MORE);
	add(&r, 2, 1000, 0);
	expect_whole(&r, 3, 9192);
}

/* N06: 18 slots is what the protocol allows; 64 KiB and headers fit. */
static void rx_eighteen(void **state)
{
	struct answers r = { 0 };
	unsigned int i;

	for (i = 0; i < 17; i++)
		add(&r, 0, 3700, MORE);
	add(&r, 0, 1000, 0);
	expect_whole(&r, 18, 17 * 3700 + 1000);
}

/* N05: more is dropped whole, and what follows is a new packet. */
static void rx_too_many_slots(void **state)
{
	unsigned int n, i;

	for (n = 19; n <= 290; n++) {
		struct answers r = { 0 };
		struct vnif_rx_packet packet;

		for (i = 0; i < n; i++)
			add(&r, 0, 100, i + 1 < n ? MORE : 0);
		assert_int_equal(feed(&r, &packet), VNIF_RX_BAD);
		assert_int_equal(packet.fault, VNIF_RX_LONG);
		assert_int_equal(packet.pieces, 18);
	}
}

static void rx_too_many_bytes(void **state)
{
	struct answers r = { 0 };
	unsigned int i;

	for (i = 0; i < 16; i++)
		add(&r, 0, 4096, MORE);
	add(&r, 0, VNIF_RX_MAX_LEN - 65536, 0);
	expect_whole(&r, 17, VNIF_RX_MAX_LEN);
	r.a[16].rsp.status++;
	expect_bad(&r, VNIF_RX_LONG);
}

/* N01, N02: bytes beyond the page, in the first slot and in a later one. */
static void rx_bounds(void **state)
{
	static const struct { u16 offset; s16 len; bool fine; } rows[] = {
		{ 0, 4096, true }, { 1, 4095, true }, { 4082, 14, true },
		{ 1, 4096, false }, { 4083, 14, false }, { 4096, 14, false },
		{ 65535, 14, false }, { 65535, 1, false }, { 0, 4097, false },
		{ 0, 32767, false }, { 61440, 4096, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct answers first = { 0 }, later = { 0 };

		add(&first, rows[i].offset, rows[i].len, 0);
		add(&later, 0, 100, MORE);
		add(&later, rows[i].offset, rows[i].len, 0);
		if (rows[i].fine) {
			expect_whole(&first, 1, rows[i].len);
			expect_whole(&later, 2, 100 + rows[i].len);
		} else {
			expect_bad(&first, VNIF_RX_BOUNDS);
			expect_bad(&later, VNIF_RX_BOUNDS);
		}
	}
}

/* N03, N04: the first slot holds a whole Ethernet header. */
static void rx_short(void **state)
{
	s16 len;

	for (len = 0; len < 14; len++) {
		struct answers r = { 0 };

		add(&r, 0, len, 0);
		expect_bad(&r, VNIF_RX_SHORT);
		r.a[0].rsp.flags = MORE;
		add(&r, 0, 1000, 0);
		expect_bad(&r, VNIF_RX_SHORT);
	}
}

/* An empty slot behind the first is odd, but nothing is lost by skipping it. */
static void rx_empty_slot_between(void **state)
{
	struct answers r = { 0 };

	add(&r, 0, 100, MORE);
	add(&r, 0, 0, MORE);
	add(&r, 0, 50, 0);
	expect_whole(&r, 2, 150);
}

/* The backend's own errors, wherever in the chain they are. */
static void rx_error_status(void **state)
{
	unsigned int i, j;

	for (i = 0; i < 3; i++) {
		struct answers r = { 0 };

		for (j = 0; j < 3; j++)
			add(&r, 0, 100, j < 2 ? MORE : 0);
		r.a[i].rsp.status = i == 2 ? -32768 : -1;
		expect_bad(&r, VNIF_RX_ERROR);
	}
}

static void rx_gso(void **state)
{
	static const u16 sizes[] = { 8, 536, 1448, 65534 };
	struct vnif_rx_packet packet;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct answers r = { 0 };

		add(&r, 0, 66, BLANK | EXTRA | MORE);
		add_gso(&r, sizes[i]);
		add(&r, 0, 4096, MORE);
		add(&r, 0, 4000, 0);
		assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
		assert_int_equal(packet.pieces, 3);
		assert_int_equal(packet.len, 66 + 4096 + 4000);
		assert_int_equal(packet.gso_size, sizes[i]);
		assert_int_equal(packet.gso_type, XEN_NETIF_GSO_TYPE_TCPV4);
	}
}

static void rx_gso_single(void **state)
{
	struct answers r = { 0 };
	struct vnif_rx_packet packet;

	add(&r, 0, 3000, BLANK | EXTRA);
	add_extra(&r, XEN_NETIF_EXTRA_TYPE_GSO, 0, XEN_NETIF_GSO_TYPE_TCPV6, 1440);
	assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
	assert_int_equal(packet.gso_type, XEN_NETIF_GSO_TYPE_TCPV6);
}

/* N08, N09 */
static void rx_bad_extra(void **state)
{
	static const struct { u8 type, gso_type; u16 size; } rows[] = {
		{ 0, 1, 1448 }, { 2, 1, 1448 }, { 3, 1, 1448 }, { 4, 1, 1448 },
		{ 5, 1, 1448 }, { 6, 1, 1448 }, { 255, 1, 1448 },
		{ 1, 0, 1448 }, { 1, 3, 1448 }, { 1, 255, 1448 },
		{ 1, 1, 0 }, { 1, 1, 1 }, { 1, 1, 7 }, { 1, 1, 65535 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct answers r = { 0 };

		add(&r, 0, 66, EXTRA | MORE);
		add_extra(&r, rows[i].type, 0, rows[i].gso_type, rows[i].size);
		add(&r, 0, 1000, 0);
		expect_bad(&r, VNIF_RX_EXTRA);
	}
}

static void rx_gso_twice(void **state)
{
	struct answers r = { 0 };

	add(&r, 0, 66, EXTRA | MORE);
	add_extra(&r, 1, XEN_NETIF_EXTRA_FLAG_MORE, 1, 1448);
	add_gso(&r, 1448);
	add(&r, 0, 1000, 0);
	expect_bad(&r, VNIF_RX_EXTRA);
}

/* A chain of 255 extra slots: followed to its end, dropped once. */
static void rx_extra_chain(void **state)
{
	struct answers r = { 0 };
	unsigned int i;

	add(&r, 0, 66, EXTRA);
	for (i = 0; i < 255; i++)
		add_extra(&r, 1, i < 254 ? XEN_NETIF_EXTRA_FLAG_MORE : 0, 1, 1448);
	expect_bad(&r, VNIF_RX_EXTRA);
}

/* Extra slots belong to the first slot; announced later they are still skipped. */
static void rx_extra_on_later_slot(void **state)
{
	struct answers r = { 0 };

	add(&r, 0, 66, MORE);
	add(&r, 0, 1000, EXTRA | MORE);
	add_gso(&r, 1448);
	add(&r, 0, 1000, 0);
	expect_bad(&r, VNIF_RX_EXTRA);
}

/* R05-R07: an id that is not that of its slot, first or later. */
static void rx_wrong_id(void **state)
{
	static const u16 ids[] = { 1, 2, 255, 256, 65535 };
	struct vnif_rx_packet packet;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		struct answers r = { 0 };

		add(&r, 0, 100, MORE);
		r.a[0].rsp.id = ids[i];
		assert_int_equal(feed(&r, &packet), VNIF_RX_LIE);
		r.a[0].rsp.id = 0;
		add(&r, 0, 100, 0);
		r.a[1].rsp.id = ids[i] == 1 ? 0 : ids[i];
		assert_int_equal(feed(&r, &packet), VNIF_RX_LIE);
	}
}

/* N07: the end of the packet has not come: it waits, at any place of the chain. */
static void rx_partial(void **state)
{
	struct answers whole = { 0 }, part;
	struct vnif_rx_packet packet;

	add(&whole, 0, 66, BLANK | EXTRA | MORE);
	add_gso(&whole, 1448);
	add(&whole, 0, 4096, MORE);
	add(&whole, 0, 100, 0);
	for (part = whole; part.n; part.n--)
		assert_int_equal(feed(&part, &packet), part.n == whole.n ?
				 VNIF_RX_WHOLE : VNIF_RX_MORE);
}

/* Nothing of a packet, good or bad, is left for the next one. */
static void rx_begins_anew(void **state)
{
	struct vnif_rx_packet packet;
	struct answers r = { 0 };
	bool kept;

	add(&r, 0, 66, BLANK | EXTRA | MORE);
	add_extra(&r, 255, 0, 1, 0);
	add(&r, 0, -1, 0);
	assert_int_equal(feed(&r, &packet), VNIF_RX_BAD);
	vnif_rx_begin(&packet);
	r.n = 0;
	add(&r, 0, 60, 0);
	assert_int_equal(vnif_rx_feed(&packet, 0, &r.a[0], &terms, pages,
				      &kept),
			 VNIF_RX_WHOLE);
	assert_true(kept);
	assert_int_equal(packet.pieces, 1);
	assert_int_equal(packet.len, 60);
	assert_int_equal(packet.flags, 0);
	assert_int_equal(packet.gso_type, XEN_NETIF_GSO_TYPE_NONE);
}

/* N25: the headroom is free in every buffer, whoever counts it. */
static void rx_headroom(void **state)
{
	struct vnif_rx_packet packet;
	struct answers r = { 0 };

	terms.headroom = 256;
	/* As netback says it: offset 0, and the headroom counts. */
	add(&r, 0, 256 + 60, EXTRA | MORE);
	add_extra(&r, XEN_NETIF_EXTRA_TYPE_XDP, 0, 0, 0);
	add(&r, 0, 256 + 7, 0);
	assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
	assert_int_equal(packet.len, 67);
	assert_int_equal(packet.piece[0].offset, 256);
	assert_int_equal(packet.piece[0].len, 60);
	assert_int_equal(packet.piece[1].offset, 256);
	assert_int_equal(packet.piece[1].len, 7);
	/* As the fields are meant. */
	r.n = 0;
	add(&r, 256, 60, 0);
	assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
	assert_int_equal(packet.piece[0].offset, 256);
	assert_int_equal(packet.len, 60);
	/* Half of it. */
	r.n = 0;
	add(&r, 100, 156 + 60, 0);
	expect_whole(&r, 1, 60);
	/* No more than headroom, or less. */
	r.n = 0;
	add(&r, 0, 256, 0);
	expect_bad(&r, VNIF_RX_SHORT);
	r.n = 0;
	add(&r, 0, 10, 0);
	expect_bad(&r, VNIF_RX_SHORT);
	r.n = 0;
	add(&r, 0, 256 + 13, 0);
	expect_bad(&r, VNIF_RX_SHORT);
	r.n = 0;
	add(&r, 256, 3841, 0);
	expect_bad(&r, VNIF_RX_BOUNDS);
	r.n = 0;
	add(&r, 0, 4096, 0);
	expect_whole(&r, 1, 3840);
	terms.headroom = 0;
	/* Not agreed on. */
	r.n = 0;
	add(&r, 0, 60, EXTRA);
	add_extra(&r, XEN_NETIF_EXTRA_TYPE_XDP, 0, 0, 0);
	expect_bad(&r, VNIF_RX_EXTRA);
}

static void add_hash(struct answers *r, u8 flags, u8 type, u8 algorithm)
{
	add_extra(r, XEN_NETIF_EXTRA_TYPE_HASH, flags, 0, 0);
	r->a[r->n - 1].extra.u.hash.type = type;
	r->a[r->n - 1].extra.u.hash.algorithm = algorithm;
	memcpy(r->a[r->n - 1].extra.u.hash.value, "\1\2\3\4", 4);
}

/* N26: a hash where one was asked for, once, and of a type there is. */
static void rx_hash(void **state)
{
	const u8 toeplitz = XEN_NETIF_CTRL_HASH_ALGORITHM_TOEPLITZ;
	const u8 tcp = _XEN_NETIF_CTRL_HASH_TYPE_IPV4_TCP;
	struct vnif_rx_packet packet;
	struct answers r = { 0 };
	u32 hash;

	add(&r, 0, 60, EXTRA);
	add_hash(&r, 0, tcp, toeplitz);
	expect_bad(&r, VNIF_RX_EXTRA);
	terms.hash = true;
	assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
	memcpy(&hash, "\1\2\3\4", 4);
	assert_int_equal(packet.hash_type, tcp + 1);
	assert_int_equal(packet.hash, hash);
	r.n = 0;
	add(&r, 0, 60, EXTRA | BLANK);
	add_extra(&r, XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_EXTRA_FLAG_MORE,
		  XEN_NETIF_GSO_TYPE_TCPV4, 1448);
	add_hash(&r, 0, tcp, toeplitz);
	assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
	assert_int_equal(packet.gso_size, 1448);
	assert_int_equal(packet.hash_type, tcp + 1);
	r.n = 0;
	add(&r, 0, 60, EXTRA);
	add_hash(&r, XEN_NETIF_EXTRA_FLAG_MORE, tcp, toeplitz);
	add_hash(&r, 0, tcp, toeplitz);
	expect_bad(&r, VNIF_RX_EXTRA);
	r.n = 0;
	add(&r, 0, 60, EXTRA);
	add_hash(&r, 0, 4, toeplitz);
	expect_bad(&r, VNIF_RX_EXTRA);
	r.n = 0;
	add(&r, 0, 60, EXTRA);
	add_hash(&r, 0, tcp, 0);
	expect_bad(&r, VNIF_RX_EXTRA);
	/* The next packet has none. */
	r.n = 0;
	add(&r, 0, 60, 0);
	assert_int_equal(feed(&r, &packet), VNIF_RX_WHOLE);
	assert_int_equal(packet.hash_type, 0);
	terms.hash = false;
}

/*
 * Random answers, near-legal ones mixed in, as a stream over many packets: each
 * answer gets a verdict, each page is kept or returned, and what comes out whole
 * is within all limits.
 */
static void rx_random(void **state)
{
	unsigned int count[4] = { 0 }, round, i;
	struct vnif_rx_packet packet;
	u32 rnd = 0xc0ffee;

	vnif_rx_begin(&packet);
	for (round = 0; round < 1000000; round++) {
		/* Another agreement with another connection, and so between packets. */
		if (packet.expect == VNIF_RX_EXPECT_FIRST) {
			terms.headroom = unit_random(&rnd) % 4 ? 0 : 256;
			terms.hash = unit_random(&rnd) % 2;
		}
		union vnif_rx_answer a;
		enum vnif_rx_verdict verdict;
		unsigned int before = packet.pieces;
		bool kept;

		for (i = 0; i < sizeof(a); i++)
			((u8 *)&a)[i] = unit_random(&rnd);
		if (packet.expect == VNIF_RX_EXPECT_EXTRA &&
		    unit_random(&rnd) % 2) {
			a.extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
			a.extra.flags = 0;
			a.extra.u.gso.type = 1 + unit_random(&rnd) % 2;
		} else if (packet.expect != VNIF_RX_EXPECT_EXTRA) {
			if (unit_random(&rnd) % 64)
				a.rsp.id = round % 256;
			if (unit_random(&rnd) % 16) {
				a.rsp.offset %= 512;
				a.rsp.status = a.rsp.status & 0xfff;
			}
			if (unit_random(&rnd) % 16 &&
			    packet.expect == VNIF_RX_EXPECT_MORE)
				a.rsp.flags &= ~EXTRA;
		}
		verdict = vnif_rx_feed(&packet, round % 256, &a, &terms,
				       &pages[0], &kept);
		assert_in_range(verdict, VNIF_RX_LIE, VNIF_RX_BAD);
		count[verdict]++;
		assert_int_equal(packet.pieces, before + kept);
		assert_in_range(packet.pieces, 0, VNIF_MAX_SLOTS);
		if (verdict == VNIF_RX_WHOLE) {
			assert_in_range(packet.len, VNIF_MIN_LEN,
					VNIF_RX_MAX_LEN);
			assert_in_range(packet.piece[0].len, VNIF_MIN_LEN,
					VNIF_PAGE);
			if (packet.gso_type != XEN_NETIF_GSO_TYPE_NONE)
				assert_in_range(packet.gso_size, VNIF_GSO_MIN,
						VNIF_GSO_MAX);
		}
		if (verdict != VNIF_RX_MORE)
			vnif_rx_begin(&packet);
	}
	memset(&terms, 0, sizeof(terms));
	for (i = 0; i < ARRAY_SIZE(count); i++)
		assert_true(count[i] > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_table),
		cmocka_unit_test(plan_seventeen_fragments),
		cmocka_unit_test(plan_random),
		cmocka_unit_test(rx_one),
		cmocka_unit_test(rx_two_and_three),
		cmocka_unit_test(rx_eighteen),
		cmocka_unit_test(rx_too_many_slots),
		cmocka_unit_test(rx_too_many_bytes),
		cmocka_unit_test(rx_bounds),
		cmocka_unit_test(rx_short),
		cmocka_unit_test(rx_empty_slot_between),
		cmocka_unit_test(rx_error_status),
		cmocka_unit_test(rx_gso),
		cmocka_unit_test(rx_gso_single),
		cmocka_unit_test(rx_bad_extra),
		cmocka_unit_test(rx_gso_twice),
		cmocka_unit_test(rx_extra_chain),
		cmocka_unit_test(rx_extra_on_later_slot),
		cmocka_unit_test(rx_wrong_id),
		cmocka_unit_test(rx_partial),
		cmocka_unit_test(rx_begins_anew),
		cmocka_unit_test(rx_headroom),
		cmocka_unit_test(rx_hash),
		cmocka_unit_test(rx_random),
	};

	return cmocka_run_group_tests_name("vnif_wire", tests, NULL, NULL);
}
