"""The guard before xlwings Server: limits, threads for small calls, processes for large ones."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

# A process that is started fresh finds this by its name, along the same path.
sys.path.insert(0, str(Path(__file__).parent))

import apart

from udfs.hosts.officejs.app import LARGE, Guarded


def ask(guarded, *parts, told=None, method="POST"):
    """Return status and body of an answer."""
    headers = [] if told is None else [(b"content-length", str(told).encode())]
    scope = {"type": "http", "method": method, "path": "/", "headers": headers}
    waiting = [
        {"type": "http.request", "body": part, "more_body": i + 1 < len(parts)}
        for i, part in enumerate(parts)
    ]
    sent = []

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(guarded(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent), waiting


async def echo(scope, receive, send):
    """Answer with the body and the name of the thread."""
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    thread = threading.current_thread().name.encode()
    await send({"type": "http.response.body", "body": body + b" " + thread})


async def refuse(scope, receive, send):
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b"told"})
    raise ValueError("and why")


def test_a_small_call_has_a_thread_of_its_own():
    status, body, _ = ask(Guarded(echo), b"on", b"e")
    assert (status, body.split()[0]) == (200, b"one")
    assert body.split()[1].startswith(b"call")


def test_what_is_no_call_passes_as_it_is():
    assert ask(Guarded(echo), b"", method="GET")[1].endswith(b"MainThread")


@pytest.mark.parametrize("told", [None, 4, 11])
def test_a_body_over_the_limit_is_refused_and_not_read_to_its_end(told):
    status, body, unread = ask(Guarded(echo, 10), b"x" * 6, b"x" * 5, b"never read", told=told)
    assert status == 413
    assert b"larger than" in body
    assert unread


def test_a_body_at_the_limit_is_taken():
    assert ask(Guarded(echo, 10), b"x" * 10, told=10)[0] == 200


def test_an_answer_goes_out_before_its_failure_is_told():
    with pytest.raises(ValueError, match="and why"):
        ask(Guarded(refuse), b"one")


def test_a_large_call_goes_to_another_process():
    guarded = Guarded(echo, apart=apart.count)
    assert ask(guarded, b"x" * (LARGE + 1))[:2] == (200, str(LARGE + 1).encode())
    assert ask(guarded, b"x" * LARGE)[1].endswith(b"call_0")
    guarded._processes.shutdown()


def test_after_a_process_has_been_killed_the_next_large_call_is_answered():
    guarded = Guarded(echo, apart=apart.die)
    with pytest.raises(BrokenProcessPool):
        ask(guarded, b"x" * (LARGE + 1))
    guarded._apart = apart.count
    assert ask(guarded, b"x" * (LARGE + 1))[0] == 200
    guarded._processes.shutdown()
