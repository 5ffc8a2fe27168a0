/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of one device, from its nodes to its end, by the frontend's states and by
 * signals; what is particular to a type is behind struct be_ops.
 *
 *	TERM, INT	close politely, remove the nodes, end; status 3 if the frontend
 *			has not closed in time
 *	HUP		remove the nodes and end, as a host does by force
 *	USR1		be honest from now on, and start anew with the same nodes
 *	USR2		let go of pages that a lie keeps mapped
 */
#ifndef BACKEND_LIFE_H
#define BACKEND_LIFE_H

#include <signal.h>

#include "device.h"

/**
 * struct be_ops - a type of device
 * @asks: the state in which its frontends ask to be connected
 * @connect: the frontend's keys are there
 * @disconnect: forget the connection, if there is one
 * @serve: do what there is to do, without waiting
 * @fd: one more descriptor to wait for; -1: none now; NULL: never one
 * @sleep: milliseconds that may be waited; -1: until something happens
 * @leaving: the frontend leaves, or is gone. Return: true if that is to be ignored
 * @honest: lies are over
 * @keeps: pages stay mapped to the end and longer
 * @let_go: unmap them
 */
struct be_ops {
	enum be_state asks;
	void (*connect)(void *arg);
	void (*disconnect)(void *arg);
	void (*serve)(void *arg);
	int (*fd)(void *arg);
	int (*sleep)(void *arg);
	bool (*leaving)(void *arg);
	void (*honest)(void);
	bool (*keeps)(void);
	void (*let_go)(void *arg);
};

/**
 * struct be_life - a device and who serves it
 * @dev: nodes and states
 * @ops: what to do
 * @arg: for them
 * @patience: seconds for the frontend to close
 * @open: signals while the loop sleeps
 */
struct be_life {
	struct be_device *dev;
	const struct be_ops *ops;
	void *arg;
	double patience;
	sigset_t open;
};

/* Block signals; early, so that none is lost. */
void be_life_begin(struct be_life *l);

/* Serve to the end. Return: exit status. */
int be_live(struct be_life *l);

/* End the connection and ask for another one. */
void be_start_anew(struct be_life *l);

#endif /* BACKEND_LIFE_H */
