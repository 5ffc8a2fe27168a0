/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What time Xen says it is. Pure; the unit tests compile clock.c as it stands.
 */
#ifndef XENPV_CLOCK_H
#define XENPV_CLOCK_H

#include <linux/types.h>

/**
 * struct xpv_stamp - how Xen tells the time since it started
 * @tsc: the processor's counter when it was @system
 * @system: nanoseconds
 * @mul: nanoseconds a tick, times 2^32, after @shift
 * @shift: ticks are shifted left by it, right if negative
 */
struct xpv_stamp {
	u64 tsc;
	u64 system;
	u32 mul;
	s8 shift;
};

/**
 * xpv_clock_system() - nanoseconds since Xen started
 * @stamp: what Xen says
 * @tsc: the processor's counter now
 */
u64 xpv_clock_system(const struct xpv_stamp *stamp, u64 tsc);

/**
 * struct xpv_moment - two clocks, read at once
 * @wall: the host's wall clock, nanoseconds since 1970
 * @mono: the guest's own monotonic clock, nanoseconds
 */
struct xpv_moment {
	u64 wall;
	u64 mono;
};

/**
 * xpv_clock_lag() - what the guest's wall clock has to be set forward
 * @before: when the guest stopped
 * @after: when it ran again, perhaps elsewhere
 *
 * The guest's clocks have gone on by the monotonic one; the host's say how long it
 * was. A guest's time that differed from the host's before, differs by as much
 * after.
 *
 * Return: nanoseconds; 0 for less than XPV_CLOCK_LEAST and where the host's clock
 * has gone back: a wall clock that is set back hurts more than one that is late.
 */
u64 xpv_clock_lag(const struct xpv_moment *before,
		  const struct xpv_moment *after);

/* Reading the clocks takes time, too. */
#define XPV_CLOCK_LEAST	1000000U

#endif /* XENPV_CLOCK_H */
