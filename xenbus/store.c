// SPDX-License-Identifier: GPL-2.0
/*
 * The verbs of xenstore: read, write, list, remove, transactions.
 *
 * Each is one request: its payload is laid out here as the protocol wants it,
 * comms.c carries it, and the answer is handed back as it came. What a value
 * means is value.c's business.
 *
 * Life: xpv_xs_start() to xpv_xs_stop(); outside of it every verb gives -EIO.
 * Locks: none here.
 * Trust: the answer's bytes are not looked at except to take a listing apart and
 * to read a transaction's number, both by strict parsers.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <xenpv/store.h>

#include "value.h"
#include "xenbus.h"

/* "dir/node", or "dir" for an empty node. */
static char *join(const char *dir, const char *node)
{
	char *path;

	if (strlen(dir) + strlen(node) + 2 > XPV_XS_PATH_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	path = kasprintf(GFP_NOIO, "%s%s%s", dir, *node ? "/" : "", node);
	return path ?: ERR_PTR(-ENOMEM);
}

/* A request whose payload is a path, terminated, and perhaps a value behind it. */
static int talk(enum xsd_sockmsg_type type, u32 tx, const char *dir,
		const char *node, const char *value, char **reply, u32 *len)
{
	char *path = join(dir, node);
	struct xpv_wire_part parts[2];
	int err;

	if (IS_ERR(path))
		return PTR_ERR(path);
	parts[0].data = path;
	parts[0].len = strlen(path) + 1;
	parts[1].data = value;
	parts[1].len = value ? strlen(value) : 0;
	err = xpv_comms_talk(type, tx, parts, value ? 2 : 1, reply, len);
	kfree(path);
	return err;
}

char *xpv_xs_read(u32 tx, const char *dir, const char *node, unsigned int *len)
{
	char *value;
	int err = talk(XS_READ, tx, dir, node, NULL, &value, len);

	return err ? ERR_PTR(err) : value;
}

int xpv_xs_write(u32 tx, const char *dir, const char *node, const char *value)
{
	return talk(XS_WRITE, tx, dir, node, value, NULL, NULL);
}

int xpv_xs_mkdir(u32 tx, const char *dir, const char *node)
{
	return talk(XS_MKDIR, tx, dir, node, NULL, NULL, NULL);
}

int xpv_xs_remove(u32 tx, const char *dir, const char *node)
{
	return talk(XS_RM, tx, dir, node, NULL, NULL, NULL);
}

/* An array of pointers and, behind it, the bytes they point to: one piece. */
static char **array_of_names(char *body, u32 len, unsigned int *n)
{
	int count = xpv_wire_names(body, len, NULL);
	char **names;
	char *copy;

	if (count < 0)
		return ERR_PTR(-EIO);
	names = kmalloc(count * sizeof(*names) + len + 1, GFP_NOIO);
	if (!names)
		return ERR_PTR(-ENOMEM);
	copy = (char *)(names + count);
	memcpy(copy, body, len);
	xpv_wire_names(copy, len, names);
	*n = count;
	return names;
}

char **xpv_xs_directory(u32 tx, const char *dir, const char *node,
			unsigned int *n)
{
	char **names;
	char *body;
	u32 len;
	int err = talk(XS_DIRECTORY, tx, dir, node, NULL, &body, &len);

	if (err)
		return ERR_PTR(err);
	names = array_of_names(body, len, n);
	kfree(body);
	return names;
}

int xpv_xs_tx_start(u32 *tx)
{
	struct xpv_wire_part nothing = { "", 1 };
	char *body;
	u32 len;
	int err;

	err = xpv_comms_talk(XS_TRANSACTION_START, XPV_XS_NO_TX, &nothing, 1,
			     &body, &len);
	if (err)
		return err;
	if (xpv_value_u32(body, strnlen(body, len), tx) || !*tx)
		err = -EIO;
	kfree(body);
	return err;
}

int xpv_xs_tx_end(u32 tx, bool abort)
{
	struct xpv_wire_part verdict = { abort ? "F" : "T", 2 };

	return xpv_comms_talk(XS_TRANSACTION_END, tx, &verdict, 1, NULL, NULL);
}

/* Drop watches and transactions of a kernel that ran in this guest before. */
static int forget_predecessor(void)
{
	struct xpv_wire_part nothing = { "", 1 };
	unsigned int len;
	char *offered;
	bool can;

	offered = xpv_xs_read(XPV_XS_NO_TX, "control",
			      "platform-feature-xs_reset_watches", &len);
	if (IS_ERR(offered))
		return PTR_ERR(offered) == -ENOENT ? 0 : PTR_ERR(offered);
	can = xpv_value_flag(offered, len);
	kfree(offered);
	if (!can)
		return 0;
	return xpv_comms_talk(XS_RESET_WATCHES, XPV_XS_NO_TX, &nothing, 1, NULL,
			      NULL);
}

int xpv_xs_start(void)
{
	int err = xpv_comms_start();

	if (err)
		return err;
	err = forget_predecessor();
	if (err) {
		pr_err("xenstored does not serve this guest: %d\n", err);
		xpv_xs_stop();
	}
	return err;
}

void xpv_xs_stop(void)
{
	xpv_comms_stop();
	xpv_watch_stop();
}
