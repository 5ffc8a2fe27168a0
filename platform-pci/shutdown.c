// SPDX-License-Identifier: GPL-2.0
/*
 * What the host's administrator asks of the guest: to stop, or to stand still.
 *
 * The toolstack writes a word to control/shutdown; the guest acknowledges by writing
 * an empty string in a transaction, so that a request cannot be lost or taken twice,
 * and then does it. Which words we serve stands in control/feature-*. For suspend
 * there is a shorter way, too: an event channel whose port stands in
 * device/suspend/event-channel.
 *
 * A guest that was suspended may run in another domain then (suspend.c), where
 * nobody knows yet what it serves: it announces all again.
 *
 * Life: start announces and watches; stop takes both back. Watch and event only queue
 * work on a queue of our own, where nobody else's work is in the way.
 * Locks: none; the queue is ordered, so one work item runs at a time.
 * Trust: whatever the host asks is within its rights; unknown words are ignored.
 */
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <xenpv/store.h>

#include "internal.h"

/* So often is the acknowledgement tried again when others write meanwhile. */
#define ACK_TRIES	100
/* Where toolstacks look for the port; they make the node and leave it empty. */
#define PORT_DIR	"device/suspend"
#define PORT_NODE	"event-channel"
/* The toolstack's domain. */
#define TOOLSTACK	0

static struct workqueue_struct *queue;
static struct xpv_evtchn suspend_port;
static bool stopping;

static void announce(void);

static void power_off(void)
{
	orderly_poweroff(true);
}

static void suspend(void)
{
	if (xpv_suspend() && !READ_ONCE(stopping))
		announce();
}

static const struct command {
	const char *word;
	const char *feature;	/* NULL: known by every toolstack */
	void (*act)(void);
} commands[] = {
	{ "poweroff", "feature-poweroff", power_off },
	{ "halt", NULL, power_off },
	{ "reboot", "feature-reboot", orderly_reboot },
	{ "suspend", "feature-suspend", suspend },
};

static const struct command *find_command(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word, commands[i].word))
			return &commands[i];
	return NULL;
}

/* ---- requests in xenstore ---------------------------------------------------- */

/* Read the request and acknowledge it, in one transaction. */
static int take_request(const struct command **command)
{
	char *word;
	int err;
	u32 tx;

	*command = NULL;
	err = xpv_xs_tx_start(&tx);
	if (err)
		return err;
	word = xpv_xs_read(tx, "control", "shutdown", NULL);
	if (!IS_ERR(word)) {
		*command = find_command(word);
		if (!*command && *word)
			pr_warn("request '%.32s' in control/shutdown is not supported\n",
				word);
		kfree(word);
	}
	if (*command)
		err = xpv_xs_write(tx, "control", "shutdown", "");
	return xpv_xs_tx_end(tx, err || !*command) ?: err;
}

static void serve(struct work_struct *work)
{
	const struct command *command;
	unsigned int tries = ACK_TRIES;
	int err;

	do
		err = take_request(&command);
	while (err == -EAGAIN && --tries);
	if (err) {
		pr_err("cannot acknowledge control/shutdown: %d\n", err);
		return;
	}
	if (!command)
		return;
	pr_info("the host asks for %s\n", command->word);
	command->act();
}

static DECLARE_WORK(serve_work, serve);

static void request_changed(struct xpv_watch *watch, const char *path)
{
	queue_work(queue, &serve_work);
}

static struct xpv_watch watch = {
	.path = "control/shutdown",
	.fn = request_changed,
};

/* ---- requests by event ----------------------------------------------------------- */

static void serve_event(struct work_struct *work)
{
	/* One that comes between the last look and the closing of the port. */
	if (READ_ONCE(stopping))
		return;
	pr_info("the host asks for suspend, by event\n");
	suspend();
}

static DECLARE_WORK(event_work, serve_event);

static bool suspend_event(void *unused)
{
	queue_work(queue, &event_work);
	return true;
}

/* For toolstacks that know this way; all of them know the other one. */
static void open_suspend_port(void)
{
	char text[12], *node;
	int err;

	xpv_evtchn_close(&suspend_port);
	node = xpv_xs_read(XPV_XS_NO_TX, PORT_DIR, PORT_NODE, NULL);
	if (IS_ERR(node))
		return;
	kfree(node);
	err = xpv_evtchn_open(&suspend_port, TOOLSTACK, suspend_event, NULL,
			      "suspend");
	if (!err) {
		snprintf(text, sizeof(text), "%u", suspend_port.port);
		err = xpv_xs_write(XPV_XS_NO_TX, PORT_DIR, PORT_NODE, text);
	}
	if (!err)
		return;
	xpv_evtchn_close(&suspend_port);
	pr_info("no suspend event channel: %d\n", err);
}

static void close_suspend_port(void)
{
	if (!suspend_port.irq)
		return;
	xpv_xs_write(XPV_XS_NO_TX, PORT_DIR, PORT_NODE, "");
	xpv_evtchn_close(&suspend_port);
	cancel_work_sync(&event_work);
}

/* ---- start and stop ---------------------------------------------------------------- */

/*
 * The toolstack made these nodes and left them empty. They are emptied again, not
 * removed: the guest could not make them anew.
 */
static void write_features(const char *value)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!commands[i].feature)
			continue;
		err = xpv_xs_write(XPV_XS_NO_TX, "control", commands[i].feature,
				   value);
		if (err)
			pr_info("cannot write control/%s (%d): the host may not know that %s is served\n",
				commands[i].feature, err, commands[i].word);
	}
}

static void announce(void)
{
	write_features("1");
	open_suspend_port();
}

int xpv_shutdown_start(void)
{
	int err;

	/* Not WQ_MEM_RECLAIM: suspending waits for work on the system's queues. */
	queue = alloc_ordered_workqueue("xenpv-control", 0);
	if (!queue)
		return -ENOMEM;
	stopping = false;
	err = xpv_xs_watch(&watch);
	if (err) {
		pr_err("cannot watch control/shutdown: %d\n", err);
		xpv_shutdown_stop();
		return err;
	}
	announce();
	return 0;
}

void xpv_shutdown_stop(void)
{
	if (!queue)
		return;
	WRITE_ONCE(stopping, true);
	xpv_xs_unwatch(&watch);
	/* A suspension under way ends first; it announces nothing any more. */
	cancel_work_sync(&serve_work);
	cancel_work_sync(&event_work);
	write_features("");
	close_suspend_port();
	destroy_workqueue(queue);
	queue = NULL;
}
