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

/* Every message that has no device to speak for begins with its module. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/version.h>
#include "xpv-probes.h"

/* --- bus_type: match takes a const driver from 6.11 on, uevent a const device
 * from 6.3 on, remove returns nothing from 5.15 on --- */
#ifdef XPV_HAVE_BUS_MATCH_CONST
#define xpv_match_const const
#else
#define xpv_match_const
#endif
#ifdef XPV_HAVE_BUS_REMOVE_VOID
#define xpv_bus_remove_ret void
#define XPV_BUS_REMOVED
#else
#define xpv_bus_remove_ret int
#define XPV_BUS_REMOVED 0
#endif
#ifdef XPV_HAVE_BUS_UEVENT_CONST
#define xpv_uevent_const const
#else
#define xpv_uevent_const
#endif

/* --- cpuid(): its own header from 6.17 on ------------------------------- */
#ifdef XPV_HAVE_CPUID_API_H
#define XPV_CPUID_HEADER <asm/cpuid/api.h>
#else
#define XPV_CPUID_HEADER <asm/processor.h>
#endif

/* --- disk_openers(): 6.0; bd_openers in part0 itself: 5.11 ----------------- */
#if defined(XPV_HAVE_DISK_OPENERS)
#define xpv_disk_openers(disk) disk_openers(disk)
#elif defined(XPV_HAVE_DISK_PART0_BDEV)
#define xpv_disk_openers(disk) ((unsigned int)(disk)->part0->bd_openers)
#else
#define xpv_disk_openers(disk) ({ \
	struct block_device *_bdev = bdget_disk(disk, 0); \
	unsigned int _openers = _bdev ? _bdev->bd_openers : 0; \
	if (_bdev) \
		bdput(_bdev); \
	_openers; })
#endif

/* --- blk_mq_freeze_queue() returns what the thaw needs: 6.14 -------------- */
#ifdef XPV_HAVE_FREEZE_MEMFLAGS
#define xpv_freeze_queue(q) blk_mq_freeze_queue(q)
#define xpv_unfreeze_queue(q, memflags) blk_mq_unfreeze_queue(q, memflags)
#else
#define xpv_freeze_queue(q) ({ blk_mq_freeze_queue(q); 0U; })
#define xpv_unfreeze_queue(q, memflags) \
	do { (void)(memflags); blk_mq_unfreeze_queue(q); } while (0)
#endif

/* --- mac_pton(): in <linux/kernel.h> before 7.0 --------------------------- */
#ifdef XPV_HAVE_HEX_H
#include <linux/hex.h>
#endif

/* --- HVMOP_set_evtchn_upcall_vector: in the headers from 6.0 on ----------- */
#ifndef XPV_HAVE_HVMOP_UPCALL_VECTOR
#include <linux/types.h>
#define HVMOP_set_evtchn_upcall_vector 23
struct xen_hvm_evtchn_upcall_vector {
	u32 vcpu;
	u8 vector;
};
#endif

/* --- ndo_xdp_xmit(): its caller frees what was not sent from 5.13 on ------- */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
#define XPV_XDP_CALLER_FREES 1
#endif

/* --- IRQ_MOVE_PCNTXT: the default, and gone, from 6.15 on ---------------- */
#ifdef XPV_HAVE_IRQ_MOVE_PCNTXT
#define xpv_irq_allow_direct_move(irq) irq_set_status_flags(irq, IRQ_MOVE_PCNTXT)
#else
#define xpv_irq_allow_direct_move(irq) do { } while (0)
#endif

/* --- panic_notifier_list: in <linux/kernel.h> before 5.14 (in quotes: gcc has a
 * macro "linux") --- */
#ifdef XPV_HAVE_PANIC_NOTIFIER_H
#define XPV_PANIC_NOTIFIER_HEADER "linux/panic_notifier.h"
#else
#define XPV_PANIC_NOTIFIER_HEADER "linux/kernel.h"
#endif

/* --- container_of_const(): 6.2 ------------------------------------------ */
#include <linux/kernel.h>
#ifndef container_of_const
#define container_of_const(ptr, type, member) \
	container_of((void *)(ptr), type, member)
#endif

#endif /* XENPV_COMPAT_H */
