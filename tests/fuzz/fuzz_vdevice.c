// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/vdevice.c
/*
 * Any two virtual device numbers: each place is one that the kernel can have, its
 * name says which, and two that would share a name or a minor are told apart.
 */
#include "fuzz.h"

#include <errno.h>
#include "../../blkfront/vdevice.h"

#define MINORS_ALL (1u << 20)

/* Disk and partition out of a name. */
static void parse(const char *name, u32 *disk, u32 *part)
{
	u32 n = 0;

	must(!strncmp(name, "xvd", 3));
	name += 3;
	must(*name >= 'a' && *name <= 'z');
	while (*name >= 'a' && *name <= 'z')
		n = n * 26 + (*name++ - 'a' + 1);
	*disk = n - 1;
	*part = 0;
	must(!*name || (*name >= '1' && *name <= '9'));
	while (*name >= '0' && *name <= '9')
		*part = *part * 10 + (*name++ - '0');
	must(!*name);
}

static bool place(u64 vdevice, struct vbd_place *p, char *name)
{
	u32 disk, part;
	int err;

	memset(p, 0xff, sizeof(*p));
	err = vbd_place_find(vdevice, p);
	must(!err || err == -EINVAL);
	if (err)
		return false;
	must(vdevice < 1u << 29);
	must(p->minors && p->minor < MINORS_ALL && p->minors <= MINORS_ALL - p->minor);
	must(!p->part || p->minors == 1);
	must(p->part || p->minors == 16 || p->minors == 256);
	must(p->part || !(p->minor % p->minors));
	memset(name, 'x', VBD_NAME_MAX);
	vbd_place_name(p, name);
	must(memchr(name, '\0', VBD_NAME_MAX));
	parse(name, &disk, &part);
	must(disk == p->disk && part == p->part);
	return true;
}

static u64 number(struct fuzz_input *in)
{
	static const u16 majors[] = { 202, 3, 22, 33, 34, 56, 57, 88, 91, 8, 65, 71, 128,
				      135, 0, 1, 255, 201, 203 };
	u8 how = fuzz_u8(in);

	if (how < 128)
		return majors[how % ARRAY_SIZE(majors)] << 8 | fuzz_u8(in);
	if (how < 192)
		return 1u << 28 | (fuzz_u32(in) & 0xfffffff);
	return fuzz_u64(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name_a = malloc(VBD_NAME_MAX), *name_b = malloc(VBD_NAME_MAX);
	struct fuzz_input in = { data, size };
	struct vbd_place a, b;
	bool both, same, shared;

	both = place(number(&in), &a, name_a);
	both = place(number(&in), &b, name_b) && both;
	if (both) {
		same = !strcmp(name_a, name_b);
		shared = a.minor <= b.minor + b.minors - 1 &&
			 b.minor <= a.minor + a.minors - 1;
		must(vbd_place_overlaps(&a, &a) && vbd_place_overlaps(&b, &b));
		must(vbd_place_overlaps(&a, &b) == (same || shared));
		must(vbd_place_overlaps(&b, &a) == (same || shared));
	}
	free(name_a);
	free(name_b);
	return 0;
}
