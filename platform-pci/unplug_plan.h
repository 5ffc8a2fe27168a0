/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What may be unplugged: the decision alone, without devices or ports.
 *
 * Xen's device model unplugs by class, not by device: one member that must stay
 * keeps its whole class. Auxiliary disks (all but the primary master) are a
 * class of their own.
 */
#ifndef XENPV_UNPLUG_PLAN_H
#define XENPV_UNPLUG_PLAN_H

#include <linux/types.h>

/* Bits of the unplug port. DISKS and AUX_DISKS are never written together. */
#define XPV_UNPLUG_DISKS	0x1
#define XPV_UNPLUG_NICS		0x2
#define XPV_UNPLUG_AUX_DISKS	0x4

/**
 * enum xpv_emu_kind - what an emulated device is to the unplug protocol
 * @XPV_EMU_DISK: hard disk on the IDE controller
 * @XPV_EMU_CDROM: stays whatever is written
 * @XPV_EMU_SCSI: disk on another controller of SCSI class, virtio among them;
 *	goes with all disks, but not with the auxiliary ones
 * @XPV_EMU_SATA: disk on an AHCI controller; some device models take it like an
 *	IDE disk, others leave it
 * @XPV_EMU_NIC: network card
 */
enum xpv_emu_kind {
	XPV_EMU_DISK,
	XPV_EMU_CDROM,
	XPV_EMU_SCSI,
	XPV_EMU_SATA,
	XPV_EMU_NIC,
};

/**
 * struct xpv_emu - one emulated device
 * @kind: see enum xpv_emu_kind
 * @index: IDE disk: 0 primary master ... 3 secondary slave
 * @busy: a disk that is open (mounts, swap, md and dm hold it open), a card
 *	that is up
 * @twin: xenstore shows the same device as a PV device whose backend is there
 * @name: for messages
 */
struct xpv_emu {
	enum xpv_emu_kind kind;
	u8 index;
	bool busy;
	bool twin;
	char name[40];
};

/**
 * struct xpv_unplug_plan - the decision while it is made
 * @want: bits that the mode asks for
 * @disks: disks that would go
 * @nics: cards that would go
 * @disk_kept_by: first disk that must not go, if any
 * @nic_kept_by: first card that must not go, if any
 */
struct xpv_unplug_plan {
	u16 want;
	unsigned int disks;
	unsigned int nics;
	const struct xpv_emu *disk_kept_by;
	const struct xpv_emu *nic_kept_by;
};

/* The bits that a mode asks for; -EINVAL for a word that is no mode. */
int xpv_unplug_mode(const char *word);

/* Which disk of the IDE controller a vbd's number means; -1: none of them. */
int xpv_unplug_ide_index(u32 vdevice);

/* The number by which a vbd is an IDE disk and nothing else. */
u32 xpv_unplug_hd_number(int index);

/* Would these bits take this device away? */
bool xpv_unplug_takes(u16 bits, const struct xpv_emu *emu);

/* Start, consider each emulated device there is, and ask what to write. */
void xpv_unplug_plan_start(struct xpv_unplug_plan *plan, u16 want);
void xpv_unplug_plan_consider(struct xpv_unplug_plan *plan,
			      const struct xpv_emu *emu);
u16 xpv_unplug_plan_bits(const struct xpv_unplug_plan *plan);

/* Why a device must stay: continues a sentence that begins with its name. */
const char *xpv_unplug_why(const struct xpv_emu *emu);

#endif /* XENPV_UNPLUG_PLAN_H */
