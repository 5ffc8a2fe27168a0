// SPDX-License-Identifier: GPL-2.0
/*
 * Strict parsers of xenstore values.
 *
 * A value is a string of bytes that another domain may have written. Here it
 * becomes a number, a flag, a text or a state, or it is refused; nowhere else is
 * a value looked at. The kernel's own kstrto*() are not used: they take a sign
 * and a newline, and stop at a NUL that may hide more.
 *
 * Life: none; every function is a calculation on its arguments.
 * Locks: none.
 * Trust: no value is trusted.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <xen/interface/io/xenbus.h>

#include "value.h"

int xpv_value_u64(const char *s, u32 len, u64 *value)
{
	bool fits = true;
	u64 n = 0;
	u32 i, digit;

	if (!len)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		digit = s[i] - '0';
		/* (2^64 - 1) / 10, and what is left for the last digit */
		if (n > 1844674407370955161ULL ||
		    (n == 1844674407370955161ULL && digit > 5))
			fits = false;
		n = n * 10 + digit;
	}
	if (!fits)
		return -ERANGE;
	*value = n;
	return 0;
}

int xpv_value_u32(const char *s, u32 len, u32 *value)
{
	u64 n;
	int err = xpv_value_u64(s, len, &n);

	if (err)
		return err;
	if (n > 0xffffffffULL)
		return -ERANGE;
	*value = n;
	return 0;
}

int xpv_value_limit(const char *s, u32 len, u32 def, u32 min, u32 max,
		    u32 *value)
{
	u32 n = def;
	int err = len ? xpv_value_u32(s, len, &n) : 0;

	if (err == -ERANGE)
		n = max;
	if (!err && len && (n < min || n > max)) {
		n = n < min ? min : max;
		err = -ERANGE;
	}
	*value = n;
	return err;
}

bool xpv_value_flag(const char *s, u32 len)
{
	return len == 1 && s[0] == '1';
}

int xpv_value_string(const char *s, u32 len, char *buf, u32 size)
{
	u32 i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return -EINVAL;
	if (len >= size)
		return -ERANGE;
	memcpy(buf, s, len);
	buf[len] = '\0';
	return len;
}

int xpv_value_state(const char *s, u32 len)
{
	u32 n;

	if (xpv_value_u32(s, len, &n) || n > XenbusStateReconfigured)
		return XenbusStateUnknown;
	return n;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool xpv_value_name(const char *s, u32 max)
{
	u32 i;

	for (i = 0; s[i]; i++)
		if (i == max || !name_char(s[i]))
			return false;
	return i > 0;
}
