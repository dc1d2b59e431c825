"""xlwings Server as Tokenbook serves it: bodies have a limit, and no call stops the others.

xlwings answers a call where it also takes the next ones in: while it converts a huge range,
everybody waits. Here each call runs on a thread of its own, from the reading of its JSON to the
writing of the answer; those with large ranges share a few threads, so that they never take all.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import udfs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

#: The environment variable with the limit, and the limit without it [bytes]: some million cells.
LIMIT_VARIABLE = "TOKENBOOK_MAX_BODY"
LIMIT = 16 * 2**20
#: A body from which a call counts as large [bytes].
LARGE = 64 * 2**10
_THREADS, _LARGE_THREADS = 8, 2


def application() -> App:
    """Return the server of the project in XLWINGS_PROJECT_DIR, for `uvicorn --factory`."""
    # It tells xlwings, at the import, that this is a server.
    from xlwings_server import config  # noqa: F401, PLC0415, I001
    import xlwings  # noqa: F401, PLC0415

    # This module belongs to `udfs`, which was so imported before there was a host: its names are
    # those for Python until they are made again.
    importlib.reload(udfs)
    from xlwings_server.main import main_app  # noqa: PLC0415

    return Guarded(main_app, int(os.environ.get(LIMIT_VARIABLE, LIMIT)))


class Guarded:
    """An ASGI application whose calls have limited bodies and threads of their own.

    Parameters
    ----------
    app : App
        The application to guard.
    limit : int
        The largest body it takes [bytes].
    """

    def __init__(self, app: App, limit: int = LIMIT) -> None:
        self.app = app
        self.limit = limit
        self._threads = ThreadPoolExecutor(_THREADS, "call")
        self._large = ThreadPoolExecutor(_LARGE_THREADS, "large-call")
        self._own = threading.local()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        body = await self._body(scope, receive)
        if body is None:
            await self._refuse(send)
            return
        threads = self._large if len(body) > LARGE else self._threads
        loop = asyncio.get_running_loop()
        messages, error = await loop.run_in_executor(threads, self._answer, scope, body)
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

    def _answer(self, scope: Message, body: bytes) -> tuple[list[Message], Exception | None]:
        """Return what the application sends, and what it raises, on this thread."""
        messages: list[Message] = []
        asked = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return asked.pop() if asked else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            messages.append(message)

        if not hasattr(self._own, "loop"):
            self._own.loop = asyncio.new_event_loop()
        try:
            self._own.loop.run_until_complete(self.app(scope, receive, send))
        except Exception as error:
            # It has sent an answer of its own, which goes out before the error is told.
            return messages, error
        return messages, None
