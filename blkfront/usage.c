// SPDX-License-Identifier: GPL-2.0
/*
 * Is the guest lost without this disk? Then the host should know, before it takes
 * the disk away: the keys `root` and `paging` of the frontend's directory.
 *
 * Swap shows itself by the first page that goes there. The root file system is where
 * the first process has its root directory; a device between it and the disk (LVM,
 * dm-crypt) hides it, as it hides what is on it.
 *
 * Life: looked at when keys are published, and when the host asks for the disk.
 * Locks: none of ours.
 * Trust: nothing here is the backend's.
 */
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/path.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>

#include "vbd.h"

/* The root directory of the first process. Return: false if there is none. */
static bool first_root(struct path *root)
{
	struct task_struct *init;
	bool found;

	rcu_read_lock();
	init = pid_task(find_pid_ns(1, &init_pid_ns), PIDTYPE_PID);
	if (init)
		get_task_struct(init);
	rcu_read_unlock();
	if (!init)
		return false;
	task_lock(init);
	found = init->fs;
	if (found)
		get_fs_root(init->fs, root);
	task_unlock(init);
	put_task_struct(init);
	return found;
}

/**
 * vbd_usage_root() - is the root file system on a disk, or on a partition of it?
 * @vbd: the device; with or without a disk
 *
 * Process context.
 */
bool vbd_usage_root(struct vbd *vbd)
{
	struct block_device *bdev;
	struct path root;
	bool is;

	if (!vbd->disk || !first_root(&root))
		return false;
	bdev = root.mnt->mnt_sb->s_bdev;
	is = bdev && bdev->bd_disk == vbd->disk;
	path_put(&root);
	return is;
}
