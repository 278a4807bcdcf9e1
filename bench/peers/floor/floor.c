/*
 * The floor: what the machine allows. One thread and one epoll descriptor; it
 * finds the ends of requests by walking record headers, looks at nothing else,
 * and sends a canned answer with one write for all requests that one read
 * brought. No FastCGI library can cost less.
 *
 * usage: floor socket hello | bytes N | count
 *
 * hello and count are short answers, which any number of requests on a connection
 * get with their ids. The N bytes of bytes are a long one: the request has id 1 and
 * is alone on its connection.
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
enum { HEADER = 8, SHORT = 256, IN = 65536, RECORD = 65528, PERIOD = 251 };

struct conn {
	int fd;
	int keep;
	int armed;               /* epoll waits for room to write */
	unsigned char head[16];  /* of a record, with its content if that is BEGIN's */
	size_t have;             /* bytes in head */
	size_t skip;             /* bytes of content and padding still to come */
	unsigned long long body; /* bytes of STDIN so far */
	size_t left;             /* bytes of the long answer still to send */
};

static int ep;
static int counting;

/* What one read brings, and the answers to it: a request has six headers or more. */
static unsigned char in[IN];
static unsigned char out[IN / (6 * HEADER) * SHORT];
static size_t out_len;

static unsigned char *answer; /* to one request, with id 1 */
static size_t answer_len;

static size_t put(unsigned char *at, int type, const void *content, size_t len)
{
	unsigned char h[HEADER] = { 1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len };
	memcpy(at, h, HEADER);
	memcpy(at + HEADER, content, len);
	return HEADER + len;
}

/* make_answer wraps a response in records. */
static size_t make_answer(unsigned char *at, const unsigned char *response, size_t len)
{
	static const unsigned char end[8];
	size_t n = 0;
	while (len > 0) {
		size_t part = len < RECORD ? len : RECORD;
		n += put(at + n, STDOUT, response, part);
		response += part;
		len -= part;
	}
	n += put(at + n, STDOUT, "", 0);
	return n + put(at + n, END, end, sizeof end);
}

static void can(const char *head, const unsigned char *body, size_t len)
{
	size_t head_len = strlen(head), all = head_len + len;
	unsigned char *response = malloc(all);
	answer = malloc(all + HEADER * (all / RECORD + 4));
	if (!response || !answer)
		abort();
	memcpy(response, head, head_len);
	memcpy(response + head_len, body, len);
	answer_len = make_answer(answer, response, all);
	free(response);
}

static void can_hello(void)
{
	static const char body[] = "hello, world\n";
	can("Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
	    (const unsigned char *)body, sizeof body - 1);
}

static void can_bytes(size_t n)
{
	unsigned char *body = malloc(n);
	if (!body)
		abort();
	for (size_t i = 0; i < n; i++)
		body[i] = (unsigned char)(i % PERIOD);
	can("Content-Type: application/octet-stream\r\n\r\n", body, n);
	free(body);
}

/* number gives the records of a short answer their id. */
static void number(unsigned char *at, size_t len, const unsigned char *id)
{
	for (size_t i = 0; i < len; i += HEADER + ((size_t)at[i + 4] << 8 | at[i + 5])) {
		at[i + 2] = id[0];
		at[i + 3] = id[1];
	}
}

/* answer_request owes the connection an answer to the request that head ends. */
static void answer_request(struct conn *c)
{
	unsigned char *at = out + out_len;
	size_t len = answer_len;
	if (answer_len > SHORT) {
		c->left = answer_len;
		return;
	}
	if (out_len + SHORT > sizeof out)
		abort();
	if (counting) {
		char text[SHORT];
		int n = snprintf(text, sizeof text, "Content-Type: text/plain\r\n\r\n%llu\n", c->body);
		len = make_answer(at, (unsigned char *)text, (size_t)n);
		c->body = 0;
	} else
		memcpy(at, answer, len);
	number(at, len, c->head + 2);
	out_len += len;
}

/* record looks at the record whose head is complete. */
static void record(struct conn *c)
{
	size_t content = (size_t)c->head[4] << 8 | c->head[5];
	c->skip = HEADER + content + c->head[6] - c->have;
	c->have = 0;
	if (c->head[1] == BEGIN)
		c->keep = c->head[10] & 1;
	if (c->head[1] != STDIN)
		return;
	c->body += content;
	if (content == 0)
		answer_request(c);
}

/* walk goes through what was read. */
static void walk(struct conn *c, const unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t want = c->have >= HEADER ? sizeof c->head : HEADER;
		size_t part = c->skip ? c->skip : want - c->have;
		if (part > n)
			part = n;
		if (c->skip)
			c->skip -= part;
		else {
			memcpy(c->head + c->have, p, part);
			c->have += part;
			if (c->have == sizeof c->head || (c->have == HEADER && c->head[1] != BEGIN))
				record(c);
		}
		p += part;
		n -= part;
	}
}

/* arm has epoll wait for room to write, or for more to read. */
static void arm(struct conn *c, int writing)
{
	struct epoll_event ev = { .events = writing ? EPOLLOUT : EPOLLIN, .data.ptr = c };
	if (c->armed != writing)
		epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
	c->armed = writing;
}

/* send_long goes on with the long answer; it returns 0 if the connection is over. */
static int send_long(struct conn *c)
{
	while (c->left > 0) {
		ssize_t n = write(c->fd, answer + answer_len - c->left, c->left);
		if (n < 0 && errno == EAGAIN) {
			arm(c, 1);
			return 1;
		}
		if (n < 0)
			return 0;
		c->left -= (size_t)n;
	}
	arm(c, 0);
	return c->keep;
}

/* serve reads once and answers; it returns 0 if the connection is over. */
static int serve(struct conn *c)
{
	if (c->left > 0)
		return send_long(c);
	ssize_t n = read(c->fd, in, sizeof in);
	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return 0;
	out_len = 0;
	walk(c, in, (size_t)n);
	if (c->left > 0)
		return send_long(c);
	/* A socket buffer has room for more short answers than a read has requests. */
	if (out_len > 0)
		return write(c->fd, out, out_len) == (ssize_t)out_len && c->keep;
	return 1;
}

static void accept_all(int l)
{
	for (;;) {
		int fd = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct conn *c = calloc(1, sizeof *c);
		if (!c)
			abort();
		c->fd = fd;
		/* Tried at once: most have their request sent already. */
		if (answer_len <= SHORT && !serve(c)) {
			close(fd);
			free(c);
			continue;
		}
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	}
}

static int listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct epoll_event ev = { .events = EPOLLIN };
	if (strlen(path) >= sizeof addr.sun_path) {
		fprintf(stderr, "floor: the path of the socket is too long\n");
		exit(2);
	}
	strcpy(addr.sun_path, path);
	int l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (l < 0 || ep < 0 || bind(l, (struct sockaddr *)&addr, sizeof addr) || listen(l, 4096) ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev)) {
		perror("floor");
		exit(1);
	}
	return l;
}

int main(int argc, char **argv)
{
	struct epoll_event events[64];
	if (argc == 3 && strcmp(argv[2], "hello") == 0)
		can_hello();
	else if (argc == 3 && strcmp(argv[2], "count") == 0)
		counting = 1;
	else if (argc == 4 && strcmp(argv[2], "bytes") == 0)
		can_bytes(strtoul(argv[3], NULL, 10));
	else {
		fprintf(stderr, "usage: floor socket hello | bytes N | count\n");
		return 2;
	}
	int l = listen_on(argv[1]);
	for (;;) {
		int n = epoll_wait(ep, events, 64, -1);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (!c)
				accept_all(l);
			else if (!serve(c)) {
				close(c->fd);
				free(c);
			}
		}
	}
}
