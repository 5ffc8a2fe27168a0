// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of the Xen platform device, PCI 5853:0001.
 *
 * This file knows every layer below the frontends and starts them in order:
 *
 *	frames     shared info and grant table into frames of ours
 *	grant      references to give backends pages
 *	evtchn     ports
 *	upcall     how Xen raises them: a vector on every vCPU, or INTx
 *	store      the xenstore client
 *	unplug     take away emulated devices that have a PV twin
 *	bus        the devices that xenstore shows, for xen-vbd and xen-vnif
 *	dev        /dev/xen/xenbus and /proc/xen, for programs
 *	sysfs      /sys/hypervisor
 *	shutdown   control/shutdown
 *	panic      tells the host, if asked
 *
 * A request of a frontend goes: its ring (xenpv/ring.h), xpv_evtchn_notify(),
 * hypercall.c, Xen, the backend; the answer comes as an upcall (upcall.c), is
 * handed to the port's interrupt (evtchn.c), and the frontend reads its ring.
 *
 * Life: module init refuses where the module cannot serve; probe starts the
 * layers, remove and shutdown stop them in reverse. There is one platform device
 * in a guest, and the layers' state is global: a second one is refused.
 * Trust: Xen and the toolstack.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <xen/xen.h>
#include <xen/interface/xen.h>
#include <xen/interface/version.h>
#include <xenpv/fault.h>
#include <xenpv/hypercall.h>

#include "internal.h"
#include "../xenbus/xenbus.h"

#define VENDOR_XEN		0x5853
#define DEVICE_PLATFORM		0x0001
#define DEVICE_PLATFORM_CITRIX	0x0002

static struct xpv_hv_version xen;
static bool started;
/* Why the platform device could not be used; 0 while there was none. */
static int probe_error;

/* ---- parameters: a wrong word refuses the load ---------------------------- */

static const char * const events_words[] = { "auto", "vectors", "intx", NULL };
static const char * const frames_words[] = { "auto", "bar", NULL };

struct choice {
	const char * const *words;
	int value;
};

static struct choice events = { events_words, XPV_UPCALL_AUTO };
static struct choice frames = { frames_words, 0 };
static char unplug[16] = "auto";

static int choice_set(const char *val, const struct kernel_param *kp)
{
	struct choice *choice = kp->arg;
	int i;

	for (i = 0; choice->words[i]; i++)
		if (sysfs_streq(val, choice->words[i])) {
			choice->value = i;
			return 0;
		}
	pr_err("%s=%s is not known: see modinfo xen-platform-pci\n", kp->name,
	       val);
	return -EINVAL;
}

static int choice_get(char *buf, const struct kernel_param *kp)
{
	struct choice *choice = kp->arg;

	return sprintf(buf, "%s\n", choice->words[choice->value]);
}

static const struct kernel_param_ops choice_ops = {
	.set = choice_set,
	.get = choice_get,
};

static int unplug_set(const char *val, const struct kernel_param *kp)
{
	if (!xpv_unplug_valid(val)) {
		pr_err("unplug=%s is not known: see modinfo xen-platform-pci\n",
		       val);
		return -EINVAL;
	}
	strscpy(unplug, val, sizeof(unplug));
	return 0;
}

static int unplug_get(char *buf, const struct kernel_param *kp)
{
	return sprintf(buf, "%s\n", unplug);
}

static const struct kernel_param_ops unplug_ops = {
	.set = unplug_set,
	.get = unplug_get,
};

module_param_cb(events, &choice_ops, &events, 0444);
MODULE_PARM_DESC(events,
		 "how events arrive: auto (vectors where Xen takes them, else intx), vectors, intx");
module_param_cb(frames, &choice_ops, &frames, 0444);
MODULE_PARM_DESC(frames,
		 "where Xen's shared pages go: auto (guest RAM, else the BAR), bar");
module_param_cb(unplug, &unplug_ops, NULL, 0444);
MODULE_PARM_DESC(unplug,
		 "emulated devices to take away if safe: auto (all but the primary master disk), never, ide-disks, aux-ide-disks, nics, all");

/* ---- start and stop ------------------------------------------------------- */

static void say_what_was_found(struct pci_dev *pdev, const char *unplugged)
{
	char extra[XEN_EXTRAVERSION_LEN], events_text[48];

	xpv_hv_extra_version(extra);
	xpv_upcall_describe(events_text, sizeof(events_text));
	dev_info(&pdev->dev, "Xen %u.%u%s; events by %s; shared pages in %s; %s\n",
		 xen.major, xen.minor, extra, events_text,
		 xpv_frames.in_ram ? "RAM" : "the BAR", unplugged);
}

void xpv_platform_show(struct seq_file *m)
{
	char extra[XEN_EXTRAVERSION_LEN];

	xpv_hv_extra_version(extra);
	seq_printf(m, "xen %u.%u%s\n", xen.major, xen.minor, extra);
	seq_printf(m, "unplug %s\n", unplug);
}

static void platform_stop(void)
{
	xpv_debug_stop();
	xpv_panic_stop();
	xpv_shutdown_stop();
	xpv_sysfs_stop();
	xpv_dev_stop();
	xpv_bus_stop();
	xpv_xs_stop();
	xpv_upcall_stop();
	xpv_evtchn_stop();
	xpv_gnt_stop();
	xpv_frames_stop();
	started = false;
}

static int platform_start(struct pci_dev *pdev)
{
	char unplugged[80];
	int err;

	err = xpv_frames_start(pdev, frames.value);
	if (err)
		return err;
	err = xpv_gnt_start();
	if (err)
		goto err_frames;
	err = xpv_evtchn_start();
	if (err)
		goto err_gnt;
	err = xpv_upcall_start(pdev, events.value);
	if (err)
		goto err_evtchn;
	err = xpv_xs_start();
	if (err)
		goto err_upcall;
	xpv_unplug_run(pdev, unplug, unplugged, sizeof(unplugged));
	say_what_was_found(pdev, unplugged);
	err = xpv_bus_start();
	if (err)
		goto err_xs;
	err = xpv_shutdown_start();
	if (err)
		goto err_bus;
	/* Conveniences: what fails here was said, and the devices work. */
	xpv_dev_start();
	xpv_sysfs_start();
	xpv_panic_start();
	started = true;
	xpv_debug_start();
	return 0;

err_bus:
	xpv_bus_stop();
err_xs:
	xpv_xs_stop();
err_upcall:
	xpv_upcall_stop();
err_evtchn:
	xpv_evtchn_stop();
err_gnt:
	xpv_gnt_stop();
err_frames:
	xpv_frames_stop();
	return err;
}

static int platform_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	if (started)
		return -EBUSY;
	err = pci_enable_device(pdev);
	if (!err) {
		err = platform_start(pdev);
		if (err)
			pci_disable_device(pdev);
	}
	if (err)
		dev_err(&pdev->dev, "the guest goes on without PV drivers: %d\n",
			err);
	probe_error = err;
	return err;
}

static void platform_remove(struct pci_dev *pdev)
{
	platform_stop();
	pci_disable_device(pdev);
}

/* Before a reboot or kexec: the next kernel must find RAM where we leave RAM. */
static void platform_shutdown(struct pci_dev *pdev)
{
	if (started)
		platform_stop();
}

static const struct pci_device_id platform_ids[] = {
	{ PCI_DEVICE(VENDOR_XEN, DEVICE_PLATFORM) },
	{ PCI_DEVICE(VENDOR_XEN, DEVICE_PLATFORM_CITRIX) },
	{ }
};
MODULE_DEVICE_TABLE(pci, platform_ids);

/* Not the native driver's name: a CONFIG_XEN kernel has that registered. */
static struct pci_driver platform_driver = {
	.name		= "xenpv-platform",
	.id_table	= platform_ids,
	.probe		= platform_probe,
	.remove		= platform_remove,
	.shutdown	= platform_shutdown,
};

/* ---- the module ----------------------------------------------------------- */

/* One clear line for whoever loads this where it cannot serve. */
static int check_host(void)
{
#ifdef CONFIG_XEN
	if (xen_domain()) {
		pr_err("this kernel's own Xen support is active: use its drivers, these are not needed\n");
		return -ENODEV;
	}
#endif
	if (xpv_hv_detect(&xen)) {
		pr_err("no Xen hypervisor here\n");
		return -ENODEV;
	}
	return 0;
}

static int __init platform_init(void)
{
	int err = check_host();

	if (err)
		return err;
	xpv_fault_start();
	err = pci_register_driver(&platform_driver);
	if (err)
		goto err_fault;
	if (started) {
		/* Not inside probe: that holds the lock which this takes. */
		xpv_unplug_tidy();
		return 0;
	}
	pci_unregister_driver(&platform_driver);
	err = probe_error;
	if (!err) {
		pr_err("Xen %u.%u is here, but no free Xen platform device (PCI 5853:0001): is xen_platform_pci=1 set for this guest?\n",
		       xen.major, xen.minor);
		err = -ENODEV;
	}
err_fault:
	xpv_fault_stop();
	return err;
}

static void __exit platform_exit(void)
{
	pci_unregister_driver(&platform_driver);
	xpv_fault_stop();
}

module_init(platform_init);
module_exit(platform_exit);

MODULE_AUTHOR("The xenpv authors");
MODULE_DESCRIPTION("Xen platform device: hypercalls, events, grants, xenstore");
MODULE_LICENSE("GPL");
MODULE_VERSION(XENPV_VERSION);
