"""A deadline that also ends a function that never comes back."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from workbooks.errors import DeadlineError

LATE = "the evaluation passed its deadline; nothing was written"


@contextmanager
def watched(deadline: float | None, cancel: Callable[[], None]) -> Iterator[None]:
    """Raise `DeadlineError` in what runs inside, once the deadline has passed.

    In the main thread of a POSIX system a signal does it, which also ends waiting; elsewhere the
    exception is put into the thread, which sees it at its next step in Python.

    Parameters
    ----------
    deadline : float, optional
        A time of the monotonic clock [s].
    cancel : Callable
        Tells the engine to end; called from the thread that evaluates.
    """
    if deadline is None:
        yield
        return
    left = max(deadline - time.monotonic(), 1e-3)
    main = threading.current_thread() is threading.main_thread()
    if main and hasattr(signal, "setitimer"):
        with _by_signal(left, cancel):
            yield
    else:
        with _by_exception(left):
            yield


@contextmanager
def _by_signal(seconds: float, cancel: Callable[[], None]) -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        cancel()
        raise DeadlineError(LATE)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_exception(seconds: float) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())

    def late() -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(DeadlineError))

    timer = threading.Timer(seconds, late)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
