// SPDX-License-Identifier: GPL-2.0
/*
 * What time Xen says it is: its stamp and the processor's counter made nanoseconds,
 * and how far the guest's wall clock has fallen behind.
 *
 * Life: none.
 * Locks: none; suspend.c reads what it passes here with interrupts off.
 * Trust: Xen; any stamp gives some number, and no more.
 */
#include <linux/math64.h>

#include "clock.h"

u64 xpv_clock_system(const struct xpv_stamp *stamp, u64 tsc)
{
	u64 ticks = tsc - stamp->tsc;
	int shift = stamp->shift;

	/* Xen may have stamped a little later than we have read. */
	if ((s64)ticks < 0)
		ticks = 0;
	if (shift >= 0)
		ticks <<= shift & 63;
	else
		ticks >>= -shift & 63;
	return stamp->system + mul_u64_u32_shr(ticks, stamp->mul, 32);
}

u64 xpv_clock_lag(const struct xpv_moment *before,
		  const struct xpv_moment *after)
{
	s64 host = after->wall - before->wall;
	s64 guest = after->mono - before->mono;

	if (host <= guest || host - guest < XPV_CLOCK_LEAST)
		return 0;
	return host - guest;
}
