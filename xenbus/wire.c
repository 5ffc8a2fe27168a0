// SPDX-License-Identifier: GPL-2.0
/*
 * The codec of xenstore's wire protocol.
 *
 * Two byte rings of 1024 bytes carry messages of up to 4096 bytes behind a
 * header of 16, so a message comes and goes in pieces; struct xpv_wire_reader is
 * the one that is on its way in.
 *
 * Life: none; every function is a calculation on its arguments.
 * Locks: none.
 * Trust: xenstored is trusted, yet every index and every length is checked before
 * a byte is touched on its word: a bug or a restart over there must not become an
 * access out of bounds here. A message is looked at only in our copy of it.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "wire.h"

static_assert(offsetof(struct xpv_wire_page, req_cons) ==
	      offsetof(struct xenstore_domain_interface, req_cons));
static_assert(offsetof(struct xpv_wire_page, rsp_prod) ==
	      offsetof(struct xenstore_domain_interface, rsp_prod));
static_assert(offsetof(struct xpv_wire_page, server_features) == 2064);
static_assert(sizeof(struct xsd_sockmsg) == 16);
static_assert(XPV_WIRE_DIRECTORY_PART == XS_RESET_WATCHES + 1);

int xpv_wire_size(const struct xpv_wire_part *parts, unsigned int n)
{
	u32 size = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (parts[i].len > XENSTORE_PAYLOAD_MAX - size)
			return -E2BIG;
		size += parts[i].len;
	}
	return sizeof(struct xsd_sockmsg) + size;
}

void xpv_wire_build(void *buf, struct xsd_sockmsg *header,
		    const struct xpv_wire_part *parts, unsigned int n)
{
	char *to = (char *)buf + sizeof(*header);
	unsigned int i;

	header->len = 0;
	for (i = 0; i < n; i++) {
		memcpy(to + header->len, parts[i].data, parts[i].len);
		header->len += parts[i].len;
	}
	memcpy(buf, header, sizeof(*header));
}

int xpv_wire_send(char *ring, u32 cons, u32 prod, const void *src, u32 len)
{
	u32 at = MASK_XENSTORE_IDX(prod);
	u32 first, n;

	if (prod - cons > XENSTORE_RING_SIZE)
		return -EPROTO;
	n = min(len, XENSTORE_RING_SIZE - (prod - cons));
	first = min(n, XENSTORE_RING_SIZE - at);
	memcpy(ring + at, src, first);
	memcpy(ring, (const char *)src + first, n - first);
	return n;
}

/* Copy @len bytes at @cons; NULL steps over them. */
static void take(const char *ring, u32 cons, void *to, u32 len)
{
	u32 at = MASK_XENSTORE_IDX(cons);
	u32 first = min(len, XENSTORE_RING_SIZE - at);

	if (!to)
		return;
	memcpy(to, ring + at, first);
	memcpy((char *)to + first, ring, len - first);
}

static bool complete(const struct xpv_wire_reader *r)
{
	return r->got >= sizeof(r->header) &&
	       r->got - sizeof(r->header) == r->header.len;
}

/*
 * Copy the next piece of header, body or overlong rest, whichever is due.
 * Return: bytes taken.
 */
static u32 take_piece(struct xpv_wire_reader *r, const char *ring, u32 cons,
		      u32 avail)
{
	u32 len, done;
	char *to;

	if (r->got < sizeof(r->header)) {
		to = (char *)&r->header + r->got;
		len = sizeof(r->header) - r->got;
	} else {
		done = r->got - sizeof(r->header);
		if (done < XENSTORE_PAYLOAD_MAX) {
			to = r->body + done;
			len = min_t(u32, r->header.len, XENSTORE_PAYLOAD_MAX) -
			      done;
		} else {
			to = NULL;
			len = r->header.len - done;
		}
	}
	len = min(len, avail);
	take(ring, cons, to, len);
	r->got += len;
	return len;
}

int xpv_wire_receive(struct xpv_wire_reader *r, const char *ring, u32 *cons,
		     u32 prod)
{
	if (prod - *cons > XENSTORE_RING_SIZE)
		return -EPROTO;
	if (complete(r))
		r->got = 0;
	for (;;) {
		*cons += take_piece(r, ring, *cons, prod - *cons);
		if (r->got >= sizeof(r->header) &&
		    r->header.len > XPV_WIRE_SKIP_MAX)
			return -EPROTO;
		if (complete(r)) {
			r->body[min_t(u32, r->header.len,
				      XENSTORE_PAYLOAD_MAX)] = '\0';
			return 1;
		}
		if (*cons == prod)
			return 0;
	}
}

bool xpv_wire_answers(const struct xsd_sockmsg *msg,
		      const struct xsd_sockmsg *req)
{
	return msg->req_id == req->req_id && msg->tx_id == req->tx_id &&
	       (msg->type == req->type || msg->type == XS_ERROR);
}

int xpv_wire_pair(const char *body, u32 len, const char **first,
		  const char **second)
{
	u32 first_len = strnlen(body, len);
	u32 second_len;

	if (first_len == len)
		return -EPROTO;
	*first = body;
	*second = body + first_len + 1;
	second_len = strnlen(*second, len - first_len - 1);
	/* The second's NUL is the last byte: no third string, none cut off. */
	return first_len + 1 + second_len + 1 == len ? 0 : -EPROTO;
}

int xpv_wire_event(const struct xpv_wire_reader *r, const char **path,
		   const char **token)
{
	if (r->header.len > XENSTORE_PAYLOAD_MAX)
		return -EPROTO;
	return xpv_wire_pair(r->body, r->header.len, path, token);
}

int xpv_wire_names(char *body, u32 len, char **names)
{
	u32 at = 0, name_len;
	int n = 0;

	while (at < len) {
		name_len = strnlen(body + at, len - at);
		if (name_len == 0 || name_len == len - at)
			return -EPROTO;
		if (names)
			names[n] = body + at;
		n++;
		at += name_len + 1;
	}
	return n;
}

static bool is_number(const char *s, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0;
}

int xpv_wire_listing(char *body, u32 len, struct xpv_wire_listing *part)
{
	u32 gen_len = strnlen(body, len);
	u32 rest;

	if (gen_len == len || gen_len >= XPV_WIRE_GEN_MAX ||
	    !is_number(body, gen_len))
		return -EPROTO;
	rest = len - gen_len - 1;
	part->gen = body;
	part->names = body + gen_len + 1;
	/* The empty name: alone, or behind the end of another one. */
	part->last = rest && !part->names[rest - 1] &&
		     (rest == 1 || !part->names[rest - 2]);
	part->len = rest - part->last;
	if (!part->len && !part->last)
		return -EPROTO;
	return xpv_wire_names(part->names, part->len, NULL) < 0 ? -EPROTO : 0;
}

/* Names that xenstored also uses and the public header does not list. */
static const struct {
	int err;
	const char *name;
} more_errors[] = {
	/* Some kernels' header has it. */
	{ E2BIG, "E2BIG" },
	{ EPERM, "EPERM" },
	{ ENOSPC, "EQUOTA" },
};

static bool same_name(const char *name, const char *body, u32 len)
{
	return strlen(name) == len && !memcmp(name, body, len);
}

int xpv_wire_errno(const char *body, u32 len)
{
	unsigned int i;

	len = strnlen(body, len);
	for (i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (same_name(xsd_errors[i].errstring, body, len))
			return -xsd_errors[i].errnum;
	for (i = 0; i < ARRAY_SIZE(more_errors); i++)
		if (same_name(more_errors[i].name, body, len))
			return -more_errors[i].err;
	return -EIO;
}

const char *xpv_wire_error(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xsd_errors); i++)
		if (xsd_errors[i].errnum == -err)
			return xsd_errors[i].errstring;
	return "EIO";
}
