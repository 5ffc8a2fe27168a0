// SPDX-License-Identifier: GPL-2.0
// pure: blkfront/ident.c
/*
 * Identities out of any text: as it is, or a page that is encoded here so that the
 * fuzzer gets behind the base64. The invariants of blkfront/ident.h, and that line
 * breaks and padding change nothing.
 */
#include "fuzz.h"

#include <errno.h>
#include "../../blkfront/ident.h"

typedef int ident_fn(const char *text, size_t len, char *out, size_t size);

static int call(ident_fn *fn, const char *text, size_t len, char *out, size_t size)
{
	char *copy = malloc(len + !len), *room = malloc(size);
	size_t i, n;
	int err;

	memcpy(copy, text, len);
	memset(room, 0x5a, size);
	err = fn(copy, len, room, size);
	must(!err || err == -EINVAL || err == -ENODATA || err == -ENOSPC);
	must(memchr(room, '\0', size));
	n = strlen(room);
	must(!err == (n > 0));
	for (i = 0; i < n; i++)
		must(room[i] >= ' ' && room[i] <= '~');
	must(!n || (room[0] != ' ' && room[n - 1] != ' '));
	memcpy(out, room, n + 1);
	free(room);
	free(copy);
	return err;
}

/* Whole or not at all, wherever the room ends. */
static void check_room(ident_fn *fn, const char *text, size_t len, const char *want)
{
	char out[VBD_IDENT_SIZE];
	size_t n = strlen(want);

	must(!call(fn, text, len, out, n + 1) && !strcmp(out, want));
	must(call(fn, text, len, out, n) == -ENOSPC);
	must(call(fn, text, len, out, 1) == -ENOSPC);
}

static void check_breaks(ident_fn *fn, const char *text, size_t len, int err,
			 const char *want)
{
	char *broken = malloc(3 * len + 3), out[VBD_IDENT_SIZE];
	size_t n = 0, i;

	for (i = 0; i < len; i++) {
		if (text[i] == '=')
			break;
		broken[n++] = '\n';
		broken[n++] = text[i];
		if (i % 3)
			broken[n++] = '\r';
	}
	/* Text that is refused may be so for its padding. */
	if (!err) {
		must(!call(fn, broken, n, out, sizeof(out)));
		must(!strcmp(out, want));
	}
	free(broken);
}

static void check_wwid(const char *wwid)
{
	size_t n = strlen(wwid), hex;

	if (!strncmp(wwid, "t10.", 4) || !strncmp(wwid, "iqn.", 4)) {
		must(n > 4);
		return;
	}
	if (!strncmp(wwid, "uuid.", 5)) {
		must(n == 41 && strspn(wwid + 5, "0123456789abcdef-") == 36);
		return;
	}
	must(!strncmp(wwid, "naa.", 4) || !strncmp(wwid, "eui.", 4));
	/* A name string has what the target put there. */
	hex = strspn(wwid + 4, "0123456789abcdef");
	must(hex != n - 4 || hex > 0);
}

static void check(ident_fn *fn, const char *text, size_t len)
{
	char out[VBD_IDENT_SIZE];
	int err = call(fn, text, len, out, sizeof(out));

	if (!err) {
		check_room(fn, text, len, out);
		if (fn == vbd_ident_wwid)
			check_wwid(out);
	}
	check_breaks(fn, text, len, err, out);
}

static char *encode(const u8 *byte, size_t n, size_t *len)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = malloc(n / 3 * 4 + 8);
	u32 bits = 0, have = 0;
	size_t i;

	*len = 0;
	for (i = 0; i < n; i++) {
		bits = bits << 8 | byte[i];
		for (have += 8; have >= 6; have -= 6)
			text[(*len)++] = digit[bits >> (have - 6) & 63];
	}
	if (have)
		text[(*len)++] = digit[bits << (6 - have) & 63];
	while (*len % 4)
		text[(*len)++] = '=';
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u8 how = fuzz_u8(&in);
	ident_fn *fn = how & 1 ? vbd_ident_wwid : vbd_ident_serial;
	u8 *block;
	char *text;
	size_t n, len;

	block = fuzz_block(&in, 3000, &n);
	if (how & 2) {
		check(fn, (char *)block, n);
	} else {
		/* Mostly with an honest header; a lying one is found soon. */
		if (how & 4 && n >= 4) {
			block[1] = how & 1 ? 0x83 : 0x80;
			block[2] = (n - 4) >> 8;
			block[3] = n - 4;
		}
		text = encode(block, n, &len);
		check(fn, text, len);
		free(text);
	}
	free(block);
	return 0;
}
