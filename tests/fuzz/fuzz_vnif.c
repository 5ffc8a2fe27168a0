// SPDX-License-Identifier: GPL-2.0
// pure: netfront/wire.c
/*
 * netfront/wire.c: any packet cut into slots, and any answers put together to
 * packets; the invariants of netfront/wire.h.
 */
#include "fuzz.h"

#include "../../netfront/wire.h"

#define SPANS 20

/* --- transmit --------------------------------------------------------------------- */

static void check_plan(const struct vnif_tx_seg *seg, unsigned int n, u32 copied,
		       const struct vnif_tx_span *span, unsigned int spans)
{
	unsigned int i = 0, f;
	u32 at;

	for (at = 0; at < copied; at += seg[i++].len) {
		must(i < n && seg[i].frag == VNIF_TX_COPIED);
		must(seg[i].pos == at && seg[i].offset == 0);
		must(seg[i].len && seg[i].len <= VNIF_PAGE);
	}
	must(at == copied);
	for (f = 0; f < spans; f++) {
		for (at = 0; at < span[f].len; at += seg[i++].len) {
			must(i < n && seg[i].frag == f);
			must(seg[i].page * VNIF_PAGE + seg[i].offset == span[f].offset + at);
			must(seg[i].len && seg[i].len <= VNIF_PAGE - seg[i].offset);
		}
		must(at == span[f].len);
	}
	must(i == n);
}

/* Slots that the packet needs, counted page by page. */
static u32 slots_of(u32 copied, const struct vnif_tx_span *span, unsigned int spans)
{
	u32 n = DIV_ROUND_UP(copied, VNIF_PAGE);
	unsigned int i;

	for (i = 0; i < spans; i++)
		if (span[i].len)
			n += (span[i].offset + span[i].len - 1) / VNIF_PAGE -
			     span[i].offset / VNIF_PAGE + 1;
	return n;
}

static void transmit(struct fuzz_input *in)
{
	unsigned int max = fuzz_u8(in) % (VNIF_MAX_SLOTS + 2), spans = fuzz_u8(in) % SPANS, i, n;
	struct vnif_tx_seg *seg = malloc(max * sizeof(*seg) + !max);
	struct vnif_tx_span *span = malloc(spans * sizeof(*span) + !spans);
	u32 copied = fuzz_u16(in), need;

	for (i = 0; i < spans; i++) {
		span[i].offset = fuzz_u16(in);
		span[i].len = fuzz_u16(in);
	}
	need = slots_of(copied, span, spans);
	n = vnif_tx_plan(seg, max, copied, span, spans);
	must(n == (need <= max ? need : 0));
	if (n)
		check_plan(seg, n, copied, span, spans);
	free(span);
	free(seg);
}

/* --- receive ---------------------------------------------------------------------- */

struct chain {
	struct vnif_rx_packet *packet;
	struct vnif_rx_terms terms;
	u8 *page[256];		/* those that the packet keeps, in order */
	unsigned int kept, answers;
	bool wants_extra;	/* what the flags so far announce */
	bool more;
};

static void check_pieces(const struct chain *c)
{
	const struct vnif_rx_packet *p = c->packet;
	unsigned int i;
	u32 len = 0;

	must(p->pieces == c->kept && p->pieces <= VNIF_MAX_SLOTS);
	for (i = 0; i < p->pieces; i++) {
		must(p->piece[i].page == c->page[i]);
		must(p->piece[i].len && p->piece[i].offset + p->piece[i].len <= VNIF_PAGE);
		must(p->piece[i].offset >= c->terms.headroom);
		len += p->piece[i].len;
	}
	must(p->len == len && len <= VNIF_RX_MAX_LEN);
	must(p->fault < VNIF_RX_FAULTS);
}

static void check_whole(const struct vnif_rx_packet *p)
{
	must(p->fault == VNIF_RX_FINE);
	must(p->pieces && p->piece[0].len >= VNIF_MIN_LEN);
	must(p->gso_type == XEN_NETIF_GSO_TYPE_NONE ||
	     p->gso_type == XEN_NETIF_GSO_TYPE_TCPV4 ||
	     p->gso_type == XEN_NETIF_GSO_TYPE_TCPV6);
	must(p->gso_type == XEN_NETIF_GSO_TYPE_NONE ? !p->gso_size :
	     p->gso_size >= VNIF_GSO_MIN && p->gso_size <= VNIF_GSO_MAX);
	must(p->hash_type <= _XEN_NETIF_CTRL_HASH_TYPE_IPV6_TCP + 1);
}

static void begin(struct chain *c)
{
	memset(c->packet, 0x5a, sizeof(*c->packet));
	vnif_rx_begin(c->packet);
	c->kept = c->answers = 0;
	c->wants_extra = c->more = false;
}

static void read_answer(struct fuzz_input *in, union vnif_rx_answer *answer, u16 *slot)
{
	u8 how = fuzz_u8(in);
	unsigned int i;

	for (i = 0; i < sizeof(*answer); i++)
		((u8 *)answer)[i] = 0;
	*slot = how % 64;
	answer->rsp.id = *slot;
	switch (how >> 6) {
	case 0:		/* one that makes sense */
		answer->rsp.status = fuzz_u8(in) * 16;
		answer->rsp.flags = fuzz_u8(in) & 0xf;
		break;
	case 1:		/* any answer */
		answer->rsp.offset = fuzz_u16(in);
		answer->rsp.status = fuzz_u16(in);
		answer->rsp.flags = fuzz_u16(in);
		break;
	case 2:		/* GSO */
		answer->extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
		answer->extra.flags = fuzz_u8(in);
		answer->extra.u.gso.size = fuzz_u16(in);
		answer->extra.u.gso.type = fuzz_u8(in);
		break;
	default:
		for (i = 0; i < sizeof(*answer); i++)
			((u8 *)answer)[i] = fuzz_u8(in);
	}
}

/* One answer. Return: false if it is a lie, after which nothing is believed. */
static bool feed(struct chain *c, struct fuzz_input *in)
{
	union vnif_rx_answer answer, before;
	enum vnif_rx_verdict verdict;
	u8 *page = malloc(1);
	bool kept = true, extra, was_extra = c->wants_extra;
	u16 slot;

	read_answer(in, &answer, &slot);
	before = answer;
	verdict = vnif_rx_feed(c->packet, slot, &answer, &c->terms, page, &kept);
	must(!memcmp(&before, &answer, sizeof(answer)));
	must((verdict == VNIF_RX_LIE) == (!was_extra && answer.rsp.id != slot));
	must(!kept || (!was_extra && verdict != VNIF_RX_LIE));
	if (kept) {
		must(c->kept < ARRAY_SIZE(c->page));
		c->page[c->kept++] = page;
	} else {
		free(page);
	}
	if (verdict == VNIF_RX_LIE)
		return false;
	if (!was_extra)
		c->more = answer.rsp.flags & XEN_NETRXF_more_data;
	extra = was_extra ? answer.extra.flags & XEN_NETIF_EXTRA_FLAG_MORE :
			    answer.rsp.flags & XEN_NETRXF_extra_info;
	c->wants_extra = extra;
	must((verdict == VNIF_RX_MORE) == (extra || c->more));
	check_pieces(c);
	if (verdict == VNIF_RX_WHOLE)
		check_whole(c->packet);
	must(c->terms.hash || !c->packet->hash_type);
	must(verdict != VNIF_RX_BAD || c->packet->fault != VNIF_RX_FINE);
	if (verdict != VNIF_RX_MORE) {
		while (c->kept)
			free(c->page[--c->kept]);
		begin(c);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct chain c = { .packet = malloc(sizeof(*c.packet)) };

	u8 what = fuzz_u8(&in);

	if (what & 1) {
		transmit(&in);
	} else {
		c.terms.headroom = what & 2 ? 256 : 0;
		c.terms.hash = what & 4;
		begin(&c);
		while (in.left && feed(&c, &in))
			;
		while (c.kept)
			free(c.page[--c.kept]);
	}
	free(c.packet);
	return 0;
}
