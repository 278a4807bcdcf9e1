/*
 * The benchmark's tasks over libfcgi.
 *
 * usage: libfcgi unix-socket-path hello | bytes N | count
 *
 * One thread, so one connection at a time; and no digest, since C comes without
 * SHA-256.
 */
#include <fcgiapp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD = 251, PIECE = 65536 };

static char *pattern;
static int size;

static void hello(FCGX_Request *r)
{
	FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello, world\n", r->out);
}

static void bytes(FCGX_Request *r)
{
	FCGX_FPrintF(r->out, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size);
	FCGX_PutStr(pattern, size, r->out);
}

static void count(FCGX_Request *r)
{
	static char piece[PIECE];
	long long total = 0;
	char text[32];
	int n;
	while ((n = FCGX_GetStr(piece, sizeof piece, r->in)) > 0)
		total += n;
	snprintf(text, sizeof text, "%lld\n", total);
	FCGX_PutS("Content-Type: text/plain\r\n\r\n", r->out);
	FCGX_PutS(text, r->out);
}

static void make_pattern(const char *n)
{
	size = atoi(n);
	pattern = malloc((size_t)size);
	if (!pattern)
		abort();
	for (int i = 0; i < size; i++)
		pattern[i] = (char)(i % PERIOD);
}

int main(int argc, char **argv)
{
	FCGX_Request request;
	void (*task)(FCGX_Request *) = NULL;
	if (argc == 3 && strcmp(argv[2], "hello") == 0)
		task = hello;
	else if (argc == 3 && strcmp(argv[2], "count") == 0)
		task = count;
	else if (argc == 4 && strcmp(argv[2], "bytes") == 0) {
		task = bytes;
		make_pattern(argv[3]);
	}
	if (!task || FCGX_Init() != 0) {
		fprintf(stderr, "usage: libfcgi unix-socket-path hello | bytes N | count\n");
		return 2;
	}
	int fd = FCGX_OpenSocket(argv[1], 1024);
	if (fd < 0 || FCGX_InitRequest(&request, fd, 0) != 0) {
		perror("libfcgi");
		return 1;
	}
	while (FCGX_Accept_r(&request) == 0) {
		task(&request);
		FCGX_Finish_r(&request);
	}
	return 0;
}
