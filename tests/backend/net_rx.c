// SPDX-License-Identifier: GPL-2.0
/*
 * Packets to the guest: a plan of slots, data into the guest's pages, responses.
 *
 * Life: a packet is read when there is a connection, and waits for buffers.
 * Locks: none, one thread.
 * Trust: a page that Xen does not let us write to makes an error of its response.
 */
#include <string.h>

#include "net_lies.h"

/* Requests of the ring into private memory. */
void rx_take(struct vif_queue *q)
{
	do {
		while (q->buffers < VIF_SLOTS_MAX && ring_waiting(&q->rx)) {
			ring_take(&q->rx, &q->buffer[(q->first + q->buffers) %
						    VIF_SLOTS_MAX]);
			q->buffers++;
		}
	} while (q->buffers < VIF_SLOTS_MAX && ring_more(&q->rx));
}

static struct netif_rx_request next_buffer(struct vif_queue *q)
{
	struct netif_rx_request r = q->buffer[q->first];

	q->first = (q->first + 1) % VIF_SLOTS_MAX;
	q->buffers--;
	return r;
}

static void plan_frame(struct vif *v, const struct frame *f, struct rx_plan *plan)
{
	unsigned int room = BE_PAGE - v->headroom, at = 0, len;
	struct rx_item *first = &plan->item[0], *item;
	unsigned int type = f->hdr.gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	memset(plan, 0, sizeof(*plan));
	do {
		item = &plan->item[plan->n++];
		len = f->len - at < room ? f->len - at : room;
		item->data = f->data + at;
		item->len = len;
		item->rsp.offset = v->headroom;
		item->rsp.status = len;
		at += len;
		if (at < f->len)
			item->rsp.flags |= NETRXF_more_data;
		if (item == first && type) {
			item = &plan->item[plan->n++];
			item->extra = true;
			item->info.type = XEN_NETIF_EXTRA_TYPE_GSO;
			item->info.u.gso.size = f->hdr.gso_size;
			item->info.u.gso.type = type == VIRTIO_NET_HDR_GSO_TCPV6 ?
						XEN_NETIF_GSO_TYPE_TCPV6 :
						XEN_NETIF_GSO_TYPE_TCPV4;
			first->rsp.flags |= NETRXF_extra_info;
		}
	} while (at < f->len);
	if (f->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		first->rsp.flags |= NETRXF_csum_blank | NETRXF_data_validated;
	else if (f->hdr.flags & VIRTIO_NET_HDR_F_DATA_VALID)
		first->rsp.flags |= NETRXF_data_validated;
}

static bool fill(struct vif *v, uint32_t ref, const struct rx_item *item)
{
	xengnttab_grant_copy_segment_t copy = {
		.source.virt = (void *)item->data,
		.dest.foreign = { .ref = ref, .domid = v->dev.domid,
				  .offset = item->rsp.offset },
		.len = item->len,
		.flags = GNTCOPY_dest_gref,
	};

	return !xengnttab_grant_copy(v->dev.gnt, 1, &copy) && !copy.status;
}

static void carry_out(struct vif *v, struct vif_queue *q, struct rx_plan *plan)
{
	struct netif_rx_request buffer;
	struct rx_item *item;
	unsigned int i;

	for (i = 0; i < plan->n; i++) {
		item = &plan->item[i];
		buffer = next_buffer(q);
		lie_buffer(v, q, buffer.gref);
		if (item->extra) {
			ring_put(&q->rx, &item->info, sizeof(item->info));
			continue;
		}
		item->rsp.id = buffer.id;
		if (item->len && !fill(v, buffer.gref, item))
			item->rsp.status = NETIF_RSP_ERROR;
		ring_put(&q->rx, &item->rsp, sizeof(item->rsp));
	}
	ring_publish(v, q, &q->rx);
}

/* The same queue for all packets of a connection, so that they stay in order. */
static struct vif_queue *choose_queue(struct vif *v, const struct frame *f)
{
	unsigned int sum = 0, i;

	for (i = 34; i < 38 && i < f->len; i++)
		sum = sum * 31 + f->data[i];
	return &v->queue[sum % v->queues];
}

/* Is a packet to be read, or does one wait for something else? */
bool rx_wants(const struct vif *v)
{
	return v->queues && !v->waiting;
}

/* Send one packet, if there is one and room for it. Return: true if so. */
bool rx_serve(struct vif *v)
{
	static struct rx_plan plan;
	struct vif_queue *q;

	if (!v->queues)
		return false;
	if (!v->waiting)
		v->waiting = tap_read(v, &v->in);
	if (!v->waiting)
		return false;
	q = choose_queue(v, &v->in);
	if (!lie_takes(v, &q->rx))
		return false;
	rx_take(q);
	if (q->buffers < VIF_ROOM)
		return false;
	v->waiting = false;
	if (lie_loses(v, &q->rx))
		return true;
	plan_frame(v, &v->in, &plan);
	lie_plan(v, q, &plan, &v->in);
	v->packets[1]++;
	carry_out(v, q, &plan);
	return true;
}
