/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every fuzz target includes first: the input as a stream of numbers, memory
 * that ends where it should, and must().
 *
 * A target is one function of the input. It keeps no state from one input to the
 * next, so that each failure is repeated by the file that the fuzzer leaves.
 */
#ifndef XENPV_FUZZ_H
#define XENPV_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>
#include <linux/kernel.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant of the code under test. */
#define must(cond) do { \
	if (!(cond)) { \
		fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, \
			__func__, #cond); \
		abort(); \
	} \
} while (0)

/**
 * struct fuzz_input - what is left of the input
 * @at: next byte
 * @left: how many
 */
struct fuzz_input {
	const u8 *at;
	size_t left;
};

/* The next @n bytes as a number, little end first; zeros behind the end. */
static inline u64 fuzz_number(struct fuzz_input *in, unsigned int n)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < n && in->left; i++, in->left--)
		value |= (u64)*in->at++ << (8 * i);
	return value;
}

static inline u8 fuzz_u8(struct fuzz_input *in) { return fuzz_number(in, 1); }
static inline u16 fuzz_u16(struct fuzz_input *in) { return fuzz_number(in, 2); }
static inline u32 fuzz_u32(struct fuzz_input *in) { return fuzz_number(in, 4); }
static inline u64 fuzz_u64(struct fuzz_input *in) { return fuzz_number(in, 8); }

/* A block of its own with the next @n bytes, less at the end; free() it. */
static inline u8 *fuzz_block(struct fuzz_input *in, size_t n, size_t *got)
{
	u8 *block;

	*got = n < in->left ? n : in->left;
	block = malloc(*got + !*got);
	memcpy(block, in->at, *got);
	in->at += *got;
	in->left -= *got;
	return block;
}

#endif /* XENPV_FUZZ_H */
