// SPDX-License-Identifier: GPL-2.0
/*
 * The lies, a row of the table each: what a backend may do that none should.
 *
 * A row has a name, how many unanswered requests it needs, and what it does with
 * them; lying.h says what comes then.
 *
 * Life: chosen once; armed when so many requests were answered honestly.
 * Locks: none, one thread.
 * Trust: this is the file that must not be trusted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lies.h"

/**
 * struct vbd_lie - a row
 * @lie: how it begins
 * @tell: deals with requests of a queue; NULL: done elsewhere in this file
 */
struct vbd_lie {
	struct lie lie;
	void (*tell)(struct vbd *v, struct vbd_queue *q);
};

static bool armed(const struct vbd *v)
{
	return lying.lie && v->answered >= lying.honest;
}

/* ---- the producer index ----------------------------------------------------------- */

static void set_rsp_prod(struct vbd *v, struct vbd_queue *q, uint32_t value)
{
	lie_rsp_prod(&v->dev, q->port, q->shared, value);
}

/*
 * The frontend has taken all that was answered: it may not have been told of some of
 * it, and an index is a lie only beside what was taken.
 */
static void catch_up(struct vbd *v, struct vbd_queue *q)
{
	be_notify(&v->dev, q->port);
	usleep(200000);
}

static void beyond_the_ring(struct vbd *v, struct vbd_queue *q)
{
	ring_answer_all(v, q);
	set_rsp_prod(v, q, q->rsp_prod + q->slots + lying.number);
}

static void far_away(struct vbd *v, struct vbd_queue *q)
{
	catch_up(v, q);
	set_rsp_prod(v, q, q->rsp_prod + lying.number);
}

static void goes_back(struct vbd *v, struct vbd_queue *q)
{
	catch_up(v, q);
	set_rsp_prod(v, q, q->rsp_prod - lying.number);
}

static void never_asked(struct vbd *v, struct vbd_queue *q)
{
	uint64_t id = q->head->id;
	uint8_t op = q->head->op;
	unsigned int i;

	while (q->pending)
		ring_answer(v, q, ring_pop(q, 0));
	for (i = 0; i < lying.number; i++)
		ring_respond(v, q, id, op, RSP_OK);
	ring_push(v, q, true);
}

/* ---- bodies ------------------------------------------------------------------------- */

static bool is_pending(const struct vbd_queue *q, uint64_t id)
{
	const struct vbd_request *r;

	for (r = q->head; r; r = r->next)
		if (r->id == id)
			return true;
	return false;
}

/* An id that was good once and is nobody's now, else a small number. */
static uint64_t stale_id(const struct vbd_queue *q)
{
	unsigned int i;
	uint64_t id;

	for (i = 1; i <= VBD_HISTORY && i <= q->answered; i++) {
		id = q->history[(q->answered - i) % VBD_HISTORY];
		if (!is_pending(q, id))
			return id;
	}
	for (id = 0; is_pending(q, id); id++)
		;
	return id;
}

static void respond_now(struct vbd *v, struct vbd_queue *q, uint64_t id,
			uint8_t op, int status)
{
	ring_respond(v, q, id, op, status);
	ring_push(v, q, true);
}

/* Of a frontend that numbers its requests queue by queue, above 16 bits of tag. */
static uint64_t id_of_other_queue(const struct vbd_queue *q)
{
	return q->head->id ^ 1 << 16;
}

static void impossible_id(struct vbd *v, struct vbd_queue *q)
{
	uint64_t id = lying.number;

	if (lying.number == 1)
		id = q->slots;
	else if (lying.number == 2)
		id = id_of_other_queue(q);
	respond_now(v, q, id, q->head->op, RSP_OK);
}

/* What was about to be sent is on the ring by then: an id is free, or known to be not. */
static void free_slot(struct vbd *v, struct vbd_queue *q)
{
	catch_up(v, q);
	ring_take(v, q);
	respond_now(v, q, stale_id(q), q->head->op, RSP_OK);
}

static void twice_at_once(struct vbd *v, struct vbd_queue *q)
{
	uint64_t id = q->head->id;
	uint8_t op = q->head->op;

	ring_answer(v, q, ring_pop(q, 0));
	respond_now(v, q, id, op, RSP_OK);
}

static void twice_later(struct vbd *v, struct vbd_queue *q)
{
	uint64_t id = q->head->id;
	uint8_t op = q->head->op;

	ring_answer(v, q, ring_pop(q, 0));
	ring_push(v, q, false);
	catch_up(v, q);
	respond_now(v, q, id, op, RSP_OK);
}

static void wrong_operation(struct vbd *v, struct vbd_queue *q)
{
	respond_now(v, q, q->head->id,
		    lying.number ? lying.number : q->head->op ^ (OP_READ ^ OP_WRITE), RSP_OK);
}

static void odd_status(struct vbd *v, struct vbd_queue *q)
{
	q->head->status = (int16_t)lying.number;
	ring_answer_all(v, q);
}

/* Index first, body later: what is there meanwhile is the request, or an old answer. */
static void half_written(struct vbd *v, struct vbd_queue *q)
{
	struct vbd_request *r = ring_pop(q, 0);

	set_rsp_prod(v, q, q->rsp_prod + 1);
	usleep(1000);
	ring_answer(v, q, r);
	ring_push(v, q, true);
}

/* Change a response while it is read, for so many milliseconds. */
static void flickering(struct vbd *v, struct vbd_queue *q)
{
	volatile uint8_t *slot = q->shared->slot +
		(size_t)(q->rsp_prod & (q->slots - 1)) * v->abi->slot;
	double end = be_now() + lying.number / 1e3;
	unsigned int i;

	ring_answer(v, q, ring_pop(q, 0));
	ring_push(v, q, true);
	while (be_now() < end) {
		for (i = 0; i < 1000; i++)
			slot[i % 12] ^= random32();
		be_notify(&v->dev, q->port);
	}
}

/* ---- the frontend's half of the page -------------------------------------------------- */

static void scribble(struct vbd *v, struct vbd_queue *q)
{
	uint32_t i;

	for (i = q->rsp_prod; i != q->req_cons; i++)
		memset((void *)(q->shared->slot + (size_t)(i & (q->slots - 1)) *
				v->abi->slot), 0xa5, v->abi->slot);
	lie_scribble(q->shared, q->req_cons);
	ring_answer_all(v, q);
}

static void odd_events(struct vbd *v, struct vbd_queue *q)
{
	while (q->pending)
		ring_answer(v, q, ring_pop(q, 0));
	ring_push(v, q, true);
	q->shared->req_event = random32();
	q->shared->rsp_event = random32();
}

static void out_of_order(struct vbd *v, struct vbd_queue *q)
{
	while (q->pending) {
		ring_answer(v, q, ring_pop(q, random32() % q->pending));
		if (random32() % 4 == 0)
			ring_push(v, q, false);
	}
	ring_push(v, q, false);
}

/* ---- silence ---------------------------------------------------------------------------- */

static void no_answer(struct vbd *v, struct vbd_queue *q)
{
	(void)v;
	(void)q;
}

static void hold_discards(struct vbd *v, struct vbd_queue *q)
{
	unsigned int at = 0;
	const struct vbd_request *r;
	unsigned int n = q->pending;

	while (n--) {
		for (r = q->head; r && r->op == OP_DISCARD; r = r->next)
			at++;
		if (!r)
			break;
		ring_answer(v, q, ring_pop(q, at));
		at = 0;
	}
	ring_push(v, q, false);
}

/* ---- the connection ------------------------------------------------------------------------ */

/* As after a migration: what was asked is not answered, and less is offered. */
static void smaller_backend(struct vbd *v, struct vbd_queue *q)
{
	char text[24];

	(void)q;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)lying.number);
	be_write(&v->dev, "feature-max-indirect-segments", text);
	be_key_set(&v->dev, "feature-max-indirect-segments", strdup(text), false,
		   false);
	vbd_start_anew(v);
}

static void begin_storm(struct vbd *v, struct vbd_queue *q)
{
	ring_answer_all(v, q);
	lie_storm_begin();
}

/* Sizes from nothing to all of it, as fast as xenstore takes them. */
static void resize_once(struct vbd *v)
{
	uint64_t sectors = v->bytes / 512;
	bool on = lie_storms();
	char text[24];

	if (on)
		sectors = sectors * (random32() % 5) / 4;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)sectors);
	be_write(&v->dev, "sectors", text);
	be_set_state(&v->dev, BE_CONNECTED);
	if (!on)
		lie_storm_over();
}

static void notify_often(struct vbd *v, unsigned int times)
{
	unsigned int i;

	while (times--)
		for (i = 0; i < v->queues; i++)
			be_notify(&v->dev, v->queue[i].port);
}

static void spoil_status(struct vbd *v, struct vbd_queue *q)
{
	q->head->status = RSP_NOTSUPP;
	ring_answer_all(v, q);
}

static void keep_mapped(struct vbd *v, struct vbd_queue *q)
{
	struct vbd_request *r;

	for (r = q->head; r; r = r->next)
		disk_keep(v, r);
	ring_answer_all(v, q);
}

/*
 * Map all that comes, answer nothing and start anew: each connection leaves pages
 * behind. Ends when the frontend has enough of it.
 */
static void hoard(struct vbd *v, struct vbd_queue *q)
{
	struct vbd_request *r;

	/* Requests that wait for pages come when the pool has grown. */
	usleep(lying.number * 1000);
	ring_take(v, q);
	for (r = q->head; r; r = r->next)
		disk_keep(v, r);
	vbd_start_anew(v);
}

static const struct vbd_lie lies[] = {
	{ { "R01", 1, 1, SILENT, "rsp_prod beyond the ring" }, beyond_the_ring },
	{ { "R02", 1U << 31, 1, SILENT, "rsp_prod far ahead, by NUMBER" }, far_away },
	{ { "R03", 1, 1, SILENT, "rsp_prod goes back by NUMBER" }, goes_back },
	{ { "R04", 3, 1, SILENT, "NUMBER answers that were never asked for" }, never_asked },
	{ { "R05", ~0ULL, 1, SILENT, "id NUMBER; 1: size of the ring, 2: of another queue" },
	  impossible_id },
	{ { "R06", 0, 1, SILENT, "id of no request" }, free_slot },
	{ { "R07", 0, 2, SILENT, "an id twice in a batch" }, twice_at_once },
	{ { "R08", 0, 2, SILENT, "an id again, later" }, twice_later },
	{ { "R09", 0, 1, SILENT, "right id, wrong operation NUMBER" }, wrong_operation },
	{ { "R10", 7, 1, HONEST, "status NUMBER" }, odd_status },
	{ { "R11", 0, 1, HONEST, "index before the response" }, half_written },
	{ { "R12", 20, 1, HONEST, "response changes while it is read, NUMBER ms" }, flickering },
	{ { "R13", 0, 1, GOES_ON, "requests and indices overwritten" }, scribble },
	{ { "R14", 0, 1, GOES_ON, "random req_event and rsp_event" }, odd_events },
	{ { "R15", 0, 0, GOES_ON, "takes no request" }, no_answer },
	{ { "R16", 0, 1, GOES_ON, "takes requests, answers none" }, no_answer },
	{ { "R17", 0, 4, GOES_ON, "answers in any order" }, out_of_order },
	{ { "R18", 0, 1, GOES_ON, "answers while the frontend leaves" }, no_answer },
	{ { "R20", 0, 0, GOES_ON, "keeps the ring mapped to the end, and longer" }, NULL },
	{ { "B01", OP_FLUSH, 0, GOES_ON, "refuses operation NUMBER at run time" }, NULL },
	{ { "B02", 0, 1, HONEST, "refuses a read or a write" }, spoil_status },
	{ { "B03", 0, 1, SILENT, "keeps pages of a request mapped" }, keep_mapped },
	{ { "B04", 0, 0, GOES_ON, "unmaps persistent pages at random" }, NULL },
	{ { "B07", 0, 1, HONEST, "starts anew with NUMBER indirect segments" }, smaller_backend },
	{ { "B15", 2000, 1, HONEST, "resizes for NUMBER ms" }, begin_storm },
	{ { "B19", 0, 1, GOES_ON, "does not answer discards" }, hold_discards },
	{ { "G03", 0, 4, SILENT, "keeps pages of several requests mapped" }, keep_mapped },
	{ { "G04", 200, 1, GOES_ON, "keeps all pages and starts anew each NUMBER ms" }, hoard },
	{ { "E01", 2000, 1, HONEST, "events without reason for NUMBER ms" }, begin_storm },
	{ { "E02", 1000, 0, GOES_ON, "NUMBER events before Connected and after the end" }, NULL },
	{ { "E04", 0, 0, GOES_ON, "no events at all" }, NULL },
};

#define LIES	(sizeof(lies) / sizeof(lies[0]))

void lie_list(void)
{
	lying_list(lies, LIES, sizeof(lies[0]));
}

void lie_choose(const char *arg, unsigned long honest)
{
	lying_choose(lies, LIES, sizeof(lies[0]), arg, honest);
}

/* ---- where they are told --------------------------------------------------------------------- */

int lie_sleep(void *arg)
{
	struct vbd *v = arg;
	bool held = false;
	unsigned int i;

	for (i = 0; i < v->queues; i++)
		held |= v->queue[i].held > 0;
	return lying_sleep(v->queues, held);
}

void lie_tick(struct vbd *v)
{
	if (!lying.storm_end || !v->queues)
		return;
	if (lie_is("B15"))
		resize_once(v);
	else if (lie_storms())
		notify_often(v, 500);
	else
		lie_storm_over();
}

bool lie_takes(struct vbd *v)
{
	if (lie_all_is_said(&v->dev))
		return false;
	if (!lie_is("R15") || !armed(v))
		return true;
	lie_tell();
	return false;
}

bool lie_answer(struct vbd *v, struct vbd_queue *q)
{
	const struct vbd_lie *row = (const struct vbd_lie *)lying.lie;
	enum lie_turn turn;

	if (!armed(v) || !row->tell)
		return false;
	turn = lie_turn(q->pending, &q->held);
	if (turn != TURN_TELL)
		return turn == TURN_WAIT;
	lie_tell();
	row->tell(v, q);
	return true;
}

void lie_served(struct vbd *v, struct vbd_request *r)
{
	unsigned int i;

	if (lie_is("B01") && armed(v) && r->op == lying.number) {
		lie_tell();
		r->status = RSP_NOTSUPP;
	}
	if (lie_is("B04") && armed(v) && v->persistent && random32() % 2) {
		lie_tell();
		for (i = 0; i < r->segs; i++)
			disk_unmap_one(v, r->seg[i].ref);
	}
}

void lie_connecting(struct vbd *v)
{
	if (!lie_is("E02"))
		return;
	notify_often(v, lying.number);
	lie_tell();
}

/* The frontend believes that nothing comes any more. */
static void answer_late(struct vbd *v)
{
	double end = be_now() + 1;
	struct vbd_queue *q;
	unsigned int i;

	while (be_now() < end) {
		for (i = 0; i < v->queues; i++) {
			q = &v->queue[i];
			ring_answer_all(v, q);
			ring_respond(v, q, random32() % q->slots, OP_READ, RSP_OK);
			ring_push(v, q, true);
		}
		usleep(1000);
	}
}

bool lie_leaving(void *arg)
{
	struct vbd *v = arg;

	if (v->queues && lie_is("R18") && armed(v)) {
		lie_tell();
		answer_late(v);
	}
	if (lie_is("E02"))
		notify_often(v, lying.number);
	if (lie_is("R20"))
		lie_tell();
	return lie_ignores_leaving(&v->dev);
}

bool lie_keeps(void)
{
	return lie_is("R20") || lie_is("B03") || lie_is("G03") || lie_is("G04");
}

bool lie_mutes(const struct vbd *v)
{
	if (!lie_is("E04") || !armed(v))
		return false;
	lie_tell();
	return true;
}
