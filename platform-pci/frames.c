// SPDX-License-Identifier: GPL-2.0
/*
 * Guest frames with Xen's pages in them: shared info and the grant table.
 *
 * Xen maps a page of its own where the guest names a frame. We name frames of
 * our own RAM, one contiguous block, because RAM is cacheable while the platform
 * device's BAR is not on most hosts. Mapping frees the RAM that was there, so the
 * way back is: unmap Xen's page, ask Xen for fresh RAM at that frame, and only
 * then give the page back to the kernel. Where Xen refuses that, the page is a
 * hole and is leaked, with a line in the log: freeing it would corrupt whoever
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
#include <xenpv/hypercall.h>

#include "internal.h"

/* Enough for 32,768 references; Xen's own default limit. */
#define GRANT_FRAMES_MAX	64
/* Less than this many frames cannot serve one disk and one card. */
#define GRANT_FRAMES_MIN	4
#define BAR_MEMORY		1

struct xpv_frames xpv_frames;

/* Where the block lies, and which of its frames hold a page of Xen's. */
static unsigned long base_gfn;
static void *block;
static unsigned int block_pages;
static DECLARE_BITMAP(holds_xen, 1 + GRANT_FRAMES_MAX);

static void *frame_address(unsigned int frame)
{
	return block + (size_t)frame * PAGE_SIZE;
}

/* Take Xen's page out of a frame; where RAM belongs, get RAM back. */
static void unmap_frame(unsigned int frame)
{
	unsigned long gfn = base_gfn + frame;
	int err = xpv_hv_unmap_frame(gfn);

	if (!err && xpv_frames.in_ram)
		err = xpv_hv_populate_frame(gfn);
	if (!err)
		__clear_bit(frame, holds_xen);
	else
		pr_err("cannot get RAM back at frame %u of %u (%d): 4 KiB are lost until the guest restarts\n",
		       frame, block_pages, err);
}

static int block_from_ram(unsigned int pages)
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
	xpv_frames.in_ram = true;
	return 0;
}

static int block_from_bar(struct pci_dev *pdev, unsigned int pages)
{
	resource_size_t size = pci_resource_len(pdev, BAR_MEMORY);

	if (!(pci_resource_flags(pdev, BAR_MEMORY) & IORESOURCE_MEM) ||
	    size < (1 + GRANT_FRAMES_MIN) * PAGE_SIZE) {
		dev_err(&pdev->dev,
			"memory BAR is missing or too small, and no RAM could be used instead\n");
		return -ENODEV;
	}
	pages = min_t(resource_size_t, pages, size >> PAGE_SHIFT);
	block = memremap(pci_resource_start(pdev, BAR_MEMORY),
			 (size_t)pages * PAGE_SIZE, MEMREMAP_WB);
	if (!block)
		return -ENOMEM;
	base_gfn = pci_resource_start(pdev, BAR_MEMORY) >> PAGE_SHIFT;
	block_pages = pages;
	xpv_frames.in_ram = false;
	return 0;
}

static void block_release(void)
{
	unsigned int frame;

	if (!block)
		return;
	for (frame = 0; frame < block_pages; frame++) {
		if (test_bit(frame, holds_xen))
			unmap_frame(frame);
		/* alloc_pages_exact() split the block: each page is its own. */
		if (xpv_frames.in_ram && !test_bit(frame, holds_xen))
			free_page((unsigned long)frame_address(frame));
	}
	if (!xpv_frames.in_ram)
		memunmap(block);
	bitmap_zero(holds_xen, 1 + GRANT_FRAMES_MAX);
	block = NULL;
}

static int map_grant_frame(unsigned int n)
{
	int err = xpv_hv_map_grant_frame(n, base_gfn + 1 + n);

	if (!err)
		__set_bit(1 + n, holds_xen);
	return err;
}

/*
 * Map shared info and @grants grant frames, the highest first: that one makes
 * the table grow to its size. On error the block is given back.
 */
static int map_block(unsigned int grants)
{
	int err = xpv_hv_map_shared_info(base_gfn);

	if (!err)
		__set_bit(0, holds_xen);
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

	err = use_bar ? -EINVAL : block_from_ram(1 + max);
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
	err = map_grant_frame(xpv_frames.grant_now);
	if (!err)
		xpv_frames.grant_now++;
	return err;
}

/* Xen's page where it was, or ordinary memory that nobody else reads. */
static int remap_frame(unsigned int frame, int err)
{
	if (!err)
		return 0;
	__clear_bit(frame, holds_xen);
	if (!xpv_hv_populate_frame(base_gfn + frame))
		memset(frame_address(frame), 0, PAGE_SIZE);
	return err;
}

/**
 * xpv_frames_resume() - map all again: the guest runs in another domain
 *
 * Its frames have stayed behind and left holes. Interrupts are off on every CPU.
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
	ret = remap_frame(0, xpv_insist(xpv_hv_map_shared_info(base_gfn)));
	/* The highest first: that one makes the table grow to its size. */
	while (n-- > 0) {
		err = xpv_insist(xpv_hv_map_grant_frame(n, base_gfn + 1 + n));
		err = remap_frame(1 + n, err);
		ret = ret ?: err;
	}
	return ret;
}

void xpv_frames_stop(void)
{
	block_release();
	memset(&xpv_frames, 0, sizeof(xpv_frames));
}
