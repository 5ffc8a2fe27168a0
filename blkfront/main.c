// SPDX-License-Identifier: GPL-2.0
/*
 * xen-vbd: disks that a Xen host gives this guest (blkfront).
 *
 * This file is the module: its parameters, the major number, and a device's birth
 * and death. The rest is listed in vbd.h.
 *
 * Life: probe refuses what must not be used (a disk that the guest also has as an
 * emulated one) and allocates; all that takes a backend is in connect.c; remove
 * frees. The module stays while a disk is open.
 * Locks: none.
 * Trust: parameters come from the administrator, `virtual-device` from the
 * toolstack.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "vbd.h"

#define VBD_POLL_QUEUES_MAX	16U

bool vbd_trusted = true;
module_param_named(trusted, vbd_trusted, bool, 0444);
MODULE_PARM_DESC(trusted, "the backend may see what lies beside the bytes it is given; no: copy every request, clear every buffer (default yes)");

bool vbd_persistent = true;
module_param_named(feature_persistent, vbd_persistent, bool, 0444);
MODULE_PARM_DESC(feature_persistent, "copy data through pages that stay granted, where the backend keeps them mapped (default yes)");

unsigned int vbd_max_queues;
module_param_named(max_queues, vbd_max_queues, uint, 0444);
MODULE_PARM_DESC(max_queues, "most queues of a disk (0: one for each CPU, default 0)");

unsigned int vbd_poll_queues;
module_param_named(poll_queues, vbd_poll_queues, uint, 0444);
MODULE_PARM_DESC(poll_queues, "queues for I/O that is waited for by polling, in addition (0 to 16, default 0)");

unsigned int vbd_max_ring_order;
module_param_named(max_ring_page_order, vbd_max_ring_order, uint, 0444);
MODULE_PARM_DESC(max_ring_page_order, "largest ring, as a power of two pages, where the backend allows more than one page (0 to 4, default 0)");

unsigned int vbd_reconnect_timeout = 60;
module_param_named(reconnect_timeout, vbd_reconnect_timeout, uint, 0644);
MODULE_PARM_DESC(reconnect_timeout, "seconds that I/O waits for a backend that has vanished to come back before it fails (0: not at all, default 60)");

unsigned int vbd_max_indirect_segments = 32;
module_param_named(max_indirect_segments, vbd_max_indirect_segments, uint, 0444);
MODULE_PARM_DESC(max_indirect_segments, "largest request in segments of 4 KiB where the backend takes more than 11 (11 to 4096, default 32)");

unsigned int vbd_timeout = 30;
module_param_named(timeout, vbd_timeout, uint, 0444);
MODULE_PARM_DESC(timeout, "seconds after which a request without an answer is mentioned in the log; it waits on (1 to 3600, default 30)");

static int read_vdevice(struct xpv_device *xd, u64 *vdevice)
{
	int err = xpv_bus_read_front_u64(xd, "virtual-device", vdevice);

	/* Numbers that an old frontend would misread have a key of their own. */
	if (err == -ENOENT)
		err = xpv_bus_read_front_u64(xd, "virtual-device-ext", vdevice);
	return err;
}

static void vbd_free(struct vbd *vbd)
{
	kfree(vbd->ring);
	kfree(vbd->queue);
	kfree(vbd);
}

/* Room for all the queues and rings that any connection of it may have. */
static struct vbd *vbd_alloc(struct xpv_device *xd)
{
	struct vbd *vbd = kzalloc(sizeof(*vbd), GFP_KERNEL);
	u32 i;

	if (!vbd)
		return NULL;
	vbd->xd = xd;
	vbd->limit = vbd_max_queues ? min(vbd_max_queues, nr_cpu_ids) :
				      nr_cpu_ids;
	vbd->limit += vbd_poll_queues;
	vbd->queue = kcalloc(vbd->limit, sizeof(*vbd->queue), GFP_KERNEL);
	vbd->ring = kcalloc(vbd->limit, sizeof(*vbd->ring), GFP_KERNEL);
	if (!vbd->queue || !vbd->ring) {
		vbd_free(vbd);
		return NULL;
	}
	for (i = 0; i < vbd->limit; i++) {
		vbd->queue[i].vbd = vbd;
		vbd->queue[i].index = i;
		vbd->queue[i].ring = &vbd->ring[i];
		spin_lock_init(&vbd->queue[i].lock);
		vbd_ring_init(vbd, &vbd->ring[i]);
	}
	INIT_LIST_HEAD(&vbd->kept);
	ratelimit_state_init(&vbd->news, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	vbd_disk_init(vbd);
	return vbd;
}

static int vbd_probe(struct xpv_device *xd)
{
	struct vbd_place place;
	struct vbd *vbd;
	u64 vdevice;
	int err;

	err = read_vdevice(xd, &vdevice);
	if (!err)
		err = vbd_place_find(vdevice, &place);
	if (err) {
		xpv_bus_error(xd, err, "virtual-device names no disk");
		return err;
	}
	if (xpv_unplug_disk_twin(vdevice)) {
		dev_notice(&xd->dev,
			   "left alone: the same disk is here as an emulated one (see the parameter unplug of xen-platform-pci)\n");
		return -ENODEV;
	}
	vbd = vbd_alloc(xd);
	if (!vbd)
		return -ENOMEM;
	vbd->vdevice = vdevice;
	vbd->place = place;
	vbd_place_name(&place, vbd->name);
	vbd_stats_add(vbd);
	dev_set_drvdata(&xd->dev, vbd);
	return 0;
}

static void vbd_remove(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);

	/* The disk of a connection that broke, or that never came back. */
	vbd_io_fail(vbd);
	vbd_disk_kill(vbd);
	vbd_stats_remove(vbd);
	dev_set_drvdata(&xd->dev, NULL);
	vbd_free(vbd);
}

static struct xpv_driver vbd_driver = {
	.type = "vbd",
	.announce = XenbusStateInitialised,
	.probe = vbd_probe,
	.prepare = vbd_prepare,
	.publish = vbd_publish,
	.connect = vbd_connect,
	.changed = vbd_changed,
	.stop = vbd_stop,
	.disconnect = vbd_disconnect,
	.suspend = vbd_suspend,
	.resume = vbd_resume,
	.remove = vbd_remove,
	.linger = &vbd_reconnect_timeout,
};

static bool parameters_valid(void)
{
	if (vbd_max_indirect_segments < VBD_SEGS_DIRECT ||
	    vbd_max_indirect_segments > VBD_SEGS_MAX)
		pr_err("max_indirect_segments is from 11 to 4096\n");
	else if (!vbd_timeout || vbd_timeout > 3600)
		pr_err("timeout is from 1 to 3600\n");
	else if (vbd_poll_queues > VBD_POLL_QUEUES_MAX)
		pr_err("poll_queues is from 0 to 16\n");
	else if (vbd_max_ring_order > VBD_RING_ORDER_MAX)
		pr_err("max_ring_page_order is from 0 to 4\n");
	else
		return true;
	return false;
}

static int __init vbd_init(void)
{
	int err;

	if (!parameters_valid())
		return -EINVAL;
	err = register_blkdev(VBD_MAJOR, "xvd");
	if (err) {
		pr_err("major 202 is taken: the kernel's own xen-blkfront is loaded, this module has nothing to do here\n");
		return err;
	}
	vbd_stats_init();
	err = xpv_bus_register_driver(&vbd_driver);
	if (err) {
		vbd_stats_exit();
		unregister_blkdev(VBD_MAJOR, "xvd");
	}
	return err;
}
module_init(vbd_init);

static void __exit vbd_exit(void)
{
	xpv_bus_unregister_driver(&vbd_driver);
	vbd_stats_exit();
	unregister_blkdev(VBD_MAJOR, "xvd");
}
module_exit(vbd_exit);

MODULE_AUTHOR("The xenpv authors");
MODULE_DESCRIPTION("Xen virtual block device frontend");
MODULE_LICENSE("GPL");
MODULE_VERSION(XENPV_VERSION);
MODULE_ALIAS("xen:vbd");
MODULE_ALIAS("xenblk");
MODULE_ALIAS("xen_blkfront");
MODULE_ALIAS_BLOCKDEV_MAJOR(VBD_MAJOR);
