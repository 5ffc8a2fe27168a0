// SPDX-License-Identifier: GPL-2.0
/*
 * Messages to and from xenstored, over the page it shares with us.
 *
 * Many callers may wait at once. A request is in exactly one place: queued (not
 * all of it is in the ring yet), sent (xenstored owes the answer) or done (its
 * caller owns it alone). Callers put requests into the ring themselves as long
 * as there is room; one thread does the rest of it and takes everything out.
 * Answers find their request by its number, so they may come in any order, and
 * one that comes too late finds nothing and is dropped.
 *
 * Events may be lost: while somebody waits the thread looks every second anyway.
 *
 * When the ring's indices or a message's length make no sense, nobody knows any
 * more where messages begin. Then what was sent fails with -EIO and the ring is
 * set up anew if the server offers that, and the watches with it; if not, all
 * requests fail with -EIO from then on. The thread stays in both cases.
 *
 * Life: xpv_comms_start() to xpv_comms_stop(). The thread does not freeze; it is parked
 * between xpv_comms_suspend() and xpv_comms_resume(), and nobody touches the ring.
 * Locks: xs.lock guards all of xs but xs.in and xs.rsp_cons, which are the
 * thread's. It is innermost and held only to copy.
 * Trust: see wire.c. Our own indices are kept apart from the shared page.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <asm/barrier.h>
#include <xen/interface/hvm/params.h>
#include <xenpv/evtchn.h>
#include <xenpv/hypercall.h>

#include "xenbus.h"

/* How long a ring may take until it is connected, at first or again. */
#define CONNECT_TIMEOUT		(5 * HZ)
/* How long answers may take that are due when the guest is to be suspended. */
#define SETTLE_TIME		(5 * HZ)
/* Nobody can help a guest that has moved and finds no xenstore: so often it is tried. */
#define RING_TRIES		3
/* How often to look without an event, while somebody waits and otherwise. */
#define POLL_BUSY		HZ
#define POLL_IDLE		(30 * HZ)

enum xs_state {
	XS_OFF,		/* no ring */
	XS_UP,
	XS_RESETTING,	/* the ring is the server's until it says connected */
	XS_DEAD,	/* broken for good */
};

enum request_state {
	REQ_QUEUED,
	REQ_SENT,
	REQ_DONE,
};

struct request {
	struct list_head list;
	enum request_state state;
	bool abandoned;		/* caller gave up, but half of it is in the ring */
	bool raw;		/* an error is an answer like any other */
	struct xsd_sockmsg header;
	u32 size;
	u32 written;
	struct completion done;
	int err;
	u32 reply_type;
	char *reply;
	u32 reply_len;
	char msg[];
};

static struct {
	struct mutex lock;
	enum xs_state state;
	bool held;
	u32 pauses;
	struct xpv_wire_page *page;
	u64 pfn;
	struct xpv_evtchn port;
	struct task_struct *thread;
	wait_queue_head_t wake;
	struct list_head queue;
	struct list_head sent;
	u32 next_id;
	u32 generation;
	u32 req_prod;
	u32 rsp_cons;
	struct xpv_wire_reader in;
} xs = {
	.lock = __MUTEX_INITIALIZER(xs.lock),
	.wake = __WAIT_QUEUE_HEAD_INITIALIZER(xs.wake),
	.queue = LIST_HEAD_INIT(xs.queue),
	.sent = LIST_HEAD_INIT(xs.sent),
};

/* ---- requests -------------------------------------------------------------- */

/* Takes over @reply. */
static void finish(struct request *req, int err, char *reply, u32 len)
{
	list_del(&req->list);
	if (req->abandoned) {
		kfree(reply);
		kfree(req);
		return;
	}
	req->state = REQ_DONE;
	req->err = err;
	req->reply = reply;
	req->reply_len = len;
	complete(&req->done);
}

/* Copy queued requests into the ring as far as they fit. Under xs.lock. */
static int send_queued(void)
{
	struct xpv_wire_page *page = xs.page;
	u32 start = xs.req_prod;
	struct request *req;
	int n;

	while (!list_empty(&xs.queue)) {
		u32 cons = READ_ONCE(page->req_cons);

		/* The server's reads before our writes; pairs with its mb. */
		virt_mb();
		req = list_first_entry(&xs.queue, struct request, list);
		if (xs.held && !req->written)
			break;
		n = xpv_wire_send(page->req, cons, xs.req_prod,
				  req->msg + req->written,
				  req->size - req->written);
		if (n < 0)
			return n;
		if (!n)
			break;
		xs.req_prod += n;
		/* Bytes before the index; pairs with the server's rmb. */
		virt_wmb();
		WRITE_ONCE(page->req_prod, xs.req_prod);
		req->written += n;
		if (req->written < req->size)
			continue;
		if (req->abandoned) {
			finish(req, -ETIMEDOUT, NULL, 0);
		} else {
			req->state = REQ_SENT;
			list_move_tail(&req->list, &xs.sent);
		}
	}
	if (xs.req_prod != start)
		xpv_evtchn_notify(&xs.port);
	return 0;
}

static void submit(struct request *req, const struct xpv_wire_part *parts,
		   unsigned int n)
{
	mutex_lock(&xs.lock);
	if (xs.state == XS_OFF || xs.state == XS_DEAD) {
		list_add_tail(&req->list, &xs.queue);
		finish(req, -EIO, NULL, 0);
	} else {
		req->header.req_id = ++xs.next_id;
		xpv_wire_build(req->msg, &req->header, parts, n);
		list_add_tail(&req->list, &xs.queue);
		/* An error is found again, and handled, by the thread. */
		if (xs.state == XS_UP)
			send_queued();
	}
	mutex_unlock(&xs.lock);
	wake_up(&xs.wake);
}

/* Time in which the guest stood still does not count. */
static bool wait_answer(struct request *req)
{
	u32 pauses;

	do {
		pauses = READ_ONCE(xs.pauses);
		if (wait_for_completion_timeout(&req->done, XPV_XS_TIMEOUT))
			return true;
	} while (READ_ONCE(xs.held) || READ_ONCE(xs.pauses) != pauses);
	return false;
}

/* The time is over. Return: true if the request is still ours to free. */
static bool give_up(struct request *req)
{
	bool ours = true;

	mutex_lock(&xs.lock);
	if (req->state == REQ_QUEUED && req->written) {
		req->abandoned = true;
		ours = false;
	} else if (req->state != REQ_DONE) {
		list_del(&req->list);
		req->err = -ETIMEDOUT;
	}
	mutex_unlock(&xs.lock);
	return ours;
}

/*
 * What ends something must not fail for want of memory: nobody would do it later, and
 * xenstored allows a guest few transactions and watches.
 */
static gfp_t request_gfp(u32 type)
{
	if (type == XS_TRANSACTION_END || type == XS_UNWATCH)
		return GFP_NOIO | __GFP_NOFAIL;
	return GFP_NOIO;
}

static struct request *create_request(u32 type, u32 tx,
				      const struct xpv_wire_part *parts,
				      unsigned int n)
{
	int size = xpv_wire_size(parts, n);
	struct request *req;

	if (size < 0)
		return ERR_PTR(size);
	req = kzalloc(sizeof(*req) + size, request_gfp(type));
	if (!req)
		return ERR_PTR(-ENOMEM);
	req->header.type = type;
	req->header.tx_id = tx;
	req->size = size;
	init_completion(&req->done);
	return req;
}

/* Send @req and wait; it is gone afterwards. @type: of the answer, or NULL. */
static int talk(struct request *req, const struct xpv_wire_part *parts,
		unsigned int n, u32 *type, char **reply, u32 *len)
{
	u32 asked = req->header.type;
	int err;

	submit(req, parts, n);
	if (!wait_answer(req) && !give_up(req)) {
		pr_err_ratelimited("xenstored does not read requests\n");
		return -ETIMEDOUT;
	}
	err = req->err;
	if (err == -ETIMEDOUT)
		pr_err_ratelimited("xenstored does not answer request type %u\n",
				   asked);
	if (type)
		*type = req->reply_type;
	if (len)
		*len = req->reply_len;
	if (reply && !err)
		*reply = req->reply;
	else
		kfree(req->reply);
	kfree(req);
	return err;
}

int xpv_comms_talk(enum xsd_sockmsg_type type, u32 tx,
		   const struct xpv_wire_part *parts, unsigned int n,
		   char **reply, u32 *len)
{
	struct request *req = create_request(type, tx, parts, n);

	if (IS_ERR(req))
		return PTR_ERR(req);
	return talk(req, parts, n, NULL, reply, len);
}

int xpv_comms_pass(u32 *type, u32 tx, const void *body, u32 size, char **reply,
		   u32 *len)
{
	struct xpv_wire_part part = { body, size };
	struct request *req = create_request(*type, tx, &part, 1);

	if (IS_ERR(req))
		return PTR_ERR(req);
	req->raw = true;
	return talk(req, &part, 1, type, reply, len);
}

u32 xpv_comms_generation(void)
{
	return READ_ONCE(xs.generation);
}

/* ---- the thread: what comes in ----------------------------------------------- */

static struct request *find_sent(const struct xsd_sockmsg *header)
{
	struct request *req;

	list_for_each_entry(req, &xs.sent, list)
		if (xpv_wire_answers(header, &req->header))
			return req;
	return NULL;
}

static void handle_answer(const struct xpv_wire_reader *in)
{
	struct request *req;
	char *reply = NULL;
	int err = 0;

	mutex_lock(&xs.lock);
	req = find_sent(&in->header);
	if (!req) {
		pr_warn_ratelimited("xenstore: answer to no request dropped (type %u, id %u)\n",
				    in->header.type, in->header.req_id);
	} else if (in->header.len > XENSTORE_PAYLOAD_MAX) {
		pr_warn_ratelimited("xenstore: answer of %u bytes dropped\n",
				    in->header.len);
		finish(req, -EIO, NULL, 0);
	} else {
		req->reply_type = in->header.type;
		if (in->header.type == XS_ERROR && !req->raw)
			err = xpv_wire_errno(in->body, in->header.len);
		else
			reply = kmemdup(in->body, in->header.len + 1, GFP_NOIO);
		if (!err && !reply)
			err = -ENOMEM;
		finish(req, err, reply, reply ? in->header.len : 0);
	}
	mutex_unlock(&xs.lock);
}

/* Take in all that is there. Return: 0, or -EPROTO when the ring makes no sense. */
static int receive(void)
{
	struct xpv_wire_page *page = xs.page;
	int got;

	do {
		u32 prod = READ_ONCE(page->rsp_prod);
		u32 cons = xs.rsp_cons;

		/* Index before the bytes; pairs with the server's wmb. */
		virt_rmb();
		got = xpv_wire_receive(&xs.in, page->rsp, &xs.rsp_cons, prod);
		if (xs.rsp_cons != cons) {
			/* Bytes read before the room is given back. */
			virt_mb();
			WRITE_ONCE(page->rsp_cons, xs.rsp_cons);
			/*
			 * Room before the look whether the server saw none;
			 * pairs with the mb between its two.
			 */
			virt_mb();
			if (READ_ONCE(page->rsp_prod) - cons >=
			    XENSTORE_RING_SIZE)
				xpv_evtchn_notify(&xs.port);
		}
		if (got == 1) {
			if (xs.in.header.type == XS_WATCH_EVENT)
				xpv_watch_deliver(&xs.in);
			else
				handle_answer(&xs.in);
		}
	} while (got == 1);
	return got;
}

/* ---- the thread: a ring that makes no sense ---------------------------------- */

static void fail_list(struct list_head *list, bool started_only)
{
	struct request *req, *next;

	list_for_each_entry_safe(req, next, list, list)
		if (!started_only || req->written)
			finish(req, -EIO, NULL, 0);
}

static bool connected(void)
{
	return READ_ONCE(xs.page->connection) == XPV_WIRE_CONNECTED;
}

/* Wait for the server, in process context; false when it took too long. */
static bool wait_connected(void)
{
	unsigned long end = jiffies + CONNECT_TIMEOUT;

	while (!connected()) {
		if (time_after(jiffies, end))
			return false;
		wait_event_idle_timeout(xs.wake, connected(), HZ / 10);
	}
	return true;
}

/* Begin where the ring stands. What is in it belongs to nobody any more. */
static void adopt_ring(void)
{
	WRITE_ONCE(xs.generation, xs.generation + 1);
	xs.req_prod = READ_ONCE(xs.page->req_prod);
	xs.rsp_cons = READ_ONCE(xs.page->rsp_prod);
	WRITE_ONCE(xs.page->rsp_cons, xs.rsp_cons);
	memset(&xs.in.header, 0, sizeof(xs.in.header));
	xs.in.got = 0;
}

/* Have the server set up the ring anew. Nobody may touch it meanwhile. */
static bool reconnect_ring(void)
{
	if (!(READ_ONCE(xs.page->server_features) & XPV_WIRE_CAN_RECONNECT))
		return false;
	WRITE_ONCE(xs.page->connection, XPV_WIRE_RECONNECT);
	xpv_evtchn_notify(&xs.port);
	return wait_connected();
}

static void reset_ring(void)
{
	bool ok;

	mutex_lock(&xs.lock);
	xs.state = XS_RESETTING;
	fail_list(&xs.sent, false);
	fail_list(&xs.queue, true);
	mutex_unlock(&xs.lock);

	ok = reconnect_ring();

	mutex_lock(&xs.lock);
	if (xs.state == XS_OFF) {
		/* stopped meanwhile */
		mutex_unlock(&xs.lock);
		return;
	}
	if (ok) {
		adopt_ring();
		xs.state = XS_UP;
	} else {
		xs.state = XS_DEAD;
		fail_list(&xs.queue, false);
	}
	mutex_unlock(&xs.lock);
	if (ok) {
		pr_warn("xenstore: ring made no sense, connected again\n");
		xpv_watch_restore();
	} else {
		pr_err("xenstore: ring makes no sense and the host cannot connect it again: devices stay as they are, restart the guest\n");
	}
}

static bool something_to_do(void)
{
	if (kthread_should_stop() || kthread_should_park())
		return true;
	if (READ_ONCE(xs.state) != XS_UP)
		return false;
	return READ_ONCE(xs.page->rsp_prod) != xs.rsp_cons ||
	       (!list_empty(&xs.queue) && !READ_ONCE(xs.held) &&
		xs.req_prod - READ_ONCE(xs.page->req_cons) != XENSTORE_RING_SIZE);
}

static bool somebody_waits(void)
{
	return !list_empty(&xs.queue) || !list_empty(&xs.sent);
}

static int run(void *unused)
{
	int err;

	/* Disks wait for what is done here, and memory may wait for disks. */
	memalloc_noio_save();
	while (!kthread_should_stop()) {
		wait_event_idle_timeout(xs.wake, something_to_do(),
					somebody_waits() ? POLL_BUSY : POLL_IDLE);
		if (kthread_should_park())
			kthread_parkme();
		if (READ_ONCE(xs.state) != XS_UP)
			continue;
		mutex_lock(&xs.lock);
		err = send_queued();
		mutex_unlock(&xs.lock);
		if (!err)
			err = receive();
		if (err)
			reset_ring();
	}
	return 0;
}

/* In interrupt context. */
static bool ring_event(void *unused)
{
	bool work = READ_ONCE(xs.page->rsp_prod) != READ_ONCE(xs.rsp_cons);

	wake_up(&xs.wake);
	return work;
}

/* ---- start and stop ---------------------------------------------------------- */

/* Where the host has put the ring. 0, or -EAGAIN if it has not yet. */
static int find_ring(u64 *pfn, u64 *port)
{
	int err = xpv_hv_get_param(HVM_PARAM_STORE_PFN, pfn);

	if (!err)
		err = xpv_hv_get_param(HVM_PARAM_STORE_EVTCHN, port);
	if (err)
		return err;
	if (!*pfn || *pfn == ~0ULL || !*port || *port > U32_MAX)
		return -EAGAIN;
	return 0;
}

static int wait_for_ring(u64 *pfn, u64 *port)
{
	unsigned long end = jiffies + CONNECT_TIMEOUT;
	int err = find_ring(pfn, port);

	while (err == -EAGAIN && time_before(jiffies, end)) {
		msleep(100);
		err = find_ring(pfn, port);
	}
	if (err == -EAGAIN) {
		pr_err("the host gives this guest no xenstore ring (frame %#llx, port %llu): is xenstored running there?\n",
		       *pfn, *port);
		return -ETIMEDOUT;
	}
	if (err)
		pr_err("cannot ask Xen for the xenstore ring: %d\n", err);
	return err;
}

/* Take the ring over from whoever used it before: firmware, another kernel. */
static int take_over(void)
{
	struct xpv_wire_page *page = xs.page;
	bool busy = READ_ONCE(page->rsp_prod) != READ_ONCE(page->rsp_cons) ||
		    READ_ONCE(page->req_prod) != READ_ONCE(page->req_cons);

	if (!wait_connected()) {
		pr_err("the host does not connect the xenstore ring: is xenstored running there?\n");
		return -ETIMEDOUT;
	}
	/* In the middle of a message? Then only the server can help. */
	if (busy && !reconnect_ring())
		pr_warn("an earlier kernel left the xenstore ring busy\n");
	adopt_ring();
	return 0;
}

/* Map the ring that the host names, and listen. It may be mapped already. */
static int open_ring(void)
{
	u64 pfn = 0, port = 0;
	int err;

	err = wait_for_ring(&pfn, &port);
	if (err)
		return err;
	if (xs.page && xs.pfn != pfn) {
		memunmap(xs.page);
		xs.page = NULL;
	}
	if (!xs.page)
		xs.page = memremap(pfn << PAGE_SHIFT, PAGE_SIZE, MEMREMAP_WB);
	if (!xs.page) {
		pr_err("cannot map the xenstore ring\n");
		return -ENOMEM;
	}
	xs.pfn = pfn;
	err = xpv_evtchn_listen(&xs.port, port, ring_event, NULL, "xenstore");
	if (err)
		pr_err("cannot listen on xenstore's port %llu: %d\n", port, err);
	return err;
}

int xpv_comms_start(void)
{
	int err = open_ring();

	if (err)
		goto err_stop;
	err = take_over();
	if (err)
		goto err_stop;
	xs.thread = kthread_run(run, NULL, "xenstore");
	if (IS_ERR(xs.thread)) {
		err = PTR_ERR(xs.thread);
		xs.thread = NULL;
		pr_err("cannot start the xenstore thread: %d\n", err);
		goto err_stop;
	}
	mutex_lock(&xs.lock);
	xs.state = XS_UP;
	mutex_unlock(&xs.lock);
	wake_up(&xs.wake);
	return 0;

err_stop:
	xpv_comms_stop();
	return err;
}

/* ---- standing still ------------------------------------------------------------ */

/* Under xs.lock: is anything of ours in the ring, or on its way there? */
static bool settled(void)
{
	struct request *req;

	if (xs.state != XS_UP)
		return xs.state != XS_RESETTING;
	if (!list_empty(&xs.sent))
		return false;
	req = list_first_entry_or_null(&xs.queue, struct request, list);
	return !req || !req->written;
}

void xpv_comms_suspend(void)
{
	unsigned long end = jiffies + SETTLE_TIME;

	mutex_lock(&xs.lock);
	xs.held = true;
	while (!settled() && time_before(jiffies, end)) {
		if (xs.state == XS_UP)
			send_queued();
		mutex_unlock(&xs.lock);
		msleep(10);
		mutex_lock(&xs.lock);
	}
	mutex_unlock(&xs.lock);
	/* In the middle of no message. */
	kthread_park(xs.thread);
}

/* The thread is parked: the ring is ours. */
static int change_ring(void)
{
	unsigned int tries = RING_TRIES;
	int err;

	xpv_evtchn_close(&xs.port);
	do
		err = open_ring();
	while (err && err != -ETIMEDOUT && --tries);
	if (!err && !wait_connected())
		err = -ETIMEDOUT;
	return err;
}

int xpv_comms_resume(bool anew)
{
	int err = 0;

	if (anew)
		err = change_ring();
	mutex_lock(&xs.lock);
	if (anew) {
		fail_list(&xs.sent, false);
		fail_list(&xs.queue, err == 0);
		xs.state = err ? XS_DEAD : XS_UP;
		if (!err)
			adopt_ring();
	}
	WRITE_ONCE(xs.held, false);
	WRITE_ONCE(xs.pauses, xs.pauses + 1);
	mutex_unlock(&xs.lock);
	kthread_unpark(xs.thread);
	wake_up(&xs.wake);
	return err;
}

void xpv_comms_stop(void)
{
	mutex_lock(&xs.lock);
	xs.state = XS_OFF;
	fail_list(&xs.sent, false);
	fail_list(&xs.queue, false);
	mutex_unlock(&xs.lock);
	if (xs.thread)
		kthread_stop(xs.thread);
	xs.thread = NULL;
	xpv_evtchn_close(&xs.port);
	if (xs.page)
		memunmap(xs.page);
	xs.page = NULL;
}
