// SPDX-License-Identifier: GPL-2.0
/*
 * Counters in debugfs: xen-vbd/<device>/stats, one "name value" a line, summed up
 * over the rings; and xen-vbd/<device>/rings, one line for each.
 *
 * Life: from a device's probe to its remove; counts begin with each connection but
 * copied_bytes, which begins with the device.
 * Locks: none; numbers that change while they are read are a little old.
 * Trust: nothing here is the backend's.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "vbd.h"

static struct dentry *root;

#define SUM(vbd, field) ({						\
	u64 _sum = 0;							\
	u32 _i;								\
	for (_i = 0; _i < (vbd)->rings; _i++)				\
		_sum += READ_ONCE((vbd)->ring[_i].field);		\
	_sum; })

#define LINE(m, name, value) \
	seq_printf(m, "%s %llu\n", name, (unsigned long long)(value))

static int stats_show(struct seq_file *m, void *unused)
{
	struct vbd *vbd = m->private;
	u64 copied = 0, pool = 0;
	u32 i;

	for (i = 0; i < vbd->queues; i++) {
		copied += READ_ONCE(vbd->queue[i].copied_bytes);
		pool += READ_ONCE(vbd->queue[i].pool.total);
	}
	LINE(m, "rings", vbd->rings);
	LINE(m, "ring_pages", 1U << vbd->plan.order);
	LINE(m, "polled", vbd->plan.polled);
	LINE(m, "persistent", vbd->persistent);
	LINE(m, "segments_max", vbd->queue[0].max_segs);
	LINE(m, "requests", SUM(vbd, asked));
	LINE(m, "segments", SUM(vbd, segments));
	LINE(m, "notifies", SUM(vbd, notifies));
	LINE(m, "responses", SUM(vbd, answered));
	LINE(m, "events", SUM(vbd, evtchn.events));
	LINE(m, "late", SUM(vbd, late));
	LINE(m, "spurious", SUM(vbd, evtchn.spurious));
	LINE(m, "throttled", SUM(vbd, evtchn.throttled));
	LINE(m, "copied_bytes", copied);
	LINE(m, "pool_pages", pool);
	LINE(m, "parked_pages", xpv_gnt_parked());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int rings_show(struct seq_file *m, void *unused)
{
	struct vbd *vbd = m->private;
	const struct vbd_ring *ring;
	u32 i;

	for (i = 0; i < vbd->rings; i++) {
		ring = &vbd->ring[i];
		seq_printf(m, "ring %u port %u irq %u cpu %u slots %u asked %llu answered %llu events %lu pace %u%s%s\n",
			   i, ring->evtchn.port, ring->evtchn.irq,
			   ring->evtchn.cpu, ring->ring.slots, ring->asked,
			   ring->answered, ring->evtchn.events, ring->pace.after,
			   ring->polled ? " polled" : "",
			   ring->dead ? " dead" : "");
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rings);

/**
 * vbd_stats_add() - show a device
 * @vbd: the device
 */
void vbd_stats_add(struct vbd *vbd)
{
	vbd->stats = debugfs_create_dir(dev_name(&vbd->xd->dev), root);
	debugfs_create_file("stats", 0444, vbd->stats, vbd, &stats_fops);
	debugfs_create_file("rings", 0444, vbd->stats, vbd, &rings_fops);
}

/**
 * vbd_stats_remove() - waits for those who read
 * @vbd: the device
 */
void vbd_stats_remove(struct vbd *vbd)
{
	debugfs_remove_recursive(vbd->stats);
}

/* Without debugfs there are no counters to see, and nothing else is missing. */
void vbd_stats_init(void)
{
	root = debugfs_create_dir("xen-vbd", NULL);
}

void vbd_stats_exit(void)
{
	debugfs_remove_recursive(root);
}
