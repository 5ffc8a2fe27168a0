// SPDX-License-Identifier: GPL-2.0
/*
 * The unplug policy.
 *
 * Pure: words and lists in, bits out; tests/unit/test_unplug.c compiles this file
 * as it stands. Unplugging is one way for the life of the guest, so everything
 * here errs on the side of leaving the emulated device where it is.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "unplug_plan.h"

#define ALL_DISK_BITS	(XPV_UNPLUG_DISKS | XPV_UNPLUG_AUX_DISKS)

/* Majors of Linux's hd and xvd disks as toolstacks number vbds by them. */
#define MAJOR_HD_PRIMARY	3
#define MAJOR_HD_SECONDARY	22
#define MAJOR_XVD		202

static const struct {
	const char *word;
	u16 bits;
} modes[] = {
	/* The primary master may hold /boot or be what the host boots from. */
	{ "auto",		XPV_UNPLUG_AUX_DISKS | XPV_UNPLUG_NICS },
	{ "never",		0 },
	{ "unnecessary",	0 },
	{ "ide-disks",		XPV_UNPLUG_DISKS },
	{ "aux-ide-disks",	XPV_UNPLUG_AUX_DISKS },
	{ "nics",		XPV_UNPLUG_NICS },
	{ "all",		XPV_UNPLUG_DISKS | XPV_UNPLUG_NICS },
};

int xpv_unplug_mode(const char *word)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(word, modes[i].word))
			return modes[i].bits;
	return -EINVAL;
}

int xpv_unplug_ide_index(u32 vdevice)
{
	u32 major = vdevice >> 8;
	u32 minor = vdevice & 0xff;

	switch (major) {
	case MAJOR_HD_PRIMARY:
	case MAJOR_HD_SECONDARY:
		/* 64 minors a disk; other than the first are partitions. */
		if (minor != 0 && minor != 64)
			return -1;
		return (major == MAJOR_HD_SECONDARY ? 2 : 0) + minor / 64;
	case MAJOR_XVD:
		/* 16 minors a disk; xvda to xvdd may be emulated as hda to hdd. */
		return minor % 16 == 0 && minor / 16 < 4 ? (int)minor / 16 : -1;
	default:
		return -1;
	}
}

u32 xpv_unplug_hd_number(int index)
{
	u32 major = index < 2 ? MAJOR_HD_PRIMARY : MAJOR_HD_SECONDARY;

	return major << 8 | (index & 1) * 64;
}

bool xpv_unplug_takes(u16 bits, const struct xpv_emu *emu)
{
	switch (emu->kind) {
	case XPV_EMU_DISK:
		return (bits & XPV_UNPLUG_DISKS) ||
		       ((bits & XPV_UNPLUG_AUX_DISKS) && emu->index != 0);
	case XPV_EMU_SCSI:
		return bits & XPV_UNPLUG_DISKS;
	case XPV_EMU_SATA:
		return bits & ALL_DISK_BITS;
	case XPV_EMU_NIC:
		return bits & XPV_UNPLUG_NICS;
	default:
		return false;
	}
}

void xpv_unplug_plan_start(struct xpv_unplug_plan *plan, u16 want)
{
	memset(plan, 0, sizeof(*plan));
	plan->want = want;
}

/* Which vbd is the same disk is known of IDE disks alone. */
static bool on_strange_controller(const struct xpv_emu *emu)
{
	return emu->kind == XPV_EMU_SCSI || emu->kind == XPV_EMU_SATA;
}

static bool must_stay(const struct xpv_emu *emu)
{
	return on_strange_controller(emu) || emu->busy || !emu->twin;
}

void xpv_unplug_plan_consider(struct xpv_unplug_plan *plan,
			      const struct xpv_emu *emu)
{
	bool nic = emu->kind == XPV_EMU_NIC;
	const struct xpv_emu **kept_by =
		nic ? &plan->nic_kept_by : &plan->disk_kept_by;

	if (!xpv_unplug_takes(plan->want, emu))
		return;
	if (nic)
		plan->nics++;
	else
		plan->disks++;
	if (must_stay(emu) && !*kept_by)
		*kept_by = emu;
}

u16 xpv_unplug_plan_bits(const struct xpv_unplug_plan *plan)
{
	u16 bits = 0;

	if (plan->disks && !plan->disk_kept_by)
		bits |= plan->want & ALL_DISK_BITS;
	if (plan->nics && !plan->nic_kept_by)
		bits |= plan->want & XPV_UNPLUG_NICS;
	return bits;
}

const char *xpv_unplug_why(const struct xpv_emu *emu)
{
	if (on_strange_controller(emu))
		return "is on a controller whose disks have no known PV twin";
	return emu->busy ? "is in use" : "has no PV twin";
}
