// SPDX-License-Identifier: GPL-2.0
/*
 * The client of the agent: runs a command at the far end of a serial line.
 *
 * usage: client [-i] [-s] [-t SECONDS] [-w SECONDS] SOCKET COMMAND...
 *	-i	interactive: pseudo terminal there, raw terminal here
 *	-s	carry standard input to the command (else it reads end of file)
 *	-t	time limit of the command; it is killed then (status 124)
 *	-w	how long to wait for the agent to answer at first (default 30)
 * The words of COMMAND are joined by spaces for the far shell. Status: the
 * command's own; 124 time limit; 125 the far end is lost; 2 usage.
 *
 * SOCKET is the UNIX socket of the emulated serial port. One client at a time:
 * a lock file beside the socket makes the next one wait. While a command is
 * silent, a ping every five seconds finds out whether its kernel still lives;
 * LOST_S seconds without acknowledgement mean it does not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "link.h"

#define PING_MS		5000
#define LOST_S		60
#define STATUS_LIMIT	124
#define STATUS_LOST	125

struct options {
	bool interactive, input;
	int limit_s, wait_s, lost_s;
	const char *socket;
	uint8_t exec[LINK_PAYLOAD];
	size_t exec_len;
};

static struct termios saved_tty;

static void restore_tty(void)
{
	tcsetattr(0, TCSANOW, &saved_tty);
}

static void raw_tty(void)
{
	struct termios t;

	if (tcgetattr(0, &saved_tty))
		return;
	t = saved_tty;
	cfmakeraw(&t);
	atexit(restore_tty);
	tcsetattr(0, TCSANOW, &t);
}

static int usage(void)
{
	fprintf(stderr, "usage: client [-i] [-s] [-t SECONDS] [-w SECONDS] SOCKET COMMAND...\n");
	return 2;
}

static int parse(struct options *o, int argc, char **argv)
{
	int c;

	o->wait_s = 30;
	o->lost_s = LOST_S;
	while ((c = getopt(argc, argv, "+ist:w:l:")) != -1) {
		switch (c) {
		case 'i': o->interactive = true; break;
		case 's': o->input = true; break;
		case 't': o->limit_s = atoi(optarg); break;
		case 'w': o->wait_s = atoi(optarg); break;
		case 'l': o->lost_s = atoi(optarg); break;
		default: return usage();
		}
	}
	if (argc - optind < 2)
		return usage();
	o->socket = argv[optind++];
	o->exec[0] = o->interactive ? LINK_EXEC_TTY : 0;
	o->exec_len = 1;
	for (; optind < argc; optind++) {
		size_t n = strlen(argv[optind]);

		if (o->exec_len + n + 1 > sizeof(o->exec)) {
			fprintf(stderr, "client: command longer than %d bytes\n", LINK_PAYLOAD - 2);
			return 2;
		}
		memcpy(o->exec + o->exec_len, argv[optind], n);
		o->exec_len += n;
		if (optind + 1 < argc)
			o->exec[o->exec_len++] = ' ';
	}
	return 0;
}

static int lock_and_connect(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char lock[sizeof(a.sun_path) + 8];
	int fd;

	if (strlen(path) >= sizeof(a.sun_path)) {
		fprintf(stderr, "client: %s: path too long for a socket\n", path);
		return -1;
	}
	strcpy(a.sun_path, path);
	snprintf(lock, sizeof(lock), "%s.lock", path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX))
		fprintf(stderr, "client: %s: %s\n", lock, strerror(errno));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		fprintf(stderr, "client: %s: %s\n", path, strerror(errno));
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		p += w;
		n -= w;
	}
}

static void step(struct link *l, int also_fd, bool *also_ready)
{
	struct pollfd p[2] = {
		{ .fd = l->fd, .events = POLLIN },
		{ .fd = also_fd, .events = POLLIN },
	};

	if (link_wants_write(l))
		p[0].events |= POLLOUT;
	poll(p, 2, 500);
	*also_ready = p[1].revents != 0;
}

static int lost(const char *why)
{
	fprintf(stderr, "client: %s\n", why);
	return STATUS_LOST;
}

static int hello(struct link *l, int wait_s)
{
	static struct link_msg m;
	int64_t end = link_now() + wait_s * 1000LL;
	bool unused;

	link_session(l, (uint16_t)(getpid() ^ (link_now() * 40503)));
	link_send(l, LINK_HELLO, NULL, 0);
	while (link_now() < end) {
		step(l, -1, &unused);
		if (link_fill(l) <= 0)
			return lost("the channel was closed");
		while (link_next(l, &m)) {
			if (m.session != l->session)
				continue;
			link_ack(l, &m);
			if (m.type == LINK_HELLO)
				return 0;
		}
		if (link_flush(l))
			return lost("the channel was closed");
	}
	return lost("no answer from the agent");
}

static void send_input(struct link *l, struct options *o)
{
	uint8_t buf[LINK_PAYLOAD];
	ssize_t n = read(0, buf, sizeof(buf));

	if (n < 0)
		n = 0;
	link_send(l, LINK_IN, buf, n);
	if (n == 0)
		o->input = false;
}

/* One message of the running command; its exit status, or -1 to go on. */
static int take(struct link *l, struct link_msg *m)
{
	if (m->session != l->session)
		return -1;
	if (m->type == LINK_OUT)
		write_all(1, m->data, m->len);
	else if (m->type == LINK_ERR)
		write_all(2, m->data, m->len);
	link_ack(l, m);
	return m->type == LINK_EXIT && m->len == 1 ? m->data[0] : -1;
}

static int run(struct link *l, struct options *o)
{
	static struct link_msg m;
	int64_t start = link_now(), heard = start;
	bool ready, no_input_told = false;
	int ret;

	link_send(l, LINK_EXEC, o->exec, o->exec_len);
	for (;;) {
		bool want_in = o->input && link_can_send(l);

		step(l, want_in ? 0 : -1, &ready);
		if (link_fill(l) <= 0)
			return lost("the channel was closed");
		while (link_next(l, &m)) {
			heard = link_now();
			ret = take(l, &m);
			if (ret >= 0)
				return link_flush(l), ret;
		}
		if (link_can_send(l)) {
			if (want_in && ready) {
				send_input(l, o);
			} else if (!o->input && !no_input_told && !o->interactive) {
				link_send(l, LINK_IN, NULL, 0);
				no_input_told = true;
			} else if (link_now() - heard > PING_MS) {
				link_send(l, LINK_PING, NULL, 0);
				heard = link_now();
			}
		} else if (link_now() - l->tx_first > o->lost_s * 1000LL) {
			return lost("the far end does not answer any more");
		}
		if (o->limit_s && link_now() - start > o->limit_s * 1000LL)
			return STATUS_LIMIT;
		if (link_flush(l))
			return lost("the channel was closed");
	}
}

int main(int argc, char **argv)
{
	static struct options o;
	static struct link l;
	int ret, fd;

	ret = parse(&o, argc, argv);
	if (ret)
		return ret;
	fd = lock_and_connect(o.socket);
	if (fd < 0)
		return STATUS_LOST;
	link_init(&l, fd);
	ret = hello(&l, o.wait_s);
	if (ret)
		return ret;
	if (o.interactive) {
		o.input = true;
		raw_tty();
	}
	ret = run(&l, &o);
	/* A new session makes the agent kill what overran its limit. */
	if (ret == STATUS_LIMIT && hello(&l, o.wait_s))
		ret = STATUS_LOST;
	return ret;
}
