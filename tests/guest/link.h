/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A framed, checked, acknowledged message link over one serial line.
 *
 * The same code sits at both ends: in the agent (guest or dom0, on a tty) and
 * in the client (on the UNIX socket behind that tty). One frame is in flight
 * per direction; the sender repeats it until the receiver has acknowledged it,
 * so nothing is lost while nobody listens and nothing is delivered twice. A
 * session number, chosen by the client, fences off what an earlier client left
 * in the pipe.
 *
 * Frame: 'X' 'V' type seq session(2) length(2) payload crc32(4), little endian.
 */
#ifndef XENPV_TEST_LINK_H
#define XENPV_TEST_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_PAYLOAD	1024
#define LINK_HEADER	8
#define LINK_TRAILER	4
#define LINK_FRAME	(LINK_HEADER + LINK_PAYLOAD + LINK_TRAILER)

enum link_type {
	LINK_ACK = 1,	/* seq repeats the frame that was taken */
	LINK_HELLO,	/* client: start session; agent: started, channel idle */
	LINK_EXEC,	/* client: flags byte, then the command line */
	LINK_IN,	/* client: standard input; empty means end of file */
	LINK_OUT,	/* agent: standard output */
	LINK_ERR,	/* agent: standard error */
	LINK_EXIT,	/* agent: one byte, the command's exit status */
	LINK_PING,	/* either: are you there */
};

#define LINK_EXEC_TTY	1	/* run the command on a pseudo terminal */

struct link {
	int fd;
	uint16_t session;
	uint8_t tx_seq;		/* of the frame in flight or the last one */
	uint8_t rx_seq;		/* of the last frame accepted */
	bool rx_any;		/* rx_seq is valid */
	bool rx_open;		/* delivered, not yet acknowledged by the owner */
	bool tx_busy;
	int64_t tx_first;	/* ms, when the frame in flight was first sent */
	int64_t tx_last;
	size_t tx_len, tx_off;	/* bytes of tx[], bytes already written */
	size_t ack_len, ack_off;
	size_t rx_len;
	uint8_t tx[LINK_FRAME];
	uint8_t ack[LINK_FRAME];
	uint8_t rx[2 * LINK_FRAME];
};

struct link_msg {
	enum link_type type;
	uint16_t session;
	uint8_t seq;
	size_t len;
	uint8_t data[LINK_PAYLOAD];
};

int64_t link_now(void);
void link_init(struct link *l, int fd);
void link_session(struct link *l, uint16_t session);
bool link_can_send(const struct link *l);
void link_send(struct link *l, enum link_type type, const void *data, size_t len);
void link_ack(struct link *l, const struct link_msg *m);
bool link_wants_write(const struct link *l);
int link_flush(struct link *l);
int link_fill(struct link *l);
bool link_next(struct link *l, struct link_msg *m);

#endif
