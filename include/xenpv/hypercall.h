/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam to the hypervisor: everything this project ever asks of Xen.
 *
 * Implemented by platform-pci/hypercall.c with one inline vmcall/vmmcall, and by
 * tests/unit/fake_hv.c in user space for the unit tests. Nothing above this
 * header issues a hypercall in any other way, and frontends use none of it:
 * they go through evtchn.h and grant.h.
 *
 * Unless said otherwise a function returns 0 or -errno as the hypervisor gave
 * it, does not sleep and may be called from any context.
 */
#ifndef XENPV_HYPERCALL_H
#define XENPV_HYPERCALL_H

#include <linux/types.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>

/**
 * struct xpv_hv_version - what the CPUID leaves say about the hypervisor
 * @major: Xen's major version
 * @minor: Xen's minor version
 * @base: first CPUID leaf with Xen's signature
 */
struct xpv_hv_version {
	unsigned int major;
	unsigned int minor;
	u32 base;
};

/**
 * xpv_hv_detect() - look for Xen in the CPUID leaves and pick the instruction
 * @ver: filled in when Xen is there
 *
 * Scans from 0x40000000 in steps of 0x100, because Xen moves up when it also
 * shows the leaves of another hypervisor. Must be called, with success, before
 * any other function here. Runs on one CPU, once.
 *
 * Return: 0, or -ENODEV where no Xen answers.
 */
int xpv_hv_detect(struct xpv_hv_version *ver);

/**
 * xpv_hv_vcpu_id() - Xen's number of the vCPU that runs this
 *
 * Linux's CPU number is not Xen's. Call with preemption off.
 *
 * Return: the vCPU number, or -ENODEV where this Xen does not tell it.
 */
int xpv_hv_vcpu_id(void);

/**
 * xpv_hv_xenver() - what the hypervisor says of itself
 * @what: XENVER_* of <xen/interface/version.h>
 * @answer: of the type that stands there; NULL where the result is the answer
 *
 * Strings need not be terminated when they fill their place.
 *
 * Return: 0 or more, or -errno; -EPERM for what this guest must not know.
 */
int xpv_hv_xenver(unsigned int what, void *answer);

/**
 * xpv_hv_extra_version() - the text behind the version number, as ".7-deb12"
 * @buf: at least XEN_EXTRAVERSION_LEN bytes; always terminated
 */
int xpv_hv_extra_version(char *buf);

/* HVM parameters; <xen/interface/hvm/params.h> has the indices. */
int xpv_hv_get_param(u32 index, u64 *value);
int xpv_hv_set_param(u32 index, u64 value);

/**
 * xpv_hv_set_upcall_vector() - have a vCPU's events raise a vector of its own
 * @vcpu: Xen's vCPU number
 * @vector: vector of that CPU, 0x10 or more; it cannot be cleared again
 *
 * Return: 0, -ENOSYS on a Xen before 4.6, -ENOENT for an unknown vCPU.
 */
int xpv_hv_set_upcall_vector(u32 vcpu, u8 vector);

/*
 * Frames. Mapping a Xen page over a guest frame gives the RAM behind it back to
 * Xen, unless it was moved elsewhere before; the way back is to unmap and then to
 * move it there again, or to populate. frames.c is the only caller.
 */
int xpv_hv_map_shared_info(unsigned long gfn);
int xpv_hv_map_grant_frame(unsigned int index, unsigned long gfn);
int xpv_hv_move_frame(unsigned long from, unsigned long to);
int xpv_hv_unmap_frame(unsigned long gfn);
int xpv_hv_populate_frame(unsigned long gfn);

/**
 * xpv_hv_flush_device_model() - have the device model forget what page is at which frame
 *
 * It keeps mappings of what it has read and written for emulated devices. A Xen before
 * 4.15 tells it when RAM is given back, but not when frames change otherwise.
 *
 * Return: 0 or -errno.
 */
int xpv_hv_flush_device_model(void);

/**
 * xpv_hv_grant_size() - current and largest number of grant table frames
 * @current_frames: frames the table has now
 * @max_frames: frames it may grow to
 */
int xpv_hv_grant_size(unsigned int *current_frames, unsigned int *max_frames);

/**
 * xpv_hv_grant_set_v1() - make the grant table version 1
 *
 * A kernel that ran before us may have left version 2.
 *
 * Return: 0, -ENOSYS on a Xen that knows only version 1 (nothing to do).
 */
int xpv_hv_grant_set_v1(void);

/* Event channels. Ports are numbers of this domain. */
int xpv_hv_evtchn_alloc(domid_t remote, evtchn_port_t *port);
int xpv_hv_evtchn_bind_ipi(u32 vcpu, evtchn_port_t *port);
int xpv_hv_evtchn_bind_vcpu(evtchn_port_t port, u32 vcpu);
int xpv_hv_evtchn_send(evtchn_port_t port);
int xpv_hv_evtchn_unmask(evtchn_port_t port);
int xpv_hv_evtchn_close(evtchn_port_t port);

/**
 * xpv_hv_evtchn_status() - ask who a port is bound to
 * @port: port of this domain
 * @status: EVTCHNSTAT_closed, EVTCHNSTAT_interdomain, ...
 */
int xpv_hv_evtchn_status(evtchn_port_t port, u32 *status);

/**
 * xpv_hv_shutdown() - tell Xen why this domain stops (SHUTDOWN_*)
 * @reason: SHUTDOWN_poweroff, SHUTDOWN_reboot, SHUTDOWN_crash, SHUTDOWN_suspend
 *
 * All vCPUs stop. For SHUTDOWN_suspend this must be vCPU 0 (the toolstack writes the
 * answer into its registers), with nothing running on the others.
 *
 * Return: -errno if Xen refuses; from SHUTDOWN_suspend 0 in a domain that has to be
 * taken for a new one, 1 if all is as it was: the toolstack has thought better of it.
 */
int xpv_hv_shutdown(unsigned int reason);

#endif /* XENPV_HYPERCALL_H */
