// SPDX-License-Identifier: GPL-2.0
/*
 * What programs ask of xenstore: passed on, and ended with them.
 *
 * All of this guest is one client to xenstored. So a program's request goes out under
 * a number of ours (comms.c) and its answer comes back under the program's. Watches
 * are ours, too, with tokens of ours (watch.c); the program's token is put back into
 * its events. A transaction's number passes as it is, but only for the opener that
 * began it. What acts on the whole client is refused.
 *
 * Each opener is served by a work item, one request at a time and then the next
 * opener's, in a workqueue of few threads: a program that asks without end has its
 * turn like any other, and the kernel's own requests wait for a handful at most. The
 * answer takes the request's memory, so it cannot fail for lack of it.
 *
 * A program that does not read its events costs XPV_OPENER_EVENTS bytes. Then each of
 * its watches keeps one event, of the path that is watched itself: something changed
 * there, look. That is what the first event of a watch says as well.
 *
 * Life: open to close, and then until the work item has ended all at xenstored. When
 * the platform goes first, an opener is dead: all is ended, nothing is served.
 * Locks: see opener.h.
 * Trust: programs may write anything; only root can open the node.
 */
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <xenpv/store.h>

#include "opener.h"
#include "value.h"
#include "xenbus.h"

struct opener_watch {
	struct list_head list;
	struct xpv_opener *op;
	struct xpv_watch watch;
	const char *token;
	/* Its list is empty unless events were lost; its body is path and token. */
	struct xpv_message reminder;
};

static atomic_t all_openers = ATOMIC_INIT(0);
static atomic_t all_watches = ATOMIC_INIT(0);
static atomic_t all_transactions = ATOMIC_INIT(0);

/* Take one of @max. */
static bool take_share(atomic_t *share, int max)
{
	if (atomic_inc_return(share) <= max)
		return true;
	atomic_dec(share);
	return false;
}

/* ---- messages ------------------------------------------------------------- */

struct xpv_message *xpv_message_create(u32 len, gfp_t gfp)
{
	struct xpv_message *msg = kmalloc(sizeof(*msg) + len + 1, gfp);

	if (!msg)
		return NULL;
	memset(msg, 0, sizeof(*msg));
	msg->body = (char *)(msg + 1);
	msg->body[len] = '\0';
	return msg;
}

static void fill(struct xpv_message *msg, u32 type, const void *body, u32 len)
{
	msg->header.type = type;
	msg->header.len = len;
	memcpy(msg->body, body, len);
}

static void fill_error(struct xpv_message *msg, int err)
{
	const char *name = xpv_wire_error(err);

	fill(msg, XS_ERROR, name, strlen(name) + 1);
}

static void fill_ok(struct xpv_message *msg)
{
	fill(msg, msg->header.type, "OK", sizeof("OK"));
}

static void free_list(struct list_head *list)
{
	struct xpv_message *msg, *next;

	list_for_each_entry_safe(msg, next, list, list) {
		list_del(&msg->list);
		kfree(msg);
	}
}

/* ---- transactions: the work item's ---------------------------------------- */

static struct xpv_opener_transaction *find_transaction(struct xpv_opener *op,
							u32 id)
{
	unsigned int i;

	for (i = 0; i < op->transactions; i++)
		if (op->transaction[i].id == id)
			return &op->transaction[i];
	return NULL;
}

static void drop_transaction(struct xpv_opener *op,
			     struct xpv_opener_transaction *t)
{
	*t = op->transaction[--op->transactions];
	atomic_dec(&all_transactions);
}

static bool is_stale(const struct xpv_opener_transaction *t)
{
	return t->generation != xpv_comms_generation();
}

/*
 * Send @msg as it is; the answer takes its place.
 * Return: 0, also for an error of xenstored; -errno if there is no answer.
 */
static int pass(struct xpv_message *msg)
{
	u32 type = msg->header.type;
	char *reply = NULL;
	u32 len;
	int err;

	err = xpv_comms_pass(&type, msg->header.tx_id, msg->body,
			     msg->header.len, &reply, &len);
	if (!err)
		fill(msg, type, reply, len);
	kfree(reply);
	return err;
}

static int begin_transaction(struct xpv_opener *op, struct xpv_message *msg)
{
	struct xpv_opener_transaction t = {
		.generation = xpv_comms_generation(),
	};
	int err;

	if (op->transactions == XPV_OPENER_TRANSACTIONS ||
	    !take_share(&all_transactions, XPV_ALL_TRANSACTIONS))
		return -ENOSPC;
	err = pass(msg);
	if (!err && msg->header.type != XS_ERROR) {
		err = xpv_value_u32(msg->body,
				    strnlen(msg->body, msg->header.len), &t.id);
		if (!err) {
			op->transaction[op->transactions++] = t;
			return 0;
		}
	}
	atomic_dec(&all_transactions);
	return err;
}

static int end_transaction(struct xpv_opener *op, struct xpv_message *msg,
			   struct xpv_opener_transaction *t)
{
	int err = pass(msg);

	if (err)
		return err;
	/* It is over whatever the answer, but for a verdict that is none. */
	if (msg->header.type != XS_ERROR ||
	    xpv_wire_errno(msg->body, msg->header.len) != -EINVAL)
		drop_transaction(op, t);
	return 0;
}

/* ---- watches: the work item's, but for their events ------------------------ */

/* On the thread that receives for everybody: copy, and do not wait. */
static void watch_fired(struct xpv_watch *watch, const char *path)
{
	struct opener_watch *w = container_of(watch, struct opener_watch, watch);
	u32 path_size = strlen(path) + 1, token_size = strlen(w->token) + 1;
	struct xpv_opener *op = w->op;
	u32 len = path_size + token_size;
	struct xpv_message *msg = NULL;

	if (len <= XENSTORE_PAYLOAD_MAX)
		msg = xpv_message_create(len, GFP_NOWAIT | __GFP_NOWARN);
	if (msg) {
		msg->header.type = XS_WATCH_EVENT;
		msg->header.len = len;
		memcpy(msg->body, path, path_size);
		memcpy(msg->body + path_size, w->token, token_size);
	}
	spin_lock(&op->lock);
	if (!list_empty(&w->reminder.list)) {
		/* It will look there anyway. */
	} else if (msg && op->event_bytes + len <= XPV_OPENER_EVENTS) {
		op->event_bytes += len;
		list_add_tail(&msg->list, &op->to_read);
		msg = NULL;
	} else {
		list_add_tail(&w->reminder.list, &op->to_read);
	}
	spin_unlock(&op->lock);
	kfree(msg);
	wake_up_interruptible(&op->wait);
}

static struct opener_watch *find_watch(struct xpv_opener *op, const char *path,
				       const char *token)
{
	struct opener_watch *w;

	list_for_each_entry(w, &op->watches, list)
		if (!strcmp(w->watch.path, path) && !strcmp(w->token, token))
			return w;
	return NULL;
}

static void free_watch(struct opener_watch *w)
{
	struct xpv_opener *op = w->op;

	spin_lock(&op->lock);
	list_del_init(&w->reminder.list);
	spin_unlock(&op->lock);
	op->watch_bytes -= w->reminder.header.len;
	atomic_dec(&all_watches);
	list_del(&w->list);
	kfree(w);
}

static int add_watch(struct xpv_opener *op, const struct xpv_message *msg,
		     const char *path, const char *token)
{
	u32 len = msg->header.len;
	struct opener_watch *w;
	int err;

	if (find_watch(op, path, token))
		return -EEXIST;
	if (op->watch_bytes + len > XPV_OPENER_WATCHES ||
	    !take_share(&all_watches, XPV_ALL_WATCHES))
		return -ENOSPC;
	w = kzalloc(sizeof(*w) + len, GFP_KERNEL_ACCOUNT);
	if (!w) {
		atomic_dec(&all_watches);
		return -ENOMEM;
	}
	w->op = op;
	INIT_LIST_HEAD(&w->reminder.list);
	w->reminder.header.type = XS_WATCH_EVENT;
	w->reminder.header.len = len;
	w->reminder.body = (char *)(w + 1);
	w->reminder.lasting = true;
	memcpy(w->reminder.body, path, len);
	w->watch.path = w->reminder.body;
	w->watch.fn = watch_fired;
	w->token = w->reminder.body + (token - path);
	op->watch_bytes += len;
	list_add(&w->list, &op->watches);
	err = xpv_xs_watch(&w->watch);
	if (err)
		free_watch(w);
	return err;
}

static int change_watch(struct xpv_opener *op, struct xpv_message *msg)
{
	struct opener_watch *w;
	const char *path, *token;
	int err;

	if (xpv_wire_pair(msg->body, msg->header.len, &path, &token))
		return -EINVAL;
	if (msg->header.type == XS_WATCH) {
		err = add_watch(op, msg, path, token);
		if (err)
			return err;
	} else {
		w = find_watch(op, path, token);
		if (!w)
			return -ENOENT;
		xpv_xs_unwatch(&w->watch);
		free_watch(w);
	}
	fill_ok(msg);
	return 0;
}

/* ---- serving: the work item ------------------------------------------------- */

/* Requests that ask or change what the program names, and nothing else. */
static bool is_served(u32 type)
{
	switch (type) {
	case XS_DIRECTORY:
	case XPV_WIRE_DIRECTORY_PART:
	case XS_READ:
	case XS_GET_PERMS:
	case XS_SET_PERMS:
	case XS_WATCH:
	case XS_UNWATCH:
	case XS_TRANSACTION_START:
	case XS_TRANSACTION_END:
	case XS_GET_DOMAIN_PATH:
	case XS_WRITE:
	case XS_MKDIR:
	case XS_RM:
	case XS_IS_DOMAIN_INTRODUCED:
		return true;
	}
	return false;
}

/*
 * Where the body is one string, it has to be just that. xenstored ought to say so, but
 * that of Xen 4.17 has been seen to end itself instead, and all devices with it.
 */
static bool is_well_formed(const struct xpv_message *msg)
{
	switch (msg->header.type) {
	case XS_DIRECTORY:
	case XS_READ:
	case XS_GET_PERMS:
	case XS_TRANSACTION_END:
	case XS_GET_DOMAIN_PATH:
	case XS_MKDIR:
	case XS_RM:
	case XS_IS_DOMAIN_INTRODUCED:
		return msg->header.len &&
		       strnlen(msg->body, msg->header.len) == msg->header.len - 1;
	}
	return true;
}

/* Return: 0 with the answer in @msg's place, or the error that is the answer. */
static int serve(struct xpv_opener *op, struct xpv_message *msg)
{
	struct xpv_opener_transaction *t = NULL;
	u32 type = msg->header.type;

	if (!is_served(type))
		return type <= XPV_WIRE_DIRECTORY_PART ? -EACCES : -ENOSYS;
	if (!is_well_formed(msg))
		return -EINVAL;
	if (type == XS_WATCH || type == XS_UNWATCH)
		return change_watch(op, msg);
	if (msg->header.tx_id || type == XS_TRANSACTION_END) {
		t = find_transaction(op, msg->header.tx_id);
		if (!t)
			return -ENOENT;
		if (is_stale(t)) {
			if (type == XS_TRANSACTION_END)
				drop_transaction(op, t);
			return -EAGAIN;
		}
	}
	if (type == XS_TRANSACTION_START)
		return begin_transaction(op, msg);
	if (type == XS_TRANSACTION_END)
		return end_transaction(op, msg, t);
	return pass(msg);
}

/* Nothing of it stays at xenstored, unless that does not answer. */
static void end_all(struct xpv_opener *op)
{
	struct opener_watch *w, *next;
	unsigned long began;
	bool answers = true;

	while (op->transactions) {
		if (answers && !is_stale(&op->transaction[0]))
			answers = xpv_xs_tx_end(op->transaction[0].id, true) !=
				  -ETIMEDOUT;
		drop_transaction(op, &op->transaction[0]);
	}
	list_for_each_entry_safe(w, next, &op->watches, list) {
		began = jiffies;
		if (answers)
			xpv_xs_unwatch(&w->watch);
		else
			xpv_watch_forget(&w->watch);
		answers &= time_before(jiffies, began + XPV_XS_TIMEOUT);
		free_watch(w);
	}
}

/*
 * @over: all is to be ended; @last: and the opener freed. Whoever closes it queues the
 * work in the same breath, so when that is not pending any more this is its last run.
 */
static struct xpv_message *next_request(struct xpv_opener *op, bool *over,
					bool *last)
{
	struct xpv_message *msg;

	spin_lock(&op->lock);
	msg = list_first_entry_or_null(&op->to_send, struct xpv_message, list);
	if (msg)
		list_del(&msg->list);
	*last = op->closed && !work_pending(&op->work);
	*over = op->closed || op->dead;
	spin_unlock(&op->lock);
	return msg;
}

static void work_on(struct work_struct *work)
{
	struct xpv_opener *op = container_of(work, struct xpv_opener, work);
	struct xpv_message *msg;
	bool over, last;
	int err;

	msg = next_request(op, &over, &last);
	if (over) {
		kfree(msg);
		end_all(op);
		if (last)
			xpv_opener_free(op);
		return;
	}
	if (!msg)
		return;
	err = serve(op, msg);
	if (err)
		fill_error(msg, err);
	spin_lock(&op->lock);
	list_add_tail(&msg->list, &op->to_read);
	spin_unlock(&op->lock);
	wake_up_interruptible(&op->wait);
	/* Behind the other openers; without a request it ends above. */
	queue_work(op->wq, &op->work);
}

/* ---- for dev.c ---------------------------------------------------------------- */

int xpv_opener_begin(struct xpv_opener *op)
{
	int err = 0;

	spin_lock(&op->lock);
	if (op->dead)
		err = -ENODEV;
	else if (op->requests == XPV_OPENER_REQUESTS)
		err = -EAGAIN;
	else
		op->requests++;
	spin_unlock(&op->lock);
	return err;
}

void xpv_opener_cancel(struct xpv_opener *op)
{
	spin_lock(&op->lock);
	op->requests--;
	spin_unlock(&op->lock);
	wake_up_interruptible(&op->wait);
}

void xpv_opener_submit(struct xpv_opener *op, struct xpv_message *msg)
{
	spin_lock(&op->lock);
	if (op->dead) {
		kfree(msg);
	} else {
		list_add_tail(&msg->list, &op->to_send);
		/* Under the lock: the queue lasts until openers are dead. */
		queue_work(op->wq, &op->work);
	}
	spin_unlock(&op->lock);
}

int xpv_opener_fetch(struct xpv_opener *op)
{
	struct xpv_message *msg;
	bool room = false;
	int err = 0;

	spin_lock(&op->lock);
	msg = list_first_entry_or_null(&op->to_read, struct xpv_message, list);
	if (op->dead) {
		err = -ENODEV;
		msg = NULL;
	} else if (!msg) {
		err = -EAGAIN;
	} else {
		list_del_init(&msg->list);
		memcpy(op->out, &msg->header, sizeof(msg->header));
		memcpy(op->out + sizeof(msg->header), msg->body,
		       msg->header.len);
		op->out_len = sizeof(msg->header) + msg->header.len;
		op->out_at = 0;
		room = msg->header.type != XS_WATCH_EVENT;
		if (room)
			op->requests--;
		else if (!msg->lasting)
			op->event_bytes -= msg->header.len;
		if (msg->lasting)
			msg = NULL;
	}
	spin_unlock(&op->lock);
	kfree(msg);
	if (room)
		wake_up_interruptible(&op->wait);
	return err;
}

struct xpv_opener *xpv_opener_create(struct workqueue_struct *wq)
{
	struct xpv_opener *op;

	if (!take_share(&all_openers, XPV_ALL_OPENERS))
		return ERR_PTR(-EMFILE);
	op = kzalloc(sizeof(*op), GFP_KERNEL_ACCOUNT);
	if (!op) {
		atomic_dec(&all_openers);
		return ERR_PTR(-ENOMEM);
	}
	op->wq = wq;
	INIT_WORK(&op->work, work_on);
	init_waitqueue_head(&op->wait);
	spin_lock_init(&op->lock);
	INIT_LIST_HEAD(&op->to_send);
	INIT_LIST_HEAD(&op->to_read);
	INIT_LIST_HEAD(&op->watches);
	mutex_init(&op->write_lock);
	mutex_init(&op->read_lock);
	return op;
}

void xpv_opener_free(struct xpv_opener *op)
{
	free_list(&op->to_send);
	free_list(&op->to_read);
	kfree(op->in);
	kfree(op);
	atomic_dec(&all_openers);
}

void xpv_opener_close(struct xpv_opener *op)
{
	spin_lock(&op->lock);
	op->closed = true;
	queue_work(op->wq, &op->work);
	spin_unlock(&op->lock);
}

void xpv_opener_kill(struct xpv_opener *op)
{
	spin_lock(&op->lock);
	WRITE_ONCE(op->dead, true);
	spin_unlock(&op->lock);
	wake_up_all(&op->wait);
	queue_work(op->wq, &op->work);
}
