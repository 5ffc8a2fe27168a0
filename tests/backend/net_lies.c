// SPDX-License-Identifier: GPL-2.0
/*
 * The lies of a network card, a row of the table each: what a backend may do that
 * none should. What is wrong with single packets is in net_plans.c, what comes after a
 * lie in lying.h.
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

/* Wrong packets, one in so many. */
#define PLANS	8
#define PLAN_GAP 4

/**
 * struct vif_lie - a row
 * @lie: how it begins; with @plan, HONEST is after PLANS packets
 * @publish: publishes responses; NULL: they are published honestly
 * @answer: deals with packets that are without an answer
 * @plan: changes a packet to the guest
 */
struct vif_lie {
	struct lie lie;
	void (*publish)(struct vif *v, struct vif_queue *q, struct net_ring *r);
	void (*answer)(struct vif *v, struct vif_queue *q);
	plan_lie *plan;
};

static const char *where = "tx";
static unsigned int plans;

/* Only while there is a lie. */
static const struct vif_lie *row(void)
{
	return (const struct vif_lie *)lying.lie;
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
	return lying.lie && chosen(v, r) && r->answered >= lying.honest;
}

/* ---- the producer index ----------------------------------------------------------- */

static void set_rsp_prod(struct vif *v, struct net_ring *r, uint32_t value)
{
	lie_rsp_prod(&v->dev, r->port, r->shared, value);
}

/* The frontend takes what it was told of, and sends what it was about to send. */
static void give_time(struct vif *v, struct net_ring *r)
{
	be_notify(&v->dev, r->port);
	usleep(200000);
}

/* An index is a lie only beside what the frontend has taken: have it take all. */
static void catch_up(struct vif *v, struct net_ring *r)
{
	ring_push(v, r, false);
	give_time(v, r);
}

static void beyond_the_ring(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	set_rsp_prod(v, r, r->rsp_prod + r->slots + lying.number);
}

static void far_away(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	catch_up(v, r);
	set_rsp_prod(v, r, r->rsp_prod + lying.number);
}

static void goes_back(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	catch_up(v, r);
	set_rsp_prod(v, r, r->rsp_prod - lying.number);
}

static void never_asked(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	catch_up(v, r);
	set_rsp_prod(v, r, r->shared->req_prod + lying.number);
}

/* ---- bodies ------------------------------------------------------------------------- */

/* Every kind of response begins with its id. */
static uint16_t *response(struct net_ring *r, uint32_t index)
{
	return (uint16_t *)ring_slot(r, index);
}

/* The first one that is not published. */
static uint16_t *victim(struct net_ring *r)
{
	return response(r, r->rsp_seen);
}

static void impossible_id(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	(void)q;
	*victim(r) = lying.number;
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

/* Is an answer with this id written, which the frontend does not see yet? */
static bool is_unpublished(struct net_ring *r, uint16_t id)
{
	uint32_t i;

	for (i = r->rsp_seen; i != r->rsp_prod; i++)
		if (*response(r, i) == id)
			return true;
	return false;
}

/* Is there a request with this id that the frontend has no answer to, taken or not? */
static bool in_use(const struct vif_queue *q, struct net_ring *r, uint16_t id)
{
	struct netif_tx_request req;
	uint32_t i;

	if (is_pending(q, id) || is_unpublished(r, id))
		return true;
	for (i = r->req_cons; i != r->shared->req_prod; i++) {
		memcpy(&req, ring_slot(r, i), sizeof(req));
		if (req.id == id)
			return true;
	}
	return false;
}

/* Was it among the last @n answers? Up to VIF_HISTORY of them are remembered. */
static bool is_recent(const struct net_ring *r, uint16_t id, unsigned long n)
{
	unsigned long i;

	for (i = 1; i <= n && i <= r->answered; i++)
		if (r->history[(r->answered - i) % VIF_HISTORY] == id)
			return true;
	return false;
}

/*
 * An id that was good once and is nobody's now, as far as can be seen; the one that was
 * answered the longest ago, for a frontend may use next what it has got back last.
 */
static uint16_t stale_id(const struct vif_queue *q, struct net_ring *r)
{
	unsigned long i;
	uint16_t id;

	for (i = VIF_HISTORY < r->answered ? VIF_HISTORY : r->answered; i; i--) {
		id = r->history[(r->answered - i) % VIF_HISTORY];
		if (!is_recent(r, id, i - 1) && !in_use(q, r, id))
			return id;
	}
	for (id = 0; in_use(q, r, id); id++)
		;
	return id;
}

/* The id of a slot that is free and will not be used in a moment. */
static uint16_t free_id(const struct vif_queue *q, struct net_ring *r)
{
	uint16_t id = r->slots;

	while (id--)
		if (!is_recent(r, id, VIF_HISTORY) && !in_use(q, r, id))
			return id;
	return stale_id(q, r);
}

static bool is_tx(const struct vif_queue *q, const struct net_ring *r)
{
	return q && r == &q->tx;
}

/*
 * What the frontend was about to send is on the ring when it has had its time: an id is
 * free, or known to be not. On the receive ring every other id is that of another slot.
 */
static void free_slot(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	give_time(v, r);
	*victim(r) = is_tx(q, r) ? free_id(q, r) : *victim(r) ^ 1;
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
	memset(at, lying.number, r->size);
	ring_push(v, r, true);
	usleep(1000);
	memcpy(at, copy, r->size);
	be_notify(&v->dev, r->port);
}

/* Change a response while it is read, for so many milliseconds. */
static void flickering(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	volatile uint8_t *at = (volatile uint8_t *)victim(r);
	double end = be_now() + lying.number / 1e3;
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
	uint32_t i;

	if (q && r == &q->rx)
		rx_take(q);
	for (i = r->rsp_prod; i != r->req_cons; i++)
		memset(ring_slot(r, i), 0xa5, r->size);
	lie_scribble(r->shared, r->req_cons);
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
		p->status = (int16_t)lying.number;
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
	lie_storm_begin();
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

static const struct vif_lie lies[] = {
	{ { "R01", 1, 0, SILENT, "rsp_prod beyond the ring" }, beyond_the_ring, NULL, NULL },
	{ { "R02", 1U << 31, 0, SILENT, "rsp_prod far ahead, by NUMBER" }, far_away, NULL, NULL },
	{ { "R03", 1, 0, SILENT, "rsp_prod goes back by NUMBER" }, goes_back, NULL, NULL },
	{ { "R04", 3, 0, SILENT, "NUMBER answers that were never asked for" }, never_asked, NULL, NULL },
	{ { "R05", 65535, 0, SILENT, "id NUMBER" }, impossible_id, NULL, NULL },
	{ { "R06", 0, 0, SILENT, "id of another slot" }, free_slot, NULL, NULL },
	{ { "R07", 0, 2, SILENT, "an answer twice in a batch" }, twice_at_once, NULL, NULL },
	{ { "R08", 0, 2, SILENT, "an answer again, later" }, twice_later, NULL, NULL },
	{ { "R10", 7, 0, HONEST, "status NUMBER" }, NULL, bad_status, plan_error },
	{ { "R11", 0, 0, HONEST, "index before the response, of bytes NUMBER" }, half_written, NULL, NULL },
	{ { "R12", 20, 0, HONEST, "response changes while it is read, NUMBER ms" }, flickering, NULL, NULL },
	{ { "R13", 0, 0, GOES_ON, "requests and indices overwritten" }, scribble, NULL, NULL },
	{ { "R14", 0, 0, GOES_ON, "random req_event and rsp_event" }, odd_events, NULL, NULL },
	{ { "R15", 0, 0, GOES_ON, "takes no request" }, NULL, NULL, NULL },
	{ { "R16", 0, 0, GOES_ON, "takes requests, answers none" }, NULL, no_answer, NULL },
	{ { "R17", 0, 4, GOES_ON, "answers in any order" }, NULL, out_of_order, NULL },
	{ { "R18", 0, 0, GOES_ON, "answers while the frontend leaves" }, NULL, no_answer, NULL },
	{ { "R20", 0, 0, GOES_ON, "keeps the rings mapped to the end, and longer" }, NULL, NULL, NULL },
	{ { "N01", 200, 0, HONEST, "NUMBER bytes, one beyond the page" }, NULL, NULL, plan_beyond },
	{ { "N02", 1, 0, HONEST, "offset 65535" }, NULL, NULL, plan_far },
	{ { "N03", 0, 0, HONEST, "empty first slot; 1: with more behind it" }, NULL, NULL, plan_empty },
	{ { "N04", 13, 0, HONEST, "first slot of NUMBER bytes" }, NULL, NULL, plan_short },
	{ { "N05", 19, 0, HONEST, "NUMBER slots" }, NULL, NULL, plan_long },
	{ { "N06", 18, 0, HONEST, "NUMBER slots, all of them right" }, NULL, NULL, plan_full },
	{ { "N07", 0, 0, HONEST, "more to come, and it is the next packet" }, NULL, NULL, plan_endless },
	{ { "N08", 0, 0, HONEST,
	    "extra information of type NUMBER; 0: none; 1: type 0; 100: does not end; 200: twice" },
	  NULL, NULL, plan_extras },
	{ { "N09", 0, 0, HONEST,
	    "segments: 0 to 2 of no type, 3 to 5 of no size, 6 without a blank checksum" },
	  NULL, NULL, plan_segments },
	{ { "N10", 0, 0, HONEST, "segments whose headers lie, NUMBER 0 to 8" }, NULL, NULL, plan_headers },
	{ { "N11", 0x0806, 0, HONEST, "blank checksum in protocol NUMBER" }, NULL, NULL, plan_blank },
	{ { "N13", 0, 0, GOES_ON, "empty answers only" }, NULL, nulls, NULL },
	{ { "N14", (uint64_t)-1, 0, GOES_ON, "every packet's status is NUMBER" }, NULL, bad_status, NULL },
	{ { "N15", 0, 0, GOES_ON, "pages of packets stay mapped" }, NULL, keep_sent, NULL },
	{ { "N16", 0, 0, SILENT, "pages of buffers stay mapped" }, NULL, NULL, NULL },
	{ { "N25", 0, 0, HONEST, "data where headroom was agreed on" }, NULL, NULL, plan_no_room },
	{ { "N26", 0, 0, HONEST, "control: 0 wrong id, 1 wrong type, 2 status, 3 data" }, NULL, NULL, NULL },
	{ { "N28", 2000, 0, HONEST, "frames of 14 bytes for NUMBER ms" }, begin_storm, NULL, NULL },
	{ { "E01", 2000, 0, HONEST, "events without reason for NUMBER ms" }, begin_storm, NULL, NULL },
	{ { "E02", 1000, 0, GOES_ON, "NUMBER events before Connected and after the end" }, NULL, NULL, NULL },
	{ { "E04", 0, 0, GOES_ON, "no events at all" }, NULL, NULL, NULL },
};

#define LIES	(sizeof(lies) / sizeof(lies[0]))

void lie_list(void)
{
	lying_list(lies, LIES, sizeof(lies[0]));
}

void lie_choose(const char *arg, const char *ring, unsigned long honest)
{
	lying_choose(lies, LIES, sizeof(lies[0]), arg, honest);
	/* What is wrong with a packet, or with a buffer, is so on this ring. */
	where = ring ? ring : row()->plan || lie_is("N16") || lie_is("N28") ? "rx" :
		lie_is("N26") ? "ctrl" : "tx";
	if (strcmp(where, "tx") && strcmp(where, "rx") && strcmp(where, "ctrl"))
		die("there is no ring %s", where);
}

/* ---- where they are told --------------------------------------------------------------------- */

int lie_sleep(void *arg)
{
	struct vif *v = arg;
	bool held = false;
	unsigned int i;

	for (i = 0; i < v->queues; i++)
		held |= v->queue[i].held > 0;
	return lying_sleep(v->queues, held);
}

void lie_tick(struct vif *v)
{
	unsigned int i;

	if (!lying.storm_end || !v->queues)
		return;
	if (!lie_storms()) {
		lie_storm_over();
	} else if (lie_is("N28")) {
		for (i = 0; i < v->queues; i++)
			flood(v, &v->queue[i]);
	} else {
		notify_often(v, 500);
	}
}

/* No card breaks because of a single packet. */
static bool all_is_said(struct vif *v)
{
	return lying.lie && !row()->plan && lie_all_is_said(&v->dev);
}

bool lie_takes(struct vif *v, const struct net_ring *r)
{
	if (all_is_said(v))
		return false;
	if (!lie_is("R15") || !armed(v, r))
		return true;
	lie_tell();
	return false;
}

bool lie_loses(struct vif *v, const struct net_ring *r)
{
	if (!lie_is("R16") || !armed(v, r))
		return false;
	lie_tell();
	return true;
}

bool lie_answer(struct vif *v, struct vif_queue *q)
{
	enum lie_turn turn;

	if (!armed(v, &q->tx))
		return false;
	turn = lie_turn(q->pending, &q->held);
	if (turn != TURN_TELL)
		return turn == TURN_WAIT;
	if (row()->answer) {
		lie_tell();
		row()->answer(v, q);
		return true;
	}
	if (!row()->lie.needs)
		return false;
	/* One is answered, and others are left for lie_publish(). */
	tx_write(q, tx_pop(q, 0));
	ring_publish(v, q, &q->tx);
	return true;
}

bool lie_publish(struct vif *v, struct vif_queue *q, struct net_ring *r)
{
	if (!armed(v, r) || !row()->publish ||
	    (lying.told && lying.lie->after != GOES_ON))
		return false;
	/* Nothing is left to be answered: this would be another lie. */
	if (lying.lie->needs && is_tx(q, r) && !q->pending)
		return false;
	lie_tell();
	row()->publish(v, q, r);
	return true;
}

void lie_plan(struct vif *v, struct vif_queue *q, struct rx_plan *plan,
	      struct frame *f)
{
	static unsigned int frames;

	if (!armed(v, &q->rx) || !row()->plan || plans == PLANS ||
	    frames++ % PLAN_GAP)
		return;
	if (row()->plan(plan, f, lying.number)) {
		plans++;
		lie_tell();
	} else {
		/* The next one may do. */
		frames--;
	}
}

void lie_buffer(struct vif *v, struct vif_queue *q, uint32_t ref)
{
	if (!lie_is("N16") || !armed(v, &q->rx) || lying.told)
		return;
	vif_keep(v, ref);
	lie_tell();
}

void lie_ctrl(struct vif *v, struct xen_netif_ctrl_response *rsp)
{
	if (!lie_is("N26") || !armed(v, &v->ctrl) || lying.told)
		return;
	lie_tell();
	switch (lying.number) {
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
	if (!lie_is("E02"))
		return;
	notify_often(v, lying.number);
	lie_tell();
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

bool lie_leaving(void *arg)
{
	struct vif *v = arg;

	if (v->queues && lie_is("R18") && v->queue[0].tx.answered >= lying.honest) {
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
	return lie_is("R20") || lie_is("N15") || lie_is("N16");
}

bool lie_mutes(struct vif *v, const struct net_ring *r)
{
	if (!lie_is("E04") || !armed(v, r))
		return false;
	lie_tell();
	return true;
}
