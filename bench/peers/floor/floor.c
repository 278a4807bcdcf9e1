/*
 * The floor: what the machine allows. One thread and one epoll descriptor; it
 * finds the ends of requests by walking record headers, looks at nothing else,
 * and sends a canned answer with one write. No FastCGI library can cost less.
 *
 * usage: floor unix-socket-path
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BEGIN = 1, END = 3, STDIN = 5, STDOUT = 6 };

struct conn {
	int fd;
	int keep;
	size_t have; /* bytes in buf */
	unsigned char buf[65536];
};

static const char body[] =
	"Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello, world\n";

static unsigned char answer[256];
static size_t answer_len;

static void add(int type, const void *content, size_t len)
{
	unsigned char h[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len };
	memcpy(answer + answer_len, h, 8);
	memcpy(answer + answer_len + 8, content, len);
	answer_len += 8 + len;
}

static void make_answer(void)
{
	static const unsigned char end[8];
	add(STDOUT, body, sizeof body - 1);
	add(STDOUT, "", 0);
	add(END, end, 8);
}

/* consume walks the records in the buffer and returns how many requests end. */
static int consume(struct conn *c)
{
	size_t at = 0;
	int done = 0;
	while (c->have - at >= 8) {
		unsigned char *h = c->buf + at;
		size_t content = (size_t)h[4] << 8 | h[5];
		size_t len = 8 + content + h[6];
		if (c->have - at < len)
			break;
		if (h[1] == BEGIN)
			c->keep = h[10] & 1;
		if (h[1] == STDIN && content == 0)
			done++;
		at += len;
	}
	memmove(c->buf, c->buf + at, c->have - at);
	c->have -= at;
	return done;
}

/* serve reads once and answers; it returns 0 if the connection is over. */
static int serve(struct conn *c)
{
	ssize_t n = read(c->fd, c->buf + c->have, sizeof c->buf - c->have);
	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return 0;
	c->have += (size_t)n;
	for (int done = consume(c); done > 0; done--) {
		if (write(c->fd, answer, answer_len) != (ssize_t)answer_len || !c->keep)
			return 0;
	}
	return 1;
}

static void accept_all(int l, int ep)
{
	for (;;) {
		int fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct conn *c = malloc(sizeof *c);
		c->fd = fd;
		c->have = 0;
		/* Tried at once: most have their request sent already. */
		if (!serve(c)) {
			close(fd);
			free(c);
			continue;
		}
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct epoll_event events[64], ev = { .events = EPOLLIN };
	if (argc != 2 || strlen(argv[1]) >= sizeof addr.sun_path) {
		fprintf(stderr, "usage: floor unix-socket-path\n");
		return 2;
	}
	strcpy(addr.sun_path, argv[1]);
	make_answer();
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	if (l < 0 || ep < 0 || bind(l, (struct sockaddr *)&addr, sizeof addr) || listen(l, 1024) ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev)) {
		perror("floor");
		return 1;
	}
	for (;;) {
		int n = epoll_wait(ep, events, 64, -1);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (!c)
				accept_all(l, ep);
			else if (!serve(c)) {
				close(c->fd);
				free(c);
			}
		}
	}
}
