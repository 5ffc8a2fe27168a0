// SPDX-License-Identifier: GPL-2.0
/*
 * fsx: random operations on one file, each compared with a model of it in memory.
 *
 * usage: fsx SEED SECONDS FILE
 *
 * Data go in and out through the page cache, past it, and through mappings; ranges
 * are cut off, punched out, zeroed, inserted and collapsed. From time to time all is
 * written back and dropped, so that what is compared next comes from the disk. Kinds
 * that the file system does not know are left out, and counted.
 *
 * Ends with 0 when all was right for so long; with 1, the range and the operations
 * that led there when a byte differs; with 2 when an operation fails.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	4096UL
#define MAX	(1UL << 20)	/* size of the file at most */
#define LOG	40U	/* operations that are shown in the end */

enum kind {
	READ, WRITE, DIRECT_READ, DIRECT_WRITE, MAP_READ, MAP_WRITE, TRUNCATE,
	PUNCH, ZERO, INSERT, COLLAPSE, SYNC, DROP, KINDS
};

static const char *const names[KINDS] = {
	"read", "write", "direct read", "direct write", "map read", "map write",
	"truncate", "punch", "zero", "insert", "collapse", "sync", "drop"
};

struct op {
	enum kind kind;
	size_t at, len;
};

static const char *path;
static int fd = -1, direct = -1;
static uint8_t *model, *buf;
static size_t size;
static uint64_t seed = 1;
static struct op history[LOG];
static unsigned long done, count[KINDS];
static int unknown[KINDS];

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void show_history(void)
{
	unsigned long i = done >= LOG ? done - LOG + 1 : 0;

	for (; i <= done; i++)
		printf("  %lu: %s at %zu, %zu bytes\n", i, names[history[i % LOG].kind],
		       history[i % LOG].at, history[i % LOG].len);
}

static void failed(const char *what)
{
	int err = errno;

	if (fd >= 0)
		show_history();
	printf("%s: %s: %s\n", path, what, strerror(err));
	exit(2);
}

static void differs(const uint8_t *seen, size_t at, size_t len)
{
	size_t i, n = 0, first = len, last = 0;

	for (i = 0; i < len; i++) {
		if (seen[i] == model[at + i])
			continue;
		if (first == len)
			first = i;
		last = i;
		n++;
	}
	show_history();
	printf("%s: %zu bytes are wrong between %zu and %zu: %02x instead of %02x first\n",
	       path, n, at + first, at + last, seen[first], model[at + first]);
	exit(1);
}

static void compare(const uint8_t *seen, size_t at, size_t len)
{
	if (memcmp(seen, model + at, len))
		differs(seen, at, len);
}

/* ---- operations ------------------------------------------------------------------ */

static void all_of(ssize_t n, size_t len, const char *what)
{
	if (n < 0)
		failed(what);
	if ((size_t)n != len) {
		errno = ENODATA;
		failed(what);
	}
}

static void do_read(int from, size_t at, size_t len)
{
	all_of(pread(from, buf, len, at), len, "read");
	compare(buf, at, len);
}

static void fill(size_t at, size_t len)
{
	size_t i;

	if (at > size)
		memset(model + size, 0, at - size);
	/* Where and when, so that a wrong byte tells where it belongs. */
	for (i = 0; i < len; i++)
		model[at + i] = (at + i) / 512 * 7 + done * 31 + i;
	if (at + len > size)
		size = at + len;
}

static void do_write(int to, size_t at, size_t len)
{
	fill(at, len);
	memcpy(buf, model + at, len);
	all_of(pwrite(to, buf, len, at), len, "write");
}

static void do_map(bool write, size_t at, size_t len)
{
	size_t from = at & ~(BLOCK - 1);
	uint8_t *p = mmap(NULL, at + len - from, PROT_READ | PROT_WRITE, MAP_SHARED, fd, from);

	if (p == MAP_FAILED)
		failed("mmap");
	if (write) {
		fill(at, len);
		memcpy(p + (at - from), model + at, len);
	} else {
		compare(p + (at - from), at, len);
	}
	munmap(p, at + len - from);
}

static void do_truncate(size_t to)
{
	if (ftruncate(fd, to))
		failed("truncate");
	if (to > size)
		memset(model + size, 0, to - size);
	size = to;
}

/* Return: false if the file system does not know it. */
static bool allocate(int mode, size_t at, size_t len)
{
	if (!fallocate(fd, mode, at, len))
		return true;
	if (errno != EOPNOTSUPP)
		failed("fallocate");
	return false;
}

static bool do_range(enum kind kind, size_t at, size_t len)
{
	bool known;

	switch (kind) {
	case PUNCH:
		known = allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len);
		break;
	case ZERO:
		known = allocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, at, len);
		break;
	case INSERT:
		known = allocate(FALLOC_FL_INSERT_RANGE, at, len);
		if (known) {
			memmove(model + at + len, model + at, size - at);
			size += len;
		}
		break;
	default:
		known = allocate(FALLOC_FL_COLLAPSE_RANGE, at, len);
		if (known) {
			memmove(model + at, model + at + len, size - at - len);
			size -= len;
		}
		return known;
	}
	if (known)
		memset(model + at, 0, len);
	return known;
}

/* What is read next comes from the disk. */
static void do_drop(void)
{
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		failed("drop");
}

/* ---- choosing --------------------------------------------------------------------- */

/* Within the file, or beyond its end for what makes it longer. */
static void choose(struct op *op)
{
	bool whole = op->kind == DIRECT_READ || op->kind == DIRECT_WRITE ||
		     op->kind == INSERT || op->kind == COLLAPSE;
	bool longer = op->kind == WRITE || op->kind == DIRECT_WRITE || op->kind == TRUNCATE;
	size_t end = longer ? MAX : size;

	op->len = 1 + rnd(rnd(4) ? 16384 : 131072);
	op->at = end ? rnd(end) : 0;
	if (whole) {
		op->at &= ~(BLOCK - 1);
		op->len = (op->len + BLOCK - 1) & ~(BLOCK - 1);
	}
	if (op->kind != INSERT && op->len > end - op->at)
		op->len = end - op->at;
	if (whole)
		op->len &= ~(BLOCK - 1);
}

/* Some have no meaning for the file as it is. */
static bool possible(const struct op *op)
{
	if (unknown[op->kind])
		return false;
	switch (op->kind) {
	case SYNC: case DROP: case TRUNCATE:
		return true;
	case INSERT:
		return op->at < size && size + op->len <= MAX;
	case COLLAPSE:
		return op->len && op->at + op->len < size;
	default:
		return op->len;
	}
}

static void carry_out(const struct op *op)
{
	switch (op->kind) {
	case READ: do_read(fd, op->at, op->len); break;
	case WRITE: do_write(fd, op->at, op->len); break;
	case DIRECT_READ: do_read(direct, op->at, op->len); break;
	case DIRECT_WRITE: do_write(direct, op->at, op->len); break;
	case MAP_READ: do_map(false, op->at, op->len); break;
	case MAP_WRITE: do_map(true, op->at, op->len); break;
	case TRUNCATE: do_truncate(op->at); break;
	case SYNC:
		if (rnd(2) ? fsync(fd) : fdatasync(fd))
			failed("sync");
		break;
	case DROP: do_drop(); break;
	default:
		unknown[op->kind] = !do_range(op->kind, op->at, op->len);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void summary(void)
{
	unsigned int k;

	do_drop();
	do_read(fd, 0, size);
	printf("%lu operations right:", done);
	for (k = 0; k < KINDS; k++)
		printf(" %s %lu%s", names[k], count[k], k + 1 < KINDS ? "," : "\n");
}

int main(int argc, char **argv)
{
	struct op *op;
	double end;

	if (argc != 4) {
		fputs("usage: fsx SEED SECONDS FILE\n", stderr);
		return 2;
	}
	seed += strtoul(argv[1], NULL, 0) * 0x9e3779b97f4a7c15ULL;
	path = argv[3];
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	direct = open(path, O_RDWR | O_DIRECT);
	model = calloc(1, MAX);
	if (fd < 0 || direct < 0 || !model || posix_memalign((void **)&buf, BLOCK, MAX))
		failed("open");
	for (end = now() + atof(argv[2]); now() < end; ) {
		op = &history[done % LOG];
		op->kind = rnd(KINDS);
		choose(op);
		if (!possible(op))
			continue;
		carry_out(op);
		count[op->kind]++;
		done++;
	}
	summary();
	return 0;
}
