// SPDX-License-Identifier: GPL-2.0
/*
 * State in debugfs, for people and for xenpv-doctor: xen-platform-pci/platform, one
 * "name value" a line, and xen-platform-pci/ports, one line for each open port.
 *
 * Life: from the end of a successful start to the beginning of the stop; the removal
 * waits for those who read.
 * Locks: those of the layers that are asked; numbers are a little old.
 * Trust: nothing here is a backend's but the number of its events.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <xenpv/grant.h>

#include "internal.h"

static struct dentry *root;

static int platform_show(struct seq_file *m, void *unused)
{
	char events[48];

	xpv_platform_show(m);
	xpv_upcall_describe(events, sizeof(events));
	seq_printf(m, "events %s\n", events);
	seq_printf(m, "shared_pages %s\n", xpv_frames.in_ram ? "RAM" : "BAR");
	seq_printf(m, "grant_frames %u\n", READ_ONCE(xpv_frames.grant_now));
	seq_printf(m, "grant_frames_max %u\n", xpv_frames.grant_max);
	seq_printf(m, "parked_pages %u\n", xpv_gnt_parked());
	xpv_unplug_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(platform);

static int ports_show(struct seq_file *m, void *unused)
{
	struct xpv_evtchn_facts facts;
	evtchn_port_t port = 0;

	while (xpv_evtchn_next(&port, &facts))
		seq_printf(m, "port %u irq %u cpu %u events %lu spurious %lu throttled %lu name %s\n",
			   port, facts.irq, facts.cpu, facts.events,
			   facts.spurious, facts.throttled, facts.name);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ports);

/* Without debugfs there is nothing to see, and nothing else is missing. */
void xpv_debug_start(void)
{
	root = debugfs_create_dir("xen-platform-pci", NULL);
	debugfs_create_file("platform", 0444, root, NULL, &platform_fops);
	debugfs_create_file("ports", 0444, root, NULL, &ports_fops);
}

void xpv_debug_stop(void)
{
	debugfs_remove_recursive(root);
	root = NULL;
}
