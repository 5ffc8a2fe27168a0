// SPDX-License-Identifier: GPL-2.0
/*
 * How Xen tells the guest that events are pending.
 *
 * Vectors: every vCPU has an interrupt vector of its own that Xen raises there.
 * A module cannot fill in the IDT, but it can ask the x86 vector domain for an
 * interrupt pinned to each CPU, and give Xen the vector that came out. A CPU
 * hotplug state does that on every CPU, now and when one comes online.
 *
 * INTx: the platform device's interrupt pin. Xen raises it for vCPU 0 alone, as
 * a level, and drops it when vCPU 0 goes back to the guest with nothing pending.
 * So it is pinned to that CPU, and every port is bound to vCPU 0. Used where
 * vectors are refused: a Xen before 4.6, a kernel without a local APIC, by
 * parameter.
 *
 * Either way delivery is proven at start with a port of our own.
 *
 * Life: start picks one way, resume takes it again in another domain; stop turns
 * the callback off before it frees the interrupts. A vector cannot be taken back
 * from Xen, so ports must be closed by then, and after vectors were used INTx stays
 * silent for this boot: a later start with INTx points vCPU 0's vector at the INTx
 * interrupt's own.
 * Locks: none; hotplug callbacks are serialised by the core, `active` is read
 * under evtchn.c's bind_lock and cleared before ports leave a CPU.
 * Trust: Xen only.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/pci.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include <xen/interface/xen.h>
#include <xen/interface/hvm/params.h>
#include <xenpv/evtchn.h>
#include <xenpv/fault.h>
#include <xenpv/hypercall.h>

#include "internal.h"

/**
 * struct upcall - delivery on one CPU
 * @vcpu: Xen's number of it
 * @irq: Linux interrupt with the vector; 0 when there is none
 * @vector: what Xen was told
 * @active: ports may be bound here
 */
struct upcall {
	int vcpu;
	unsigned int irq;
	unsigned int vector;
	bool active;
};

static DEFINE_PER_CPU(struct upcall, upcalls);
static enum { OFF, VECTORS, INTX } mode;
static unsigned int boot_cpu;
static struct pci_dev *platform;
static u64 callback;		/* what the callback parameter was set to */

unsigned int xpv_upcall_boot_cpu(void)
{
	return boot_cpu;
}

bool xpv_upcall_on_cpu(unsigned int cpu)
{
	if (mode == INTX)
		return cpu == boot_cpu;
	return READ_ONCE(per_cpu(upcalls, cpu).active);
}

/**
 * xpv_upcall_vcpu() - which vCPU info belongs to a CPU
 * @cpu: Linux's number
 *
 * Return: Xen's number, or -ENODEV where Xen raises no events.
 */
int xpv_upcall_vcpu(unsigned int cpu)
{
	if (mode == INTX)
		return cpu == boot_cpu ? 0 : -ENODEV;
	return per_cpu(upcalls, cpu).irq ? per_cpu(upcalls, cpu).vcpu : -ENODEV;
}

/* ---- the callback parameter ----------------------------------------------- */

/* INTx as Xen wants it named: our interrupt pin on our PCI slot. */
static u64 intx_callback(void)
{
	u8 pin = 1;

	pci_read_config_byte(platform, PCI_INTERRUPT_PIN, &pin);
	return ((u64)HVM_PARAM_CALLBACK_TYPE_PCI_INTX << 56) |
	       ((u64)pci_domain_nr(platform->bus) << 32) |
	       (platform->bus->number << 16) | (platform->devfn << 8) |
	       ((pin - 1) & 3);
}

/*
 * Tell Xen where to raise INTx. It matters with vectors too: the toolstack takes
 * a guest with this parameter for one that answers control/shutdown. Writing it
 * raises one upcall on every vCPU, so the interrupts must be there.
 */
static int callback_on(void)
{
	int err;

	callback = intx_callback();
	err = xpv_hv_set_param(HVM_PARAM_CALLBACK_IRQ, callback);
	if (!err)
		xpv_evtchn_reset();
	return err;
}

static void callback_off(void)
{
	xpv_hv_set_param(HVM_PARAM_CALLBACK_IRQ, 0);
}

/* ---- proof ---------------------------------------------------------------- */

struct proof {
	struct xpv_evtchn ec;
	struct completion arrived;
	unsigned int on_cpu;
};

static bool proof_handler(void *data)
{
	struct proof *proof = data;

	proof->on_cpu = raw_smp_processor_id();
	complete(&proof->arrived);
	return true;
}

/* Send ourselves one event on @cpu: does it arrive, and there? */
static int prove(unsigned int cpu)
{
	struct proof *proof = kzalloc(sizeof(*proof), GFP_KERNEL);
	int err;

	if (!proof)
		return -ENOMEM;
	init_completion(&proof->arrived);
	err = xpv_evtchn_open_self(&proof->ec, cpu, proof_handler, proof);
	if (!err) {
		xpv_evtchn_notify(&proof->ec);
		if (!wait_for_completion_timeout(&proof->arrived, HZ))
			err = -ETIMEDOUT;
		xpv_evtchn_close(&proof->ec);
	}
	/* INTx may come elsewhere once, until it has moved; threads anywhere. */
	if (!err && mode == VECTORS && proof->on_cpu != cpu &&
	    !IS_ENABLED(CONFIG_PREEMPT_RT))
		err = -EXDEV;
	kfree(proof);
	return err;
}

/* ---- vectors -------------------------------------------------------------- */

#ifdef CONFIG_X86_LOCAL_APIC
static struct fwnode_handle *fwnode;
static struct irq_domain *domain;
static int hotplug_state;

static irqreturn_t vector_handler(int irq, void *data)
{
	xpv_evtchn_upcall(smp_processor_id());
	/* Xen raises one more when a vector is set: nothing pending is normal. */
	return IRQ_HANDLED;
}

/* Tell Xen the vector that the x86 vector domain has given this CPU. */
static int announce_vector(struct upcall *up, struct irq_data *d)
{
	struct irq_cfg *cfg = irqd_cfg(d);
	int err;

	if (!cfg || !cfg->vector)
		return -ENODEV;
	if (cfg->vector == up->vector)
		return 0;
	err = xpv_hv_set_upcall_vector(up->vcpu, cfg->vector);
	if (!err)
		up->vector = cfg->vector;
	return err;
}

/* An upcall interrupt stays on its CPU; its vector there may change. */
static int upcall_set_affinity(struct irq_data *d, const struct cpumask *mask,
			       bool force)
{
	unsigned int cpu = irqd_to_hwirq(d);
	struct upcall *up = per_cpu_ptr(&upcalls, cpu);
	int ret;

	if (!cpumask_test_cpu(cpu, mask))
		return -EINVAL;
	ret = irq_chip_set_affinity_parent(d, cpumask_of(cpu), force);
	if (ret >= 0 && up->vector)
		announce_vector(up, d);
	return ret;
}

static void upcall_nop(struct irq_data *d)
{
}

static struct irq_chip upcall_chip = {
	.name			= "xen-upcall",
	.irq_ack		= irq_chip_ack_parent,
	.irq_mask		= upcall_nop,
	.irq_unmask		= upcall_nop,
	.irq_set_affinity	= upcall_set_affinity,
	.irq_retrigger		= irq_chip_retrigger_hierarchy,
	.flags			= IRQCHIP_SKIP_SET_WAKE,
};

static int domain_translate(struct irq_domain *d, struct irq_fwspec *fwspec,
			    unsigned long *hwirq, unsigned int *type)
{
	*hwirq = fwspec->param[0];
	*type = IRQ_TYPE_EDGE_RISING;
	return 0;
}

static int domain_alloc(struct irq_domain *d, unsigned int virq,
			unsigned int nr_irqs, void *arg)
{
	struct irq_fwspec *fwspec = arg;
	struct irq_alloc_info info = {};
	int err = irq_domain_alloc_irqs_parent(d, virq, nr_irqs, &info);

	if (err)
		return err;
	irq_domain_set_info(d, virq, fwspec->param[0], &upcall_chip, NULL,
			    handle_edge_irq, NULL, "edge");
	irq_set_status_flags(virq, IRQ_NO_BALANCING);
	return 0;
}

static const struct irq_domain_ops domain_ops = {
	.translate	= domain_translate,
	.alloc		= domain_alloc,
	.free		= irq_domain_free_irqs_common,
};

static unsigned int map_irq(unsigned int cpu)
{
	struct irq_fwspec fwspec = {
		.fwnode = fwnode, .param_count = 1, .param = { cpu },
	};

	return irq_create_fwspec_mapping(&fwspec);
}

/* On the CPU itself: take a vector and give it to Xen. */
static int start_on_this_cpu(struct upcall *up, unsigned int cpu)
{
	int vcpu = xpv_hv_vcpu_id();
	unsigned int irq;
	int err;

	if (vcpu < 0)
		return vcpu;
	/* Shared info has no place for more; such a CPU gets no events. */
	if (vcpu >= ARRAY_SIZE(xpv_frames.shared_info->vcpu_info))
		return -ERANGE;
	irq = map_irq(cpu);
	if (!irq)
		return -ENODEV;
	/* Before the request, or the vector is taken on some other CPU. */
	irq_set_affinity_hint(irq, cpumask_of(cpu));
	up->vcpu = vcpu;
	up->vector = 0;
	up->irq = irq;
	err = request_irq(irq, vector_handler, IRQF_NOBALANCING | IRQF_NO_THREAD,
			  "xen-upcall", up);
	if (err)
		goto err_hint;
	err = announce_vector(up, irq_get_irq_data(irq));
	if (err)
		goto err_free_irq;
	WRITE_ONCE(up->active, true);
	return 0;

err_free_irq:
	irq_set_affinity_hint(irq, NULL);
	free_irq(irq, up);
err_hint:
	irq_set_affinity_hint(irq, NULL);
	irq_dispose_mapping(irq);
	up->irq = 0;
	return err;
}

/* Never fails the hotplug: a CPU without upcalls is a CPU without ports. */
static int cpu_comes_online(unsigned int cpu)
{
	struct upcall *up = per_cpu_ptr(&upcalls, cpu);
	bool counts = xpv_fault_enter(XPV_FAULT_FIND);
	int err = start_on_this_cpu(up, cpu);

	xpv_fault_leave(XPV_FAULT_FIND, counts);
	if (err)
		pr_debug("no upcall vector on CPU %u: %d\n", cpu, err);
	return 0;
}

static int cpu_goes_offline(unsigned int cpu)
{
	struct upcall *up = per_cpu_ptr(&upcalls, cpu);
	unsigned long flags;

	if (!up->irq)
		return 0;
	WRITE_ONCE(up->active, false);
	xpv_evtchn_leave_cpu(cpu);
	/* What was raised here before its port left. */
	local_irq_save(flags);
	xpv_evtchn_upcall(cpu);
	local_irq_restore(flags);
	irq_set_affinity_hint(up->irq, NULL);
	free_irq(up->irq, up);
	irq_dispose_mapping(up->irq);
	up->irq = 0;
	up->vector = 0;
	return 0;
}

static void vectors_stop(void)
{
	if (hotplug_state > 0)
		cpuhp_remove_state(hotplug_state);
	hotplug_state = 0;
	if (domain)
		irq_domain_remove(domain);
	domain = NULL;
	if (fwnode)
		irq_domain_free_fwnode(fwnode);
	fwnode = NULL;
}

static int prove_vectors(void)
{
	unsigned int cpu;
	int err = 0;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		int ret = xpv_upcall_on_cpu(cpu) ? prove(cpu) : -ENODEV;

		if (cpu == boot_cpu)
			err = ret;
		if (ret && ret != -ENODEV) {
			WRITE_ONCE(per_cpu(upcalls, cpu).active, false);
			pr_warn("events do not arrive on CPU %u (%d): it gets none\n",
				cpu, ret);
		}
	}
	cpus_read_unlock();
	return err;
}

static int vectors_start(void)
{
	int err = -ENOMEM;

	if (!x86_vector_domain)
		return -ENODEV;
	mode = VECTORS;
	fwnode = irq_domain_alloc_named_fwnode("xen-upcall");
	if (!fwnode)
		goto err_stop;
	domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, fwnode,
					     &domain_ops, NULL);
	if (!domain)
		goto err_stop;
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "xenpv/upcall:online",
				cpu_comes_online, cpu_goes_offline);
	if (err < 0)
		goto err_stop;
	hotplug_state = err;
	err = callback_on();
	if (err)
		goto err_stop;
	err = prove_vectors();
	if (!err)
		return 0;
	callback_off();
err_stop:
	vectors_stop();
	mode = OFF;
	return err;
}

/*
 * Xen prefers a vector that an earlier load has set, and it cannot be cleared:
 * make it the vector of the INTx interrupt.
 */
static int aim_vector_at_intx(void)
{
	struct irq_cfg *cfg = irqd_cfg(irq_get_irq_data(platform->irq));

	if (!cfg || !cfg->vector)
		return -ENODEV;
	return xpv_hv_set_upcall_vector(0, cfg->vector);
}
#else
static int vectors_start(void)
{
	return -ENODEV;
}

static void vectors_stop(void)
{
}

static int aim_vector_at_intx(void)
{
	return -ENODEV;
}
#endif /* CONFIG_X86_LOCAL_APIC */

/* ---- INTx ----------------------------------------------------------------- */

static irqreturn_t intx_handler(int irq, void *data)
{
	unsigned long flags;
	bool ours;

	/* A thread on a real-time kernel: ports are handled with interrupts off. */
	local_irq_save(flags);
	ours = xpv_evtchn_upcall(boot_cpu);
	local_irq_restore(flags);
	return IRQ_RETVAL(ours);
}

static void intx_stop(void)
{
	irq_set_affinity_hint(platform->irq, NULL);
	free_irq(platform->irq, platform);
}

static int intx_start(void)
{
	int err;

	if (!platform->irq) {
		dev_err(&platform->dev, "has no interrupt\n");
		return -ENODEV;
	}
	mode = INTX;
	irq_set_affinity_hint(platform->irq, cpumask_of(boot_cpu));
	err = request_irq(platform->irq, intx_handler,
			  IRQF_SHARED | IRQF_NOBALANCING, "xen-platform-pci",
			  platform);
	if (err) {
		dev_err(&platform->dev, "cannot use interrupt %u: %d\n",
			platform->irq, err);
		irq_set_affinity_hint(platform->irq, NULL);
		mode = OFF;
		return err;
	}
	err = callback_on();
	if (!err)
		err = prove(boot_cpu);
	if (err == -ETIMEDOUT && !aim_vector_at_intx())
		err = prove(boot_cpu);
	if (err) {
		dev_err(&platform->dev, "no event arrives by interrupt %u: %d\n",
			platform->irq, err);
		callback_off();
		intx_stop();
		mode = OFF;
	}
	return err;
}

/* ---- start and stop ------------------------------------------------------- */

int xpv_upcall_start(struct pci_dev *pdev, enum xpv_upcall_choice choice)
{
	int err;

	platform = pdev;
	boot_cpu = cpumask_first(cpu_online_mask);
	if (choice == XPV_UPCALL_INTX)
		return intx_start();
	err = vectors_start();
	if (err && choice == XPV_UPCALL_VECTORS)
		dev_err(&pdev->dev,
			"upcall vectors cannot be used here (%d): try events=auto\n",
			err);
	else if (err)
		err = intx_start();
	return err;
}

static void upcall_settle(void *unused)
{
}

void xpv_upcall_stop(void)
{
	if (mode == OFF)
		return;
	callback_off();
	/* That raised a last upcall on every CPU: let them come in. */
	on_each_cpu(upcall_settle, NULL, 1);
	if (mode == VECTORS)
		vectors_stop();
	else
		intx_stop();
	mode = OFF;
}

/**
 * xpv_upcall_cpu_of() - which CPU is this vCPU?
 * @vcpu: Xen's number
 *
 * Return: Linux's number of an online CPU; of the boot CPU if there is none.
 */
unsigned int xpv_upcall_cpu_of(int vcpu)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (xpv_upcall_vcpu(cpu) == vcpu)
			return cpu;
	return boot_cpu;
}

/**
 * xpv_upcall_resume() - tell Xen all again: the guest runs in another domain
 *
 * Interrupts are off on every CPU, and shared info is mapped.
 *
 * Return: 0, or the first error: some CPU, or all, get no events.
 */
int xpv_upcall_resume(void)
{
	unsigned int cpu;
	int err, ret;

	ret = xpv_insist(xpv_hv_set_param(HVM_PARAM_CALLBACK_IRQ, callback));
	xpv_evtchn_resume();
	for_each_online_cpu(cpu) {
		struct upcall *up = per_cpu_ptr(&upcalls, cpu);

		if (mode != VECTORS || !up->irq)
			continue;
		err = xpv_insist(xpv_hv_set_upcall_vector(up->vcpu,
							  up->vector));
		ret = ret ?: err;
	}
	return ret;
}

/**
 * xpv_upcall_describe() - how events arrive, for the line at load
 * @buf: filled
 * @size: of @buf
 */
void xpv_upcall_describe(char *buf, size_t size)
{
	unsigned int cpu, n = 0;

	for_each_online_cpu(cpu)
		n += xpv_upcall_on_cpu(cpu);
	if (mode == VECTORS)
		snprintf(buf, size, "upcall vectors on %u of %u CPUs", n,
			 num_online_cpus());
	else
		snprintf(buf, size, "INTx %u on CPU %u", platform->irq,
			 boot_cpu);
}
