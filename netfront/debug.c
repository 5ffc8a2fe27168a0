// SPDX-License-Identifier: GPL-2.0
/*
 * What was agreed on with the backend, in debugfs: xen-vnif/<device>/state, one
 * "name value" a line. Counters are in `ethtool -S`.
 *
 * Life: from a device's probe to its remove; the removal waits for those who read.
 * Locks: none; what changes while it is read is a little old.
 * Trust: nothing here is the backend's but what it offered, as it was checked.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "vnif.h"

static struct dentry *root;

static const struct {
	netdev_features_t bit;
	const char *word;
} offloads[] = {
	{ NETIF_F_SG, "scatter-gather" },
	{ NETIF_F_IP_CSUM, "IPv4-checksum" },
	{ NETIF_F_IPV6_CSUM, "IPv6-checksum" },
	{ NETIF_F_TSO, "TSO" },
	{ NETIF_F_TSO6, "TSO6" },
};

static void show_offloads(struct seq_file *m, netdev_features_t offered)
{
	unsigned int i;

	seq_puts(m, "offloads");
	for (i = 0; i < ARRAY_SIZE(offloads); i++)
		if (offered & offloads[i].bit)
			seq_printf(m, " %s", offloads[i].word);
	seq_puts(m, "\n");
}

static int state_show(struct seq_file *m, void *unused)
{
	const struct vnif *vnif = m->private;

	seq_printf(m, "interface %s\n", READ_ONCE(vnif->registered) ?
		   netdev_name(vnif->netdev) : "none");
	seq_printf(m, "live %d\n", vnif_is_live(vnif));
	seq_printf(m, "broken %d\n", READ_ONCE(vnif->broken));
	seq_printf(m, "queues %u\n", READ_ONCE(vnif->nqueues));
	seq_printf(m, "queues_max %u\n", READ_ONCE(vnif->max_queues));
	seq_printf(m, "split_events %d\n", READ_ONCE(vnif->split));
	seq_printf(m, "trusted %d\n", READ_ONCE(vnif->trusted));
	seq_printf(m, "control_ring %d\n", READ_ONCE(vnif->ctrl.ready));
	seq_printf(m, "multicast_control %d\n", READ_ONCE(vnif->mcast.offered));
	seq_printf(m, "xdp %d\n", vnif_xdp_on(vnif));
	show_offloads(m, READ_ONCE(vnif->offered));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/**
 * vnif_debug_add() - show a device
 * @vnif: the device
 */
void vnif_debug_add(struct vnif *vnif)
{
	vnif->debug = debugfs_create_dir(dev_name(&vnif->xd->dev), root);
	debugfs_create_file("state", 0444, vnif->debug, vnif, &state_fops);
}

/**
 * vnif_debug_remove() - waits for those who read
 * @vnif: the device
 */
void vnif_debug_remove(struct vnif *vnif)
{
	debugfs_remove_recursive(vnif->debug);
}

/* Without debugfs there is nothing to see, and nothing else is missing. */
void vnif_debug_init(void)
{
	root = debugfs_create_dir("xen-vnif", NULL);
}

void vnif_debug_exit(void)
{
	debugfs_remove_recursive(root);
}
