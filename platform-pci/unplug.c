// SPDX-License-Identifier: GPL-2.0
/*
 * Take away emulated devices that the guest also has as PV devices.
 *
 * A disk that the host shows twice and the guest uses twice is a disk destroyed.
 * So what the policy (unplug_plan.c) lets go is taken out of Linux's hands
 * first, then out of the guest: the drivers of disks and cards are released,
 * which writes back their caches; it is looked once more whether anybody still
 * holds one of them open; then the disks' devices are removed and the bits written
 * to the device model's port. Until the removal all can be, and is, given back;
 * after it nothing can, until the guest starts anew.
 *
 * The port, docs/misc/hvm-emulated-unplug.pandoc in Xen: reading 0x10 tells
 * whether anybody listens; a driver names itself at 0x12 and 0x10, and the host's
 * administrator may have put it on a list of those who are refused.
 *
 * Some device models reset the IDE controller on the way, and its PCI registers
 * with it, although the primary master stays. Nothing may be in flight on it at
 * that moment, and the registers are put back.
 *
 * Life: xpv_unplug_run() once a load, before the bus starts; xpv_unplug_tidy() after
 * it; xpv_unplug_again() where the guest was moved. Twins are looked up anew each
 * time.
 * Locks: taken_bits and hidden_disks are written by xpv_unplug_run() alone,
 * before any frontend can ask.
 * Trust: Xen, its toolstack and its device model.
 */
#include <linux/async.h>
#include <linux/blk-mq.h>
#include <linux/etherdevice.h>
#include <linux/io.h>
#include <linux/libata.h>
#include <linux/slab.h>
#include <scsi/scsi_device.h>
#include <xen/interface/io/xenbus.h>
#include <xenpv/bus.h>
#include <xenpv/store.h>

#include "internal.h"
#include "unplug_find.h"

#define PORT_MAGIC	0x10	/* read, 2 bytes */
#define PORT_UNPLUG	0x10	/* write, 2 bytes */
#define PORT_BUILD	0x10	/* write, 4 bytes */
#define PORT_PROTOCOL	0x12	/* read, 1 byte */
#define PORT_PRODUCT	0x12	/* write, 2 bytes */
#define MAGIC		0x49d2
#define PRODUCT		0xffff	/* "experimental": we have no number of our own */
#define BUILD		1

#define IDE_DISKS	4
#define MAX_VIFS	16

/* What this load has unplugged. */
static u16 taken_bits;

/* IDE disks that no driver has looked at, as xenstore showed them at load. */
static u8 hidden_disks;

/* For those who ask later; written by xpv_unplug_run() alone, before any can. */
static char done[80];
static char disks_stay[80];
static char cards_stay[80];

/*
 * Linked weakly: with them the devices of disks that go are taken away. Where the
 * SCSI layer or libata is missing or comes later there are none.
 */
void scsi_remove_device(struct scsi_device *sdev) __weak;
void ata_port_wait_eh(struct ata_port *ap) __weak;

bool xpv_unplug_valid(const char *mode)
{
	return xpv_unplug_mode(mode) >= 0;
}

/* ---- what xenstore shows -------------------------------------------------- */

struct twins {
	u8 disks;
	unsigned int vifs;
	u8 mac[MAX_VIFS][ETH_ALEN];
};

/* Is there a backend for device/TYPE/ID that is not on its way out? */
static bool backend_is_there(const char *dir)
{
	char *backend, *state;
	unsigned int n = XenbusStateUnknown;

	backend = xpv_xs_read(XPV_XS_NO_TX, dir, "backend", NULL);
	if (IS_ERR(backend))
		return false;
	state = xpv_xs_read(XPV_XS_NO_TX, backend, "state", NULL);
	kfree(backend);
	if (IS_ERR(state))
		return false;
	if (kstrtouint(state, 10, &n))
		n = XenbusStateUnknown;
	kfree(state);
	return n >= XenbusStateInitialising && n <= XenbusStateConnected;
}

static bool key_is(const char *dir, const char *key, const char *want)
{
	char *value = xpv_xs_read(XPV_XS_NO_TX, dir, key, NULL);
	bool same = !IS_ERR(value) && !strcmp(value, want);

	if (!IS_ERR(value))
		kfree(value);
	return same;
}

static void add_vbd(struct twins *twins, const char *dir, const char *id)
{
	u32 vdevice;
	int index;

	if (kstrtou32(id, 10, &vdevice))
		return;
	index = xpv_unplug_ide_index(vdevice);
	if (index >= 0 && key_is(dir, "device-type", "disk") &&
	    backend_is_there(dir))
		twins->disks |= 1 << index;
}

static void add_vif(struct twins *twins, const char *dir, const char *id)
{
	char *mac;

	if (twins->vifs == MAX_VIFS || !backend_is_there(dir))
		return;
	mac = xpv_xs_read(XPV_XS_NO_TX, dir, "mac", NULL);
	if (IS_ERR(mac))
		return;
	if (mac_pton(mac, twins->mac[twins->vifs]))
		twins->vifs++;
	kfree(mac);
}

static void for_each_pv(struct twins *twins, const char *type,
			void (*add)(struct twins *, const char *, const char *))
{
	char dir[64];
	char **ids;
	unsigned int n, i;

	ids = xpv_xs_directory(XPV_XS_NO_TX, "device", type, &n);
	if (IS_ERR(ids))
		return;
	for (i = 0; i < n; i++)
		if (snprintf(dir, sizeof(dir), "device/%s/%s", type, ids[i]) <
		    sizeof(dir))
			add(twins, dir, ids[i]);
	kfree(ids);
}

static unsigned int count_cards(const struct xpv_emu_list *list)
{
	unsigned int i, n = 0;

	for (i = 0; i < list->n; i++)
		n += list->entry[i].emu.kind == XPV_EMU_NIC;
	return n;
}

static bool has_vif(const struct twins *twins, const u8 *mac)
{
	unsigned int i;

	for (i = 0; i < twins->vifs; i++)
		if (ether_addr_equal_unaligned(twins->mac[i], mac))
			return true;
	return false;
}

/*
 * Whatever no driver looks at is known by number only: toolstacks make emulated
 * and PV devices of one configuration entry.
 */
static void match_twins(struct xpv_emu_list *list, const struct twins *twins)
{
	bool enough_vifs = twins->vifs >= count_cards(list);
	struct xpv_emu_dev *entry;
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		entry = &list->entry[i];
		if (entry->emu.kind != XPV_EMU_NIC)
			entry->emu.twin = twins->disks & (1 << entry->emu.index);
		else if (entry->mac_known)
			entry->emu.twin = has_vif(twins, entry->mac);
		else
			entry->emu.twin = enough_vifs;
	}
}

static void add_hidden_disks(struct xpv_emu_list *list,
			     const struct twins *twins)
{
	struct xpv_emu_dev *entry;
	unsigned int i;

	if (!list->ide_idle)
		return;
	hidden_disks = twins->disks;
	for (i = 0; i < IDE_DISKS; i++) {
		if (!(twins->disks & (1 << i)))
			continue;
		entry = xpv_emu_add(list, XPV_EMU_DISK);
		if (!entry)
			return;
		entry->emu.index = i;
		snprintf(entry->emu.name, sizeof(entry->emu.name), "hd%c",
			 'a' + i);
	}
}

static void find_emulated(struct xpv_emu_list *list)
{
	struct twins *twins = kzalloc(sizeof(*twins), GFP_KERNEL);

	xpv_emu_collect(list);
	if (!twins)
		return;		/* no twins: nothing will be unplugged */
	for_each_pv(twins, "vbd", add_vbd);
	for_each_pv(twins, "vif", add_vif);
	add_hidden_disks(list, twins);
	match_twins(list, twins);
	kfree(twins);
}

/* ---- the port ------------------------------------------------------------- */

/* Return: NULL, or why the device model takes no orders from us. */
static const char *port_refusal(void)
{
	u8 protocol;

	if (inw(PORT_MAGIC) != MAGIC)
		return "the host has no unplug port";
	protocol = inb(PORT_PROTOCOL);
	if (protocol == 1) {
		outw(PRODUCT, PORT_PRODUCT);
		outl(BUILD, PORT_BUILD);
		if (inw(PORT_MAGIC) != MAGIC)
			return "the host has this driver on its blacklist";
	} else if (protocol) {
		return "the host's unplug protocol is unknown";
	}
	return NULL;
}

/* ---- taking away ---------------------------------------------------------- */

static bool goes(const struct xpv_emu_dev *entry, u16 bits)
{
	return entry->dev && xpv_unplug_takes(bits, &entry->emu);
}

/* No new opener, and caches written, after this. */
static void release_drivers(struct xpv_emu_list *list, u16 bits)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (goes(&list->entry[i], bits))
			device_release_driver(list->entry[i].dev);
}

static void give_drivers_back(struct xpv_emu_list *list, u16 bits)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (goes(&list->entry[i], bits) &&
		    device_attach(list->entry[i].dev) <= 0)
			dev_warn(list->entry[i].dev,
				 "was not unplugged, and has no driver now: bind it by hand\n");
}

/* Somebody who came between the decision and the release of the driver. */
static const struct xpv_emu_dev *first_latecomer(const struct xpv_emu_list *list,
						 u16 bits)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		const struct xpv_emu_dev *entry = &list->entry[i];

		if (!goes(entry, bits))
			continue;
		if (entry->dev->driver ||
		    (entry->disk && xpv_emu_busy(entry)))
			return entry;
	}
	return NULL;
}

/* Queues of the IDE devices that stay, stopped with nothing in flight. */
struct frozen {
	struct request_queue *queue[IDE_DISKS];
	unsigned int memflags[IDE_DISKS];
	unsigned int n;
};

static void freeze_the_rest(struct frozen *frozen,
			    const struct xpv_emu_list *list, u16 bits)
{
	unsigned int i;

	frozen->n = 0;
	for (i = 0; i < list->n && frozen->n < IDE_DISKS; i++) {
		const struct xpv_emu_dev *entry = &list->entry[i];
		struct request_queue *queue;

		if (entry->emu.kind == XPV_EMU_NIC || !entry->dev ||
		    goes(entry, bits))
			continue;
		queue = to_scsi_device(entry->dev)->request_queue;
		frozen->memflags[frozen->n] = xpv_freeze_queue(queue);
		frozen->queue[frozen->n++] = queue;
	}
}

static void thaw(struct frozen *frozen)
{
	while (frozen->n) {
		frozen->n--;
		xpv_unfreeze_queue(frozen->queue[frozen->n],
				   frozen->memflags[frozen->n]);
	}
}

static void write_port(struct xpv_emu_list *list, u16 bits)
{
	bool disks = bits & (XPV_UNPLUG_DISKS | XPV_UNPLUG_AUX_DISKS);
	struct frozen frozen;

	if (!disks || !list->ide) {
		outw(bits, PORT_UNPLUG);
		return;
	}
	freeze_the_rest(&frozen, list, bits);
	pci_save_state(list->ide);
	outw(bits, PORT_UNPLUG);
	pci_restore_state(list->ide);
	thaw(&frozen);
}

/*
 * While the disks are still there: libata sends a disk that it lets go to standby,
 * from a thread of its own, and would wait for one that does not answer any more.
 */
static void forget_disks(struct xpv_emu_list *list, u16 bits)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		struct scsi_device *sdev;

		if (!goes(&list->entry[i], bits) ||
		    list->entry[i].emu.kind != XPV_EMU_DISK ||
		    !scsi_remove_device)
			continue;
		sdev = to_scsi_device(list->entry[i].dev);
		scsi_remove_device(sdev);
		if (ata_port_wait_eh)
			ata_port_wait_eh(ata_shost_to_port(sdev->host));
	}
}

/* Cards that are still there after all get their driver back. */
static void check_cards(struct xpv_emu_list *list)
{
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		struct xpv_emu_dev *entry = &list->entry[i];
		u16 vendor;

		if (entry->emu.kind != XPV_EMU_NIC)
			continue;
		pci_read_config_word(to_pci_dev(entry->dev), PCI_VENDOR_ID,
				     &vendor);
		if (vendor == 0xffff)
			continue;
		dev_warn(entry->dev, "the host did not unplug this card\n");
		taken_bits &= ~XPV_UNPLUG_NICS;
		if (device_attach(entry->dev) < 0)
			dev_warn(entry->dev, "its driver does not take it back\n");
	}
}

static int take_away(struct pci_dev *pdev, struct xpv_emu_list *list, u16 bits)
{
	const struct xpv_emu_dev *late;

	release_drivers(list, bits);
	late = first_latecomer(list, bits);
	if (late) {
		dev_warn(&pdev->dev,
			 "%s came into use meanwhile: nothing is unplugged\n",
			 late->emu.name);
		give_drivers_back(list, bits);
		return -EBUSY;
	}
	forget_disks(list, bits);
	write_port(list, bits);
	taken_bits |= bits;
	if (bits & XPV_UNPLUG_NICS)
		check_cards(list);
	return 0;
}

/* ---- one run -------------------------------------------------------------- */

static void say_why(struct pci_dev *pdev, const char *what,
		    const struct xpv_emu *kept_by, char *why, size_t size)
{
	if (!kept_by)
		return;
	snprintf(why, size, "%s %s", kept_by->name, xpv_unplug_why(kept_by));
	dev_info(&pdev->dev, "emulated %s stay: %s\n", what, why);
}

static void say_what_stays(struct pci_dev *pdev,
			   const struct xpv_unplug_plan *plan)
{
	say_why(pdev, "disks", plan->disk_kept_by, disks_stay,
		sizeof(disks_stay));
	say_why(pdev, "cards", plan->nic_kept_by, cards_stay,
		sizeof(cards_stay));
}

static void describe(char *summary, size_t size,
		     const struct xpv_unplug_plan *plan, u16 bits)
{
	unsigned int disks = 0, nics = 0;

	if (bits & (XPV_UNPLUG_DISKS | XPV_UNPLUG_AUX_DISKS))
		disks = plan->disks;
	if (bits & XPV_UNPLUG_NICS)
		nics = plan->nics;
	snprintf(summary, size, "unplugged %u emulated disk%s, %u card%s", disks,
		 disks == 1 ? "" : "s", nics, nics == 1 ? "" : "s");
}

static void run(struct pci_dev *pdev, u16 want, struct xpv_emu_list *list,
		char *summary, size_t size)
{
	struct xpv_unplug_plan plan;
	const char *refusal;
	unsigned int i;
	u16 bits;

	find_emulated(list);
	xpv_unplug_plan_start(&plan, want);
	for (i = 0; i < list->n; i++)
		xpv_unplug_plan_consider(&plan, &list->entry[i].emu);
	say_what_stays(pdev, &plan);
	bits = xpv_unplug_plan_bits(&plan);
	if (!bits)
		return;
	refusal = list->incomplete ? "too many emulated devices" : port_refusal();
	if (refusal)
		dev_warn(&pdev->dev, "cannot unplug: %s\n", refusal);
	else if (!take_away(pdev, list, bits))
		describe(summary, size, &plan, taken_bits);
}

void xpv_unplug_run(struct pci_dev *pdev, const char *mode, char *summary,
		    size_t size)
{
	struct xpv_emu_list *list;

	taken_bits = 0;
	hidden_disks = 0;
	strscpy(summary, "nothing unplugged", size);
	done[0] = '\0';
	disks_stay[0] = '\0';
	cards_stay[0] = '\0';
	/* Disks may still be coming up. An async probe cannot wait for others. */
	if (current_is_async()) {
		dev_warn(&pdev->dev,
			 "cannot unplug from an asynchronous probe: load the module without async_probe\n");
		return;
	}
	async_synchronize_full();
	list = kzalloc(sizeof(*list), GFP_KERNEL);
	if (!list)
		return;
	run(pdev, xpv_unplug_mode(mode), list, summary, size);
	strscpy(done, summary, sizeof(done));
	xpv_emu_release(list);
	kfree(list);
}

void xpv_unplug_show(struct seq_file *m)
{
	seq_printf(m, "unplugged %s\n", done[0] ? done : "nothing unplugged");
	if (disks_stay[0])
		seq_printf(m, "disks_stay %s\n", disks_stay);
	if (cards_stay[0])
		seq_printf(m, "cards_stay %s\n", cards_stay);
}

void xpv_unplug_again(void)
{
	struct xpv_emu_list *list;
	const char *refusal;

	if (!taken_bits)
		return;
	list = kzalloc(sizeof(*list), GFP_KERNEL);
	if (!list)
		return;
	xpv_emu_collect(list);
	refusal = port_refusal();
	if (refusal)
		pr_warn("cannot unplug emulated devices again: %s\n", refusal);
	else
		write_port(list, taken_bits);
	xpv_emu_release(list);
	kfree(list);
}

void xpv_unplug_tidy(void)
{
	struct pci_dev *pdev = NULL;
	u16 vendor;

	if (!(taken_bits & XPV_UNPLUG_NICS))
		return;
	for_each_pci_dev(pdev) {
		if (pdev->class >> 8 != PCI_CLASS_NETWORK_ETHERNET)
			continue;
		pci_read_config_word(pdev, PCI_VENDOR_ID, &vendor);
		if (vendor == 0xffff)
			pci_stop_and_remove_bus_device_locked(pdev);
	}
}

/* ---- twins, asked by the frontends ---------------------------------------- */

static bool find_twin(bool (*same)(const struct xpv_emu_dev *entry,
				   const void *key), const void *key)
{
	struct xpv_emu_list *list = kzalloc(sizeof(*list), GFP_KERNEL);
	bool found = true;
	unsigned int i;

	if (!list)
		return true;
	xpv_emu_collect(list);
	if (!list->incomplete) {
		for (i = 0; i < list->n; i++)
			if (same(&list->entry[i], key))
				break;
		found = i < list->n;
	}
	xpv_emu_release(list);
	kfree(list);
	return found;
}

static bool same_disk(const struct xpv_emu_dev *entry, const void *key)
{
	return (entry->emu.kind == XPV_EMU_DISK ||
		entry->emu.kind == XPV_EMU_SATA) && entry->dev &&
	       entry->emu.index == *(const int *)key;
}

/* Of a card without a driver nobody knows the address. */
static bool same_card(const struct xpv_emu_dev *entry, const void *key)
{
	return entry->emu.kind == XPV_EMU_NIC &&
	       (!entry->mac_known ||
		ether_addr_equal_unaligned(entry->mac, key));
}

/* Some toolstacks number emulated disks as hd, some as xvd; none does both. */
static bool another_is_the_twin(u32 vdevice, int index)
{
	u32 hd = xpv_unplug_hd_number(index);
	char dir[32];
	char *backend;

	if (vdevice == hd)
		return false;
	snprintf(dir, sizeof(dir), "device/vbd/%u", hd);
	backend = xpv_xs_read(XPV_XS_NO_TX, dir, "backend", NULL);
	if (IS_ERR(backend))
		return false;
	kfree(backend);
	return true;
}

bool xpv_unplug_disk_twin(u32 vdevice)
{
	int index = xpv_unplug_ide_index(vdevice);
	const struct xpv_emu disk = { .kind = XPV_EMU_DISK, .index = index };

	if (index < 0 || xpv_unplug_takes(taken_bits, &disk) ||
	    another_is_the_twin(vdevice, index))
		return false;
	return (hidden_disks & (1 << index)) || find_twin(same_disk, &index);
}
EXPORT_SYMBOL_GPL(xpv_unplug_disk_twin);

bool xpv_unplug_nic_twin(const u8 *mac)
{
	return find_twin(same_card, mac);
}
EXPORT_SYMBOL_GPL(xpv_unplug_nic_twin);
