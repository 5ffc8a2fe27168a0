// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/hypervisor: what programs read to learn that this is Xen, and which.
 *
 * The files, their texts and permissions are those of a kernel with Xen support of
 * its own. Each is asked of Xen when it is read, so it is right after a migration;
 * what this guest must not know reads as Xen words it ("<denied>") or fails.
 *
 * A kernel with CONFIG_SYS_HYPERVISOR has the directory already, empty, and exports
 * it; in any other it is made here.
 *
 * Life: start to stop, which waits for readers. Without it the drivers work all the
 * same.
 * Locks: none; sysfs's own.
 * Trust: Xen only; its strings are cut where their place ends.
 */
#include <linux/kobject.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uuid.h>
#include <xen/interface/xen.h>
#include <xen/interface/version.h>
#include <xenpv/hypercall.h>

#include "internal.h"

/* Longest build id that is shown; they are checksums. */
#define BUILD_ID_MAX	64

static struct kobject *hypervisor;
/* Made here, to be removed here. */
static bool own;

#define ATTRIBUTE(name) \
	static struct kobj_attribute name##_attribute = __ATTR_RO(name)

static ssize_t type_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "xen\n");
}
ATTRIBUTE(type);

static ssize_t guest_type_show(struct kobject *kobj,
			       struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "HVM\n");
}
ATTRIBUTE(guest_type);

static ssize_t uuid_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	u8 handle[UUID_SIZE];
	int err = xpv_hv_xenver(XENVER_guest_handle, handle);

	return err < 0 ? err : sysfs_emit(buf, "%pU\n", handle);
}
ATTRIBUTE(uuid);

static ssize_t major_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	int version = xpv_hv_xenver(XENVER_version, NULL);

	return version < 0 ? version : sysfs_emit(buf, "%d\n", version >> 16);
}
ATTRIBUTE(major);

static ssize_t minor_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	int version = xpv_hv_xenver(XENVER_version, NULL);

	return version < 0 ? version : sysfs_emit(buf, "%d\n", version & 0xffff);
}
ATTRIBUTE(minor);

static ssize_t extra_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	char extra[XEN_EXTRAVERSION_LEN];
	int err = xpv_hv_extra_version(extra);

	return err < 0 ? err : sysfs_emit(buf, "%s\n", extra);
}
ATTRIBUTE(extra);

/* A string of at most @size bytes that is the whole answer, or a part of it. */
static ssize_t show_string(char *buf, unsigned int what, size_t answer_size,
			   size_t offset, size_t size)
{
	char *answer = kzalloc(answer_size, GFP_KERNEL);
	ssize_t ret;

	if (!answer)
		return -ENOMEM;
	ret = xpv_hv_xenver(what, answer);
	if (ret >= 0)
		ret = sysfs_emit(buf, "%.*s\n", (int)size, answer + offset);
	kfree(answer);
	return ret;
}

#define COMPILE_STRING(name, field) \
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf) \
{ \
	return show_string(buf, XENVER_compile_info, \
			   sizeof(struct xen_compile_info), \
			   offsetof(struct xen_compile_info, field), \
			   sizeof_field(struct xen_compile_info, field)); \
} \
ATTRIBUTE(name)

COMPILE_STRING(compiler, compiler);
COMPILE_STRING(compiled_by, compile_by);
COMPILE_STRING(compile_date, compile_date);

static ssize_t capabilities_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	return show_string(buf, XENVER_capabilities,
			   sizeof(struct xen_capabilities_info), 0,
			   sizeof(struct xen_capabilities_info));
}
ATTRIBUTE(capabilities);

static ssize_t changeset_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	return show_string(buf, XENVER_changeset,
			   sizeof(struct xen_changeset_info), 0,
			   sizeof(struct xen_changeset_info));
}
ATTRIBUTE(changeset);

static ssize_t virtual_start_show(struct kobject *kobj,
				  struct kobj_attribute *attr, char *buf)
{
	struct xen_platform_parameters parameters = { .virt_start = 0 };
	int err = xpv_hv_xenver(XENVER_platform_parameters, &parameters);

	return err < 0 ? err : sysfs_emit(buf, "%lx\n",
					  (unsigned long)parameters.virt_start);
}
ATTRIBUTE(virtual_start);

static ssize_t pagesize_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	int size = xpv_hv_xenver(XENVER_pagesize, NULL);

	return size < 0 ? size : sysfs_emit(buf, "%x\n", size);
}
ATTRIBUTE(pagesize);

/* All words of the bitmap, the highest first, without a gap. */
static ssize_t features_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct xen_feature_info info;
	ssize_t len = 0;
	int i, err;

	for (i = XENFEAT_NR_SUBMAPS - 1; i >= 0; i--) {
		info.submap_idx = i;
		info.submap = 0;
		err = xpv_hv_xenver(XENVER_get_features, &info);
		if (err < 0)
			return err;
		len += sysfs_emit_at(buf, len, "%08x", info.submap);
	}
	return len + sysfs_emit_at(buf, len, "\n");
}
ATTRIBUTE(features);

static ssize_t buildid_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	/* struct xen_build_id: a length, and the bytes. */
	u32 answer[1 + BUILD_ID_MAX / sizeof(u32)] = { BUILD_ID_MAX };
	int len = xpv_hv_xenver(XENVER_build_id, answer);

	if (len == -EPERM)
		return sysfs_emit(buf, "<denied>\n");
	if (len < 0)
		return len;
	return sysfs_emit(buf, "%*phN\n", min(len, BUILD_ID_MAX), answer + 1);
}
ATTRIBUTE(buildid);

static struct attribute *top_files[] = {
	&type_attribute.attr, &guest_type_attribute.attr, &uuid_attribute.attr, NULL
};

static struct attribute *version_files[] = {
	&major_attribute.attr, &minor_attribute.attr, &extra_attribute.attr, NULL
};

static struct attribute *compilation_files[] = {
	&compiler_attribute.attr, &compiled_by_attribute.attr,
	&compile_date_attribute.attr, NULL
};

static struct attribute *properties_files[] = {
	&capabilities_attribute.attr, &changeset_attribute.attr,
	&virtual_start_attribute.attr, &pagesize_attribute.attr,
	&features_attribute.attr, &buildid_attribute.attr, NULL
};

static const struct attribute_group top_group = {
	.attrs = top_files,
};

static const struct attribute_group version_group = {
	.name = "version", .attrs = version_files,
};

static const struct attribute_group compilation_group = {
	.name = "compilation", .attrs = compilation_files,
};

static const struct attribute_group properties_group = {
	.name = "properties", .attrs = properties_files,
};

static const struct attribute_group *groups[] = {
	&top_group, &version_group, &compilation_group, &properties_group, NULL
};

/* ---- start and stop ------------------------------------------------------- */

#ifdef CONFIG_SYS_HYPERVISOR
static struct kobject *find_directory(void)
{
	return hypervisor_kobj;
}
#else
static struct kobject *find_directory(void)
{
	struct path path;

	/* Another module's: nobody would let us put files there. */
	if (!kern_path("/sys/hypervisor", 0, &path)) {
		path_put(&path);
		return NULL;
	}
	own = true;
	return kobject_create_and_add("hypervisor", NULL);
}
#endif

static void let_go(void)
{
	if (own)
		kobject_put(hypervisor);
	own = false;
	hypervisor = NULL;
}

void xpv_sysfs_start(void)
{
	int err = -ENODEV;

	hypervisor = find_directory();
	if (hypervisor)
		err = sysfs_create_groups(hypervisor, groups);
	if (err) {
		pr_warn("no /sys/hypervisor for programs: %d\n", err);
		let_go();
	}
}

void xpv_sysfs_stop(void)
{
	if (!hypervisor)
		return;
	sysfs_remove_groups(hypervisor, groups);
	let_go();
}
