// SPDX-License-Identifier: GPL-2.0
/*
 * Pages, rings and event channels of the guest.
 *
 * Life: what is mapped or bound is given back by the caller, or by the kernel when
 * the program ends.
 * Locks: none, one thread.
 * Trust: a guest may publish any reference and any port: both may be refused; what
 * stands in a ring's head only decides whether it is notified.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"

void be_open_xen(struct be_device *d)
{
	d->gnt = xengnttab_open(NULL, 0);
	d->evtchn = xenevtchn_open(NULL, 0);
	if (!d->gnt || !d->evtchn)
		die("cannot open the grant or event device: %s", strerror(errno));
	/* One look at all ports must not wait. */
	fcntl(xenevtchn_fd(d->evtchn), F_SETFL, O_NONBLOCK);
}

bool be_map(struct be_device *d, struct be_map *map, uint32_t *refs,
	    unsigned int n, bool readonly)
{
	int prot = readonly ? PROT_READ : PROT_READ | PROT_WRITE;

	map->pages = xengnttab_map_domain_grant_refs(d->gnt, n, d->domid, refs,
						     prot);
	map->n = map->pages ? n : 0;
	return map->pages;
}

void be_unmap(struct be_device *d, struct be_map *map)
{
	if (map->pages)
		xengnttab_unmap(d->gnt, map->pages, map->n);
	map->pages = NULL;
	map->n = 0;
}

uint32_t be_ring_slots(unsigned int pages, unsigned int size)
{
	uint32_t n = (pages * BE_PAGE - sizeof(struct be_sring)) / size;

	/* The largest power of two. */
	while (n & (n - 1))
		n &= n - 1;
	return n;
}

bool be_ring_publish(volatile struct be_sring *ring, uint32_t *seen, uint32_t prod)
{
	uint32_t new = prod - *seen;

	*seen = prod;
	__sync_synchronize();
	ring->rsp_prod = prod;
	__sync_synchronize();
	return (uint32_t)(prod - ring->rsp_event) < new;
}

int be_bind(struct be_device *d, unsigned long remote_port)
{
	return xenevtchn_bind_interdomain(d->evtchn, d->domid, remote_port);
}

void be_unbind(struct be_device *d, int port)
{
	xenevtchn_unbind(d->evtchn, port);
}

void be_notify(struct be_device *d, int port)
{
	xenevtchn_notify(d->evtchn, port);
}

int be_event(struct be_device *d)
{
	int port = xenevtchn_pending(d->evtchn);

	if (port >= 0)
		xenevtchn_unmask(d->evtchn, port);
	return port;
}
