/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes wrong on purpose: one lie a run, told after some honest requests.
 * vbd.c and ring.c ask here at the few places where something may go wrong, and
 * know nothing else about it.
 */
#ifndef BACKEND_LIES_H
#define BACKEND_LIES_H

#include "lying.h"
#include "vbd.h"

/* NAME or NAME:NUMBER. @honest: requests answered before it is told. */
void lie_choose(const char *arg, unsigned long honest);
void lie_list(void);

/* For struct be_ops. */
int lie_sleep(void *arg);
bool lie_leaving(void *arg);
bool lie_keeps(void);

/* Once a round of the loop. */
void lie_tick(struct vbd *v);

/* Requests are to be taken off the ring at all. */
bool lie_takes(struct vbd *v);

/* Requests of this queue are pending. Return: true if they were dealt with. */
bool lie_answer(struct vbd *v, struct vbd_queue *q);

/* A request was carried out: its status or its pages may be lied about. */
void lie_served(struct vbd *v, struct vbd_request *r);

/* The frontend's keys were read, Connected is not written yet. */
void lie_connecting(struct vbd *v);

/* A notification is due, and is to be kept back. */
bool lie_mutes(const struct vbd *v);

#endif /* BACKEND_LIES_H */
