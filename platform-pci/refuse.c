// SPDX-License-Identifier: GPL-2.0
/*
 * The modules for a kernel that the real ones do not build for.
 *
 * dkms builds when a kernel is installed, and on many distributions a module
 * that does not build makes the installation of that kernel fail. So there are
 * three modules in any case (`make dkms-build`), and where they are these, they
 * refuse to load and say so. They have no device aliases: nothing loads them by
 * itself, and the guest stays on its emulated disks and cards.
 *
 * One object, linked into each of the three; no state, no locks. Nothing of ours
 * is included: it may be what does not compile.
 */
#include <linux/module.h>
#include <linux/init.h>
#include <linux/errno.h>
#include <linux/printk.h>

static int __init xpv_refuse_init(void)
{
	pr_err("%s: xenpv " XENPV_VERSION " did not build for this kernel: update xenpv; dkms keeps the reason in its make.log\n",
	       THIS_MODULE->name);
	return -EOPNOTSUPP;
}
module_init(xpv_refuse_init);

MODULE_DESCRIPTION("Xen PV driver that did not build for this kernel");
MODULE_LICENSE("GPL");
MODULE_VERSION(XENPV_VERSION);
