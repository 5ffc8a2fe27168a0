/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Grant references: leave for one other domain to use one page of ours.
 *
 * Invariants
 *   - Claimed is not granted. A claimed reference belongs to its claimer until
 *     released; granting and revoking it takes no lock and cannot fail for lack
 *     of anything.
 *   - A page is given back to the kernel only after xpv_gnt_revoke() said yes.
 *     Where it says no the page is parked, with its reference, until the other
 *     domain lets go.
 *
 * Locks: claim_lock (grant.c) guards the free list and the parked list; claim,
 * release and park take it. Nothing on an I/O path does.
 */
#ifndef XENPV_GRANT_H
#define XENPV_GRANT_H

#include <linux/types.h>
#include <linux/mm_types.h>
#include <xen/interface/xen.h>
#include <xen/interface/grant_table.h>

/* Reference 0 is reserved by Xen's toolstack: it serves as "none". */
#define XPV_GNT_NONE ((grant_ref_t)0)

/**
 * xpv_gnt_claim() - take references out of the table, all or none
 * @n: how many
 * @refs: filled with @n references
 *
 * May sleep (the table may grow by a frame).
 *
 * Return: 0, or -ENOSPC when the table is full and may not grow.
 */
int xpv_gnt_claim(unsigned int n, grant_ref_t *refs);

/**
 * xpv_gnt_release() - give references back that are not granted
 * @n: how many
 * @refs: the references; XPV_GNT_NONE entries are skipped, all are set to it
 *
 * Any context.
 */
void xpv_gnt_release(unsigned int n, grant_ref_t *refs);

/**
 * xpv_gnt_grant() - let a domain use a page
 * @ref: claimed reference that is not granted
 * @domid: the domain
 * @page: a page of ours; XEN_PAGE_SIZE equals PAGE_SIZE on x86
 * @readonly: the domain may only read it
 *
 * Any context, lock-free. Everything written to the page before this call is
 * seen by the domain once it learns the reference.
 */
void xpv_gnt_grant(grant_ref_t ref, domid_t domid, struct page *page,
		   bool readonly);

/**
 * xpv_gnt_revoke() - take the leave back
 * @ref: granted reference
 *
 * Any context, lock-free. Everything the domain wrote before it let go is seen
 * after this returns true.
 *
 * Return: true if the page is ours alone again and the reference is merely
 * claimed; false if the domain still has it mapped: the grant stays.
 */
bool xpv_gnt_revoke(grant_ref_t ref);

/**
 * xpv_gnt_park() - hand over a page that its backend will not let go
 * @ref: granted reference whose revocation was refused
 * @page: the granted page; one page reference passes to the parking list
 *
 * The pair is tried again from a slow timer, and put and released when the
 * domain lets go. Any context; cannot fail (the list is linked through memory
 * that was claimed together with the reference).
 */
void xpv_gnt_park(grant_ref_t ref, struct page *page);

/**
 * xpv_gnt_end() - revoke a grant and drop the page and the reference, or park
 * @ref: granted or claimed reference; XPV_GNT_NONE does nothing
 * @page: page whose reference is dropped (put_page), now or later
 *
 * For ring pages and other pages whose life ends with their grant. Any context.
 *
 * Return: true if the page is free, false if it was parked.
 */
bool xpv_gnt_end(grant_ref_t ref, struct page *page);

/**
 * xpv_gnt_parked() - pages that backends hold beyond the life of their grants
 */
unsigned int xpv_gnt_parked(void);

/**
 * xpv_gnt_tolerates() - may a domain be given pages for a new connection?
 * @domid: the domain
 *
 * One that keeps thousands of pages of earlier connections may not: each connection
 * could leave more behind, until this guest has no memory and no references.
 * Process context.
 */
bool xpv_gnt_tolerates(domid_t domid);

/**
 * xpv_gnt_plenty() - is more than a quarter of the table unclaimed?
 *
 * To be asked before references are claimed that one could do without: devices that
 * are still to come cannot connect without theirs. Any context; an estimate.
 */
bool xpv_gnt_plenty(void);

#endif /* XENPV_GRANT_H */
