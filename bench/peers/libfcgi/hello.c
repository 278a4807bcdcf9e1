/* The hello of the benchmark over libfcgi. usage: libfcgi unix-socket-path */
#include <fcgiapp.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	FCGX_Request request;
	if (argc != 2 || FCGX_Init() != 0)
		return 2;
	int fd = FCGX_OpenSocket(argv[1], 1024);
	if (fd < 0 || FCGX_InitRequest(&request, fd, 0) != 0) {
		perror("libfcgi");
		return 1;
	}
	while (FCGX_Accept_r(&request) == 0) {
		FCGX_PutS("Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello, world\n", request.out);
		FCGX_Finish_r(&request);
	}
	return 0;
}
