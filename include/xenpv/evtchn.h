/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event channels: ports of this guest, each one Linux interrupt.
 *
 * Invariants
 *   - A port's handler runs only while the port is open; after
 *     xpv_evtchn_close() has returned it runs nowhere.
 *   - A handler runs on the CPU the port is bound to, in interrupt context (a
 *     thread of its own on a kernel with forced threading), never twice at once.
 *   - A port that brings nothing but empty events is masked for a while; other
 *     ports do not notice. An event that comes in the meantime is not lost.
 *
 * Locks: bind_lock (evtchn.c) orders opening, closing and moving of ports. It is
 * a raw spinlock; no caller's lock is taken under it.
 */
#ifndef XENPV_EVTCHN_H
#define XENPV_EVTCHN_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>

/**
 * typedef xpv_evtchn_fn - handler of one port
 * @data: what xpv_evtchn_open() was given
 *
 * Return: true if there was something to do. Many events in a row without work
 * throttle the port, so the handler looks before it answers (for a ring:
 * xpv_ring_unconsumed()).
 */
typedef bool (*xpv_evtchn_fn)(void *data);

/**
 * struct xpv_evtchn - one open port; embed it, zeroed, in what it belongs to
 * @port: Xen's number, to publish to the backend; 0 while closed
 * @irq: Linux's interrupt number; 0 while closed
 * @cpu: Linux CPU whose vCPU gets the events
 * @events: events handled since open
 * @spurious: those of them that brought no work
 * @throttled: times the port was masked because of a storm
 */
struct xpv_evtchn {
	evtchn_port_t port;
	unsigned int irq;
	unsigned int cpu;
	unsigned long events;
	unsigned long spurious;
	unsigned long throttled;
	/* private to evtchn.c */
	xpv_evtchn_fn fn;
	void *data;
	bool owned;
	unsigned int streak;
	struct delayed_work unthrottle;
	char name[32];
};

/**
 * xpv_evtchn_open() - allocate a port for a backend and listen on it
 * @ec: zeroed or closed event channel
 * @remote: domain that may bind to the other end
 * @fn: handler
 * @data: its argument
 * @name: shown in /proc/interrupts
 *
 * Process context, may sleep. The handler may run before this returns.
 *
 * Return: 0, -ENOSPC when Xen has no port left, or -errno.
 */
int xpv_evtchn_open(struct xpv_evtchn *ec, domid_t remote, xpv_evtchn_fn fn,
		    void *data, const char *name);

/**
 * xpv_evtchn_listen() - listen on a port that the toolstack made (xenstore's)
 * @ec: zeroed or closed event channel
 * @port: the port
 * @fn: handler
 * @data: its argument
 * @name: shown in /proc/interrupts
 *
 * As xpv_evtchn_open(), but closing leaves the port bound in Xen: nobody could
 * make it again.
 */
int xpv_evtchn_listen(struct xpv_evtchn *ec, evtchn_port_t port,
		      xpv_evtchn_fn fn, void *data, const char *name);

/**
 * xpv_evtchn_close() - stop listening and give the port back
 * @ec: open, closed or zeroed event channel
 *
 * Process context, may sleep. After it returns the handler runs nowhere.
 */
void xpv_evtchn_close(struct xpv_evtchn *ec);

/**
 * xpv_evtchn_notify() - tell the other end to look
 * @ec: open event channel
 *
 * One hypercall; any context. A port that the other end has not bound, or has
 * left, swallows the event.
 */
void xpv_evtchn_notify(const struct xpv_evtchn *ec);

/**
 * xpv_evtchn_set_cpu() - choose the CPU that handles a port's events
 * @ec: open event channel
 * @cpu: an online CPU; a hint that the administrator can override through
 *	/proc/irq/N/smp_affinity
 *
 * Process context. Without per-vCPU upcalls every event goes to the first CPU
 * and this does nothing.
 */
void xpv_evtchn_set_cpu(struct xpv_evtchn *ec, unsigned int cpu);

/**
 * xpv_evtchn_mask() - hold back a port's events until xpv_evtchn_unmask()
 * @ec: open event channel
 *
 * Waits for a running handler: process context.
 */
void xpv_evtchn_mask(struct xpv_evtchn *ec);

/**
 * xpv_evtchn_unmask() - let events through again; one that came is delivered
 * @ec: event channel masked by xpv_evtchn_mask()
 */
void xpv_evtchn_unmask(struct xpv_evtchn *ec);

#endif /* XENPV_EVTCHN_H */
