// SPDX-License-Identifier: GPL-2.0
/*
 * usage: xstalk NODE FIFO
 *
 * A guest agent's hands: has NODE (/dev/xen/xenbus) open as long as it lives, and does
 * what the lines in FIFO say, one after the other:
 *	read|list|rm|perms PATH		write PATH [VALUE]
 *	watch|unwatch PATH TOKEN	event (the next one of any watch, for 20 s)
 * Each prints one line: the answer, or "error NAME".
 *
 * The file is waited for as the runtimes of languages do it, Go's among them: it does
 * not block, and is looked at again when epoll has told of a change (EPOLLET), so a
 * wake-up that does not come is found here. Every request has the number 0, a header and
 * its body are one write, and a read asks for 4096 bytes, whatever they belong to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PAYLOAD_MAX	4096
#define PATIENCE_MS	20000

struct header {
	uint32_t type, id, tx, len;
};

enum { XS_DIRECTORY = 1, XS_READ, XS_GET_PERMS, XS_WATCH, XS_UNWATCH,
	XS_WRITE = 11, XS_RM = 13, XS_EVENT = 15, XS_ERROR };

static const struct verb {
	const char *word;
	uint32_t type;
	unsigned int strings;
	bool ends;		/* the last string's NUL is sent, too */
} verbs[] = {
	{ "list", XS_DIRECTORY, 1, true },
	{ "read", XS_READ, 1, true },
	{ "perms", XS_GET_PERMS, 1, true },
	{ "rm", XS_RM, 1, true },
	{ "watch", XS_WATCH, 2, true },
	{ "unwatch", XS_UNWATCH, 2, true },
	{ "write", XS_WRITE, 2, false },
};

static int fd, epoll;

/* Events that came between a request and its answer. */
static char *events[64];
static unsigned int first, last;

static void die(const char *what)
{
	printf("error %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Until something has changed. Return: false: it has not for too long. */
static bool changed(int ms)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, ms) == 1;
}

/* ---- messages ---------------------------------------------------------------- */

static void send_all(const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= n) {
		while ((n = write(fd, data, len)) < 0 && errno == EAGAIN)
			if (!changed(PATIENCE_MS))
				die("nobody says that there is room");
		if (n <= 0)
			die("write");
	}
}

static char input[4096];
static size_t have, at;

/* Return: false: nothing has come in @ms. */
static bool fill(int ms)
{
	ssize_t n;

	while ((n = read(fd, input, sizeof(input))) < 0 && errno == EAGAIN)
		if (!changed(ms))
			return false;
	if (n <= 0)
		die("read");
	have = n;
	at = 0;
	return true;
}

static bool take(void *to, size_t len, int ms)
{
	size_t n;

	for (; len; len -= n, to = (char *)to + n) {
		if (at == have && !fill(ms))
			return false;
		n = have - at < len ? have - at : len;
		memcpy(to, input + at, n);
		at += n;
	}
	return true;
}

/* One message, its strings with blanks between them. */
static bool receive(uint32_t *type, char *body, int ms)
{
	struct header h;
	uint32_t i;

	if (!take(&h, sizeof(h), ms))
		return false;
	if (h.len > PAYLOAD_MAX || h.id || h.tx || !take(body, h.len, PATIENCE_MS))
		die("a message that is none");
	body[h.len] = '\0';
	for (i = 0; i + 1 < h.len; i++)
		if (!body[i])
			body[i] = ' ';
	*type = h.type;
	return true;
}

static void keep(const char *event)
{
	if (last - first == 64)
		die("too many events");
	events[last++ % 64] = strdup(event);
}

/* ---- what lines say ------------------------------------------------------------ */

static void next_event(void)
{
	char body[PAYLOAD_MAX + 1];
	uint32_t type;

	if (first != last) {
		printf("event %s\n", events[first % 64]);
		free(events[first++ % 64]);
	} else if (!receive(&type, body, PATIENCE_MS)) {
		printf("no event\n");
	} else if (type != XS_EVENT) {
		die("an answer that nobody waits for");
	} else {
		printf("event %s\n", body);
	}
}

static void request(const struct verb *verb, const char *path, const char *more)
{
	char message[sizeof(struct header) + PAYLOAD_MAX], body[PAYLOAD_MAX + 1];
	struct header h = { .type = verb->type };
	char *p = message + sizeof(h);
	uint32_t type;

	p = stpcpy(p, path) + 1;
	if (verb->strings == 2)
		p = stpcpy(p, more) + verb->ends;
	h.len = p - message - sizeof(h);
	memcpy(message, &h, sizeof(h));
	send_all(message, p - message);
	while (receive(&type, body, PATIENCE_MS)) {
		if (type == XS_EVENT) {
			keep(body);
			continue;
		}
		if (type != verb->type && type != XS_ERROR)
			die("an answer to something else");
		printf("%s%s\n", type == XS_ERROR ? "error " : "", body);
		return;
	}
	die("no answer");
}

static void obey(char *line)
{
	const char *word = strtok(line, " "), *path = strtok(NULL, " ");
	const char *more = strtok(NULL, "");
	unsigned int i;

	if (word && !strcmp(word, "event")) {
		next_event();
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (word && path && !strcmp(word, verbs[i].word)) {
			request(&verbs[i], path, more ?: "");
			return;
		}
	printf("error: not understood\n");
}

int main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	char line[PAYLOAD_MAX];
	FILE *lines;
	int fifo;

	if (argc != 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		die(argv[1]);
	/* For reading and writing: it does not end when a writer goes. */
	fifo = open(argv[2], O_RDWR | O_CLOEXEC);
	lines = fifo < 0 ? NULL : fdopen(fifo, "r");
	if (!lines)
		die(argv[2]);
	while (fgets(line, sizeof(line), lines)) {
		line[strcspn(line, "\n")] = '\0';
		obey(line);
	}
	return 0;
}
