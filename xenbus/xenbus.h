/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of xenbus/ know of each other, and platform-pci/main.c of them.
 *
 * From below: wire.c value.c phase.c (pure), comms.c (messages), store.c (verbs),
 * watch.c, bus.c (devices and drivers), keys.c (their values), handshake.c; beside
 * the bus opener.c and dev.c, for programs; over all suspend.c.
 *
 * Life of a device
 *	scan (bus.c): created and registered -> bus probe: driver's probe, then
 *	xpv_control_start() -> control work walks the table of phase.c -> bus
 *	remove: xpv_control_stop(), driver's remove -> unregistered -> released
 *	with its last reference.
 *
 * What keeps a device alive
 *	the scan's list holds it until it unregisters it; the watch on its backend
 *	and its control work exist between xpv_control_start() and _stop(), which
 *	the driver core calls while it holds the device.
 *
 * Locks, in this order
 *	bus_lock (bus.c)	registered drivers, start and stop; over the driver
 *				core's device locks
 *	device lock		the driver core's; held around probe and remove.
 *				Control work never takes it: remove waits for it
 *	xpv_control_gate	(suspend.c) control work acts, or the guest stands still
 *	announce_lock		one transaction of ours at a time (announce.c)
 *	register_lock, list_lock (watch.c), wire lock (comms.c): see store.h
 * The list of devices has no lock: the scan, one work item, owns it, and
 * xpv_bus_stop() after that has ended.
 */
#ifndef XENPV_XENBUS_H
#define XENPV_XENBUS_H

#include <linux/rwsem.h>
#include <linux/types.h>
#include <xenpv/bus.h>

#include "wire.h"

/* Of comms.c and store.c, for platform-pci/main.c. */

/**
 * xpv_xs_start() - connect to xenstored
 *
 * Waits up to 5 s for a ring that the host has not connected yet, takes over
 * what an earlier kernel left there, and drops that kernel's watches.
 *
 * Return: 0; -ENXIO this guest has no xenstore; -ETIMEDOUT its ring is never
 * connected; -errno. It has said what is wrong.
 */
int xpv_xs_start(void);

/**
 * xpv_xs_stop() - let go of the ring; requests that wait fail with -EIO
 *
 * All watches must be gone. Accepts a client that never started.
 */
void xpv_xs_stop(void);

/* Of dev.c, for platform-pci/main.c. */

/**
 * xpv_dev_start() - make the nodes through which programs reach xenstore
 *
 * Without them the drivers work all the same: an error is said, not returned.
 */
void xpv_dev_start(void);

/**
 * xpv_dev_stop() - take the nodes away; who has one open is told so
 *
 * Waits until xenstored has nothing of theirs any more, or does not answer.
 * Accepts nodes that were never made.
 */
void xpv_dev_stop(void);

/* Of bus.c, for platform-pci/main.c. */
int xpv_bus_start(void);

/**
 * xpv_bus_stop() - unbind and remove all devices
 *
 * Registered drivers stay registered, without devices, until they unregister.
 */
void xpv_bus_stop(void);

/* bus.c, for handshake.c and suspend.c */

/* Call @fn for each device, bound or not; it must not add or remove any. */
void xpv_bus_each(void (*fn)(struct xpv_device *xd));

/**
 * xpv_bus_read_backend() - who is the backend of a frontend's directory?
 * @node: the directory
 * @domid: set to the backend's domain
 *
 * Return: the backend's directory, to be freed with kfree(); ERR_PTR(-ENOENT): no
 * device, or not yet, or one that makes no sense; another error: of xenstore.
 */
char *xpv_bus_read_backend(const char *node, domid_t *domid);

/* comms.c */

/**
 * xpv_comms_talk() - one request and its answer
 * @type: what to do
 * @tx: in which transaction
 * @parts: payload
 * @n: number of parts
 * @reply: set to the answer, terminated, to be freed with kfree(); or NULL
 * @len: set to its length, or NULL
 *
 * Sleeps, XPV_XS_TIMEOUT at most.
 *
 * Return: 0 or -errno, xenstored's own among them.
 */
int xpv_comms_talk(enum xsd_sockmsg_type type, u32 tx,
		   const struct xpv_wire_part *parts, unsigned int n,
		   char **reply, u32 *len);

/**
 * xpv_comms_pass() - a request as somebody else made it, and its answer as it came
 * @type: what to do; set to what the answer is: the same, or XS_ERROR
 * @tx: in which transaction
 * @body: payload
 * @size: its length
 * @reply: set to the answer, terminated, to be freed with kfree()
 * @len: set to its length
 *
 * As xpv_comms_talk(), but an error of xenstored is an answer, too.
 *
 * Return: 0, or -errno if there is no answer.
 */
int xpv_comms_pass(u32 *type, u32 tx, const void *body, u32 size, char **reply,
		   u32 *len);

/**
 * xpv_comms_generation() - how often the ring was connected
 *
 * Transactions begin and end with one connection: those of another generation are
 * gone, and their numbers may belong to somebody else.
 */
u32 xpv_comms_generation(void);
int xpv_comms_start(void);
void xpv_comms_stop(void);

/**
 * xpv_comms_suspend() - leave the ring alone, with nothing of ours in it
 *
 * Waits for the answers that are due, SETTLE_TIME at most. Requests that are made from
 * now on wait for xpv_comms_resume(). Transactions are their owners' business.
 */
void xpv_comms_suspend(void);

/**
 * xpv_comms_resume() - go on
 * @anew: with the ring that the host names now; what was not answered fails
 *
 * Return: 0; or an error, and all requests fail from now on.
 */
int xpv_comms_resume(bool anew);

/* watch.c; both are called by the thread of comms.c */
void xpv_watch_deliver(const struct xpv_wire_reader *msg);
void xpv_watch_restore(void);
void xpv_watch_stop(void);

/**
 * xpv_watch_forget() - stop watching without a word to xenstored
 * @watch: as for xpv_xs_unwatch(), which it stands for where nobody answers
 */
void xpv_watch_forget(struct xpv_watch *watch);

/* Make all watches again, and wait for it: another xenstored knows of none. */
void xpv_watch_renew(void);

/* suspend.c */

/* Held for reading by control work that acts, for writing while the guest stands still. */
extern struct rw_semaphore xpv_control_gate;

/**
 * xpv_bus_suspend() - let nothing of this layer or of the drivers move
 *
 * Waits for control work that acts, and for xenstored. Ends with xpv_bus_resume().
 */
void xpv_bus_suspend(void);

/**
 * xpv_bus_resume() - go on
 * @anew: in another domain: the connections of before are no more, all are made again
 */
void xpv_bus_resume(bool anew);

/* handshake.c */
int xpv_control_init(void);
void xpv_control_exit(void);

/**
 * xpv_control_start() - begin the handshake of a device that was just bound
 * @xd: device, DOWN
 * @drv: its driver
 */
void xpv_control_start(struct xpv_device *xd, const struct xpv_driver *drv);

/**
 * xpv_control_stop() - close a device and end its control work
 * @xd: device with xpv_control_start() behind it
 *
 * Waits for the backend, 20 s at most if it does not answer, not at all if the
 * device is gone. The device is DOWN, and no hook runs, when this returns.
 */
void xpv_control_stop(struct xpv_device *xd);

/**
 * xpv_control_gone() - the frontend's directory is no longer there
 * @xd: the device; waits on its backend end at once
 */
void xpv_control_gone(struct xpv_device *xd);

/**
 * xpv_control_named() - the frontend's nodes may name another backend
 * @xd: the device; control work reads them, once no connection stands
 */
void xpv_control_named(struct xpv_device *xd);

/* The frontend's directory is no longer there. */
bool xpv_gone(const struct xpv_device *xd);

/* Once, before the device is registered. */
void xpv_control_prepare(struct xpv_device *xd);

/* Queue the scan on the same threads as control work; the sooner wish wins. */
void xpv_control_queue(struct delayed_work *work, unsigned long delay);

/* announce.c */

typedef void (*xpv_publish_fn)(struct xpv_device *xd, struct xpv_batch *batch);

/**
 * xpv_announce() - write our state, and our keys before it, in one transaction
 * @xd: the device
 * @state: the state
 * @publish: writes the keys, or NULL: the state alone
 *
 * Control work only. Return: 0; -ENOENT: our directory is gone; -EBUSY: others wrote
 * all the time; or an error of xenstore.
 */
int xpv_announce(struct xpv_device *xd, enum xenbus_state state,
		 xpv_publish_fn publish);

/**
 * xpv_announce_error() - what xpv_announce() failed for, for the log and the host
 * @err: what it returned
 */
const char *xpv_announce_error(int err);

/**
 * xpv_announce_check() - is the directory the one that our keys were written to?
 * @xd: the device
 *
 * Return: 0; -ENOENT: it is gone, or not the same any more; or an error of xenstore.
 */
int xpv_announce_check(struct xpv_device *xd);

/* keys.c */

/*
 * What was complained of is over, by whomever: an earlier device of this name may
 * have left the node.
 */
void xpv_bus_clear_error(struct xpv_device *xd);

/* What was complained of last, for sysfs; nothing once that is over. */
ssize_t xpv_bus_show_error(struct xpv_device *xd, char *buf);

/* Keys written in one transaction; the first error sticks. */
struct xpv_batch {
	struct xpv_device *xd;
	u32 tx;
	int err;
};

#endif /* XENPV_XENBUS_H */
