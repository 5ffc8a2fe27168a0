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

bool vbd_trusted = true;
module_param_named(trusted, vbd_trusted, bool, 0444);
MODULE_PARM_DESC(trusted, "the backend may see what lies beside the bytes it is given; no: copy every request, clear every buffer (default yes)");

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

static int vbd_probe(struct xpv_device *xd)
{
	struct vbd_place place;
	struct vbd *vbd;
	unsigned int i;
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
	vbd = kzalloc(sizeof(*vbd), GFP_KERNEL);
	if (!vbd)
		return -ENOMEM;
	vbd->xd = xd;
	vbd->vdevice = vdevice;
	vbd->place = place;
	vbd_place_name(&place, vbd->name);
	vbd->queues = VBD_QUEUES;
	for (i = 0; i < vbd->queues; i++)
		spin_lock_init(&vbd->queue[i].lock);
	vbd_disk_init(vbd);
	dev_set_drvdata(&xd->dev, vbd);
	return 0;
}

static void vbd_remove(struct xpv_device *xd)
{
	struct vbd *vbd = dev_get_drvdata(&xd->dev);

	/* The disk of a connection that broke, or that never came back. */
	vbd_io_fail(vbd);
	vbd_disk_kill(vbd);
	dev_set_drvdata(&xd->dev, NULL);
	kfree(vbd);
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
	.remove = vbd_remove,
};

static int __init vbd_init(void)
{
	int err;

	if (vbd_max_indirect_segments < VBD_SEGS_DIRECT ||
	    vbd_max_indirect_segments > VBD_SEGS_MAX || !vbd_timeout ||
	    vbd_timeout > 3600) {
		pr_err("max_indirect_segments is from 11 to 4096, timeout from 1 to 3600\n");
		return -EINVAL;
	}
	err = register_blkdev(VBD_MAJOR, "xvd");
	if (err) {
		pr_err("major 202 is taken: the kernel's own xen-blkfront is loaded, this module has nothing to do here\n");
		return err;
	}
	err = xpv_bus_register_driver(&vbd_driver);
	if (err)
		unregister_blkdev(VBD_MAJOR, "xvd");
	return err;
}
module_init(vbd_init);

static void __exit vbd_exit(void)
{
	xpv_bus_unregister_driver(&vbd_driver);
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
