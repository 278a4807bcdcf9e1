"""The benchmark's tasks over simple_fastcgi. usage: tasks.py sync|async unix-socket-path task [size]

Neither server keeps connections, so there is no mixed; the sync one serves one at a time, so it has no wait.
"""

import asyncio
import hashlib
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

TEXT = "text/plain; charset=utf-8"
HELLO = "hello, world\n"
PIECE = 65536


def pattern(size):
    period = bytes(range(251))
    return (period * (size // 251 + 1))[:size]


class Body:
    """Counts what is read, and hashes it if the task is digest."""

    def __init__(self, task):
        self.length = 0
        self.hash = hashlib.sha256() if task == "digest" else None

    def add(self, piece):
        self.length += len(piece)
        if self.hash:
            self.hash.update(piece)

    def text(self):
        return f"{self.hash.hexdigest()} {self.length}\n" if self.hash else f"{self.length}\n"


class Task(HttpResponseMixin, FcgiHandler):
    def handle(self):
        if task == "hello":
            self.send_response(200, TEXT, HELLO)
        elif task == "bytes":
            self.send_response(200, "application/octet-stream", large)
        else:
            body = Body(task)
            while piece := self.read(PIECE):
                body.add(piece)
            self.send_response(200, TEXT, body.text())


class AsyncTask(AsyncHttpResponseMixin, AsyncFcgiHandler):
    waiting = 0
    released = asyncio.Event()

    async def handle(self):
        if task == "hello":
            await self.send_response(200, TEXT, HELLO)
        elif task == "bytes":
            await self.send_response(200, "application/octet-stream", large)
        elif task == "wait":
            await self.wait(self.environ["QUERY_STRING"])
        else:
            body = Body(task)
            while piece := await self.read(PIECE):
                body.add(piece)
            await self.send_response(200, TEXT, body.text())

    async def wait(self, query):
        if query == "waiting":
            await self.send_response(200, TEXT, f"{AsyncTask.waiting}\n")
            return
        if query == "release":
            self.released.set()
        else:
            AsyncTask.waiting += 1
            await self.released.wait()
        await self.send_response(200, TEXT, HELLO)


def listen(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen(4096)
    return sock


async def serve_async(sock):
    async with AsyncFcgiServer(AsyncTask, sock) as server:
        await server.serve_forever()


mode, path, task = sys.argv[1:4]
large = pattern(int(sys.argv[4])) if len(sys.argv) > 4 else b""
if mode == "async":
    asyncio.run(serve_async(listen(path)))
else:
    with FcgiServer(Task, listen(path)) as server:
        server.serve_forever()
