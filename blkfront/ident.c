// SPDX-License-Identifier: GPL-2.0
/*
 * Identity of a disk: serial number and world-wide name from SCSI pages.
 *
 * The text is checked as a whole first, then its bytes are decoded one after the
 * other while the page is read: nothing is allocated, and no more than one
 * designator is kept.
 *
 * Pure: compiled unmodified into the unit tests. No state, no locks; the caller
 * owns the memory. The text comes from the backend and may be anything: each
 * length in it is compared with what is there before it is believed.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "ident.h"

#define PAGE_SERIAL	0x80
#define PAGE_DEVICE_ID	0x83

/* What UTF-8 puts in front of the code of a page; see ident.h. */
#define UTF8_LEAD	0xc2

/* Designators: SPC, "Device Identification VPD page". */
#define CODE_BINARY	1
#define CODE_UTF8	3

#define TYPE_T10	1
#define TYPE_EUI	2
#define TYPE_NAA	3
#define TYPE_NAME	8
#define TYPE_UUID	10

/* What a designator's length can say; no serial number is longer. */
#define ID_MAX		255

/**
 * struct vpd - a page that is being decoded
 * @text: the next character
 * @left: bytes of the page that were not read yet
 * @bits: what was decoded, the newest bits lowest
 * @nbits: how many of @bits are to be read
 */
struct vpd {
	const char *text;
	size_t left;
	u32 bits;
	u32 nbits;
};

/**
 * struct designator - one name of something
 * @code: how it is written
 * @type: what kind of name
 * @len: bytes of it
 * @id: the bytes
 */
struct designator {
	u8 code, type, len;
	u8 id[ID_MAX];
};

/* ---- base64 ---------------------------------------------------------------------- */

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

/*
 * Bytes that the text stands for. Line breaks may be anywhere and the padding may
 * be missing, but not half of it; bits that make no byte must be zero.
 */
static ssize_t base64_size(const char *text, size_t len)
{
	size_t digits = 0, pads = 0, i;
	u32 over = 0;

	for (i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=') {
			pads++;
			continue;
		}
		if (value < 0 || pads)
			return -EINVAL;
		over = value;
		digits++;
	}
	if (pads && (pads > 2 || (digits + pads) % 4))
		return -EINVAL;
	switch (digits % 4) {
	case 1:
		return -EINVAL;
	case 2:
		over &= 0xf;
		break;
	case 3:
		over &= 0x3;
		break;
	default:
		over = 0;
	}
	return over ? -EINVAL : (ssize_t)(digits / 4 * 3 + digits % 4 * 3 / 4);
}

/* Only for as many bytes as base64_size() counted. */
static u8 vpd_byte(struct vpd *vpd)
{
	while (vpd->nbits < 8) {
		int value = base64_value(*vpd->text++);

		if (value < 0)
			continue;
		vpd->bits = vpd->bits << 6 | value;
		vpd->nbits += 6;
	}
	vpd->nbits -= 8;
	vpd->left--;
	return vpd->bits >> vpd->nbits;
}

/*
 * Read the header of page @code; what follows the page's own length is left out.
 * The length is one of bytes behind the header, and of nothing else.
 */
static int vpd_open(struct vpd *vpd, u8 code, const char *text, size_t len)
{
	ssize_t bytes = base64_size(text, len);
	size_t size;
	u8 byte;

	if (bytes < 4)
		return -EINVAL;
	*vpd = (struct vpd){
		.text = text,
		.left = bytes,
	};
	vpd_byte(vpd);
	byte = vpd_byte(vpd);
	if (byte == UTF8_LEAD)
		byte = vpd_byte(vpd);
	if (byte != code || vpd->left < 2)
		return -EINVAL;
	size = vpd_byte(vpd) << 8;
	size |= vpd_byte(vpd);
	if (size > vpd->left)
		return -EINVAL;
	vpd->left = size;
	return 0;
}

/* ---- names ----------------------------------------------------------------------- */

/* Fields are padded to their length, with blanks or with zeros. */
static bool is_padding(u8 c)
{
	return c == ' ' || c == '\0';
}

/* A padded field of text behind @prefix. */
static int put_text(const char *prefix, const u8 *field, size_t n, char *out,
		    size_t size)
{
	size_t used = strlen(prefix), i;

	while (n && is_padding(field[n - 1]))
		n--;
	while (n && is_padding(*field)) {
		field++;
		n--;
	}
	if (!n)
		return -ENODATA;
	for (i = 0; i < n; i++)
		if (field[i] < ' ' || field[i] > '~')
			return -EINVAL;
	if (used + n >= size)
		return -ENOSPC;
	memcpy(out, prefix, used);
	memcpy(out + used, field, n);
	out[used + n] = '\0';
	return 0;
}

static int put_hex(const char *prefix, const u8 *field, size_t n, char *out,
		   size_t size)
{
	static const char digit[] = "0123456789abcdef";
	size_t used = strlen(prefix), i;

	if (used + 2 * n >= size)
		return -ENOSPC;
	memcpy(out, prefix, used);
	for (i = 0; i < n; i++) {
		out[used++] = digit[field[i] >> 4];
		out[used++] = digit[field[i] & 0xf];
	}
	out[used] = '\0';
	return 0;
}

/* As "%pU" of the kernel writes it. */
static int put_uuid(const u8 *field, char *out, size_t size)
{
	static const u8 groups[] = { 4, 2, 2, 2, 6 };
	const char *prefix = "uuid.";
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		err = put_hex(prefix, field, groups[i], out, size);
		if (err)
			return err;
		field += groups[i];
		size -= strlen(out);
		out += strlen(out);
		prefix = "-";
	}
	return 0;
}

/* ---- designators ----------------------------------------------------------------- */

static u32 naa_rank(const struct designator *d)
{
	switch (d->id[0] >> 4) {
	case 6:
		return d->len == 16 ? 9 : 0;
	case 5:
		return d->len == 8 ? 5 : 0;
	case 2:
	case 4:
		return d->len == 8 ? 4 : 0;
	case 3:
		return d->len == 8 ? 1 : 0;
	default:
		return 0;
	}
}

/* Padding alone behind the prefix is no name. */
static bool is_name(const struct designator *d)
{
	return d->len > 4 && d->id[4] > ' ' &&
	       (!memcmp(d->id, "naa.", 4) || !memcmp(d->id, "eui.", 4) ||
		!memcmp(d->id, "iqn.", 4));
}

/*
 * How good a name is, 0 for one that is no use: in the order of the kernel's own
 * scsi_vpd_lun_id(), where longer ones come first because they clash less.
 */
static u32 rank(const struct designator *d)
{
	switch (d->type) {
	case TYPE_NAME:
		return d->code == CODE_UTF8 && is_name(d) ? 10 : 0;
	case TYPE_NAA:
		return d->code == CODE_BINARY && d->len ? naa_rank(d) : 0;
	case TYPE_UUID:
		return d->code == CODE_BINARY && d->len == 18 &&
		       d->id[0] >> 4 == 1 ? 8 : 0;
	case TYPE_EUI:
		if (d->code != CODE_BINARY)
			return 0;
		return d->len == 16 ? 7 : d->len == 12 ? 6 : d->len == 8 ? 3 : 0;
	case TYPE_T10:
		return 2;
	default:
		return 0;
	}
}

static int put_designator(const struct designator *d, char *out, size_t size)
{
	switch (d->type) {
	case TYPE_NAME:
		return put_text("", d->id, d->len, out, size);
	case TYPE_NAA:
		return put_hex("naa.", d->id, d->len, out, size);
	case TYPE_UUID:
		return put_uuid(d->id + 2, out, size);
	case TYPE_EUI:
		return put_hex("eui.", d->id, d->len, out, size);
	default:
		return put_text("t10.", d->id, d->len, out, size);
	}
}

/* The next designator of the page, which may be that of a port or of a target. */
static int next_designator(struct vpd *vpd, struct designator *d, bool *unit)
{
	u8 byte;
	u32 i;

	if (vpd->left < 4)
		return -EINVAL;
	d->code = vpd_byte(vpd) & 0xf;
	byte = vpd_byte(vpd);
	*unit = !(byte & 0x30);
	d->type = byte & 0xf;
	vpd_byte(vpd);
	d->len = vpd_byte(vpd);
	if (d->len > vpd->left)
		return -EINVAL;
	for (i = 0; i < d->len; i++)
		d->id[i] = vpd_byte(vpd);
	return 0;
}

/* ---- what is called -------------------------------------------------------------- */

/**
 * vbd_ident_serial() - the serial number of page 80h
 * @text: the page in base64
 * @len: its length
 * @out: filled, terminated; empty on error
 * @size: room in it; VBD_IDENT_SIZE is enough for all
 *
 * Return: 0; -EINVAL for text or a page that is none, or a number with characters
 * that are not printable ASCII; -ENODATA for an empty one; -ENOSPC for no room.
 */
int vbd_ident_serial(const char *text, size_t len, char *out, size_t size)
{
	u8 field[ID_MAX];
	struct vpd vpd;
	size_t n = 0;
	int err;

	if (!size)
		return -ENOSPC;
	*out = '\0';
	err = vpd_open(&vpd, PAGE_SERIAL, text, len);
	if (err)
		return err;
	if (vpd.left > sizeof(field))
		return -ENOSPC;
	while (vpd.left)
		field[n++] = vpd_byte(&vpd);
	return put_text("", field, n, out, size);
}

/**
 * vbd_ident_wwid() - the best name of the disk in page 83h
 * @text: the page in base64
 * @len: its length
 * @out: filled as the attribute `wwid` of a SCSI disk or NVMe namespace reads:
 *	"naa.600...", "eui.002...", "uuid.1b4e...", "iqn....", "t10.VENDOR  id";
 *	terminated; empty on error
 * @size: room in it; VBD_IDENT_SIZE is enough for all
 *
 * Only names of the logical unit count. Of two that are equally good the first
 * one is taken.
 *
 * Return: 0; -EINVAL for text or a page that is none; -ENODATA for a page without
 * a name that can be used; -ENOSPC for no room.
 */
int vbd_ident_wwid(const char *text, size_t len, char *out, size_t size)
{
	struct designator d;
	struct vpd vpd;
	u32 best = 0;
	int err, put, result = -ENODATA;

	if (!size)
		return -ENOSPC;
	*out = '\0';
	err = vpd_open(&vpd, PAGE_DEVICE_ID, text, len);
	while (!err && vpd.left) {
		bool unit;

		err = next_designator(&vpd, &d, &unit);
		if (err || !unit || rank(&d) <= best)
			continue;
		/* The best name or none: a worse one that fits is another name. */
		put = put_designator(&d, out, size);
		if (put && put != -ENOSPC)
			continue;	/* odd characters: no name to use */
		best = rank(&d);
		result = put;
	}
	if (err)
		result = err;
	if (result)
		*out = '\0';
	return result;
}
