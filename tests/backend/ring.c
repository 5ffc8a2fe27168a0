// SPDX-License-Identifier: GPL-2.0
/*
 * The shared ring, from the backend's side: requests off it, responses onto it.
 *
 * Life: a ring is mapped by vbd.c; requests live from ring_take() to their answer.
 * Locks: none, one thread.
 * Trust: a frontend may write what it likes: a slot is copied once, an index that
 * makes no sense is not followed.
 */
#include <stdlib.h>
#include <string.h>

#include "lies.h"

static uint64_t get64(const uint8_t *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

static struct vbd_request *new_request(unsigned int segs)
{
	struct vbd_request *r;

	r = calloc(1, sizeof(*r) + segs * sizeof(r->seg[0]));
	if (!r)
		die("no memory");
	return r;
}

/* Eight bytes a segment: reference, first and last sector, two of padding. */
static void parse_segs(struct vbd_request *r, const uint8_t *wire,
		       unsigned int from, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++, wire += 8) {
		r->seg[from + i].ref = get32(wire);
		r->seg[from + i].first = wire[4];
		r->seg[from + i].last = wire[5];
	}
}

static struct vbd_request *parse_indirect(struct vbd *v, const uint8_t *slot)
{
	unsigned int n = slot[2] | slot[3] << 8;
	uint8_t page[BE_PAGE];
	struct vbd_request *r;
	unsigned int at, part;

	if (n > VBD_SEGS_MAX)
		n = 0;
	r = new_request(n);
	r->op = slot[1];
	for (at = 0; at < n; at += part) {
		part = n - at < BE_PAGE / 8 ? n - at : BE_PAGE / 8;
		if (!disk_fetch(v, get32(slot + v->abi->grefs + at / (BE_PAGE / 8) * 4),
				part * 8, page))
			r->status = RSP_ERROR;
		else
			parse_segs(r, page, at, part);
	}
	r->segs = n;
	return r;
}

static struct vbd_request *parse(struct vbd *v, const uint8_t *slot)
{
	const uint8_t *body = slot + v->abi->id;
	struct vbd_request *r;

	if (slot[0] == OP_INDIRECT) {
		r = parse_indirect(v, slot);
	} else {
		r = new_request(11);
		r->op = slot[0];
		r->segs = slot[1] <= 11 ? slot[1] : 0;
		if (r->op == OP_DISCARD) {
			r->segs = 0;
			r->sectors = get64(body + 16);
			r->secure = slot[1] & 1;
		}
		parse_segs(r, body + 16, 0, r->segs);
	}
	r->id = get64(body);
	r->sector = get64(body + 8);
	return r;
}

static uint8_t *slot_at(struct vbd *v, struct vbd_queue *q, uint32_t index)
{
	return (uint8_t *)q->shared->slot +
	       (size_t)(index & (q->slots - 1)) * v->abi->slot;
}

/* Take and carry out what is on the ring. Return: false if nothing was. */
bool ring_take(struct vbd *v, struct vbd_queue *q)
{
	uint32_t prod = q->shared->req_prod;
	uint32_t first = q->req_cons;
	struct vbd_request *r;
	uint8_t slot[112];

	__sync_synchronize();
	if (prod - q->req_cons > q->slots)
		return false;
	while (q->req_cons != prod) {
		memcpy(slot, slot_at(v, q, q->req_cons++), v->abi->slot);
		r = parse(v, slot);
		if (!r->status)
			disk_serve(v, r);
		lie_served(v, r);
		*q->tail = r;
		q->tail = &r->next;
		q->pending++;
	}
	q->shared->req_event = q->req_cons + 1;
	__sync_synchronize();
	return q->req_cons != first || q->shared->req_prod != q->req_cons;
}

/* Take the request at this place out of the list of those without an answer. */
struct vbd_request *ring_pop(struct vbd_queue *q, unsigned int at)
{
	struct vbd_request **link = &q->head;
	struct vbd_request *r;

	while (at--)
		link = &(*link)->next;
	r = *link;
	*link = r->next;
	if (!r->next)
		q->tail = link;
	q->pending--;
	return r;
}

void ring_forget(struct vbd_queue *q)
{
	while (q->pending)
		free(ring_pop(q, 0));
}

/* Write a response; it is seen after ring_push(). */
void ring_respond(struct vbd *v, struct vbd_queue *q, uint64_t id, uint8_t op,
		  int status)
{
	uint8_t *p = slot_at(v, q, q->rsp_prod++);
	int16_t status16 = status;

	memcpy(p, &id, sizeof(id));
	p[8] = op;
	memcpy(p + 10, &status16, sizeof(status16));
}

/* Publish responses; notify if the frontend asked for it, or @always. */
void ring_push(struct vbd *v, struct vbd_queue *q, bool always)
{
	always |= be_ring_publish(q->shared, &q->rsp_seen, q->rsp_prod);
	if (always && !lie_mutes(v))
		be_notify(&v->dev, q->port);
}

/* Respond as it is right, and free the request. */
void ring_answer(struct vbd *v, struct vbd_queue *q, struct vbd_request *r)
{
	ring_respond(v, q, r->id, r->op, r->status);
	q->history[q->answered++ % VBD_HISTORY] = r->id;
	v->answered++;
	free(r);
}

void ring_answer_all(struct vbd *v, struct vbd_queue *q)
{
	if (!q->pending)
		return;
	while (q->pending)
		ring_answer(v, q, ring_pop(q, 0));
	ring_push(v, q, false);
}
