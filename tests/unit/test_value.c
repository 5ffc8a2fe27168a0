// SPDX-License-Identifier: GPL-2.0
// pure: xenbus/value.c
/*
 * xenbus/value.c: every value a toolstack or a backend might write.
 *
 * One table a parser; each row is a value and what must come of it. Values are
 * given with their length, because they may hold NUL bytes, and are copied into
 * a buffer of exactly that size, so that reading one byte too many is an error.
 * S02, S03 are rows of the catalogue of hostile cases.
 */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <xen/interface/io/xenbus.h>
#include "../../xenbus/value.h"

struct text {
	const char *s;
	u32 len;
};

#define T(literal) { literal, sizeof(literal) - 1 }

/* The value with nothing behind it. */
static char *exact(const struct text *t)
{
	char *copy = malloc(t->len ? t->len : 1);

	assert_non_null(copy);
	memcpy(copy, t->s, t->len);
	return copy;
}

/* What is no number at all, for every numeric parser: S02, S03. */
static const struct text garbage[] = {
	T(""), T(" "), T(" 5"), T("5 "), T("5x"), T("x5"), T("+5"), T("-1"),
	T("-0"), T("0x10"), T("1e3"), T("1.0"), T("1,000"), T("5\n"), T("5\0"),
	T("\0"), T("4\0junk"), T("4\0" "4"), T("%n"), T("%s%s%s"), T("--"),
	T("\xd9\xa3"), T("\xff"), T("Infinity"), T("0b1"), T("1_0"), T("/"),
	T("18446744073709551616x"), T("99999999999999999999999 "),
};

static void garbage_is_no_number(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(garbage); i++) {
		char *s = exact(&garbage[i]);
		u32 len = garbage[i].len;
		u64 wide = 77;
		u32 n = 77;

		assert_int_equal(xpv_value_u64(s, len, &wide), -EINVAL);
		assert_int_equal(wide, 77);
		assert_int_equal(xpv_value_u32(s, len, &n), -EINVAL);
		assert_int_equal(n, 77);
		assert_int_equal(xpv_value_state(s, len), XenbusStateUnknown);
		assert_false(xpv_value_flag(s, len));
		/* An empty value says nothing and is no error; all else is. */
		assert_int_equal(xpv_value_limit(s, len, 3, 1, 9, &n),
				 len ? -EINVAL : 0);
		assert_int_equal(n, 3);
		free(s);
	}
}

static void numbers(void **state)
{
	static const struct {
		struct text text;
		int err64;
		u64 value;
		int err32;
	} rows[] = {
		{ T("0"), 0, 0, 0 },
		{ T("1"), 0, 1, 0 },
		{ T("0010"), 0, 10, 0 },
		{ T("51712"), 0, 51712, 0 },
		{ T("4294967295"), 0, 4294967295ULL, 0 },
		{ T("4294967296"), 0, 4294967296ULL, -ERANGE },
		{ T("18446744073709551609"), 0, 18446744073709551609ULL, -ERANGE },
		{ T("18446744073709551615"), 0, ~0ULL, -ERANGE },
		{ T("18446744073709551616"), -ERANGE, 0, -ERANGE },
		{ T("18446744073709551620"), -ERANGE, 0, -ERANGE },
		{ T("36893488147419103232"), -ERANGE, 0, -ERANGE },
		{ T("99999999999999999999999999999999"), -ERANGE, 0, -ERANGE },
		{ T("00000000000000000000000000000007"), 0, 7, 0 },
		/* wraps to a small number if overflow is only looked at last */
		{ T("184467440737095516160"), -ERANGE, 0, -ERANGE },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *s = exact(&rows[i].text);
		u64 wide = 0;
		u32 n = 0;

		assert_int_equal(xpv_value_u64(s, rows[i].text.len, &wide),
				 rows[i].err64);
		assert_true(wide == rows[i].value);
		assert_int_equal(xpv_value_u32(s, rows[i].text.len, &n),
				 rows[i].err32);
		assert_int_equal(n, rows[i].err32 ? 0 : (u32)rows[i].value);
		free(s);
	}
}

/* S01: a value as long as a message can be. */
static void longest_value(void **state)
{
	char *s = malloc(4096);
	char buf[64];
	u64 n = 5;

	assert_non_null(s);
	memset(s, '9', 4096);
	assert_int_equal(xpv_value_u64(s, 4096, &n), -ERANGE);
	memset(s, '0', 4096);
	assert_int_equal(xpv_value_u64(s, 4096, &n), 0);
	assert_true(n == 0);
	assert_int_equal(xpv_value_string(s, 4096, buf, sizeof(buf)), -ERANGE);
	free(s);
}

static void limits(void **state)
{
	static const struct {
		struct text text;
		u32 def, min, max;
		int err;
		u32 value;
	} rows[] = {
		{ T(""), 0, 0, 4, 0, 0 },
		{ T(""), 9, 1, 4, 0, 9 },	/* a default may lie outside */
		{ T("0"), 2, 0, 4, 0, 0 },
		{ T("4"), 2, 0, 4, 0, 4 },
		{ T("5"), 2, 0, 4, -ERANGE, 4 },
		{ T("0"), 2, 1, 4, -ERANGE, 1 },
		{ T("99"), 0, 0, 4, -ERANGE, 4 },
		{ T("4294967295"), 0, 0, 4, -ERANGE, 4 },
		{ T("4294967296"), 0, 0, 4, -ERANGE, 4 },
		{ T("18446744073709551616"), 0, 0, 4, -ERANGE, 4 },
		{ T("-1"), 1, 0, 4, -EINVAL, 1 },
		{ T("abc"), 1, 0, 4, -EINVAL, 1 },
		{ T("4294967295"), 0, 0, ~0u, 0, ~0u },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *s = exact(&rows[i].text);
		u32 n = 1234;

		assert_int_equal(xpv_value_limit(s, rows[i].text.len,
						 rows[i].def, rows[i].min,
						 rows[i].max, &n),
				 rows[i].err);
		assert_int_equal(n, rows[i].value);
		free(s);
	}
}

static void flags(void **state)
{
	static const struct text off[] = {
		T(""), T("0"), T("2"), T("11"), T("01"), T("1 "), T(" 1"),
		T("1\n"), T("1\0"), T("true"), T("yes"), T("on"),
	};

	assert_true(xpv_value_flag("1", 1));
	for (u32 i = 0; i < ARRAY_SIZE(off); i++) {
		char *s = exact(&off[i]);

		assert_false(xpv_value_flag(s, off[i].len));
		free(s);
	}
}

static void strings(void **state)
{
	static const struct {
		struct text text;
		u32 size;
		int ret;
	} rows[] = {
		{ T(""), 8, 0 },
		{ T(""), 1, 0 },
		{ T("w"), 8, 1 },
		{ T("seven77"), 8, 7 },
		{ T("eight888"), 8, -ERANGE },
		{ T("x"), 1, -ERANGE },
		{ T("a b/c%s"), 8, 7 },
		{ T("caf\xc3\xa9"), 8, 5 },
		{ T("a\0b"), 8, -EINVAL },
		{ T("a\0"), 8, -EINVAL },
		{ T("\n"), 8, -EINVAL },
		{ T("a\tb"), 8, -EINVAL },
		{ T("\x1b[2J"), 8, -EINVAL },
		{ T("\x7f"), 8, -EINVAL },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *s = exact(&rows[i].text);
		char *buf = malloc(rows[i].size);

		assert_non_null(buf);
		memset(buf, '?', rows[i].size);
		assert_int_equal(xpv_value_string(s, rows[i].text.len, buf,
						  rows[i].size),
				 rows[i].ret);
		if (rows[i].ret >= 0) {
			assert_memory_equal(buf, rows[i].text.s, rows[i].ret);
			assert_int_equal(buf[rows[i].ret], '\0');
		} else {
			assert_int_equal(buf[0], '?');
		}
		free(buf);
		free(s);
	}
}

/* X01: which texts are states. */
static void states(void **state)
{
	static const struct text none[] = {
		T("9"), T("10"), T("99"), T("256"), T("4294967300"),
		T("18446744073709551620"),
	};

	for (int n = 0; n <= XenbusStateReconfigured; n++) {
		char digit = '0' + n;

		assert_int_equal(xpv_value_state(&digit, 1), n);
	}
	for (u32 i = 0; i < ARRAY_SIZE(none); i++) {
		char *s = exact(&none[i]);

		assert_int_equal(xpv_value_state(s, none[i].len),
				 XenbusStateUnknown);
		free(s);
	}
}

/* S04: which directory entries become devices. */
static void names(void **state)
{
	static const char * const bad[] = {
		"", ".", "..", "/", "a/b", "../vbd", "vbd ", " vbd", "v.bd",
		"%s", "%n%n", "a\nb", "a:b", "\xc3\xa9", "*", "~",
	};
	char long_name[4001];

	assert_true(xpv_value_name("vbd", XPV_TYPE_MAX));
	assert_true(xpv_value_name("51712", XPV_ID_MAX));
	assert_true(xpv_value_name("9p-share_2", XPV_TYPE_MAX));
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(xpv_value_name(bad[i], XPV_ID_MAX));

	memset(long_name, '1', sizeof(long_name));
	for (u32 len = 1; len < sizeof(long_name); len++) {
		long_name[len] = '\0';
		assert_int_equal(xpv_value_name(long_name, XPV_ID_MAX),
				 len <= XPV_ID_MAX);
		long_name[len] = '1';
	}
}

/* Random bytes never read past their end and never give two meanings. */
static void random_bytes(void **state)
{
	u32 seed = 2463534242u;

	for (int round = 0; round < 200000; round++) {
		u32 len = unit_random(&seed) % 24;
		char *s = malloc(len ? len : 1);
		bool digits = len > 0;
		char buf[16];
		u64 wide;
		u32 n;
		int err;

		assert_non_null(s);
		for (u32 i = 0; i < len; i++) {
			u32 r = unit_random(&seed);

			/* mostly digits: else nothing would parse */
			s[i] = r % 16 ? '0' + (r >> 8) % 10 : (char)(r >> 8);
			digits = digits && s[i] >= '0' && s[i] <= '9';
		}
		err = xpv_value_u64(s, len, &wide);
		assert_int_equal(err == -EINVAL, !digits);
		if (!err) {
			char again[32];
			u32 zeros = 0;

			snprintf(again, sizeof(again), "%llu",
				 (unsigned long long)wide);
			while (zeros + 1 < len && s[zeros] == '0')
				zeros++;
			assert_int_equal(strlen(again), len - zeros);
			assert_memory_equal(again, s + zeros, len - zeros);
		}
		xpv_value_limit(s, len, 5, 2, 7, &n);
		assert_in_range(n, 2, 7);
		assert_in_range(xpv_value_state(s, len), 0, 8);
		err = xpv_value_string(s, len, buf, sizeof(buf));
		if (err >= 0)
			assert_int_equal(strlen(buf), len);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(garbage_is_no_number),
		cmocka_unit_test(numbers),
		cmocka_unit_test(longest_value),
		cmocka_unit_test(limits),
		cmocka_unit_test(flags),
		cmocka_unit_test(strings),
		cmocka_unit_test(states),
		cmocka_unit_test(names),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
