// SPDX-License-Identifier: GPL-2.0
/*
 * Guest frames with Xen's pages in them: shared info and the grant table.
 *
 * Xen maps a page of its own where the guest names a frame. We name frames of
 * our own RAM, one contiguous block, because RAM is cacheable while the platform
 * device's BAR is not on most hosts. The RAM that was there is parked in the BAR's
 * frames meanwhile: it stays the guest's, so that it comes back even if the host allows
 * the guest less memory by then. Where Xen does not park it, mapping frees it, and fresh
 * RAM is asked for. Only with RAM at its frame is a page given back to the kernel; where
 * there is none, it is leaked with a line in the log, since a hole would corrupt whoever
 * gets it next.
 *
 * If RAM cannot be had, or Xen refuses it, the BAR serves: its frames hold no RAM.
 *
 * Frame 0 of the block is shared info; frame 1 + n is grant table frame n.
 *
 * Life: start maps shared info and the frames that the table has already (an
 * earlier kernel may have grown it); grow maps one more; resume maps all again; stop
 * gives all back.
 * Locks: start, stop and resume run alone; grow is called under grant.c's grow mutex.
 * Trust: Xen only.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/preempt.h>
#include <xenpv/hypercall.h>

#include "internal.h"

/* Enough for 32,768 references; Xen's own default limit. */
#define GRANT_FRAMES_MAX	64
/* Less than this many frames cannot serve one disk and one card. */
#define GRANT_FRAMES_MIN	4
#define BAR_MEMORY		1

struct xpv_frames xpv_frames;

/* Where the block lies, and which of its frames hold Xen's pages (or, if all fails, none). */
static unsigned long base_gfn;
static void *block;
static unsigned int block_pages;
static DECLARE_BITMAP(holds_xen, 1 + GRANT_FRAMES_MAX);
/* Where RAM is parked, a frame of the BAR for each of the block (0: nowhere), and which is. */
static unsigned long park_gfn;
static DECLARE_BITMAP(parked, 1 + GRANT_FRAMES_MAX);

static void *frame_address(unsigned int frame)
{
	return block + (size_t)frame * PAGE_SIZE;
}

static void park_ram(unsigned int frame)
{
	if (park_gfn && !test_bit(frame, holds_xen) &&
	    !xpv_hv_move_frame(base_gfn + frame, park_gfn + frame))
		__set_bit(frame, parked);
}

static int return_ram(unsigned int frame)
{
	int err;

	if (test_bit(frame, parked) &&
	    !xpv_insist(xpv_hv_move_frame(park_gfn + frame, base_gfn + frame))) {
		__clear_bit(frame, parked);
		return 0;
	}
	err = xpv_hv_populate_frame(base_gfn + frame);
	if (!err)
		memset(frame_address(frame), 0, PAGE_SIZE);
	return err;
}

/* Take Xen's page out of a frame; where RAM belongs, get RAM back. */
static void unmap_frame(unsigned int frame)
{
	int err = xpv_hv_unmap_frame(base_gfn + frame);

	if (!err && xpv_frames.in_ram)
		err = return_ram(frame);
	if (!err)
		__clear_bit(frame, holds_xen);
	else
		pr_err("cannot get RAM back at frame %u of %u (%d): 4 KiB are lost until the guest restarts\n",
		       frame, block_pages, err);
}

static bool bar_has(struct pci_dev *pdev, unsigned int pages)
{
	return (pci_resource_flags(pdev, BAR_MEMORY) & IORESOURCE_MEM) &&
	       pci_resource_len(pdev, BAR_MEMORY) >= (resource_size_t)pages * PAGE_SIZE;
}

static unsigned long bar_gfn(struct pci_dev *pdev)
{
	return pci_resource_start(pdev, BAR_MEMORY) >> PAGE_SHIFT;
}

static int block_from_ram(struct pci_dev *pdev, unsigned int pages)
{
	for (; pages >= 1 + GRANT_FRAMES_MIN; pages = 1 + (pages - 1) / 2) {
		block = alloc_pages_exact((size_t)pages * PAGE_SIZE,
					  GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
		if (block)
			break;
	}
	if (!block)
		return -ENOMEM;
	base_gfn = page_to_pfn(virt_to_page(block));
	block_pages = pages;
	park_gfn = bar_has(pdev, pages) ? bar_gfn(pdev) : 0;
	xpv_frames.in_ram = true;
	return 0;
}

static int block_from_bar(struct pci_dev *pdev, unsigned int pages)
{
	if (!bar_has(pdev, 1 + GRANT_FRAMES_MIN)) {
		dev_err(&pdev->dev,
			"memory BAR is missing or too small, and no RAM could be used instead\n");
		return -ENODEV;
	}
	pages = min_t(resource_size_t, pages,
		      pci_resource_len(pdev, BAR_MEMORY) >> PAGE_SHIFT);
	block = memremap(pci_resource_start(pdev, BAR_MEMORY),
			 (size_t)pages * PAGE_SIZE, MEMREMAP_WB);
	if (!block)
		return -ENOMEM;
	base_gfn = bar_gfn(pdev);
	block_pages = pages;
	park_gfn = 0;
	xpv_frames.in_ram = false;
	return 0;
}

static void block_release(void)
{
	unsigned int frame;

	if (!block)
		return;
	for_each_set_bit(frame, holds_xen, block_pages)
		unmap_frame(frame);
	/* An emulated disk must not write to Xen's pages where the guest has RAM again. */
	xpv_hv_flush_device_model();
	if (xpv_frames.in_ram) {
		/* alloc_pages_exact() split the block: each page is its own. */
		for_each_clear_bit(frame, holds_xen, block_pages)
			free_page((unsigned long)frame_address(frame));
	} else {
		memunmap(block);
	}
	bitmap_zero(holds_xen, 1 + GRANT_FRAMES_MAX);
	bitmap_zero(parked, 1 + GRANT_FRAMES_MAX);
	block = NULL;
}

/*
 * After the attempt to map Xen's page, which ended with @err: if it failed, the frame is
 * ordinary memory, again if need be.
 */
static int mapped(unsigned int frame, int err)
{
	bool hole = test_bit(frame, parked) || test_bit(frame, holds_xen);

	if (err && (!hole || !return_ram(frame)))
		__clear_bit(frame, holds_xen);
	else
		__set_bit(frame, holds_xen);
	return err;
}

static int map_shared_info(void)
{
	park_ram(0);
	return mapped(0, xpv_hv_map_shared_info(base_gfn));
}

static int map_grant_frame(unsigned int n)
{
	park_ram(1 + n);
	return mapped(1 + n, xpv_hv_map_grant_frame(n, base_gfn + 1 + n));
}

/*
 * Map shared info and @grants grant frames, the highest first: that one makes
 * the table grow to its size. On error the block is given back.
 */
static int map_block(unsigned int grants)
{
	int err = map_shared_info();

	while (!err && grants-- > 0)
		err = map_grant_frame(grants);
	if (err)
		block_release();
	return err;
}

int xpv_frames_start(struct pci_dev *pdev, bool use_bar)
{
	unsigned int now, max;
	int err;

	err = xpv_hv_grant_set_v1();
	if (err && err != -ENOSYS) {
		dev_err(&pdev->dev,
			"cannot set grant table version 1 (%d): does the host allow only version 2?\n",
			err);
		return err;
	}
	err = xpv_hv_grant_size(&now, &max);
	if (err) {
		dev_err(&pdev->dev, "cannot ask for the grant table's size: %d\n",
			err);
		return err;
	}
	max = min_t(unsigned int, max, GRANT_FRAMES_MAX);
	now = clamp_t(unsigned int, now, 1, max);

	err = use_bar ? -EINVAL : block_from_ram(pdev, 1 + max);
	if (!err)
		err = map_block(min(now, block_pages - 1));
	if (err) {
		err = block_from_bar(pdev, 1 + max);
		if (!err)
			err = map_block(min(now, block_pages - 1));
	}
	if (err) {
		dev_err(&pdev->dev, "cannot map Xen's shared pages: %d\n", err);
		return err;
	}
	xpv_frames.shared_info = frame_address(0);
	xpv_frames.grant = frame_address(1);
	xpv_frames.grant_now = min(now, block_pages - 1);
	xpv_frames.grant_max = min(max, block_pages - 1);
	return 0;
}

/**
 * xpv_frames_grow_grant() - map one more frame of the grant table
 *
 * Process context, one caller at a time.
 *
 * Return: 0; -ENOSPC when the table is as large as it may be, or -errno.
 */
int xpv_frames_grow_grant(void)
{
	int err;

	if (xpv_frames.grant_now >= xpv_frames.grant_max)
		return -ENOSPC;
	/* A suspension comes before or behind: it must know what there is. */
	preempt_disable();
	err = map_grant_frame(xpv_frames.grant_now);
	if (!err)
		xpv_frames.grant_now++;
	preempt_enable();
	return err;
}

/**
 * xpv_frames_resume() - map all again: the guest runs in another domain
 *
 * Xen's pages have stayed behind and left holes. Interrupts are off on every CPU.
 *
 * Return: 0, or the first error: what could not be mapped is ordinary memory then, and
 * whatever depends on it fails in its own way.
 */
int xpv_frames_resume(void)
{
	unsigned int n = xpv_frames.grant_now;
	int err, ret;

	/* A domain begins with version 1; one that goes on has it. */
	xpv_hv_grant_set_v1();
	ret = mapped(0, xpv_insist(xpv_hv_map_shared_info(base_gfn)));
	/* The highest first: that one makes the table grow to its size. */
	while (n-- > 0) {
		err = xpv_insist(xpv_hv_map_grant_frame(n, base_gfn + 1 + n));
		err = mapped(1 + n, err);
		ret = ret ?: err;
	}
	return ret;
}

void xpv_frames_stop(void)
{
	block_release();
	memset(&xpv_frames, 0, sizeof(xpv_frames));
}
