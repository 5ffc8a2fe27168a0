/* SPDX-License-Identifier: GPL-2.0 */
/* The small change of the kernel: sizes, minima, containers, printing. */
#ifndef SHIM_LINUX_KERNEL_H
#define SHIM_LINUX_KERNEL_H

#include <assert.h>
#include <stdio.h>
#include <linux/types.h>
#include <linux/compiler.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define min(a, b)	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); \
			   _a < _b ? _a : _b; })
#define max(a, b)	({ __typeof__(a) _a = (a); __typeof__(b) _b = (b); \
			   _a > _b ? _a : _b; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define clamp(v, lo, hi) min(max(v, lo), hi)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ALIGN(x, a)	(((x) + ((__typeof__(x))(a) - 1)) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define round_up(x, a)	ALIGN(x, a)
#define round_down(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define BIT(n)		(1UL << (n))
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#define scnprintf(buf, size, ...) ({ \
	int _n = snprintf(buf, size, __VA_ARGS__); \
	(_n < 0 || (size) == 0) ? 0 : _n >= (int)(size) ? (int)(size) - 1 : _n; })

static inline bool is_power_of_2(unsigned long n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

#endif
