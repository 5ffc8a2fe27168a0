/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one program has to do with xenstore: who has /dev/xen/xenbus open.
 *
 * dev.c moves bytes between the program and here, opener.c between here and
 * xenstored. A message is in exactly one place: being written (dev.c), queued to be
 * sent, sent (the work item has it), or queued to be read.
 *
 * Locks
 *	write_lock, read_lock	dev.c's: one writer, one reader of an opener at a
 *				time. What they guard nobody else touches; memory of
 *				the program is only touched under these two, so a
 *				program that stalls there stalls itself alone
 *	lock			both queues, the counts, the flags; innermost, and
 *				held only to copy: the thread that receives for
 *				everybody takes it
 *	transactions, watches	the work item's, which never runs twice at once; a
 *				watch's reminder is guarded by lock
 */
#ifndef XENPV_OPENER_H
#define XENPV_OPENER_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <xen/interface/io/xs_wire.h>

/* Requests of an opener that are being written, or whose answer was not read. */
#define XPV_OPENER_REQUESTS	8
/* Bytes of events that wait to be read. */
#define XPV_OPENER_EVENTS	16384
/* Bytes of paths and tokens that are watched. */
#define XPV_OPENER_WATCHES	16384
#define XPV_OPENER_TRANSACTIONS	6

/**
 * struct xpv_message - a request, an answer or an event
 * @list: where it is
 * @header: as the program knows it: request number and transaction are its own
 * @body: payload, with a NUL behind it
 * @lasting: belongs to a watch; not freed when it was read
 */
struct xpv_message {
	struct list_head list;
	struct xsd_sockmsg header;
	char *body;
	bool lasting;
};

struct xpv_opener_transaction {
	u32 id;
	u32 generation;
};

struct xpv_opener {
	struct list_head list;		/* dev.c's list */
	struct workqueue_struct *wq;	/* NULL: dead, and all was ended */
	struct work_struct work;
	wait_queue_head_t wait;		/* to read, to write, the end */
	spinlock_t lock;
	struct list_head to_send;
	struct list_head to_read;
	unsigned int requests;
	u32 event_bytes;
	bool closed;			/* the program has gone */
	bool dead;			/* the platform has gone */

	struct xpv_opener_transaction transaction[XPV_OPENER_TRANSACTIONS];
	unsigned int transactions;
	struct list_head watches;
	u32 watch_bytes;

	struct mutex write_lock;
	struct xpv_message *in;		/* half written */
	u32 in_len;

	struct mutex read_lock;
	u32 out_len, out_at;
	char out[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX];
};

/* Openers, with those whose end is still going on. */
#define XPV_ALL_OPENERS		128
/* What all of them may have at xenstored, so that its quota leaves some for us. */
#define XPV_ALL_WATCHES		64
#define XPV_ALL_TRANSACTIONS	6

/**
 * xpv_opener_create() - somebody opened the node
 * @wq: where its requests are served
 *
 * Return: ERR_PTR: -EMFILE there are too many; -ENOMEM.
 */
struct xpv_opener *xpv_opener_create(struct workqueue_struct *wq);

/**
 * xpv_opener_close() - it is closed: end its transactions and watches
 * @op: neither read nor written any more
 *
 * Does not wait. The work item frees it.
 */
void xpv_opener_close(struct xpv_opener *op);

/**
 * xpv_opener_kill() - the platform goes: end its transactions and watches
 * @op: may be read, written and closed; nothing comes of it
 *
 * Does not wait: flush the workqueue.
 */
void xpv_opener_kill(struct xpv_opener *op);

/**
 * xpv_opener_free() - it is closed, and was killed before
 * @op: its work item does not run any more
 */
void xpv_opener_free(struct xpv_opener *op);

/**
 * xpv_opener_begin() - may it write another request?
 * @op: the opener
 *
 * Return: 0: room is taken until the answer was read; -EAGAIN; -ENODEV.
 */
int xpv_opener_begin(struct xpv_opener *op);

/**
 * xpv_opener_cancel() - the request came to nothing
 * @op: opener with xpv_opener_begin() behind it
 */
void xpv_opener_cancel(struct xpv_opener *op);

/**
 * xpv_opener_submit() - have a request served
 * @op: opener with xpv_opener_begin() behind it
 * @msg: whole, with room for any answer; given away
 */
void xpv_opener_submit(struct xpv_opener *op, struct xpv_message *msg);

/**
 * xpv_opener_fetch() - take the next message
 * @op: opener whose last one was read to its end; @out is filled
 *
 * Return: 0; -EAGAIN there is none; -ENODEV.
 */
int xpv_opener_fetch(struct xpv_opener *op);

/**
 * xpv_message_create() - room for a message
 * @len: of its payload
 * @gfp: how to allocate
 */
struct xpv_message *xpv_message_create(u32 len, gfp_t gfp);

#endif /* XENPV_OPENER_H */
