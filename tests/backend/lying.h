/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all lies have in common: one a run, chosen by name, told after some honest
 * answers. Some are told once, and then either there is silence (a frontend must have
 * broken the device because of the lie, not because of what came later) or honesty is
 * back; others go on. What is told is up to a type of device: lies.c, net_lies.c.
 */
#ifndef BACKEND_LYING_H
#define BACKEND_LYING_H

#include "device.h"

enum lie_after {
	SILENT,		/* told once, then no more answers */
	HONEST,		/* told once, then honest */
	GOES_ON,	/* told again and again */
};

/**
 * struct lie - how the row of a table begins
 * @name: as in the catalogue
 * @number: parameter unless one is given
 * @needs: requests that must be without an answer
 * @after: what comes then
 * @what: for the list
 */
struct lie {
	const char *name;
	uint64_t number;
	unsigned int needs;
	enum lie_after after;
	const char *what;
};

/**
 * struct lying - the lie of this run
 * @lie: its row; NULL: honest
 * @number: its parameter
 * @honest: answers before it
 * @told: it was
 * @storm_end: when a storm that it has begun is over; 0: there is none
 */
struct lying {
	const struct lie *lie;
	uint64_t number;
	unsigned long honest;
	bool told;
	double storm_end;
};

extern struct lying lying;

/* What becomes of requests that wait for their answer. */
enum lie_turn {
	TURN_ANSWER,	/* they are answered honestly */
	TURN_WAIT,	/* nothing now */
	TURN_TELL,	/* they are what the lie is about */
};

/* A table of @n rows of @size bytes, each of which begins with a struct lie. */
void lying_list(const void *rows, unsigned int n, size_t size);

/* NAME or NAME:NUMBER. */
void lying_choose(const void *rows, unsigned int n, size_t size, const char *arg,
		  unsigned long honest);

/* From now on be honest. */
void lie_end(void);

/* Is it this one? */
bool lie_is(const char *name);

/* It is told now: say so, once. */
void lie_tell(void);

/*
 * The lie is armed and so many requests wait for their answer. @held: since when more
 * of them are waited for, to be 0 at first.
 */
enum lie_turn lie_turn(unsigned int pending, double *held);

/* Nothing is to be taken from the frontend any more. */
bool lie_all_is_said(struct be_device *dev);

/* The frontend leaves because of what it was told: that is to be ignored. */
bool lie_ignores_leaving(const struct be_device *dev);

/*
 * Milliseconds that the loop may sleep, -1: until something happens. @connected: there
 * are rings; @held: more requests are waited for.
 */
int lying_sleep(bool connected, bool held);

/* A storm of so many milliseconds, as long as lie_storms(). */
void lie_storm_begin(void);
bool lie_storms(void);
void lie_storm_over(void);

/* This producer index, and an event for it. */
void lie_rsp_prod(struct be_device *dev, int port, volatile struct be_sring *ring,
		  uint32_t value);

/* The frontend's own indices, wrong for a moment. @req_cons: requests taken. */
void lie_scribble(volatile struct be_sring *ring, uint32_t req_cons);

uint32_t random32(void);

#endif /* BACKEND_LYING_H */
