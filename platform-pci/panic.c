// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that panics can tell the host so, which then does what on_crash says in the
 * guest's configuration. Without that the host sees a guest that restarts, or one that
 * spins.
 *
 * It is the last thing that happens: Xen stops every vCPU within the hypercall. So it is
 * left alone where a crash kernel is loaded, which with crash_kexec_post_notifiers starts
 * only after this was called.
 *
 * Life: start registers, stop takes back; the parameter may change in between.
 * Locks: none. The call comes in atomic context, on the one CPU that still runs.
 * Trust: the kernel is broken when this runs: nothing is touched but the stack and two
 * words of this module.
 */
#include <linux/kexec.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include XPV_PANIC_NOTIFIER_HEADER
#include <xen/interface/sched.h>
#include <xenpv/hypercall.h>

#include "internal.h"

static bool report;

module_param_named(report_panic, report, bool, 0644);
MODULE_PARM_DESC(report_panic,
		 "end as crashed in the host's eyes after a panic, unless a crash kernel is loaded");

static int panicked(struct notifier_block *nb, unsigned long unused, void *text)
{
	if (report && !kexec_crash_loaded())
		xpv_hv_shutdown(SHUTDOWN_crash);
	/* Not to be reported, or Xen has refused: as if nobody had been called. */
	return NOTIFY_DONE;
}

/* Behind all others, which may have something to say or to save. */
static struct notifier_block notifier = {
	.notifier_call	= panicked,
	.priority	= INT_MIN,
};

void xpv_panic_start(void)
{
	atomic_notifier_chain_register(&panic_notifier_list, &notifier);
}

void xpv_panic_stop(void)
{
	atomic_notifier_chain_unregister(&panic_notifier_list, &notifier);
}
