"""Sends a signal to recalculations at random moments of one stage, and tells what came of each.

Run as a program with a workbook that stands in a folder of its own, the way (command or api), the
stage, the signal, the number of tries and a seed; prints a list of JSON objects. Each try is a
forked child, so that what is loaded once serves all. It writes down, in the order in which they
happen, that the signal is sent, that it has been delivered, and that the new file is about to be
put in place: a signal delivered before that must leave the old file.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import workbooks.cli.recalc as command
from workbooks.cli import start
from workbooks.ooxml import files, package
from workbooks.recalc import job, recalculate, results, run
from workbooks.watch import TOO_LATE, Watch

STAGES = ("start", "read", "rewrite", "load", "evaluate", "splice", "publish", "report")


def hook(reached: Callable[[str], None]) -> None:
    """Have `reached` called as each stage begins."""

    def before(owner: object, name: str, stage: str) -> None:
        whole = getattr(owner, name)

        def wrapper(*arguments, **options):
            reached(stage)
            return whole(*arguments, **options)

        setattr(owner, name, wrapper)

    before(package.Package, "__init__", "read")
    before(job, "write_copy", "rewrite")
    before(results.Results, "write", "splice")
    before(files, "sync", "publish")
    before(command, "_tell", "report")
    make = run.Job

    def with_stages(*arguments, **options):
        made = make(*arguments, **options)
        load, evaluate = made.calculator.load, made.calculator.evaluate

        def loading(path):
            reached("load")
            load(path)
            reached("evaluate")

        made.calculator.load, made.calculator.evaluate = loading, evaluate
        return made

    run.Job = with_stages


def note(events: Path, event: str) -> None:
    """Write down that something happens now; what is appended stands in the order of time."""
    with events.open("ab", buffering=0) as file:
        file.write(f"{event}\n".encode())


def note_placing(events: Path) -> None:
    """Have it written down when the new file is about to be put in place."""
    put_in_place = Watch.put_in_place

    def noted(watch: Watch, step: Callable[[], None]) -> None:
        note(events, "placing")
        put_in_place(watch, step)

    Watch.put_in_place = noted


def work(path: Path, way: str) -> int:
    if way == "command":
        end = os._exit

        def leave(code: int) -> NoReturn:
            os._exit = end
            raise SystemExit(code)

        os._exit = leave
        # The tries are forked processes already.
        sys.argv = ["tokenbook", "recalc", str(path), "--no-isolate"]
        try:
            start()
        except SystemExit as stop:
            return stop.code or 0
        return 0
    try:
        recalculate(path)
    except KeyboardInterrupt as stop:
        return 0 if TOO_LATE in getattr(stop, "__notes__", ()) else 130
    return 0


def child(step: Callable[[], int], temporary: Path) -> tuple[int, str]:
    """Run a step in a forked child; return its exit code and what it wrote to stderr."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(writing, 2)
        tempfile.tempdir = str(temporary)
        code = 99
        try:
            code = step()
        except KeyboardInterrupt:
            # Python itself ends so a program that has not come to its first line.
            code = 130
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as errors:
        told = errors.read()
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), told


def timed(path: Path, way: str, temporary: Path) -> dict[str, float]:
    """Return how long each stage takes."""
    marks = temporary / "marks"

    def step() -> int:
        found: list[tuple[str, float]] = []
        hook(lambda stage: found.append((stage, time.monotonic())))
        found.append(("start", time.monotonic()))
        code = work(path, way)
        found.append(("end", time.monotonic()))
        marks.write_text(json.dumps(found))
        return code

    code, told = child(step, temporary)
    if code:
        sys.exit(f"without a signal the recalculation gives {code}: {told}")
    found = json.loads(marks.read_text())
    marks.unlink()
    first: dict[str, float] = {}
    for stage, at in found:
        first.setdefault(stage, at)
    order = sorted(first.items(), key=lambda item: item[1])
    return {s: t - at for (s, at), (_, t) in itertools.pairwise(order)}


def tries(path: Path, way: str, stage: str, number: int, count: int, seed: int) -> list[dict]:
    draw = random.Random(seed)
    temporary = path.parent.parent / "temporary"
    temporary.mkdir()
    events = path.parent.parent / "events"
    old = path.read_bytes()
    lengths = timed(path, way, temporary)
    new = path.read_bytes()
    outcomes = []
    for _ in range(count):
        path.write_bytes(old)
        events.write_bytes(b"")
        wait = draw.random() * lengths[stage]

        def step(wait: float = wait) -> int:
            sent, begun = threading.Event(), threading.Event()

            def send() -> None:
                begun.wait()
                time.sleep(wait)
                note(events, "sent")
                os.kill(os.getpid(), number)
                note(events, "delivered")

            def reached(at: str) -> None:
                if at == stage and not sent.is_set():
                    sent.set()
                    threading.Thread(target=send, daemon=True).start()
                    # Not while the thread is being started: that is not what is tried.
                    begun.set()

            hook(reached)
            note_placing(events)
            reached("start")
            return work(path, way)

        code, told = child(step, temporary)
        now = path.read_bytes()
        outcomes.append(
            {
                "code": code,
                "file": "old" if now == old else "new" if now == new else "torn",
                "litter": [p.name for p in path.parent.iterdir() if p != path]
                + [p.name for p in temporary.iterdir()],
                "told": told,
                "after": wait,
                "events": events.read_text().split(),
            }
        )
    return outcomes


if __name__ == "__main__":
    book, way_, stage_, name, count_, seed_ = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print(
        json.dumps(tries(Path(book), way_, stage_, getattr(signal, name), int(count_), int(seed_)))
    )
