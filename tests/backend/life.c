// SPDX-License-Identifier: GPL-2.0
/*
 * States of the frontend and signals: what a device does about them.
 *
 * Life: be_life_begin() and be_create() before, be_live() to the end.
 * Locks: none, one thread; signals are taken in the loop alone.
 * Trust: a frontend may say any state at any time; only the steps of the handshake
 * are followed.
 */
#define _GNU_SOURCE
#include <poll.h>

#include "life.h"

/* So long may a frontend take to notice that its backend starts anew. */
#define NOTICE	3.0

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

void be_life_begin(struct be_life *l)
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
	sigprocmask(SIG_BLOCK, &block, &l->open);
}

/*
 * A frontend that asks by Connected may mean the connection that was: it must have said
 * something else before it is believed.
 */
void be_start_anew(struct be_life *l)
{
	l->ops->disconnect(l->arg);
	be_set_state(l->dev, BE_CLOSED);
	if (l->ops->asks == BE_CONNECTED)
		be_wait(l->dev, ~(1U << BE_CONNECTED), NOTICE);
	be_set_state(l->dev, BE_INITWAIT);
}

/* Return: false when the frontend is gone. */
static bool follow(struct be_life *l)
{
	enum be_state before = l->dev->front_state;
	enum be_state state;

	if (!be_store_drain(l->dev))
		return true;
	state = be_look(l->dev);
	if (state != before)
		be_say("frontend %d", state);
	if (state >= BE_CLOSING && l->ops->leaving(l->arg))
		return true;
	if (state == l->ops->asks && l->dev->state == BE_INITWAIT)
		l->ops->connect(l->arg);
	switch (state) {
	case BE_GONE:
		return false;
	case BE_INITIALISING:
		if (l->dev->state == BE_CLOSED)
			be_set_state(l->dev, BE_INITWAIT);
		break;
	case BE_CLOSING:
		if (l->dev->state == BE_CONNECTED)
			be_set_state(l->dev, BE_CLOSING);
		break;
	case BE_CLOSED:
		/* One that was closed before is asked to connect. */
		if (state != before && l->dev->state != BE_CLOSED) {
			l->ops->disconnect(l->arg);
			be_set_state(l->dev, BE_CLOSED);
		}
		break;
	default:
		break;
	}
	return true;
}

static void wait_for_something(struct be_life *l)
{
	struct pollfd p[3] = {
		{ .fd = be_store_fd(l->dev), .events = POLLIN },
		{ .fd = xenevtchn_fd(l->dev->evtchn), .events = POLLIN },
		{ .fd = l->ops->fd ? l->ops->fd(l->arg) : -1, .events = POLLIN },
	};
	int ms = l->ops->sleep(l->arg);
	struct timespec t = { .tv_sec = ms / 1000,
			      .tv_nsec = ms % 1000 * 1000000L };

	if (ppoll(p, 3, ms < 0 ? NULL : &t, &l->open) > 0 && p[1].revents)
		while (be_event(l->dev) >= 0)
			;
}

static bool still_open(const struct be_device *dev)
{
	/* A frontend that has read nothing has nothing to close. */
	return dev->front_state > BE_INITIALISING && dev->front_state != BE_CLOSED;
}

static int close_politely(struct be_life *l)
{
	struct be_device *dev = l->dev;
	double end = be_now() + l->patience;
	int status;

	be_write(dev, "online", "0");
	if (dev->state == BE_INITWAIT || dev->state == BE_CONNECTED ||
	    dev->front_state == BE_CONNECTED)
		be_set_state(dev, BE_CLOSING);
	while (still_open(dev) && be_now() < end) {
		be_wait(dev, 1U << BE_CLOSED, 0.05);
		l->ops->serve(l->arg);
	}
	status = still_open(dev) ? 3 : 0;
	l->ops->leaving(l->arg);
	l->ops->disconnect(l->arg);
	be_set_state(dev, BE_CLOSED);
	return status;
}

static int serve(struct be_life *l)
{
	while (follow(l)) {
		l->ops->serve(l->arg);
		wait_for_something(l);
		if (take_signal(SIGTERM) || take_signal(SIGINT))
			return close_politely(l);
		if (take_signal(SIGHUP)) {
			be_remove(l->dev);
			break;
		}
		if (take_signal(SIGUSR1)) {
			l->ops->honest();
			l->ops->let_go(l->arg);
			be_start_anew(l);
		}
		if (take_signal(SIGUSR2))
			l->ops->let_go(l->arg);
	}
	l->ops->leaving(l->arg);
	return 0;
}

int be_live(struct be_life *l)
{
	int status = serve(l);

	be_remove(l->dev);
	if (!l->ops->keeps())
		return status;
	be_say("keeping pages");
	while (!take_signal(SIGUSR2) && !take_signal(SIGTERM))
		ppoll(NULL, 0, NULL, &l->open);
	l->ops->honest();
	l->ops->let_go(l->arg);
	return status;
}
