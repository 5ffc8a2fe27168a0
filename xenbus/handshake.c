// SPDX-License-Identifier: GPL-2.0
/*
 * The handshake: carries out what the table of phase.c says.
 *
 * Below, F4 means that we write state 4 (Connected) to our directory, B4 that
 * the backend does to its own.
 *
 *	open	B2, prepare, publish with F3 (vbd) or F4 (vif), B4, connect, F4
 *	close	stop, F5, B5, F6, B6, disconnect
 *	reset	B2 while LIVE: stop, disconnect, then as bind
 *	transplant	the guest runs in another domain: as reset, by the new nodes
 *	reopen	the driver wants it: stop, F5, B5, F6, B6, disconnect, F1
 *	break	stop, F5, F6, disconnect; nobody waits for a liar
 *	bind	a state other than F1 is of an earlier connection (kexec, or the
 *		driver was unbound): F5, B5, F6, B6, then F1 has the backend begin
 *		again with B2
 *	linger	no state of the backend while LIVE: stop, disconnect, F1, and a
 *		deadline. What appears then is begun with as at bind, be it the same
 *		directory or one that the frontend's nodes name now
 *
 * A backend that starts anew may find F4 and the keys of before, and connect to a
 * ring that is no more while we make another one: its B4 would mean either. So it
 * has to say B6 before we write F1.
 *
 * Requests wait for a backend only as long as the frontend's directory is the one
 * they were made for (announce.c).
 *
 * One look at the backend's state is one step and walks one edge; then control work
 * queues itself again, so being unbound is noticed between steps whatever the
 * backend does. While LIVE a backend that writes all the time is looked at ten
 * times a second, and no more connections than that are begun. Waiting to be
 * connected is a deadline, not a wait.
 * Only the close handshake waits, bounded, no longer than the frontend's directory is there.
 *
 * Life: xpv_control_start() to xpv_control_stop() for each binding.
 * Locks: see xenbus.h. Hooks run with xpv_control_gate held for reading.
 * Trust: the backend's state is read as untrusted; see phase.c.
 */
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <xenpv/fault.h>
#include <xenpv/grant.h>

#include "phase.h"
#include "value.h"
#include "xenbus.h"

#define CONNECT_TIMEOUT		(30 * HZ)
#define CLOSE_TIMEOUT		(10 * HZ)
/* xenstored failed us: so soon do we ask it again. */
#define STORE_RETRY		(5 * HZ)
/* While LIVE, what the backend writes is looked at so often at most. */
#define LOOK_PAUSE		(HZ / 10)
/* A connection costs pages to be cleared and granted: so often at most. */
#define OPEN_PAUSE		(HZ / 10)
/* Longest time in seconds that requests wait for a backend to return. */
#define LINGER_MAX		86400U

/* States of the backend that end a wait. */
#define BACKEND_UP	(BIT(XenbusStateInitialised) | BIT(XenbusStateConnected))
#define BACKEND_LET_GO	(BIT(XenbusStateInitialising) | \
			 BIT(XenbusStateInitWait) | BIT(XenbusStateClosed))
#define BACKEND_LETS_GO	(BACKEND_LET_GO | BIT(XenbusStateClosing))

/* Bits of xpv_device.events */
enum {
	EV_STATE,	/* something in the backend's directory was written */
	EV_PUBLISH,	/* the driver has more to say */
	EV_REOPEN,	/* the driver wants another connection */
	EV_NAMED,	/* the frontend's nodes may name another backend */
	EV_GONE,	/* the frontend's directory is gone */
	EV_LEAVE,	/* being unbound */
};

static struct workqueue_struct *control_wq;

/* ---- signals to control work: any context ---------------------------------- */

void xpv_bus_kick(struct xpv_device *xd)
{
	mod_delayed_work(control_wq, &xd->control, 0);
}
EXPORT_SYMBOL_GPL(xpv_bus_kick);

void xpv_bus_broken(struct xpv_device *xd, const char *reason)
{
	cmpxchg(&xd->broken_reason, NULL, reason);
	xpv_bus_kick(xd);
}
EXPORT_SYMBOL_GPL(xpv_bus_broken);

static void signal_control(struct xpv_device *xd, unsigned int event)
{
	set_bit(event, &xd->events);
	wake_up(&xd->state_wait);
	xpv_bus_kick(xd);
}

void xpv_bus_republish(struct xpv_device *xd)
{
	signal_control(xd, EV_PUBLISH);
}
EXPORT_SYMBOL_GPL(xpv_bus_republish);

void xpv_bus_look(struct xpv_device *xd)
{
	signal_control(xd, EV_STATE);
}
EXPORT_SYMBOL_GPL(xpv_bus_look);

void xpv_bus_reopen(struct xpv_device *xd)
{
	signal_control(xd, EV_REOPEN);
}
EXPORT_SYMBOL_GPL(xpv_bus_reopen);

void xpv_control_gone(struct xpv_device *xd)
{
	signal_control(xd, EV_GONE);
}

void xpv_control_named(struct xpv_device *xd)
{
	signal_control(xd, EV_NAMED);
}

static void backend_event(struct xpv_watch *watch, const char *path)
{
	signal_control(container_of(watch, struct xpv_device, watch), EV_STATE);
}

/* ---- the two states ---------------------------------------------------------- */

static void set_phase(struct xpv_device *xd, enum xpv_phase phase)
{
	WRITE_ONCE(xd->phase, phase);
}

bool xpv_gone(const struct xpv_device *xd)
{
	return test_bit(EV_GONE, &xd->events);
}

/* Return: 0 with a value of xenbus_state, -ENOENT, or an error of xenstore. */
static int read_state(const char *dir, int *state)
{
	unsigned int len;
	char *text = xpv_xs_read(XPV_XS_NO_TX, dir, "state", &len);

	if (IS_ERR(text))
		return PTR_ERR(text);
	*state = xpv_value_state(text, len);
	kfree(text);
	return 0;
}

/*
 * Look what the backend says. 0, or an error of xenstore and nothing changed.
 * A directory that is gone is -EACCES where its parent is not ours to read.
 */
static int look_at_backend(struct xpv_device *xd)
{
	int state = XPV_BACKEND_GONE;
	int err = xpv_gone(xd) ? -ENOENT : read_state(xd->otherend, &state);

	if (err && err != -ENOENT && err != -EACCES)
		return err;
	if (state != xd->backend)
		xd->moved = true;
	/* One that appears has seen nothing of what we announced. */
	if (xd->backend == XPV_BACKEND_GONE && state != XPV_BACKEND_GONE &&
	    xd->phase == XPV_DOWN)
		xd->fresh = true;
	xd->backend = state;
	return 0;
}

/* Wait for one of the states in @want. -ENOENT: the backend or we are gone. */
static int wait_backend(struct xpv_device *xd, unsigned long want)
{
	unsigned long end = jiffies + CLOSE_TIMEOUT;

	for (;;) {
		clear_bit(EV_STATE, &xd->events);
		if (!look_at_backend(xd)) {
			if (xd->backend == XPV_BACKEND_GONE)
				return -ENOENT;
			if (want & BIT(xd->backend))
				return 0;
		}
		if (time_after_eq(jiffies, end))
			return -ETIMEDOUT;
		wait_event_timeout(xd->state_wait,
				   test_bit(EV_STATE, &xd->events) || xpv_gone(xd),
				   HZ);
	}
}

/* ---- edges ------------------------------------------------------------------- */

/*
 * F5, B5, F6, B6. However it ends, nothing more can be done. @again: F1 follows, so
 * an InitWait of before is no answer.
 */
static void close_handshake(struct xpv_device *xd, bool again)
{
	unsigned long let_go = BACKEND_LET_GO;

	if (xpv_announce(xd, XenbusStateClosing, NULL))
		return;
	wait_backend(xd, BACKEND_LETS_GO);
	if (xpv_announce(xd, XenbusStateClosed, NULL))
		return;
	if (again && xd->backend == XenbusStateInitWait)
		let_go &= ~BIT(XenbusStateInitWait);
	if (wait_backend(xd, let_go) == -ETIMEDOUT)
		dev_warn(&xd->dev,
			 "backend does not close: pages it holds stay parked\n");
	/* A backend that has not moved still speaks of what was. */
	xd->moved = xd->backend == XPV_BACKEND_GONE ||
		    !(BIT(xd->backend) & BACKEND_UP);
}

static void disconnect(struct xpv_device *xd, enum xpv_why why)
{
	bool keeps = why == XPV_WHY_RESET && xd->drv->linger;

	if (xd->phase == XPV_LIVE || xd->phase == XPV_PREPARED ||
	    (xd->keeps && !keeps))
		xd->drv->disconnect(xd, why);
	set_phase(xd, XPV_DOWN);
	xd->keeps = keeps;
	xd->deadline = 0;
	xd->refused = false;
	WRITE_ONCE(xd->broken_reason, NULL);
}

/* Nobody answers: the backend has left, or our directory has gone. */
static void lose(struct xpv_device *xd)
{
	if (xd->phase == XPV_LIVE)
		xd->drv->stop(xd, XPV_WHY_GONE);
	disconnect(xd, XPV_WHY_GONE);
	xpv_announce(xd, XenbusStateClosed, NULL);
}

/*
 * The connection is not to be had, or not to be trusted any more. @reason is NULL
 * if it was given already.
 */
static void break_off(struct xpv_device *xd, int err, const char *reason)
{
	if (err == -ENOENT && xpv_gone(xd)) {
		lose(xd);
		return;
	}
	if (xd->phase == XPV_LIVE)
		xd->drv->stop(xd, XPV_WHY_BROKEN);
	if (reason)
		xpv_bus_error(xd, err, "%s", reason);
	xpv_announce(xd, XenbusStateClosing, NULL);
	xpv_announce(xd, XenbusStateClosed, NULL);
	disconnect(xd, XPV_WHY_BROKEN);
	set_phase(xd, XPV_BROKEN);
	xd->moved = false;
}

/* A hook failed. What its driver has said about that is more than we know. */
static void hook_failed(struct xpv_device *xd, int err, const char *reason)
{
	break_off(xd, err, READ_ONCE(xd->explained) ? NULL : reason);
}

static void open_connection(struct xpv_device *xd)
{
	int err;

	WRITE_ONCE(xd->broken_reason, NULL);
	WRITE_ONCE(xd->explained, false);
	xd->opened_at = jiffies;
	if (!xpv_gnt_tolerates(xd->otherend_id)) {
		break_off(xd, -EDQUOT,
			  "backend holds too many pages of earlier connections");
		return;
	}
	err = xd->drv->prepare(xd);
	if (err) {
		hook_failed(xd, err, "cannot prepare a connection");
		return;
	}
	set_phase(xd, XPV_PREPARED);
	err = xpv_announce(xd, xd->drv->announce, xd->drv->publish);
	if (err) {
		break_off(xd, err, xpv_announce_error(err));
		return;
	}
	xd->deadline = jiffies + CONNECT_TIMEOUT;
	if (xd->keeps && time_after(xd->linger_end, xd->deadline))
		xd->deadline = xd->linger_end;
}

static void go_live(struct xpv_device *xd)
{
	int err;

	xd->deadline = 0;
	xd->changed_at = jiffies;
	set_phase(xd, XPV_LIVE);
	WRITE_ONCE(xd->explained, false);
	err = xd->drv->connect(xd);
	if (err) {
		hook_failed(xd, err, "cannot use what the backend offers");
		return;
	}
	if (xd->state != XenbusStateConnected)
		err = xpv_announce(xd, XenbusStateConnected, NULL);
	if (err)
		break_off(xd, err, "cannot announce the connection");
	else
		xpv_bus_clear_error(xd);
	/* If it broke off, disconnect() has said so. */
	xd->keeps = false;
}

/* How long may requests wait for a backend that has vanished? */
static unsigned long patience(const struct xpv_device *xd)
{
	const unsigned int *linger = xd->drv->linger;

	return linger ? min(READ_ONCE(*linger), LINGER_MAX) * HZ : 0;
}

/*
 * Leave LIVE or PREPARED with all requests; they wait for @time at most. @polite: the
 * backend is there and lets go first.
 */
static void hold(struct xpv_device *xd, unsigned long time, bool polite)
{
	if (xd->phase == XPV_LIVE)
		xd->drv->stop(xd, XPV_WHY_RESET);
	if (polite)
		close_handshake(xd, true);
	if (!xd->keeps)
		xd->linger_end = jiffies + time;
	disconnect(xd, XPV_WHY_RESET);
}

static unsigned long reset_time(const struct xpv_device *xd)
{
	return max_t(unsigned long, patience(xd), CONNECT_TIMEOUT);
}

static void reset(struct xpv_device *xd)
{
	hold(xd, reset_time(xd), false);
	xd->fresh = true;
}

/* Our own wish. Should F1 fail, start_over() finds out what to do. */
static void reopen(struct xpv_device *xd)
{
	hold(xd, reset_time(xd), true);
	xd->fresh = xpv_announce(xd, XenbusStateInitialising, NULL) != 0;
	xd->deadline = jiffies + CONNECT_TIMEOUT;
}

static void linger(struct xpv_device *xd)
{
	unsigned long time = patience(xd);

	/* Both directories at once: the device was taken away. */
	if (xpv_announce_check(xd) == -ENOENT) {
		lose(xd);
		return;
	}
	hold(xd, time, false);
	/* What appears must not take the keys of before for new ones. */
	xpv_announce(xd, XenbusStateInitialising, NULL);
	xpv_bus_error(xd, -ENOTCONN,
		      "backend is gone: waiting up to %lu s for it, or another one",
		      time / HZ);
}

/* Return: true if what is kept while DOWN waits in vain. */
static bool lost_patience(struct xpv_device *xd)
{
	if (xpv_gone(xd))
		return true;
	if (time_after_eq(jiffies, xd->linger_end)) {
		xpv_bus_error(xd, -ETIMEDOUT, "no backend has come back");
		return true;
	}
	return xd->backend == XPV_BACKEND_GONE && !patience(xd);
}

/* Return: false if the device is in use and stays LIVE. */
static bool close_connection(struct xpv_device *xd, enum xpv_why why)
{
	int err = 0;

	if (xd->phase == XPV_LIVE)
		err = xd->drv->stop(xd, why);
	if (err == -EBUSY && why == XPV_WHY_CLOSING) {
		if (!xd->refused) {
			xpv_bus_error(xd, err,
				      "in use: it closes when its last user is gone");
			/* The driver may say what uses it. */
			set_bit(EV_PUBLISH, &xd->events);
		}
		xd->refused = true;
		return false;
	}
	close_handshake(xd, false);
	if (xd->refused)
		xpv_bus_clear_error(xd);
	disconnect(xd, why);
	return true;
}

/*
 * Just bound, or another backend is there. Somebody may have used the device before:
 * this driver, or a kernel that knew nothing of us. Return: 0, or an error: look
 * again later.
 */
static int start_over(struct xpv_device *xd)
{
	int own;
	int err = xd->keeps && !xd->transplanted ? xpv_announce_check(xd) : 0;

	/* Made anew: requests were meant for another disk. */
	if (err == -ENOENT)
		lose(xd);
	else if (err)
		return err;
	err = read_state(xd->nodename, &own);
	if (err)
		return err;
	xd->moved = true;
	xd->state = own;
	if (own == XenbusStateInitialising && xd->backend != XenbusStateClosed)
		return 0;
	/* One that has just appeared is about to answer F6, too. */
	if (own > XenbusStateInitialising &&
	    (own != XenbusStateClosed || xd->backend == XenbusStateInitWait))
		close_handshake(xd, true);
	return xpv_announce(xd, XenbusStateInitialising, NULL);
}

/*
 * No connection stands, and the frontend's nodes may name another backend. Return:
 * 1: it was taken over, 0: they do not, or an error of xenstore.
 */
static int follow_names(struct xpv_device *xd)
{
	domid_t domid;
	char *dir = xpv_bus_read_backend(xd->nodename, &domid);

	/* None at all is the scan's business. */
	if (IS_ERR(dir))
		return PTR_ERR(dir) == -ENOENT ? 0 : PTR_ERR(dir);
	if (domid == xd->otherend_id && !strcmp(dir, xd->otherend)) {
		kfree(dir);
		return 0;
	}
	dev_info(&xd->dev, "backend is another one now, in domain %u\n", domid);
	disconnect(xd, xd->keeps ? XPV_WHY_RESET : XPV_WHY_GONE);
	xpv_xs_unwatch(&xd->watch);
	kfree(xd->otherend);
	xd->otherend = dir;
	xd->otherend_id = domid;
	xd->backend = XenbusStateUnknown;
	xd->fresh = true;
	return 1;
}

/* ---- control work -------------------------------------------------------------- */

/* A device that waits for its backend: has it waited long enough? */
static bool check_deadline(struct xpv_device *xd)
{
	if (!xd->deadline || time_before(jiffies, xd->deadline))
		return false;
	xd->deadline = 0;
	if (xd->phase == XPV_PREPARED) {
		break_off(xd, -ETIMEDOUT, "backend does not connect");
		return true;
	}
	if (xd->phase == XPV_DOWN && xd->backend != XenbusStateClosing &&
	    xd->backend != XenbusStateClosed)
		xpv_bus_error(xd, -ETIMEDOUT,
			      "backend does not answer, waiting on");
	return false;
}

static unsigned int what_is_seen(struct xpv_device *xd, bool event)
{
	unsigned int seen = event ? XPV_SEEN_EVENT : 0;

	if (xd->moved)
		seen |= XPV_SEEN_MOVED;
	/* One that lied before it vanished is not waited for. */
	if (patience(xd) && (xd->phase == XPV_LIVE || xd->keeps) &&
	    !xpv_gone(xd) && !READ_ONCE(xd->broken_reason))
		seen |= XPV_SEEN_PATIENCE;
	return seen;
}

/* Return: true if an edge was walked. */
static bool walk(struct xpv_device *xd, bool event)
{
	switch (xpv_phase_next(xd->phase, xd->backend, what_is_seen(xd, event))) {
	case XPV_OPEN:
		open_connection(xd);
		return true;
	case XPV_CONNECT:
		go_live(xd);
		return true;
	case XPV_CHANGED:
		xd->drv->changed(xd);
		return false;
	case XPV_RESET:
		reset(xd);
		return true;
	case XPV_CLOSE:
		return close_connection(xd, XPV_WHY_CLOSING);
	case XPV_LOSE:
		lose(xd);
		return true;
	case XPV_LINGER:
		linger(xd);
		return true;
	case XPV_REVIVE:
		disconnect(xd, XPV_WHY_BROKEN);
		return true;
	case XPV_STAY:
		break;
	}
	return check_deadline(xd);
}

/* What is left of a pause since then; @since may be older than jiffies can compare. */
static long pause_left(unsigned long since, unsigned long pause)
{
	unsigned long passed = jiffies - since;

	return passed < pause ? pause - passed : 0;
}

/* How long until what the backend has written is looked at? */
static long look_pause(const struct xpv_device *xd)
{
	if (xd->phase != XPV_LIVE || xpv_gone(xd) || READ_ONCE(xd->broken_reason))
		return 0;
	return pause_left(xd->changed_at, LOOK_PAUSE);
}

/* How long until the next connection may be begun? */
static long open_pause(const struct xpv_device *xd)
{
	return xd->phase == XPV_DOWN ? pause_left(xd->opened_at, OPEN_PAUSE) : 0;
}

/* Jiffies until a deadline, or a negative number: there is none. */
static long time_left(const struct xpv_device *xd)
{
	long left = -1, keeps;

	if (xd->deadline)
		left = max_t(long, xd->deadline - jiffies, 1);
	if (xd->phase != XPV_DOWN || !xd->keeps)
		return left;
	keeps = max_t(long, xd->linger_end - jiffies, 1);
	return left < 0 ? keeps : min(left, keeps);
}

/* Return: jiffies until the next look, or a negative number for "on event". */
static long step(struct xpv_device *xd)
{
	bool event = test_and_clear_bit(EV_STATE, &xd->events);
	const char *reason;
	long pause;

	if (event)
		xd->changed_at = jiffies;
	if (look_at_backend(xd))
		return STORE_RETRY;
	if (xd->phase == XPV_DOWN && xd->keeps && lost_patience(xd)) {
		lose(xd);
		return 0;
	}
	if (xd->fresh) {
		if (xpv_gone(xd))
			return -1;
		if (start_over(xd))
			return STORE_RETRY;
		xd->fresh = false;
		xd->transplanted = false;
		xd->deadline = jiffies + CONNECT_TIMEOUT;
		return 0;
	}
	reason = READ_ONCE(xd->broken_reason);
	if (reason && xd->backend != XPV_BACKEND_GONE &&
	    (xd->phase == XPV_PREPARED || xd->phase == XPV_LIVE)) {
		break_off(xd, -EPROTO, reason);
		return 0;
	}
	pause = open_pause(xd);
	if (pause)
		return pause;
	if (walk(xd, event))
		return 0;
	if (test_and_clear_bit(EV_REOPEN, &xd->events) &&
	    (xd->phase == XPV_PREPARED || xd->phase == XPV_LIVE)) {
		reopen(xd);
		return 0;
	}
	if (test_and_clear_bit(EV_PUBLISH, &xd->events) && xd->phase == XPV_LIVE)
		xpv_announce(xd, xd->state, xd->drv->publish);
	return time_left(xd);
}

static void leave(struct xpv_device *xd)
{
	if (xpv_gone(xd) || xd->backend == XPV_BACKEND_GONE)
		lose(xd);
	else if (xd->phase == XPV_LIVE || xd->phase == XPV_PREPARED)
		close_connection(xd, XPV_WHY_REMOVE);
	/* What is kept for a backend that has only just begun. */
	disconnect(xd, XPV_WHY_GONE);
	xpv_xs_unwatch(&xd->watch);
	WRITE_ONCE(xd->drv, NULL);
	complete(&xd->left);
}

/* Return: 0, or an error of xenstore: try again. */
static int watch_backend(struct xpv_device *xd)
{
	int err;

	/* All of the directory: keys may change while LIVE, not only the state. */
	xd->watch.path = xd->otherend;
	xd->watch.fn = backend_event;
	err = xpv_xs_watch(&xd->watch);
	if (err)
		dev_err_ratelimited(&xd->dev,
				    "cannot watch the backend, trying again: %d%s\n",
				    err, err == -E2BIG ? " (its host allows no more watches)" : "");
	return err;
}

/* Return: as step(). */
static long act(struct xpv_device *xd)
{
	long pause;
	int err;

	/* The other end of what still seems to stand has stayed behind. */
	if (xd->transplanted && (xd->phase == XPV_LIVE || xd->phase == XPV_PREPARED))
		reset(xd);
	if (test_and_clear_bit(EV_LEAVE, &xd->events)) {
		leave(xd);
		return -1;
	}
	pause = test_bit(EV_STATE, &xd->events) ? look_pause(xd) : 0;
	if (pause)
		return pause;
	if (xd->phase != XPV_LIVE && test_and_clear_bit(EV_NAMED, &xd->events)) {
		err = follow_names(xd);
		if (err < 0) {
			set_bit(EV_NAMED, &xd->events);
			return STORE_RETRY;
		}
	}
	if (!xd->watch.id && watch_backend(xd))
		return STORE_RETRY;
	return step(xd);
}

static void control(struct work_struct *work)
{
	struct xpv_device *xd = container_of(to_delayed_work(work),
					     struct xpv_device, control);
	unsigned int noio = memalloc_noio_save();
	bool counts = xpv_fault_enter(XPV_FAULT_CONNECT);
	long delay = -1;

	down_read(&xpv_control_gate);
	/* Pairs with the release in xpv_control_start(). */
	if (smp_load_acquire(&xd->drv))
		delay = act(xd);
	up_read(&xpv_control_gate);
	xpv_fault_leave(XPV_FAULT_CONNECT, counts);
	memalloc_noio_restore(noio);
	/* An event that came meanwhile has queued it already, and sooner. */
	if (delay >= 0)
		queue_delayed_work(control_wq, &xd->control, delay);
}

/* ---- binding --------------------------------------------------------------------- */

void xpv_control_queue(struct delayed_work *work, unsigned long delay)
{
	if (delay)
		queue_delayed_work(control_wq, work, delay);
	else
		mod_delayed_work(control_wq, work, 0);
}

void xpv_control_start(struct xpv_device *xd, const struct xpv_driver *drv)
{
	xd->phase = XPV_DOWN;
	xd->backend = XenbusStateUnknown;
	xd->fresh = true;
	xd->keeps = false;
	xd->opened_at = jiffies - OPEN_PAUSE;
	reinit_completion(&xd->left);
	/* All of the above before control work sees a driver. */
	smp_store_release(&xd->drv, drv);
	xpv_bus_kick(xd);
}

void xpv_control_stop(struct xpv_device *xd)
{
	signal_control(xd, EV_LEAVE);
	wait_for_completion(&xd->left);
}

void xpv_control_prepare(struct xpv_device *xd)
{
	INIT_DELAYED_WORK(&xd->control, control);
	init_waitqueue_head(&xd->state_wait);
	init_completion(&xd->left);
}

int xpv_control_init(void)
{
	/*
	 * Unbound, as it sleeps for long. Not WQ_MEM_RECLAIM: hooks of drivers
	 * wait for work on the system's queues, which such a queue must not.
	 */
	control_wq = alloc_workqueue("xenpv", WQ_UNBOUND, 0);
	return control_wq ? 0 : -ENOMEM;
}

void xpv_control_exit(void)
{
	destroy_workqueue(control_wq);
}
