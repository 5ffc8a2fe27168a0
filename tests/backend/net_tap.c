// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of the wire: a tap device, behind which is dom0's network. Blank
 * checksums and segments are handed on as what they are, so that the kernel on either
 * side sees what a bridge would bring.
 *
 * Life: the device is there as long as the program runs.
 * Locks: none, one thread.
 * Trust: headers of a packet from the guest are looked at within its length; the
 * kernel checks the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "vif.h"

void tap_open(struct vif *v, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	v->tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (v->tap < 0 || ioctl(v->tap, TUNSETIFF, &ifr))
		die("cannot make tap device %s: %s", name, strerror(errno));
}

/* What the guest takes as it is. */
void tap_offer(struct vif *v, bool csum, bool tso4, bool tso6)
{
	unsigned long offload = 0;

	if (csum)
		offload |= TUN_F_CSUM | (tso4 ? TUN_F_TSO4 : 0) |
			   (tso6 ? TUN_F_TSO6 : 0);
	if (ioctl(v->tap, TUNSETOFFLOAD, offload))
		die("cannot set offloads: %s", strerror(errno));
}

/* Where TCP or UDP begins, and which of them; 0: nowhere. */
static unsigned int find_l4(const struct frame *f, uint8_t *protocol)
{
	const uint8_t *p = f->data;
	unsigned int at = 14, type;

	if (f->len < 60)
		return 0;
	type = p[12] << 8 | p[13];
	if (type == 0x8100) {
		type = p[16] << 8 | p[17];
		at = 18;
	}
	if (type == 0x0800) {
		*protocol = p[at + 9];
		return at + (p[at] & 15) * 4;
	}
	*protocol = p[at + 6];
	return type == 0x86dd ? at + 40 : 0;
}

static void say_blank(struct frame *f)
{
	uint8_t protocol;
	unsigned int at = find_l4(f, &protocol);

	if (!at || (protocol != 6 && protocol != 17)) {
		be_say("a blank checksum of nothing");
		return;
	}
	f->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->hdr.csum_start = at;
	f->hdr.csum_offset = protocol == 6 ? 16 : 6;
}

void tap_write(struct vif *v, struct frame *f, bool blank, unsigned int gso,
	       unsigned int gso_size)
{
	struct iovec iov[2] = {
		{ .iov_base = &f->hdr, .iov_len = sizeof(f->hdr) },
		{ .iov_base = f->data, .iov_len = f->len },
	};

	memset(&f->hdr, 0, sizeof(f->hdr));
	if (blank)
		say_blank(f);
	if (gso && f->hdr.csum_start) {
		f->hdr.gso_type = gso == XEN_NETIF_GSO_TYPE_TCPV6 ?
				  VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		f->hdr.gso_size = gso_size;
		f->hdr.hdr_len = f->hdr.csum_start +
				 (f->data[f->hdr.csum_start + 12] >> 4) * 4;
	}
	/* A device that is down loses it, as a wire does. */
	if (writev(v->tap, iov, 2) < 0 && errno != EIO)
		be_say("tap refuses %u bytes: %s", f->len, strerror(errno));
}

bool tap_read(struct vif *v, struct frame *f)
{
	struct iovec iov[2] = {
		{ .iov_base = &f->hdr, .iov_len = sizeof(f->hdr) },
		{ .iov_base = f->data, .iov_len = VIF_FRAME_MAX },
	};
	ssize_t n = readv(v->tap, iov, 2);

	if (n <= (ssize_t)sizeof(f->hdr))
		return false;
	f->len = n - sizeof(f->hdr);
	return true;
}
