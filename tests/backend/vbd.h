/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A disk from a program: what the files of vbd-backend know of each other.
 *
 *	vbd.c		options, keys, connecting
 *	ring.c		requests off the ring, responses onto it
 *	disk.c		what a request asks for: data, flush, discard
 *	lies.c		what goes wrong on purpose; the only file that lies
 *
 * A request is copied off the ring, carried out, and waits in its queue's list
 * until it is answered; a lie does something else with that list.
 */
#ifndef BACKEND_VBD_H
#define BACKEND_VBD_H

#include "life.h"

#define VBD_QUEUES_MAX	16
#define VBD_SEGS_MAX	4096
#define VBD_HISTORY	64	/* ids remembered */

enum { OP_READ, OP_WRITE, OP_BARRIER, OP_FLUSH, OP_RESERVED, OP_DISCARD, OP_INDIRECT };
enum { RSP_OK = 0, RSP_ERROR = -1, RSP_NOTSUPP = -2 };

/* Layout of a ring slot; the two ABIs differ in padding. */
struct vbd_abi {
	const char *name;
	unsigned int slot;	/* bytes */
	unsigned int id;	/* offset of the id; what follows is relative to it */
	unsigned int grefs;	/* offset of indirect_grefs */
};

struct vbd_seg {
	uint32_t ref;
	uint8_t first, last;
};

/**
 * struct vbd_request - a request in private memory
 * @id: the guest's own, echoed
 * @op: operation, that of an indirect request its inner one
 * @sector: where, in units of 512 bytes
 * @sectors: length of a discard
 * @secure: it is a secure one
 * @segs: segments
 * @status: what will be answered
 * @seg: the segments
 */
struct vbd_request {
	struct vbd_request *next;
	uint64_t id;
	uint8_t op;
	uint64_t sector;
	uint64_t sectors;
	bool secure;
	unsigned int segs;
	int status;
	struct vbd_seg seg[];
};

/**
 * struct vbd_queue - one ring
 * @ring: its pages
 * @shared: the same; NULL: not connected
 * @slots: size of the ring
 * @req_cons: requests taken
 * @rsp_prod: responses written
 * @rsp_seen: responses published
 * @port: event channel
 * @head: requests without an answer, oldest first
 * @tail: end of the list
 * @pending: how many
 * @history: ids answered last
 * @answered: how many
 * @held: since when a lie waits for more requests; 0: it does not
 */
struct vbd_queue {
	struct be_map ring;
	volatile struct be_sring *shared;
	uint32_t slots;
	uint32_t req_cons;
	uint32_t rsp_prod;
	uint32_t rsp_seen;
	int port;
	struct vbd_request *head;
	struct vbd_request **tail;
	unsigned int pending;
	uint64_t history[VBD_HISTORY];
	unsigned int answered;
	double held;
};

/**
 * struct vbd - the disk
 * @dev: nodes and pages
 * @life: states
 * @abi: layout of its rings
 * @queue: its rings
 * @queues: how many; 0: not connected
 * @persistent: pages stay mapped
 * @kept: mapped pages by reference, with @persistent
 * @kept_n: size of that table
 * @data: contents
 * @bytes: their size
 * @fd: their file, or -1
 * @dirty: a byte a sector, set when only @data has what was written there; NULL: no
 *	such cache
 * @seed: chooses what of that reaches the file without a flush
 * @deaf: flushes are acknowledged, and that is all
 * @answered: requests answered since the program began
 * @ops: how many of each operation, and of those that failed in the last place
 * @secure: discards that were secure ones
 */
struct vbd {
	struct be_device dev;
	struct be_life life;
	const struct vbd_abi *abi;
	struct vbd_queue queue[VBD_QUEUES_MAX];
	unsigned int queues;
	bool persistent;
	void **kept;
	uint32_t kept_n;
	uint8_t *data;
	uint64_t bytes;
	int fd;
	uint8_t *dirty;
	uint32_t seed;
	bool deaf;
	unsigned long answered;
	unsigned long ops[8];
	unsigned long secure;
};

/* vbd.c */
void vbd_start_anew(struct vbd *v);

/* ring.c */
bool ring_take(struct vbd *v, struct vbd_queue *q);
void ring_respond(struct vbd *v, struct vbd_queue *q, uint64_t id, uint8_t op,
		  int status);
void ring_push(struct vbd *v, struct vbd_queue *q, bool always);
void ring_answer(struct vbd *v, struct vbd_queue *q, struct vbd_request *r);
void ring_answer_all(struct vbd *v, struct vbd_queue *q);
struct vbd_request *ring_pop(struct vbd_queue *q, unsigned int at);
void ring_forget(struct vbd_queue *q);

/* disk.c */
void disk_open(struct vbd *v, const char *file, unsigned long mib, bool private);
void disk_cache(struct vbd *v, const char *file, uint32_t seed);
void disk_power_off(struct vbd *v);
void disk_serve(struct vbd *v, struct vbd_request *r);
bool disk_fetch(struct vbd *v, uint32_t ref, unsigned int bytes, void *to);
void disk_keep(struct vbd *v, struct vbd_request *r);
void disk_unmap_one(struct vbd *v, uint32_t ref);
void disk_let_go(struct vbd *v);

#endif /* BACKEND_VBD_H */
