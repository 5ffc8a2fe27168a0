// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic whose every byte is checked, for the network cases.
 *
 * usage: stream serve PORT                      TCP and UDP, until killed
 *        stream send|recv ADDRESS PORT MIB      TCP, client sends or receives
 *        stream udp ADDRESS PORT COUNT SIZE     datagrams, echoed by the server
 *
 * The bytes are a function of their offset and a seed, so the receiver needs no
 * copy and tells where the first wrong byte is. The request (direction, length,
 * seed) opens each TCP connection; the receiving end's verdict closes it. UDP
 * keeps WINDOW datagrams in flight; loss is counted and shown, a wrong byte is
 * an error. Status: 0 all bytes right, 1 not, 2 usage.
 *
 * The server forks per connection and holds no state.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK		65536
#define WINDOW		16
#define UDP_WINDOW	40000	/* bytes */
#define UDP_MAX		65000
#define UDP_WAIT_MS	1000
#define UDP_LOSS_MAX	20	/* percent; more is a broken path */

struct request {
	uint64_t bytes;
	uint32_t seed;
	uint32_t to_server;	/* 1: client sends */
};

static uint8_t buf[CHUNK];

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t word_at(uint32_t seed, uint64_t index)
{
	uint64_t x = (index + 1) * 0x9e3779b97f4a7c15ull + seed;

	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9ull;
	return x ^ (x >> 32);
}

/* @off is a multiple of eight. */
static void fill(uint32_t seed, uint64_t off, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t w = word_at(seed, (off + i) / 8);

		memcpy(p + i, &w, len - i < 8 ? len - i : 8);
	}
}

/* Offset of the first wrong byte in @p, or -1. */
static int64_t check(uint32_t seed, uint64_t off, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 8) {
		uint64_t w = word_at(seed, (off + i) / 8);
		size_t n = len - i < 8 ? len - i : 8;

		for (size_t k = 0; k < n && memcmp(p + i, &w, n); k++) {
			if (p[i + k] != ((uint8_t *)&w)[k])
				return off + i + k;
		}
	}
	return -1;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool read_all(int fd, void *data, size_t len)
{
	uint8_t *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool stream_out(int fd, const struct request *r)
{
	for (uint64_t off = 0; off < r->bytes; off += CHUNK) {
		size_t n = r->bytes - off < CHUNK ? r->bytes - off : CHUNK;

		fill(r->seed, off, buf, n);
		if (!write_all(fd, buf, n)) {
			fprintf(stderr, "stream: sending ended at %llu: %s\n",
				(unsigned long long)off, strerror(errno));
			return false;
		}
	}
	return true;
}

static bool stream_in(int fd, const struct request *r)
{
	for (uint64_t off = 0; off < r->bytes; off += CHUNK) {
		size_t n = r->bytes - off < CHUNK ? r->bytes - off : CHUNK;
		int64_t bad;

		if (!read_all(fd, buf, n)) {
			fprintf(stderr, "stream: receiving ended after %llu bytes: %s\n",
				(unsigned long long)off, strerror(errno));
			return false;
		}
		bad = check(r->seed, off, buf, n);
		if (bad >= 0) {
			fprintf(stderr, "stream: wrong byte at offset %lld\n", (long long)bad);
			return false;
		}
	}
	return true;
}

static socklen_t address(const char *text, int port, struct sockaddr_storage *ss)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
		return sizeof(*a4);
	}
	if (inet_pton(AF_INET6, text, &a6->sin6_addr) == 1) {
		a6->sin6_family = AF_INET6;
		a6->sin6_port = htons(port);
		return sizeof(*a6);
	}
	fprintf(stderr, "stream: not an address: %s\n", text);
	exit(2);
}

static int connected(const char *host, int port, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = address(host, port, &ss);
	int fd = socket(ss.ss_family, type, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len))
		die("connect");
	return fd;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int tcp_client(bool sending, const char *host, int port, int mib)
{
	struct request r = {
		.bytes = (uint64_t)mib << 20,
		.seed = getpid() * 2654435761u + time(NULL),
		.to_server = sending,
	};
	int fd = connected(host, port, SOCK_STREAM);
	double start = now();
	char verdict = 0;
	bool ok;

	if (!write_all(fd, &r, sizeof(r)))
		die("request");
	ok = sending ? stream_out(fd, &r) && read_all(fd, &verdict, 1) && verdict == '+'
		     : stream_in(fd, &r);
	printf("%s %d MiB tcp %s %s: %.1f Mbit/s\n", ok ? "right:" : "WRONG:", mib,
	       sending ? "to" : "from", host, mib * 8.388608 / (now() - start));
	return ok ? 0 : 1;
}

static void tcp_serve_one(int fd)
{
	struct request r;
	bool ok;

	if (!read_all(fd, &r, sizeof(r)))
		_exit(1);
	if (!r.to_server)
		_exit(stream_out(fd, &r) ? 0 : 1);
	ok = stream_in(fd, &r);
	write_all(fd, ok ? "+" : "-", 1);
	_exit(ok ? 0 : 1);
}

static int bound(int port, int type)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET6, type, 0), one = 1, ret;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		ret = bind(fd, (struct sockaddr *)&a, sizeof(a));
	} else {
		fd = socket(AF_INET, type, 0);
		if (fd < 0)
			die("socket");
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		ret = bind(fd, (struct sockaddr *)&a4, sizeof(a4));
	}
	if (ret)
		die("bind");
	return fd;
}

static void udp_echo(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);

	if (n > 0)
		sendto(fd, buf, n, 0, (struct sockaddr *)&ss, len);
}

static _Noreturn void serve(int port)
{
	int tcp = bound(port, SOCK_STREAM), udp = bound(port, SOCK_DGRAM), fd;
	struct pollfd p[2] = {
		{ .fd = tcp, .events = POLLIN },
		{ .fd = udp, .events = POLLIN },
	};

	signal(SIGCHLD, SIG_IGN);
	if (listen(tcp, 16))
		die("listen");
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			udp_echo(udp);
		if (!p[0].revents)
			continue;
		fd = accept(tcp, NULL, NULL);
		if (fd >= 0 && !fork())
			tcp_serve_one(fd);
		if (fd >= 0)
			close(fd);
	}
}

/* One echo; -1 nothing came in time, 0 right, 1 wrong. */
static int udp_take(int fd, uint32_t seed, int size, int count)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t number;
	ssize_t n;

	if (poll(&p, 1, UDP_WAIT_MS) <= 0)
		return -1;
	n = recv(fd, buf, sizeof(buf), 0);
	if (n < 0)
		return -1;
	memcpy(&number, buf, n < 8 ? 0 : 8);
	if (n != size || number >= (uint64_t)count ||
	    check(seed, number * CHUNK, buf + 8, n - 8) >= 0) {
		fprintf(stderr, "stream: wrong datagram of %zd bytes\n", n);
		return 1;
	}
	return 0;
}

static int udp_client(const char *host, int port, int count, int size)
{
	int fd = connected(host, port, SOCK_DGRAM);
	uint32_t seed = getpid() * 2654435761u + time(NULL);
	/* What is under way must fit into a socket's buffer, whole pages for each fragment. */
	int window = size > UDP_WINDOW / WINDOW ? UDP_WINDOW / size : WINDOW;
	int right = 0, wrong = 0, out = 0, ret;

	if (size < 16 || size > UDP_MAX || count < 1)
		return fprintf(stderr, "stream: bad count or size\n"), 2;
	for (int i = 0; i < count || out > 0;) {
		if (i < count && (!out || out < window)) {
			uint64_t number = i++;

			memcpy(buf, &number, 8);
			fill(seed, number * CHUNK, buf + 8, size - 8);
			if (send(fd, buf, size, 0) == size)
				out++;
			continue;
		}
		ret = udp_take(fd, seed, size, count);
		right += ret == 0;
		wrong += ret > 0;
		out = ret < 0 ? 0 : out - 1;
	}
	printf("udp %s: %d sent, %d right, %d wrong, %d lost\n", host, count, right, wrong,
	       count - right - wrong);
	return !wrong && right * 100 >= count * (100 - UDP_LOSS_MAX) ? 0 : 1;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(atoi(argv[2]));
	if (argc == 5 && (!strcmp(argv[1], "send") || !strcmp(argv[1], "recv")))
		return tcp_client(argv[1][0] == 's', argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc == 6 && !strcmp(argv[1], "udp"))
		return udp_client(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	fprintf(stderr, "usage: stream serve PORT | send|recv ADDRESS PORT MIB | udp ADDRESS PORT COUNT SIZE\n");
	return 2;
}
