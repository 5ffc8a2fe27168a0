/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes wrong on purpose: one lie a run, on one of the rings, told after some
 * honest answers. The other files ask here at the few places where something may go
 * wrong, and know nothing else about it.
 */
#ifndef BACKEND_NET_LIES_H
#define BACKEND_NET_LIES_H

#include "lying.h"
#include "vif.h"

/* NAME or NAME:NUMBER. @ring: "tx", "rx" or "ctrl". @honest: answers before it. */
void lie_choose(const char *arg, const char *ring, unsigned long honest);
void lie_list(void);

/* For struct be_ops. */
int lie_sleep(void *arg);
bool lie_leaving(void *arg);
bool lie_keeps(void);

/* Once a round of the loop. */
void lie_tick(struct vif *v);

/* Requests are to be taken off this ring at all. */
bool lie_takes(struct vif *v, const struct net_ring *r);

/* What was taken off it is to be forgotten. */
bool lie_loses(struct vif *v, const struct net_ring *r);

/* Packets of this queue are without an answer. Return: true if they were dealt with. */
bool lie_answer(struct vif *v, struct vif_queue *q);

/* Responses are written but not published. Return: true if they were. */
bool lie_publish(struct vif *v, struct vif_queue *q, struct net_ring *r);

/* A packet to the guest is planned. */
void lie_plan(struct vif *v, struct vif_queue *q, struct rx_plan *plan,
	      struct frame *f);

/* A buffer of the guest is about to be filled. */
void lie_buffer(struct vif *v, struct vif_queue *q, uint32_t ref);

/* The same of the control ring. */
void lie_ctrl(struct vif *v, struct xen_netif_ctrl_response *rsp);

/* The frontend's keys were read, Connected is not written yet. */
void lie_connecting(struct vif *v);

/* A notification is due, and is to be kept back. */
bool lie_mutes(struct vif *v, const struct net_ring *r);

/* ---- between net_lies.c and net_plans.c ------------------------------------------ */

/* What may be wrong with a packet. Return: false if this one does not serve. */
typedef bool plan_lie(struct rx_plan *plan, struct frame *f, uint64_t number);

plan_lie plan_beyond, plan_far, plan_empty, plan_short, plan_long, plan_full,
	 plan_endless, plan_extras, plan_segments, plan_headers, plan_blank,
	 plan_error, plan_no_room;

#endif /* BACKEND_NET_LIES_H */
