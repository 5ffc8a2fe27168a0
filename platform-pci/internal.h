/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the platform driver know of each other.
 *
 * Start order (main.c), stop order is the reverse:
 *	hypercall -> frames -> grant -> evtchn -> upcall -> store -> unplug -> bus
 * Every start function undoes what it did when it fails; every stop function
 * accepts a layer that never started.
 */
#ifndef XENPV_PLATFORM_INTERNAL_H
#define XENPV_PLATFORM_INTERNAL_H

#include <linux/pci.h>
#include <linux/seq_file.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xenpv/evtchn.h>

/*
 * What is done while the guest stands still nobody can do later: Xen is asked again where
 * it had no memory.
 */
#define XPV_TRIES	3
#define xpv_insist(call)						\
({									\
	unsigned int _left = XPV_TRIES;					\
	int _err;							\
									\
	do								\
		_err = (call);						\
	while (_err && --_left);					\
	_err;								\
})

/* frames.c: guest frames that Xen's pages are mapped over */

/**
 * struct xpv_frames - Xen's shared pages as this guest sees them
 * @shared_info: event channel bitmaps, vCPU info, time
 * @grant: the grant table, @grant_max frames contiguous
 * @grant_now: frames of it that are mapped
 * @grant_max: frames it may grow to
 * @in_ram: in our own RAM (cacheable); false: in the platform device's BAR
 */
struct xpv_frames {
	struct shared_info *shared_info;
	void *grant;
	unsigned int grant_now;
	unsigned int grant_max;
	bool in_ram;
};

extern struct xpv_frames xpv_frames;

int xpv_frames_start(struct pci_dev *pdev, bool use_bar);
int xpv_frames_grow_grant(void);
int xpv_frames_resume(void);
void xpv_frames_stop(void);

/* grant.c */
int xpv_gnt_start(void);
void xpv_gnt_stop(void);

/* evtchn.c: ports */
int xpv_evtchn_start(void);
void xpv_evtchn_stop(void);
void xpv_evtchn_reset(void);
void xpv_evtchn_resume(void);
bool xpv_evtchn_upcall(unsigned int cpu);
void xpv_evtchn_leave_cpu(unsigned int cpu);

/* What an open port did so far, copied under its lock. */
struct xpv_evtchn_facts {
	unsigned int irq;
	unsigned int cpu;
	unsigned long events;
	unsigned long spurious;
	unsigned long throttled;
	char name[sizeof_field(struct xpv_evtchn, name)];
};

bool xpv_evtchn_next(evtchn_port_t *port, struct xpv_evtchn_facts *facts);

int xpv_evtchn_open_self(struct xpv_evtchn *ec, unsigned int cpu,
			 xpv_evtchn_fn fn, void *data);

/* upcall.c: how Xen raises them */
enum xpv_upcall_choice {
	XPV_UPCALL_AUTO,
	XPV_UPCALL_VECTORS,
	XPV_UPCALL_INTX,
};

int xpv_upcall_start(struct pci_dev *pdev, enum xpv_upcall_choice choice);
void xpv_upcall_stop(void);
void xpv_upcall_describe(char *buf, size_t size);
bool xpv_upcall_on_cpu(unsigned int cpu);
int xpv_upcall_vcpu(unsigned int cpu);
unsigned int xpv_upcall_boot_cpu(void);
unsigned int xpv_upcall_cpu_of(int vcpu);
int xpv_upcall_resume(void);

/* unplug.c */

/**
 * xpv_unplug_run() - take away emulated devices that have a PV twin
 * @pdev: the platform device; its bus is where the emulated devices are
 * @mode: the module parameter's value, checked by xpv_unplug_valid()
 * @summary: filled with what was done, for the one line at load
 * @size: of @summary
 *
 * Process context. Needs xenstore. One way: what was unplugged stays away until
 * the guest restarts.
 */
void xpv_unplug_run(struct pci_dev *pdev, const char *mode, char *summary,
		    size_t size);
bool xpv_unplug_valid(const char *mode);

/* What the last run took away and what stays, one "name value" a line. */
void xpv_unplug_show(struct seq_file *m);

/**
 * xpv_unplug_tidy() - have Linux forget the PCI functions of unplugged cards
 *
 * Process context, from module init after the probe: takes the PCI layer's lock,
 * under which a probe may run.
 */
void xpv_unplug_tidy(void);

/* main.c: Xen's version and the mode of unplug */
void xpv_platform_show(struct seq_file *m);

/* debug.c: state in debugfs */
void xpv_debug_start(void);
void xpv_debug_stop(void);

/* sysfs.c: /sys/hypervisor */
void xpv_sysfs_start(void);
void xpv_sysfs_stop(void);

/**
 * xpv_unplug_again() - the guest runs in another domain: what was unplugged is back
 *
 * Process context. Linux knows nothing of these devices any more; a disk that is
 * there twice must not be.
 */
void xpv_unplug_again(void);

/* suspend.c */

/**
 * xpv_suspend() - stand still until the host lets the guest go on
 *
 * Process context; nobody else may call it meanwhile.
 *
 * Return: true if the guest runs in another domain, with another xenstore; false if
 * it was not suspended after all.
 */
bool xpv_suspend(void);

/* shutdown.c: control/shutdown */
int xpv_shutdown_start(void);
void xpv_shutdown_stop(void);

/* panic.c: SHUTDOWN_crash, if asked */
void xpv_panic_start(void);
void xpv_panic_stop(void);

#endif /* XENPV_PLATFORM_INTERNAL_H */
