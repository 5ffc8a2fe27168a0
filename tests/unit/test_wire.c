// SPDX-License-Identifier: GPL-2.0
// pure: xenbus/wire.c
/*
 * xenbus/wire.c against a server that is written here, honest or not.
 *
 * Both rings stand in buffers of exactly their size, so the sanitizer sees every
 * byte beyond. Traffic runs at several start indices, among them those where 32
 * bits wrap within a message. Snn are rows of the catalogue of hostile cases.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include "../../xenbus/wire.h"

#define RING XENSTORE_RING_SIZE

static const u32 starts[] = { 0, 1, 1000, 1023, 0x7fffffff, 0xfffffff0u,
			      0xffffffffu };

struct fixture {
	char *ring;
	struct xpv_wire_reader *reader;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->ring = malloc(RING);
	f->reader = calloc(1, sizeof(*f->reader));
	memset(f->ring, 0xa5, RING);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->reader);
	free(f->ring);
	free(f);
	return 0;
}

/* The server's side, byte by byte. */
static void serve(char *ring, u32 *prod, const void *data, u32 len)
{
	for (u32 i = 0; i < len; i++)
		ring[(*prod)++ % RING] = ((const char *)data)[i];
}

static void serve_message(char *ring, u32 *prod, u32 type, u32 id, u32 tx,
			  const void *body, u32 len)
{
	struct xsd_sockmsg header = { type, id, tx, len };

	serve(ring, prod, &header, sizeof(header));
	serve(ring, prod, body, len);
}

static void fill(char *body, u32 len, u32 seed)
{
	for (u32 i = 0; i < len; i++)
		body[i] = unit_random(&seed);
}

/* ---- requests -------------------------------------------------------------- */

static void request_is_laid_out(void **state)
{
	struct xpv_wire_part parts[] = { { "data/x", 7 }, { "", 0 }, { "42", 2 } };
	struct xsd_sockmsg header = { XS_WRITE, 5, 6, 999 };
	char msg[16 + 9], *body = msg + 16;
	struct xsd_sockmsg out;

	assert_int_equal(xpv_wire_size(parts, 3), sizeof(msg));
	xpv_wire_build(msg, &header, parts, 3);
	memcpy(&out, msg, sizeof(out));
	assert_int_equal(out.type, XS_WRITE);
	assert_int_equal(out.req_id, 5);
	assert_int_equal(out.tx_id, 6);
	assert_int_equal(out.len, 9);
	assert_int_equal(header.len, 9);
	assert_memory_equal(body, "data/x\00042", 9);
}

static void request_size_is_limited(void **state)
{
	struct xpv_wire_part parts[] = { { "", 4000 }, { "", 96 }, { "", 0 } };

	assert_int_equal(xpv_wire_size(parts, 3), 16 + 4096);
	parts[2].len = 1;
	assert_int_equal(xpv_wire_size(parts, 3), -E2BIG);
	parts[2].len = 0xffffffff;
	assert_int_equal(xpv_wire_size(parts, 3), -E2BIG);
	assert_int_equal(xpv_wire_size(NULL, 0), 16);
}

static void send_fills_and_wraps(void **state)
{
	struct fixture *f = *state;
	char data[3000];

	fill(data, sizeof(data), 7);
	for (u32 i = 0; i < ARRAY_SIZE(starts); i++) {
		u32 cons = starts[i], prod = starts[i], sent = 0, seen = 0;
		u32 seed = 99 + i;

		while (seen < sizeof(data)) {
			int n = xpv_wire_send(f->ring, cons, prod, data + sent,
					      sizeof(data) - sent);

			assert_in_range(n, 0, RING);
			prod += n;
			sent += n;
			assert_true(sent == sizeof(data) || prod - cons == RING);
			for (n = unit_random(&seed) % 700; n && cons != prod; n--)
				assert_int_equal(f->ring[cons++ % RING],
						 data[seen++]);
		}
	}
}

/* S10 */
static void send_refuses_bad_indices(void **state)
{
	struct fixture *f = *state;
	char byte = 1;

	assert_int_equal(xpv_wire_send(f->ring, 0, RING, &byte, 1), 0);
	assert_int_equal(xpv_wire_send(f->ring, 0, RING + 1, &byte, 1), -EPROTO);
	assert_int_equal(xpv_wire_send(f->ring, 1, 0, &byte, 1), -EPROTO);
	assert_int_equal(xpv_wire_send(f->ring, 0x80000000u, 0, &byte, 1),
			 -EPROTO);
	assert_int_equal(xpv_wire_send(f->ring, 5, 5, &byte, 0), 0);
}

/* ---- what comes in ------------------------------------------------------------ */

/* Every length that matters, at every start, arriving in random pieces. */
static void messages_arrive_in_pieces(void **state)
{
	static const u32 lens[] = { 0, 1, 2, 15, 16, 1007, 1008, 1009, 1024,
				    2048, 4095, 4096 };
	struct fixture *f = *state;
	char *body = malloc(4096 + 16), *wire = malloc(4096 + 16);
	u32 seed = 4711;

	for (u32 s = 0; s < ARRAY_SIZE(starts); s++) {
		u32 cons = starts[s], prod = starts[s];

		for (u32 i = 0; i < ARRAY_SIZE(lens); i++) {
			struct xsd_sockmsg header = { XS_READ, i, s, lens[i] };
			u32 total = 16 + lens[i], at = 0;
			int got = 0;

			fill(body, lens[i], 1000 + i);
			memcpy(wire, &header, 16);
			memcpy(wire + 16, body, lens[i]);
			while (at < total) {
				u32 n = min(unit_random(&seed) % 300 + 1,
					    min(total - at, RING - (prod - cons)));

				assert_int_equal(got, 0);
				serve(f->ring, &prod, wire + at, n);
				at += n;
				got = xpv_wire_receive(f->reader, f->ring, &cons,
						       prod);
				assert_int_equal(cons, prod);
			}
			assert_int_equal(got, 1);
			assert_memory_equal(&f->reader->header, &header, 16);
			assert_memory_equal(f->reader->body, body, lens[i]);
			assert_int_equal(f->reader->body[lens[i]], '\0');
		}
	}
	free(wire);
	free(body);
}

static void messages_are_told_apart(void **state)
{
	struct fixture *f = *state;
	u32 cons = 1000, prod = 1000;

	serve_message(f->ring, &prod, XS_READ, 1, 0, "one", 3);
	serve_message(f->ring, &prod, XS_WRITE, 2, 0, "", 0);
	serve_message(f->ring, &prod, XS_ERROR, 3, 9, "ENOENT", 7);
	assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod), 1);
	assert_string_equal(f->reader->body, "one");
	assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod), 1);
	assert_int_equal(f->reader->header.req_id, 2);
	assert_string_equal(f->reader->body, "");
	assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod), 1);
	assert_int_equal(f->reader->header.tx_id, 9);
	assert_string_equal(f->reader->body, "ENOENT");
	assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod), 0);
	assert_int_equal(cons, prod);
}

/* S01: a message longer than allowed goes by, and the next one is read. */
static void overlong_message_is_stepped_over(void **state)
{
	static const u32 lens[] = { 4097, 5000, XPV_WIRE_SKIP_MAX };
	struct fixture *f = *state;
	u32 cons = 77, prod = 77;

	for (u32 i = 0; i < ARRAY_SIZE(lens); i++) {
		struct xsd_sockmsg header = { XS_READ, i, 0, lens[i] };
		int got = 0;

		serve(f->ring, &prod, &header, 16);
		for (u32 at = 0; at < lens[i]; at++) {
			assert_int_equal(got, 0);
			serve(f->ring, &prod, "x", 1);
			got = xpv_wire_receive(f->reader, f->ring, &cons, prod);
		}
		assert_int_equal(got, 1);
		assert_int_equal(f->reader->header.len, lens[i]);
		assert_int_equal(f->reader->body[4096], '\0');
		serve_message(f->ring, &prod, XS_READ, 50 + i, 0, "ok", 2);
		assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod),
				 1);
		assert_int_equal(f->reader->header.req_id, 50 + i);
		assert_string_equal(f->reader->body, "ok");
	}
}

/* S01, S10: a length that can only be a lie. */
static void absurd_length_is_refused(void **state)
{
	static const u32 lens[] = { XPV_WIRE_SKIP_MAX + 1, 0x7fffffff,
				    0xfffffff0u, 0xffffffffu };
	struct fixture *f = *state;

	for (u32 i = 0; i < ARRAY_SIZE(lens); i++) {
		struct xsd_sockmsg header = { XS_READ, 1, 0, lens[i] };
		u32 cons = 0, prod = 0;

		memset(f->reader, 0, sizeof(*f->reader));
		serve(f->ring, &prod, &header, 16);
		assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod),
				 -EPROTO);
	}
}

/* S09: half a header and then nothing. */
static void truncated_header_waits(void **state)
{
	struct fixture *f = *state;
	u32 cons = 0, prod = 0;

	serve(f->ring, &prod, "\2\0\0\0\1\0\0", 7);
	for (int i = 0; i < 3; i++)
		assert_int_equal(xpv_wire_receive(f->reader, f->ring, &cons, prod),
				 0);
	assert_int_equal(cons, 7);
}

/* S10 */
static void receive_refuses_bad_indices(void **state)
{
	static const u32 ahead[] = { RING + 1, RING + 17, 0x80000000u,
				     0xffffffffu };
	struct fixture *f = *state;

	for (u32 s = 0; s < ARRAY_SIZE(starts); s++)
		for (u32 i = 0; i < ARRAY_SIZE(ahead); i++) {
			u32 cons = starts[s];

			assert_int_equal(xpv_wire_receive(f->reader, f->ring,
							  &cons,
							  cons + ahead[i]),
					 -EPROTO);
			assert_int_equal(cons, starts[s]);
		}
}

/* S08 */
static void answers_match_in_all_three(void **state)
{
	struct xsd_sockmsg req = { XS_READ, 7, 3, 10 };
	struct xsd_sockmsg msg = { XS_READ, 7, 3, 99 };

	assert_true(xpv_wire_answers(&msg, &req));
	msg.type = XS_ERROR;
	assert_true(xpv_wire_answers(&msg, &req));
	msg.type = XS_WRITE;
	assert_false(xpv_wire_answers(&msg, &req));
	msg.type = XS_READ;
	msg.req_id = 8;
	assert_false(xpv_wire_answers(&msg, &req));
	msg.req_id = 7;
	msg.tx_id = 0;
	assert_false(xpv_wire_answers(&msg, &req));
}

/* ---- what stands in messages ------------------------------------------------------ */

static void put_body(struct xpv_wire_reader *r, const void *body, u32 len)
{
	memset(r, 0xee, sizeof(*r));
	r->header.type = XS_WATCH_EVENT;
	r->header.len = len;
	memcpy(r->body, body, min(len, 4096u));
	r->body[min(len, 4096u)] = '\0';
}

/* S07 */
static void watch_events(void **state)
{
	static const struct {
		const char *body;
		u32 len;
		const char *path, *token;
	} rows[] = {
		{ "device/vbd\0" "17", 14, "device/vbd", "17" },
		{ "\0", 2, "", "" },
		{ "a\0", 3, "a", "" },
		{ "", 0, NULL, NULL },
		{ "", 1, NULL, NULL },
		{ "device/vbd", 10, NULL, NULL },	/* no NUL at all */
		{ "device/vbd", 11, NULL, NULL },	/* one string */
		{ "device/vbd\0" "17", 13, NULL, NULL },	/* token not ended */
		{ "a\0b\0c", 6, NULL, NULL },		/* three strings */
		{ "a\0b\0", 5, NULL, NULL },		/* a third, empty one */
		{ "a\0b\0c", 5, NULL, NULL },		/* a third, not ended */
	};
	struct fixture *f = *state;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *path, *token;

		put_body(f->reader, rows[i].body, rows[i].len);
		if (!rows[i].path) {
			assert_int_equal(xpv_wire_event(f->reader, &path, &token),
					 -EPROTO);
			continue;
		}
		assert_int_equal(xpv_wire_event(f->reader, &path, &token), 0);
		assert_string_equal(path, rows[i].path);
		assert_string_equal(token, rows[i].token);
	}
}

/* S07: as long as can be, and longer */
static void longest_watch_event(void **state)
{
	struct fixture *f = *state;
	const char *path, *token;
	char *body = malloc(8192);

	memset(body, 'p', 8192);
	body[4090] = '\0';
	memcpy(body + 4091, "1234", 5);
	put_body(f->reader, body, 4096);
	assert_int_equal(xpv_wire_event(f->reader, &path, &token), 0);
	assert_int_equal(strlen(path), 4090);
	assert_string_equal(token, "1234");
	memset(body, 'p', 8192);
	for (u32 len = 4097; len <= 8192; len += 4095) {
		put_body(f->reader, body, len);
		assert_int_equal(xpv_wire_event(f->reader, &path, &token),
				 -EPROTO);
	}
	free(body);
}

static void directories(void **state)
{
	char body[] = "vbd\0vif\0suspend";
	char *names[3];

	assert_int_equal(xpv_wire_names(body, 0, names), 0);
	assert_int_equal(xpv_wire_names(body, sizeof(body), NULL), 3);
	assert_int_equal(xpv_wire_names(body, sizeof(body), names), 3);
	assert_string_equal(names[0], "vbd");
	assert_string_equal(names[1], "vif");
	assert_string_equal(names[2], "suspend");
	/* the last name has no end */
	assert_int_equal(xpv_wire_names(body, sizeof(body) - 1, names), -EPROTO);
	assert_int_equal(xpv_wire_names(body, 2, names), -EPROTO);
	/* an empty name */
	assert_int_equal(xpv_wire_names((char *)"\0", 1, names), -EPROTO);
	assert_int_equal(xpv_wire_names((char *)"a\0\0b", 5, names), -EPROTO);
}

/* S04: as many names as a message can hold */
static void fullest_directory(void **state)
{
	char *body = malloc(4096);
	char **names = malloc(2048 * sizeof(*names));

	for (u32 i = 0; i < 4096; i += 2) {
		body[i] = '0' + i % 10;
		body[i + 1] = '\0';
	}
	assert_int_equal(xpv_wire_names(body, 4096, NULL), 2048);
	assert_int_equal(xpv_wire_names(body, 4096, names), 2048);
	assert_ptr_equal(names[2047], body + 4094);
	free(names);
	free(body);
}

/* Lets the sanitizer see what lies behind @len bytes. */
static int listing_of(const char *bytes, u32 len, struct xpv_wire_listing *part,
		      char **body)
{
	*body = malloc(len ? len : 1);
	memcpy(*body, bytes, len);
	return xpv_wire_listing(*body, len, part);
}

static void listing_parts(void **state)
{
	static const struct {
		const char *bytes;
		u32 len;
		const char *gen;
		u32 names;
		bool last;
	} rows[] = {
		{ "7\0vbd\0vif\0", 10, "7", 8, false },
		{ "7\0vbd\0vif\0\0", 11, "7", 8, true },
		{ "18446744073709551615\0a\0", 23, "18446744073709551615", 2, false },
		/* no names at all, or an offset at the end */
		{ "0\0\0", 3, "0", 0, true },
	};
	struct xpv_wire_listing part;
	char *body;

	assert_int_equal(XPV_WIRE_DIRECTORY_PART, 22);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(listing_of(rows[i].bytes, rows[i].len, &part,
					    &body), 0);
		assert_string_equal(part.gen, rows[i].gen);
		assert_ptr_equal(part.names, body + strlen(rows[i].gen) + 1);
		assert_int_equal(part.len, rows[i].names);
		assert_int_equal(part.last, rows[i].last);
		free(body);
	}
}

static void listing_parts_refused(void **state)
{
	static const struct {
		const char *bytes;
		u32 len;
	} rows[] = {
		{ "", 0 },
		{ "7", 1 },			/* no end of the generation */
		{ "7\0", 2 },			/* nothing, and no end either */
		{ "\0vbd\0\0", 6 },		/* no generation */
		{ "-7\0vbd\0\0", 8 },
		{ "7a\0vbd\0\0", 8 },
		{ "184467440737095516150\0a\0", 24 },
		{ "7\0vbd", 5 },		/* no end of a name */
		{ "7\0vbd\0vif", 9 },
		{ "7\0vbd\0\0vif\0", 11 },	/* an empty name among them */
		{ "7\0\0vbd\0", 7 },
		{ "7\0vbd\0\0\0", 8 },		/* two of them at the end */
		{ "7\0\0\0", 4 },
	};
	struct xpv_wire_listing part;
	char *body;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(listing_of(rows[i].bytes, rows[i].len, &part,
					    &body), -EPROTO);
		free(body);
	}
}

/* What a server cuts at any name must come together again. */
static void listing_comes_together(void **state)
{
	static const char all[] = "0\00017\0aa\0-\000512\0z";
	char body[64], whole[sizeof(all)];
	struct xpv_wire_listing part;

	for (u32 room = 5; room < 30; room++) {
		u32 at = 0;

		do {
			u32 len = 0, size = 2;

			while (at + len < sizeof(all)) {
				u32 one = strlen(all + at + len) + 1;

				if (len + one > room)
					break;
				len += one;
			}
			memcpy(body, "5", 2);
			memcpy(body + size, all + at, len);
			size += len;
			if (at + len == sizeof(all))
				body[size++] = '\0';
			assert_int_equal(xpv_wire_listing(body, size, &part), 0);
			assert_in_range(at + part.len, 1, sizeof(whole));
			memcpy(whole + at, part.names, part.len);
			at += part.len;
		} while (!part.last);
		assert_int_equal(at, sizeof(all));
		assert_memory_equal(whole, all, sizeof(all));
	}
}

/* S06 */
static void error_names(void **state)
{
	static const struct {
		const char *name;
		u32 len;
		int err;
	} rows[] = {
		{ "EINVAL", 7, -EINVAL }, { "EACCES", 7, -EACCES },
		{ "EEXIST", 7, -EEXIST }, { "ENOENT", 7, -ENOENT },
		{ "ENOMEM", 7, -ENOMEM }, { "ENOSPC", 7, -ENOSPC },
		{ "EIO", 4, -EIO }, { "EROFS", 6, -EROFS },
		{ "EBUSY", 6, -EBUSY }, { "EAGAIN", 7, -EAGAIN },
		{ "E2BIG", 6, -E2BIG }, { "ENOSYS", 7, -ENOSYS },
		{ "EQUOTA", 7, -ENOSPC }, { "EPERM", 6, -EPERM },
		{ "ENOENT", 6, -ENOENT },	/* not terminated */
		{ "ENOENT\0x", 9, -ENOENT },
		{ "ENOEN", 5, -EIO }, { "ENOENTX", 8, -EIO },
		{ "", 0, -EIO }, { "\0", 1, -EIO }, { "%n%s", 5, -EIO },
		{ "enoent", 7, -EIO },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *body = malloc(rows[i].len ? rows[i].len : 1);

		memcpy(body, rows[i].name, rows[i].len);
		assert_int_equal(xpv_wire_errno(body, rows[i].len), rows[i].err);
		free(body);
	}
}

/* Two strings as a program sends them: in memory of exactly their length. */
static void pairs(void **state)
{
	static const struct {
		const char *body;
		u32 len;
		const char *first, *second;	/* NULL: refused */
	} rows[] = {
		{ "path\0token", 11, "path", "token" },
		{ "\0", 2, "", "" },
		{ "path\0", 6, "path", "" },
		{ "", 0, NULL, NULL },
		{ "", 1, NULL, NULL },			/* one string */
		{ "path", 5, NULL, NULL },
		{ "path", 4, NULL, NULL },		/* no end */
		{ "path\0token", 10, NULL, NULL },	/* the second has no end */
		{ "a\0b\0c", 6, NULL, NULL },		/* three */
		{ "a\0b\0", 5, NULL, NULL },		/* an empty third */
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *body = malloc(rows[i].len ? rows[i].len : 1);
		const char *first, *second;
		int err;

		memcpy(body, rows[i].body, rows[i].len);
		err = xpv_wire_pair(body, rows[i].len, &first, &second);
		if (rows[i].first) {
			assert_int_equal(err, 0);
			assert_string_equal(first, rows[i].first);
			assert_string_equal(second, rows[i].second);
		} else {
			assert_int_equal(err, -EPROTO);
		}
		free(body);
	}
}

/* What xenstored would have said, from our errors, and back. */
static void names_of_errors(void **state)
{
	static const int errors[] = { EINVAL, EACCES, EEXIST, ENOENT, ENOMEM,
				      ENOSPC, EIO, ENOSYS, EBUSY, EAGAIN };

	for (u32 i = 0; i < ARRAY_SIZE(errors); i++) {
		const char *name = xpv_wire_error(-errors[i]);

		assert_int_equal(xpv_wire_errno(name, strlen(name) + 1),
				 -errors[i]);
	}
	assert_string_equal(xpv_wire_error(-ENOENT), "ENOENT");
	assert_string_equal(xpv_wire_error(-ETIMEDOUT), "EIO");
	assert_string_equal(xpv_wire_error(-EPROTO), "EIO");
}

/* ---- noise -------------------------------------------------------------------- */

/* A server that writes noise and lies about indices: no byte out of bounds. */
static void noise(void **state)
{
	struct fixture *f = *state;
	u32 seed = 31337, cons = 0, lies = 0, complete = 0;

	for (int round = 0; round < 300000; round++) {
		u32 r = unit_random(&seed);
		u32 ahead = r % 64 ? r % (RING + 1) : r >> 3;
		struct xpv_wire_listing part;
		const char *path, *token;
		int got;

		for (int i = 0; i < 8; i++)
			f->ring[unit_random(&seed) % RING] = seed % 3 ? 0 : seed;
		got = xpv_wire_receive(f->reader, f->ring, &cons, cons + ahead);
		if (got < 0) {
			lies++;
			memset(f->reader, 0, sizeof(*f->reader));
		} else if (got && f->reader->header.len <= 4096) {
			complete++;
			xpv_wire_event(f->reader, &path, &token);
			xpv_wire_errno(f->reader->body, f->reader->header.len);
			xpv_wire_names(f->reader->body, f->reader->header.len,
				       NULL);
			xpv_wire_listing(f->reader->body, f->reader->header.len,
					 &part);
		}
	}
	/* the noise must have reached both ends of the reader */
	assert_true(lies > 1000);
	assert_true(complete > 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_is_laid_out),
		TEST(request_size_is_limited),
		TEST(send_fills_and_wraps),
		TEST(send_refuses_bad_indices),
		TEST(messages_arrive_in_pieces),
		TEST(messages_are_told_apart),
		TEST(overlong_message_is_stepped_over),
		TEST(absurd_length_is_refused),
		TEST(truncated_header_waits),
		TEST(receive_refuses_bad_indices),
		TEST(answers_match_in_all_three),
		TEST(watch_events),
		TEST(longest_watch_event),
		TEST(directories),
		TEST(fullest_directory),
		TEST(listing_parts),
		TEST(listing_parts_refused),
		TEST(listing_comes_together),
		TEST(error_names),
		TEST(pairs),
		TEST(names_of_errors),
		TEST(noise),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
