// SPDX-License-Identifier: GPL-2.0
// pure: xenbus/wire.c
/*
 * xenbus/wire.c against a server that sends any bytes in any pieces, with indices
 * that may lie, and that takes requests as slowly as it likes.
 *
 * What the reader makes of the stream is compared with the stream itself, taken
 * apart at one go. Each message is then looked at by every parser.
 */
#include "fuzz.h"

#include <errno.h>
#include "../../xenbus/wire.h"

#define RING		XENSTORE_RING_SIZE
#define STREAM_MAX	(1u << 18)

struct world {
	char *ring;
	struct xpv_wire_reader *reader;
	u32 cons, prod;
	u8 *stream;		/* all that was sent */
	u32 sent, parsed;
};

/* --- what a message's payload is taken for -------------------------------------- */

static void check_event(const struct xpv_wire_reader *r)
{
	const char *path = NULL, *token = NULL;
	u32 len = r->header.len, nuls = 0, i;

	for (i = 0; i < len && i < XENSTORE_PAYLOAD_MAX; i++)
		nuls += !r->body[i];
	if (xpv_wire_event(r, &path, &token)) {
		must(len > XENSTORE_PAYLOAD_MAX || nuls != 2 || r->body[len - 1]);
		return;
	}
	must(len <= XENSTORE_PAYLOAD_MAX && nuls == 2 && !r->body[len - 1]);
	must(path == r->body && token == path + strlen(path) + 1);
	must(token + strlen(token) + 1 == r->body + len);
}

static int check_names(char *body, u32 len)
{
	int n = xpv_wire_names(body, len, NULL), i;
	char **names, *at = body;

	must(n >= 0 || n == -EPROTO);
	if (n < 0)
		return n;
	names = malloc(n * sizeof(*names) + 1);
	must(xpv_wire_names(body, len, names) == n);
	for (i = 0; i < n; i++) {
		must(names[i] == at && *at);
		at += strlen(at) + 1;
	}
	must(at == body + len);
	free(names);
	return n;
}

static void check_listing(char *body, u32 len)
{
	struct xpv_wire_listing part;
	u32 gen;

	if (xpv_wire_listing(body, len, &part))
		return;
	gen = strlen(part.gen);
	must(part.gen == body && gen && gen < XPV_WIRE_GEN_MAX);
	must(strspn(part.gen, "0123456789") == gen);
	must(part.names == body + gen + 1);
	must(gen + 1 + part.len + part.last == len);
	must(part.len || part.last);
	must(!part.last || !part.names[part.len]);
	must(check_names(part.names, part.len) >= 0);
}

static void check_payload(const struct xpv_wire_reader *r)
{
	u32 len = min_t(u32, r->header.len, XENSTORE_PAYLOAD_MAX);
	char *copy = malloc(len + !len);
	int err;

	must(!r->body[len]);
	check_event(r);
	/* A block that ends where the payload does. */
	memcpy(copy, r->body, len);
	check_names(copy, len);
	check_listing(copy, len);
	err = xpv_wire_errno(copy, len);
	must(err < 0 && err > -4096);
	free(copy);
}

/* --- receiving ------------------------------------------------------------------- */

/* The next message of the stream, as a whole. */
static void check_message(struct world *w)
{
	struct xsd_sockmsg want;
	u32 have = w->sent - w->parsed, len;

	must(have >= sizeof(want));
	memcpy(&want, w->stream + w->parsed, sizeof(want));
	must(!memcmp(&want, &w->reader->header, sizeof(want)));
	must(want.len <= XPV_WIRE_SKIP_MAX && have - sizeof(want) >= want.len);
	len = min_t(u32, want.len, XENSTORE_PAYLOAD_MAX);
	must(!memcmp(w->stream + w->parsed + sizeof(want), w->reader->body, len));
	check_payload(w->reader);
	w->parsed += sizeof(want) + want.len;
}

/* Take what is there. Return: false when the reader gives up. */
static bool receive(struct world *w)
{
	struct xsd_sockmsg next;
	u32 cons = w->cons, have = w->sent - w->parsed;
	int got;

	for (;;) {
		got = xpv_wire_receive(w->reader, w->ring, &w->cons, w->prod);
		must(w->cons - cons <= w->prod - cons);
		if (got != 1)
			break;
		check_message(w);
	}
	have = w->sent - w->parsed;
	memset(&next, 0, sizeof(next));
	if (have >= sizeof(next))
		memcpy(&next, w->stream + w->parsed, sizeof(next));
	if (got < 0) {
		must(got == -EPROTO && next.len > XPV_WIRE_SKIP_MAX);
		return false;
	}
	must(!got && w->cons == w->prod);
	/* It has not kept a message back. */
	must(next.len <= XPV_WIRE_SKIP_MAX);
	must(have < sizeof(next) || have - sizeof(next) < next.len);
	return true;
}

static void send_byte(struct world *w, u8 byte)
{
	w->ring[w->prod++ % RING] = byte;
	w->stream[w->sent++] = byte;
}

/* The server sends up to @n bytes: of the input, or of one kind. */
static void serve(struct world *w, struct fuzz_input *in, u32 n, bool same)
{
	u8 byte = same ? fuzz_u8(in) : 0;

	while (n-- && w->prod - w->cons < RING && w->sent < STREAM_MAX)
		send_byte(w, same ? byte : fuzz_u8(in));
}

static void serve_header(struct world *w, struct fuzz_input *in)
{
	struct xsd_sockmsg header = { fuzz_u8(in), fuzz_u8(in), fuzz_u8(in), fuzz_u16(in) };
	u32 i;

	if (w->prod - w->cons > RING - sizeof(header) || w->sent > STREAM_MAX - sizeof(header))
		return;
	for (i = 0; i < sizeof(header); i++)
		send_byte(w, ((u8 *)&header)[i]);
}

static void lie(struct world *w, struct fuzz_input *in)
{
	u32 prod = fuzz_u32(in), cons = w->cons, got = w->reader->got;

	if (prod - cons <= RING)
		return;
	must(xpv_wire_receive(w->reader, w->ring, &w->cons, prod) == -EPROTO);
	must(w->cons == cons && w->reader->got == got);
}

/* --- sending ---------------------------------------------------------------------- */

static void check_send(struct world *w, struct fuzz_input *in)
{
	u32 cons = fuzz_u32(in), prod = fuzz_u8(in) & 1 ? fuzz_u32(in) : cons + fuzz_u16(in);
	struct xpv_wire_part parts[3];
	struct xsd_sockmsg header = { .type = fuzz_u8(in), .len = fuzz_u32(in) }, out;
	u32 total = 0, i;
	char *msg, *ring = malloc(RING);
	u8 *block[3];
	size_t n;
	int size;

	for (i = 0; i < 3; i++) {
		block[i] = fuzz_block(in, fuzz_u16(in) % 5000, &n);
		parts[i] = (struct xpv_wire_part){ block[i], n };
		total += n;
	}
	size = xpv_wire_size(parts, 3);
	must(size == (total > XENSTORE_PAYLOAD_MAX ? -E2BIG : (int)(sizeof(header) + total)));
	if (size > 0) {
		msg = malloc(size);
		xpv_wire_build(msg, &header, parts, 3);
		memcpy(&out, msg, sizeof(out));
		must(out.len == total && header.len == total && out.type == header.type);
		must(!memcmp(msg + sizeof(out), block[0], parts[0].len));
		must(!memcmp(msg + size - parts[2].len, block[2], parts[2].len));
		memset(ring, 0x5a, RING);
		n = prod - cons;
		i = xpv_wire_send(ring, cons, prod, msg, size);
		must((int)i == (n > RING ? -EPROTO : (int)min_t(u32, size, RING - n)));
		for (n = 0; (int)i > 0 && n < i; n++)
			must(ring[(prod + n) % RING] == msg[n]);
		for (n = (int)i > 0 ? i : 0; n < RING; n++)
			must(ring[(prod + n) % RING] == 0x5a);
		free(msg);
	}
	for (i = 0; i < 3; i++)
		free(block[i]);
	free(ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct world w = { .ring = malloc(RING), .stream = malloc(STREAM_MAX) };
	bool alive = true;

	w.reader = calloc(1, sizeof(*w.reader));
	w.cons = w.prod = fuzz_u32(&in);
	while (in.left && alive) {
		u8 op = fuzz_u8(&in);

		switch (op % 8) {
		case 0:
			serve_header(&w, &in);
			break;
		case 1:
			serve(&w, &in, fuzz_u16(&in), true);
			break;
		case 2:
			lie(&w, &in);
			break;
		case 3:
			check_send(&w, &in);
			break;
		case 4:
		case 5:
			serve(&w, &in, op / 8, false);
			break;
		default:
			alive = receive(&w);
		}
	}
	free(w.reader);
	free(w.stream);
	free(w.ring);
	return 0;
}
