"""Many clients at once, for as long as a meeting's worth of recalculations."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

pytestmark = pytest.mark.long

CLIENTS, SECONDS = 200, 30.0
#: What the smallest call may wait while a huge range is computed beside it [s].
PATIENCE = 1.0
_PATH = "/xlwings/custom-functions-call"


def encoded(call, name: str, *arguments: object) -> bytes:
    return json.dumps(call(name, *arguments)).encode()


class Client:
    """A connection that stays open, as a browser's does."""

    def __init__(self, address: str) -> None:
        self.host, _, port = address.removeprefix("http://").partition(":")
        self.port = int(port)
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, body: bytes) -> bytes:
        """Return what a call is answered; anything but success fails."""
        if self.streams is None:
            self.streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self.streams
        head = f"POST {_PATH} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        status = await reader.readline()
        assert status.split()[1:2] == [b"200"], status
        length = 0
        while (line := await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        return await reader.readexactly(length)

    def close(self) -> None:
        """Close the connection."""
        if self.streams is not None:
            self.streams[1].close()


@pytest.mark.fault("200 clients of the server, for 30 s")
def test_many_clients(server, call, tried) -> None:
    async def client(number: int, end: float) -> int:
        mine, calls = Client(server), 0
        while time.monotonic() < end:
            # Every twentieth is a range; each has an answer that is its own.
            rows = 400 if (number + calls) % 20 == 0 else 1
            cost = number * 1000 + calls
            answer = await mine.ask(encoded(call, "TOK_SUBSIDY", [[cost]] * rows, 3 * cost))
            assert json.loads(answer) == {"result": [[2.0 * cost]] * rows}
            calls += 1
        mine.close()
        return calls

    async def all_of_them() -> list[int]:
        end = time.monotonic() + SECONDS
        return await asyncio.gather(*(client(number, end) for number in range(1, CLIENTS + 1)))

    calls = asyncio.run(all_of_them())
    assert min(calls) >= 1
    tried(sum(calls))


@pytest.mark.fault("a huge range beside small calls to the server")
def test_a_huge_range_stops_nobody(server, call, tried) -> None:
    """The limit of the body is 1 MB here: some 100,000 cells."""
    huge = encoded(call, "TOK_SUBSIDY", [[number] for number in range(90_000)], 3)
    small = encoded(call, "TOK_SUBSIDY", 1, 3)
    assert len(huge) < 2**20

    async def both() -> list[float]:
        one, other = Client(server), Client(server)
        # The first of each brings up what answers it.
        await one.ask(huge)
        await other.ask(small)
        task = asyncio.create_task(one.ask(huge))
        waits = []
        while not task.done():
            start = time.monotonic()
            assert json.loads(await other.ask(small)) == {"result": [[2.0]]}
            waits.append(time.monotonic() - start)
        assert len(json.loads(await task)["result"]) == 90_000
        one.close()
        other.close()
        return waits

    waits = [wait for _ in range(3) for wait in asyncio.run(both())]
    assert len(waits) >= 3
    assert max(waits) < PATIENCE
    tried(len(waits))
