// SPDX-License-Identifier: GPL-2.0
/*
 * Which lie, when, and what comes after it; and what is a lie on a ring of any type.
 *
 * Life: chosen once; over with lie_end().
 * Locks: none, one thread.
 * Trust: this must not be trusted, either.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lying.h"

/* So long does a lie wait for as many requests as it needs. */
#define HOLD	0.3

struct lying lying;

uint32_t random32(void)
{
	static uint32_t seed = 0x2545f491;

	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

/* ---- which --------------------------------------------------------------------- */

static const struct lie *row(const void *rows, unsigned int i, size_t size)
{
	return (const struct lie *)((const char *)rows + i * size);
}

void lying_list(const void *rows, unsigned int n, size_t size)
{
	const struct lie *lie;
	unsigned int i;

	for (i = 0; i < n; i++) {
		lie = row(rows, i, size);
		printf("%s\t%s (%lld)\n", lie->name, lie->what, (long long)lie->number);
	}
}

void lying_choose(const void *rows, unsigned int n, size_t size, const char *arg,
		  unsigned long honest)
{
	size_t len = strcspn(arg, ":");
	const struct lie *lie;
	unsigned int i;

	for (i = 0; i < n; i++) {
		lie = row(rows, i, size);
		if (strlen(lie->name) == len && !strncmp(lie->name, arg, len))
			lying.lie = lie;
	}
	if (!lying.lie)
		die("there is no lie %s", arg);
	lying.number = arg[len] ? strtoull(arg + len + 1, NULL, 0) : lying.lie->number;
	lying.honest = honest;
}

void lie_end(void)
{
	lying.lie = NULL;
	lying.storm_end = 0;
}

bool lie_is(const char *name)
{
	return lying.lie && !strcmp(lying.lie->name, name);
}

/* ---- when ---------------------------------------------------------------------- */

void lie_tell(void)
{
	if (!lying.told)
		be_say("told %s", lying.lie->name);
	lying.told = true;
}

enum lie_turn lie_turn(unsigned int pending, double *held)
{
	if (lying.told && lying.lie->after == HONEST)
		return TURN_ANSWER;
	if (lying.told && lying.lie->after == SILENT)
		return TURN_WAIT;
	if (pending < lying.lie->needs) {
		if (!*held)
			*held = be_now();
		if (be_now() - *held < HOLD)
			return TURN_WAIT;
		*held = 0;
		return TURN_ANSWER;
	}
	*held = 0;
	return TURN_TELL;
}

/*
 * What is carried out after the frontend has broken the device goes to references that
 * may be another device's by then: this domain may use those, too. So nothing is taken
 * once a lie was told that ends a device; after one that may, the frontend is looked at
 * first.
 */
bool lie_all_is_said(struct be_device *dev)
{
	enum be_state before = dev->front_state;
	static bool looked, left;

	if (!lying.lie || !lying.told || lying.lie->after == GOES_ON ||
	    dev->state != BE_CONNECTED)
		return false;
	if (lying.lie->after == SILENT)
		return true;
	if (!looked) {
		sleep(1);
		left = be_look(dev) >= BE_CLOSING;
		looked = true;
		/* For those who follow its states. */
		dev->front_state = before;
	}
	return left;
}

bool lie_ignores_leaving(const struct be_device *dev)
{
	return lying.lie && lying.told && lying.lie->after != GOES_ON &&
	       dev->state == BE_CONNECTED;
}

/* ---- time ---------------------------------------------------------------------- */

int lying_sleep(bool connected, bool held)
{
	if (lying.storm_end)
		return 0;
	if (held)
		return 50;
	/* A frontend that reads a wrong req_event says nothing. */
	return connected && (lie_is("R13") || lie_is("R14")) ? 50 : -1;
}

void lie_storm_begin(void)
{
	lying.storm_end = be_now() + lying.number / 1e3;
}

bool lie_storms(void)
{
	return be_now() < lying.storm_end;
}

void lie_storm_over(void)
{
	lying.storm_end = 0;
	be_say("storm over");
}

/* ---- indices ------------------------------------------------------------------- */

void lie_rsp_prod(struct be_device *dev, int port, volatile struct be_sring *ring,
		  uint32_t value)
{
	__sync_synchronize();
	ring->rsp_prod = value;
	__sync_synchronize();
	be_notify(dev, port);
}

void lie_scribble(volatile struct be_sring *ring, uint32_t req_cons)
{
	uint32_t garbage = req_cons + 0x40000000;
	uint32_t prod = __sync_lock_test_and_set(&ring->req_prod, garbage);

	ring->req_event = random32();
	usleep(100);
	/* Requests published meanwhile must not be lost, or this were another lie. */
	__sync_bool_compare_and_swap(&ring->req_prod, garbage, prod);
}
