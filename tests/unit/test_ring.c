// SPDX-License-Identifier: GPL-2.0
// pure:
/*
 * include/xenpv/ring.h against two backends on the same raw memory.
 *
 * The honest one is made of the kernel's own back ring macros, so the two sides
 * agree on the wire and not merely with themselves. The lying one writes what it
 * likes where it likes. Every case runs at several start indices, among them
 * those where 32 bits wrap within the test.
 *
 * Rnn are the rows of the catalogue of hostile backends: what a ring can find
 * out by itself. Rows about ids and operations belong to its users.
 */
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>

#include <xen/interface/xen.h>
#include <xen/interface/io/ring.h>
#include <xen/interface/io/blkif.h>
#include <xen/interface/io/netif.h>
#include <xenpv/ring.h>

#define PAGE 4096u

/* A wire of our own for the traffic tests: 24 bytes, not a power of two. */
struct echo_request {
	u64 id;
	u64 words[2];
};

struct echo_response {
	u64 id;
	u64 sum;
};

DEFINE_RING_TYPES(echo, struct echo_request, struct echo_response);

struct fixture {
	struct xpv_ring front;
	struct echo_back_ring back;
	u8 *page;
};

static const u32 bases[] = {
	0, 1, 77, 0x7fffffe0, 0x7fffffff, 0x80000000, 0xffffff00, 0xffffffe0,
	0xffffffff,
};

/* An empty ring that has already been used @base times. */
static void ring_at(struct fixture *f, u32 base)
{
	struct echo_sring *sring = (void *)f->page;

	xpv_ring_init(&f->front, f->page, PAGE, sizeof(union echo_sring_entry));
	f->front.req_prod_pvt = base;
	f->front.req_prod_seen = base;
	f->front.rsp_cons = base;
	sring->req_prod = base;
	sring->rsp_prod = base;
	sring->req_event = base + 1;
	sring->rsp_event = base + 1;
	BACK_RING_ATTACH(&f->back, sring, base, PAGE);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->page = aligned_alloc(PAGE, PAGE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->page);
	free(f);
	return 0;
}

#define FOR_EACH_BASE(f, base) \
	for (size_t _i = 0; _i < ARRAY_SIZE(bases) && \
	     (base = bases[_i], ring_at(f, base), true); _i++)

static struct echo_request request(u64 id)
{
	return (struct echo_request){ id, { id * 3, ~id } };
}

static bool ask(struct fixture *f, u32 n)
{
	while (n--) {
		struct echo_request req = request(f->front.req_prod_pvt);

		xpv_ring_put(&f->front, &req, sizeof(req));
	}
	return xpv_ring_push(&f->front);
}

/* The honest backend answers up to @n requests; says whether it would notify. */
static bool answer(struct fixture *f, u32 n)
{
	struct echo_back_ring *back = &f->back;
	int notify;

	while (n-- && RING_HAS_UNCONSUMED_REQUESTS(back)) {
		struct echo_request req;
		struct echo_response rsp;

		RING_COPY_REQUEST(back, back->req_cons++, &req);
		rsp.id = req.id;
		rsp.sum = req.words[0] + req.words[1];
		*RING_GET_RESPONSE(back, back->rsp_prod_pvt) = rsp;
		back->rsp_prod_pvt++;
	}
	RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(back, notify);
	return notify;
}

static void take(struct fixture *f, u32 n)
{
	while (n--) {
		struct echo_response rsp;
		u32 index = xpv_ring_get(&f->front, &rsp, sizeof(rsp));
		u64 id = index;

		assert_int_equal(rsp.id, id);
		assert_int_equal(rsp.sum, id * 3 + ~id);
	}
}

/* --- layout ---------------------------------------------------------------- */

static void test_layout_is_the_kernels(void **state)
{
	assert_int_equal(offsetof(struct xpv_sring, req_prod),
			 offsetof(struct echo_sring, req_prod));
	assert_int_equal(offsetof(struct xpv_sring, req_event),
			 offsetof(struct echo_sring, req_event));
	assert_int_equal(offsetof(struct xpv_sring, rsp_prod),
			 offsetof(struct echo_sring, rsp_prod));
	assert_int_equal(offsetof(struct xpv_sring, rsp_event),
			 offsetof(struct echo_sring, rsp_event));
	assert_int_equal(offsetof(struct xpv_sring, slot),
			 offsetof(struct echo_sring, ring));
}

static void test_slots_are_the_kernels(void **state)
{
	for (u32 bytes = PAGE; bytes <= 16 * PAGE; bytes *= 2) {
		assert_int_equal(xpv_ring_slots(bytes, sizeof(union blkif_sring_entry)),
				 __CONST_RING_SIZE(blkif, bytes));
		assert_int_equal(xpv_ring_slots(bytes, sizeof(union xen_netif_tx_sring_entry)),
				 __CONST_RING_SIZE(xen_netif_tx, bytes));
		assert_int_equal(xpv_ring_slots(bytes, sizeof(union xen_netif_rx_sring_entry)),
				 __CONST_RING_SIZE(xen_netif_rx, bytes));
	}
	assert_int_equal(xpv_ring_slots(PAGE, sizeof(union blkif_sring_entry)), 32);
	assert_int_equal(xpv_ring_slots(PAGE, sizeof(union xen_netif_tx_sring_entry)), 256);
}

static void test_last_slot_stays_inside(void **state)
{
	static const u32 sizes[] = { 8, 12, 24, 112 };
	struct xpv_ring ring;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u8 *page = malloc(PAGE), body[112] = { 0 };

		xpv_ring_init(&ring, page, PAGE, sizes[i]);
		/* One byte too far is the sanitizer's to find. */
		for (u32 n = 0; n < ring.slots; n++)
			xpv_ring_put(&ring, body, sizes[i]);
		assert_int_equal(xpv_ring_free(&ring), 0);
		free(page);
	}
}

static void test_init_forgets_old_content(void **state)
{
	struct fixture *f = *state;

	memset(f->page, 0xa5, PAGE);
	ring_at(f, 0);
	for (u32 i = sizeof(struct xpv_sring); i < PAGE; i++)
		assert_int_equal(f->page[i], 0);
	assert_int_equal(f->front.shared->req_event, 1);
	assert_int_equal(f->front.shared->rsp_event, 1);
	assert_int_equal(xpv_ring_unconsumed(&f->front), 0);
	assert_int_equal(xpv_ring_free(&f->front), f->front.slots);
}

/* --- an honest backend ----------------------------------------------------- */

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		for (u32 n = 0; n <= f->front.slots; n++) {
			ask(f, n);
			assert_int_equal(xpv_ring_free(&f->front), f->front.slots - n);
			assert_int_equal(xpv_ring_unconsumed(&f->front), 0);
			answer(f, n);
			assert_int_equal(xpv_ring_unconsumed(&f->front), n);
			take(f, n);
			assert_int_equal(xpv_ring_unconsumed(&f->front), 0);
			assert_int_equal(xpv_ring_free(&f->front), f->front.slots);
		}
	}
}

static void test_free_counts_unpublished_and_unanswered(void **state)
{
	struct fixture *f = *state;
	struct echo_request req = request(0);
	u32 base;

	FOR_EACH_BASE(f, base) {
		ask(f, 5);
		xpv_ring_put(&f->front, &req, sizeof(req));
		assert_int_equal(xpv_ring_free(&f->front), f->front.slots - 6);
		answer(f, 3);
		assert_int_equal(xpv_ring_free(&f->front), f->front.slots - 6);
		take(f, 2);
		assert_int_equal(xpv_ring_free(&f->front), f->front.slots - 4);
	}
}

static void test_nothing_new_is_not_published(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		assert_false(ask(f, 0));
		assert_true(ask(f, 1));
		assert_false(ask(f, 0));
		assert_int_equal(f->front.shared->req_prod, base + 1);
	}
}

/* The backend wants to hear of request number req_event - 1, and of it alone. */
static void test_notify_exactly_when_asked(void **state)
{
	struct fixture *f = *state;
	u32 base;

	for (u32 batch = 1; batch <= 5; batch++) {
		for (u32 wish = 0; wish <= 12; wish++) {
			FOR_EACH_BASE(f, base) {
				u32 before = 4;

				f->front.shared->req_event = base;
				ask(f, before);
				f->front.shared->req_event = base + wish;
				assert_int_equal(ask(f, batch),
						 wish > before && wish <= before + batch);
			}
		}
	}
}

static void test_busy_backend_needs_no_notify(void **state)
{
	struct fixture *f = *state;
	u32 base;
	int more;

	FOR_EACH_BASE(f, base) {
		assert_true(ask(f, 3));
		assert_false(ask(f, 1));
		answer(f, 4);
		RING_FINAL_CHECK_FOR_REQUESTS(&f->back, more);
		assert_false(more);
		assert_true(ask(f, 1));
	}
}

static void test_rearm_asks_for_the_right_response(void **state)
{
	struct fixture *f = *state;
	u32 base;

	for (u32 after = 1; after <= 8; after++) {
		FOR_EACH_BASE(f, base) {
			ask(f, 8);
			assert_int_equal(xpv_ring_rearm(&f->front, after), 0);
			for (u32 n = 1; n <= 8; n++)
				assert_int_equal(answer(f, 1), n == after);
			take(f, 8);
		}
	}
}

static void test_rearm_sees_what_came_before(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		ask(f, 4);
		answer(f, 1);
		take(f, 1);
		answer(f, 2);
		assert_int_equal(xpv_ring_rearm(&f->front, 1), 2);
		take(f, 2);
		assert_int_equal(xpv_ring_rearm(&f->front, 1), 0);
	}
}

/* --- a lying backend ------------------------------------------------------- */

/* Claims @claimed answers beyond what was taken, of @asked that are owed. */
static int claim(struct fixture *f, u32 base, u32 asked, u32 claimed)
{
	ring_at(f, base);
	ask(f, asked);
	f->front.shared->rsp_prod = f->front.rsp_cons + claimed;
	return xpv_ring_unconsumed(&f->front);
}

static void test_r01_more_than_the_ring(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		u32 slots = f->front.slots;

		assert_int_equal(claim(f, base, slots, slots), slots);
		assert_int_equal(claim(f, base, slots, slots + 1), -EPROTO);
		assert_int_equal(claim(f, base, 0, slots + 1), -EPROTO);
	}
}

static void test_r02_far_away(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		for (u32 asked = 0; asked <= f->front.slots; asked++) {
			assert_int_equal(claim(f, base, asked, 0x7fffffff), -EPROTO);
			assert_int_equal(claim(f, base, asked, 0x80000000), -EPROTO);
			assert_int_equal(claim(f, base, asked, 0xffffffff), -EPROTO);
		}
	}
}

static void test_r03_backwards(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		ask(f, 6);
		answer(f, 4);
		take(f, 4);
		for (u32 back = 1; back <= 8; back++) {
			f->front.shared->rsp_prod = f->front.rsp_cons - back;
			assert_int_equal(xpv_ring_unconsumed(&f->front), -EPROTO);
			assert_int_equal(xpv_ring_rearm(&f->front, 1), -EPROTO);
		}
	}
}

static void test_r04_answers_never_asked(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		for (u32 asked = 0; asked < f->front.slots; asked++) {
			assert_int_equal(claim(f, base, asked, asked), asked);
			assert_int_equal(claim(f, base, asked, asked + 1), -EPROTO);
		}
	}
}

static void test_r04_written_is_not_asked(void **state)
{
	struct fixture *f = *state;
	struct echo_request req = request(0);
	u32 base;

	FOR_EACH_BASE(f, base) {
		ask(f, 2);
		xpv_ring_put(&f->front, &req, sizeof(req));
		f->front.shared->rsp_prod = base + 3;
		assert_int_equal(xpv_ring_unconsumed(&f->front), -EPROTO);
		xpv_ring_push(&f->front);
		assert_int_equal(xpv_ring_unconsumed(&f->front), 3);
	}
}

/* Any index at all: never more than what is owed, never a negative count. */
static void test_r02_r04_any_index(void **state)
{
	struct fixture *f = *state;
	u32 seed = 20240229, base;

	FOR_EACH_BASE(f, base) {
		for (u32 i = 0; i < 20000; i++) {
			u32 asked = unit_random(&seed) % (f->front.slots + 1);
			u32 claimed = unit_random(&seed) >> (unit_random(&seed) % 32);
			int n = claim(f, base, asked, claimed);

			assert_int_equal(n, claimed <= asked ? (int)claimed : -EPROTO);
		}
	}
}

static void test_r11_the_copy_stays(void **state)
{
	struct fixture *f = *state;
	struct echo_response rsp;
	u32 base;

	FOR_EACH_BASE(f, base) {
		ask(f, 1);
		/* The index first, the body never: what is there is copied whole. */
		f->front.shared->rsp_prod = base + 1;
		assert_int_equal(xpv_ring_unconsumed(&f->front), 1);
		memset(f->front.shared->slot, 0x5a, PAGE - sizeof(struct xpv_sring));
		xpv_ring_get(&f->front, &rsp, sizeof(rsp));
		memset(f->front.shared->slot, 0xa5, PAGE - sizeof(struct xpv_sring));
		assert_int_equal(rsp.id, 0x5a5a5a5a5a5a5a5aull);
		assert_int_equal(rsp.sum, 0x5a5a5a5a5a5a5a5aull);
	}
}

static void test_r13_our_fields_overwritten(void **state)
{
	struct fixture *f = *state;
	u32 base;

	FOR_EACH_BASE(f, base) {
		ask(f, 3);
		f->front.shared->req_prod = base + 0x12345678;
		memset(f->front.shared->slot, 0xee, PAGE - sizeof(struct xpv_sring));
		assert_int_equal(xpv_ring_free(&f->front), f->front.slots - 3);
		assert_int_equal(xpv_ring_unconsumed(&f->front), 0);
		f->front.shared->rsp_prod = base + 4;
		assert_int_equal(xpv_ring_unconsumed(&f->front), -EPROTO);
		f->front.shared->rsp_prod = base;
		ask(f, 1);
		assert_int_equal(f->front.shared->req_prod, base + 4);
	}
}

static void test_r14_random_event_wishes(void **state)
{
	struct fixture *f = *state;
	u32 seed = 4711, base;

	FOR_EACH_BASE(f, base) {
		for (u32 i = 0; i < 2000; i++) {
			u32 n = unit_random(&seed) % f->front.slots;

			f->front.shared->req_event = unit_random(&seed);
			ask(f, n);
			f->front.shared->rsp_event = unit_random(&seed);
			answer(f, n);
			f->front.shared->req_event = unit_random(&seed);
			f->front.shared->rsp_event = unit_random(&seed);
			assert_int_equal(xpv_ring_unconsumed(&f->front), n);
			take(f, n);
			assert_int_equal(xpv_ring_rearm(&f->front, 1), 0);
			assert_int_equal(xpv_ring_free(&f->front), f->front.slots);
		}
	}
}

/* --- two threads, kicks that may not get lost ------------------------------ */

#define STRESS_REQUESTS 400000u

struct stress {
	struct fixture *f;
	sem_t to_back, to_front;
	u32 kicks_to_back, kicks_to_front;
};

static void *stress_backend(void *arg)
{
	struct stress *s = arg;
	struct fixture *f = s->f;
	u32 left = STRESS_REQUESTS;
	u32 before;
	int more;

	while (left) {
		before = f->back.req_cons;
		if (answer(f, 7)) {
			s->kicks_to_front++;
			sem_post(&s->to_front);
		}
		left -= f->back.req_cons - before;
		RING_FINAL_CHECK_FOR_REQUESTS(&f->back, more);
		if (left && !more)
			sem_wait(&s->to_back);
	}
	return NULL;
}

/* Up to five requests more. Return: how many. */
static u32 stress_ask(struct stress *s, u32 *unasked, u32 *owed)
{
	u32 batch = min(*unasked, min(xpv_ring_free(&s->f->front), 5u));

	if (ask(s->f, batch)) {
		s->kicks_to_back++;
		sem_post(&s->to_back);
	}
	*unasked -= batch;
	*owed += batch;
	return batch;
}

/* A wish for an event that is not granted leaves both sides asleep: the run
 * then ends with its time limit.
 */
static void stress_frontend(struct stress *s)
{
	struct fixture *f = s->f;
	u32 unasked = STRESS_REQUESTS, owed = 0;
	int n;

	while (unasked || owed) {
		stress_ask(s, &unasked, &owed);
		n = xpv_ring_unconsumed(&f->front);
		if (!n && (!unasked || !xpv_ring_free(&f->front))) {
			n = xpv_ring_rearm(&f->front, 1);
			if (!n)
				sem_wait(&s->to_front);
		}
		assert_true(n >= 0);
		take(f, n);
		owed -= n;
	}
}

/* An event is asked for, and put off while the backend answers. */
static void stress_deferring(struct stress *s)
{
	struct fixture *f = s->f;
	u32 unasked = STRESS_REQUESTS, owed = 0, batch;
	int n;

	while (unasked || owed) {
		n = xpv_ring_rearm(&f->front, 1);
		batch = stress_ask(s, &unasked, &owed);
		assert_int_equal(xpv_ring_due(&f->front), owed);
		if (!n) {
			if (batch)
				xpv_ring_defer(&f->front, owed);
			sem_wait(&s->to_front);
			n = xpv_ring_unconsumed(&f->front);
		}
		assert_true(n >= 0);
		take(f, n);
		owed -= n;
	}
}

static void stress(struct fixture *f, void (*frontend)(struct stress *))
{
	struct stress s = { .f = f };
	pthread_t backend;

	ring_at(s.f, 0u - STRESS_REQUESTS / 2);
	sem_init(&s.to_back, 0, 0);
	sem_init(&s.to_front, 0, 0);
	assert_int_equal(pthread_create(&backend, NULL, stress_backend, &s), 0);
	frontend(&s);
	pthread_join(backend, NULL);
	assert_int_equal(s.f->front.rsp_cons, STRESS_REQUESTS / 2);
	/* Both sides batch: far fewer kicks than requests, but some. */
	assert_in_range(s.kicks_to_back, 1, STRESS_REQUESTS / 2);
	assert_in_range(s.kicks_to_front, 1, STRESS_REQUESTS / 2);
}

static void test_stress_two_threads(void **state)
{
	stress(*state, stress_frontend);
}

static void test_stress_deferring(void **state)
{
	stress(*state, stress_deferring);
}

#define ring_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ring_test(test_layout_is_the_kernels),
		ring_test(test_slots_are_the_kernels),
		ring_test(test_last_slot_stays_inside),
		ring_test(test_init_forgets_old_content),
		ring_test(test_round_trip),
		ring_test(test_free_counts_unpublished_and_unanswered),
		ring_test(test_nothing_new_is_not_published),
		ring_test(test_notify_exactly_when_asked),
		ring_test(test_busy_backend_needs_no_notify),
		ring_test(test_rearm_asks_for_the_right_response),
		ring_test(test_rearm_sees_what_came_before),
		ring_test(test_r01_more_than_the_ring),
		ring_test(test_r02_far_away),
		ring_test(test_r03_backwards),
		ring_test(test_r04_answers_never_asked),
		ring_test(test_r04_written_is_not_asked),
		ring_test(test_r02_r04_any_index),
		ring_test(test_r11_the_copy_stays),
		ring_test(test_r13_our_fields_overwritten),
		ring_test(test_r14_random_event_wishes),
		ring_test(test_stress_two_threads),
		ring_test(test_stress_deferring),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
