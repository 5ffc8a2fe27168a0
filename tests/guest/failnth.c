// SPDX-License-Identifier: GPL-2.0
/*
 * usage: failnth N insmod FILE
 *        failnth N write FILE TEXT
 *        failnth N up INTERFACE
 *
 * One system call whose Nth allocation fails: a module is loaded, a file is written, an
 * interface is taken up. Prints the error's number and what is left of N: 0 if something
 * failed. Needs a kernel with CONFIG_FAULT_INJECTION.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int usage(void)
{
	fprintf(stderr, "usage: failnth N insmod FILE|write FILE TEXT|up INTERFACE\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	int count, fd, ret, err;
	char left[16] = "";
	const char *what;

	if (argc < 4)
		return usage();
	what = argv[2];
	if (!strcmp(what, "up"))
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	else
		fd = open(argv[3], what[0] == 'w' ? O_WRONLY : O_RDONLY);
	count = open("/proc/thread-self/fail-nth", O_RDWR);
	if (fd < 0 || count < 0) {
		perror("failnth");
		return 1;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[3]);
	if (write(count, argv[1], strlen(argv[1])) < 0) {
		perror("failnth");
		return 1;
	}
	if (!strcmp(what, "insmod"))
		ret = syscall(SYS_finit_module, fd, "", 0);
	else if (!strcmp(what, "up"))
		ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	else if (argc == 5)
		ret = write(fd, argv[4], strlen(argv[4]));
	else
		return usage();
	err = ret < 0 ? errno : 0;
	if (pread(count, left, sizeof(left) - 1, 0) < 0 || write(count, "0", 1) < 0) {
		perror("failnth");
		return 1;
	}
	printf("%d %d\n", err, atoi(left));
	return 0;
}
