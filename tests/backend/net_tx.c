// SPDX-License-Identifier: GPL-2.0
/*
 * Packets from the guest: requests off the ring, data out of its pages, answers.
 *
 * Life: a packet lives from tx_serve() to its answer.
 * Locks: none, one thread.
 * Trust: a chain that does not end, or leaves its pages, is not a packet: it is
 * answered with an error.
 */
#include <stdlib.h>
#include <string.h>

#include "net_lies.h"

/* One packet's slots off the ring; NULL if its end is not there yet. */
static struct tx_packet *take(struct net_ring *r)
{
	unsigned int left = ring_waiting(r);
	struct tx_packet *p = calloc(1, sizeof(*p));
	struct netif_tx_request *req;
	uint8_t slot[12];
	bool more;

	if (!p)
		die("no memory");
	do {
		if (!left-- || p->n == VIF_CHAIN_MAX) {
			be_say("a packet without an end");
			p->status = NETIF_RSP_ERROR;
			break;
		}
		req = &p->request[p->n++];
		ring_take(r, req);
		more = req->flags & NETTXF_extra_info;
		while (more && left) {
			left--;
			p->extras++;
			ring_take(r, slot);
			memcpy(&p->extra, slot, sizeof(p->extra));
			more = p->extra.flags & XEN_NETIF_EXTRA_FLAG_MORE;
		}
	} while (req->flags & NETTXF_more_data);
	return p;
}

/* Copy its data. Return: false if they are not what the requests say. */
static bool fetch(struct vif *v, struct tx_packet *p, struct frame *f)
{
	xengnttab_grant_copy_segment_t copy[VIF_CHAIN_MAX];
	unsigned int i, at = 0, rest = 0, len;

	for (i = 1; i < p->n; i++)
		rest += p->request[i].size;
	if (rest >= p->request[0].size && p->n > 1)
		return false;
	f->len = p->request[0].size;
	memset(copy, 0, sizeof(copy));
	for (i = 0; i < p->n; i++, at += len) {
		len = i ? p->request[i].size : f->len - rest;
		if (p->request[i].offset + len > BE_PAGE)
			return false;
		copy[i].source.foreign.ref = p->request[i].gref;
		copy[i].source.foreign.offset = p->request[i].offset;
		copy[i].source.foreign.domid = v->dev.domid;
		copy[i].dest.virt = f->data + at;
		copy[i].len = len;
		copy[i].flags = GNTCOPY_source_gref;
	}
	if (xengnttab_grant_copy(v->dev.gnt, p->n, copy))
		return false;
	for (i = 0; i < p->n; i++)
		if (copy[i].status)
			return false;
	return true;
}

static void carry_out(struct vif *v, struct tx_packet *p)
{
	unsigned int gso = 0, size = 0;

	if (p->status)
		return;
	/* A request without data changes the list of multicast addresses. */
	if (!p->request[0].size && p->extras)
		return;
	if (p->extras && p->extra.type == XEN_NETIF_EXTRA_TYPE_GSO) {
		gso = p->extra.u.gso.type;
		size = p->extra.u.gso.size;
	}
	if (!fetch(v, p, &v->out)) {
		be_say("a packet that makes no sense");
		p->status = NETIF_RSP_ERROR;
		return;
	}
	v->packets[0]++;
	tap_write(v, &v->out, p->request[0].flags & NETTXF_csum_blank, gso, size);
}

struct tx_packet *tx_pop(struct vif_queue *q, unsigned int at)
{
	struct tx_packet **link = &q->head;
	struct tx_packet *p;

	while (at--)
		link = &(*link)->next;
	p = *link;
	*link = p->next;
	if (!p->next)
		q->tail = link;
	q->pending--;
	return p;
}

void tx_forget(struct vif_queue *q)
{
	while (q->pending)
		free(tx_pop(q, 0));
}

/* Write its answers, and free it. */
void tx_write(struct vif_queue *q, struct tx_packet *p)
{
	struct netif_tx_response none = { .status = NETIF_RSP_NULL };
	struct netif_tx_response rsp = { .status = p->status };
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		rsp.id = p->request[i].id;
		ring_put(&q->tx, &rsp, sizeof(rsp));
		for (; !i && p->extras; p->extras--)
			ring_put(&q->tx, &none, sizeof(none));
	}
	free(p);
}

void tx_answer_all(struct vif *v, struct vif_queue *q)
{
	while (q->pending)
		tx_write(q, tx_pop(q, 0));
	ring_publish(v, q, &q->tx);
}

/* Take, carry out and answer what is there. Return: false if nothing was. */
bool tx_serve(struct vif *v, struct vif_queue *q)
{
	uint32_t first = q->tx.req_cons;
	struct tx_packet *p;

	while (lie_takes(v, &q->tx) && ring_waiting(&q->tx)) {
		p = take(&q->tx);
		carry_out(v, p);
		*q->tail = p;
		q->tail = &p->next;
		q->pending++;
	}
	if (!lie_takes(v, &q->tx))
		return false;
	if (q->pending && !lie_answer(v, q))
		tx_answer_all(v, q);
	return ring_more(&q->tx) || q->tx.req_cons != first;
}
