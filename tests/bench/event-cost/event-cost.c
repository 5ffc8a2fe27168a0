// SPDX-License-Identifier: GPL-2.0
/*
 * What an event costs, for `make bench-platform`: from just before the hypercall that
 * sends it to the handler, and to the next instruction of the sender.
 *
 * The guest's own domain is on both ends of a channel: its receiving end is made by the
 * driver under test, xen-platform-pci (XENPV) or the kernel's own. The other one is
 * bound here, and sends, by an inline hypercall in either case. The sender runs on the CPU
 * that the event is for, so Xen injects it when the hypercall ends, and nobody waits
 * for another processor. The first events count for nothing: they warm up, and tell which
 * CPU that is.
 *
 * usage: insmod; lines "event-cost WHAT MEDIAN LEAST MOST" in nanoseconds are in the log.
 */
#include <linux/cpu.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/sort.h>
#include <linux/workqueue.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#ifdef XENPV
#include <xenpv/evtchn.h>
#else
#include <xen/events.h>
#endif

#define EVENTS	1000

static u64 handled_at;
static unsigned int handled_on;
static evtchn_port_t sender;
static u64 to_handler[EVENTS], to_sender[EVENTS];

static long event_channel_op(unsigned long op, void *arg)
{
	long result = __HYPERVISOR_event_channel_op;
	unsigned long p = (unsigned long)arg;

	if (boot_cpu_data.x86_vendor == X86_VENDOR_AMD)
		asm volatile("vmmcall" : "+a"(result), "+D"(op), "+S"(p) :: "memory");
	else
		asm volatile("vmcall" : "+a"(result), "+D"(op), "+S"(p) :: "memory");
	return result;
}

static void handle(void)
{
	handled_on = smp_processor_id();
	WRITE_ONCE(handled_at, rdtsc_ordered());
}

/* ---- the receiving end --------------------------------------------------------- */

#ifdef XENPV
static struct xpv_evtchn channel;

static bool event(void *unused)
{
	handle();
	return true;
}

static int receiver_open(evtchn_port_t *port)
{
	int err = xpv_evtchn_open(&channel, DOMID_SELF, event, NULL, "event-cost");

	*port = channel.port;
	return err;
}

static void receiver_close(void)
{
	xpv_evtchn_close(&channel);
}
#else
static int irq;

static irqreturn_t event(int unused, void *data)
{
	handle();
	return IRQ_HANDLED;
}

static int receiver_open(evtchn_port_t *port)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF, .remote_dom = DOMID_SELF,
	};
	int err = event_channel_op(EVTCHNOP_alloc_unbound, &alloc);

	if (err)
		return err;
	irq = bind_evtchn_to_irqhandler(alloc.port, event, 0, "event-cost", &irq);
	*port = alloc.port;
	return min(irq, 0);
}

/* Closes the port, too. */
static void receiver_close(void)
{
	unbind_from_irqhandler(irq, &irq);
}
#endif

/* ---- the sending end ------------------------------------------------------------ */

static int sender_open(evtchn_port_t receiver)
{
	struct evtchn_bind_interdomain bind = {
		.remote_dom = DOMID_SELF, .remote_port = receiver,
	};
	int err = event_channel_op(EVTCHNOP_bind_interdomain, &bind);

	sender = bind.local_port;
	return err;
}

static void sender_close(void)
{
	struct evtchn_close close = { .port = sender };

	event_channel_op(EVTCHNOP_close, &close);
}

/* False if it does not come within a second. */
static bool send(u64 *handler, u64 *back)
{
	struct evtchn_send send = { .port = sender };
	u64 before;

	WRITE_ONCE(handled_at, 0);
	before = rdtsc_ordered();
	event_channel_op(EVTCHNOP_send, &send);
	*back = rdtsc_ordered() - before;
	while (!READ_ONCE(handled_at)) {
		if (rdtsc() - before > tsc_khz * 1000ULL)
			return false;
		cpu_relax();
	}
	*handler = handled_at - before;
	return true;
}

static long measure(void *unused)
{
	unsigned int i;

	for (i = 0; i < EVENTS; i++)
		if (!send(&to_handler[i], &to_sender[i]))
			return -ETIMEDOUT;
	return 0;
}

/* ---- what comes of it ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 nanoseconds(u64 ticks)
{
	return div_u64(ticks * 1000000, tsc_khz);
}

static void say(const char *what, u64 *ticks)
{
	sort(ticks, EVENTS, sizeof(*ticks), compare, NULL);
	pr_info("event-cost %s %llu %llu %llu\n", what, nanoseconds(ticks[EVENTS / 2]),
		nanoseconds(ticks[0]), nanoseconds(ticks[EVENTS - 1]));
}

static int __init cost_init(void)
{
	evtchn_port_t port;
	int err = receiver_open(&port);

	if (err)
		return err;
	err = sender_open(port);
	if (err)
		goto out;
	err = measure(NULL);
	if (!err)
		err = work_on_cpu(handled_on, measure, NULL);
	if (!err) {
		say("event-to-handler", to_handler);
		say("event-to-sender", to_sender);
	}
	sender_close();
out:
	receiver_close();
	return err ?: -EAGAIN;
}

module_init(cost_init);

MODULE_DESCRIPTION("What an event costs");
MODULE_LICENSE("GPL");
