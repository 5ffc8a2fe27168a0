// SPDX-License-Identifier: GPL-2.0
/*
 * Find the emulated disks and cards.
 *
 * The device model's PCI functions are told by class and by its subsystem
 * vendor, so that a real card passed through to the guest is none of them.
 * Below a disk controller the device tree is walked: hosts in the order of its
 * channels, SCSI devices below them, block devices below those. libata, SCSI
 * and the cards' drivers are looked at, not linked against: a kernel without
 * them needs no unplug either, and their modules may come later than this one.
 *
 * Life: a list is made, used and released by one caller; nothing is kept.
 * Locks: none. Each entry holds a reference to its devices, so they stay, but a
 * driver may come or go at any time: what is decided from a list is looked at
 * again before it is done (unplug.c).
 * Trust: the device model.
 */
#include <linux/blkdev.h>
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/string.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>

#include "unplug_find.h"

#define VENDOR_XEN	0x5853
#define VENDOR_QEMU	0x1af4

/* Where a walk below one PCI function stands. */
struct walk {
	struct xpv_emu_list *list;
	enum xpv_emu_kind disks;
	unsigned int first_host;
	bool any_host;
};

struct xpv_emu_dev *xpv_emu_add(struct xpv_emu_list *list,
				enum xpv_emu_kind kind)
{
	struct xpv_emu_dev *entry;

	if (list->n == XPV_EMU_MAX) {
		list->incomplete = true;
		return NULL;
	}
	entry = &list->entry[list->n++];
	entry->emu.kind = kind;
	return entry;
}

void xpv_emu_release(struct xpv_emu_list *list)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		put_device(list->entry[i].disk);
		put_device(list->entry[i].dev);
	}
	pci_dev_put(list->ide);
	memset(list, 0, sizeof(*list));
}

bool xpv_emu_busy(const struct xpv_emu_dev *entry)
{
	/* Whoever opens a partition opens the whole disk, too. */
	if (entry->emu.kind != XPV_EMU_NIC)
		return entry->disk &&
		       xpv_disk_openers(dev_to_disk(entry->disk)) > 0;
	return entry->emu.busy;
}

/* ---- disks ---------------------------------------------------------------- */

static bool device_is(const struct device *dev, const char *type)
{
	return dev->type && dev->type->name && !strcmp(dev->type->name, type);
}

static bool is_block(const struct device *dev)
{
	return dev->class && !strcmp(dev->class->name, "block");
}

static int take_block_device(struct device *dev, void *data)
{
	struct xpv_emu_dev *entry = data;

	if (!is_block(dev))
		return 0;
	entry->disk = get_device(dev);
	return 1;
}

static void name_disk(struct xpv_emu_dev *entry)
{
	struct xpv_emu *emu = &entry->emu;
	const char *linux_name = dev_name(entry->disk ?: entry->dev);

	if (emu->kind == XPV_EMU_DISK)
		snprintf(emu->name, sizeof(emu->name), "hd%c (%s)",
			 'a' + emu->index, linux_name);
	else
		strscpy(emu->name, linux_name, sizeof(emu->name));
}

static void add_scsi_device(struct walk *walk, struct device *dev)
{
	struct scsi_device *sdev = to_scsi_device(dev);
	struct xpv_emu_dev *entry = xpv_emu_add(walk->list, walk->disks);

	if (!entry)
		return;
	if (sdev->type == TYPE_ROM)
		entry->emu.kind = XPV_EMU_CDROM;
	/* An IDE channel is a host with two devices, an AHCI port one with one. */
	entry->emu.index = sdev->host->host_no - walk->first_host;
	if (walk->disks == XPV_EMU_DISK)
		entry->emu.index = (entry->emu.index ? 2 : 0) | (sdev->id & 1);
	entry->dev = get_device(dev);
	device_for_each_child(dev, entry, take_block_device);
	name_disk(entry);
	entry->emu.busy = xpv_emu_busy(entry);
}

/* A disk without SCSI: virtio. */
static void add_block_device(struct walk *walk, struct device *dev)
{
	struct xpv_emu_dev *entry = xpv_emu_add(walk->list, walk->disks);

	if (!entry)
		return;
	entry->disk = get_device(dev);
	entry->emu.kind = XPV_EMU_SCSI;
	entry->emu.busy = xpv_emu_busy(entry);
	name_disk(entry);
}

/* Parents before children, siblings in the order in which they were made. */
static int visit(struct device *dev, void *data)
{
	struct walk *walk = data;

	/* Not dev_to_shost(): that would link against the SCSI layer. */
	if (device_is(dev, "scsi_host") && !walk->any_host) {
		walk->any_host = true;
		walk->first_host =
			container_of(dev, struct Scsi_Host, shost_gendev)->host_no;
	}
	if (device_is(dev, "scsi_device")) {
		add_scsi_device(walk, dev);
		return 0;
	}
	if (is_block(dev)) {
		add_block_device(walk, dev);
		return 0;
	}
	return device_for_each_child(dev, walk, visit);
}

static void add_disks(struct xpv_emu_list *list, struct pci_dev *pdev,
		      enum xpv_emu_kind kind)
{
	struct walk walk = { .list = list, .disks = kind };

	device_for_each_child(&pdev->dev, &walk, visit);
}

/* What hangs on a controller without a driver nobody knows. */
static void add_controller(struct xpv_emu_list *list, struct pci_dev *pdev,
			   enum xpv_emu_kind kind)
{
	struct xpv_emu_dev *entry;

	if (pdev->dev.driver) {
		add_disks(list, pdev, kind);
		return;
	}
	entry = xpv_emu_add(list, kind);
	if (entry)
		strscpy(entry->emu.name, pci_name(pdev), sizeof(entry->emu.name));
}

/* ---- cards ---------------------------------------------------------------- */

static int take_interface(struct device *dev, void *data)
{
	struct xpv_emu_dev *entry = data;
	struct net_device *ndev;

	if (!dev->class || strcmp(dev->class->name, "net"))
		return device_for_each_child(dev, entry, take_interface);
	ndev = to_net_dev(dev);
	ether_addr_copy(entry->mac, is_valid_ether_addr(ndev->perm_addr) ?
				    ndev->perm_addr : ndev->dev_addr);
	entry->mac_known = true;
	entry->emu.busy = READ_ONCE(ndev->flags) & IFF_UP;
	strscpy(entry->emu.name, dev_name(dev), sizeof(entry->emu.name));
	return 1;
}

static void add_card(struct xpv_emu_list *list, struct pci_dev *pdev)
{
	struct xpv_emu_dev *entry;
	u16 vendor;

	/* A card that was unplugged answers nothing, but Linux still lists it. */
	if (pci_read_config_word(pdev, PCI_VENDOR_ID, &vendor) ||
	    vendor != pdev->vendor)
		return;
	entry = xpv_emu_add(list, XPV_EMU_NIC);
	if (!entry)
		return;
	entry->dev = get_device(&pdev->dev);
	strscpy(entry->emu.name, pci_name(pdev), sizeof(entry->emu.name));
	device_for_each_child(&pdev->dev, entry, take_interface);
}

/* ---- all of them ---------------------------------------------------------- */

static void add_function(struct xpv_emu_list *list, struct pci_dev *pdev)
{
	switch (pdev->class >> 8) {
	case PCI_CLASS_STORAGE_IDE:
		if (list->ide) {
			add_controller(list, pdev, XPV_EMU_SATA);
			break;
		}
		list->ide = pci_dev_get(pdev);
		list->ide_idle = !pdev->dev.driver;
		add_disks(list, pdev, XPV_EMU_DISK);
		break;
	case PCI_CLASS_STORAGE_SATA:
		add_controller(list, pdev, XPV_EMU_SATA);
		break;
	case PCI_CLASS_STORAGE_SCSI:
		add_controller(list, pdev, XPV_EMU_SCSI);
		break;
	case PCI_CLASS_NETWORK_ETHERNET:
		add_card(list, pdev);
		break;
	}
}

void xpv_emu_collect(struct xpv_emu_list *list)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		if (pdev->subsystem_vendor == VENDOR_XEN ||
		    pdev->subsystem_vendor == VENDOR_QEMU)
			add_function(list, pdev);
}
