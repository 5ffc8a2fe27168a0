/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of xen-vnif, system "xen_vnif": the life of a packet.
 *
 *	vnif_tx		it is on the transmit ring
 *	vnif_tx_answer	the backend has answered one of its slots
 *	vnif_rx		a received packet goes to the network stack
 *
 * When the backend is told, and when its event comes, is in the system "xenpv"
 * (platform-pci/trace.h).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_vnif

#if !defined(XENPV_VNIF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XENPV_VNIF_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "vnif.h"

DECLARE_EVENT_CLASS(vnif_packet,
	TP_PROTO(const struct vnif_queue *q, u32 bytes, u32 slots),
	TP_ARGS(q, bytes, slots),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(u32, queue)
		__field(u32, bytes)
		__field(u32, slots)
	),
	TP_fast_assign(
		memcpy(__entry->name, q->vnif->netdev->name, IFNAMSIZ);
		__entry->queue = q->index;
		__entry->bytes = bytes;
		__entry->slots = slots;
	),
	TP_printk("%s queue=%u bytes=%u slots=%u", __entry->name,
		  __entry->queue, __entry->bytes, __entry->slots)
);

DEFINE_EVENT(vnif_packet, vnif_tx,
	TP_PROTO(const struct vnif_queue *q, u32 bytes, u32 slots),
	TP_ARGS(q, bytes, slots)
);

DEFINE_EVENT(vnif_packet, vnif_rx,
	TP_PROTO(const struct vnif_queue *q, u32 bytes, u32 slots),
	TP_ARGS(q, bytes, slots)
);

TRACE_EVENT(vnif_tx_answer,
	TP_PROTO(const struct vnif_queue *q, u16 id, int status),
	TP_ARGS(q, id, status),
	TP_STRUCT__entry(
		__array(char, name, IFNAMSIZ)
		__field(u32, queue)
		__field(int, status)
		__field(u16, id)
	),
	TP_fast_assign(
		memcpy(__entry->name, q->vnif->netdev->name, IFNAMSIZ);
		__entry->queue = q->index;
		__entry->status = status;
		__entry->id = id;
	),
	TP_printk("%s queue=%u id=%u status=%d", __entry->name, __entry->queue,
		  __entry->id, __entry->status)
);

#endif /* XENPV_VNIF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH netfront
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
