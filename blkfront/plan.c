// SPDX-License-Identifier: GPL-2.0
/*
 * Sizes: how many rings of how many pages, and how many answers an event is worth.
 *
 * The rings are planned at prepare from what both sides allow; the pace is learnt
 * from answer to answer, by whoever takes them off the ring.
 *
 * Life: none; what is learnt is kept by the caller.
 * Locks: none; the caller's.
 * Trust: what the backend offers may be any number. Pure: compiled unmodified into
 * the unit tests.
 */
#include <linux/kernel.h>

#include "plan.h"

static u32 lower(u32 a, u32 b)
{
	return a < b ? a : b;
}

static u32 order_of(u32 pages)
{
	u32 order = 0;

	while (order < VBD_RING_ORDER_MAX && 2U << order <= pages)
		order++;
	return order;
}

/**
 * vbd_plan_rings() - rings for the next connection
 * @wish: what both sides can do
 *
 * One ring for each CPU where the limits allow it. Rings for polling are extra and
 * come last; there is always one that is not for polling.
 */
struct vbd_plan vbd_plan_rings(const struct vbd_wish *wish)
{
	u32 offered = wish->offered_queues ? wish->offered_queues : 1;
	u32 cpus = wish->cpus ? wish->cpus : 1;
	struct vbd_plan plan;

	plan.rings = wish->max_queues ? lower(cpus, wish->max_queues) : cpus;
	plan.rings = lower(plan.rings, offered);
	plan.polled = lower(wish->poll_queues, offered - plan.rings);
	/* Better one queue for both kinds fewer than none for polling. */
	if (!plan.polled && wish->poll_queues && plan.rings > 1) {
		plan.rings--;
		plan.polled = 1;
	}
	plan.rings += plan.polled;
	plan.order = wish->offered_order;
	if (!plan.order)
		plan.order = order_of(wish->offered_pages);
	plan.order = lower(lower(plan.order, wish->order), VBD_RING_ORDER_MAX);
	return plan;
}

/**
 * vbd_pace_learn() - answers were taken
 * @pace: what was learnt so far
 * @got: answers since an event was asked for
 * @ns: nanoseconds since then
 *
 * A fast backend answers several requests while one event is handled. As long as
 * answers come close together, an event is asked for after one more each time; when
 * they do not, the number is halved.
 */
void vbd_pace_learn(struct vbd_pace *pace, u32 got, u64 ns)
{
	if (pace->rest) {
		pace->rest -= lower(pace->rest, got);
		pace->after = 1;
	} else if (ns <= (u64)got * VBD_PACE_NS) {
		pace->after = lower(pace->after + 1, VBD_PACE_MAX);
		if (pace->after == VBD_PACE_MAX)
			pace->last_rest = 0;
	} else {
		pace->after -= pace->after / 2;
	}
}

/**
 * vbd_pace_late() - answers lay there because others were waited for in vain
 * @pace: what was learnt so far
 */
void vbd_pace_late(struct vbd_pace *pace)
{
	pace->last_rest = pace->last_rest ?
		lower(2 * pace->last_rest, VBD_PACE_REST_MAX) : VBD_PACE_REST;
	pace->rest = pace->last_rest;
	pace->after = 1;
}

/**
 * vbd_pace_wait() - how many answers the next event should wait for
 * @pace: what was learnt so far
 * @due: requests that are not answered yet
 *
 * Never more than are due: a request that comes alone is not waited for.
 *
 * Return: the event is to come with this answer, 1 is the next one.
 */
u32 vbd_pace_wait(const struct vbd_pace *pace, u32 due)
{
	u32 after = lower(pace->after, due);

	return after ? after : 1;
}

/**
 * vbd_pace_hold() - whether requests may be kept for the next ones to join them
 * @after: as in struct vbd_pace
 * @due: requests that the backend knows of and has not answered
 * @held: those to be kept
 *
 * Only while a fast backend has so much to do that an event will come, after which
 * they are let go.
 */
bool vbd_pace_hold(u32 after, u32 due, u32 held)
{
	return after == VBD_PACE_MAX && due >= VBD_PACE_MAX &&
	       held < VBD_PACE_MAX;
}
