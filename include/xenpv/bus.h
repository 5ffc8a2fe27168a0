/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bus "xen": devices that xenstore shows, drivers, and the handshake.
 *
 * A device has one phase and one writer of it: control work, a work item of the
 * device's own that never runs twice at once. Store watches, time-outs and a
 * driver's wishes only set a flag and queue that work, so a flood of them costs
 * nothing. All hooks of a driver but probe and remove run there, and these two
 * run before it starts and after it has ended: never two at once for one device,
 * always in process context, always with memory allocation that starts no I/O
 * (the disk that is being connected may be the one with the swap space).
 *
 * Who does what: the driver decides what its keys say and how its rings look;
 * the bus alone reads and writes `state`, talks about errors and decides what
 * comes next (xenbus/phase.c holds the table).
 *
 * While the guest stands still (save, migration) control work does, too; @suspend and
 * @resume run in its place. A guest that goes on in another domain has every
 * connection made anew, as if all backends had died and returned.
 *
 * Which backend: the one that the frontend's nodes `backend` and `backend-id`
 * name. While the device is LIVE a change of these is ignored; in any other phase
 * the backend they name is taken over, and the handshake begins with it.
 *
 * A backend that vanishes is a domain that died, or a device that is being moved.
 * A driver with @linger keeps its requests for so many seconds, in which the same
 * backend may return, or another one may be named. Only a backend that vanishes is
 * waited for: one that says Closed has ended the connection itself. The requests
 * belong to the frontend's directory: if that goes, or was made anew, it is
 * another disk, and they fail.
 *
 * Trust: the backend is not trusted. What is read from its directory comes
 * through the typed, bounded functions below.
 */
#ifndef XENPV_BUS_H
#define XENPV_BUS_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>
#include <xen/interface/io/xenbus.h>
#include <xenpv/phase.h>
#include <xenpv/store.h>

/**
 * enum xpv_why - why a device leaves LIVE or PREPARED
 * @XPV_WHY_RESET: the backend starts anew, or is gone and waited for; requests in
 *	flight wait for it
 * @XPV_WHY_CLOSING: the backend asks politely; may be refused while in use
 * @XPV_WHY_GONE: backend or frontend nodes are gone, and nobody waits for them, or
 *	not any more; nobody will answer
 * @XPV_WHY_BROKEN: the backend lied; nothing it says counts any more
 * @XPV_WHY_REMOVE: driver unbound or module unloaded; the backend answers
 */
enum xpv_why {
	XPV_WHY_RESET,
	XPV_WHY_CLOSING,
	XPV_WHY_GONE,
	XPV_WHY_BROKEN,
	XPV_WHY_REMOVE,
};

struct xpv_device;
struct xpv_batch;

/**
 * struct xpv_driver - a frontend
 * @type: device type in xenstore: "vbd", "vif"
 * @announce: state that says "my keys are there": XenbusStateInitialised for
 *	vbd, XenbusStateConnected for vif (netback ignores Initialised)
 * @probe: DOWN; allocate what lives as long as the device, touch no backend.
 *	-errno: the device stays unbound
 * @prepare: DOWN -> PREPARED; read features, make rings, claim references, open
 *	ports. On error it has undone all that it did; the device goes to BROKEN
 * @publish: put our keys into the batch; may run again, so no side effects
 * @connect: PREPARED -> LIVE; read the geometry and accept I/O. It must not wait
 *	for the backend to answer I/O (reading a partition table is work of its
 *	own): nobody could end that wait. On error the bus calls @stop and
 *	@disconnect (why: BROKEN)
 * @changed: LIVE; the backend says Connected, and it or any other of its keys was
 *	written (resize, carrier); many writes may make one call
 * @stop: LIVE; let no new request reach the ring. Requests in flight: RESET
 *	keeps them, CLOSING and REMOVE wait for them (bounded), GONE and BROKEN
 *	let them be. May return -EBUSY for CLOSING alone: the device is in use and
 *	stays LIVE; call xpv_bus_kick() when it no longer is
 * @disconnect: PREPARED or stopped -> DOWN; close ports, revoke grants, park
 *	what is still mapped, fail (RESET: keep) requests in flight. No handler
 *	runs after it returns. A driver with @linger may get it once more while
 *	DOWN, after RESET: what it kept fails now (GONE, BROKEN)
 * @remove: DOWN; undo @probe
 * @suspend: LIVE; the guest is about to stand still: no new request reaches the ring,
 *	requests in flight are kept, and nobody above notices. @resume follows if
 *	the connection still stands then, else @stop and @disconnect (RESET)
 * @resume: LIVE, after @suspend; go on with the connection as it was
 * @linger: seconds to wait for a backend that vanished while LIVE; read when it
 *	vanishes; 0: none. NULL: none, and RESET keeps nothing
 * @driver: the driver core's part; the bus fills it in
 */
struct xpv_driver {
	const char *type;
	enum xenbus_state announce;
	int (*probe)(struct xpv_device *xd);
	int (*prepare)(struct xpv_device *xd);
	void (*publish)(struct xpv_device *xd, struct xpv_batch *batch);
	int (*connect)(struct xpv_device *xd);
	void (*changed)(struct xpv_device *xd);
	int (*stop)(struct xpv_device *xd, enum xpv_why why);
	void (*disconnect)(struct xpv_device *xd, enum xpv_why why);
	void (*suspend)(struct xpv_device *xd);
	void (*resume)(struct xpv_device *xd);
	void (*remove)(struct xpv_device *xd);
	const unsigned int *linger;
	struct device_driver driver;
};

#define to_xpv_driver(d) container_of_const(d, struct xpv_driver, driver)

/**
 * struct xpv_device - one device that xenstore shows below device/
 * @dev: the driver core's device, named "vbd-51712"; parent: none
 * @type: "vbd"
 * @id: "51712"
 * @nodename: "device/vbd/51712": our directory, relative to our home
 * @otherend: the backend's directory, absolute; it and @otherend_id only change
 *	between two hooks, while no connection stands
 * @otherend_id: the backend's domain; grants and ports are made for this one
 * @phase: see enum xpv_phase; others than control work may read it late
 *
 * Drivers keep their own with dev_set_drvdata(&xd->dev). The rest is private to
 * the bus.
 *
 * Who may touch it
 *	list, generation	the scan (bus.c)
 *	events, broken_reason	anybody, atomically
 *	drv			probe and control work; NULL: control work does nothing
 *	last_error		under error_lock (keys.c)
 *	all else		control work; probe, before it starts
 */
struct xpv_device {
	struct device dev;
	char type[16];
	char id[24];
	char nodename[64];
	char *otherend;
	domid_t otherend_id;
	enum xpv_phase phase;
	/* private to xenbus/ */
	const struct xpv_driver *drv;
	enum xenbus_state state;	/* what we announced last */
	int backend;			/* what the backend said last */
	bool moved;			/* since the last connection ended */
	bool fresh;			/* bound, or a new backend: F1 is due */
	bool transplanted;		/* to another domain: its directory is new */
	bool keeps;			/* the driver keeps requests (RESET) */
	bool refused;			/* in use: close later */
	bool explained;			/* xpv_bus_error() since a hook began */
	struct delayed_work control;
	unsigned long events;
	unsigned long deadline;		/* jiffies; 0: none */
	unsigned long linger_end;	/* what the driver keeps fails then; 0: none */
	unsigned long changed_at;	/* the last look while LIVE */
	unsigned long opened_at;	/* the last connection was begun */
	const char *broken_reason;
	char last_error[128];
	struct xpv_watch watch;
	wait_queue_head_t state_wait;
	struct completion left;
	struct list_head list;
	unsigned int generation;
};

#define to_xpv_device(d) container_of(d, struct xpv_device, dev)

/**
 * __xpv_bus_register_driver() - register a frontend
 * @drv: its hooks
 * @owner: its module
 *
 * Devices that xenstore shows already are probed before this returns; their
 * handshake goes on in the background.
 *
 * Return: 0; -ENODEV when the platform is not up.
 */
int __xpv_bus_register_driver(struct xpv_driver *drv, struct module *owner);
#define xpv_bus_register_driver(drv) \
	__xpv_bus_register_driver(drv, THIS_MODULE)
void xpv_bus_unregister_driver(struct xpv_driver *drv);

/**
 * xpv_bus_broken() - the backend lied, or failed us: break the device
 * @xd: the device
 * @reason: a constant string for the log and the error node: "response to a
 *	request that was never made"
 *
 * Any context, also from the data path under its locks. The first reason is
 * kept. The caller stops believing the backend at once; control work follows
 * with @stop and @disconnect.
 */
void xpv_bus_broken(struct xpv_device *xd, const char *reason);

/**
 * xpv_bus_kick() - have control work look again
 * @xd: the device
 *
 * For a driver that refused to stop and no longer minds. Any context.
 */
void xpv_bus_kick(struct xpv_device *xd);

/**
 * xpv_bus_republish() - have @publish run again
 * @xd: the device
 *
 * For keys that only tell the host something: while LIVE, soon, and once however
 * often it was asked for. Any context.
 */
void xpv_bus_republish(struct xpv_device *xd);

/**
 * xpv_bus_look() - have @changed run
 * @xd: the device
 *
 * For a driver that watches its own directory, where the toolstack writes: while
 * LIVE, soon, and once for many calls. Any context.
 */
void xpv_bus_look(struct xpv_device *xd);

/**
 * xpv_bus_reopen() - have the connection made anew
 * @xd: the device
 *
 * For a wish that a connection cannot take in while it stands (the number of
 * queues): @stop and @disconnect (RESET) with the backend closing properly in
 * between, then @prepare and so on. What is not connected is left alone: its next
 * connection knows of the wish. Any context.
 */
void xpv_bus_reopen(struct xpv_device *xd);

/*
 * Reading the backend's directory. The backend may change a value at any time:
 * read once, use the copy.
 */

/**
 * xpv_bus_get_u32() - a number with a default and limits
 * @xd: the device
 * @key: key in the backend's directory
 * @def: what a missing, empty or unreadable value means
 * @min: smaller ones are raised to it
 * @max: larger ones are lowered to it
 *
 * Strict decimal: no sign, space, prefix or rest. A value that is garbage or too
 * small is named in one log line; one that is too large offers more than is used.
 */
u32 xpv_bus_get_u32(struct xpv_device *xd, const char *key, u32 def, u32 min,
		    u32 max);

/**
 * xpv_bus_get_flag() - a feature that is on if its key says "1"
 * @xd: the device
 * @key: key in the backend's directory
 */
bool xpv_bus_get_flag(struct xpv_device *xd, const char *key);

/**
 * xpv_bus_read_u64() - a number that must be there
 * @xd: the device
 * @key: key in the backend's directory
 * @value: the number
 *
 * Return: 0; -ENOENT missing, -EINVAL not a strict decimal, -ERANGE too large,
 * or a xenstore error.
 */
int xpv_bus_read_u64(struct xpv_device *xd, const char *key, u64 *value);

/**
 * xpv_bus_read_front_u64() - the same from our own directory
 * @xd: the device
 * @key: key in the frontend's directory, which the toolstack writes
 * @value: the number
 */
int xpv_bus_read_front_u64(struct xpv_device *xd, const char *key, u64 *value);

/**
 * xpv_bus_front_trusted() - does the toolstack trust the backend?
 * @xd: the device
 *
 * Its key `trusted` may say no; one that cannot be read is no reason to trust.
 */
bool xpv_bus_front_trusted(struct xpv_device *xd);

/**
 * xpv_bus_read_string() - a short string, terminated
 * @xd: the device
 * @key: key in the backend's directory
 * @buf: filled
 * @size: of @buf
 *
 * Return: length; -ENOENT missing, -EINVAL with a NUL or a control character in
 * it, -ERANGE longer than @size - 1.
 */
int xpv_bus_read_string(struct xpv_device *xd, const char *key, char *buf,
			size_t size);
int xpv_bus_read_front_string(struct xpv_device *xd, const char *key, char *buf,
			      size_t size);

/**
 * xpv_bus_read_bytes() - a value as it is
 * @xd: the device
 * @key: key in the backend's directory
 * @buf: filled; not terminated
 * @size: of @buf
 *
 * Return: length; -ENOENT missing, -ERANGE longer than @size.
 */
int xpv_bus_read_bytes(struct xpv_device *xd, const char *key, char *buf,
		       size_t size);

/*
 * Writing our directory, inside publish. The first error sticks: what follows
 * does nothing, so publish has no error branch.
 */

/**
 * xpv_batch_put() - write one key of our directory
 * @batch: from publish
 * @key: printf format is not allowed here: a name, "ring-ref"
 * @fmt: printf format of the value
 */
__printf(3, 4)
void xpv_batch_put(struct xpv_batch *batch, const char *key,
		   const char *fmt, ...);

/**
 * xpv_batch_remove() - remove one key of our directory, if it is there
 * @batch: from publish
 * @key: its name
 */
void xpv_batch_remove(struct xpv_batch *batch, const char *key);

/**
 * xpv_bus_error() - say that something is wrong with a device, once, everywhere
 * @xd: the device
 * @err: negative errno
 * @fmt: what could not be done, and what to do
 *
 * Logs it with dev_err() and writes `error/<nodename>/error` for the host's
 * administrator. A @prepare or @connect that fails after it is not mentioned by
 * the bus again. Process context.
 */
__printf(3, 4)
void xpv_bus_error(struct xpv_device *xd, int err, const char *fmt, ...);

/*
 * Emulated twins (platform-pci/unplug.c). A disk or card that the host shows
 * twice must not be used twice.
 */

/**
 * xpv_unplug_disk_twin() - is the emulated twin of a vbd still there?
 * @vdevice: the vbd's virtual-device number
 *
 * Return: true if the guest can still reach the same disk through emulated
 * hardware.
 */
bool xpv_unplug_disk_twin(u32 vdevice);

/**
 * xpv_unplug_nic_twin() - is the emulated twin of a vif still there?
 * @mac: the vif's address, six bytes
 *
 * Return: true too if an emulated card has no driver yet: it may have any address.
 */
bool xpv_unplug_nic_twin(const u8 *mac);

#endif /* XENPV_BUS_H */
