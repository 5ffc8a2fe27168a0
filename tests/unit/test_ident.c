// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/ident.c
/* Identity of a disk: pages as hosts write them, and pages that lie. */
#include <errno.h>
#include <string.h>
#include "unit.h"

#include "../../blkfront/ident.h"

#define PAGE_MAX_TEXT 4096

/* What a storage manager writes for a disk with this UUID, taken from its code. */
#define SM_UUID "5b1f5a3c-9f0e-4d6b-8a57-0c2d3e4f5061"

struct page {
	u8 byte[1024];
	size_t n;
};

static void add(struct page *p, const void *bytes, size_t n)
{
	assert_true(p->n + n <= sizeof(p->byte));
	memcpy(p->byte + p->n, bytes, n);
	p->n += n;
}

static void page_init(struct page *p, u8 code)
{
	p->n = 0;
	add(p, (u8[]){ 0, code, 0, 0 }, 4);
}

static void page_end(struct page *p)
{
	p->byte[2] = (p->n - 4) >> 8;
	p->byte[3] = p->n - 4;
}

static void designate(struct page *p, u8 code, u8 type, const void *id, u8 n)
{
	add(p, (u8[]){ code, type, 0, n }, 4);
	add(p, id, n);
}

/* The test's own encoder. */
static size_t encode(const struct page *p, char *text)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0, i, bit;

	for (i = 0; i < p->n * 8; i += 6) {
		u32 value = 0;

		for (bit = i; bit < i + 6; bit++)
			value = value << 1 | (bit < p->n * 8 &&
				(p->byte[bit / 8] >> (7 - bit % 8) & 1));
		text[n++] = digit[value];
	}
	while (n % 4)
		text[n++] = '=';
	return n;
}

typedef int ident_fn(const char *text, size_t len, char *out, size_t size);

/* The text ends where its memory ends, and so does the room. */
static int call_text(ident_fn *fn, const char *text, size_t len, char *out,
		     size_t size)
{
	char *copy = malloc(len + !len), *room = malloc(size);
	int err;

	memcpy(copy, text, len);
	memset(room, 'x', size);
	err = fn(copy, len, room, size);
	assert_non_null(memchr(room, '\0', size));
	assert_true(!err == !!*room);
	strcpy(out, room);
	free(copy);
	free(room);
	return err;
}

static int call(ident_fn *fn, const struct page *p, char *out)
{
	char text[PAGE_MAX_TEXT];

	return call_text(fn, text, encode(p, text), out, VBD_IDENT_SIZE);
}

static void serial_page(struct page *p, const void *serial, size_t n)
{
	page_init(p, 0x80);
	add(p, serial, n);
	page_end(p);
}

/*
 * gen_synthetic_page_data(SM_UUID) of the storage manager: as its Python 2 printed
 * it, and as its Python 3 does, which turns the page into UTF-8 first.
 */
static void test_storage_manager(void **state)
{
	static const char *const page80[] = {
		"AIAAEjViMWY1YTNjLTlmMGUtNGQgIA==",
		"AMKAABI1YjFmNWEzYy05ZjBlLTRkICA=",
	};
	static const char *const page83[] = {
		"AIMAMQIBAC1YRU5TUkMgIDViMWY1YTNjLTlmMGUtNGQ2"
		"Yi04YTU3LTBjMmQzZTRmNTA2MSA=",
		"AMKDADECAQAtWEVOU1JDICA1YjFmNWEzYy05ZjBlLTRk"
		"NmItOGE1Ny0wYzJkM2U0ZjUwNjEg",
	};
	char out[VBD_IDENT_SIZE];
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(call_text(vbd_ident_serial, page80[i],
					   strlen(page80[i]), out, sizeof(out)), 0);
		assert_string_equal(out, "5b1f5a3c-9f0e-4d");
		assert_int_equal(call_text(vbd_ident_wwid, page83[i],
					   strlen(page83[i]), out, sizeof(out)), 0);
		assert_string_equal(out, "t10.XENSRC  " SM_UUID);
		/* neither is the other */
		assert_int_equal(call_text(vbd_ident_wwid, page80[i],
					   strlen(page80[i]), out, sizeof(out)),
				 -EINVAL);
		assert_int_equal(call_text(vbd_ident_serial, page83[i],
					   strlen(page83[i]), out, sizeof(out)),
				 -EINVAL);
	}
}

/* The UTF-8 header cut short, doubled, with another page's code. */
static void test_utf8_header(void **state)
{
	static const struct {
		u8 byte[8];
		size_t n;
		int err;
	} row[] = {
		{ { 0, 0xc2, 0x80, 0, 1, 'x' }, 6, 0 },
		{ { 0, 0xc2, 0x80, 0, 1 }, 5, -EINVAL },
		{ { 0, 0xc2, 0x80, 0 }, 4, -EINVAL },
		{ { 0, 0xc2, 0x83, 0, 1, 'x' }, 6, -EINVAL },
		{ { 0, 0xc2, 0xc2, 0x80, 0, 1, 'x' }, 7, -EINVAL },
		{ { 0, 0xc3, 0x80, 0, 1, 'x' }, 6, -EINVAL },
	};
	char out[VBD_IDENT_SIZE];
	struct page p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		memcpy(p.byte, row[i].byte, row[i].n);
		p.n = row[i].n;
		assert_int_equal(call(vbd_ident_serial, &p, out), row[i].err);
	}
}

static void test_serial(void **state)
{
	static const struct {
		const char *field, *out;
		size_t n;
		int err;
	} row[] = {
		{ "A", "A", 1, 0 },
		{ "S3Z9NB0K  ", "S3Z9NB0K", 10, 0 },
		{ "  12 34", "12 34", 7, 0 },
		{ "abc\0\0\0", "abc", 6, 0 },
		{ "\0 \0 7", "7", 5, 0 },
		{ "", "", 0, -ENODATA },
		{ "    ", "", 4, -ENODATA },
		{ "\0\0\0\0", "", 4, -ENODATA },
		{ "ab\0cd", "", 5, -EINVAL },
		{ "ab\ncd", "", 5, -EINVAL },
		{ "ab\x7f", "", 3, -EINVAL },
		{ "ab\xc3\xa4", "", 4, -EINVAL },
		{ "../../%n", "../../%n", 8, 0 },
	};
	char out[VBD_IDENT_SIZE];
	struct page p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		serial_page(&p, row[i].field, row[i].n);
		assert_int_equal(call(vbd_ident_serial, &p, out), row[i].err);
		assert_string_equal(out, row[i].out);
	}
}

static void test_serial_length(void **state)
{
	char out[VBD_IDENT_SIZE], text[PAGE_MAX_TEXT], want[VBD_IDENT_SIZE];
	struct page p;
	u8 field[300];
	size_t len;

	memset(field, 'z', sizeof(field));
	serial_page(&p, field, 255);
	memset(want, 'z', 255);
	want[255] = '\0';
	assert_int_equal(call(vbd_ident_serial, &p, out), 0);
	assert_string_equal(out, want);
	serial_page(&p, field, 256);
	assert_int_equal(call(vbd_ident_serial, &p, out), -ENOSPC);

	/* room for all of it, or none of it */
	serial_page(&p, field, 10);
	len = encode(&p, text);
	assert_int_equal(call_text(vbd_ident_serial, text, len, out, 11), 0);
	assert_int_equal(call_text(vbd_ident_serial, text, len, out, 10), -ENOSPC);
	assert_int_equal(call_text(vbd_ident_serial, text, len, out, 1), -ENOSPC);
	assert_int_equal(vbd_ident_serial(text, len, NULL, 0), -ENOSPC);
	assert_int_equal(vbd_ident_wwid(text, len, NULL, 0), -ENOSPC);

	/* a page that says it is longer, shorter, or too short for a header */
	p.byte[3] = 11;
	assert_int_equal(call(vbd_ident_serial, &p, out), -EINVAL);
	p.byte[2] = 0xff;
	assert_int_equal(call(vbd_ident_serial, &p, out), -EINVAL);
	p.byte[2] = 0;
	p.byte[3] = 4;
	assert_int_equal(call(vbd_ident_serial, &p, out), 0);
	assert_string_equal(out, "zzzz");
	p.byte[3] = 0;
	for (p.n = 0; p.n < 4; p.n++)
		assert_int_equal(call(vbd_ident_serial, &p, out), -EINVAL);
	assert_int_equal(call(vbd_ident_serial, &p, out), -ENODATA);
}

static void test_base64(void **state)
{
	static const struct {
		const char *text, *out;
		int err;
	} row[] = {
		/* 00 80 00 02 'o' 'k': no padding; 03 'o' 'k' '!': two; 05: one */
		{ "AIAAAm9r", "ok", 0 },
		{ "AIAAA29rIQ==", "ok!", 0 },
		{ "AIAAA29rIQ", "ok!", 0 },
		{ "AIAABG9rISE=", "ok!!", 0 },
		{ "AIAABG9rISE", "ok!!", 0 },
		{ "AIAA\nA29r\r\nIQ==\n", "ok!", 0 },
		{ "\nA\nI\nA\nA\nA\n2\n9\nr\nI\nQ\n=\n=", "ok!", 0 },
		/* half a padding, too much, in the wrong place, alone */
		{ "AIAAA29rIQ=", "", -EINVAL },
		{ "AIAAA29rIQ===", "", -EINVAL },
		{ "AIAAA29rIQ=A", "", -EINVAL },
		{ "AIAAAm9r=", "", -EINVAL },
		{ "AIAAAm9r====", "", -EINVAL },
		{ "=AIAAAm9r", "", -EINVAL },
		{ "====", "", -EINVAL },
		/* bits that belong to no byte */
		{ "AIAAA29rIR==", "", -EINVAL },
		{ "AIAABG9rISF=", "", -EINVAL },
		{ "AIAAAm9rA", "", -EINVAL },
		/* other alphabets, blanks, what follows */
		{ "AIAAAm9r ", "", -EINVAL },
		{ " AIAAAm9r", "", -EINVAL },
		{ "AIAA Am9r", "", -EINVAL },
		{ "AIAAAm9-", "", -EINVAL },
		{ "AIAAAm9r!", "", -EINVAL },
		{ "AIAAAm9r\xff", "", -EINVAL },
		{ "b'AIAAAm9r'", "", -EINVAL },
		{ "", "", -EINVAL },
		{ "\n", "", -EINVAL },
		/* plain text, as no host writes it */
		{ "S3Z9NB0K", "", -EINVAL },
		{ "5b1f5a3c-9f0e-4d", "", -EINVAL },
	};
	char out[VBD_IDENT_SIZE];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		assert_int_equal(call_text(vbd_ident_serial, row[i].text,
					   strlen(row[i].text), out, sizeof(out)),
				 row[i].err);
		assert_string_equal(out, row[i].out);
	}
	assert_int_equal(call_text(vbd_ident_serial, "AIAAAm9r\0", 9, out,
				   sizeof(out)), -EINVAL);
}

#define NAA6 "\x60\x01\x40\x5a\xbc\xde\xf0\x12\x34\x56\x78\x9a\xbc\xde\xf0\x11"
#define NAA5 "\x50\x01\x40\x5a\xbc\xde\xf0\x12"
#define UUID "\x10\x00\x5b\x1f\x5a\x3c\x9f\x0e\x4d\x6b\x8a\x57\x0c\x2d\x3e\x4f\x50\x61"

/* Every kind, worse ones before better ones, so that each is the best in turn. */
static void test_rank(void **state)
{
	static const struct {
		u8 code, type, n;
		const char *id, *out;
	} row[] = {
		{ 1, 3,  8, "\x30\x00\x00\x00\x00\x00\x00\x01",
		  "naa.3000000000000001" },
		{ 2, 1, 13, "XENPV   abc  ", "t10.XENPV   abc" },
		{ 1, 2,  8, "\x00\x25\x38\x00\x00\x00\x00\x01",
		  "eui.0025380000000001" },
		{ 1, 3,  8, "\x20\x00\x00\x00\x00\x00\x00\x01",
		  "naa.2000000000000001" },
		{ 1, 3,  8, NAA5, "naa.5001405abcdef012" },
		{ 1, 2, 12, "\x00\x25\x38\x00\x00\x00\x00\x01\xaa\xbb\xcc\xdd",
		  "eui.0025380000000001aabbccdd" },
		{ 1, 2, 16, NAA6, "eui.6001405abcdef0123456789abcdef011" },
		{ 1, 10, 18, UUID, "uuid." SM_UUID },
		{ 1, 3, 16, NAA6, "naa.6001405abcdef0123456789abcdef011" },
		{ 3, 8, 24, "naa.6001405ABCDEF012\0\0\0\0",
		  "naa.6001405ABCDEF012" },
	};
	char out[VBD_IDENT_SIZE];
	struct page up, down;
	u32 i, last;

	for (last = 0; last < ARRAY_SIZE(row); last++) {
		page_init(&up, 0x83);
		page_init(&down, 0x83);
		for (i = 0; i <= last; i++) {
			designate(&up, row[i].code, row[i].type, row[i].id,
				  row[i].n);
			designate(&down, row[last - i].code, row[last - i].type,
				  row[last - i].id, row[last - i].n);
		}
		page_end(&up);
		page_end(&down);
		assert_int_equal(call(vbd_ident_wwid, &up, out), 0);
		assert_string_equal(out, row[last].out);
		assert_int_equal(call(vbd_ident_wwid, &down, out), 0);
		assert_string_equal(out, row[last].out);
	}
}

/* What is no name of this disk, or none that can be used. */
static void test_no_name(void **state)
{
	static const struct {
		u8 code, type, n;
		const char *id;
	} row[] = {
		{ 1, 0x13, 16, NAA6 },		/* of the port */
		{ 1, 0x93, 16, NAA6 },
		{ 1, 0x23, 16, NAA6 },		/* of the target */
		{ 1, 0x33, 16, NAA6 },		/* reserved */
		{ 2, 0, 4, "mine" },		/* vendor specific */
		{ 1, 4, 4, "\0\0\0\1" },	/* relative port */
		{ 1, 3, 0, "" },
		{ 1, 3, 15, NAA6 },
		{ 1, 3, 8, NAA6 },
		{ 1, 3, 16, "\x50" NAA6 },
		{ 1, 3, 8, "\x10" NAA5 },
		{ 2, 3, 8, NAA5 },		/* not binary */
		{ 1, 2, 0, "" },
		{ 1, 2, 9, "123456789" },
		{ 1, 10, 17, UUID },
		{ 1, 10, 18, "\x20" UUID },
		{ 2, 1, 0, "" },
		{ 2, 1, 8, "        " },
		{ 2, 1, 6, "XEN\x01PV" },
		{ 3, 8, 4, "naa." },
		{ 3, 8, 12, "../../passwd" },
		{ 3, 8, 8, "iqn.\n\n\n\n" },
		{ 2, 8, 8, "naa.5001" },	/* not UTF-8 */
	};
	char out[VBD_IDENT_SIZE];
	struct page p;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		page_init(&p, 0x83);
		designate(&p, row[i].code, row[i].type, row[i].id, row[i].n);
		page_end(&p);
		assert_int_equal(call(vbd_ident_wwid, &p, out), -ENODATA);
		/* it does not hide one that is */
		designate(&p, 1, 3, NAA5, 8);
		page_end(&p);
		assert_int_equal(call(vbd_ident_wwid, &p, out), 0);
		assert_string_equal(out, "naa.5001405abcdef012");
	}
	page_init(&p, 0x83);
	assert_int_equal(call(vbd_ident_wwid, &p, out), -ENODATA);
}

/* A page cut anywhere, a designator that is longer than the page, no room. */
static void test_wwid_length(void **state)
{
	char out[VBD_IDENT_SIZE], text[PAGE_MAX_TEXT];
	struct page p;
	size_t size, len, cut;
	u8 id[255];

	page_init(&p, 0x83);
	designate(&p, 1, 3, NAA5, 8);
	designate(&p, 2, 1, "XENPV   1", 9);
	page_end(&p);
	len = p.n;
	for (cut = 0; cut < len; cut++) {
		p.n = cut;
		p.byte[3] = len - 4;
		assert_int_equal(call(vbd_ident_wwid, &p, out), -EINVAL);
		if (cut < 5 || cut == 16)
			continue;
		p.byte[3] = cut - 4;	/* cut where a designator ends is none */
		assert_int_equal(call(vbd_ident_wwid, &p, out), -EINVAL);
	}
	p.n = len;
	p.byte[3] = len - 4;
	assert_int_equal(call(vbd_ident_wwid, &p, out), 0);
	p.byte[16 + 3] = 10;
	assert_int_equal(call(vbd_ident_wwid, &p, out), -EINVAL);
	p.byte[16 + 3] = 0xff;
	assert_int_equal(call(vbd_ident_wwid, &p, out), -EINVAL);

	page_init(&p, 0x83);
	designate(&p, 1, 10, UUID, 18);
	page_end(&p);
	len = encode(&p, text);
	for (size = 1; size < 42; size++)
		assert_int_equal(call_text(vbd_ident_wwid, text, len, out, size),
				 -ENOSPC);
	assert_int_equal(call_text(vbd_ident_wwid, text, len, out, 42), 0);

	/* the best one decides, though a worse one is longer or would fit */
	memset(id, 'v', sizeof(id));
	page_init(&p, 0x83);
	designate(&p, 2, 1, id, 40);
	designate(&p, 1, 3, NAA5, 8);
	designate(&p, 2, 1, "V", 1);
	page_end(&p);
	len = encode(&p, text);
	assert_int_equal(call_text(vbd_ident_wwid, text, len, out, 21), 0);
	assert_string_equal(out, "naa.5001405abcdef012");
	assert_int_equal(call_text(vbd_ident_wwid, text, len, out, 20), -ENOSPC);

	page_init(&p, 0x83);
	designate(&p, 2, 1, id, 255);
	page_end(&p);
	assert_int_equal(call(vbd_ident_wwid, &p, out), 0);
	assert_int_equal(strlen(out), VBD_IDENT_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage_manager),
		cmocka_unit_test(test_utf8_header),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_serial_length),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_rank),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_wwid_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
