// SPDX-License-Identifier: GPL-2.0
/*
 * vbd-backend: a disk for one guest, from a program. See README.md.
 *
 * Life: nodes are created, the frontend connects, requests are served, until a
 * signal:
 *	TERM, INT	close politely, remove the nodes, end; status 3 if the frontend
 *			has not closed in time
 *	HUP		remove the nodes and end, as a host does by force
 *	USR1		be honest from now on, and start anew with the same nodes
 *	USR2		let go of pages that a lie keeps mapped
 * Locks: none, one thread; signals are taken in the loop alone.
 * Trust: see ring.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lies.h"

static const struct vbd_abi abis[] = {
	{ "x86_64-abi", 112, 8, 28 },
	{ "x86_32-abi", 108, 4, 24 },
};

static volatile sig_atomic_t signalled[NSIG];

static void on_signal(int number)
{
	signalled[number] = 1;
}

static bool take_signal(int number)
{
	bool was = signalled[number];

	signalled[number] = 0;
	return was;
}

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
	uint32_t n = (q->ring.n * BE_PAGE - sizeof(*q->shared)) / v->abi->slot;

	while (n & (n - 1))
		n &= n - 1;
	q->slots = n;
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

static void vbd_connect(struct vbd *v)
{
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

void vbd_disconnect(struct vbd *v)
{
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

/* Forget the connection and ask for another one. */
void vbd_start_anew(struct vbd *v)
{
	vbd_disconnect(v);
	v->again = true;
	be_set_state(&v->dev, BE_INITWAIT);
}

/* The frontend's state may have changed. Return: false when it is gone. */
static bool follow(struct vbd *v)
{
	enum be_state before = v->dev.front_state;
	enum be_state state;

	if (!be_store_drain(&v->dev))
		return true;
	state = be_look(&v->dev);
	if (state != before)
		be_say("frontend %d", state);
	if (state >= BE_CLOSING && lie_leaving(v))
		return true;
	switch (state) {
	case BE_GONE:
		return false;
	case BE_INITIALISING:
		if (v->dev.state == BE_CLOSED)
			be_set_state(&v->dev, BE_INITWAIT);
		break;
	case BE_INITIALISED:
	case BE_CONNECTED:
		if (v->dev.state == BE_INITWAIT &&
		    (state == BE_INITIALISED || !v->again))
			vbd_connect(v);
		break;
	case BE_CLOSING:
		if (v->dev.state == BE_CONNECTED)
			be_set_state(&v->dev, BE_CLOSING);
		break;
	case BE_CLOSED:
		/* One that was closed before is asked to connect. */
		if (state != before && v->dev.state != BE_CLOSED) {
			vbd_disconnect(v);
			be_set_state(&v->dev, BE_CLOSED);
		}
		break;
	default:
		break;
	}
	return true;
}

/* ---- the loop ------------------------------------------------------------------- */

static void serve(struct vbd *v)
{
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

static void wait_for_something(struct vbd *v, const sigset_t *mask)
{
	struct pollfd p[2] = {
		{ .fd = be_store_fd(&v->dev), .events = POLLIN },
		{ .fd = xenevtchn_fd(v->dev.evtchn), .events = POLLIN },
	};
	int ms = lie_sleep(v);
	struct timespec t = { .tv_sec = ms / 1000,
			      .tv_nsec = ms % 1000 * 1000000L };

	if (ppoll(p, 2, ms < 0 ? NULL : &t, mask) > 0 && p[1].revents)
		while (be_event(&v->dev) >= 0)
			;
}

/* Return: exit status. */
static int close_politely(struct vbd *v, double seconds)
{
	double end = be_now() + seconds;
	int status = 0;

	be_write(&v->dev, "online", "0");
	if (v->dev.state == BE_INITWAIT || v->dev.state == BE_CONNECTED ||
	    v->dev.front_state == BE_CONNECTED)
		be_set_state(&v->dev, BE_CLOSING);
	/* A frontend that has read nothing has nothing to close. */
	while (v->dev.front_state > BE_INITIALISING &&
	       v->dev.front_state != BE_CLOSED && be_now() < end) {
		be_wait(&v->dev, 1U << BE_CLOSED, 0.05);
		serve(v);
	}
	if (v->dev.front_state > BE_INITIALISING &&
	    v->dev.front_state != BE_CLOSED)
		status = 3;
	lie_leaving(v);
	vbd_disconnect(v);
	be_set_state(&v->dev, BE_CLOSED);
	return status;
}

static void start_anew_honestly(struct vbd *v)
{
	lie_end();
	disk_let_go(v);
	vbd_disconnect(v);
	be_set_state(&v->dev, BE_CLOSED);
	vbd_start_anew(v);
}

/* Return: exit status. */
static int run(struct vbd *v, double patience, const sigset_t *mask)
{
	while (follow(v)) {
		serve(v);
		wait_for_something(v, mask);
		if (take_signal(SIGTERM) || take_signal(SIGINT))
			return close_politely(v, patience);
		if (take_signal(SIGHUP)) {
			be_remove(&v->dev);
			lie_leaving(v);
			return 0;
		}
		if (take_signal(SIGUSR1))
			start_anew_honestly(v);
		if (take_signal(SIGUSR2))
			disk_let_go(v);
	}
	lie_leaving(v);
	return 0;
}

/* What a lie keeps mapped stays so until it is asked for. */
static void wait_to_let_go(struct vbd *v, const sigset_t *mask)
{
	if (!lie_keeps())
		return;
	be_say("keeping pages");
	while (!take_signal(SIGUSR2) && !take_signal(SIGTERM))
		ppoll(NULL, 0, NULL, mask);
	lie_end();
	(void)v;
}

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
	unsigned long mib, honest;
	double patience;
	bool private;
};

/* Keys are set last: their defaults depend on the other options. */
static void parse_options(struct vbd *v, struct options *o, int argc, char **argv)
{
	static const char letters[] = "f:pm:k:K:d:l:n:w:";
	int c;

	while ((c = getopt(argc, argv, letters)) != -1) {
		switch (c) {
		case 'f': o->file = optarg; break;
		case 'p': o->private = true; break;
		case 'm': o->mib = strtoul(optarg, NULL, 0); break;
		case 'd': v->dev.dir = optarg; break;
		case 'l': o->lie = optarg; break;
		case 'n': o->honest = strtoul(optarg, NULL, 0); break;
		case 'w': o->patience = strtod(optarg, NULL); break;
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
	default_keys(&v->dev, v->bytes);
	optind = 1;
	while ((c = getopt(argc, argv, letters)) != -1)
		if (c == 'k' || c == 'K')
			be_key_option(&v->dev, optarg, c == 'K');
}

/* All signals are blocked but while the loop sleeps. */
static void prepare_signals(sigset_t *open)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block;
	unsigned int i;

	sigemptyset(&block);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaddset(&block, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &block, open);
}

int main(int argc, char **argv)
{
	static struct vbd vbd = { .dev.type = "vbd", .dev.dir = "xpvtest" };
	struct options o = { .mib = 16, .honest = 8, .patience = 15 };
	sigset_t mask;
	int status;

	parse_options(&vbd, &o, argc, argv);
	if (o.lie)
		lie_choose(o.lie, o.honest);
	prepare_signals(&mask);
	be_open_xen(&vbd.dev);
	be_create(&vbd.dev);
	be_say("created %s", vbd.dev.back);
	status = run(&vbd, o.patience, &mask);
	be_remove(&vbd.dev);
	wait_to_let_go(&vbd, &mask);
	be_say("ended reads=%lu writes=%lu barriers=%lu flushes=%lu discards=%lu secure=%lu other=%lu failed=%lu",
	       vbd.ops[OP_READ], vbd.ops[OP_WRITE], vbd.ops[OP_BARRIER],
	       vbd.ops[OP_FLUSH], vbd.ops[OP_DISCARD], vbd.secure, vbd.ops[6], vbd.ops[7]);
	return status;
}
