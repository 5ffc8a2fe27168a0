// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels, two-level ABI: ports as Linux interrupts.
 *
 * Shared info has a pending and a mask bit for every port, and for every vCPU a
 * selector that says in which words something is pending. upcall.c calls
 * xpv_evtchn_upcall() when Xen raised a vCPU's vector (or INTx); that walks the
 * selector and hands every pending port of this CPU to its interrupt. Each port
 * is an interrupt of its own with a chip that masks, acknowledges and moves it,
 * so /proc/interrupts, smp_affinity and irqbalance work as for any device.
 *
 * Life of a port: allocate in Xen, make the interrupt, bind to a vCPU, request,
 * unmask; backwards when closed. A port is masked in shared info whenever it has
 * no open struct xpv_evtchn. start closes what an earlier kernel left behind. Where
 * the guest was moved, ports are lost, and only their interrupts are left to close.
 * Locks: bind_lock (raw, any context) guards port_of[], the bound[] bitmaps and
 * ec->cpu. The upcall reads port_of[] with interrupts off; closing waits for a
 * grace period before a port's interrupt is freed.
 * Trust: a backend can raise its port as often as it likes. A handler that finds
 * no work many times in a row has its port masked for a while, longer each time.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <asm/sync_bitops.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/hvm/params.h>
#include <xenpv/evtchn.h>
#include <xenpv/hypercall.h>

#include "internal.h"
#include "trace.h"

#define NR_PORTS	EVTCHN_2L_NR_CHANNELS
#define NR_WORDS	(NR_PORTS / BITS_PER_LONG)

/* So many events without work in a row, and the port has to wait. */
#define STORM_STREAK	64
#define STORM_DELAY_MAX	HZ

struct cpu_ports {
	unsigned long bound[NR_WORDS];
};

static struct cpu_ports __percpu *cpu_ports;
static struct xpv_evtchn **port_of;
static DEFINE_RAW_SPINLOCK(bind_lock);

/* The shared bitmaps are written by Xen at any time: locked bit operations. */
static unsigned long *pending_word(unsigned int word)
{
	return (unsigned long *)&xpv_frames.shared_info->evtchn_pending[word];
}

static unsigned long *mask_word(unsigned int word)
{
	return (unsigned long *)&xpv_frames.shared_info->evtchn_mask[word];
}

static void set_bit_of(unsigned long *bitmap, evtchn_port_t port)
{
	sync_set_bit(port, bitmap);
}

static void port_mask(evtchn_port_t port)
{
	set_bit_of(mask_word(0), port);
}

/*
 * Clear the mask bit, and have Xen raise the event again if one came meanwhile:
 * only Xen can set the selector of another vCPU.
 */
static void port_unmask(evtchn_port_t port)
{
	sync_clear_bit(port, mask_word(0));
	/* Mask before the look at pending; pairs with Xen's order, which is reverse. */
	smp_mb__after_atomic();
	if (sync_test_bit(port, pending_word(0))) {
		port_mask(port);
		xpv_hv_evtchn_unmask(port);
	}
}

/* Tie a port to a CPU: in Xen, and in the map the upcall goes by. */
static int bind_to_cpu(struct xpv_evtchn *ec, unsigned int cpu)
{
	int vcpu = xpv_upcall_vcpu(cpu);
	int err;

	lockdep_assert_held(&bind_lock);
	err = vcpu < 0 ? vcpu : xpv_hv_evtchn_bind_vcpu(ec->port, vcpu);
	if (err)
		return err;
	__clear_bit(ec->port, per_cpu_ptr(cpu_ports, ec->cpu)->bound);
	set_bit(ec->port, per_cpu_ptr(cpu_ports, cpu)->bound);
	ec->cpu = cpu;
	return 0;
}

/* ---- the chip: what genirq asks of a port -------------------------------- */

static evtchn_port_t port_of_irq(struct irq_data *d)
{
	struct xpv_evtchn *ec = irq_data_get_irq_chip_data(d);

	return ec->port;
}

static void chip_mask(struct irq_data *d)
{
	port_mask(port_of_irq(d));
}

static void chip_unmask(struct irq_data *d)
{
	port_unmask(port_of_irq(d));
}

static void chip_ack(struct irq_data *d)
{
	sync_clear_bit(port_of_irq(d), pending_word(0));
}

static int chip_retrigger(struct irq_data *d)
{
	evtchn_port_t port = port_of_irq(d);
	bool masked = sync_test_and_set_bit(port, mask_word(0));

	set_bit_of(pending_word(0), port);
	if (!masked)
		port_unmask(port);
	return 1;
}

static int chip_set_affinity(struct irq_data *d, const struct cpumask *mask,
			     bool force)
{
	struct xpv_evtchn *ec = irq_data_get_irq_chip_data(d);
	unsigned long flags;
	unsigned int cpu;
	int err = -EINVAL;
	bool masked;

	raw_spin_lock_irqsave(&bind_lock, flags);
	/* Stay if that will do: each move costs two hypercalls. */
	if (cpumask_test_cpu(ec->cpu, mask) && xpv_upcall_on_cpu(ec->cpu)) {
		cpu = ec->cpu;
		err = 0;
		goto out;
	}
	for_each_cpu_and(cpu, mask, cpu_online_mask)
		if (xpv_upcall_on_cpu(cpu))
			break;
	if (cpu < nr_cpu_ids) {
		masked = sync_test_and_set_bit(ec->port, mask_word(0));
		err = bind_to_cpu(ec, cpu);
		if (!masked)
			port_unmask(ec->port);
	}
out:
	raw_spin_unlock_irqrestore(&bind_lock, flags);
	if (err)
		return err;
	irq_data_update_effective_affinity(d, cpumask_of(cpu));
	return IRQ_SET_MASK_OK;
}

static struct irq_chip port_chip = {
	.name			= "xen-evtchn",
	.irq_mask		= chip_mask,
	.irq_unmask		= chip_unmask,
	.irq_ack		= chip_ack,
	.irq_retrigger		= chip_retrigger,
	.irq_set_affinity	= chip_set_affinity,
	.flags			= IRQCHIP_SKIP_SET_WAKE,
};

/* ---- events --------------------------------------------------------------- */

static void unthrottle(struct work_struct *work)
{
	struct xpv_evtchn *ec = container_of(to_delayed_work(work),
					     struct xpv_evtchn, unthrottle);

	enable_irq(ec->irq);
}

/* Each throttling in a row doubles the wait, up to a second. */
static void throttle(struct xpv_evtchn *ec)
{
	unsigned int round = ec->streak / STORM_STREAK - 1;
	unsigned long delay = round < 10 ? max(HZ / 1000, 1) << round :
					   STORM_DELAY_MAX;

	ec->throttled++;
	disable_irq_nosync(ec->irq);
	schedule_delayed_work(&ec->unthrottle,
			      min_t(unsigned long, delay, STORM_DELAY_MAX));
}

static irqreturn_t port_handler(int irq, void *data)
{
	struct xpv_evtchn *ec = data;
	bool work = ec->fn(ec->data);

	ec->events++;
	trace_xpv_event(ec, work);
	if (work) {
		ec->streak = 0;
		return IRQ_HANDLED;
	}
	ec->spurious++;
	if (++ec->streak % STORM_STREAK == 0)
		throttle(ec);
	/* Not IRQ_NONE: a backend must not get the interrupt shut off for good. */
	return IRQ_HANDLED;
}

static void handle_word(const struct cpu_ports *mine, unsigned int word)
{
	unsigned long bits = READ_ONCE(*pending_word(word)) &
			     ~READ_ONCE(*mask_word(word)) &
			     READ_ONCE(mine->bound[word]);

	while (bits) {
		evtchn_port_t port = word * BITS_PER_LONG + __ffs(bits);
		struct xpv_evtchn *ec = READ_ONCE(port_of[port]);

		bits &= bits - 1;
		if (ec)
			generic_handle_irq(ec->irq);
	}
}

/**
 * xpv_evtchn_upcall() - Xen says that something is pending on this vCPU
 * @cpu: the CPU this runs on
 *
 * Interrupts off, on the CPU itself.
 *
 * Return: true if something was pending.
 */
bool xpv_evtchn_upcall(unsigned int cpu)
{
	struct shared_info *shared = READ_ONCE(xpv_frames.shared_info);
	struct cpu_ports *mine = per_cpu_ptr(cpu_ports, cpu);
	int vcpu = xpv_upcall_vcpu(cpu);
	struct vcpu_info *info;
	unsigned long words;

	if (!shared || vcpu < 0)
		return false;
	info = &shared->vcpu_info[vcpu];
	if (!READ_ONCE(info->evtchn_upcall_pending))
		return false;
	trace_xpv_upcall(cpu);
	do {
		WRITE_ONCE(info->evtchn_upcall_pending, 0);
		/* Flag before selector: xchg orders; pairs with Xen, in reverse. */
		words = xchg((unsigned long *)&info->evtchn_pending_sel, 0);
		while (words) {
			handle_word(mine, __ffs(words));
			words &= words - 1;
		}
	} while (READ_ONCE(info->evtchn_upcall_pending));
	return true;
}

/* ---- opening and closing -------------------------------------------------- */

static int make_irq(struct xpv_evtchn *ec)
{
	/*
	 * No owner: a requested interrupt holds its owner, and our own ports must
	 * not keep this module from being unloaded. Frontends hold it by symbols.
	 */
	int irq = __irq_alloc_descs(-1, 0, 1, NUMA_NO_NODE, NULL, NULL);

	if (irq < 0)
		return irq;
	irq_set_chip_and_handler_name(irq, &port_chip, handle_edge_irq, "edge");
	irq_set_chip_data(irq, ec);
	xpv_irq_allow_direct_move(irq);
	ec->irq = irq;
	return 0;
}

static void publish_port(struct xpv_evtchn *ec, unsigned int cpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&bind_lock, flags);
	ec->cpu = cpu;
	WRITE_ONCE(port_of[ec->port], ec);
	set_bit(ec->port, per_cpu_ptr(cpu_ports, cpu)->bound);
	raw_spin_unlock_irqrestore(&bind_lock, flags);
}

static void withdraw_port(struct xpv_evtchn *ec)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&bind_lock, flags);
	port_mask(ec->port);
	clear_bit(ec->port, per_cpu_ptr(cpu_ports, ec->cpu)->bound);
	WRITE_ONCE(port_of[ec->port], NULL);
	raw_spin_unlock_irqrestore(&bind_lock, flags);
	/* Upcalls that saw the port run with interrupts off: wait for them. */
	synchronize_rcu();
}

/*
 * Make a port of Xen's ours, with its events on @cpu, where a port that is @fixed
 * was bound and stays.
 */
static int attach(struct xpv_evtchn *ec, unsigned int cpu, xpv_evtchn_fn fn,
		  void *data, const char *name, bool fixed)
{
	int err;

	if (ec->port >= NR_PORTS)
		return -ENOSPC;
	port_mask(ec->port);
	err = fixed ? 0 : xpv_hv_evtchn_bind_vcpu(ec->port, xpv_upcall_vcpu(cpu));
	if (err)
		return err;
	ec->fn = fn;
	ec->data = data;
	ec->events = 0;
	ec->spurious = 0;
	ec->throttled = 0;
	ec->streak = 0;
	strscpy(ec->name, name, sizeof(ec->name));
	INIT_DELAYED_WORK(&ec->unthrottle, unthrottle);
	err = make_irq(ec);
	if (err)
		return err;
	publish_port(ec, cpu);
	err = request_irq(ec->irq, port_handler, fixed ? IRQF_NOBALANCING : 0,
			  ec->name, ec);
	if (err) {
		withdraw_port(ec);
		irq_free_desc(ec->irq);
		ec->irq = 0;
	}
	return err;
}

static void close_in_xen(struct xpv_evtchn *ec)
{
	if (ec->owned)
		xpv_hv_evtchn_close(ec->port);
	ec->port = 0;
}

int xpv_evtchn_open(struct xpv_evtchn *ec, domid_t remote, xpv_evtchn_fn fn,
		    void *data, const char *name)
{
	int err = xpv_hv_evtchn_alloc(remote, &ec->port);

	if (err)
		return err;
	ec->owned = true;
	err = attach(ec, xpv_upcall_boot_cpu(), fn, data, name, false);
	if (err)
		close_in_xen(ec);
	return err;
}
EXPORT_SYMBOL_GPL(xpv_evtchn_open);

int xpv_evtchn_listen(struct xpv_evtchn *ec, evtchn_port_t port,
		      xpv_evtchn_fn fn, void *data, const char *name)
{
	int err;

	ec->port = port;
	ec->owned = false;
	err = attach(ec, xpv_upcall_boot_cpu(), fn, data, name, false);
	if (err)
		close_in_xen(ec);
	return err;
}

/**
 * xpv_evtchn_open_self() - a port from this guest to one of its own CPUs
 * @ec: zeroed event channel
 * @cpu: the CPU that gets the event; the port cannot move
 * @fn: handler
 * @data: its argument
 *
 * For upcall.c's proof that events arrive. Process context.
 */
int xpv_evtchn_open_self(struct xpv_evtchn *ec, unsigned int cpu,
			 xpv_evtchn_fn fn, void *data)
{
	int vcpu = xpv_upcall_vcpu(cpu);
	int err = vcpu < 0 ? vcpu : xpv_hv_evtchn_bind_ipi(vcpu, &ec->port);

	if (err)
		return err;
	ec->owned = true;
	err = attach(ec, cpu, fn, data, "xen-self-test", true);
	if (err)
		close_in_xen(ec);
	return err;
}

void xpv_evtchn_close(struct xpv_evtchn *ec)
{
	/* Not the port: that is 0 as well when it was lost (xpv_evtchn_resume()). */
	if (!ec->irq)
		return;
	irq_set_affinity_hint(ec->irq, NULL);
	free_irq(ec->irq, ec);
	/* No handler runs any more, so nobody queues this again. */
	cancel_delayed_work_sync(&ec->unthrottle);
	withdraw_port(ec);
	irq_free_desc(ec->irq);
	ec->irq = 0;
	close_in_xen(ec);
}
EXPORT_SYMBOL_GPL(xpv_evtchn_close);

void xpv_evtchn_notify(const struct xpv_evtchn *ec)
{
	trace_xpv_notify(ec);
	xpv_hv_evtchn_send(ec->port);
}
EXPORT_SYMBOL_GPL(xpv_evtchn_notify);

void xpv_evtchn_set_cpu(struct xpv_evtchn *ec, unsigned int cpu)
{
	if (xpv_upcall_on_cpu(cpu))
		irq_set_affinity_hint(ec->irq, cpumask_of(cpu));
}
EXPORT_SYMBOL_GPL(xpv_evtchn_set_cpu);

void xpv_evtchn_mask(struct xpv_evtchn *ec)
{
	disable_irq(ec->irq);
}
EXPORT_SYMBOL_GPL(xpv_evtchn_mask);

void xpv_evtchn_unmask(struct xpv_evtchn *ec)
{
	enable_irq(ec->irq);
}
EXPORT_SYMBOL_GPL(xpv_evtchn_unmask);

/**
 * xpv_evtchn_leave_cpu() - move every port away from a CPU that goes offline
 * @cpu: the CPU; the first one takes its ports
 *
 * Process context, the CPU still runs. genirq moves them on as it likes.
 */
void xpv_evtchn_leave_cpu(unsigned int cpu)
{
	struct cpu_ports *ports = per_cpu_ptr(cpu_ports, cpu);
	unsigned int boot = xpv_upcall_boot_cpu();
	unsigned long flags;
	evtchn_port_t port;
	bool masked;

	if (cpu == boot)
		return;
	raw_spin_lock_irqsave(&bind_lock, flags);
	for_each_set_bit(port, ports->bound, NR_PORTS) {
		masked = sync_test_and_set_bit(port, mask_word(0));
		if (port_of[port])
			bind_to_cpu(port_of[port], boot);
		/* Not under the interrupt's lock: it may have been unmasked. */
		if (!masked || !sync_test_bit(port, mask_word(0)))
			port_unmask(port);
	}
	raw_spin_unlock_irqrestore(&bind_lock, flags);
}

/**
 * xpv_evtchn_next() - look at the next open port
 * @port: the last one that was looked at, 0 to begin; set to the next
 * @facts: filled
 *
 * Process context. Return: false when there is none.
 */
bool xpv_evtchn_next(evtchn_port_t *port, struct xpv_evtchn_facts *facts)
{
	const struct xpv_evtchn *ec = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&bind_lock, flags);
	while (!ec && ++*port < NR_PORTS)
		ec = port_of[*port];
	if (ec) {
		facts->irq = ec->irq;
		facts->cpu = ec->cpu;
		facts->events = READ_ONCE(ec->events);
		facts->spurious = READ_ONCE(ec->spurious);
		facts->throttled = READ_ONCE(ec->throttled);
		strscpy(facts->name, ec->name, sizeof(facts->name));
	}
	raw_spin_unlock_irqrestore(&bind_lock, flags);
	return ec;
}

/* ---- start and stop ------------------------------------------------------- */

/*
 * A kernel that ran before us may have crashed with ports open: close them, but
 * for the two that the toolstack made.
 */
static unsigned int close_stale_ports(void)
{
	u64 store = 0, console = 0;
	unsigned int closed = 0;
	evtchn_port_t port;
	u32 status;
	int err;

	if (xpv_hv_get_param(HVM_PARAM_STORE_EVTCHN, &store) ||
	    xpv_hv_get_param(HVM_PARAM_CONSOLE_EVTCHN, &console))
		return 0;
	for (port = 1; port < NR_PORTS; port++) {
		err = xpv_hv_evtchn_status(port, &status);
		/* There is no room in Xen for more of them. */
		if (err == -EINVAL)
			break;
		/* Any other error: Xen's own port, to the device model. */
		if (err || status == EVTCHNSTAT_closed || port == store ||
		    port == console)
			continue;
		if (!xpv_hv_evtchn_close(port))
			closed++;
	}
	return closed;
}

static void mask_everything(void)
{
	struct shared_info *shared = xpv_frames.shared_info;
	unsigned int i;

	/* At boot nothing is masked; then forget what came before us. */
	memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
	memset(shared->evtchn_pending, 0, sizeof(shared->evtchn_pending));
	for (i = 0; i < ARRAY_SIZE(shared->vcpu_info); i++) {
		WRITE_ONCE(shared->vcpu_info[i].evtchn_pending_sel, 0);
		WRITE_ONCE(shared->vcpu_info[i].evtchn_upcall_pending, 0);
	}
}

/**
 * xpv_evtchn_reset() - start from nothing: every port masked, stale ones closed
 *
 * Process context, before the first port is opened, and after the callback
 * parameter was written: that makes the layout of shared info ours, which a
 * restored domain has in 64 bits whatever we are.
 */
void xpv_evtchn_reset(void)
{
	unsigned int closed;

	mask_everything();
	closed = close_stale_ports();
	if (closed)
		pr_info("closed %u event channels of an earlier kernel\n", closed);
}

/* An open port that is none: to be closed, and meanwhile nothing to Xen. */
static void lose_port(evtchn_port_t port)
{
	struct xpv_evtchn *ec = port_of[port];

	if (!ec)
		return;
	port_of[port] = NULL;
	clear_bit(port, per_cpu_ptr(cpu_ports, ec->cpu)->bound);
	ec->port = 0;
	ec->owned = false;
}

/**
 * xpv_evtchn_resume() - the guest runs in another domain, where it has no ports
 *
 * Every open port is lost: no event comes, what is sent goes nowhere, and its owner
 * closes it as ever. The number 0 is no port of anybody's, so whatever is done to the
 * interrupt of one until then hits nobody. Interrupts are off on every CPU; the
 * callback parameter was written, as for xpv_evtchn_reset().
 */
void xpv_evtchn_resume(void)
{
	evtchn_port_t port;

	for (port = 1; port < NR_PORTS; port++)
		lose_port(port);
	mask_everything();
	/* It may be the same domain after all. */
	close_stale_ports();
}

int xpv_evtchn_start(void)
{
	port_of = kvcalloc(NR_PORTS, sizeof(*port_of), GFP_KERNEL);
	cpu_ports = alloc_percpu(struct cpu_ports);
	if (port_of && cpu_ports)
		return 0;
	xpv_evtchn_stop();
	return -ENOMEM;
}

/* Every port is closed by now; upcalls are off (upcall.c stops before us). */
void xpv_evtchn_stop(void)
{
	free_percpu(cpu_ports);
	cpu_ports = NULL;
	kvfree(port_of);
	port_of = NULL;
}
