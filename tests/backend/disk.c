// SPDX-License-Identifier: GPL-2.0
/*
 * The disk behind the ring: a file or memory, always mapped, and moving data
 * between it and pages of the guest.
 *
 * The disk may have a cache that is lost with the power, like a real one: what was
 * written is in private memory until a flush, and of what was not flushed in the end
 * some blocks reach the file and others do not, in no order.
 *
 * Data are copied by Xen from grant to mapping, one hypercall a request; with
 * persistent grants pages are mapped once and copied here.
 *
 * Life: the contents from disk_open() to the end; mapped pages until
 * disk_let_go().
 * Locks: none, one thread.
 * Trust: sectors and segments of a request are checked against the disk.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vbd.h"

#define SECTOR	512ULL

void disk_open(struct vbd *v, const char *file, unsigned long mib, bool private)
{
	int flags = file && !private ? MAP_SHARED : MAP_PRIVATE;
	struct stat st;

	v->fd = -1;
	v->bytes = (uint64_t)mib << 20;
	if (file) {
		v->fd = open(file, O_RDWR);
		if (v->fd < 0 || fstat(v->fd, &st))
			die("cannot open %s: %s", file, strerror(errno));
		v->bytes = st.st_size;
	}
	v->data = mmap(NULL, v->bytes, PROT_READ | PROT_WRITE,
		       file ? flags : flags | MAP_ANONYMOUS, v->fd, 0);
	if (v->data == MAP_FAILED)
		die("cannot map the disk: %s", strerror(errno));
	if (private) {
		close(v->fd);
		v->fd = -1;
	}
}

/* ---- the cache ------------------------------------------------------------------ */

#define CACHE_BLOCK	8U	/* sectors that reach the file together, or do not */

/* From now on writes to @file need a flush; the disk is private. */
void disk_cache(struct vbd *v, const char *file, uint32_t seed)
{
	v->dirty = calloc(1, v->bytes / SECTOR);
	v->fd = file ? open(file, O_RDWR) : -1;
	if (!v->dirty || v->fd < 0)
		die("no cache: it needs memory and a file");
	v->seed = seed;
}

static void need_flush(struct vbd *v, const struct vbd_request *r, uint64_t bytes)
{
	if (v->dirty)
		memset(v->dirty + r->sector, 1, bytes / SECTOR);
}

static bool write_back(struct vbd *v, uint64_t sector, uint64_t n)
{
	memset(v->dirty + sector, 0, n);
	return pwrite(v->fd, v->data + sector * SECTOR, n * SECTOR,
		      sector * SECTOR) == (ssize_t)(n * SECTOR);
}

/* Return: the first sector at or after @from that needs a flush, or the end. */
static uint64_t next_dirty(const struct vbd *v, uint64_t from)
{
	uint64_t end = v->bytes / SECTOR;
	uint8_t *p = memchr(v->dirty + from, 1, end - from);

	return p ? (uint64_t)(p - v->dirty) : end;
}

static bool flush_cache(struct vbd *v)
{
	uint64_t end = v->bytes / SECTOR;
	uint64_t at, n;
	bool ok = true;

	for (at = next_dirty(v, 0); at < end; at = next_dirty(v, at + n)) {
		for (n = 1; at + n < end && v->dirty[at + n]; n++)
			;
		ok &= write_back(v, at, n);
	}
	return ok;
}

/* The end without a flush: half of the blocks that needed one reach the file. */
void disk_power_off(struct vbd *v)
{
	unsigned long lost = 0, kept = 0;
	uint64_t at, n;

	if (!v->dirty)
		return;
	while ((at = next_dirty(v, 0)) < v->bytes / SECTOR) {
		n = CACHE_BLOCK - at % CACHE_BLOCK;
		if (at + n > v->bytes / SECTOR)
			n = v->bytes / SECTOR - at;
		v->seed = v->seed * 1103515245 + 12345;
		if (v->seed >> 16 & 1) {
			/* What is clean there is in the file already. */
			write_back(v, at, n);
			kept++;
		} else {
			memset(v->dirty + at, 0, n);
			lost++;
		}
	}
	be_say("power off lost=%lu kept=%lu", lost, kept);
}

/* ---- data ------------------------------------------------------------------------ */

/* Copy the beginning of a page of the guest. */
bool disk_fetch(struct vbd *v, uint32_t ref, unsigned int bytes, void *to)
{
	xengnttab_grant_copy_segment_t copy = {
		.source.foreign = { .ref = ref, .domid = v->dev.domid },
		.dest.virt = to,
		.len = bytes,
		.flags = GNTCOPY_source_gref,
	};

	return !xengnttab_grant_copy(v->dev.gnt, 1, &copy) && !copy.status;
}

/* ---- pages that stay mapped ----------------------------------------------------- */

static void *keep_one(struct vbd *v, uint32_t ref)
{
	struct be_map map;
	uint32_t n;

	if (ref >= v->kept_n) {
		n = ref + 1024;
		v->kept = realloc(v->kept, n * sizeof(*v->kept));
		if (!v->kept)
			die("no memory");
		memset(v->kept + v->kept_n, 0, (n - v->kept_n) * sizeof(*v->kept));
		v->kept_n = n;
	}
	/* What is granted to be read only cannot be mapped to be written. */
	if (!v->kept[ref] && (be_map(&v->dev, &map, &ref, 1, false) ||
			      be_map(&v->dev, &map, &ref, 1, true)))
		v->kept[ref] = map.pages;
	return v->kept[ref];
}

void disk_keep(struct vbd *v, struct vbd_request *r)
{
	unsigned int i;

	for (i = 0; i < r->segs; i++)
		keep_one(v, r->seg[i].ref);
}

void disk_unmap_one(struct vbd *v, uint32_t ref)
{
	struct be_map map = { .n = 1 };

	if (ref >= v->kept_n || !v->kept[ref])
		return;
	map.pages = v->kept[ref];
	be_unmap(&v->dev, &map);
	v->kept[ref] = NULL;
}

void disk_let_go(struct vbd *v)
{
	uint32_t ref;

	for (ref = 0; ref < v->kept_n; ref++)
		disk_unmap_one(v, ref);
}

/* ---- requests --------------------------------------------------------------------- */

static unsigned int seg_bytes(const struct vbd_seg *seg)
{
	return seg->first <= seg->last && seg->last < BE_PAGE / SECTOR ?
	       (seg->last - seg->first + 1) * SECTOR : 0;
}

/* Return: bytes of a request, 0 if it makes no sense or lies beyond the end. */
static uint64_t extent(const struct vbd *v, const struct vbd_request *r)
{
	uint64_t bytes = 0;
	unsigned int i;

	for (i = 0; i < r->segs; i++) {
		if (!seg_bytes(&r->seg[i]))
			return 0;
		bytes += seg_bytes(&r->seg[i]);
	}
	if (r->op == OP_DISCARD && r->sectors <= v->bytes / SECTOR)
		bytes = r->sectors * SECTOR;
	if (r->sector > v->bytes / SECTOR || bytes > v->bytes - r->sector * SECTOR)
		return 0;
	return bytes;
}

static bool move_by_copy(struct vbd *v, struct vbd_request *r)
{
	static xengnttab_grant_copy_segment_t copy[VBD_SEGS_MAX];
	uint8_t *at = v->data + r->sector * SECTOR;
	union xengnttab_copy_ptr *ours, *theirs;
	unsigned int i;

	for (i = 0; i < r->segs; i++) {
		ours = r->op == OP_READ ? &copy[i].source : &copy[i].dest;
		theirs = r->op == OP_READ ? &copy[i].dest : &copy[i].source;
		memset(&copy[i], 0, sizeof(copy[i]));
		copy[i].flags = r->op == OP_READ ? GNTCOPY_dest_gref :
						   GNTCOPY_source_gref;
		copy[i].len = seg_bytes(&r->seg[i]);
		ours->virt = at;
		theirs->foreign.ref = r->seg[i].ref;
		theirs->foreign.domid = v->dev.domid;
		theirs->foreign.offset = r->seg[i].first * SECTOR;
		at += copy[i].len;
	}
	if (xengnttab_grant_copy(v->dev.gnt, r->segs, copy))
		return false;
	for (i = 0; i < r->segs; i++)
		if (copy[i].status)
			return false;
	return true;
}

static bool move_by_map(struct vbd *v, struct vbd_request *r)
{
	uint8_t *at = v->data + r->sector * SECTOR;
	unsigned int i, n;
	uint8_t *page;

	for (i = 0; i < r->segs; i++) {
		page = keep_one(v, r->seg[i].ref);
		n = seg_bytes(&r->seg[i]);
		if (!page)
			return false;
		page += r->seg[i].first * SECTOR;
		if (r->op == OP_READ)
			memcpy(page, at, n);
		else
			memcpy(at, page, n);
		at += n;
	}
	return true;
}

static bool flush(struct vbd *v)
{
	if (v->deaf)
		return true;
	if (v->dirty)
		return flush_cache(v);
	return v->fd < 0 || !fdatasync(v->fd);
}

static bool discard(struct vbd *v, struct vbd_request *r, uint64_t bytes)
{
	if (v->fd >= 0 && !v->dirty)
		return !fallocate(v->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  r->sector * SECTOR, bytes);
	memset(v->data + r->sector * SECTOR, 0, bytes);
	need_flush(v, r, bytes);
	return true;
}

/* Carry a request out; its status says how it went. */
void disk_serve(struct vbd *v, struct vbd_request *r)
{
	uint64_t bytes = extent(v, r);
	bool ok = true;

	switch (r->op) {
	case OP_BARRIER:
		ok = flush(v);
		/* fall through */
	case OP_READ:
	case OP_WRITE:
		if (r->op == OP_BARRIER && !r->segs)
			break;
		ok = ok && bytes && (v->persistent ? move_by_map(v, r) :
						     move_by_copy(v, r));
		if (ok && r->op != OP_READ)
			need_flush(v, r, bytes);
		break;
	case OP_FLUSH:
		ok = flush(v);
		break;
	case OP_DISCARD:
		ok = bytes && discard(v, r, bytes);
		v->secure += r->secure;
		break;
	default:
		r->status = RSP_NOTSUPP;
	}
	if (!ok)
		r->status = RSP_ERROR;
	v->ops[r->op <= OP_DISCARD ? r->op : 6]++;
	if (r->status)
		v->ops[7]++;
}
