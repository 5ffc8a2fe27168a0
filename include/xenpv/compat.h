/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The newest kernel's language on older kernels.
 *
 * Force-included before every file. The code is written against the newest
 * kernel; what older ones lack is translated here and nowhere else. Answers of
 * probes.sh (XPV_HAVE_*) come first, version numbers only for what no
 * distribution is known to have moved.
 */
#ifndef XENPV_COMPAT_H
#define XENPV_COMPAT_H

#include <linux/version.h>
#include "xpv-probes.h"

/* --- cpuid(): its own header from 6.17 on ------------------------------- */
#ifdef XPV_HAVE_CPUID_API_H
#define XPV_CPUID_HEADER <asm/cpuid/api.h>
#else
#define XPV_CPUID_HEADER <asm/processor.h>
#endif

/* --- container_of_const(): 6.2 ------------------------------------------ */
#include <linux/kernel.h>
#ifndef container_of_const
#define container_of_const(ptr, type, member) \
	container_of((void *)(ptr), type, member)
#endif

#endif /* XENPV_COMPAT_H */
