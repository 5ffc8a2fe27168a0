/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of xen-vbd, system "xen_vbd": the life of a request.
 *
 *	vbd_submit	it is on the ring
 *	vbd_response	the backend's answer was checked and taken
 *	vbd_end		its pages are back, and it ends; or its rest is sent again
 *
 * "id" is what stands on the wire, queue << 32 | tag. When the backend is told, and
 * when its event comes, is in the system "xenpv" (platform-pci/trace.h).
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xen_vbd

#if !defined(XENPV_VBD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define XENPV_VBD_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>
#include <xen/interface/io/blkif.h>

#include "vbd.h"

#ifndef VBD_TRACE_OPS
#define VBD_TRACE_OPS						\
	{ BLKIF_OP_READ, "read" },				\
	{ BLKIF_OP_WRITE, "write" },				\
	{ BLKIF_OP_WRITE_BARRIER, "barrier" },			\
	{ BLKIF_OP_FLUSH_DISKCACHE, "flush" },			\
	{ BLKIF_OP_DISCARD, "discard" }
#endif

TRACE_EVENT(vbd_submit,
	TP_PROTO(const struct vbd *vbd, const struct vbd_slot *slot,
		 const struct request *rq, const struct blkif_request *req),
	TP_ARGS(vbd, slot, rq, req),
	TP_STRUCT__entry(
		__array(char, disk, VBD_NAME_MAX)
		__field(u64, id)
		__field(u64, sector)
		__field(u32, bytes)
		__field(u32, segs)
		__field(u8, op)
	),
	TP_fast_assign(
		memcpy(__entry->disk, vbd->name, VBD_NAME_MAX);
		__entry->id = req->operation == BLKIF_OP_INDIRECT ?
			      req->u.indirect.id :
			      req->operation == BLKIF_OP_DISCARD ?
			      req->u.discard.id : req->u.rw.id;
		__entry->sector = blk_rq_pos(rq);
		__entry->bytes = slot->bytes;
		__entry->segs = slot->segs;
		__entry->op = slot->op;
	),
	TP_printk("%s %s id=%#llx sector=%llu bytes=%u segs=%u", __entry->disk,
		  __print_symbolic(__entry->op, VBD_TRACE_OPS), __entry->id,
		  __entry->sector, __entry->bytes, __entry->segs)
);

TRACE_EVENT(vbd_response,
	TP_PROTO(const struct vbd *vbd, const struct blkif_response *rsp),
	TP_ARGS(vbd, rsp),
	TP_STRUCT__entry(
		__array(char, disk, VBD_NAME_MAX)
		__field(u64, id)
		__field(s16, status)
		__field(u8, op)
	),
	TP_fast_assign(
		memcpy(__entry->disk, vbd->name, VBD_NAME_MAX);
		__entry->id = rsp->id;
		__entry->status = rsp->status;
		__entry->op = rsp->operation;
	),
	TP_printk("%s %s id=%#llx status=%d", __entry->disk,
		  __print_symbolic(__entry->op, VBD_TRACE_OPS), __entry->id,
		  __entry->status)
);

TRACE_EVENT(vbd_end,
	TP_PROTO(const struct vbd *vbd, u64 id, u8 op, u32 bytes,
		 blk_status_t status),
	TP_ARGS(vbd, id, op, bytes, status),
	TP_STRUCT__entry(
		__array(char, disk, VBD_NAME_MAX)
		__field(u64, id)
		__field(u32, bytes)
		__field(int, err)
		__field(u8, op)
	),
	TP_fast_assign(
		memcpy(__entry->disk, vbd->name, VBD_NAME_MAX);
		__entry->id = id;
		__entry->bytes = bytes;
		__entry->err = blk_status_to_errno(status);
		__entry->op = op;
	),
	TP_printk("%s %s id=%#llx bytes=%u err=%d", __entry->disk,
		  __print_symbolic(__entry->op, VBD_TRACE_OPS), __entry->id,
		  __entry->bytes, __entry->err)
);

#endif /* XENPV_VBD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH blkfront
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
