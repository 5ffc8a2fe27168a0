// SPDX-License-Identifier: GPL-2.0
/*
 * One ring of a network card, from the backend's side.
 *
 * Life: from ring_map() to ring_unmap(), a connection.
 * Locks: none, one thread.
 * Trust: a slot is copied once; an index that makes no sense is not followed.
 */
#include <string.h>

#include "net_lies.h"

bool ring_map(struct vif *v, struct net_ring *r, uint32_t ref, unsigned int size)
{
	unsigned long answered = r->answered;

	memset(r, 0, sizeof(*r));
	r->answered = answered;
	r->slots = be_ring_slots(1, size);
	r->size = size;
	r->port = -1;
	if (!be_map(&v->dev, &r->map, &ref, 1, false))
		return false;
	r->shared = r->map.pages;
	return true;
}

void ring_unmap(struct vif *v, struct net_ring *r, bool keep)
{
	if (!r->shared)
		return;
	if (!keep)
		be_unmap(&v->dev, &r->map);
	r->shared = NULL;
}

unsigned int ring_waiting(struct net_ring *r)
{
	uint32_t n = r->shared->req_prod - r->req_cons;

	__sync_synchronize();
	return n <= r->slots ? n : 0;
}

uint8_t *ring_slot(struct net_ring *r, uint32_t index)
{
	return (uint8_t *)r->shared->slot + (size_t)(index & (r->slots - 1)) * r->size;
}

void ring_take(struct net_ring *r, void *request)
{
	memcpy(request, ring_slot(r, r->req_cons++), r->size);
}

/* Ask for an event with the next request. Return: true if one is there already. */
bool ring_more(struct net_ring *r)
{
	r->shared->req_event = r->req_cons + 1;
	__sync_synchronize();
	return ring_waiting(r);
}

/* Write a response; it is seen after ring_push(). */
void ring_put(struct net_ring *r, const void *response, unsigned int size)
{
	memcpy(ring_slot(r, r->rsp_prod++), response, size);
	memcpy(&r->history[r->answered++ % VIF_HISTORY], response,
	       sizeof(r->history[0]));
}

/* Publish responses; notify if the frontend asked for it, or @always. */
void ring_push(struct vif *v, struct net_ring *r, bool always)
{
	always |= be_ring_publish(r->shared, &r->rsp_seen, r->rsp_prod);
	if (always && !lie_mutes(v, r))
		be_notify(&v->dev, r->port);
}

/* The same, unless a lie has it another way. @q: NULL for the control ring. */
void ring_publish(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	if (r->rsp_seen != r->rsp_prod && !lie_publish(v, q, r))
		ring_push(v, r, false);
}
