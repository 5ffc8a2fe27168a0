// SPDX-License-Identifier: GPL-2.0
/*
 * Faults for tests, in kernels with CONFIG_FAULT_INJECTION_DEBUG_FS only.
 *
 * The kernel lets the nth allocation of one task fail (/proc/PID/task/TID/fail-nth).
 * Hypercalls are counted along here. But most of what a driver does is done by workers,
 * and nobody knows beforehand by which: so a number that is written to
 * xenpv-fault/connect in debugfs is taken by the next step of a handshake of any device,
 * and what is left of it comes back with the end of the step, for the one that goes on. 0
 * means that the fault has happened. xenpv-fault/find is the same for the vectors of CPUs and
 * for scans, xenpv-fault/resume for a suspension.
 *
 * What Xen does not refuse a guest that owns the port or the page, and what nobody could
 * do anything about, is not failed: sending, unmasking, closing, giving back; nor is what
 * only asks for a port's state, a thousand times in a row.
 *
 * Life: that of the module. Locks: none; with two works at a time either may count.
 * Trust: whoever can write to debugfs.
 */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/sched.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/memory.h>
#include <xenpv/fault.h>

static DECLARE_FAULT_ATTR(fail_hypercall);
static atomic_t numbers[XPV_FAULT_KINDS];
static struct dentry *root;

bool xpv_fault_hypercall(unsigned int number, unsigned long op)
{
	if (number == __HYPERVISOR_event_channel_op &&
	    (op == EVTCHNOP_send || op == EVTCHNOP_unmask || op == EVTCHNOP_close ||
	     op == EVTCHNOP_status))
		return false;
	if (number == __HYPERVISOR_memory_op && op != XENMEM_add_to_physmap)
		return false;
	return should_fail(&fail_hypercall, 1);
}

bool xpv_fault_enter(enum xpv_fault_kind kind)
{
	/* One that counts already: a work within a work, or a task of a test. */
	if (current->fail_nth)
		return false;
	current->fail_nth = atomic_xchg(&numbers[kind], 0);
	return current->fail_nth;
}

void xpv_fault_leave(enum xpv_fault_kind kind, bool counts)
{
	if (!counts)
		return;
	atomic_set(&numbers[kind], current->fail_nth);
	current->fail_nth = 0;
}

void xpv_fault_start(void)
{
	/* A line in the log, without a stack: tests look for those. */
	fail_hypercall.verbose = 1;
	root = debugfs_create_dir("xenpv-fault", NULL);
	debugfs_create_atomic_t("find", 0600, root, &numbers[XPV_FAULT_FIND]);
	debugfs_create_atomic_t("connect", 0600, root,
				&numbers[XPV_FAULT_CONNECT]);
	debugfs_create_atomic_t("resume", 0600, root,
				&numbers[XPV_FAULT_RESUME]);
}

void xpv_fault_stop(void)
{
	debugfs_remove_recursive(root);
}
