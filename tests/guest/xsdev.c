// SPDX-License-Identifier: GPL-2.0
/*
 * usage: xsdev check NODE
 *        xsdev hold NODE SECONDS
 *        xsdev fuzz NODE SECONDS SEED [WITHOUT]
 *        xsdev mute NODE SECONDS
 *        xsdev room NODE
 *
 * /dev/xen/xenbus as its users see it, byte by byte.
 *   check  one thing after the other that has a right answer
 *   hold   has it open, with a watch and a transaction, a read that waits and half a
 *          request written; status 0 when the read ended with ENODEV; it stays open
 *          for a while even so
 *   fuzz   eight processes do what they like with it until the time is over, on files of
 *          their own and on two that all of them have; WITHOUT the last so many of
 *          types[] and the special path
 *   mute   as many as can have it open, each with a watch, a transaction and all the
 *          requests that are taken, and half a one; nobody reads. They are there for a
 *          while and end all at once, killed
 *   room   prints how many transactions, watches and open files can be had
 * Prints what is wrong and ends with status 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_MAX 4096

enum {
	XS_CONTROL, XS_DIRECTORY, XS_READ, XS_GET_PERMS, XS_WATCH, XS_UNWATCH,
	XS_START, XS_END, XS_INTRODUCE, XS_RELEASE, XS_PATH, XS_WRITE, XS_MKDIR,
	XS_RM, XS_SET_PERMS, XS_EVENT, XS_ERROR, XS_RESET = 21, XS_DIRECTORY_PART,
};

struct header {
	uint32_t type, id, tx, len;
};

struct message {
	struct header h;
	char body[PAYLOAD_MAX + 1];
};

static const char *node;
static uint32_t last_id = 1000;

__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" (%s)\n", strerror(errno));
	fflush(stdout);
	_exit(1);
}

static int open_node(int flags)
{
	int fd = open(node, O_RDWR | O_CLOEXEC | flags);

	if (fd < 0)
		fail("cannot open %s", node);
	return fd;
}

/* Wait @ms for something to read. */
static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && p.revents & POLLIN;
}

static void read_all(int fd, void *to, size_t len)
{
	ssize_t n;

	for (; len; len -= n, to = (char *)to + n) {
		if (!readable(fd, 20000))
			fail("nothing to read after 20 s");
		n = read(fd, to, len);
		if (n <= 0)
			fail("read gives %zd", n);
	}
}

static void get(int fd, struct message *m)
{
	read_all(fd, &m->h, sizeof(m->h));
	if (m->h.len > PAYLOAD_MAX)
		fail("a message of %u bytes", m->h.len);
	read_all(fd, m->body, m->h.len);
	m->body[m->h.len] = '\0';
}

static size_t make(struct message *m, uint32_t type, uint32_t tx,
		   const void *body, uint32_t len)
{
	m->h = (struct header){ type, ++last_id, tx, len };
	memcpy(m->body, body, len);
	return sizeof(m->h) + len;
}

static void put(int fd, uint32_t type, uint32_t tx, const void *body, uint32_t len)
{
	struct message m;
	ssize_t size = make(&m, type, tx, body, len);

	if (write(fd, &m, size) != size)
		fail("a request of type %u is not taken", type);
}

/* One request, and the answer to it; events in between are dropped. */
static void ask(int fd, uint32_t type, uint32_t tx, const void *body,
		uint32_t len, struct message *answer)
{
	put(fd, type, tx, body, len);
	do
		get(fd, answer);
	while (answer->h.type == XS_EVENT);
	if (answer->h.id != last_id || answer->h.tx != tx)
		fail("type %u: answer to request %u of transaction %u instead of %u, %u",
		     type, answer->h.id, answer->h.tx, last_id, tx);
}

/* @error: its name, or NULL: it works. */
static void expect(int fd, uint32_t type, uint32_t tx, const void *body,
		   uint32_t len, const char *error)
{
	struct message m;

	ask(fd, type, tx, body, len, &m);
	if (error ? m.h.type != XS_ERROR || strcmp(m.body, error) :
		    m.h.type != type)
		fail("type %u: answer of type %u: %s instead of %s", type,
		     m.h.type, m.body, error ?: "success");
}

static uint32_t begin(int fd)
{
	struct message m;

	ask(fd, XS_START, 0, "", 1, &m);
	if (m.h.type != XS_START)
		fail("no transaction: %s", m.body);
	return strtoul(m.body, NULL, 10);
}

static void write_node(int fd, uint32_t tx, const char *path, const char *value)
{
	char body[256];
	int len = snprintf(body, sizeof(body), "%s", path) + 1;

	memcpy(body + len, value, strlen(value));
	expect(fd, XS_WRITE, tx, body, len + strlen(value), NULL);
}

static void expect_value(int fd, const char *path, const char *value)
{
	struct message m;

	ask(fd, XS_READ, 0, path, strlen(path) + 1, &m);
	if (value ? m.h.type != XS_READ || strcmp(m.body, value) :
		    m.h.type != XS_ERROR || strcmp(m.body, "ENOENT"))
		fail("%s is %s instead of %s", path, m.body, value ?: "nothing");
}

/* ---- check ---------------------------------------------------------------- */

static void check_pieces(void)
{
	int fd = open_node(0);
	struct message m, two[2];
	size_t size = make(&m, XS_READ, 0, "domid", 6), i;
	char answer[64];

	for (i = 0; i < size; i++)
		if (write(fd, (char *)&m + i, 1) != 1)
			fail("byte %zu is not taken", i);
	for (i = 0; i < sizeof(struct header); i++)
		read_all(fd, answer + i, 1);
	if (((struct header *)answer)->id != last_id)
		fail("the answer comes to another request");
	read_all(fd, answer, ((struct header *)answer)->len);
	/* Two requests in one call. */
	memcpy((char *)two, &m, size);
	memcpy((char *)two + size, &m, size);
	if (write(fd, two, 2 * size) != (ssize_t)(2 * size))
		fail("two requests at once are not taken");
	get(fd, &m);
	get(fd, &m);
	if (write(fd, &m, 0) || read(fd, &m, 0))
		fail("nothing is something");
	close(fd);
}

static void check_nonsense(void)
{
	static const uint32_t lengths[] = { PAYLOAD_MAX + 1, 65536, 1U << 31, ~0U };
	const void *volatile nowhere = (void *)64;
	int fd = open_node(0);
	struct message m = {};
	unsigned int i;

	for (i = 0; i < 4; i++) {
		m.h = (struct header){ XS_READ, 1, 0, lengths[i] };
		if (write(fd, &m, sizeof(m)) != -1 || errno != E2BIG)
			fail("a length of %u is taken", lengths[i]);
	}
	if (write(fd, nowhere, 16) != -1 || errno != EFAULT)
		fail("a bad address is taken");
	expect(fd, 23, 0, "", 1, "ENOSYS");
	expect(fd, 0xffffffff, 0, "", 0, "ENOSYS");
	expect(fd, XS_RESET, 0, "", 1, "EACCES");
	expect(fd, XS_CONTROL, 0, "print", 6, "EACCES");
	expect(fd, XS_INTRODUCE, 0, "1\0002\0003", 6, "EACCES");
	expect(fd, XS_EVENT, 0, "a\0b", 4, "EACCES");
	expect(fd, XS_READ, 0, "domid", 5, "EINVAL");
	expect(fd, XS_MKDIR, 0, "data/xsdev\0002", 12, "EINVAL");
	expect(fd, XS_MKDIR, 0, "data/xsdev", 10, "EINVAL");
	expect(fd, XS_DIRECTORY, 0, "", 0, "EINVAL");
	expect(fd, XS_WATCH, 0, "no token", 9, "EINVAL");
	expect(fd, XS_WATCH, 0, "no end\0x", 8, "EINVAL");
	expect(fd, XS_UNWATCH, 0, "never\0watched", 14, "ENOENT");
	memset(m.body, 'a', PAYLOAD_MAX);
	ask(fd, XS_READ, 0, m.body, PAYLOAD_MAX, &m);
	if (m.h.type != XS_ERROR)
		fail("a path of 4096 bytes is read");
	close(fd);
}

static void check_transactions(void)
{
	int a = open_node(0), b = open_node(0), i;
	struct message m;
	uint32_t tx = begin(a);

	write_node(a, tx, "data/xsdev", "in transaction");
	expect(b, XS_READ, tx, "domid", 6, "ENOENT");
	expect(b, XS_END, tx, "T", 2, "ENOENT");
	expect(b, XS_END, 0, "T", 2, "ENOENT");
	expect(a, XS_END, tx, "X", 2, "EINVAL");
	expect_value(b, "data/xsdev", NULL);
	expect(a, XS_END, tx, "T", 2, NULL);
	expect(a, XS_END, tx, "T", 2, "ENOENT");
	expect_value(b, "data/xsdev", "in transaction");
	/* Two that meddle with each other. */
	tx = begin(a);
	write_node(a, tx, "data/xsdev", "late");
	write_node(b, 0, "data/xsdev", "early");
	expect(a, XS_END, tx, "T", 2, "EAGAIN");
	/* More than there may be, and none is left when they are closed. */
	for (i = 0; i < 20; i++) {
		tx = begin(a);
		write_node(a, tx, "data/xsdev", "never");
		while (ask(a, XS_START, 0, "", 1, &m), m.h.type == XS_START)
			;
		if (strcmp(m.body, "ENOSPC"))
			fail("too many transactions: %s", m.body);
		close(a);
		/* The end goes on behind the close. */
		usleep(500000);
		a = open_node(0);
	}
	expect_value(b, "data/xsdev", "early");
	expect(b, XS_RM, 0, "data/xsdev", 11, NULL);
	close(a);
	close(b);
}

static void expect_event(int fd, const char *path, const char *token)
{
	struct message m;

	get(fd, &m);
	if (m.h.type != XS_EVENT || strcmp(m.body, path) ||
	    strcmp(m.body + strlen(m.body) + 1, token))
		fail("message of type %u: %s instead of the event of %s", m.h.type,
		     m.body, path);
}

static void check_watches(void)
{
	int a = open_node(0), b = open_node(0), i, n;
	char body[64];
	struct message m;

	/* The same path and token: each has its own. */
	for (i = 0; i < 2; i++) {
		put(i ? b : a, XS_WATCH, 0, "data\0mine", 10);
		for (n = 0; n < 2; n++) {
			get(i ? b : a, &m);
			if (m.h.type == XS_EVENT ? !!strcmp(m.body + 5, "mine") :
						   m.h.type != XS_WATCH)
				fail("watching: type %u: %s", m.h.type, m.body);
		}
	}
	expect(a, XS_WATCH, 0, "data\0mine", 10, "EEXIST");
	expect(a, XS_UNWATCH, 0, "data\0mine", 10, NULL);
	write_node(a, 0, "data/xsdev", "x");
	expect_event(b, "data/xsdev", "mine");
	if (readable(a, 500))
		fail("an event of a watch that is gone");
	/* More than there may be, again and again. */
	for (i = 0; i < 4; i++) {
		for (n = 0; n < 100; n++) {
			ask(a, XS_WATCH, 0, body, sprintf(body, "data%cmany%d",
							   0, n) + 1, &m);
			if (m.h.type == XS_ERROR)
				break;
		}
		if (n < 32 || n == 100 || strcmp(m.body, "ENOSPC"))
			fail("%d watches: %s", n, m.body);
		close(a);
		sleep(3);
		a = open_node(0);
	}
	expect(b, XS_RM, 0, "data/xsdev", 11, NULL);
	close(a);
	close(b);
}

/* Nobody reads the events: some are lost, and the last one says so. */
static void check_flood(void)
{
	int a = open_node(0), b = open_node(0), n = 0;
	size_t bytes = 0;
	struct message m;
	char value[16], path[64], last[64] = "";

	expect(a, XS_WATCH, 0, "data\0t", 7, NULL);
	for (int i = 0; i < 1200; i++) {
		snprintf(path, sizeof(path), "data/xsdev-%08d", i % 10);
		snprintf(value, sizeof(value), "%d", i);
		write_node(b, 0, path, value);
	}
	while (readable(a, 1000)) {
		get(a, &m);
		n++;
		bytes += m.h.len;
		snprintf(last, sizeof(last), "%.60s", m.body);
	}
	if (n < 100 || bytes > 16384 + 64 || strcmp(last, "data"))
		fail("%d events, %zu bytes, the last one of %s", n, bytes, last);
	/* And afterwards as before. */
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "data/xsdev-%08d", i);
		expect(b, XS_RM, 0, path, strlen(path) + 1, NULL);
		expect_event(a, path, "t");
	}
	close(a);
	close(b);
}

static void check_waiting(void)
{
	int fd = open_node(O_NONBLOCK), fds[200], n = 0, taken;
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	struct message m;
	size_t size;

	if (read(fd, &m, sizeof(m)) != -1 || errno != EAGAIN)
		fail("O_NONBLOCK: read does not say EAGAIN");
	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT)
		fail("poll says %x on a fresh file", p.revents);
	size = make(&m, XS_READ, 0, "domid", 6);
	for (taken = 0; taken < 100; taken++)
		if (write(fd, &m, size) != (ssize_t)size)
			break;
	if (taken != 8 || errno != EAGAIN)
		fail("%d requests taken without reading an answer", taken);
	for (; taken; taken--)
		get(fd, &m);
	if (poll(&p, 1, 0) != 1 || p.revents != POLLOUT)
		fail("poll says %x when all was read", p.revents);
	while (n < 200) {
		fds[n] = open(node, O_RDWR);
		if (fds[n] < 0)
			break;
		n++;
	}
	if (n == 200 || n < 64 || errno != EMFILE)
		fail("%d can have it open", n);
	expect_value(fd, "no-such-node", NULL);
	while (n)
		close(fds[--n]);
	close(fd);
}

static int check(void)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} checks[] = {
		{ "requests in pieces", check_pieces },
		{ "nonsense", check_nonsense },
		{ "transactions", check_transactions },
		{ "watches", check_watches },
		{ "events that nobody reads", check_flood },
		{ "waiting, and how many", check_waiting },
	};

	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		printf("%s\n", checks[i].name);
		fflush(stdout);
		checks[i].run();
	}
	return 0;
}

/* ---- hold ------------------------------------------------------------------- */

static int hold(unsigned int seconds)
{
	int fd = open_node(0);
	struct message m;
	ssize_t n;

	begin(fd);
	expect(fd, XS_WATCH, 0, "hold\0t", 7, NULL);
	if (write(fd, &m, 7) != 7)
		fail("half a request is not taken");
	alarm(seconds);
	do
		n = read(fd, &m, sizeof(m));
	while (n > 0);
	if (n != -1 || errno != ENODEV)
		fail("the read that waited gives %zd", n);
	if (write(fd, &m, 20) != -1 || errno != ENODEV)
		fail("it can still be written");
	/* Closed at last, when the platform may be there again. */
	if (!fork()) {
		sleep(15);
		_exit(0);
	}
	return 0;
}

/* ---- fuzz ---------------------------------------------------------------------- */

static uint64_t state;

static uint32_t dice(uint32_t n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

static const char *const paths[] = {
	"", "/", "data", "data/fuzz", "data/fuzz/deep/node", "domid", "..", "//",
	"data/fuzz/", "/local/domain/0", "control/shutdown-not", "@releaseDomain",
};

/* Never what would stop this guest's own devices, or the bed. */
static const uint32_t types[] = {
	XS_DIRECTORY, XS_READ, XS_WATCH, XS_WATCH, XS_UNWATCH, XS_START, XS_START,
	XS_END, XS_WRITE, XS_MKDIR, XS_EVENT, XS_ERROR, XS_RESET, 20, 99,
	XS_PATH, XS_GET_PERMS, XS_DIRECTORY_PART,
};

static unsigned int without;

static uint32_t random_body(char *body)
{
	const char *path = paths[dice(sizeof(paths) / sizeof(paths[0]) - !!without)];
	uint32_t len = strlen(path) + 1;

	memcpy(body, path, len);
	switch (dice(8)) {
	case 0:
		len = dice(PAYLOAD_MAX + 1);
		for (uint32_t i = 0; i < len; i++)
			body[i] = dice(256);
		return len;
	case 1:
		return len - 1;
	case 2:
		memset(body, 'p', PAYLOAD_MAX);
		return PAYLOAD_MAX;
	default:
		return len + sprintf(body + len, "%u", dice(4)) + dice(2);
	}
}

static void random_request(int fd, uint32_t tx)
{
	struct message m;
	size_t size, at = 0, piece;

	m.h.type = types[dice(sizeof(types) / sizeof(types[0]) - without)];
	m.h.id = dice(4);
	m.h.tx = dice(3) ? 0 : dice(2) ? tx : dice(50);
	m.h.len = random_body(m.body);
	if (m.h.type == XS_END && dice(2))
		m.h.len = sprintf(m.body, "%c", dice(2) ? 'T' : 'F') + 1;
	size = sizeof(m.h) + m.h.len;
	if (!dice(40))
		m.h.len = dice(2) ? ~0U - dice(100) : PAYLOAD_MAX + dice(100);
	while (at < size) {
		piece = dice(2) ? size - at : 1 + dice(size - at);
		if (write(fd, (char *)&m + at, piece) != (ssize_t)piece || !dice(60))
			return;
		at += piece;
	}
}

/* Open in every client: they write into each other's requests. */
static int shared[2];

static int fuzz_open(void)
{
	if (!dice(3))
		return dup(shared[dice(2)]);
	return open(node, O_RDWR | (dice(4) ? O_NONBLOCK : 0));
}

/* Not a fork is left behind: this is in a child, and it ends itself. */
static void fuzz_client(double end)
{
	int fd[4] = { -1, -1, -1, -1 };
	struct timespec now;
	struct message m;
	uint32_t tx = 0;
	int i;

	do {
		i = dice(4);
		if (fd[i] < 0)
			fd[i] = fuzz_open();
		if (fd[i] >= 0 && !dice(30)) {
			close(fd[i]);
			fd[i] = -1;
		}
		if (fd[i] < 0)
			continue;
		ualarm(200000, 0);
		if (dice(3))
			random_request(fd[i], tx);
		else if (read(fd[i], &m, 1 + dice(sizeof(m))) > 16 &&
			 m.h.type == XS_START)
			tx = strtoul(m.body, NULL, 10);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec + now.tv_nsec / 1e9 < end);
	_exit(0);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Some clients are killed in the middle of it, and others take their place. */
static int fuzz(unsigned int seconds, uint64_t seed)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned int started = 0, killed = 0, i;
	struct timespec now;
	pid_t pid[8] = {};
	double end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + seconds;
	sigaction(SIGALRM, &action, NULL);
	shared[0] = open_node(0);
	shared[1] = open_node(O_NONBLOCK);
	while (clock_gettime(CLOCK_MONOTONIC, &now), now.tv_sec < end) {
		i = started % 8;
		if (pid[i]) {
			usleep(100000);
			killed += !kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
		started++;
		pid[i] = fork();
		if (!pid[i]) {
			state = seed * 1000 + started;
			fuzz_client(end);
		}
		if (pid[i] < 0)
			fail("cannot fork");
	}
	for (i = 0; i < 8; i++)
		if (pid[i])
			waitpid(pid[i], NULL, 0);
	printf("%u clients, %u of them killed\n", started, killed);
	return 0;
}

/* ---- mute and room --------------------------------------------------------------- */

/* Return: how many of @fds could be opened. */
static int open_many(int *fds, int max)
{
	int n;

	for (n = 0; n < max; n++) {
		fds[n] = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fds[n] < 0)
			break;
	}
	return n;
}

/* All that one can begin without reading. Return: how many requests were taken. */
static int say_much(int fd)
{
	struct message m;
	size_t size = make(&m, XS_START, 0, "", 1);
	int taken = 0;

	while (write(fd, &m, size) == (ssize_t)size) {
		taken++;
		if (taken == 1)
			size = make(&m, XS_WATCH, 0, "data\0mute", 10);
		else if (taken < 7)
			size = make(&m, XS_READ, 0, "domid", 6);
		else
			/* Half of one; the rest of it never comes. */
			return write(fd, &m, 20) == 20 ? taken : -1;
	}
	return taken;
}

static int mute(unsigned int seconds)
{
	int fds[200], n, i, least = 100, taken;
	pid_t pid = fork();

	if (!pid) {
		n = open_many(fds, 200);
		for (i = 0; i < n; i++) {
			taken = say_much(fds[i]);
			least = taken < least ? taken : least;
		}
		printf("%d clients, each with %d requests and a half\n", n, least);
		fflush(stdout);
		sleep(600);
		_exit(1);
	}
	sleep(seconds);
	kill(pid, SIGKILL);
	return pid < 0 || waitpid(pid, NULL, 0) != pid;
}

static int room(void)
{
	int tx, watches, files, fds[200], fd = open_node(0), other = open_node(0);
	struct message m;
	char body[32];

	for (tx = 0; ask(fd, XS_START, 0, "", 1, &m), m.h.type == XS_START; tx++)
		;
	for (watches = 0; watches < 1000; watches++) {
		ask(other, XS_WATCH, 0, body,
		    sprintf(body, "data%croom%d", 0, watches) + 1, &m);
		if (m.h.type == XS_ERROR)
			break;
	}
	files = 2 + open_many(fds, 200);
	printf("%d transactions, %d watches, %d files\n", tx, watches, files);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	node = argv[2];
	if (!strcmp(argv[1], "check"))
		return check();
	if (!strcmp(argv[1], "hold") && argc == 4)
		return hold(strtoul(argv[3], NULL, 10));
	if (!strcmp(argv[1], "mute") && argc == 4)
		return mute(strtoul(argv[3], NULL, 10));
	if (!strcmp(argv[1], "room"))
		return room();
	if (!strcmp(argv[1], "fuzz") && argc == 6)
		without = strtoul(argv[5], NULL, 10);
	if (!strcmp(argv[1], "fuzz") && argc >= 5)
		return fuzz(strtoul(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	return 2;
}
