/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many queues a connection has, which frames it carries, and what the toolstack
 * says about the link. Pure, as wire.h.
 */
#ifndef XENPV_VNIF_PLAN_H
#define XENPV_VNIF_PLAN_H

#include <linux/types.h>

/* Queues that an administrator may ask for; each takes 802 grant references. */
#define VNIF_QUEUES_MAX		64u
/* Without being asked: so that cards leave references to disks. */
#define VNIF_QUEUES_DEFAULT	8u

/**
 * struct vnif_wish - what we would like, and what the backend allows
 * @cpus: CPUs of this guest
 * @limit: queues that the interface has room for
 * @asked: by `ethtool -L`; 0: one for each CPU
 * @offered: the backend's limit; 0: it knows of one only
 */
struct vnif_wish {
	u32 cpus;
	u32 limit;
	u32 asked;
	u32 offered;
};

u32 vnif_plan_limit(u32 cpus, u32 max_queues);
u32 vnif_plan_queues(const struct vnif_wish *wish);
u32 vnif_plan_max_mtu(bool sg);
u32 vnif_plan_mtu(u64 key, u32 max);
int vnif_plan_speed(const char *text, u32 *mbps);

#endif /* XENPV_VNIF_PLAN_H */
