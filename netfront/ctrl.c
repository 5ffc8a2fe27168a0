// SPDX-License-Identifier: GPL-2.0
/*
 * The control ring: questions to the backend, one at a time, each with one answer.
 *
 * What does not fit into a question (a key, a table) lies in a page that the backend may
 * read as long as the ring lives; it never holds anything else.
 *
 * Life: made at prepare if the backend offers it, destroyed with the connection. A
 * backend that lets us wait is not asked again: its answer might come to the next
 * question.
 * Locks: none; only hooks of the bus ask, and they run one at a time.
 * Trust: an answer is copied, and must be to the question that was asked. Waiting is
 * bounded.
 */
#include <linux/build_bug.h>
#include <linux/mm.h>

#include "vnif.h"

#define ANSWER_TIME	(5 * HZ)
#define SLOT_SIZE	16u

static_assert(sizeof(struct xen_netif_ctrl_request) == SLOT_SIZE);
static_assert(sizeof(struct xen_netif_ctrl_response) <= SLOT_SIZE);

static bool ctrl_event(void *data)
{
	struct vnif_ctrl *ctrl = data;

	if (!xpv_ring_unconsumed(&ctrl->ring))
		return false;
	wake_up(&ctrl->wait);
	return true;
}

/* Wait for what is due. Return: 0; -ETIMEDOUT; -EPROTO: a lie. */
static int await(struct vnif *vnif)
{
	struct vnif_ctrl *ctrl = &vnif->ctrl;
	int n;

	wait_event_timeout(ctrl->wait, xpv_ring_unconsumed(&ctrl->ring) ||
			   READ_ONCE(vnif->broken), ANSWER_TIME);
	n = xpv_ring_unconsumed(&ctrl->ring);
	if (!n)
		return -ETIMEDOUT;
	return n == 1 ? 0 : -EPROTO;
}

/*
 * Put the question on the ring. What lies there already is no answer to it, and would be
 * taken for one: requests and responses share their slots, so an answer that is read too
 * early is the question itself. Return: 0, or -EPROTO.
 */
static int send(struct vnif_ctrl *ctrl, const struct xen_netif_ctrl_request *req)
{
	if (xpv_ring_unconsumed(&ctrl->ring))
		return -EPROTO;
	xpv_ring_put(&ctrl->ring, req, sizeof(*req));
	if (xpv_ring_push(&ctrl->ring))
		xpv_evtchn_notify(&ctrl->ec);
	return 0;
}

static int status_error(u32 status)
{
	switch (status) {
	case XEN_NETIF_CTRL_STATUS_SUCCESS:
		return 0;
	case XEN_NETIF_CTRL_STATUS_NOT_SUPPORTED:
		return -EOPNOTSUPP;
	case XEN_NETIF_CTRL_STATUS_BUFFER_OVERFLOW:
		return -ENOSPC;
	default:
		return -EINVAL;
	}
}

/* Return: 0 with the answer; -EPROTO: it is not to what was asked. */
static int take_answer(struct vnif_ctrl *ctrl,
		       const struct xen_netif_ctrl_request *req,
		       struct xen_netif_ctrl_response *rsp)
{
	xpv_ring_get(&ctrl->ring, rsp, sizeof(*rsp));
	if (xpv_ring_rearm(&ctrl->ring, 1) || rsp->id != req->id ||
	    rsp->type != req->type)
		return -EPROTO;
	return 0;
}

/**
 * vnif_ctrl_ask() - a question and its answer
 * @vnif: the device
 * @req: type and data; the id is filled in
 * @data: set to the answer's data unless NULL, or the answer is an error
 *
 * Sleeps, a few seconds at most.
 *
 * Return: 0; -EOPNOTSUPP the backend has no control ring or does not know the question,
 * -EINVAL or -ENOSPC it does not like it, -ETIMEDOUT it does not answer, -EPROTO it
 * lies: the device is broken.
 */
int vnif_ctrl_ask(struct vnif *vnif, struct xen_netif_ctrl_request *req,
		  u32 *data)
{
	struct xen_netif_ctrl_response rsp = { 0 };
	struct vnif_ctrl *ctrl = &vnif->ctrl;
	int err;

	if (!ctrl->ready)
		return -EOPNOTSUPP;
	req->id = ctrl->id++;
	err = send(ctrl, req);
	if (!err)
		err = await(vnif);
	if (!err)
		err = take_answer(ctrl, req, &rsp);
	if (err) {
		ctrl->ready = false;
		if (err == -EPROTO)
			vnif_broken(vnif, "control: answer to a question that was not asked");
		return err;
	}
	err = status_error(rsp.status);
	if (data && !err)
		*data = rsp.data;
	return err;
}

/**
 * vnif_ctrl_create() - a control ring
 * @vnif: the device
 *
 * Return: 0, or -errno with nothing left behind.
 */
int vnif_ctrl_create(struct vnif *vnif)
{
	struct vnif_ctrl *ctrl = &vnif->ctrl;
	char name[32];
	int err;

	init_waitqueue_head(&ctrl->wait);
	err = vnif_page_create(vnif->xd->otherend_id, false, &ctrl->ring_page,
			       &ctrl->ring_ref);
	if (!err)
		err = vnif_page_create(vnif->xd->otherend_id, true, &ctrl->page,
				       &ctrl->ref);
	if (err)
		goto err_destroy;
	xpv_ring_init(&ctrl->ring, page_address(ctrl->ring_page), VNIF_PAGE,
		      SLOT_SIZE);
	snprintf(name, sizeof(name), "%s-ctrl", dev_name(&vnif->xd->dev));
	err = xpv_evtchn_open(&ctrl->ec, vnif->xd->otherend_id, ctrl_event,
			      ctrl, name);
	if (err)
		goto err_destroy;
	ctrl->ready = true;
	return 0;

err_destroy:
	vnif_ctrl_destroy(vnif);
	return err;
}

/**
 * vnif_ctrl_destroy() - take it back, also a half-made one
 * @vnif: the device
 */
void vnif_ctrl_destroy(struct vnif *vnif)
{
	struct vnif_ctrl *ctrl = &vnif->ctrl;

	ctrl->ready = false;
	xpv_evtchn_close(&ctrl->ec);
	vnif_page_destroy(&ctrl->page, &ctrl->ref);
	vnif_page_destroy(&ctrl->ring_page, &ctrl->ring_ref);
}
