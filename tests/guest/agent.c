// SPDX-License-Identifier: GPL-2.0
/*
 * The agent: runs one command at a time for the harness, over a serial line.
 *
 * usage: agent TTY
 *
 * The same program serves the guest (driven from dom0 through the emulated
 * second serial port) and dom0 itself (driven from the host). It answers HELLO,
 * starts what EXEC names under /bin/sh in a session of its own, feeds IN to its
 * standard input, returns OUT and ERR, and ends with EXIT. A HELLO while a
 * command runs kills that command's process group: this is how a client's time
 * limit, or its death, cleans up.
 *
 * Life: one poll loop over the line, the command's three pipes and a pipe that
 * the SIGCHLD handler writes to. Output is read from a pipe only when the link
 * can send, so a command that prints faster than the line carries is slowed,
 * not truncated. What a background child prints after the command's own exit is
 * not carried: it must redirect its output.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "link.h"

struct command {
	pid_t pid;		/* 0: none */
	int in, out, err;	/* -1: closed */
	bool exited;
	int status;		/* shell's way: code, or 128 + signal */
	struct link_msg pending; /* IN not yet written to the command */
	size_t pending_off;
	bool has_pending;
};

static int child_pipe[2];

static void on_child(int sig)
{
	int saved = errno;
	ssize_t n = write(child_pipe[1], "", 1);

	(void)sig;
	(void)n;
	errno = saved;
}

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int tty_open(const char *path)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die(path);
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		t.c_cflag |= CLOCAL | CREAD;
		t.c_cflag &= ~CRTSCTS;
		cfsetspeed(&t, B115200);
		if (tcsetattr(fd, TCSANOW, &t))
			die("tcsetattr");
	}
	return fd;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void exec_shell(const char *line, const int in, const int out, const int err, bool tty)
{
	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	if (tty)
		ioctl(0, TIOCSCTTY, 0);
	signal(SIGPIPE, SIG_DFL);
	execl("/bin/sh", "sh", "-c", line, (char *)NULL);
	fprintf(stderr, "agent: /bin/sh: %s\n", strerror(errno));
	_exit(127);
}

static int start_on_tty(struct command *c, const char *line)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		return -1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -1;
	c->pid = fork();
	if (!c->pid)
		exec_shell(line, slave, slave, slave, true);
	close(slave);
	c->in = dup(master);
	c->out = master;
	c->err = -1;
	return c->pid < 0 ? -1 : 0;
}

static int start_on_pipes(struct command *c, const char *line)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return -1;
	c->pid = fork();
	if (!c->pid)
		exec_shell(line, in[0], out[1], err[1], false);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	return c->pid < 0 ? -1 : 0;
}

static void command_clear(struct command *c)
{
	close_fd(&c->in);
	close_fd(&c->out);
	close_fd(&c->err);
	c->pid = 0;
	c->exited = false;
	c->has_pending = false;
}

static void command_start(struct command *c, struct link_msg *m)
{
	char line[LINK_PAYLOAD];
	size_t len = m->len ? m->len - 1 : 0;
	bool tty = m->len && (m->data[0] & LINK_EXEC_TTY);
	int ret;

	memcpy(line, m->data + 1, len);
	line[len] = '\0';
	ret = tty ? start_on_tty(c, line) : start_on_pipes(c, line);
	if (ret) {
		/* Reported as a shell reports what it cannot run. */
		c->exited = true;
		c->status = 126;
		return;
	}
	nonblock(c->in);
	nonblock(c->out);
	if (c->err >= 0)
		nonblock(c->err);
}

static void command_kill(struct command *c)
{
	if (c->pid > 0 && !c->exited) {
		kill(-c->pid, SIGKILL);
		kill(c->pid, SIGKILL);
		/* Not waited for: it may hang in the kernel. reap() takes it. */
	}
	command_clear(c);
}

static void reap(struct command *c)
{
	char junk[64];
	int status;
	pid_t pid;

	while (read(child_pipe[0], junk, sizeof(junk)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != c->pid)
			continue;
		c->exited = true;
		c->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

/* Moves output to the link; true when something was read or the end seen. */
static bool carry(struct link *l, int *fd, enum link_type type)
{
	uint8_t buf[LINK_PAYLOAD];
	ssize_t n;

	if (*fd < 0 || !link_can_send(l))
		return false;
	n = read(*fd, buf, sizeof(buf));
	if (n > 0)
		link_send(l, type, buf, n);
	else if (n == 0 || errno != EAGAIN)
		close_fd(fd);
	return n >= 0;
}

static void feed(struct command *c, struct link *l)
{
	ssize_t n;

	if (!c->has_pending)
		return;
	if (c->pending.len == 0 || c->in < 0) {
		close_fd(&c->in);
	} else {
		n = write(c->in, c->pending.data + c->pending_off,
			  c->pending.len - c->pending_off);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			close_fd(&c->in);
		else
			c->pending_off += n;
		if (c->in >= 0 && c->pending_off < c->pending.len)
			return;
	}
	c->has_pending = false;
	link_ack(l, &c->pending);
}

static void handle(struct command *c, struct link *l, struct link_msg *m)
{
	switch (m->type) {
	case LINK_HELLO:
		command_kill(c);
		link_session(l, m->session);
		link_ack(l, m);
		link_send(l, LINK_HELLO, NULL, 0);
		break;
	case LINK_EXEC:
		link_ack(l, m);
		if (!c->pid)
			command_start(c, m);
		break;
	case LINK_IN:
		c->pending = *m;
		c->pending_off = 0;
		c->has_pending = true;
		break;
	default:
		link_ack(l, m);
	}
}

static void finish(struct command *c, struct link *l)
{
	uint8_t status = c->status;

	if (!c->exited || !link_can_send(l))
		return;
	/* The pipes may stay open in background children: drain, then close. */
	if (carry(l, &c->out, LINK_OUT) || carry(l, &c->err, LINK_ERR))
		return;
	command_clear(c);
	link_send(l, LINK_EXIT, &status, 1);
}

static int poll_timeout(const struct link *l)
{
	return l->tx_busy ? 500 : -1;
}

static void wait_events(struct link *l, const struct command *c)
{
	struct pollfd p[5] = {
		{ .fd = l->fd, .events = POLLIN },
		{ .fd = child_pipe[0], .events = POLLIN },
		{ .fd = link_can_send(l) ? c->out : -1, .events = POLLIN },
		{ .fd = link_can_send(l) ? c->err : -1, .events = POLLIN },
		{ .fd = c->has_pending ? c->in : -1, .events = POLLOUT },
	};

	if (link_wants_write(l))
		p[0].events |= POLLOUT;
	if (poll(p, 5, poll_timeout(l)) < 0 && errno != EINTR)
		die("poll");
}

int main(int argc, char **argv)
{
	static struct command cmd = { .in = -1, .out = -1, .err = -1 };
	static struct link link;
	static struct link_msg msg;

	if (argc != 2) {
		fprintf(stderr, "usage: agent TTY\n");
		return 2;
	}
	if (pipe2(child_pipe, O_CLOEXEC | O_NONBLOCK))
		die("pipe");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, on_child);
	link_init(&link, tty_open(argv[1]));
	for (;;) {
		wait_events(&link, &cmd);
		if (link_fill(&link) <= 0)
			usleep(100000);
		while (link_next(&link, &msg))
			handle(&cmd, &link, &msg);
		feed(&cmd, &link);
		reap(&cmd);
		carry(&link, &cmd.out, LINK_OUT);
		carry(&link, &cmd.err, LINK_ERR);
		finish(&cmd, &link);
		link_flush(&link);
	}
}
