/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network card from a program: what the files of vif-backend know of each other.
 *
 *	vif.c		options, keys, connecting
 *	net_ring.c	one ring: requests off it, responses onto it
 *	net_tx.c	packets from the guest
 *	net_rx.c	packets to the guest
 *	net_ctrl.c	the control ring
 *	net_tap.c	the other end of the wire: a tap device of dom0
 *	net_lies.c	what goes wrong on purpose; the only file that lies
 *
 * A packet from the guest is copied, handed to the tap device, and waits in its
 * queue's list until it is answered. A packet to the guest becomes a plan, an item a
 * slot; the plan is carried out and published. A lie does something else with list,
 * plan or publishing.
 */
#ifndef BACKEND_VIF_H
#define BACKEND_VIF_H

#include <stdint.h>
#include <linux/virtio_net.h>
#include <xen/xen.h>
#include <xen/io/netif.h>

#include "life.h"

#define VIF_QUEUES_MAX	16
#define VIF_SLOTS_MAX	256
#define VIF_FRAME_MAX	(65535 + 18)
#define VIF_CHAIN_MAX	64	/* slots of a packet, also of one that is a lie */
#define VIF_ROOM	96	/* buffers that the longest of them may take */
#define VIF_HISTORY	64	/* ids remembered */

/**
 * struct net_ring - a ring of any kind
 * @map: its page
 * @shared: the same; NULL: not connected
 * @size: bytes a slot
 * @slots: how many
 * @req_cons: requests taken
 * @rsp_prod: responses written
 * @rsp_seen: responses published
 * @port: event channel
 * @answered: responses written, of all connections
 * @history: ids answered last
 */
struct net_ring {
	struct be_map map;
	volatile struct be_sring *shared;
	unsigned int size;
	uint32_t slots;
	uint32_t req_cons;
	uint32_t rsp_prod;
	uint32_t rsp_seen;
	int port;
	unsigned long answered;
	uint16_t history[VIF_HISTORY];
};

/**
 * struct tx_packet - a packet from the guest, without an answer
 * @n: requests
 * @request: them
 * @extras: slots of extra information, behind the first request
 * @extra: the last of them
 * @status: what will be answered
 */
struct tx_packet {
	struct tx_packet *next;
	unsigned int n;
	struct netif_tx_request request[VIF_CHAIN_MAX];
	unsigned int extras;
	struct netif_extra_info extra;
	int16_t status;
};

/**
 * struct rx_item - a slot of a packet to the guest
 * @extra: it is extra information
 * @data: bytes that go into its page, at rsp.offset
 * @len: how many
 * @rsp: the response; its id is that of the request, when it is sent
 * @info: the extra information
 */
struct rx_item {
	bool extra;
	const uint8_t *data;
	unsigned int len;
	union {
		struct netif_rx_response rsp;
		struct netif_extra_info info;
	};
};

struct rx_plan {
	unsigned int n;
	struct rx_item item[VIF_SLOTS_MAX];
};

/**
 * struct vif_queue - a pair of rings
 * @tx: from the guest
 * @rx: to the guest
 * @head: packets without an answer, oldest first
 * @tail: end of the list
 * @pending: how many
 * @held: since when a lie waits for more of them; 0: it does not
 * @buffer: requests of the receive ring that were taken
 * @first: the oldest
 * @buffers: how many
 */
struct vif_queue {
	struct net_ring tx;
	struct net_ring rx;
	struct tx_packet *head;
	struct tx_packet **tail;
	unsigned int pending;
	double held;
	struct netif_rx_request buffer[VIF_SLOTS_MAX];
	unsigned int first;
	unsigned int buffers;
};

/* A packet with what the kernel says about its checksum and segments. */
struct frame {
	struct virtio_net_hdr hdr;
	unsigned int len;
	uint8_t data[VIF_FRAME_MAX + BE_PAGE];
};

/**
 * struct vif - the card
 * @dev: nodes and pages
 * @life: states
 * @queue: its rings
 * @queues: how many; 0: not connected
 * @split: separate event channels
 * @ctrl: control ring, if the frontend has one
 * @tap: the tap device
 * @in: packet to the guest
 * @waiting: it has not been sent yet
 * @out: packet from the guest
 * @headroom: bytes that the frontend wants before the data; 0: none
 * @kept: pages that a lie keeps mapped
 * @kept_n: how many
 * @packets: from and to the guest
 */
struct vif {
	struct be_device dev;
	struct be_life life;
	struct vif_queue queue[VIF_QUEUES_MAX];
	unsigned int queues;
	bool split;
	struct net_ring ctrl;
	int tap;
	struct frame in;
	bool waiting;
	struct frame out;
	unsigned int headroom;
	struct be_map kept[4096];
	unsigned int kept_n;
	unsigned long packets[2];
};

/* vif.c */
void vif_keep(struct vif *v, uint32_t ref);

/* net_ring.c */
bool ring_map(struct vif *v, struct net_ring *r, uint32_t ref, unsigned int size);
void ring_unmap(struct vif *v, struct net_ring *r, bool keep);
unsigned int ring_waiting(struct net_ring *r);
void ring_take(struct net_ring *r, void *request);
bool ring_more(struct net_ring *r);
uint8_t *ring_slot(struct net_ring *r, uint32_t index);
void ring_put(struct net_ring *r, const void *response, unsigned int size);
void ring_push(struct vif *v, struct net_ring *r, bool always);
void ring_publish(struct vif *v, struct vif_queue *q, struct net_ring *r);

/* net_tx.c */
bool tx_serve(struct vif *v, struct vif_queue *q);
struct tx_packet *tx_pop(struct vif_queue *q, unsigned int at);
void tx_write(struct vif_queue *q, struct tx_packet *p);
void tx_answer_all(struct vif *v, struct vif_queue *q);
void tx_forget(struct vif_queue *q);

/* net_rx.c */
bool rx_serve(struct vif *v);
bool rx_wants(const struct vif *v);
void rx_take(struct vif_queue *q);

/* net_ctrl.c */
bool ctrl_serve(struct vif *v);

/* net_tap.c */
void tap_open(struct vif *v, const char *name);
void tap_offer(struct vif *v, bool csum, bool tso4, bool tso6);
void tap_write(struct vif *v, struct frame *f, bool blank, unsigned int gso,
	       unsigned int gso_size);
bool tap_read(struct vif *v, struct frame *f);

#endif /* BACKEND_VIF_H */
