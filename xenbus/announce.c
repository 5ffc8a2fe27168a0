// SPDX-License-Identifier: GPL-2.0
/*
 * What we write to the frontend's directory: our keys and our state.
 *
 * Both go in a transaction that first sees whether a state is still there: writing to
 * a directory that the toolstack has removed would make a ghost of it. All such
 * transactions go one at a time, because xenstored allows a guest only a few.
 *
 * With the keys goes one that no toolstack writes. So a directory that has it is the
 * one that we wrote to, and one that has not was made anew.
 *
 * Life: none. Locks: announce_lock. Trust: nothing of the backend is read.
 */
#include <linux/delay.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "xenbus.h"

#define OUR_KEY		"driver"
/* Others wrote what our transaction touched: so often is it tried again. */
#define TRIES		100

static DEFINE_MUTEX(announce_lock);

static int put_state(struct xpv_device *xd, u32 tx, enum xenbus_state state,
		     xpv_publish_fn publish)
{
	struct xpv_batch batch = { .xd = xd, .tx = tx };
	char *old = xpv_xs_read(tx, xd->nodename, "state", NULL);

	if (IS_ERR(old))
		return PTR_ERR(old);
	kfree(old);
	if (publish) {
		publish(xd, &batch);
		xpv_batch_put(&batch, OUR_KEY, "xenpv %s", XENPV_VERSION);
	}
	xpv_batch_put(&batch, "state", "%d", state);
	return batch.err;
}

int xpv_announce(struct xpv_device *xd, enum xenbus_state state,
		 xpv_publish_fn publish)
{
	unsigned int tries;
	int err = -ENOENT, end;
	u32 tx;

	mutex_lock(&announce_lock);
	for (tries = 0; tries < TRIES && !xpv_gone(xd); tries++) {
		err = xpv_xs_tx_start(&tx);
		if (err)
			break;
		err = put_state(xd, tx, state, publish);
		end = xpv_xs_tx_end(tx, err);
		if (!err)
			err = end;
		if (err != -EAGAIN)
			break;
		err = -EBUSY;
		usleep_range(1000, 1000 + (get_random_u32() & 0xfff));
	}
	mutex_unlock(&announce_lock);
	if (!err)
		xd->state = state;
	return err;
}

const char *xpv_announce_error(int err)
{
	if (err == -ENOSPC)
		return "xenstore has no room for more keys of this guest: the host's xenstored needs a higher quota of nodes";
	return "cannot write the keys of a connection";
}

int xpv_announce_check(struct xpv_device *xd)
{
	char *text = xpv_xs_read(XPV_XS_NO_TX, xd->nodename, OUR_KEY, NULL);

	if (IS_ERR(text))
		return PTR_ERR(text);
	kfree(text);
	return 0;
}
