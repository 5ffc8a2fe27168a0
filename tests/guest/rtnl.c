// SPDX-License-Identifier: GPL-2.0
/*
 * usage: rtnl FILE OFFSET
 *
 * Holds the kernel's lock of network configuration (RTNL) for as long as a page of FILE
 * takes to be read: the question of an ethtool ioctl begins in memory and ends in the
 * page, and the kernel copies it with the lock held. OFFSET: a multiple of 4096.
 */
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAGE 4096

int main(int argc, char **argv)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	char *pages;
	__u32 *question;
	int fd, sock;

	if (argc != 3) {
		fprintf(stderr, "usage: rtnl FILE OFFSET\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY);
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || sock < 0 || pages == MAP_FAILED ||
	    mmap(pages + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		 strtoull(argv[2], NULL, 0)) == MAP_FAILED) {
		perror("rtnl");
		return 1;
	}
	/* The command is looked at before the lock is taken, the rest after it. */
	question = (__u32 *)(pages + PAGE - sizeof(*question));
	*question = ETHTOOL_GSTRINGS;
	ifr.ifr_data = (char *)question;
	ioctl(sock, SIOCETHTOOL, &ifr);
	return 0;
}
