// SPDX-License-Identifier: GPL-2.0
/*
 * control/shutdown: the host's administrator asks the guest to stop.
 *
 * The toolstack writes a word there; the guest acknowledges by writing an empty
 * string in a transaction, so that a request cannot be lost or taken twice, and
 * then does it. Which words we serve stands in control/feature-*. Suspend is not
 * among them yet, so it is not announced and not acknowledged: the toolstack
 * says so to the administrator.
 *
 * Life: start announces and watches; stop takes both back. The watch only queues
 * work; the work talks to xenstore.
 * Locks: none; the work item never runs twice at once.
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

static void power_off(void)
{
	orderly_poweroff(true);
}

static const struct command {
	const char *word;
	const char *feature;	/* NULL: known by every toolstack */
	void (*act)(void);
} commands[] = {
	{ "poweroff", "feature-poweroff", power_off },
	{ "halt", NULL, power_off },
	{ "reboot", "feature-reboot", orderly_reboot },
};

static const struct command *find_command(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(word, commands[i].word))
			return &commands[i];
	return NULL;
}

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
	schedule_work(&serve_work);
}

static struct xpv_watch watch = {
	.path = "control/shutdown",
	.fn = request_changed,
};

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

int xpv_shutdown_start(void)
{
	int err = xpv_xs_watch(&watch);

	if (err)
		pr_err("cannot watch control/shutdown: %d\n", err);
	else
		write_features("1");
	return err;
}

void xpv_shutdown_stop(void)
{
	write_features("");
	xpv_xs_unwatch(&watch);
	cancel_work_sync(&serve_work);
}
