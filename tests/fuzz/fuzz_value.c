// SPDX-License-Identifier: GPL-2.0
// pure: xenbus/value.c
/*
 * Any value for every parser of xenbus/value.c, compared with a second, dull
 * account of what it means.
 */
#include "fuzz.h"

#include <errno.h>
#include "../../xenbus/value.h"

#define UNSET 0x5a5a5a5a5a5a5a5aULL

/* @limit + 1 for every number beyond it, -1 for what is no number. */
static __int128 number(const char *s, size_t len, u64 limit)
{
	unsigned __int128 n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (!strchr("0123456789", s[i]) || !s[i])
			return -1;
		n = n * 10 + (s[i] - '0');
		if (n > limit)
			n = (unsigned __int128)limit + 1;
	}
	return len ? (__int128)n : -1;
}

static void check_numbers(const char *s, u32 len)
{
	__int128 want64 = number(s, len, UINT64_MAX);
	__int128 want32 = number(s, len, UINT32_MAX);
	u64 n64 = UNSET;
	u32 n32 = (u32)UNSET;
	int err;

	err = xpv_value_u64(s, len, &n64);
	must(err == (want64 < 0 ? -EINVAL : want64 > UINT64_MAX ? -ERANGE : 0));
	must(n64 == (err ? UNSET : (u64)want64));
	err = xpv_value_u32(s, len, &n32);
	must(err == (want32 < 0 ? -EINVAL : want32 > UINT32_MAX ? -ERANGE : 0));
	must(n32 == (err ? (u32)UNSET : (u32)want32));
}

static void check_limit(const char *s, u32 len, u32 def, u32 min, u32 max)
{
	__int128 want = number(s, len, UINT32_MAX);
	u32 n = ~def;
	int err = xpv_value_limit(s, len, def, min, max, &n);

	if (want < 0) {
		must(err == (len ? -EINVAL : 0) && n == def);
	} else if (want < min || want > max) {
		must(err == -ERANGE && n == (want < min ? min : max));
	} else {
		must(!err && n == want);
	}
}

static void check_string(const char *s, u32 len, u32 size)
{
	char *buf = malloc(size + !size);
	bool clean = true;
	int n;
	u32 i;

	memset(buf, 0x5a, size + !size);
	for (i = 0; i < len; i++)
		clean = clean && (u8)s[i] >= 0x20 && s[i] != 0x7f;
	n = xpv_value_string(s, len, buf, size);
	must(n == (!clean ? -EINVAL : len >= size ? -ERANGE : (int)len));
	if (n >= 0) {
		must(!memcmp(buf, s, n) && !buf[n]);
	} else {
		for (i = 0; i < size; i++)
			must(buf[i] == 0x5a);
	}
	free(buf);
}

static void check_name(const char *s, u32 len, u32 max)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789-_"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *copy = malloc(len + 1);
	size_t n;

	memcpy(copy, s, len);
	copy[len] = '\0';
	n = strlen(copy);
	must(xpv_value_name(copy, max) ==
	     (n > 0 && n <= max && strspn(copy, good) == n));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u32 def = fuzz_u32(&in), min = fuzz_u32(&in), max = fuzz_u32(&in);
	u32 room = fuzz_u8(&in);
	__int128 state;
	size_t len;
	char *s;

	s = (char *)fuzz_block(&in, in.left, &len);
	check_numbers(s, len);
	if (min <= max)
		check_limit(s, len, def, min, max);
	check_string(s, len, room);
	check_name(s, len, room % (XPV_ID_MAX + 1));
	must(xpv_value_flag(s, len) == (len == 1 && *s == '1'));
	state = number(s, len, UINT32_MAX);
	must(xpv_value_state(s, len) == (state >= 0 && state <= 8 ? (int)state : 0));
	free(s);
	return 0;
}
