/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A backend in user space, in place of the toolstack and of dom0's driver: what
 * any device type needs. It creates the xenstore nodes of one device, speaks the
 * handshake, maps pages of the guest and binds event channels.
 *
 *	device.c	nodes, keys, states
 *	pages.c		rings, grants, event channels
 *
 * Everything here is honest; who wants to lie sets keys, or writes to what was
 * mapped. One thread. A function whose failure leaves nothing to do ends the
 * program (die()); one whose failure depends on the guest returns it.
 */
#ifndef BACKEND_DEVICE_H
#define BACKEND_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#define BE_PAGE		4096U
#define BE_KEYS_MAX	64
#define BE_RING_PAGES	64

/* States of <xen/io/xenbus.h>; BE_GONE: the node is not there. */
enum be_state {
	BE_GONE = -1,
	BE_UNKNOWN, BE_INITIALISING, BE_INITWAIT, BE_INITIALISED,
	BE_CONNECTED, BE_CLOSING, BE_CLOSED,
};

/**
 * struct be_key - one node below the frontend's or the backend's directory
 * @name: its name
 * @value: its value, @len bytes, any of them; NULL: the node is left out
 * @front: in the frontend's directory
 * @late: written just before Connected, as the kernel's backends do
 */
struct be_key {
	const char *name;
	const char *value;
	size_t len;
	bool front;
	bool late;
};

/**
 * struct be_device - one device
 * @type: "vbd"
 * @dir: name of the directory below backend/; another than @type keeps the
 *	kernel's own backend away
 * @domid: the guest
 * @number: name of the device's directories
 * @key: what is written
 * @keys: how many
 * @front: frontend's directory
 * @back: backend's directory
 * @front_state: the frontend's state when it was looked at last
 * @state: our own
 */
struct be_device {
	const char *type;
	const char *dir;
	unsigned int domid;
	const char *number;
	struct be_key key[BE_KEYS_MAX];
	unsigned int keys;
	char front[128];
	char back[128];
	enum be_state front_state;
	enum be_state state;
	struct xs_handle *xs;
	xengnttab_handle *gnt;
	xenevtchn_handle *evtchn;
};

/* Pages of the guest that are mapped side by side. */
struct be_map {
	void *pages;
	unsigned int n;
};

/* Head of a ring, <xen/io/ring.h>; a slot's size is the device type's business. */
struct be_sring {
	uint32_t req_prod, req_event;
	uint32_t rsp_prod, rsp_event;
	uint8_t reserved[48];
	uint8_t slot[];
};

__attribute__((noreturn, format(printf, 1, 2)))
void die(const char *fmt, ...);

/* What happens, a line each on stdout, for scripts to read. */
__attribute__((format(printf, 1, 2)))
void be_say(const char *fmt, ...);

/* ---- device.c ---------------------------------------------------------------- */

/* Set a key, in place of what it was before. */
void be_key_set(struct be_device *d, const char *name, const char *value,
		bool front, bool late);

/*
 * The same from the command line: NAME=VALUE, NAME*BYTES (so many characters) or
 * NAME (no such node). \xHH in VALUE is a byte.
 */
void be_key_option(struct be_device *d, const char *arg, bool front);

/* Connect to Xen; create both directories and announce InitWait. */
void be_create(struct be_device *d);

void be_set_state(struct be_device *d, enum be_state state);

/* Late keys, and Connected. */
void be_connected(struct be_device *d);

/* Write one node of ours now. */
void be_write(struct be_device *d, const char *name, const char *value);

/* Read one node of the frontend; to be freed; NULL: not there. */
char *be_read(struct be_device *d, const char *name);

/* The same as a number. Return: false if there is none. */
bool be_read_number(struct be_device *d, const char *name, unsigned long *n);

/* Look at the frontend's state now. Return: front_state. */
enum be_state be_look(struct be_device *d);

/* Wait for one of the states whose bits are in @want. Return: false in vain. */
bool be_wait(struct be_device *d, unsigned int want, double seconds);

/* Descriptor that is readable when the frontend's nodes may have changed. */
int be_store_fd(const struct be_device *d);

/* Read what made it readable. Return: false if there was nothing. */
bool be_store_drain(struct be_device *d);

/* Take both directories away, as a toolstack does in the end. */
void be_remove(struct be_device *d);

double be_now(void);

/* ---- pages.c ----------------------------------------------------------------- */

void be_open_xen(struct be_device *d);

/* Map pages to read and write; @readonly: to read. Return: false if refused. */
bool be_map(struct be_device *d, struct be_map *map, uint32_t *refs,
	    unsigned int n, bool readonly);
void be_unmap(struct be_device *d, struct be_map *map);

/* How many slots of @size bytes a ring of so many pages has. */
uint32_t be_ring_slots(unsigned int pages, unsigned int size);

/*
 * Publish responses up to @prod; those up to @seen were published before.
 * Return: the frontend asked to be notified of one of them.
 */
bool be_ring_publish(volatile struct be_sring *ring, uint32_t *seen, uint32_t prod);

/* Return: our port, or -1. */
int be_bind(struct be_device *d, unsigned long remote_port);
void be_unbind(struct be_device *d, int port);
void be_notify(struct be_device *d, int port);

/* Which port has an event? It is unmasked. Return: -1 for none. */
int be_event(struct be_device *d);

#endif /* BACKEND_DEVICE_H */
