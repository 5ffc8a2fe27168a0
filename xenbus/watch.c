// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: who wants to know what changed.
 *
 * The thread of comms.c calls a watch's function straight away: there is no
 * queue, so a flood of events needs no memory, and whoever watches coalesces it
 * in the flag that the function sets. That is why such a function may neither
 * wait nor talk to xenstore.
 *
 * The token on the wire is a number of our own that begins at random, so that an
 * event meant for a kernel before us, or for a watch that is gone, finds nothing.
 *
 * Life: a watch is on the list from xpv_xs_watch() to xpv_xs_unwatch(). When the
 * ring had to be connected again, all are made again from a work item, which goes on until
 * all are there: without them nobody would hear of new devices, or of a shutdown.
 * Locks: register_lock, held across requests, keeps making, removing and
 * restoring apart; the receiving thread never takes it. list_lock guards the
 * list and is held while a function runs, so that none runs after unwatch.
 * Trust: xenstored; an event that makes no sense is dropped.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <xenpv/store.h>

#include "value.h"
#include "xenbus.h"

/* A watch that could not be made again is tried again so soon. */
#define RENEW_RETRY	(5 * HZ)

static DEFINE_MUTEX(register_lock);
static DEFINE_MUTEX(list_lock);
static LIST_HEAD(watches);
static u32 next_id;

static struct xpv_watch *find_watch(u32 id)
{
	struct xpv_watch *watch;

	list_for_each_entry(watch, &watches, list)
		if (watch->id == id)
			return watch;
	return NULL;
}

void xpv_watch_deliver(const struct xpv_wire_reader *msg)
{
	struct xpv_watch *watch;
	const char *path, *token;
	u32 id;

	if (xpv_wire_event(msg, &path, &token)) {
		pr_warn_ratelimited("xenstore: malformed watch event dropped\n");
		return;
	}
	/* A token of another kernel's, or of a watch that has just gone. */
	if (xpv_value_u32(token, strlen(token), &id))
		return;
	mutex_lock(&list_lock);
	watch = find_watch(id);
	if (watch)
		watch->fn(watch, path);
	mutex_unlock(&list_lock);
}

static int tell_server(enum xsd_sockmsg_type type, const struct xpv_watch *watch)
{
	char token[12];
	struct xpv_wire_part parts[2] = {
		{ watch->path, strlen(watch->path) + 1 },
		{ token, snprintf(token, sizeof(token), "%u", watch->id) + 1 },
	};

	return xpv_comms_talk(type, XPV_XS_NO_TX, parts, 2, NULL, NULL);
}

static void unlist(struct xpv_watch *watch)
{
	mutex_lock(&list_lock);
	list_del(&watch->list);
	mutex_unlock(&list_lock);
	watch->id = 0;
}

int xpv_xs_watch(struct xpv_watch *watch)
{
	int err;

	mutex_lock(&register_lock);
	if (!next_id)
		next_id = get_random_u32();
	watch->id = ++next_id ?: ++next_id;
	/* Listed first: the first event may come before the answer. */
	mutex_lock(&list_lock);
	list_add(&watch->list, &watches);
	mutex_unlock(&list_lock);
	err = tell_server(XS_WATCH, watch);
	if (err)
		unlist(watch);
	mutex_unlock(&register_lock);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_xs_watch);

void xpv_xs_unwatch(struct xpv_watch *watch)
{
	mutex_lock(&register_lock);
	if (watch->id) {
		/* An error leaves a watch whose events find nobody. */
		tell_server(XS_UNWATCH, watch);
		unlist(watch);
	}
	mutex_unlock(&register_lock);
}
EXPORT_SYMBOL_GPL(xpv_xs_unwatch);

void xpv_watch_forget(struct xpv_watch *watch)
{
	mutex_lock(&register_lock);
	if (watch->id)
		unlist(watch);
	mutex_unlock(&register_lock);
}

static void restore(struct work_struct *work)
{
	xpv_watch_renew();
}

static DECLARE_DELAYED_WORK(restore_work, restore);

void xpv_watch_renew(void)
{
	struct xpv_watch *watch;
	bool again = false;
	int err;

	mutex_lock(&register_lock);
	/* Only holders of register_lock change the list. */
	list_for_each_entry(watch, &watches, list) {
		err = tell_server(XS_WATCH, watch);
		if (!err || err == -EEXIST)
			continue;
		pr_err_ratelimited("xenstore: cannot watch %s again: %d\n",
				   watch->path, err);
		/* -EIO: the ring is dead, or whoever connects it again calls us. */
		again |= err != -EIO;
	}
	mutex_unlock(&register_lock);
	if (again)
		schedule_delayed_work(&restore_work, RENEW_RETRY);
}

/* From the receiving thread, which must not wait for itself. */
void xpv_watch_restore(void)
{
	schedule_delayed_work(&restore_work, 0);
}

void xpv_watch_stop(void)
{
	cancel_delayed_work_sync(&restore_work);
}
