/* SPDX-License-Identifier: GPL-2.0 */
/* The emulated disks and cards as the kernel's device tree shows them. */
#ifndef XENPV_UNPLUG_FIND_H
#define XENPV_UNPLUG_FIND_H

#include <linux/device.h>
#include <linux/if_ether.h>
#include <linux/pci.h>

#include "unplug_plan.h"

#define XPV_EMU_MAX	24

/**
 * struct xpv_emu_dev - one emulated device and what stands for it
 * @emu: what the policy sees
 * @dev: SCSI device of a disk, PCI function of a card; NULL for a disk of which
 *	no more is known than that it is there, or that is no SCSI disk
 * @disk: block device of a disk that has one
 * @mac: address of a card whose driver told it
 * @mac_known: there is such a driver
 */
struct xpv_emu_dev {
	struct xpv_emu emu;
	struct device *dev;
	struct device *disk;
	u8 mac[ETH_ALEN];
	bool mac_known;
};

/**
 * struct xpv_emu_list - all emulated disks and cards of the guest
 * @ide: the IDE controller; NULL where there is none
 * @ide_idle: it has no driver: its disks are not to be seen
 * @incomplete: there were more than XPV_EMU_MAX
 * @n: entries of @entry
 * @entry: the devices, each holding references to what it points to
 */
struct xpv_emu_list {
	struct pci_dev *ide;
	bool ide_idle;
	bool incomplete;
	unsigned int n;
	struct xpv_emu_dev entry[XPV_EMU_MAX];
};

/* Fill in a zeroed list. Process context; the twins are not looked up. */
void xpv_emu_collect(struct xpv_emu_list *list);
void xpv_emu_release(struct xpv_emu_list *list);

/* A further entry, or NULL when the list is full. */
struct xpv_emu_dev *xpv_emu_add(struct xpv_emu_list *list,
				enum xpv_emu_kind kind);

/* Is it in use now? */
bool xpv_emu_busy(const struct xpv_emu_dev *entry);

#endif /* XENPV_UNPLUG_FIND_H */
