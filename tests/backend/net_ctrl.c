// SPDX-License-Identifier: GPL-2.0
/*
 * The control ring: questions about hashing. They are taken and answered as a backend
 * that hashes does; no packet has a hash all the same, which a backend may leave out.
 *
 * Life: a connection, if the frontend made a control ring.
 * Locks: none, one thread.
 * Trust: what a question points to is not read.
 */
#include "net_lies.h"

#define HASH_TYPES	0xf
#define TABLE_SIZE	128

static struct xen_netif_ctrl_response answer(const struct xen_netif_ctrl_request *req)
{
	struct xen_netif_ctrl_response rsp = { .id = req->id, .type = req->type };

	switch (req->type) {
	case XEN_NETIF_CTRL_TYPE_GET_HASH_FLAGS:
		rsp.data = HASH_TYPES;
		break;
	case XEN_NETIF_CTRL_TYPE_GET_HASH_MAPPING_SIZE:
		rsp.data = TABLE_SIZE;
		break;
	case XEN_NETIF_CTRL_TYPE_SET_HASH_ALGORITHM:
	case XEN_NETIF_CTRL_TYPE_SET_HASH_FLAGS:
	case XEN_NETIF_CTRL_TYPE_SET_HASH_KEY:
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING_SIZE:
	case XEN_NETIF_CTRL_TYPE_SET_HASH_MAPPING:
		break;
	default:
		rsp.status = XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED;
	}
	return rsp;
}

/* Return: true if there was a question. */
bool ctrl_serve(struct vif *v)
{
	struct xen_netif_ctrl_response rsp;
	struct xen_netif_ctrl_request req;
	bool any = false;

	while (v->ctrl.shared && lie_takes(v, &v->ctrl) && ring_waiting(&v->ctrl)) {
		ring_take(&v->ctrl, &req);
		any = true;
		if (lie_loses(v, &v->ctrl))
			continue;
		rsp = answer(&req);
		lie_ctrl(v, &rsp);
		ring_put(&v->ctrl, &rsp, sizeof(rsp));
		ring_publish(v, NULL, &v->ctrl);
		be_say("control %u data=%u,%u,%u", req.type, req.data[0], req.data[1], req.data[2]);
	}
	return v->ctrl.shared && lie_takes(v, &v->ctrl) && (ring_more(&v->ctrl) || any);
}
