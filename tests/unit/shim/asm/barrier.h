/* SPDX-License-Identifier: GPL-2.0 */
/* Barriers against another thread, which plays the other domain. */
#ifndef SHIM_ASM_BARRIER_H
#define SHIM_ASM_BARRIER_H

#include <linux/compiler.h>

#define virt_mb()	__sync_synchronize()
#define virt_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define virt_wmb()	__atomic_thread_fence(__ATOMIC_RELEASE)
#define mb()		virt_mb()
#define rmb()		virt_rmb()
#define wmb()		virt_wmb()

#endif
