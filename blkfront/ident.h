/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Identity of a disk: what names it wherever it is attached.
 *
 * Toolstacks of the XenServer family describe a disk to its frontend as a SCSI
 * target would, by two pages of "vital product data" in the backend's directory:
 *	sm-data/scsi/0x12/0x80	unit serial number
 *	sm-data/scsi/0x12/0x83	designators: NAA, EUI-64, T10 vendor ID, ...
 * each as base64 of the whole page with its four bytes of header. Their storage
 * manager encodes every page that it makes or reads (gen_synthetic_page_data(),
 * gen_raw_page_data()), and the Windows frontends decode without asking. So there
 * is no plain form: text that is no base64 of the page is refused. An identity
 * guessed from it could be that of another disk.
 *	Their Python 3 storage manager (xapi-project/sm, drivers/scsiutil.py) turns
 * the page into UTF-8 before: the code of the page becomes two bytes, c2 80 or
 * c2 83, and every other byte stays, being ASCII. Such a header is understood.
 *
 * Pure: no locks, no allocation; the unit tests compile ident.c as it stands.
 *
 * Invariants of what is returned
 *   - @out is always terminated, and empty unless 0 is returned.
 *   - Its characters are printable ASCII; the first and the last is no blank.
 *   - It is whole: what does not fit is refused, never cut.
 */
#ifndef VBD_IDENT_H
#define VBD_IDENT_H

#include <linux/types.h>

/* Room for every identity that the standard permits: "t10." and 255 bytes. */
#define VBD_IDENT_SIZE	260

int vbd_ident_serial(const char *text, size_t len, char *out, size_t size);
int vbd_ident_wwid(const char *text, size_t len, char *out, size_t size);

#endif /* VBD_IDENT_H */
