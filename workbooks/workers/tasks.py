"""Tasks handed out a few at a time, their results in order, and those tried again that were lost.

What all tasks share, such as a workbook, goes to each worker once: it is asked for, by a name that
hangs on every byte of it, by the worker that has not got it. It travels as bytes, since the workers
may have no disk in common.
"""

from __future__ import annotations

import hashlib
import pickle
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

from workbooks.errors import BadInputError, CrashedError
from workbooks.workers.crew import Crew, LostError
from workbooks.workers.versions import difference

#: How often a task may be lost with its worker.
MOST_LOSSES = 3
# How long to wait before asking whether anybody works at all [s].
_PATIENCE = 5.0


class Job(NamedTuple):
    """What the tasks are.

    Parameters
    ----------
    make : Callable
        Makes `shared` ready for use, on an `ExitStack` that closes it; found by import.
    shared : object
        What all tasks need.
    function : Callable
        Called with what is ready and the arguments of a task; found by import.
    name : str
        What a task is called, as "block".
    """

    make: Callable[[Any, ExitStack], Any]
    shared: Any
    function: Callable[..., Any]
    name: str


class Lost(NamedTuple):
    """Stands in the place of the result of a task that was lost for good."""

    message: str


class _Lacks(NamedTuple):
    """Says that a worker has not got what the tasks share."""


class _Differs(NamedTuple):
    """Says that a worker would compute something else."""

    message: str


@dataclass(slots=True)
class _Task:
    number: int
    arguments: tuple[Any, ...]
    lost: int = 0
    content: bytes = b""


def results(crew: Crew, job: Job, tasks: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """Yield the results of tasks in their order; end with the first that is lost for good."""
    ahead: dict[int, Any] = {}
    following = 0
    # One that is behind holds up the others, so that what waits stays bounded.
    for number, result in _done(crew, job, tasks, lambda: len(ahead)):
        if isinstance(result, Lost):
            raise CrashedError(f"{result.message}; nothing was written")
        ahead[number] = result
        while following in ahead:
            yield ahead.pop(following)
            following += 1


def as_done(
    crew: Crew, job: Job, tasks: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[int, Any | Lost]]:
    """Yield the number of a task, from 0, and its result, as each is done."""
    return _done(crew, job, tasks, lambda: 0)


def _done(
    crew: Crew, job: Job, tasks: Iterable[tuple[Any, ...]], held: Callable[[], int]
) -> Iterator[tuple[int, Any | Lost]]:
    content = pickle.dumps((job.make, job.shared))
    key = hashlib.sha256(content).hexdigest()
    following = (_Task(number, one) for number, one in enumerate(tasks))
    again: deque[_Task] = deque()
    out: dict[Future[Any], _Task] = {}
    broken = False

    def taken(future: Future[Any]) -> Iterator[tuple[int, Any]]:
        """Yield what a task that has ended gives; have it done again where it gives nothing."""
        nonlocal broken
        task = out.pop(future)
        try:
            result = crew.result(future)
        except LostError as error:
            broken = True
            task.lost += error.times
            task.content = b""
            if task.lost < MOST_LOSSES:
                again.append(task)
            else:
                yield (
                    task.number,
                    Lost(
                        f"{job.name} {task.number + 1} was lost {_times(task.lost)}: each time the "
                        "worker that had it ended"
                    ),
                )
            return
        if isinstance(result, _Differs):
            raise BadInputError(result.message)
        if isinstance(result, _Lacks):
            task.content = content
            again.append(task)
        else:
            yield task.number, result

    while True:
        # Who loses them is seen when those that were lost together are tried alone.
        alone = crew.together and any(task.lost for task in (*again, *out.values()))
        room = 1 if alone else crew.window() - held()
        broken = False
        while len(out) < max(room, not out):
            task = again.popleft() if again else next(following, None)
            if task is None:
                break
            try:
                future = crew.submit(
                    _work, key, task.content, job.function, task.arguments, crew.versions
                )
            except LostError:
                again.appendleft(task)
                broken = True
                break
            out[future] = task
        if not out and not broken:
            return
        ended = wait(out, _PATIENCE, FIRST_COMPLETED).done
        if not ended:
            crew.check()
        for future in sorted(ended, key=lambda one: out[one].number):
            yield from taken(future)
        if broken:
            if crew.together:
                for future in sorted(wait(out).done, key=lambda one: out[one].number):
                    yield from taken(future)
            crew.recover()


def _times(count: int) -> str:
    return {3: "three times", 4: "four times"}.get(count, f"{count} times")


# --- on the worker --------------------------------------------------------------------------------


class _Ready(threading.local):
    """What a thread of a worker has ready: the last that was asked for."""

    key = ""
    value: Any = None
    stack: ExitStack | None = None


_ready = _Ready()


def _work(
    key: str,
    content: bytes,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    wanted: Mapping[str, str],
) -> Any:
    """Do a task with what is ready here; ask for that where it is not."""
    differs = difference(wanted)
    if differs:
        return _Differs(f"the worker on {socket.gethostname()} would compute otherwise: {differs}")
    if _ready.key != key:
        if not content:
            return _Lacks()
        if _ready.stack is not None:
            _ready.stack.close()
        _ready.key, _ready.stack = "", ExitStack()
        make, shared = pickle.loads(content)
        _ready.value = make(shared, _ready.stack)
        _ready.key = key
    return function(_ready.value, *arguments)
