/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The xenstore client: paths, values, transactions, watches.
 *
 * Xen and xenstored are trusted, but their bugs and restarts are survived:
 * every message is length-checked before it is used, every wait is bounded
 * (XPV_XS_TIMEOUT), and values are strings until a strict parser has said
 * otherwise (bus.h).
 *
 * All functions here sleep: process context only, and never inside a watch
 * callback unless the callback's description allows it.
 *
 * Locks, in this order: register_lock (watch.c) over the making of watches,
 * held across requests; list_lock (watch.c) over the list of watches, held while
 * a callback runs; the wire's own (comms.c), innermost.
 */
#ifndef XENPV_STORE_H
#define XENPV_STORE_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/jiffies.h>

/* How long xenstored may take for one answer before the call gives up. */
#define XPV_XS_TIMEOUT	(30 * HZ)

/* Longest absolute path that xenstored accepts, with its terminator. */
#define XPV_XS_PATH_MAX	3072

/* Transaction 0: each operation by itself. */
#define XPV_XS_NO_TX	0U

/**
 * xpv_xs_read() - read one value
 * @tx: transaction or XPV_XS_NO_TX
 * @dir: directory, without a slash at the end
 * @node: name below it; "" for @dir itself
 * @len: set to the value's length if not NULL; a value may hold NUL bytes
 *
 * Return: the value, terminated, to be freed with kfree(); or ERR_PTR:
 * -ENOENT no such node, -EACCES, -ENOMEM, -ETIMEDOUT, -EIO xenstore is broken,
 * -ENAMETOOLONG.
 */
char *xpv_xs_read(u32 tx, const char *dir, const char *node, unsigned int *len);

/* Write one value, create an empty node, remove a node and all below it. */
int xpv_xs_write(u32 tx, const char *dir, const char *node, const char *value);
int xpv_xs_mkdir(u32 tx, const char *dir, const char *node);
int xpv_xs_remove(u32 tx, const char *dir, const char *node);

/**
 * xpv_xs_directory() - list the names below a directory
 * @tx: transaction or XPV_XS_NO_TX
 * @dir: directory
 * @node: name below it; "" for @dir itself
 * @n: set to the number of names
 *
 * Return: an array of @n names, freed as one piece with kfree(), or ERR_PTR as
 * xpv_xs_read(). -E2BIG: more than 64 KiB of names, or more than fit into one
 * message of a server that cannot send them in parts; -EAGAIN: they change all
 * the time.
 */
char **xpv_xs_directory(u32 tx, const char *dir, const char *node,
			unsigned int *n);

/**
 * xpv_xs_tx_start() - start a transaction
 * @tx: set to its number
 *
 * Requests of other callers go on in the meantime.
 */
int xpv_xs_tx_start(u32 *tx);

/**
 * xpv_xs_tx_end() - end a transaction
 * @tx: its number
 * @abort: throw it away
 *
 * Return: 0; -EAGAIN if somebody else changed what it touched: start again.
 */
int xpv_xs_tx_end(u32 tx, bool abort);

/**
 * struct xpv_watch - tell me when something changes at or below a path
 * @path: absolute, or relative to the domain's home; must stay until unregistered
 * @fn: called in process context on the thread that receives all messages, so it
 *	must not wait for anything and must not call xenstore: it sets a flag and
 *	queues work. @path is what changed.
 *
 * The token on the wire is made from the watch's own number: stale or forged
 * events find no watch and are dropped.
 */
struct xpv_watch {
	const char *path;
	void (*fn)(struct xpv_watch *watch, const char *path);
	/* private to watch.c */
	struct list_head list;
	u32 id;
};

/**
 * xpv_xs_watch() - start watching; the first event comes at once
 * @watch: @path and @fn filled in
 */
int xpv_xs_watch(struct xpv_watch *watch);

/**
 * xpv_xs_unwatch() - stop watching
 * @watch: registered, or never registered (nothing happens)
 *
 * After it returns the callback runs nowhere and no event is queued. Not from
 * inside a callback.
 */
void xpv_xs_unwatch(struct xpv_watch *watch);

#endif /* XENPV_STORE_H */
