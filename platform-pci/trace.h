/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of xen-platform-pci, system "xenpv": the life of an event.
 *
 *	xpv_notify	a backend is told that there is something on a ring
 *	xpv_upcall	Xen says on a CPU that something is pending
 *	xpv_event	the handler of a port has run
 *
 * Off, each is a jump label: a no-operation in the code. A kernel without
 * CONFIG_TRACEPOINTS has nothing of them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xenpv

#if !defined(XENPV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XENPV_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>
#include <xenpv/evtchn.h>

TRACE_EVENT(xpv_notify,
	TP_PROTO(const struct xpv_evtchn *ec),
	TP_ARGS(ec),
	TP_STRUCT__entry(
		__array(char, name, 32)
		__field(u32, port)
	),
	TP_fast_assign(
		memcpy(__entry->name, ec->name, sizeof(__entry->name));
		__entry->port = ec->port;
	),
	TP_printk("%s port=%u", __entry->name, __entry->port)
);

TRACE_EVENT(xpv_upcall,
	TP_PROTO(unsigned int cpu),
	TP_ARGS(cpu),
	TP_STRUCT__entry(
		__field(u32, cpu)
	),
	TP_fast_assign(
		__entry->cpu = cpu;
	),
	TP_printk("cpu=%u", __entry->cpu)
);

TRACE_EVENT(xpv_event,
	TP_PROTO(const struct xpv_evtchn *ec, bool work),
	TP_ARGS(ec, work),
	TP_STRUCT__entry(
		__array(char, name, 32)
		__field(u32, port)
		__field(u32, irq)
		__field(u8, work)
	),
	TP_fast_assign(
		memcpy(__entry->name, ec->name, sizeof(__entry->name));
		__entry->port = ec->port;
		__entry->irq = ec->irq;
		__entry->work = work;
	),
	TP_printk("%s port=%u irq=%u work=%u", __entry->name, __entry->port,
		  __entry->irq, __entry->work)
);

#endif /* XENPV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH platform-pci
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
