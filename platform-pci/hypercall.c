// SPDX-License-Identifier: GPL-2.0
/*
 * The seam to the hypervisor, made of one instruction.
 *
 * Xen tells its presence and version in CPUID leaves, and takes a hypercall as
 * `vmcall` (Intel, Centaur, Zhaoxin) or `vmmcall` (AMD, Hygon): number in eax/rax,
 * arguments in rdi rsi rdx (64-bit) or ebx ecx edx (32-bit), result in eax/rax.
 * No hypercall page is used, so there is never a page that is both writable and
 * executable.
 *
 * Life: xpv_hv_detect() picks the instruction once; there is nothing to undo.
 * Locks: none. Xen does its own locking, and each function works on a structure
 * of its caller's stack.
 * Trust: Xen is trusted. An errno outside Linux's range still cannot turn into a
 * pointer or a length here.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/processor.h>
#include XPV_CPUID_HEADER
#include <asm/xen/cpuid.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/memory.h>
#include <xen/interface/sched.h>
#include <xen/interface/version.h>
#include <xen/interface/hvm/hvm_op.h>
#include <xen/interface/hvm/params.h>
#include <xenpv/fault.h>
#include <xenpv/hypercall.h>

#include "internal.h"

/* Xen's leaves may start at any of these. */
#define LEAF_FIRST	XEN_CPUID_FIRST_LEAF
#define LEAF_LAST	(XEN_CPUID_FIRST_LEAF + 0x10000)
#define LEAF_STEP	0x100

static bool use_vmmcall;
static u32 leaf_base;

static long hypercall(unsigned int number, unsigned long a, void *b,
		      unsigned long c)
{
	long result = number;
	unsigned long p = (unsigned long)b;

	if (xpv_fault_hypercall(number, a))
		return -ENOMEM;
#ifdef CONFIG_X86_64
	if (use_vmmcall)
		asm volatile("vmmcall"
			     : "+a"(result), "+D"(a), "+S"(p), "+d"(c)
			     :: "memory", "r8", "r10");
	else
		asm volatile("vmcall"
			     : "+a"(result), "+D"(a), "+S"(p), "+d"(c)
			     :: "memory", "r8", "r10");
#else
	if (use_vmmcall)
		asm volatile("vmmcall"
			     : "+a"(result), "+b"(a), "+c"(p), "+d"(c)
			     :: "memory");
	else
		asm volatile("vmcall"
			     : "+a"(result), "+b"(a), "+c"(p), "+d"(c)
			     :: "memory");
#endif
	return result;
}

static bool has_xen_signature(u32 base)
{
	u32 eax, ebx, ecx, edx;

	cpuid(base, &eax, &ebx, &ecx, &edx);
	return ebx == XEN_CPUID_SIGNATURE_EBX &&
	       ecx == XEN_CPUID_SIGNATURE_ECX &&
	       edx == XEN_CPUID_SIGNATURE_EDX && eax >= base + 2;
}

int xpv_hv_detect(struct xpv_hv_version *ver)
{
	u32 base, eax;

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return -ENODEV;
	for (base = LEAF_FIRST; base < LEAF_LAST; base += LEAF_STEP)
		if (has_xen_signature(base))
			break;
	if (base >= LEAF_LAST)
		return -ENODEV;

	leaf_base = base;
	use_vmmcall = boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
		      boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
	eax = cpuid_eax(base + 1);
	ver->base = base;
	ver->major = eax >> 16;
	ver->minor = eax & 0xffff;
	return 0;
}

int xpv_hv_vcpu_id(void)
{
	u32 eax, ebx, ecx, edx;

	if (cpuid_eax(leaf_base) < leaf_base + 4)
		return -ENODEV;
	cpuid_count(leaf_base + 4, 0, &eax, &ebx, &ecx, &edx);
	return eax & XEN_HVM_CPUID_VCPU_ID_PRESENT ? (int)ebx : -ENODEV;
}

int xpv_hv_xenver(unsigned int what, void *answer)
{
	return hypercall(__HYPERVISOR_xen_version, what, answer, 0);
}

int xpv_hv_extra_version(char *buf)
{
	int err = xpv_hv_xenver(XENVER_extraversion, buf);

	if (err)
		buf[0] = '\0';
	buf[XEN_EXTRAVERSION_LEN - 1] = '\0';
	return err;
}

int xpv_hv_get_param(u32 index, u64 *value)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = index };
	int err = hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, &p, 0);

	if (!err)
		*value = p.value;
	return err;
}

int xpv_hv_set_param(u32 index, u64 value)
{
	struct xen_hvm_param p = {
		.domid = DOMID_SELF, .index = index, .value = value,
	};

	return hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, &p, 0);
}

int xpv_hv_set_upcall_vector(u32 vcpu, u8 vector)
{
	struct xen_hvm_evtchn_upcall_vector v = {
		.vcpu = vcpu, .vector = vector,
	};

	return hypercall(__HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector,
			 &v, 0);
}

static int map_frame(unsigned int space, unsigned long index, unsigned long gfn)
{
	struct xen_add_to_physmap map = {
		.domid = DOMID_SELF, .space = space, .idx = index, .gpfn = gfn,
	};

	return hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, &map, 0);
}

int xpv_hv_map_shared_info(unsigned long gfn)
{
	return map_frame(XENMAPSPACE_shared_info, 0, gfn);
}

int xpv_hv_map_grant_frame(unsigned int index, unsigned long gfn)
{
	return map_frame(XENMAPSPACE_grant_table, index, gfn);
}

int xpv_hv_move_frame(unsigned long from, unsigned long to)
{
	return map_frame(XENMAPSPACE_gmfn, from, to);
}

int xpv_hv_unmap_frame(unsigned long gfn)
{
	struct xen_remove_from_physmap unmap = {
		.domid = DOMID_SELF, .gpfn = gfn,
	};

	return hypercall(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
			 &unmap, 0);
}

int xpv_hv_populate_frame(unsigned long gfn)
{
	xen_pfn_t frame = gfn;
	struct xen_memory_reservation populate = {
		.nr_extents = 1, .domid = DOMID_SELF,
	};
	long done;

	set_xen_guest_handle(populate.extent_start, &frame);
	done = hypercall(__HYPERVISOR_memory_op, XENMEM_populate_physmap,
			 &populate, 0);
	if (done == 1)
		return 0;
	return done < 0 ? (int)done : -ENOMEM;
}

int xpv_hv_flush_device_model(void)
{
	/* Nothing is given away: that Xen tells the device model of it is all it is for. */
	struct xen_memory_reservation none = { .domid = DOMID_SELF };

	return hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation,
			 &none, 0);
}

/* Grant table operations answer in the structure and in the result. */
int xpv_hv_grant_size(unsigned int *current_frames, unsigned int *max_frames)
{
	struct gnttab_query_size query = { .dom = DOMID_SELF };
	int err = hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_query_size,
			    &query, 1);

	if (err)
		return err;
	if (query.status != GNTST_okay)
		return -EIO;
	*current_frames = query.nr_frames;
	*max_frames = query.max_nr_frames;
	return 0;
}

int xpv_hv_grant_set_v1(void)
{
	struct gnttab_set_version set = { .version = 1 };

	return hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_set_version,
			 &set, 1);
}

int xpv_hv_evtchn_alloc(domid_t remote, evtchn_port_t *port)
{
	struct evtchn_alloc_unbound alloc = {
		.dom = DOMID_SELF, .remote_dom = remote,
	};
	int err = hypercall(__HYPERVISOR_event_channel_op,
			    EVTCHNOP_alloc_unbound, &alloc, 0);

	if (!err)
		*port = alloc.port;
	return err;
}

int xpv_hv_evtchn_bind_ipi(u32 vcpu, evtchn_port_t *port)
{
	struct evtchn_bind_ipi bind = { .vcpu = vcpu };
	int err = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi,
			    &bind, 0);

	if (!err)
		*port = bind.port;
	return err;
}

int xpv_hv_evtchn_bind_vcpu(evtchn_port_t port, u32 vcpu)
{
	struct evtchn_bind_vcpu bind = { .port = port, .vcpu = vcpu };

	return hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu,
			 &bind, 0);
}

int xpv_hv_evtchn_send(evtchn_port_t port)
{
	struct evtchn_send send = { .port = port };

	return hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send, 0);
}

int xpv_hv_evtchn_unmask(evtchn_port_t port)
{
	struct evtchn_unmask unmask = { .port = port };

	return hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask,
			 &unmask, 0);
}

int xpv_hv_evtchn_close(evtchn_port_t port)
{
	struct evtchn_close close = { .port = port };

	return hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close,
			 &close, 0);
}

int xpv_hv_evtchn_status(evtchn_port_t port, u32 *status)
{
	struct evtchn_status query = { .dom = DOMID_SELF, .port = port };
	int err = hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_status,
			    &query, 0);

	if (!err)
		*status = query.status;
	return err;
}

int xpv_hv_shutdown(unsigned int reason)
{
	struct sched_shutdown shutdown = { .reason = reason };

	return hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, &shutdown, 0);
}
