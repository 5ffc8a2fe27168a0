// SPDX-License-Identifier: GPL-2.0
/*
 * The message link of link.h: framing, checksum, acknowledgement, repetition.
 *
 * Life: link_init() on an open descriptor, link_session() at every HELLO, then
 * the owner's poll loop calls link_fill()/link_next() when the descriptor is
 * readable and link_flush() when link_wants_write() says so and at least once a
 * second (repetition). No thread, no lock, no allocation: all state is in
 * struct link, which one loop owns.
 *
 * An acknowledgement means "consumed", not "received": the owner calls
 * link_ack() once it has passed the payload on, and that is the flow control.
 * A frame seen twice is acknowledged again here and not delivered.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "link.h"

#define REPEAT_MS 2000

int64_t link_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static size_t frame_build(uint8_t *f, enum link_type type, uint8_t seq,
			  uint16_t session, const void *data, size_t len)
{
	uint32_t crc;

	f[0] = 'X';
	f[1] = 'V';
	f[2] = type;
	f[3] = seq;
	f[4] = session & 0xff;
	f[5] = session >> 8;
	f[6] = len & 0xff;
	f[7] = len >> 8;
	if (len)
		memcpy(f + LINK_HEADER, data, len);
	crc = crc32(f + 2, LINK_HEADER - 2 + len);
	for (int i = 0; i < LINK_TRAILER; i++)
		f[LINK_HEADER + len + i] = crc >> (8 * i);
	return LINK_HEADER + len + LINK_TRAILER;
}

void link_init(struct link *l, int fd)
{
	memset(l, 0, sizeof(*l));
	l->fd = fd;
}

void link_session(struct link *l, uint16_t session)
{
	l->session = session;
	l->tx_busy = false;
	l->tx_len = 0;
	l->tx_off = 0;
	l->tx_seq = 0;
	l->rx_any = false;
	l->rx_open = false;
}

bool link_can_send(const struct link *l)
{
	return !l->tx_busy;
}

void link_send(struct link *l, enum link_type type, const void *data, size_t len)
{
	l->tx_seq++;
	l->tx_len = frame_build(l->tx, type, l->tx_seq, l->session, data, len);
	l->tx_off = 0;
	l->tx_busy = true;
	l->tx_first = link_now();
	l->tx_last = l->tx_first;
	link_flush(l);
}

static void ack_queue(struct link *l, uint16_t session, uint8_t seq)
{
	/* An unsent older one may go: its frame will be repeated. */
	if (l->ack_off > 0)
		return;
	l->ack_len = frame_build(l->ack, LINK_ACK, seq, session, NULL, 0);
}

void link_ack(struct link *l, const struct link_msg *m)
{
	l->rx_open = false;
	ack_queue(l, m->session, m->seq);
	link_flush(l);
}

bool link_wants_write(const struct link *l)
{
	return l->ack_off < l->ack_len || l->tx_off < l->tx_len;
}

static int put(int fd, const uint8_t *buf, size_t len, size_t *off)
{
	while (*off < len) {
		ssize_t n = write(fd, buf + *off, len - *off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 1 : -1;
		*off += n;
	}
	return 0;
}

/* Writes what the descriptor takes; -1 when the line is gone. */
int link_flush(struct link *l)
{
	int ret;

	if (l->tx_busy && l->tx_off == l->tx_len && link_now() - l->tx_last > REPEAT_MS) {
		l->tx_off = 0;
		l->tx_last = link_now();
	}
	/* Frames must not interleave: finish the one that is half out. */
	if (l->tx_off > 0 && l->tx_off < l->tx_len) {
		ret = put(l->fd, l->tx, l->tx_len, &l->tx_off);
		if (ret)
			return ret < 0 ? -1 : 0;
	}
	ret = put(l->fd, l->ack, l->ack_len, &l->ack_off);
	if (ret)
		return ret < 0 ? -1 : 0;
	l->ack_len = 0;
	l->ack_off = 0;
	return put(l->fd, l->tx, l->tx_len, &l->tx_off) < 0 ? -1 : 0;
}

/* Reads what is there; 0 when the peer closed, -1 on error. */
int link_fill(struct link *l)
{
	ssize_t n = read(l->fd, l->rx + l->rx_len, sizeof(l->rx) - l->rx_len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 1 : -1;
	l->rx_len += n;
	return n > 0;
}

static void rx_drop(struct link *l, size_t n)
{
	l->rx_len -= n;
	memmove(l->rx, l->rx + n, l->rx_len);
}

/* The next whole frame with a good checksum; anything else is skipped. */
static bool rx_frame(struct link *l, struct link_msg *m)
{
	while (l->rx_len >= LINK_HEADER + LINK_TRAILER) {
		const uint8_t *f = l->rx;
		size_t len = f[6] | f[7] << 8;
		uint32_t crc = 0;

		if (f[0] != 'X' || f[1] != 'V' || len > LINK_PAYLOAD) {
			rx_drop(l, 1);
			continue;
		}
		if (l->rx_len < LINK_HEADER + len + LINK_TRAILER)
			return false;
		for (int i = 0; i < LINK_TRAILER; i++)
			crc |= (uint32_t)f[LINK_HEADER + len + i] << (8 * i);
		if (crc != crc32(f + 2, LINK_HEADER - 2 + len)) {
			rx_drop(l, 1);
			continue;
		}
		m->type = f[2];
		m->seq = f[3];
		m->session = f[4] | f[5] << 8;
		m->len = len;
		memcpy(m->data, f + LINK_HEADER, len);
		rx_drop(l, LINK_HEADER + len + LINK_TRAILER);
		return true;
	}
	return false;
}

/* The next new message for the owner, who must link_ack() it. */
bool link_next(struct link *l, struct link_msg *m)
{
	while (rx_frame(l, m)) {
		if (m->type == LINK_HELLO)
			return true;
		if (m->session != l->session)
			continue;
		if (m->type == LINK_ACK) {
			if (l->tx_busy && m->seq == l->tx_seq) {
				l->tx_busy = false;
				l->tx_len = 0;
				l->tx_off = 0;
			}
			continue;
		}
		if (l->rx_any && m->seq == l->rx_seq) {
			if (!l->rx_open)
				ack_queue(l, m->session, m->seq);
			continue;
		}
		l->rx_any = true;
		l->rx_open = true;
		l->rx_seq = m->seq;
		return true;
	}
	return false;
}
