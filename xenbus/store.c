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

/* Longest listing of a directory that is believed. */
#define LISTING_MAX	65536
/* A directory that changes while it is listed: so often do we begin again. */
#define LISTING_TRIES	10

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

/* A listing that comes in parts, as far as it has come. */
struct listing {
	char gen[XPV_WIRE_GEN_MAX];
	char *names;
	u32 len;
};

static int ask_part(u32 tx, const char *path, u32 offset, char **body, u32 *len)
{
	char text[12];
	struct xpv_wire_part parts[2] = {
		{ path, strlen(path) + 1 },
		{ text, snprintf(text, sizeof(text), "%u", offset) + 1 },
	};

	return xpv_comms_talk(XPV_WIRE_DIRECTORY_PART, tx, parts, 2, body, len);
}

/* Return: 1 if it was the last part, else 0; -EAGAIN: of another generation. */
static int append_part(struct listing *list, char *body, u32 len)
{
	struct xpv_wire_listing part;
	char *names;

	if (xpv_wire_listing(body, len, &part))
		return -EIO;
	if (!list->names)
		strscpy(list->gen, part.gen, sizeof(list->gen));
	else if (strcmp(list->gen, part.gen))
		return -EAGAIN;
	if (part.len > LISTING_MAX - list->len)
		return -E2BIG;
	/* One more: a listing without names is no error. */
	names = krealloc(list->names, list->len + part.len + 1, GFP_NOIO);
	if (!names)
		return -ENOMEM;
	memcpy(names + list->len, part.names, part.len);
	list->names = names;
	list->len += part.len;
	return part.last;
}

static int read_parts(u32 tx, const char *path, struct listing *list)
{
	char *body;
	u32 len;
	int ret;

	do {
		ret = ask_part(tx, path, list->len, &body, &len);
		if (ret)
			break;
		ret = append_part(list, body, len);
		kfree(body);
	} while (!ret);
	if (ret > 0)
		return 0;
	kfree(list->names);
	list->names = NULL;
	list->len = 0;
	return ret;
}

/* For a directory whose names are too many for one message. */
static int read_listing(u32 tx, const char *dir, const char *node, char **names,
			u32 *len)
{
	struct listing list = { .names = NULL };
	char *path = join(dir, node);
	int err = -EAGAIN;
	int tries;

	if (IS_ERR(path))
		return PTR_ERR(path);
	for (tries = 0; tries < LISTING_TRIES && err == -EAGAIN; tries++)
		err = read_parts(tx, path, &list);
	kfree(path);
	*names = list.names;
	*len = list.len;
	/* A server that does not know the request. */
	return err == -ENOSYS ? -E2BIG : err;
}

char **xpv_xs_directory(u32 tx, const char *dir, const char *node,
			unsigned int *n)
{
	char **names;
	char *body;
	u32 len;
	int err = talk(XS_DIRECTORY, tx, dir, node, NULL, &body, &len);

	if (err == -E2BIG)
		err = read_listing(tx, dir, node, &body, &len);
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
