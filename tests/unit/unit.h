/* SPDX-License-Identifier: GPL-2.0 */
/* What every unit test includes first. */
#ifndef XENPV_UNIT_H
#define XENPV_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <linux/types.h>
#include <linux/kernel.h>

/**
 * unit_random() - a reproducible stream of numbers (xorshift)
 * @state: the stream; any non-zero start
 */
static inline u32 unit_random(u32 *state)
{
	u32 x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

#endif /* XENPV_UNIT_H */
