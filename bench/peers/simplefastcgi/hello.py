"""The hello of the benchmark over simple_fastcgi. usage: hello.py sync|async unix-socket-path"""

import asyncio
import socket
import sys

from simple_fastcgi import (
    AsyncFcgiHandler,
    AsyncFcgiServer,
    AsyncHttpResponseMixin,
    FcgiHandler,
    FcgiServer,
    HttpResponseMixin,
)


class Hello(HttpResponseMixin, FcgiHandler):
    def handle(self):
        self.send_response(200, "text/plain; charset=utf-8", "hello, world\n")


class AsyncHello(AsyncHttpResponseMixin, AsyncFcgiHandler):
    async def handle(self):
        await self.send_response(200, "text/plain; charset=utf-8", "hello, world\n")


def listen(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen(1024)
    return sock


async def serve_async(sock):
    async with AsyncFcgiServer(AsyncHello, sock) as server:
        await server.serve_forever()


mode, path = sys.argv[1:]
if mode == "async":
    asyncio.run(serve_async(listen(path)))
else:
    with FcgiServer(Hello, listen(path)) as server:
        server.serve_forever()
