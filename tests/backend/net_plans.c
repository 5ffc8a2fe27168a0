// SPDX-License-Identifier: GPL-2.0
/*
 * Packets to the guest that are wrong: what is changed in the plan of an honest one.
 *
 * Life, locks: none; a function changes what it is given.
 * Trust: this is what must not be trusted.
 */
#include <string.h>

#include "net_lies.h"

/* Bytes beyond the end of the page. */
bool plan_beyond(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	struct rx_item *item = &plan->item[0];

	(void)f;
	item->len = 0;
	item->rsp.offset = BE_PAGE - number + 1;
	item->rsp.status = number;
	return true;
}

bool plan_far(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	(void)f;
	plan->item[0].len = 0;
	plan->item[0].rsp.offset = 65535;
	plan->item[0].rsp.status = number;
	return true;
}

/* Nothing in the first slot; 1: the packet behind it. */
bool plan_empty(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	struct rx_item *item = plan->item;

	(void)f;
	if (item->rsp.flags & NETRXF_extra_info)
		return false;
	if (number) {
		memmove(item + 1, item, plan->n++ * sizeof(*item));
		item->rsp.flags = NETRXF_more_data;
	}
	item->len = 0;
	item->rsp.status = 0;
	return true;
}

bool plan_short(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	(void)f;
	plan->item[0].len = number;
	plan->item[0].rsp.status = number;
	return true;
}

bool plan_error(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	(void)f;
	plan->item[0].rsp.status = (int16_t)number;
	return true;
}

/* A chain of so many slots. */
bool plan_long(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	unsigned int i;

	plan->n = number < VIF_CHAIN_MAX ? number : VIF_CHAIN_MAX;
	for (i = 0; i < plan->n; i++) {
		memset(&plan->item[i], 0, sizeof(plan->item[i]));
		plan->item[i].data = f->data;
		plan->item[i].len = f->len < 64 ? f->len : 64;
		plan->item[i].rsp.status = plan->item[i].len;
		plan->item[i].rsp.flags = i + 1 < plan->n ? NETRXF_more_data : 0;
	}
	return true;
}

/* As many slots as a packet may have, and no lie at all. */
bool plan_full(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	struct rx_item extra = plan->item[1], *item;
	uint16_t flags = plan->item[0].rsp.flags;
	unsigned int at = 0, len, i;

	len = (f->len + number - 1) / number;
	if (f->len < number * 64 || len > BE_PAGE || len * (number - 1) >= f->len)
		return false;
	plan->n = 0;
	for (i = 0; i < number; i++) {
		item = &plan->item[plan->n++];
		memset(item, 0, sizeof(*item));
		item->data = f->data + at;
		item->len = f->len - at < len ? f->len - at : len;
		item->rsp.status = item->len;
		item->rsp.offset = i * 7;
		at += item->len;
		item->rsp.flags = at < f->len ? NETRXF_more_data : 0;
		if (item->rsp.offset + item->len > BE_PAGE)
			item->rsp.offset = 0;
		if (i)
			continue;
		item->rsp.flags |= flags & ~NETRXF_more_data;
		if (flags & NETRXF_extra_info)
			plan->item[plan->n++] = extra;
	}
	return true;
}

bool plan_endless(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	(void)f;
	(void)number;
	plan->item[plan->n - 1].rsp.flags |= NETRXF_more_data;
	return !plan->item[plan->n - 1].extra;
}

/* An extra slot behind the first one, which says that there is one. */
static struct netif_extra_info *add_extra(struct rx_plan *plan, unsigned int at,
					  uint8_t type)
{
	struct rx_item *item = &plan->item[at];

	memmove(item + 1, item, (plan->n++ - at) * sizeof(*item));
	memset(item, 0, sizeof(*item));
	item->extra = true;
	item->info.type = type;
	plan->item[0].rsp.flags |= NETRXF_extra_info;
	return &item->info;
}

static struct netif_extra_info *add_gso(struct rx_plan *plan, unsigned int at,
					uint8_t type, uint16_t size)
{
	struct netif_extra_info *info;

	info = add_extra(plan, at, XEN_NETIF_EXTRA_TYPE_GSO);
	info->u.gso.type = type;
	info->u.gso.size = size;
	return info;
}

/* Extra information that was not agreed on, is none, or does not end. */
bool plan_extras(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	unsigned int i;

	(void)f;
	if (plan->item[0].rsp.flags & NETRXF_extra_info)
		return false;
	switch (number) {
	case 0:
		/* The flag, and then the next packet. */
		plan->item[0].rsp.flags |= NETRXF_extra_info;
		break;
	case 1: case 2: case 4: case 5: case 6: case 255:
		add_extra(plan, 1, number == 1 ? 0 : number);
		break;
	case 100:
		for (i = 1; i < VIF_CHAIN_MAX - 4; i++)
			add_gso(plan, 1, XEN_NETIF_GSO_TYPE_TCPV4, 1000)->flags =
				i > 1 ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
		break;
	default:
		add_gso(plan, 1, XEN_NETIF_GSO_TYPE_TCPV4, 1000);
		add_gso(plan, 1, XEN_NETIF_GSO_TYPE_TCPV4, 1000)->flags =
			XEN_NETIF_EXTRA_FLAG_MORE;
	}
	return true;
}

/* Segments of no kind or of no size; 6: good ones whose checksum is not blank. */
bool plan_segments(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	static const uint8_t type[] = { 0, 3, 255, 1, 1, 1 };
	static const uint16_t size[] = { 1448, 1448, 1448, 0, 1, 65535 };

	if (number < 6) {
		if (plan->item[0].rsp.flags & NETRXF_extra_info)
			return false;
		add_gso(plan, 1, type[number], size[number]);
		plan->item[0].rsp.flags |= NETRXF_csum_blank;
		return true;
	}
	if (!f->hdr.gso_type)
		return false;
	plan->item[0].rsp.flags &= ~(NETRXF_csum_blank | NETRXF_data_validated);
	return true;
}

/* The headers of the packet in a slot of their own, behind its first bytes. */
static bool cut(struct rx_plan *plan, unsigned int at)
{
	struct rx_item *item = plan->item;
	struct rx_item rest = *item;

	if (item->len <= at)
		return false;
	rest.data += at;
	rest.len -= at;
	rest.rsp.status = rest.len;
	rest.rsp.flags = item->rsp.flags & NETRXF_more_data;
	item->len = at;
	item->rsp.status = at;
	item->rsp.flags |= NETRXF_more_data;
	at = item->rsp.flags & NETRXF_extra_info ? 2 : 1;
	memmove(item + at + 1, item + at, (plan->n++ - at) * sizeof(*item));
	item[at] = rest;
	return true;
}

/* IPv6 with one extension header behind the other to the end of the packet. */
static void bomb(struct frame *f)
{
	unsigned int at;

	f->data[12] = 0x86;
	f->data[13] = 0xdd;
	f->data[14] = 0x60;
	f->data[20] = 60;
	for (at = 54; at + 8 <= f->len; at += 8) {
		memset(f->data + at, 0, 8);
		f->data[at] = 60;
	}
}

/* Segments whose headers lie; @f is the memory that the plan's items point to. */
bool plan_headers(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	static bool mistaken;
	unsigned int i;

	if (!f->hdr.gso_type || f->len < 200 || f->data[12] != 8)
		return false;
	switch (number) {
	case 0:
		return cut(plan, 14);
	case 1:
		f->data[34 + 12] &= 0x0f;
		break;
	case 2:
		f->data[14] |= 0x0f;
		break;
	case 3:
		bomb(f);
		plan->item[1].info.u.gso.type = XEN_NETIF_GSO_TYPE_TCPV6;
		break;
	case 4:
		for (i = 12; i < 80; i++)
			f->data[i] = random32();
		break;
	case 5:
		f->data[16] = 0;
		f->data[17] = 0;
		break;
	case 6:
		/* Data are taken for options, and nobody notices: once is enough. */
		if (mistaken)
			return false;
		mistaken = true;
		f->data[34 + 12] |= 0xf0;
		break;
	case 7:
		return cut(plan, 35);
	default:
		/* A UDP packet that says it is TCP's segments. */
		f->data[23] = 17;
	}
	return true;
}

/* A blank checksum in what has none. */
bool plan_blank(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	if (plan->item[0].rsp.flags & NETRXF_extra_info)
		return false;
	f->data[12] = number >> 8;
	f->data[13] = number;
	plan->item[0].rsp.flags |= NETRXF_csum_blank;
	return true;
}

/* Data from the first byte of a page on, where others have room before them. */
bool plan_no_room(struct rx_plan *plan, struct frame *f, uint64_t number)
{
	unsigned int i;

	(void)f;
	(void)number;
	if (!plan->item[0].rsp.offset)
		return false;
	for (i = 0; i < plan->n; i++)
		if (!plan->item[i].extra)
			plan->item[i].rsp.offset = 0;
	return true;
}
