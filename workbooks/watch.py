"""Signals and the deadline of a job: told in Python, whatever the calculator is doing.

A signal that arrives while the calculator runs would be lost: what a callback raises is swallowed,
and the values that were not computed would be written as if they were right. So a signal is noted
first of all; it ends the job at the next step, when the calculator has come back, or at once
where nothing can be left lying about.

Where a system has no such signals (SIGTERM and timers on Windows), or in a thread that is not the
main one, the deadline is looked at between the steps, and put into the thread as an exception
while it computes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from workbooks.errors import DeadlineError

LATE = "the recalculation passed its deadline; nothing was written"
#: Stands in the notes of an exception that the work was done before it.
TOO_LATE = "the signal came when the file had been written"
# A terminal and a supervisor may both send the signal of one Ctrl-C.
_ONE_PRESS = 0.5


class Interrupted(BaseException):
    """A signal that ends the program; `written` says that it came after the file was in place."""

    def __init__(self, number: int, *, written: bool = False) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
        self.written = written


@dataclass(slots=True)
class Ending:
    """What the command line does on a signal: end, and say whether a file has been written.

    What is raised where Python tidies up behind an import or an object is lost, so the signal is
    noted too: a job that begins after it ends at once.
    """

    written: bool = False
    came: int | None = None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        self.came = number
        raise Interrupted(number, written=self.written)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Take the signals that would end the program, but for those that it is to ignore."""
        before = {}
        for number in ending_signals():
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, self)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@dataclass(slots=True)
class Watch:
    """The signals and the deadline of one job.

    `deadline` is a time of the monotonic clock [s].
    """

    deadline: float | None = None
    raised: BaseException | None = None
    _free: bool = False
    _written: bool = False
    _cancel: Callable[[], None] | None = None
    _last: float = -1.0
    _before: dict[int, Any] = field(default_factory=dict)
    _own_death: int = 0

    # --- between the steps ---------------------------------------------------------------------

    def check(self) -> None:
        """End the job here, where a signal has come or the deadline has passed."""
        if self._written:
            return
        if self.raised is None and self.passed():
            self.raised = DeadlineError(LATE)
        if self.raised is not None:
            raise self.raised

    def passed(self) -> bool:
        """Tell whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() > self.deadline

    @contextmanager
    def free(self) -> Iterator[None]:
        """Let signals end at once what runs inside, which leaves nothing lying about."""
        before, self._free = self._free, True
        try:
            self.check()
            yield
        finally:
            self._free = before

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let what runs inside come to its end first: it makes or removes a file."""
        before, self._free = self._free, False
        try:
            yield
        finally:
            self._free = before

    def put_in_place(self, step: Callable[[], None]) -> None:
        """Take the step after which the file is the new one: no signal ends it any more."""
        self.check()
        step()
        self._written = True
        for handler in self._before.values():
            if isinstance(handler, Ending):
                handler.written = True

    # --- while the calculator runs -------------------------------------------------------------

    @contextmanager
    def evaluating(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Tell the calculator to end by `cancel`, which any thread may call, once it has to."""
        self.check()
        self._cancel = cancel
        try:
            yield
        finally:
            self._cancel = None
        self.check()

    def cancel(self) -> None:
        """Tell the calculator, if it runs, to end."""
        cancel = self._cancel
        if cancel is not None:
            cancel()

    # --- signals -------------------------------------------------------------------------------

    def signalled(self, number: int, frame: FrameType | None) -> None:
        """Take a signal: what was there before decides what it means."""
        before = self._before[number]
        raised: BaseException
        if callable(before):
            try:
                before(number, frame)
            except BaseException as error:
                raised = error
            else:
                # A handler of the program's own that only notes the signal.
                return
        else:
            self._own_death = number
            raised = Interrupted(number)
        now = time.monotonic()
        again = self.raised is not None and now - self._last > _ONE_PRESS
        self._last = now
        self._stop(raised, at_once=self._free or (again and not self._written))

    def late(self, _number: int, _frame: FrameType | None) -> None:
        """Take the signal of the timer."""
        self._stop(DeadlineError(LATE), at_once=self._free)

    def _stop(self, raised: BaseException, *, at_once: bool) -> None:
        if self.raised is None:
            self.raised = raised
        self.cancel()
        if at_once:
            raise self.raised

    def install(self) -> None:
        """Take the signals that would end the program, and the timer."""
        for number in ending_signals():
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self.signalled)
                if isinstance(before, Ending) and before.came is not None:
                    self.raised = Interrupted(before.came)
        if hasattr(signal, "setitimer"):
            self._before[signal.SIGALRM] = signal.signal(signal.SIGALRM, self.late)
            self._set_timer()

    def _set_timer(self) -> None:
        if _alarm() in self._before:
            left = 0.0 if self.deadline is None else max(self.deadline - time.monotonic(), 1e-3)
            signal.setitimer(signal.ITIMER_REAL, left)

    @contextmanager
    def until(self, deadline: float | None) -> Iterator[None]:
        """Give what runs inside a deadline of its own, if that is the earlier."""
        before = self.deadline
        times = [time for time in (before, deadline) if time is not None]
        self.deadline = min(times, default=None)
        self._set_timer()
        try:
            yield
        finally:
            self.deadline = before
            self._set_timer()

    def restore(self) -> None:
        """Give the signals back; the timer's own, if it waits while signals are held, is taken.

        Handed on, it would end the program without a word.
        """
        self.deadline = None
        self._set_timer()
        alarm = _alarm()
        if alarm in self._before and alarm in signal.sigpending():
            signal.signal(alarm, signal.SIG_IGN)
            self.raised = self.raised or DeadlineError(LATE)
        for number, before in self._before.items():
            signal.signal(number, before)

    def deliver(self) -> None:
        """Hand on what was held back, now that everything is put away."""
        if self.raised is None or (self._written and isinstance(self.raised, DeadlineError)):
            return
        if self._own_death:
            # The program never asked to be told: it ends as if nothing had been in between.
            os.kill(os.getpid(), self._own_death)
        if isinstance(self.raised, Interrupted):
            self.raised.written = self._written
        elif self._written:
            self.raised.add_note(TOO_LATE)
        raise self.raised

    def ends_by(self) -> frozenset[int]:
        """Return the signals that end the job, without asking a handler of the program's own."""
        ours = (signal.default_int_handler, signal.SIG_DFL)
        return frozenset(
            number
            for number, before in self._before.items()
            if before in ours or isinstance(before, Ending) or number == _alarm()
        )


def ending_signals() -> list[int]:
    """Return the signals that end a program; Windows has Ctrl-C and Ctrl-Break alone."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _alarm() -> int:
    return int(getattr(signal, "SIGALRM", -1))


@contextmanager
def guarded(deadline: float | None = None) -> Iterator[Watch]:
    """Note signals and the deadline while a job runs, and act on them when it is put away.

    Inside another such job, that one's watch is used.

    Parameters
    ----------
    deadline : float, optional
        A time of the monotonic clock [s].
    """
    if threading.current_thread() is not threading.main_thread():
        watch = Watch(deadline)
        yield watch
        return
    outer = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    if isinstance(outer, Watch):
        with outer.until(deadline):
            yield outer
        return
    watch = Watch(deadline)
    with _blocked():
        watch.install()
    try:
        with _woken(watch):
            yield watch
    except BaseException:
        with _blocked():
            watch.restore()
        watch.deliver()
        raise
    else:
        with _blocked():
            watch.restore()
        watch.deliver()


@contextmanager
def _blocked() -> Iterator[None]:
    """Let no signal come between two handlers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    wanted = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wakes() -> bool:
    """Tell whether a signal can be heard through a pipe: not on Windows."""
    return os.name != "nt"


@contextmanager
def _woken(watch: Watch) -> Iterator[None]:
    """Cancel the calculator from a thread: no handler runs before its native code comes back."""
    if not _wakes():
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    ends = watch.ends_by()

    def wait() -> None:
        while number := os.read(reading, 1):
            if number[0] in ends:
                watch.cancel()

    thread: threading.Thread | None = None
    try:
        if before == -1:
            thread = threading.Thread(target=wait, name="tokenbook-signals", daemon=True)
            thread.start()
        else:
            # Another part of the program (an event loop) waits for signals there.
            signal.set_wakeup_fd(before)
        yield
    finally:
        if before == -1:
            signal.set_wakeup_fd(-1)
        os.close(writing)
        if thread is not None:
            thread.join()
        os.close(reading)


@contextmanager
def watched(
    watch: Watch | None, deadline: float | None, cancel: Callable[[], None]
) -> Iterator[None]:
    """End what the calculator does inside, when a signal comes or the deadline passes.

    Parameters
    ----------
    watch : Watch, optional
        The job's; without one, only the deadline is looked at.
    deadline : float, optional
        A time of the monotonic clock [s].
    cancel : Callable
        Tells the calculator to end; called from any thread.
    """
    main = threading.current_thread() is threading.main_thread()
    signals = watch is not None and main and hasattr(signal, "setitimer")
    if watch is None:
        watch = Watch(deadline)
    with watch.evaluating(cancel):
        if deadline is None or signals:
            yield
        else:
            with _by_exception(max(deadline - time.monotonic(), 1e-3), cancel):
                yield


@contextmanager
def _by_exception(seconds: float, cancel: Callable[[], None]) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    ended = False

    def late() -> None:
        with suppress(RuntimeError):
            cancel()
        if not ended:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(DeadlineError))

    timer = threading.Timer(seconds, late)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        ended = True
        timer.cancel()
        timer.join()
