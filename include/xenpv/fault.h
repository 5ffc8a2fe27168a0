/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations and hypercalls that fail on purpose, for tests: fault.c. There is nothing
 * of it in kernels that cannot inject faults, which is all that are meant for use.
 */
#ifndef XENPV_FAULT_H
#define XENPV_FAULT_H

#include <linux/types.h>

/* Whose work it is: each has a number of its own. */
enum xpv_fault_kind {
	XPV_FAULT_FIND,		/* vectors of CPUs, and scans for devices */
	XPV_FAULT_CONNECT,	/* handshakes */
	XPV_FAULT_RESUME,	/* standing still and going on */
	XPV_FAULT_KINDS
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
void xpv_fault_start(void);
void xpv_fault_stop(void);
bool xpv_fault_hypercall(unsigned int number, unsigned long op);

/**
 * xpv_fault_enter() - from here on this task counts what can fail
 * @kind: whose number it takes, if that is not 0
 *
 * Process context. Return: for xpv_fault_leave().
 */
bool xpv_fault_enter(enum xpv_fault_kind kind);
void xpv_fault_leave(enum xpv_fault_kind kind, bool counts);
#else
static inline void xpv_fault_start(void)
{
}

static inline void xpv_fault_stop(void)
{
}

static inline bool xpv_fault_hypercall(unsigned int number, unsigned long op)
{
	return false;
}

static inline bool xpv_fault_enter(enum xpv_fault_kind kind)
{
	return false;
}

static inline void xpv_fault_leave(enum xpv_fault_kind kind, bool counts)
{
}
#endif /* CONFIG_FAULT_INJECTION_DEBUG_FS */

#endif /* XENPV_FAULT_H */
