// SPDX-License-Identifier: GPL-2.0
/*
 * acks: writes that are acknowledged when they are stable, and the proof of it.
 *
 * usage: acks write SEED RECORDS FILE        until it is killed
 *        acks check SEED RECORDS LAST FILE
 *
 * Operation K (1, 2, ...) writes some sectors of one of the records, each with K, the
 * place and a pattern in it, makes them stable with fsync or fdatasync, and only then
 * prints SEED and K. After a crash, LAST being the last number that somebody else has seen,
 * every sector must be what the last operation up to LAST left there, or come whole
 * from a later one. Records begin as holes and are overwritten in random order, so
 * on a file system the metadata that point to them are at stake, too. FILE may be
 * a block device. There is a pause after each, or what is printed, which goes through an
 * emulated serial line, would be all that the machine does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTORS		64U	/* of a record, at most */
#define WORDS		64U	/* of a sector, 8 bytes each */
#define PAUSE		20000	/* microseconds */

struct sector {
	uint64_t word[WORDS];
};

static uint64_t seed;
static unsigned long records;

/* A number that depends on all of its arguments. */
static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + a;

	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL + b;
	x = (x ^ x >> 32) * 0x94d049bb133111ebULL + c;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	return x ^ x >> 31;
}

static unsigned long record_of(uint64_t op)
{
	return mix(op, 1, 0) % records;
}

static unsigned int sectors_of(uint64_t op)
{
	return 1 + mix(op, 2, 0) % SECTORS;
}

/* Word 0 is the operation, all others depend on it and on the place. */
static void compose(struct sector *s, uint64_t op, uint64_t place)
{
	unsigned int i;

	s->word[0] = op;
	for (i = 1; i < WORDS; i++)
		s->word[i] = mix(op, place, i);
}

static void die(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(2);
}

static void write_for_ever(int fd)
{
	static struct sector buf[SECTORS];
	unsigned int n, i;
	uint64_t op, at;

	for (op = 1; ; op++) {
		at = record_of(op) * SECTORS;
		n = sectors_of(op);
		for (i = 0; i < n; i++)
			compose(&buf[i], op, at + i);
		if (pwrite(fd, buf, n * sizeof(buf[0]), at * sizeof(buf[0])) !=
		    (ssize_t)(n * sizeof(buf[0])))
			die("write");
		if (op % 2 ? fsync(fd) : fdatasync(fd))
			die("sync");
		printf("%llu %llu\n", (unsigned long long)seed, (unsigned long long)op);
		fflush(stdout);
		usleep(PAUSE);
	}
}

/* Does operation @op write to this place, and is the sector wholly its own? */
static bool is_of(const struct sector *s, uint64_t op, uint64_t place)
{
	struct sector right;

	if (record_of(op) != place / SECTORS || sectors_of(op) <= place % SECTORS)
		return false;
	compose(&right, op, place);
	return !memcmp(s, &right, sizeof(right));
}

static bool is_empty(const struct sector *s)
{
	static const struct sector zero;

	return !memcmp(s, &zero, sizeof(zero));
}

static int check(int fd, uint64_t last)
{
	uint64_t *want = calloc(records * SECTORS, sizeof(*want));
	unsigned long right = 0, later = 0, lost = 0;
	struct sector s;
	uint64_t op, place;
	unsigned int i;

	if (!want)
		die("memory");
	for (op = 1; op <= last; op++)
		for (i = 0; i < sectors_of(op); i++)
			want[record_of(op) * SECTORS + i] = op;
	for (place = 0; place < records * SECTORS; place++) {
		memset(&s, 0, sizeof(s));
		if (pread(fd, &s, sizeof(s), place * sizeof(s)) < 0)
			die("read");
		if (s.word[0] > last && is_of(&s, s.word[0], place)) {
			later++;
		} else if (want[place] ? is_of(&s, want[place], place) : is_empty(&s)) {
			right += want[place] != 0;
		} else if (lost++ < 5) {
			printf("sector %llu: should be of operation %llu, begins with %llu\n",
			       (unsigned long long)place, (unsigned long long)want[place],
			       (unsigned long long)s.word[0]);
		}
	}
	printf("%llu operations: %lu sectors right, %lu newer, %lu lost\n",
	       (unsigned long long)last, right, later, lost);
	return lost || !right;
}

int main(int argc, char **argv)
{
	bool writes = argc == 5 && !strcmp(argv[1], "write");
	bool checks = argc == 6 && !strcmp(argv[1], "check");
	int fd;

	if (!writes && !checks) {
		fputs("usage: acks write SEED RECORDS FILE | acks check SEED RECORDS LAST FILE\n", stderr);
		return 2;
	}
	seed = strtoull(argv[2], NULL, 0);
	records = strtoul(argv[3], NULL, 0);
	fd = open(argv[argc - 1], checks ? O_RDONLY : O_RDWR | O_CREAT, 0644);
	if (fd < 0 || !records)
		die(argv[argc - 1]);
	if (writes)
		write_for_ever(fd);
	return check(fd, strtoull(argv[4], NULL, 0));
}
