/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xenstore on the wire: the shared page, messages, and what stands in them.
 *
 * Pure: no locks, no allocation, no kernel types but fixed-width integers. The
 * unit tests compile wire.c as it stands. Barriers are the caller's (comms.c),
 * who alone knows when an index was read or written.
 */
#ifndef XENPV_WIRE_H
#define XENPV_WIRE_H

#include <linux/errno.h>
#include <linux/types.h>
#include <xen/interface/io/xs_wire.h>

/*
 * The shared page. The kernel's struct xenstore_domain_interface is the same as
 * far as it goes, but it lacks the last words before Linux 5.18.
 */
struct xpv_wire_page {
	char req[XENSTORE_RING_SIZE];
	char rsp[XENSTORE_RING_SIZE];
	u32 req_cons, req_prod;
	u32 rsp_cons, rsp_prod;
	u32 server_features;
	u32 connection;
};

#define XPV_WIRE_CAN_RECONNECT	1u	/* in server_features */
#define XPV_WIRE_CONNECTED	0u	/* in connection */
#define XPV_WIRE_RECONNECT	1u

/*
 * A message that is longer than the protocol allows is stepped over, up to this
 * length; a longer one means that we no longer know where messages begin.
 */
#define XPV_WIRE_SKIP_MAX	65536u

/*
 * The kernel's header does not name this request before Linux 5.18. It is 22,
 * the one behind XS_RESET_WATCHES.
 */
#define XPV_WIRE_DIRECTORY_PART	((enum xsd_sockmsg_type)22)

/* Longest generation that is believed, with its terminator: 64 bits. */
#define XPV_WIRE_GEN_MAX	21

/**
 * struct xpv_wire_part - one piece of a request's payload
 * @data: bytes
 * @len: how many
 */
struct xpv_wire_part {
	const void *data;
	u32 len;
};

/**
 * struct xpv_wire_reader - one message on its way in; zeroed at the start
 * @header: valid once a message is complete
 * @got: bytes of header and payload that have arrived
 * @body: payload, with a NUL behind it
 */
struct xpv_wire_reader {
	struct xsd_sockmsg header;
	u32 got;
	char body[XENSTORE_PAYLOAD_MAX + 1];
};

/**
 * xpv_wire_size() - how long a request will be
 * @parts: payload
 * @n: number of parts
 *
 * Return: bytes with header, or -E2BIG.
 */
int xpv_wire_size(const struct xpv_wire_part *parts, unsigned int n);

/**
 * xpv_wire_build() - lay out a request
 * @buf: xpv_wire_size() bytes
 * @header: type, request and transaction; its length is filled in
 * @parts: payload
 * @n: number of parts
 */
void xpv_wire_build(void *buf, struct xsd_sockmsg *header,
		    const struct xpv_wire_part *parts, unsigned int n);

/**
 * xpv_wire_send() - copy as much as fits into the request ring
 * @ring: XENSTORE_RING_SIZE bytes
 * @cons: the server's index
 * @prod: our index
 * @src: bytes to send
 * @len: how many
 *
 * Return: bytes copied, perhaps 0; -EPROTO if the indices cannot be.
 */
int xpv_wire_send(char *ring, u32 cons, u32 prod, const void *src, u32 len);

/**
 * xpv_wire_receive() - copy bytes out of the response ring up to a message's end
 * @r: the message so far; a complete one is overwritten
 * @ring: XENSTORE_RING_SIZE bytes
 * @cons: our index; moved on
 * @prod: the server's index, read once
 *
 * Return: 1 when @r holds a whole message, 0 when more has to arrive, -EPROTO if
 * the indices or the message's length cannot be. A message with a header.len
 * beyond XENSTORE_PAYLOAD_MAX is complete when it has gone by, but its body is
 * cut: it must be dropped.
 */
int xpv_wire_receive(struct xpv_wire_reader *r, const char *ring, u32 *cons,
		     u32 prod);

/**
 * xpv_wire_answers() - does a message answer this request?
 * @msg: header of what came
 * @req: header of what was asked
 */
bool xpv_wire_answers(const struct xsd_sockmsg *msg,
		      const struct xsd_sockmsg *req);

/**
 * xpv_wire_event() - take a watch event apart
 * @r: complete message
 * @path: set to what changed, terminated, within @r
 * @token: set to the watch's token, terminated, within @r
 *
 * Return: 0, or -EPROTO if it is not exactly two strings.
 */
int xpv_wire_event(const struct xpv_wire_reader *r, const char **path,
		   const char **token);

/**
 * xpv_wire_pair() - take two strings apart
 * @body: payload
 * @len: its length
 * @first: set to the first one, terminated, within @body
 * @second: set to the second one
 *
 * Return: 0, or -EPROTO if it is not exactly two strings.
 */
int xpv_wire_pair(const char *body, u32 len, const char **first,
		  const char **second);

/**
 * xpv_wire_names() - take a directory listing apart
 * @body: payload
 * @len: its length
 * @names: filled with pointers into @body, or NULL to count only
 *
 * Return: number of names, or -EPROTO: one is empty, or the last has no end.
 */
int xpv_wire_names(char *body, u32 len, char **names);

/**
 * struct xpv_wire_listing - one part of a directory listing
 * @gen: the directory's generation, less than XPV_WIRE_GEN_MAX digits
 * @names: names, as xpv_wire_names() takes them
 * @len: their length
 * @last: the listing ends with this part
 */
struct xpv_wire_listing {
	const char *gen;
	char *names;
	u32 len;
	bool last;
};

/**
 * xpv_wire_listing() - take one part of a directory listing apart
 * @body: payload of an XPV_WIRE_DIRECTORY_PART
 * @len: its length
 * @part: filled with pointers into @body
 *
 * The generation comes first, as a string of its own. Behind the last name of all
 * stands an empty one.
 *
 * Return: 0, or -EPROTO: the generation is no number, a name is empty or has no
 * end, or nothing is there though more has to follow.
 */
int xpv_wire_listing(char *body, u32 len, struct xpv_wire_listing *part);

/**
 * xpv_wire_errno() - what an error message means
 * @body: payload of an XS_ERROR
 * @len: its length
 *
 * Return: -errno; -EIO for a name that is not known.
 */
int xpv_wire_errno(const char *body, u32 len);

/**
 * xpv_wire_error() - the name that an error has in a message
 * @err: -errno
 *
 * Return: payload of an XS_ERROR, terminated; "EIO" for what has no name there.
 */
const char *xpv_wire_error(int err);

#endif /* XENPV_WIRE_H */
