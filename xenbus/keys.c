// SPDX-License-Identifier: GPL-2.0
/*
 * The values of a device: typed reads of both directories, writes to ours.
 *
 * A driver reads its backend's keys and writes its own through these functions
 * alone, so it sees numbers within limits and never a string of another domain.
 *
 * Life: any time while the device is bound.
 * Locks: error_lock guards every device's last_error; else none; one value, one
 * request.
 * Trust: the backend may write what it likes whenever it likes. Each value is
 * read once and made to fit, or refused; what was wrong is named in the log,
 * but not quoted: it is the other domain's text.
 */
#include <linux/slab.h>
#include <linux/export.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "value.h"
#include "xenbus.h"

static DEFINE_SPINLOCK(error_lock);

u32 xpv_bus_get_u32(struct xpv_device *xd, const char *key, u32 def, u32 min,
		    u32 max)
{
	unsigned int len;
	char *text = xpv_xs_read(XPV_XS_NO_TX, xd->otherend, key, &len);
	u32 value;
	int err;

	if (IS_ERR(text)) {
		if (PTR_ERR(text) != -ENOENT)
			dev_warn_ratelimited(&xd->dev,
					     "backend's %s unreadable (%ld), taken as %u\n",
					     key, PTR_ERR(text), def);
		return def;
	}
	err = xpv_value_limit(text, len, def, min, max, &value);
	kfree(text);
	/* More than we use is no fault: that is how a backend offers things. */
	if (err && value != max)
		dev_warn_ratelimited(&xd->dev,
				     "backend's %s is %s, taken as %u\n", key,
				     err == -ERANGE ? "too small" : "no number",
				     value);
	return value;
}
EXPORT_SYMBOL_GPL(xpv_bus_get_u32);

bool xpv_bus_get_flag(struct xpv_device *xd, const char *key)
{
	unsigned int len;
	char *text = xpv_xs_read(XPV_XS_NO_TX, xd->otherend, key, &len);
	bool on;

	if (IS_ERR(text))
		return false;
	on = xpv_value_flag(text, len);
	kfree(text);
	return on;
}
EXPORT_SYMBOL_GPL(xpv_bus_get_flag);

static int read_u64(const char *dir, const char *key, u64 *value)
{
	unsigned int len;
	char *text = xpv_xs_read(XPV_XS_NO_TX, dir, key, &len);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	err = xpv_value_u64(text, len, value);
	kfree(text);
	return err;
}

int xpv_bus_read_u64(struct xpv_device *xd, const char *key, u64 *value)
{
	return read_u64(xd->otherend, key, value);
}
EXPORT_SYMBOL_GPL(xpv_bus_read_u64);

int xpv_bus_read_front_u64(struct xpv_device *xd, const char *key, u64 *value)
{
	return read_u64(xd->nodename, key, value);
}
EXPORT_SYMBOL_GPL(xpv_bus_read_front_u64);

bool xpv_bus_front_trusted(struct xpv_device *xd)
{
	u64 trusted;
	int err = xpv_bus_read_front_u64(xd, "trusted", &trusted);

	return err == -ENOENT || (!err && trusted);
}
EXPORT_SYMBOL_GPL(xpv_bus_front_trusted);

static int read_string(const char *dir, const char *key, char *buf, size_t size)
{
	unsigned int len;
	char *text = xpv_xs_read(XPV_XS_NO_TX, dir, key, &len);
	int ret;

	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = xpv_value_string(text, len, buf, size);
	kfree(text);
	return ret;
}

int xpv_bus_read_string(struct xpv_device *xd, const char *key, char *buf,
			size_t size)
{
	return read_string(xd->otherend, key, buf, size);
}
EXPORT_SYMBOL_GPL(xpv_bus_read_string);

int xpv_bus_read_front_string(struct xpv_device *xd, const char *key, char *buf,
			      size_t size)
{
	return read_string(xd->nodename, key, buf, size);
}
EXPORT_SYMBOL_GPL(xpv_bus_read_front_string);

int xpv_bus_read_bytes(struct xpv_device *xd, const char *key, char *buf,
		       size_t size)
{
	unsigned int len;
	char *text = xpv_xs_read(XPV_XS_NO_TX, xd->otherend, key, &len);

	if (IS_ERR(text))
		return PTR_ERR(text);
	if (len <= size)
		memcpy(buf, text, len);
	kfree(text);
	return len <= size ? len : -ERANGE;
}
EXPORT_SYMBOL_GPL(xpv_bus_read_bytes);

void xpv_batch_remove(struct xpv_batch *batch, const char *key)
{
	if (batch->err)
		return;
	batch->err = xpv_xs_remove(batch->tx, batch->xd->nodename, key);
	if (batch->err == -ENOENT)
		batch->err = 0;
}
EXPORT_SYMBOL_GPL(xpv_batch_remove);

void xpv_batch_put(struct xpv_batch *batch, const char *key, const char *fmt,
		   ...)
{
	va_list args;
	char *value;

	if (batch->err)
		return;
	va_start(args, fmt);
	value = kvasprintf(GFP_NOIO, fmt, args);
	va_end(args);
	batch->err = value ? xpv_xs_write(batch->tx, batch->xd->nodename, key,
					  value) :
			     -ENOMEM;
	kfree(value);
}
EXPORT_SYMBOL_GPL(xpv_batch_put);

#define ERROR_DIR_MAX (sizeof("error/") + sizeof_field(struct xpv_device, nodename))

static void error_dir(const struct xpv_device *xd, char *dir)
{
	snprintf(dir, ERROR_DIR_MAX, "error/%s", xd->nodename);
}

/* "<errno> <text>" is what toolstacks show. */
static void write_error_node(struct xpv_device *xd, int err, const char *text)
{
	char *value = kasprintf(GFP_NOIO, "%d %s", -err, text);
	char dir[ERROR_DIR_MAX];

	error_dir(xd, dir);
	err = value ? xpv_xs_write(XPV_XS_NO_TX, dir, "error", value) : -ENOMEM;
	if (err)
		dev_dbg(&xd->dev, "cannot write %s: %d\n", dir, err);
	kfree(value);
}

static void keep_error(struct xpv_device *xd, int err, const char *text)
{
	spin_lock(&error_lock);
	snprintf(xd->last_error, sizeof(xd->last_error), "%d %s", -err, text);
	spin_unlock(&error_lock);
}

ssize_t xpv_bus_show_error(struct xpv_device *xd, char *buf)
{
	ssize_t n;

	spin_lock(&error_lock);
	n = xd->last_error[0] ? sysfs_emit(buf, "%s\n", xd->last_error) : 0;
	spin_unlock(&error_lock);
	return n;
}

void xpv_bus_error(struct xpv_device *xd, int err, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = kvasprintf(GFP_NOIO, fmt, args);
	va_end(args);
	dev_err_ratelimited(&xd->dev, "%s: %d\n", text ?: fmt, err);
	keep_error(xd, err, text ?: fmt);
	write_error_node(xd, err, text ?: fmt);
	WRITE_ONCE(xd->explained, true);
	kfree(text);
}
EXPORT_SYMBOL_GPL(xpv_bus_error);

void xpv_bus_clear_error(struct xpv_device *xd)
{
	char dir[ERROR_DIR_MAX];

	spin_lock(&error_lock);
	xd->last_error[0] = '\0';
	spin_unlock(&error_lock);
	error_dir(xd, dir);
	xpv_xs_remove(XPV_XS_NO_TX, dir, "");
}
