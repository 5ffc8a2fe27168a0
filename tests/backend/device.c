// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes, keys and states of one device in xenstore.
 *
 * Life: be_create() once, be_remove() at the end; between them states go as the
 * caller says.
 * Locks: none, one thread.
 * Trust: the frontend's nodes are read as text and numbers, nothing more.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device.h"

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("error: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void be_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

double be_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- keys -------------------------------------------------------------------- */

static struct be_key *key_slot(struct be_device *d, const char *name, bool front)
{
	struct be_key *key;
	unsigned int i;

	for (i = 0; i < d->keys; i++) {
		key = &d->key[i];
		if (key->front == front && !strcmp(key->name, name))
			return key;
	}
	if (d->keys == BE_KEYS_MAX)
		die("too many keys");
	key = &d->key[d->keys++];
	memset(key, 0, sizeof(*key));
	key->name = name;
	key->front = front;
	return key;
}

void be_key_set(struct be_device *d, const char *name, const char *value,
		bool front, bool late)
{
	struct be_key *key = key_slot(d, name, front);

	key->value = value;
	key->len = value ? strlen(value) : 0;
	key->late = late;
}

static char *unescape(const char *s, size_t *len)
{
	char *out = malloc(strlen(s) + 1);
	char hex[3] = "";
	size_t n = 0;

	if (!out)
		die("no memory");
	while (*s) {
		if (s[0] == '\\' && s[1] == 'x' && s[2] && s[3]) {
			memcpy(hex, s + 2, 2);
			out[n++] = strtoul(hex, NULL, 16);
			s += 4;
		} else {
			out[n++] = *s++;
		}
	}
	*len = n;
	return out;
}

void be_key_option(struct be_device *d, const char *arg, bool front)
{
	size_t end = strcspn(arg, "=*");
	char *name = strndup(arg, end);
	struct be_key *key;
	char *value;

	if (!name || !*name)
		die("not a key: %s", arg);
	key = key_slot(d, name, front);
	if (key->name != name)
		free(name);
	key->value = NULL;
	key->len = 0;
	if (arg[end] == '=') {
		key->value = unescape(arg + end + 1, &key->len);
	} else if (arg[end] == '*') {
		key->len = strtoul(arg + end + 1, NULL, 10);
		value = malloc(key->len + 1);
		if (!value)
			die("no memory");
		memset(value, '9', key->len);
		key->value = value;
	}
}

/* ---- nodes ------------------------------------------------------------------- */

static void write_node(struct be_device *d, xs_transaction_t t, const char *dir,
		       const char *name, const char *value, size_t len)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!xs_write(d->xs, t, path, value, len))
		die("cannot write %s: %s", path, strerror(errno));
}

static void write_keys(struct be_device *d, xs_transaction_t t, bool late)
{
	const struct be_key *key;
	unsigned int i;

	for (i = 0; i < d->keys; i++) {
		key = &d->key[i];
		if (key->value && key->late == late)
			write_node(d, t, key->front ? d->front : d->back,
				   key->name, key->value, key->len);
	}
}

/* One's own directory, readable for the other; nodes below inherit that. */
static void make_dir(struct be_device *d, xs_transaction_t t, const char *path,
		     unsigned int owner, unsigned int reader)
{
	struct xs_permissions perms[2] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ },
	};

	xs_rm(d->xs, t, path);
	if (!xs_mkdir(d->xs, t, path) ||
	    !xs_set_permissions(d->xs, t, path, perms, 2))
		die("cannot make %s: %s", path, strerror(errno));
}

static void set_paths(struct be_device *d)
{
	snprintf(d->front, sizeof(d->front), "/local/domain/%u/device/%s/%s",
		 d->domid, d->type, d->number);
	snprintf(d->back, sizeof(d->back), "/local/domain/0/backend/%s/%u/%s",
		 d->dir, d->domid, d->number);
}

/* Keys that no option has set before. */
static void default_key(struct be_device *d, const char *name, const char *value,
			bool front)
{
	unsigned int before = d->keys;

	if (key_slot(d, name, front) == &d->key[before])
		be_key_set(d, name, value, front, false);
}

static void default_keys(struct be_device *d)
{
	char domid[16];

	snprintf(domid, sizeof(domid), "%u", d->domid);
	default_key(d, "frontend", d->front, false);
	default_key(d, "frontend-id", strdup(domid), false);
	default_key(d, "online", "1", false);
	default_key(d, "backend", d->back, true);
	default_key(d, "backend-id", "0", true);
	/* Last: a frontend may look as soon as it is there. */
	default_key(d, "state", "1", false);
	default_key(d, "state", "1", true);
}

void be_create(struct be_device *d)
{
	char watch[160];
	xs_transaction_t t;

	d->xs = xs_open(0);
	if (!d->xs)
		die("cannot open xenstore: %s", strerror(errno));
	set_paths(d);
	default_keys(d);
	do {
		t = xs_transaction_start(d->xs);
		make_dir(d, t, d->back, 0, d->domid);
		make_dir(d, t, d->front, d->domid, 0);
		write_keys(d, t, false);
	} while (!xs_transaction_end(d->xs, t, false) && errno == EAGAIN);
	d->front_state = BE_UNKNOWN;
	snprintf(watch, sizeof(watch), "%s/state", d->front);
	if (!xs_watch(d->xs, watch, "front"))
		die("cannot watch %s: %s", watch, strerror(errno));
	be_set_state(d, BE_INITWAIT);
}

void be_remove(struct be_device *d)
{
	xs_rm(d->xs, XBT_NULL, d->front);
	xs_rm(d->xs, XBT_NULL, d->back);
	d->state = BE_GONE;
}

void be_write(struct be_device *d, const char *name, const char *value)
{
	write_node(d, XBT_NULL, d->back, name, value, strlen(value));
}

void be_set_state(struct be_device *d, enum be_state state)
{
	char text[8];

	d->state = state;
	snprintf(text, sizeof(text), "%d", state);
	be_write(d, "state", text);
}

void be_connected(struct be_device *d)
{
	write_keys(d, XBT_NULL, true);
	be_set_state(d, BE_CONNECTED);
}

char *be_read(struct be_device *d, const char *name)
{
	unsigned int len;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", d->front, name);
	return xs_read(d->xs, XBT_NULL, path, &len);
}

bool be_read_number(struct be_device *d, const char *name, unsigned long *n)
{
	char *text = be_read(d, name);
	char *end = text;

	if (text)
		*n = strtoul(text, &end, 10);
	free(text);
	return end != text;
}

/* ---- the frontend's state ------------------------------------------------------ */

enum be_state be_look(struct be_device *d)
{
	unsigned long n;
	char *text = be_read(d, "state");

	d->front_state = BE_GONE;
	if (text) {
		n = strtoul(text, NULL, 10);
		d->front_state = n <= BE_CLOSED ? n : BE_UNKNOWN;
	}
	free(text);
	return d->front_state;
}

int be_store_fd(const struct be_device *d)
{
	return xs_fileno(d->xs);
}

bool be_store_drain(struct be_device *d)
{
	bool any = false;
	char **event;

	while ((event = xs_check_watch(d->xs))) {
		any = true;
		free(event);
	}
	return any;
}

bool be_wait(struct be_device *d, unsigned int want, double seconds)
{
	double end = be_now() + seconds;
	struct pollfd p = { .fd = be_store_fd(d), .events = POLLIN };

	for (;;) {
		be_look(d);
		if (d->front_state == BE_GONE)
			return false;
		if (want & 1U << d->front_state)
			return true;
		if (be_now() >= end)
			return false;
		poll(&p, 1, 50);
		be_store_drain(d);
	}
}
