// SPDX-License-Identifier: GPL-2.0
/*
 * The guest stands still: it is saved, migrated, or only a copy of it is taken.
 *
 * Beside main.c this is the only file that knows every layer. From above:
 *
 *	bus, store	queues held, handshakes at rest, the ring empty (xenbus/suspend.c)
 *	all CPUs	one calls Xen, the others wait for it with interrupts off
 *	upcall, evtchn	ports are lost; the callback and the vectors are set again
 *	frames		shared info and the grant table mapped again where they were
 *	unplug		emulated devices are back, and are unplugged again
 *	store, bus	the ring of the new domain; every device connects anew
 *
 * Frames, ports and upcalls are made good while interrupts are still off, so nobody
 * ever sees holes where Xen's pages were. References that drivers have claimed stay
 * theirs: the new domain's table is empty, all can be revoked.
 *
 * No task is frozen, and none is waited for: programs see I/O that takes longer.
 *
 * Time: the processor's counter goes on where it was, or has gone on; Xen sees to
 * that, so monotonic time never goes back. The wall clock is set forward by what it
 * has missed, which the host's clock tells (clock.c).
 *
 * Life: xpv_suspend() is called by the work of shutdown.c, once at a time.
 * Locks: CPU hotplug is off meanwhile; see xenbus/suspend.c.
 * Trust: Xen and the toolstack.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/nmi.h>
#include <linux/sched/mm.h>
#include <linux/stop_machine.h>
#include <linux/timekeeping.h>
#include <asm/msr.h>
#include <xen/interface/sched.h>
#include <xenpv/fault.h>
#include <xenpv/hypercall.h>

#include "clock.h"
#include "internal.h"
#include "../xenbus/xenbus.h"

/**
 * struct stillness - what is known of one suspension
 * @cpu: the one that calls Xen
 * @result: what Xen said: see xpv_hv_shutdown()
 * @frames_err: Xen's pages could not all be mapped
 * @upcall_err: Xen could not be told where to raise events
 * @before: when it began
 * @after: when it was over
 */
struct stillness {
	unsigned int cpu;
	int result;
	int frames_err;
	int upcall_err;
	struct xpv_moment before;
	struct xpv_moment after;
};

/* ---- time ------------------------------------------------------------------ */

/* Xen writes these words at any time; an odd version means that it is about to. */
static u32 begin_read(const u32 *version)
{
	u32 seen;

	while ((seen = READ_ONCE(*version)) & 1)
		cpu_relax();
	/* Version before the words; pairs with Xen's wmb. */
	virt_rmb();
	return seen;
}

static bool changed(const u32 *version, u32 seen)
{
	virt_rmb();
	return READ_ONCE(*version) != seen;
}

/* Nanoseconds since Xen started, on the CPU that this vCPU info belongs to. */
static u64 system_time(unsigned int vcpu)
{
	struct pvclock_vcpu_time_info *time =
		&xpv_frames.shared_info->vcpu_info[vcpu].time;
	struct xpv_stamp stamp;
	u32 seen;
	u64 tsc;

	do {
		seen = begin_read(&time->version);
		stamp.tsc = time->tsc_timestamp;
		stamp.system = time->system_time;
		stamp.mul = time->tsc_to_system_mul;
		stamp.shift = time->tsc_shift;
		tsc = rdtsc_ordered();
	} while (changed(&time->version, seen));
	return xpv_clock_system(&stamp, tsc);
}

/* When Xen started, in nanoseconds since 1970. 32 bits of seconds last until 2106. */
static u64 start_of_xen(void)
{
	struct pvclock_wall_clock *wc = &xpv_frames.shared_info->wc;
	u64 time;
	u32 seen;

	do {
		seen = begin_read(&wc->version);
		time = (u64)wc->sec * NSEC_PER_SEC + wc->nsec;
	} while (changed(&wc->version, seen));
	return time;
}

/* Interrupts are off. */
static void look_at_clocks(const struct stillness *s, struct xpv_moment *now)
{
	int vcpu = xpv_upcall_vcpu(s->cpu);

	now->wall = start_of_xen() + system_time(max(vcpu, 0));
	now->mono = ktime_get_ns();
}

static void set_wall_clock(const struct stillness *s)
{
	u64 lag = xpv_clock_lag(&s->before, &s->after);
	struct timespec64 now;
	int err;

	if (!lag)
		return;
	ktime_get_real_ts64(&now);
	now = timespec64_add(now, ns_to_timespec64(lag));
	err = do_settimeofday64(&now);
	if (err)
		pr_err("cannot set the clock: it is %llu ms late (%d)\n",
		       div_u64(lag, NSEC_PER_MSEC), err);
}

/* ---- standing still ----------------------------------------------------------- */

/* The other CPUs wait, and nothing interrupts. */
static int stand_still(void *data)
{
	struct stillness *s = data;
	bool counts = xpv_fault_enter(XPV_FAULT_RESUME);

	look_at_clocks(s, &s->before);
	s->result = xpv_hv_shutdown(SHUTDOWN_suspend);
	if (!s->result) {
		s->frames_err = xpv_frames_resume();
		s->upcall_err = xpv_upcall_resume();
	}
	look_at_clocks(s, &s->after);
	/* It may have been long. */
	touch_nmi_watchdog();
	xpv_fault_leave(XPV_FAULT_RESUME, counts);
	return 0;
}

static void say_how_it_went(const struct stillness *s)
{
	if (s->result < 0)
		pr_err("Xen refuses to suspend this guest: %d\n", s->result);
	else if (s->result)
		pr_info("not suspended after all\n");
	else
		pr_info("runs again after %llu ms\n",
			div_u64(s->after.wall - s->before.wall, NSEC_PER_MSEC));
	if (s->frames_err)
		pr_err("cannot map all of Xen's shared pages again (%d): devices may not come back\n",
		       s->frames_err);
	if (s->upcall_err)
		pr_err("cannot tell Xen where to raise events (%d): devices may not come back\n",
		       s->upcall_err);
}

bool xpv_suspend(void)
{
	unsigned int noio = memalloc_noio_save();
	struct stillness s = { .result = -EINTR };
	bool anew, counts;
	int err;

	/* Its callbacks may wait for requests that are held here. */
	cpu_hotplug_disable();
	xpv_bus_suspend();
	/* The toolstack tells vCPU 0 alone that it has thought better of it. */
	s.cpu = xpv_upcall_cpu_of(0);
	err = stop_machine(stand_still, &s, cpumask_of(s.cpu));
	if (err)
		s.result = err;
	anew = !s.result;
	counts = xpv_fault_enter(XPV_FAULT_RESUME);
	if (anew) {
		set_wall_clock(&s);
		xpv_unplug_again();
	}
	say_how_it_went(&s);
	xpv_bus_resume(anew);
	xpv_fault_leave(XPV_FAULT_RESUME, counts);
	cpu_hotplug_enable();
	memalloc_noio_restore(noio);
	return anew;
}
