// SPDX-License-Identifier: GPL-2.0
// pure:
/*
 * include/xenpv/ring.h against a backend that writes what it likes into the shared
 * page, at every point between our own steps.
 *
 * The input is a script: the start index and the slot size, then one step after
 * the other. A model of private indices runs beside the ring; the backend is not
 * able to move them.
 */
#include "fuzz.h"

#include <errno.h>
#include <xenpv/ring.h>

#define PAGE 4096u

static const u32 sizes[] = { 8, 12, 16, 24, 64, 112, 4032 };

struct world {
	struct xpv_ring ring;
	struct xpv_sring *shared;
	u32 slots, size;
	u32 pvt, seen, cons;	/* the model */
	int waiting;		/* what unconsumed() said last, less what was taken */
};

static void check(const struct world *w)
{
	must(w->ring.shared == w->shared);
	must(w->ring.slots == w->slots && w->ring.slot_size == w->size);
	must(w->ring.req_prod_pvt == w->pvt);
	must(w->ring.req_prod_seen == w->seen);
	must(w->ring.rsp_cons == w->cons);
	must(w->pvt - w->cons <= w->slots);
	must(xpv_ring_free(&w->ring) == w->slots - (w->pvt - w->cons));
}

static void produce(struct world *w, u8 fill)
{
	u8 *request;

	if (!xpv_ring_free(&w->ring))
		return;
	request = malloc(w->size);
	memset(request, fill, w->size);
	must(xpv_ring_put(&w->ring, request, w->size) == w->pvt);
	must(!memcmp(w->shared->slot + (size_t)(w->pvt % w->slots) * w->size, request,
		     w->size));
	free(request);
	w->pvt++;
}

static void push(struct world *w)
{
	u32 news = w->pvt - w->seen;
	/* Wished for the request with this index, counted behind it. */
	u32 wish = w->shared->req_event;
	bool notify = xpv_ring_push(&w->ring);

	must(notify == (news && w->pvt - wish < news));
	must(!news || w->shared->req_prod == w->pvt);
	w->seen = w->pvt;
}

static void judge(struct world *w, int n)
{
	u32 claim = w->shared->rsp_prod - w->cons;

	must(n == -EPROTO || (n >= 0 && n <= w->slots));
	must((n >= 0) == (claim <= w->seen - w->cons));
	must(n < 0 || n == claim);
	w->waiting = n < 0 ? 0 : n;
}

static void consume(struct world *w)
{
	u8 *want, *got;

	if (!w->waiting)
		return;
	want = malloc(w->size);
	got = malloc(w->size);
	memcpy(want, w->shared->slot + (size_t)(w->cons % w->slots) * w->size, w->size);
	must(xpv_ring_get(&w->ring, got, w->size) == w->cons);
	must(!memcmp(want, got, w->size));
	free(want);
	free(got);
	w->cons++;
	w->waiting--;
}

/* The backend: an index of its choice, near the truth or far, or any byte. */
static void lie(struct world *w, struct fuzz_input *in)
{
	u32 *word = (u32 *)w->shared + fuzz_u8(in) % 4;
	u8 how = fuzz_u8(in);

	if (how < 64)
		*word = w->cons + how;
	else if (how < 128)
		*word = w->seen + how - 96;
	else if (how < 160)
		*word = fuzz_u32(in);
	else
		((u8 *)w->shared)[fuzz_u16(in) % PAGE] = fuzz_u8(in);
}

static void step(struct world *w, struct fuzz_input *in)
{
	u8 op = fuzz_u8(in);
	u32 after;

	switch (op % 8) {
	case 0:
		produce(w, op);
		break;
	case 1:
		while (xpv_ring_free(&w->ring) && op-- > 0x40)
			produce(w, op);
		break;
	case 2:
		push(w);
		break;
	case 3:
		judge(w, xpv_ring_unconsumed(&w->ring));
		break;
	case 4:
		consume(w);
		break;
	case 5:
		after = fuzz_u8(in) + 1;
		judge(w, xpv_ring_rearm(&w->ring, after));
		must(w->shared->rsp_event == w->cons + after);
		break;
	default:
		lie(w, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct world w = { .size = sizes[fuzz_u8(&in) % ARRAY_SIZE(sizes)] };
	u8 *page = aligned_alloc(PAGE, PAGE);

	xpv_ring_init(&w.ring, page, PAGE, w.size);
	w.shared = (void *)page;
	w.slots = w.ring.slots;
	must(w.slots && !(w.slots & (w.slots - 1)));
	must(sizeof(*w.shared) + w.slots * w.size <= PAGE);
	must(sizeof(*w.shared) + 2 * w.slots * w.size > PAGE);
	must(w.shared->req_event == 1 && w.shared->rsp_event == 1);
	/* As if it had been used for long. */
	w.pvt = w.seen = w.cons = fuzz_u32(&in);
	w.ring.req_prod_pvt = w.ring.req_prod_seen = w.ring.rsp_cons = w.pvt;
	w.shared->req_prod = w.shared->rsp_prod = w.pvt;
	while (in.left) {
		step(&w, &in);
		check(&w);
	}
	free(page);
	return 0;
}
