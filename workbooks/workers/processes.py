"""Processes of this machine that do tasks."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import Any

from workbooks.ooxml import files
from workbooks.workers.crew import LostError

_AHEAD = 2


class Processes:
    """Some processes of this machine, each started afresh.

    The calculator has threads of its own, which no forked copy would have.
    """

    together = True

    def __init__(self, count: int) -> None:
        self._count = count
        # All run this very program.
        self.versions: Mapping[str, str] = {}
        self._others: list[BaseProcess] = active_children()
        # They are killed, and what they work with is removed here.
        self._folder = files.working_folder()
        self._pool = self._made()

    def _made(self) -> ProcessPoolExecutor:
        # What counts semaphores starts with the first of them.
        with _unheard():
            return ProcessPoolExecutor(
                self._count,
                mp_context=get_context("spawn"),
                initializer=_begin,
                initargs=(str(self._folder),),
            )

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Hand over a task; that may start a process."""
        try:
            with _unheard():
                return self._pool.submit(function, *arguments)
        except BrokenProcessPool:
            raise LostError from None

    def window(self) -> int:
        """Return how many tasks keep all of them busy."""
        return _AHEAD * self._count

    def result(self, future: Future[Any]) -> Any:
        """Return what a task gives."""
        try:
            return future.result()
        except BrokenProcessPool:
            raise LostError from None

    def recover(self) -> None:
        """Start other processes: a pool of which one has died takes no more tasks."""
        self._end()
        self._pool = self._made()

    def check(self) -> None:
        """Go on waiting: a process that dies is told by the pool."""

    def close(self) -> None:
        """End the processes."""
        try:
            self._end()
        finally:
            with suppress(FileNotFoundError):
                files.remove_folder(self._folder)

    def _end(self) -> None:
        # A task that is begun may take hours, and nobody wants it any more. What has not begun
        # ends with the processes: the pool tells each that it broke, and fails in a traceback
        # where one was cancelled meanwhile.
        for child in active_children():
            if child not in self._others:
                child.kill()
        self._pool.shutdown()


@contextmanager
def _unheard() -> Iterator[None]:
    """Start processes whose complaints nobody hears: what goes wrong there comes back as an error.

    One that is killed while it starts would print a traceback, and what counts semaphores for all
    would complain of those that are left.
    """
    heard, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(heard, 2)
        os.close(heard)
        os.close(nowhere)


def _begin(folder: str) -> None:
    """Work in a folder, leave Ctrl-C to the process that asked, and end when that one has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = folder
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
