// SPDX-License-Identifier: GPL-2.0
/*
 * vbd-backend: a disk for one guest, from a program. See README.md.
 *
 * Life: nodes are created, the frontend connects, requests are served, until a signal
 * (life.h).
 * Locks: none, one thread.
 * Trust: see ring.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lies.h"

static const struct vbd_abi abis[] = {
	{ "x86_64-abi", 112, 8, 28 },
	{ "x86_32-abi", 108, 4, 24 },
};

/* ---- connecting --------------------------------------------------------------- */

static bool map_queue(struct vbd *v, struct vbd_queue *q, const char *prefix)
{
	unsigned long n = 1, order, ref, port;
	uint32_t refs[BE_RING_PAGES];
	char name[64];
	unsigned int i;

	if (be_read_number(&v->dev, "ring-page-order", &order) && order < 7)
		n = 1UL << order;
	else if (!be_read_number(&v->dev, "num-ring-pages", &n))
		n = 1;
	if (!n || n > BE_RING_PAGES)
		return false;
	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%sring-ref%u", prefix, i);
		if (n == 1 && !be_read_number(&v->dev, name, &ref))
			snprintf(name, sizeof(name), "%sring-ref", prefix);
		if (!be_read_number(&v->dev, name, &ref))
			return false;
		refs[i] = ref;
	}
	snprintf(name, sizeof(name), "%sevent-channel", prefix);
	if (!be_read_number(&v->dev, name, &port) ||
	    !be_map(&v->dev, &q->ring, refs, n, false))
		return false;
	q->shared = q->ring.pages;
	q->port = be_bind(&v->dev, port);
	return q->port >= 0;
}

static void reset_queue(struct vbd *v, struct vbd_queue *q)
{
	q->slots = be_ring_slots(q->ring.n, v->abi->slot);
	q->req_cons = 0;
	q->rsp_prod = 0;
	q->rsp_seen = 0;
	q->head = NULL;
	q->tail = &q->head;
	q->pending = 0;
	q->answered = 0;
	q->held = 0;
}

static void read_abi(struct vbd *v)
{
	char *protocol = be_read(&v->dev, "protocol");

	v->abi = &abis[0];
	if (protocol && !strcmp(protocol, abis[1].name))
		v->abi = &abis[1];
	free(protocol);
}

/* A frontend may say that it can before it knows whether we do. */
static bool offers_persistent(const struct vbd *v)
{
	const struct be_key *key;
	unsigned int i;

	for (i = 0; i < v->dev.keys; i++) {
		key = &v->dev.key[i];
		if (!key->front && !strcmp(key->name, "feature-persistent"))
			return key->len == 1 && *key->value == '1';
	}
	return false;
}

static void connect_vbd(void *arg)
{
	struct vbd *v = arg;
	char prefix[32] = "";
	unsigned long n, persistent;
	bool several;

	read_abi(v);
	several = be_read_number(&v->dev, "multi-queue-num-queues", &n);
	if (!several)
		n = 1;
	if (!n || n > VBD_QUEUES_MAX)
		die("frontend asks for %lu queues", n);
	v->persistent = offers_persistent(v) &&
			be_read_number(&v->dev, "feature-persistent",
				       &persistent) && persistent;
	while (v->queues < n) {
		if (several)
			snprintf(prefix, sizeof(prefix), "queue-%u/", v->queues);
		if (!map_queue(v, &v->queue[v->queues], prefix))
			die("keys of queue %u cannot be used", v->queues);
		reset_queue(v, &v->queue[v->queues++]);
	}
	lie_connecting(v);
	be_connected(&v->dev);
	be_say("connected queues=%u ring-pages=%u persistent=%d protocol=%s",
	       v->queues, v->queue[0].ring.n, v->persistent, v->abi->name);
}

static void disconnect_vbd(void *arg)
{
	struct vbd *v = arg;
	struct vbd_queue *q;

	while (v->queues) {
		q = &v->queue[--v->queues];
		ring_forget(q);
		be_unbind(&v->dev, q->port);
		if (!lie_keeps())
			be_unmap(&v->dev, &q->ring);
		q->shared = NULL;
	}
	if (!lie_keeps())
		disk_let_go(v);
}

/* Ask for another connection without closing this one: what no honest backend does. */
void vbd_start_anew(struct vbd *v)
{
	disconnect_vbd(v);
	be_set_state(&v->dev, BE_INITWAIT);
}

/* ---- the loop ------------------------------------------------------------------- */

static void serve_vbd(void *arg)
{
	struct vbd *v = arg;
	struct vbd_queue *q;
	bool more = true;
	unsigned int i;

	while (more && lie_takes(v)) {
		more = false;
		for (i = 0; i < v->queues; i++) {
			q = &v->queue[i];
			more |= ring_take(v, q);
			if (q->pending && !lie_answer(v, q))
				ring_answer_all(v, q);
		}
	}
	lie_tick(v);
}

static void let_go(void *arg)
{
	disk_let_go(arg);
}

static const struct be_ops vbd_ops = {
	.asks = BE_INITIALISED,
	.connect = connect_vbd,
	.disconnect = disconnect_vbd,
	.serve = serve_vbd,
	.sleep = lie_sleep,
	.leaving = lie_leaving,
	.honest = lie_end,
	.keeps = lie_keeps,
	.let_go = let_go,
};

/* ---- options ---------------------------------------------------------------------- */

static void default_keys(struct be_device *d, uint64_t bytes)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes / 512);
	be_key_set(d, "virtual-device", d->number, true, false);
	be_key_set(d, "device-type", "disk", true, false);
	be_key_set(d, "device-type", "disk", false, false);
	be_key_set(d, "mode", "w", false, false);
	be_key_set(d, "removable", "0", false, false);
	be_key_set(d, "feature-max-indirect-segments", "256", false, false);
	be_key_set(d, "sectors", strdup(text), false, true);
	be_key_set(d, "sector-size", "512", false, true);
	be_key_set(d, "physical-sector-size", "512", false, true);
	be_key_set(d, "info", "0", false, true);
	be_key_set(d, "feature-flush-cache", "1", false, true);
	be_key_set(d, "feature-barrier", "1", false, true);
}

static void usage(void)
{
	fputs("usage: vbd-backend [OPTION...] DOMID NUMBER\n"
	      "  -f FILE       contents (default: memory)\n"
	      "  -p            keep what is written to oneself\n"
	      "  -c SEED       a cache before FILE: without a flush a write may be lost in the end\n"
	      "  -x            with -c: a flush is acknowledged and not carried out\n"
	      "  -m MIB        size of memory (16)\n"
	      "  -k KEY[=VALUE|*BYTES]  a key of the backend; without a value: not there\n"
	      "  -K KEY[=VALUE|*BYTES]  the same of the frontend\n"
	      "  -d NAME       directory below backend/ (xpvtest)\n"
	      "  -l LIE[:NUMBER]  what to lie about; -l help lists them\n"
	      "  -n COUNT      requests answered before it (8)\n"
	      "  -w SECONDS    wait so long for the frontend to close (15)\n",
	      stderr);
	exit(2);
}

struct options {
	const char *file;
	const char *lie;
	const char *seed;
	unsigned long mib, honest;
	bool private;
};

/* Keys are set last: their defaults depend on the other options. */
static void parse_options(struct vbd *v, struct options *o, int argc, char **argv)
{
	static const char letters[] = "f:pc:xm:k:K:d:l:n:w:";
	int c;

	while ((c = getopt(argc, argv, letters)) != -1) {
		switch (c) {
		case 'f': o->file = optarg; break;
		case 'p': o->private = true; break;
		case 'c': o->private = true; o->seed = optarg; break;
		case 'x': v->deaf = true; break;
		case 'm': o->mib = strtoul(optarg, NULL, 0); break;
		case 'd': v->dev.dir = optarg; break;
		case 'l': o->lie = optarg; break;
		case 'n': o->honest = strtoul(optarg, NULL, 0); break;
		case 'w': v->life.patience = strtod(optarg, NULL); break;
		case 'k': case 'K': break;
		default: usage();
		}
	}
	if (o->lie && !strcmp(o->lie, "help")) {
		lie_list();
		exit(0);
	}
	if (argc - optind != 2 || !o->mib)
		usage();
	v->dev.domid = strtoul(argv[optind], NULL, 10);
	v->dev.number = argv[optind + 1];
	disk_open(v, o->file, o->mib, o->private);
	if (o->seed)
		disk_cache(v, o->file, strtoul(o->seed, NULL, 0));
	default_keys(&v->dev, v->bytes);
	optind = 1;
	while ((c = getopt(argc, argv, letters)) != -1)
		if (c == 'k' || c == 'K')
			be_key_option(&v->dev, optarg, c == 'K');
}

int main(int argc, char **argv)
{
	static struct vbd vbd = {
		.dev = { .type = "vbd", .dir = "xpvtest" },
		.life = { .ops = &vbd_ops, .arg = &vbd, .dev = &vbd.dev,
			  .patience = 15 },
	};
	struct options o = { .mib = 16, .honest = 8 };
	int status;

	parse_options(&vbd, &o, argc, argv);
	if (o.lie)
		lie_choose(o.lie, o.honest);
	be_life_begin(&vbd.life);
	be_open_xen(&vbd.dev);
	be_create(&vbd.dev);
	be_say("created %s", vbd.dev.back);
	status = be_live(&vbd.life);
	disk_power_off(&vbd);
	be_say("ended reads=%lu writes=%lu barriers=%lu flushes=%lu discards=%lu secure=%lu other=%lu failed=%lu",
	       vbd.ops[OP_READ], vbd.ops[OP_WRITE], vbd.ops[OP_BARRIER],
	       vbd.ops[OP_FLUSH], vbd.ops[OP_DISCARD], vbd.secure, vbd.ops[6], vbd.ops[7]);
	return status;
}
