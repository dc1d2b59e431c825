"""xlwings Server as Tokenbook serves it: bodies have a limit, and no call stops the others.

xlwings answers a call where it also takes the next ones in: while it converts a huge range,
everybody waits. Here each call runs on a thread of its own, from the reading of its JSON to the
writing of the answer. One with a large range goes to another process, because the threads of one
wait for each other wherever JSON is read or written.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from typing import Any

from udfs.hosts import UDF_MODULE

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
Apart = Callable[[Message, bytes], tuple[list[Message], Exception | None]]

#: The environment variable with the limit, and the limit without it [bytes]: some million cells.
LIMIT_VARIABLE = "TOKENBOOK_MAX_BODY"
LIMIT = 16 * 2**20
#: A body from which a call counts as large [bytes].
LARGE = 64 * 2**10
_THREADS, _PROCESSES = 8, 2
# What of a request another process can be told, and what xlwings asks for.
_PLAIN = (
    "type", "asgi", "http_version", "server", "client", "scheme", "method", "root_path", "path",
    "raw_path", "query_string", "headers",
)  # fmt: skip


def application() -> App:
    """Return the server of the project in XLWINGS_PROJECT_DIR, for `uvicorn --factory`."""
    return Guarded(served(), int(os.environ.get(LIMIT_VARIABLE, LIMIT)))


@cache
def served() -> App:
    """Return xlwings Server with our functions in it."""
    # It tells xlwings, at the import, that this is a server.
    from xlwings_server import config  # noqa: F401, PLC0415, I001
    import xlwings  # noqa: F401, PLC0415

    # This module belongs to `udfs`, which was so imported before there was a host: its names are
    # those for Python until they are made again.
    importlib.reload(sys.modules[UDF_MODULE])
    from xlwings_server.main import main_app  # noqa: PLC0415

    app: App = main_app
    return app


def answer_apart(scope: Message, body: bytes) -> tuple[list[Message], Exception | None]:
    """Answer a request in a process of its own, which has made the server for itself."""
    messages, error = asyncio.run(_answered(served(), scope, body))
    # Not every exception can be told another process.
    return messages, None if error is None else RuntimeError(repr(error))


async def _answered(
    app: App, scope: Message, body: bytes
) -> tuple[list[Message], Exception | None]:
    """Return what an application sends, and what it raises."""
    messages: list[Message] = []
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:
        # It has sent an answer of its own, which goes out before the error is told.
        return messages, error
    return messages, None


class Guarded:
    """An ASGI application whose calls have limited bodies, and threads or processes of their own.

    Parameters
    ----------
    app : App
        The application to guard.
    limit : int
        The largest body it takes [bytes].
    apart : Callable
        What answers a large request; another process calls it.
    """

    def __init__(self, app: App, limit: int = LIMIT, apart: Apart = answer_apart) -> None:
        self.app = app
        self.limit = limit
        self._threads = ThreadPoolExecutor(_THREADS, "call")
        self._apart = apart
        self._processes = _processes()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = await self._body(scope, receive)
        if body is None:
            await self._refuse(send)
            return
        loop = asyncio.get_running_loop()
        if len(body) > LARGE:
            messages, error = await self._answer_large(scope, body)
        else:
            messages, error = await loop.run_in_executor(self._threads, self._answer, scope, body)
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    async def _body(self, scope: Message, receive: Receive) -> bytes | None:
        """Return the body, or None as soon as it is too long."""
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and int(told) > self.limit:
            return None
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.limit:
                return None
            more = message.get("more_body", False)
        return b"".join(parts)

    async def _refuse(self, send: Send) -> None:
        told = f"The request is larger than {self.limit / 2**20:g} MB: take a smaller range."
        headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": told.encode()})

    async def _answer_large(
        self, scope: Message, body: bytes
    ) -> tuple[list[Message], Exception | None]:
        plain = {name: scope[name] for name in _PLAIN if name in scope}
        loop, processes = asyncio.get_running_loop(), self._processes
        try:
            return await loop.run_in_executor(processes, self._apart, plain, body)
        except BrokenProcessPool as error:
            # Killed, for the memory it took say. The next one finds a new process.
            if self._processes is processes:
                self._processes = _processes()
            return [], error

    def _answer(self, scope: Message, body: bytes) -> tuple[list[Message], Exception | None]:
        """Answer a request on this thread."""
        return asyncio.run(_answered(self.app, scope, body))


def _processes() -> ProcessPoolExecutor:
    # A process that starts fresh: a copy of this one would have its threads' locks, held for ever.
    return ProcessPoolExecutor(_PROCESSES, get_context("spawn"))
