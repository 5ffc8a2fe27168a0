// SPDX-License-Identifier: GPL-2.0
/*
 * usage: xdp attach DEVICE PROGRAM [DEVICE2]
 *        xdp detach DEVICE
 *
 * Attaches one of a few XDP programs to a device's driver (not to the generic hook):
 *
 *	pass		every packet goes up
 *	drop-udp	UDP over IPv4 is dropped, all else goes up
 *	echo-udp	UDP over IPv4 to port 9 is sent back with addresses and ports swapped
 *	shift		8 bytes are put before each packet and taken away again
 *	redirect	UDP over IPv4 is sent out of DEVICE2, all else goes up
 *
 * The programs are written down as instructions: no compiler for BPF is needed. Exit
 * status 0, or 1 and what the kernel says.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(d, i)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV(d, s)		INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i)		INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o)	INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, s, o)	INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define JUMP_GT(d, s, o)	INSN(BPF_JMP | BPF_JGT | BPF_X, d, s, o, 0)
#define JUMP_NE(d, i, o)	INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define CALL(i)			INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define PROG_MAX 64

static struct bpf_insn prog[PROG_MAX];
static int len;

static void put(struct bpf_insn insn)
{
	prog[len++] = insn;
}

/* r2, r3 = start and end of the packet whose context is in r1; @size bytes or pass. */
static int bounds(int size)
{
	put(LOAD(BPF_W, BPF_REG_2, BPF_REG_1, offsetof(struct xdp_md, data)));
	put(LOAD(BPF_W, BPF_REG_3, BPF_REG_1, offsetof(struct xdp_md, data_end)));
	put(MOV(BPF_REG_4, BPF_REG_2));
	put(ADD_IMM(BPF_REG_4, size));
	put(JUMP_GT(BPF_REG_4, BPF_REG_3, 0));
	return len - 1;
}

/* Jumps at @at go to the end, which is `pass`. */
static void finish(const int *at, int n)
{
	int i;

	for (i = 0; i < n; i++)
		prog[at[i]].off = len - at[i] - 1;
	put(MOV_IMM(BPF_REG_0, XDP_PASS));
	put(EXIT());
}

/* UDP over IPv4 without options, or pass. Fills three jumps. */
static void only_udp(int *at)
{
	at[0] = bounds(42);
	put(LOAD(BPF_H, BPF_REG_5, BPF_REG_2, 12));
	put(JUMP_NE(BPF_REG_5, htons(0x0800), 0));
	at[1] = len - 1;
	put(LOAD(BPF_B, BPF_REG_5, BPF_REG_2, 23));
	put(JUMP_NE(BPF_REG_5, 17, 0));
	at[2] = len - 1;
}

static void make_drop(void)
{
	int at[3];

	only_udp(at);
	put(MOV_IMM(BPF_REG_0, XDP_DROP));
	put(EXIT());
	finish(at, 3);
}

static void swap(int size, int a, int b)
{
	put(LOAD(size, BPF_REG_5, BPF_REG_2, a));
	put(LOAD(size, BPF_REG_6, BPF_REG_2, b));
	put(STORE(size, BPF_REG_2, BPF_REG_6, a));
	put(STORE(size, BPF_REG_2, BPF_REG_5, b));
}

static void make_echo(void)
{
	int at[4];

	only_udp(at);
	put(LOAD(BPF_H, BPF_REG_5, BPF_REG_2, 36));
	put(JUMP_NE(BPF_REG_5, htons(9), 0));
	at[3] = len - 1;
	/* Swapping changes neither checksum. */
	swap(BPF_H, 0, 6);
	swap(BPF_H, 2, 8);
	swap(BPF_H, 4, 10);
	swap(BPF_W, 26, 30);
	swap(BPF_H, 34, 36);
	put(MOV_IMM(BPF_REG_0, XDP_TX));
	put(EXIT());
	finish(at, 4);
}

static void make_shift(void)
{
	int n;

	put(MOV(BPF_REG_6, BPF_REG_1));
	for (n = -8; n <= 8; n += 16) {
		put(MOV(BPF_REG_1, BPF_REG_6));
		put(MOV_IMM(BPF_REG_2, n));
		put(CALL(BPF_FUNC_xdp_adjust_head));
		put(INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0));
		/* No headroom: seen from outside as silence. */
		put(MOV_IMM(BPF_REG_0, XDP_DROP));
		put(EXIT());
	}
	finish(NULL, 0);
}

static void make_redirect(int ifindex)
{
	int at[3];

	only_udp(at);
	put(MOV_IMM(BPF_REG_1, ifindex));
	put(MOV_IMM(BPF_REG_2, 0));
	put(CALL(BPF_FUNC_redirect));
	put(EXIT());
	finish(at, 3);
}

static int load(void)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (uintptr_t)prog,
		.insn_cnt = len,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd < 0)
		fprintf(stderr, "load: %s\n%s\n", strerror(errno), log);
	return fd;
}

static void add_attr(struct nlmsghdr *h, int type, const void *data, int size)
{
	struct nlattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + size;
	if (size)
		memcpy((char *)a + NLA_HDRLEN, data, size);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_ALIGN(a->nla_len);
}

/* What the driver has to say about a refusal stands in an attribute of its own. */
static void show_error(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);
	const char *at = (const char *)e + sizeof(*e), *end = (const char *)h + h->nlmsg_len;
	const struct nlattr *a;

	fprintf(stderr, "attach: %s\n", strerror(-e->error));
	if (!(h->nlmsg_flags & NLM_F_CAPPED))
		at += e->msg.nlmsg_len - sizeof(struct nlmsghdr);
	for (; at + NLA_HDRLEN <= end; at += NLA_ALIGN(a->nla_len)) {
		a = (const void *)at;
		if (a->nla_len < NLA_HDRLEN)
			break;
		if (a->nla_type == NLMSGERR_ATTR_MSG)
			fprintf(stderr, "%s\n", at + NLA_HDRLEN);
	}
}

static int set_program(const char *device, int fd)
{
	union {
		struct nlmsghdr h;
		char room[4096];
	} msg = { .h = {
		.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
		.nlmsg_type = RTM_SETLINK,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
	} };
	struct ifinfomsg *info = NLMSG_DATA(&msg.h);
	int sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), one = 1;
	uint32_t flags = XDP_FLAGS_DRV_MODE;
	struct nlattr *nest = (void *)(msg.room + msg.h.nlmsg_len);
	int n;

	info->ifi_index = if_nametoindex(device);
	add_attr(&msg.h, IFLA_XDP | NLA_F_NESTED, NULL, 0);
	add_attr(&msg.h, IFLA_XDP_FD, &fd, sizeof(fd));
	add_attr(&msg.h, IFLA_XDP_FLAGS, &flags, sizeof(flags));
	nest->nla_len = msg.room + msg.h.nlmsg_len - (char *)nest;
	setsockopt(sock, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	if (send(sock, &msg, msg.h.nlmsg_len, 0) < 0 ||
	    (n = recv(sock, &msg, sizeof(msg), 0)) < (int)sizeof(struct nlmsghdr)) {
		perror("netlink");
		return 1;
	}
	if (msg.h.nlmsg_type != NLMSG_ERROR ||
	    ((struct nlmsgerr *)NLMSG_DATA(&msg.h))->error) {
		show_error(&msg.h);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 3 ? argv[3] : "";
	int fd;

	if (argc == 3 && !strcmp(argv[1], "detach"))
		return set_program(argv[2], -1);
	if (!strcmp(what, "pass"))
		finish(NULL, 0);
	else if (!strcmp(what, "drop-udp"))
		make_drop();
	else if (!strcmp(what, "echo-udp"))
		make_echo();
	else if (!strcmp(what, "shift"))
		make_shift();
	else if (!strcmp(what, "redirect") && argc == 5)
		make_redirect(if_nametoindex(argv[4]));
	else {
		fprintf(stderr, "usage: xdp attach DEVICE PROGRAM [DEVICE2] | detach DEVICE\n");
		return 2;
	}
	fd = load();
	return fd < 0 || set_program(argv[2], fd);
}
