/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many rings of what size a connection has, how many answers one event is worth,
 * and how many requests one notify. Pure, as segs.h.
 */
#ifndef VBD_PLAN_H
#define VBD_PLAN_H

#include <linux/types.h>

#define VBD_RING_ORDER_MAX	4U
#define VBD_RING_PAGES_MAX	(1U << VBD_RING_ORDER_MAX)

/**
 * struct vbd_wish - what we would like, and what the backend allows
 * @cpus: CPUs of this guest
 * @max_queues: the administrator's limit; 0: none
 * @poll_queues: queues for polling that the administrator wants
 * @order: the administrator's limit of a ring's size
 * @offered_queues: the backend's limit; 0: it knows of one only
 * @offered_order: its limit of a ring's size; 0: one page
 * @offered_pages: the same in pages, an older key; 0: not said
 */
struct vbd_wish {
	u32 cpus;
	u32 max_queues;
	u32 poll_queues;
	u32 order;
	u32 offered_queues;
	u32 offered_order;
	u32 offered_pages;
};

/**
 * struct vbd_plan - what a connection has
 * @rings: rings, those for polling among them
 * @polled: how many of them, the last ones, are for polling
 * @order: a ring has 1 << @order pages
 */
struct vbd_plan {
	u32 rings;
	u32 polled;
	u32 order;
};

struct vbd_plan vbd_plan_rings(const struct vbd_wish *wish);

#define VBD_PACE_MAX	8U
/* Answers that come closer together than this are worth waiting for. */
#define VBD_PACE_NS	100000U
/* So many answers are not waited for after one that came late; twice as many each time. */
#define VBD_PACE_REST		1024U
#define VBD_PACE_REST_MAX	(1U << 20)

/**
 * struct vbd_pace - what has been learnt of a backend's speed
 * @after: an event for so many answers, if so many are due
 * @rest: nothing is learnt from so many answers more
 * @last_rest: how long the last rest was to be
 */
struct vbd_pace {
	u32 after;
	u32 rest;
	u32 last_rest;
};

void vbd_pace_learn(struct vbd_pace *pace, u32 got, u64 ns);
void vbd_pace_late(struct vbd_pace *pace);
u32 vbd_pace_wait(const struct vbd_pace *pace, u32 due);
bool vbd_pace_hold(u32 after, u32 due, u32 held);

#endif /* VBD_PLAN_H */
