"""The server for Excel under load: 200 clients for 30 seconds, and small calls beside huge ones.

`python benchmarks/server.py` starts `tokenbook excel serve` on this machine and prints how many
calls were answered, how many wrongly or not at all, and how long small calls took while huge
ranges were being answered. Needs the extra `server`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

CLIENTS = 200
SECONDS = 30.0
HUGE_ROWS = 500_000
PATH = "/xlwings/custom-functions-call"


def main() -> None:
    """Serve a project and load it."""
    from udfs.hosts.officejs.project import write_server_project  # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        write_server_project(folder)
        with (Path(folder) / "log.txt").open("w") as log:
            program = "from workbooks.cli import main; main()"
            server = subprocess.Popen(
                [sys.executable, "-c", program, "excel", "serve", folder, "--port", str(port)],
                env={**os.environ, "XLWINGS_LICENSE_KEY": "noncommercial"},
                stdout=log,
                stderr=log,
            )
        try:
            asyncio.run(load(port))
        finally:
            server.terminate()
            server.wait(30)


async def load(port: int) -> None:
    """Run both loads."""
    while True:
        try:
            await ask(port, 1, 1)
            break
        except OSError:
            await asyncio.sleep(0.1)
    until = time.perf_counter() + SECONDS
    counts = await asyncio.gather(*(client(port, until, n) for n in range(CLIENTS)))
    calls, faults = (sum(count) for count in zip(*counts, strict=True))
    print(f"{CLIENTS} clients, {SECONDS:g} s: {calls} calls answered, {faults} errors")

    alone = await small(port, lambda: False)
    huge = [asyncio.create_task(ask(port, 7, HUGE_ROWS)) for _ in range(2)]
    beside = await small(port, lambda: not all(task.done() for task in huge))
    right = all(await asyncio.gather(*huge))
    print(f"a small call alone: {max(alone):.3f} s at most")
    print(
        f"beside two ranges of {HUGE_ROWS} cells: {len(beside)} calls, {max(beside):.3f} s at most"
        f" (huge answers right: {right})"
    )


async def client(port: int, until: float, number: int) -> tuple[int, int]:
    """Call until the time is up; return how many calls were answered, and how many were wrong."""
    calls = faults = 0
    while time.perf_counter() < until:
        try:
            right = await ask(port, number + 1, 100 if number % 10 == 0 else 1)
        except (OSError, ValueError):
            right = False
        calls += 1
        faults += not right
    return calls, faults


async def small(port: int, going_on: object) -> list[float]:
    """Return how long small calls take, one after the other."""
    taken = []
    while len(taken) < 20 or going_on():  # type: ignore[operator]
        start = time.perf_counter()
        assert await ask(port, 2, 1)
        taken.append(time.perf_counter() - start)
        await asyncio.sleep(0.02)
    return taken


async def ask(port: int, number: int, rows: int) -> bool:
    """Call TOK_SUBSIDY as Excel does, on a connection of its own; tell whether it is right."""
    call = {
        "func_name": "TOK_SUBSIDY",
        "args": [[[number]] * rows, [[3 * number]]],
        "caller_address": "[Book1.xlsx]Sheet1!A1",
        "culture_info_name": "en-US",
        "date_format": "m/d/yyyy",
        "version": version("xlwings"),
        "client": "Office.js",
        "runtime": "1.4",
    }
    body = json.dumps(call).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    writer.write(body)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    head_, _, content = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head_[:20]:
        raise ValueError(answer[:200])
    # Not taken apart: a client that parses a huge answer would itself hold up the small calls.
    shown = f"[{2 * number}.0]"
    start = f'{{"result":[{",".join([shown] * min(rows, 5))}'
    return content.startswith(start.encode()) and content.count(b"[") == rows + 1


if __name__ == "__main__":
    main()
