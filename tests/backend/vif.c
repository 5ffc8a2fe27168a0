// SPDX-License-Identifier: GPL-2.0
/*
 * vif-backend: a network card for one guest, from a program. See README.md.
 *
 * Life: nodes are created, the frontend connects, packets go between its rings and a
 * tap device, until a signal (life.h).
 * Locks: none, one thread.
 * Trust: see net_tx.c and net_rx.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net_lies.h"

/* ---- connecting --------------------------------------------------------------- */

static bool read_key(struct vif *v, const char *dir, const char *name,
		     unsigned long *n)
{
	char key[64];

	snprintf(key, sizeof(key), "%s%s", dir, name);
	return be_read_number(&v->dev, key, n);
}

static bool reads_true(struct vif *v, const char *name)
{
	unsigned long n;

	return be_read_number(&v->dev, name, &n) && n;
}

static bool bind_ring(struct vif *v, struct net_ring *r, unsigned long port)
{
	r->port = be_bind(&v->dev, port);
	return r->port >= 0;
}

static bool map_queue(struct vif *v, struct vif_queue *q, const char *dir)
{
	unsigned long tx, rx, tx_port, rx_port;

	if (!read_key(v, dir, "tx-ring-ref", &tx) ||
	    !read_key(v, dir, "rx-ring-ref", &rx))
		return false;
	v->split = read_key(v, dir, "event-channel-tx", &tx_port) &&
		   read_key(v, dir, "event-channel-rx", &rx_port);
	if (!v->split && !read_key(v, dir, "event-channel", &tx_port))
		return false;
	if (!ring_map(v, &q->tx, tx, sizeof(struct netif_tx_request)) ||
	    !ring_map(v, &q->rx, rx, sizeof(struct netif_rx_request)) ||
	    !bind_ring(v, &q->tx, tx_port))
		return false;
	q->rx.port = q->tx.port;
	if (v->split && !bind_ring(v, &q->rx, rx_port))
		return false;
	q->head = NULL;
	q->tail = &q->head;
	q->pending = 0;
	q->held = 0;
	q->buffers = 0;
	return true;
}

static void map_ctrl(struct vif *v)
{
	unsigned long ref, port;

	if (!be_read_number(&v->dev, "ctrl-ring-ref", &ref) ||
	    !be_read_number(&v->dev, "event-channel-ctrl", &port))
		return;
	if (!ring_map(v, &v->ctrl, ref, sizeof(struct xen_netif_ctrl_request)) ||
	    !bind_ring(v, &v->ctrl, port))
		die("the control ring cannot be used");
}

static void connect_vif(void *arg)
{
	struct vif *v = arg;
	unsigned long n, headroom = 0;
	char dir[32] = "";

	if (!be_read_number(&v->dev, "multi-queue-num-queues", &n))
		n = 1;
	if (!n || n > VIF_QUEUES_MAX)
		die("frontend asks for %lu queues", n);
	while (v->queues < n) {
		if (n > 1)
			snprintf(dir, sizeof(dir), "queue-%u/", v->queues);
		if (!map_queue(v, &v->queue[v->queues], dir))
			die("keys of queue %u cannot be used", v->queues);
		v->queues++;
	}
	map_ctrl(v);
	be_read_number(&v->dev, "xdp-headroom", &headroom);
	v->headroom = headroom < BE_PAGE / 2 ? headroom : 0;
	tap_offer(v, !reads_true(v, "feature-no-csum-offload"),
		  reads_true(v, "feature-gso-tcpv4"),
		  reads_true(v, "feature-gso-tcpv6"));
	lie_connecting(v);
	be_connected(&v->dev);
	be_say("connected queues=%u split=%d ctrl=%d headroom=%u", v->queues,
	       v->split, !!v->ctrl.shared, v->headroom);
}

static void disconnect_vif(void *arg)
{
	struct vif *v = arg;
	struct vif_queue *q;
	bool keep = lie_is("R20");

	while (v->queues) {
		q = &v->queue[--v->queues];
		tx_forget(q);
		be_unbind(&v->dev, q->tx.port);
		if (q->rx.port != q->tx.port)
			be_unbind(&v->dev, q->rx.port);
		ring_unmap(v, &q->tx, keep);
		ring_unmap(v, &q->rx, keep);
	}
	if (v->ctrl.shared)
		be_unbind(&v->dev, v->ctrl.port);
	ring_unmap(v, &v->ctrl, keep);
	v->waiting = false;
}

/* ---- pages that a lie keeps ------------------------------------------------------ */

void vif_keep(struct vif *v, uint32_t ref)
{
	struct be_map *map = &v->kept[v->kept_n];

	/* What is granted to be read only cannot be mapped to be written. */
	if (v->kept_n < sizeof(v->kept) / sizeof(v->kept[0]) &&
	    (be_map(&v->dev, map, &ref, 1, false) ||
	     be_map(&v->dev, map, &ref, 1, true)))
		v->kept_n++;
}

static void let_go(void *arg)
{
	struct vif *v = arg;

	while (v->kept_n)
		be_unmap(&v->dev, &v->kept[--v->kept_n]);
}

/* ---- the loop ------------------------------------------------------------------- */

static void serve_vif(void *arg)
{
	struct vif *v = arg;
	unsigned int i, packets;
	bool more = true;

	while (more) {
		more = ctrl_serve(v);
		for (i = 0; i < v->queues; i++)
			more |= tx_serve(v, &v->queue[i]);
		for (packets = 0; packets < 64 && rx_serve(v); packets++)
			more = true;
	}
	lie_tick(v);
}

static int vif_fd(void *arg)
{
	struct vif *v = arg;

	return rx_wants(v) ? v->tap : -1;
}

static const struct be_ops vif_ops = {
	.asks = BE_CONNECTED,
	.connect = connect_vif,
	.disconnect = disconnect_vif,
	.serve = serve_vif,
	.fd = vif_fd,
	.sleep = lie_sleep,
	.leaving = lie_leaving,
	.honest = lie_end,
	.keeps = lie_keeps,
	.let_go = let_go,
};

/* ---- options ---------------------------------------------------------------------- */

static void default_keys(struct be_device *d)
{
	be_key_set(d, "handle", d->number, true, false);
	be_key_set(d, "handle", d->number, false, false);
	be_key_set(d, "mac", "00:16:3e:78:00:01", true, false);
	be_key_set(d, "feature-rx-copy", "1", false, false);
	be_key_set(d, "feature-sg", "1", false, false);
	be_key_set(d, "feature-gso-tcpv4", "1", false, false);
	be_key_set(d, "feature-gso-tcpv6", "1", false, false);
	be_key_set(d, "feature-ipv6-csum-offload", "1", false, false);
	be_key_set(d, "feature-split-event-channels", "1", false, false);
}

static void usage(void)
{
	fputs("usage: vif-backend [OPTION...] DOMID NUMBER\n"
	      "  -t NAME       tap device in dom0 (vifNUMBER)\n"
	      "  -k KEY[=VALUE|*BYTES]  a key of the backend; without a value: not there\n"
	      "  -K KEY[=VALUE|*BYTES]  the same of the frontend\n"
	      "  -d NAME       directory below backend/ (xpvtest)\n"
	      "  -l LIE[:NUMBER]  what to lie about; -l help lists them\n"
	      "  -r tx|rx|ctrl on which ring (depends on the lie)\n"
	      "  -n COUNT      slots of that ring answered before it (8)\n"
	      "  -w SECONDS    wait so long for the frontend to close (15)\n",
	      stderr);
	exit(2);
}

struct options {
	const char *tap;
	const char *lie;
	const char *ring;
	unsigned long honest;
};

/* Keys are set last: their defaults depend on the other options. */
static void parse_options(struct vif *v, struct options *o, int argc, char **argv)
{
	static const char letters[] = "t:k:K:d:l:r:n:w:";
	static char tap[16];
	int c;

	while ((c = getopt(argc, argv, letters)) != -1) {
		switch (c) {
		case 't': o->tap = optarg; break;
		case 'd': v->dev.dir = optarg; break;
		case 'l': o->lie = optarg; break;
		case 'r': o->ring = optarg; break;
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
	if (argc - optind != 2)
		usage();
	v->dev.domid = strtoul(argv[optind], NULL, 10);
	v->dev.number = argv[optind + 1];
	if (!o->tap) {
		snprintf(tap, sizeof(tap), "vif%s", v->dev.number);
		o->tap = tap;
	}
	default_keys(&v->dev);
	optind = 1;
	while ((c = getopt(argc, argv, letters)) != -1)
		if (c == 'k' || c == 'K')
			be_key_option(&v->dev, optarg, c == 'K');
}

int main(int argc, char **argv)
{
	static struct vif vif = {
		.dev = { .type = "vif", .dir = "xpvtest" },
		.life = { .ops = &vif_ops, .arg = &vif, .dev = &vif.dev,
			  .patience = 15 },
	};
	struct options o = { .honest = 8 };
	int status;

	parse_options(&vif, &o, argc, argv);
	if (o.lie)
		lie_choose(o.lie, o.ring, o.honest);
	be_life_begin(&vif.life);
	tap_open(&vif, o.tap);
	be_open_xen(&vif.dev);
	be_create(&vif.dev);
	be_say("created %s", vif.dev.back);
	status = be_live(&vif.life);
	be_say("ended from=%lu to=%lu", vif.packets[0], vif.packets[1]);
	return status;
}
