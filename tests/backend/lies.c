// SPDX-License-Identifier: GPL-2.0
/*
 * The lies, a row of the table each: what a backend may do that none should.
 *
 * A row has a name, how many unanswered requests it needs, and what it does with
 * them. Some are told once, and then either the queue is silent (a frontend must
 * have broken the device because of the lie, not because of what came later) or
 * honesty is back; others go on.
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

/* So long does a lie wait for as many requests as it needs. */
#define HOLD	0.3

enum after {
	SILENT,		/* told once, then no more answers */
	HONEST,		/* told once, then honest */
	GOES_ON,	/* told again and again */
};

/**
 * struct lie - a row
 * @name: as in the catalogue
 * @number: parameter unless one is given
 * @needs: requests that must be pending
 * @after: what comes then
 * @tell: deals with requests of a queue; NULL: done elsewhere in this file
 * @what: for the list
 */
struct lie {
	const char *name;
	uint64_t number;
	unsigned int needs;
	enum after after;
	void (*tell)(struct vbd *v, struct vbd_queue *q);
	const char *what;
};

static const struct lie *lie;
static uint64_t number;
static unsigned long honest;
static bool told;
static double storm_end;
static uint32_t seed = 0x2545f491;

static uint32_t random32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static bool is(const char *name)
{
	return lie && !strcmp(lie->name, name);
}

static bool armed(const struct vbd *v)
{
	return lie && v->answered >= honest;
}

/* ---- the producer index ----------------------------------------------------------- */

static void set_rsp_prod(struct vbd *v, struct vbd_queue *q, uint32_t value)
{
	__sync_synchronize();
	q->shared->rsp_prod = value;
	__sync_synchronize();
	be_notify(&v->dev, q->port);
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
	set_rsp_prod(v, q, q->rsp_prod + q->slots + number);
}

static void far_away(struct vbd *v, struct vbd_queue *q)
{
	catch_up(v, q);
	set_rsp_prod(v, q, q->rsp_prod + number);
}

static void goes_back(struct vbd *v, struct vbd_queue *q)
{
	catch_up(v, q);
	set_rsp_prod(v, q, q->rsp_prod - number);
}

static void never_asked(struct vbd *v, struct vbd_queue *q)
{
	uint64_t id = q->head->id;
	uint8_t op = q->head->op;
	unsigned int i;

	while (q->pending)
		ring_answer(v, q, ring_pop(q, 0));
	for (i = 0; i < number; i++)
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
	uint64_t id = number;

	if (number == 1)
		id = q->slots;
	else if (number == 2)
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
		    number ? number : q->head->op ^ (OP_READ ^ OP_WRITE), RSP_OK);
}

static void odd_status(struct vbd *v, struct vbd_queue *q)
{
	q->head->status = (int16_t)number;
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
	double end = be_now() + number / 1e3;
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
	uint32_t garbage = q->req_cons + 0x40000000;
	uint32_t i, prod;

	for (i = q->rsp_prod; i != q->req_cons; i++)
		memset((void *)(q->shared->slot + (size_t)(i & (q->slots - 1)) *
				v->abi->slot), 0xa5, v->abi->slot);
	prod = __sync_lock_test_and_set(&q->shared->req_prod, garbage);
	q->shared->req_event = random32();
	usleep(100);
	/* Requests published meanwhile must not be lost, or this were another lie. */
	__sync_bool_compare_and_swap(&q->shared->req_prod, garbage, prod);
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
	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	be_write(&v->dev, "feature-max-indirect-segments", text);
	be_key_set(&v->dev, "feature-max-indirect-segments", strdup(text), false,
		   false);
	vbd_start_anew(v);
}

static void begin_storm(struct vbd *v, struct vbd_queue *q)
{
	ring_answer_all(v, q);
	storm_end = be_now() + number / 1e3;
}

/* Sizes from nothing to all of it, as fast as xenstore takes them. */
static void resize_once(struct vbd *v)
{
	uint64_t sectors = v->bytes / 512;
	char text[24];

	if (be_now() < storm_end)
		sectors = sectors * (random32() % 5) / 4;
	else
		storm_end = 0;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)sectors);
	be_write(&v->dev, "sectors", text);
	be_set_state(&v->dev, BE_CONNECTED);
	if (!storm_end)
		be_say("storm over");
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
	usleep(number * 1000);
	ring_take(v, q);
	for (r = q->head; r; r = r->next)
		disk_keep(v, r);
	vbd_start_anew(v);
}

static const struct lie lies[] = {
	{ "R01", 1, 1, SILENT, beyond_the_ring, "rsp_prod beyond the ring" },
	{ "R02", 1U << 31, 1, SILENT, far_away, "rsp_prod far ahead, by NUMBER" },
	{ "R03", 1, 1, SILENT, goes_back, "rsp_prod goes back by NUMBER" },
	{ "R04", 3, 1, SILENT, never_asked, "NUMBER answers that were never asked for" },
	{ "R05", ~0ULL, 1, SILENT, impossible_id, "id NUMBER; 1: size of the ring, 2: of another queue" },
	{ "R06", 0, 1, SILENT, free_slot, "id of no request" },
	{ "R07", 0, 2, SILENT, twice_at_once, "an id twice in a batch" },
	{ "R08", 0, 2, SILENT, twice_later, "an id again, later" },
	{ "R09", 0, 1, SILENT, wrong_operation, "right id, wrong operation NUMBER" },
	{ "R10", 7, 1, HONEST, odd_status, "status NUMBER" },
	{ "R11", 0, 1, HONEST, half_written, "index before the response" },
	{ "R12", 20, 1, HONEST, flickering, "response changes while it is read, NUMBER ms" },
	{ "R13", 0, 1, GOES_ON, scribble, "requests and indices overwritten" },
	{ "R14", 0, 1, GOES_ON, odd_events, "random req_event and rsp_event" },
	{ "R15", 0, 0, GOES_ON, no_answer, "takes no request" },
	{ "R16", 0, 1, GOES_ON, no_answer, "takes requests, answers none" },
	{ "R17", 0, 4, GOES_ON, out_of_order, "answers in any order" },
	{ "R18", 0, 1, GOES_ON, no_answer, "answers while the frontend leaves" },
	{ "R20", 0, 0, GOES_ON, NULL, "keeps the ring mapped to the end, and longer" },
	{ "B01", OP_FLUSH, 0, GOES_ON, NULL, "refuses operation NUMBER at run time" },
	{ "B02", 0, 1, HONEST, spoil_status, "refuses a read or a write" },
	{ "B03", 0, 1, SILENT, keep_mapped, "keeps pages of a request mapped" },
	{ "B04", 0, 0, GOES_ON, NULL, "unmaps persistent pages at random" },
	{ "B07", 0, 1, HONEST, smaller_backend, "starts anew with NUMBER indirect segments" },
	{ "B15", 2000, 1, HONEST, begin_storm, "resizes for NUMBER ms" },
	{ "B19", 0, 1, GOES_ON, hold_discards, "does not answer discards" },
	{ "G03", 0, 4, SILENT, keep_mapped, "keeps pages of several requests mapped" },
	{ "G04", 200, 1, GOES_ON, hoard, "keeps all pages and starts anew each NUMBER ms" },
	{ "E01", 2000, 1, HONEST, begin_storm, "events without reason for NUMBER ms" },
	{ "E02", 1000, 0, GOES_ON, NULL, "NUMBER events before Connected and after the end" },
	{ "E04", 0, 0, GOES_ON, NULL, "no events at all" },
};

void lie_list(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		printf("%s\t%s (%lld)\n", lies[i].name, lies[i].what,
		       (long long)lies[i].number);
}

void lie_choose(const char *arg, unsigned long after)
{
	size_t len = strcspn(arg, ":");
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		if (strlen(lies[i].name) == len && !strncmp(lies[i].name, arg, len))
			lie = &lies[i];
	if (!lie)
		die("there is no lie %s", arg);
	number = arg[len] ? strtoull(arg + len + 1, NULL, 0) : lie->number;
	honest = after;
}

void lie_end(void)
{
	lie = NULL;
	storm_end = 0;
}

static void tell(void)
{
	if (!told)
		be_say("told %s", lie->name);
	told = true;
}

/* ---- where they are told --------------------------------------------------------------------- */

int lie_sleep(struct vbd *v)
{
	unsigned int i;

	if (storm_end)
		return 0;
	for (i = 0; i < v->queues; i++)
		if (v->queue[i].held)
			return 50;
	/* A frontend that reads a wrong req_event says nothing. */
	return v->queues && (is("R13") || is("R14")) ? 50 : -1;
}

void lie_tick(struct vbd *v)
{
	if (!storm_end || !v->queues)
		return;
	if (is("B15")) {
		resize_once(v);
	} else if (be_now() < storm_end) {
		notify_often(v, 500);
	} else {
		storm_end = 0;
		be_say("storm over");
	}
}

/*
 * A request that is carried out after the frontend has broken the device writes to
 * references that may be another disk's by then: this domain may use those, too. So
 * nothing is taken once a lie was told that ends a device, or may.
 */
static bool all_is_said(struct vbd *v)
{
	enum be_state before = v->dev.front_state;
	static bool looked, left;

	if (!told || lie->after == GOES_ON || v->dev.state != BE_CONNECTED)
		return false;
	if (lie->after == SILENT)
		return true;
	if (!looked) {
		sleep(1);
		left = be_look(&v->dev) >= BE_CLOSING;
		looked = true;
		/* For those who follow its states. */
		v->dev.front_state = before;
	}
	return left;
}

bool lie_takes(struct vbd *v)
{
	if (lie && all_is_said(v))
		return false;
	if (!is("R15") || !armed(v))
		return true;
	tell();
	return false;
}

/* Wait a little for as many requests as the lie needs. Return: there are. */
static bool enough(struct vbd_queue *q)
{
	if (q->pending >= lie->needs)
		return true;
	if (!q->held)
		q->held = be_now();
	return false;
}

bool lie_answer(struct vbd *v, struct vbd_queue *q)
{
	if (!armed(v) || !lie->tell || (told && lie->after == HONEST))
		return false;
	if (told && lie->after == SILENT)
		return true;
	if (!enough(q)) {
		if (be_now() - q->held < HOLD)
			return true;
		q->held = 0;
		return false;
	}
	q->held = 0;
	tell();
	lie->tell(v, q);
	return true;
}

void lie_served(struct vbd *v, struct vbd_request *r)
{
	unsigned int i;

	if (is("B01") && armed(v) && r->op == number) {
		tell();
		r->status = RSP_NOTSUPP;
	}
	if (is("B04") && armed(v) && v->persistent && random32() % 2) {
		tell();
		for (i = 0; i < r->segs; i++)
			disk_unmap_one(v, r->seg[i].ref);
	}
}

void lie_connecting(struct vbd *v)
{
	if (!is("E02"))
		return;
	notify_often(v, number);
	tell();
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

bool lie_leaving(struct vbd *v)
{
	if (!lie)
		return false;
	if (v->queues && is("R18") && armed(v)) {
		tell();
		answer_late(v);
	}
	if (is("E02"))
		notify_often(v, number);
	if (is("R20"))
		tell();
	/* It leaves because of what it was told; the rest is silence. */
	return told && v->dev.state == BE_CONNECTED && lie->after != GOES_ON;
}

bool lie_keeps(void)
{
	return is("R20") || is("B03") || is("G03") || is("G04");
}

bool lie_mutes(const struct vbd *v)
{
	if (!is("E04") || !armed(v))
		return false;
	tell();
	return true;
}
