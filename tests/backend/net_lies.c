// SPDX-License-Identifier: GPL-2.0
/*
 * The lies of a network card, a row of the table each: what a backend may do that
 * none should. What is wrong with single packets is in net_plans.c.
 *
 * Some are told once, and then either the card is silent (a frontend must have broken
 * the device because of the lie, not because of what came later) or honesty is back;
 * others go on.
 *
 * Life: chosen once; armed when so many slots of the chosen ring were answered.
 * Locks: none, one thread.
 * Trust: this is the file that must not be trusted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_lies.h"

/* So long does a lie wait for as many packets as it needs. */
#define HOLD	0.3
/* Wrong packets, one in so many. */
#define PLANS	8
#define PLAN_GAP 4

enum after {
	SILENT,		/* told once, then no more answers */
	HONEST,		/* told once, or for PLANS packets, then honest */
	GOES_ON,	/* told again and again */
};

/**
 * struct lie - a row
 * @name: as in the catalogue
 * @number: parameter unless one is given
 * @needs: packets from the guest that must be without an answer
 * @after: what comes then
 * @publish: publishes responses; NULL: they are published honestly
 * @answer: deals with packets that are without an answer
 * @plan: changes a packet to the guest
 * @what: for the list
 */
struct lie {
	const char *name;
	uint64_t number;
	unsigned int needs;
	enum after after;
	void (*publish)(struct vif *v, struct vif_queue *q, struct net_ring *r);
	void (*answer)(struct vif *v, struct vif_queue *q);
	plan_lie *plan;
	const char *what;
};

static const struct lie *lie;
static const char *where = "tx";
static uint64_t number;
static unsigned long honest;
static bool told;
static unsigned int plans;
static double storm_end;
static uint32_t seed = 0x2545f491;

uint32_t random32(void)
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

/* Is this ring the one that the lie is about? */
static bool chosen(const struct vif *v, const struct net_ring *r)
{
	unsigned int i;

	if (!strcmp(where, "ctrl"))
		return r == &v->ctrl;
	for (i = 0; i < v->queues; i++)
		if (r == (*where == 't' ? &v->queue[i].tx : &v->queue[i].rx))
			return true;
	return false;
}

static bool armed(const struct vif *v, const struct net_ring *r)
{
	return lie && chosen(v, r) && r->answered >= honest;
}

static void tell(void)
{
	if (!told)
		be_say("told %s", lie->name);
	told = true;
}

/* ---- the producer index ----------------------------------------------------------- */

static void set_rsp_prod(struct vif *v, struct net_ring *r, uint32_t value)
{
	__sync_synchronize();
	r->shared->rsp_prod = value;
	__sync_synchronize();
	be_notify(&v->dev, r->port);
}

/* An index is a lie only beside what the frontend has taken: have it take all. */
static void catch_up(struct vif *v, struct net_ring *r)
{
	ring_push(v, r, true);
	usleep(200000);
}

static void beyond_the_ring(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	set_rsp_prod(v, r, r->rsp_prod + r->slots + number);
}

static void far_away(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	catch_up(v, r);
	set_rsp_prod(v, r, r->rsp_prod + number);
}

static void goes_back(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	catch_up(v, r);
	set_rsp_prod(v, r, r->rsp_prod - number);
}

static void never_asked(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	catch_up(v, r);
	set_rsp_prod(v, r, r->shared->req_prod + number);
}

/* ---- bodies ------------------------------------------------------------------------- */

/* The first response that is not published; every kind begins with its id. */
static uint16_t *victim(struct net_ring *r)
{
	return (uint16_t *)ring_slot(r, r->rsp_seen);
}

static void impossible_id(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	*victim(r) = number;
	ring_push(v, r, true);
}

static bool is_pending(const struct vif_queue *q, uint16_t id)
{
	const struct tx_packet *p;
	unsigned int i;

	for (p = q->head; p; p = p->next)
		for (i = 0; i < p->n; i++)
			if (p->request[i].id == id)
				return true;
	return false;
}

/* Is a request with this id on the ring, taken or not? */
static bool in_use(const struct vif_queue *q, struct net_ring *r, uint16_t id)
{
	struct netif_tx_request req;
	uint32_t i;

	if (is_pending(q, id))
		return true;
	for (i = r->req_cons; i != r->shared->req_prod; i++) {
		memcpy(&req, ring_slot(r, i), sizeof(req));
		if (req.id == id)
			return true;
	}
	return false;
}

/* An id that was good once and is nobody's now, as far as can be seen. */
static uint16_t stale_id(const struct vif_queue *q, struct net_ring *r)
{
	unsigned long i;
	uint16_t id;

	for (i = 1; i <= VIF_HISTORY && i <= r->answered; i++) {
		id = r->history[(r->answered - i) % VIF_HISTORY];
		if (!in_use(q, r, id))
			return id;
	}
	for (id = 0; in_use(q, r, id); id++)
		;
	return id;
}

static bool is_tx(const struct vif_queue *q, const struct net_ring *r)
{
	return q && r == &q->tx;
}

/* On the receive ring every other id is that of another slot. */
static void free_slot(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	*victim(r) = is_tx(q, r) ? stale_id(q, r) : *victim(r) ^ 1;
	ring_push(v, r, true);
}

/*
 * The same response again, at @now once or after the first was taken: then a request
 * may have come that has its id, and another one is answered again.
 */
static void repeat(struct vif *v, struct vif_queue *q, struct net_ring *r, bool now)
{
	uint16_t copy[8];

	memcpy(copy, victim(r), r->size);
	if (!now) {
		catch_up(v, r);
		if (is_tx(q, r))
			copy[0] = stale_id(q, r);
	}
	ring_put(r, copy, r->size);
	ring_push(v, r, true);
}

static void twice_at_once(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	repeat(v, q, r, true);
}

static void twice_later(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	repeat(v, q, r, false);
}

/* Index first, body later: what is there meanwhile is something else. */
static void half_written(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	uint8_t copy[16];
	void *at = victim(r);

	(void)q;
	memcpy(copy, at, r->size);
	memset(at, number, r->size);
	ring_push(v, r, true);
	usleep(1000);
	memcpy(at, copy, r->size);
	be_notify(&v->dev, r->port);
}

/* Change a response while it is read, for so many milliseconds. */
static void flickering(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	volatile uint8_t *at = (volatile uint8_t *)victim(r);
	double end = be_now() + number / 1e3;
	unsigned int i;

	(void)q;
	ring_push(v, r, true);
	while (be_now() < end) {
		for (i = 0; i < 1000; i++)
			at[i % 8] ^= random32();
		be_notify(&v->dev, r->port);
	}
}

/* ---- the frontend's half of the page -------------------------------------------------- */

static void scribble(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	uint32_t garbage, i, prod;

	if (q && r == &q->rx)
		rx_take(q);
	garbage = r->req_cons + 0x40000000;
	for (i = r->rsp_prod; i != r->req_cons; i++)
		memset(ring_slot(r, i), 0xa5, r->size);
	prod = __sync_lock_test_and_set(&r->shared->req_prod, garbage);
	r->shared->req_event = random32();
	usleep(100);
	/* Requests published meanwhile must not be lost, or this were another lie. */
	__sync_bool_compare_and_swap(&r->shared->req_prod, garbage, prod);
	ring_push(v, r, false);
}

static void odd_events(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	ring_push(v, r, true);
	r->shared->req_event = random32();
	r->shared->rsp_event = random32();
}

/* ---- answers to packets from the guest ---------------------------------------------------- */

static void no_answer(struct vif *v, struct vif_queue *q)
{
	(void)v;
	(void)q;
}

static void out_of_order(struct vif *v, struct vif_queue *q)
{
	while (q->pending) {
		tx_write(q, tx_pop(q, random32() % q->pending));
		if (random32() % 4 == 0)
			ring_push(v, &q->tx, false);
	}
	ring_push(v, &q->tx, false);
}

static void nulls(struct vif *v, struct vif_queue *q)
{
	struct tx_packet *p;

	for (p = q->head; p; p = p->next)
		p->status = NETIF_RSP_NULL;
	tx_answer_all(v, q);
}

static void bad_status(struct vif *v, struct vif_queue *q)
{
	struct tx_packet *p;

	for (p = q->head; p; p = p->next)
		p->status = (int16_t)number;
	tx_answer_all(v, q);
}

static void keep_sent(struct vif *v, struct vif_queue *q)
{
	struct tx_packet *p;
	unsigned int i;

	for (p = q->head; p; p = p->next)
		for (i = 1; i < p->n; i++)
			vif_keep(v, p->request[i].gref);
	tx_answer_all(v, q);
}

/* ---- storms ---------------------------------------------------------------------------------- */

static void begin_storm(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	ring_push(v, r, false);
	storm_end = be_now() + number / 1e3;
}

static void notify_often(struct vif *v, unsigned int times)
{
	unsigned int i;

	while (times--) {
		for (i = 0; i < v->queues; i++) {
			be_notify(&v->dev, v->queue[i].tx.port);
			be_notify(&v->dev, v->queue[i].rx.port);
		}
		if (v->ctrl.shared)
			be_notify(&v->dev, v->ctrl.port);
	}
}

/* The smallest frames there are, as many as there are buffers for. */
static void flood(struct vif *v, struct vif_queue *q)
{
	struct netif_rx_response rsp = { 0 };

	rx_take(q);
	while (q->buffers) {
		rsp.id = q->buffer[q->first].id;
		rsp.status = 14;
		q->first = (q->first + 1) % VIF_SLOTS_MAX;
		q->buffers--;
		ring_put(&q->rx, &rsp, sizeof(rsp));
	}
	ring_push(v, &q->rx, false);
}

/* ---- the table --------------------------------------------------------------------------------- */

static const struct lie lies[] = {
	{ "R01", 1, 0, SILENT, beyond_the_ring, NULL, NULL, "rsp_prod beyond the ring" },
	{ "R02", 1U << 31, 0, SILENT, far_away, NULL, NULL, "rsp_prod far ahead, by NUMBER" },
	{ "R03", 1, 0, SILENT, goes_back, NULL, NULL, "rsp_prod goes back by NUMBER" },
	{ "R04", 3, 0, SILENT, never_asked, NULL, NULL, "NUMBER answers that were never asked for" },
	{ "R05", 65535, 0, SILENT, impossible_id, NULL, NULL, "id NUMBER" },
	{ "R06", 0, 0, SILENT, free_slot, NULL, NULL, "id of another slot" },
	{ "R07", 0, 2, SILENT, twice_at_once, NULL, NULL, "an answer twice in a batch" },
	{ "R08", 0, 2, SILENT, twice_later, NULL, NULL, "an answer again, later" },
	{ "R10", 7, 0, HONEST, NULL, bad_status, plan_error, "status NUMBER" },
	{ "R11", 0, 0, HONEST, half_written, NULL, NULL, "index before the response, of bytes NUMBER" },
	{ "R12", 20, 0, HONEST, flickering, NULL, NULL, "response changes while it is read, NUMBER ms" },
	{ "R13", 0, 0, GOES_ON, scribble, NULL, NULL, "requests and indices overwritten" },
	{ "R14", 0, 0, GOES_ON, odd_events, NULL, NULL, "random req_event and rsp_event" },
	{ "R15", 0, 0, GOES_ON, NULL, NULL, NULL, "takes no request" },
	{ "R16", 0, 0, GOES_ON, NULL, no_answer, NULL, "takes requests, answers none" },
	{ "R17", 0, 4, GOES_ON, NULL, out_of_order, NULL, "answers in any order" },
	{ "R18", 0, 0, GOES_ON, NULL, no_answer, NULL, "answers while the frontend leaves" },
	{ "R20", 0, 0, GOES_ON, NULL, NULL, NULL, "keeps the rings mapped to the end, and longer" },
	{ "N01", 200, 0, HONEST, NULL, NULL, plan_beyond, "NUMBER bytes, one beyond the page" },
	{ "N02", 1, 0, HONEST, NULL, NULL, plan_far, "offset 65535" },
	{ "N03", 0, 0, HONEST, NULL, NULL, plan_empty, "empty first slot; 1: with more behind it" },
	{ "N04", 13, 0, HONEST, NULL, NULL, plan_short, "first slot of NUMBER bytes" },
	{ "N05", 19, 0, HONEST, NULL, NULL, plan_long, "NUMBER slots" },
	{ "N06", 18, 0, HONEST, NULL, NULL, plan_full, "NUMBER slots, all of them right" },
	{ "N07", 0, 0, HONEST, NULL, NULL, plan_endless, "more to come, and it is the next packet" },
	{ "N08", 0, 0, HONEST, NULL, NULL, plan_extras,
	  "extra information of type NUMBER; 0: none; 1: type 0; 100: does not end; 200: twice" },
	{ "N09", 0, 0, HONEST, NULL, NULL, plan_segments,
	  "segments: 0 to 2 of no type, 3 to 5 of no size, 6 without a blank checksum" },
	{ "N10", 0, 0, HONEST, NULL, NULL, plan_headers, "segments whose headers lie, NUMBER 0 to 8" },
	{ "N11", 0x0806, 0, HONEST, NULL, NULL, plan_blank, "blank checksum in protocol NUMBER" },
	{ "N13", 0, 0, GOES_ON, NULL, nulls, NULL, "empty answers only" },
	{ "N14", (uint64_t)-1, 0, GOES_ON, NULL, bad_status, NULL, "every packet's status is NUMBER" },
	{ "N15", 0, 0, GOES_ON, NULL, keep_sent, NULL, "pages of packets stay mapped" },
	{ "N16", 0, 0, SILENT, NULL, NULL, NULL, "pages of buffers stay mapped" },
	{ "N26", 0, 0, HONEST, NULL, NULL, NULL,
	  "control: 0 wrong id, 1 wrong type, 2 status, 3 data" },
	{ "N28", 2000, 0, HONEST, begin_storm, NULL, NULL, "frames of 14 bytes for NUMBER ms" },
	{ "E01", 2000, 0, HONEST, begin_storm, NULL, NULL, "events without reason for NUMBER ms" },
	{ "E02", 1000, 0, GOES_ON, NULL, NULL, NULL, "NUMBER events before Connected and after the end" },
	{ "E04", 0, 0, GOES_ON, NULL, NULL, NULL, "no events at all" },
};

void lie_list(void)
{
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
		printf("%s\t%s (%lld)\n", lies[i].name, lies[i].what,
		       (long long)lies[i].number);
}

void lie_choose(const char *arg, const char *ring, unsigned long after)
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
	/* What is wrong with a packet, or with a buffer, is so on this ring. */
	where = ring ? ring : lie->plan || is("N16") || is("N28") ? "rx" :
		is("N26") ? "ctrl" : "tx";
	if (strcmp(where, "tx") && strcmp(where, "rx") && strcmp(where, "ctrl"))
		die("there is no ring %s", where);
}

void lie_end(void)
{
	lie = NULL;
	storm_end = 0;
}

/* ---- where they are told --------------------------------------------------------------------- */

int lie_sleep(struct vif *v)
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

void lie_tick(struct vif *v)
{
	unsigned int i;

	if (!storm_end || !v->queues)
		return;
	if (be_now() >= storm_end) {
		storm_end = 0;
		be_say("storm over");
	} else if (is("N28")) {
		for (i = 0; i < v->queues; i++)
			flood(v, &v->queue[i]);
	} else {
		notify_often(v, 500);
	}
}

/*
 * References of a device that was broken may be another card's by now, which this
 * domain may use, too: after a lie that ends a device nothing is taken any more, and
 * after one that may, the frontend is looked at first.
 */
static bool all_is_said(struct vif *v)
{
	enum be_state before = v->dev.front_state;
	static bool looked, left;

	if (!told || lie->after == GOES_ON || v->dev.state != BE_CONNECTED)
		return false;
	if (lie->after == SILENT)
		return true;
	if (lie->plan)
		return false;
	if (!looked) {
		sleep(1);
		left = be_look(&v->dev) >= BE_CLOSING;
		looked = true;
		/* For those who follow its states. */
		v->dev.front_state = before;
	}
	return left;
}

bool lie_takes(struct vif *v, const struct net_ring *r)
{
	if (lie && all_is_said(v))
		return false;
	if (!is("R15") || !armed(v, r))
		return true;
	tell();
	return false;
}

bool lie_loses(struct vif *v, const struct net_ring *r)
{
	if (!is("R16") || !armed(v, r))
		return false;
	tell();
	return true;
}

/* Wait a little for as many packets as the lie needs. Return: there are. */
static bool enough(struct vif_queue *q)
{
	if (q->pending >= lie->needs)
		return true;
	if (!q->held)
		q->held = be_now();
	return false;
}

bool lie_answer(struct vif *v, struct vif_queue *q)
{
	if (!armed(v, &q->tx) || (told && lie->after == HONEST))
		return false;
	if (told && lie->after == SILENT)
		return true;
	if (!lie->answer && !lie->needs)
		return false;
	if (!enough(q)) {
		if (be_now() - q->held < HOLD)
			return true;
		q->held = 0;
		return false;
	}
	q->held = 0;
	if (lie->answer) {
		tell();
		lie->answer(v, q);
	} else {
		tx_write(q, tx_pop(q, 0));
		ring_publish(v, q, &q->tx);
	}
	return true;
}

bool lie_publish(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	if (!armed(v, r) || !lie->publish || (told && lie->after != GOES_ON))
		return false;
	/* Nothing is left to be answered: this would be another lie. */
	if (lie->needs && is_tx(q, r) && !q->pending)
		return false;
	tell();
	lie->publish(v, q, r);
	return true;
}

void lie_plan(struct vif *v, struct vif_queue *q, struct rx_plan *plan,
	      struct frame *f)
{
	static unsigned int frames;

	if (!armed(v, &q->rx) || !lie->plan || plans == PLANS ||
	    frames++ % PLAN_GAP)
		return;
	if (lie->plan(plan, f, number)) {
		plans++;
		tell();
	} else {
		/* The next one may do. */
		frames--;
	}
}

void lie_buffer(struct vif *v, struct vif_queue *q, uint32_t ref)
{
	if (!is("N16") || !armed(v, &q->rx) || told)
		return;
	vif_keep(v, ref);
	tell();
}

void lie_ctrl(struct vif *v, struct xen_netif_ctrl_response *rsp)
{
	if (!is("N26") || !armed(v, &v->ctrl) || told)
		return;
	tell();
	switch (number) {
	case 0:
		rsp->id ^= 0x8001;
		break;
	case 1:
		rsp->type ^= 1;
		break;
	case 2:
		rsp->status = 0xdeadbeef;
		break;
	default:
		rsp->data = 0xffffffff;
	}
}

void lie_connecting(struct vif *v)
{
	if (!is("E02"))
		return;
	notify_often(v, number);
	tell();
}

/* The frontend believes that nothing comes any more. */
static void answer_late(struct vif *v)
{
	struct netif_rx_response rsp = { .status = 100 };
	double end = be_now() + 1;
	struct vif_queue *q;
	unsigned int i;

	while (be_now() < end) {
		for (i = 0; i < v->queues; i++) {
			q = &v->queue[i];
			tx_answer_all(v, q);
			rsp.id = random32() % q->rx.slots;
			ring_put(&q->tx, &rsp, sizeof(rsp));
			ring_put(&q->rx, &rsp, sizeof(rsp));
			ring_push(v, &q->tx, true);
			ring_push(v, &q->rx, true);
		}
		usleep(1000);
	}
}

bool lie_leaving(struct vif *v)
{
	if (!lie)
		return false;
	if (v->queues && is("R18") && v->queue[0].tx.answered >= honest) {
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
	return is("R20") || is("N15") || is("N16");
}

bool lie_mutes(struct vif *v, const struct net_ring *r)
{
	if (!is("E04") || !armed(v, r))
		return false;
	tell();
	return true;
}
