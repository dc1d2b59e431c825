"""A job in a process of its own, watched from outside: a crash or a runaway becomes a refusal.

On POSIX the command forks before the calculator is loaded, which costs a few milliseconds;
elsewhere, and from Python, a fresh interpreter is started. What watches it has nothing to compute:
it sees how much memory the other takes, whether its time is over, and how it ends; it hands on
signals, and puts away what a process that was killed leaves.

Windows has no fork and no signal but Ctrl-C: there a process is started where it is asked for,
ended from outside at its deadline, and its memory is not watched.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NamedTuple, Protocol

from workbooks.errors import BadInputError, CrashedError, DeadlineError, RefusedError, TooLargeError
from workbooks.ooxml import files
from workbooks.ooxml.publish import put_away
from workbooks.watch import LATE, Interrupted, ending_signals

#: What a process is given to end by itself before it is killed [s].
GRACE = 5.0
#: The codes that a process ends with by its own will; Windows gives a crash other positive ones.
ENDINGS = frozenset({0, 1, 2, 74, *(128 + number for number in ending_signals())})
_LOOK = 0.05
#: Variables that say where temporary files go.
_WORK_FOLDERS = ("TMPDIR", "TEMP", "TMP")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([KMGT]?)i?B?", re.IGNORECASE)
_SMALLEST = 64 << 20


class Limits(NamedTuple):
    """What a job may take.

    `memory` in bytes; `deadline` as a time of the monotonic clock [s].
    """

    memory: int
    deadline: float | None


def memory_limit(text: str | None) -> int:
    """Return bytes from a text such as 8G or 500M; half of the machine without one."""
    if text is None:
        return max(machine_memory() // 2, _SMALLEST)
    found = _SIZE.fullmatch(text.strip())
    size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
    if size < _SMALLEST:
        raise BadInputError(
            f"--max-memory is {text!r:.40}; write it as 8G or 500M, at least {_SMALLEST >> 20}M"
        )
    return size


def machine_memory() -> int:
    """Return the memory of the machine, or what a container is given of it [B]."""
    found = [1 << 62]
    if hasattr(os, "sysconf"):
        with suppress(ValueError, OSError):
            found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(found)


def resident(process: int) -> int:
    """Return the memory that a process and those it started hold, 0 where it cannot be told [B]."""
    if sys.platform == "darwin":
        return _resident_by_ps(process)
    total, waiting = 0, [process]
    while waiting:
        one = waiting.pop()
        with suppress(OSError, ValueError, IndexError):
            statm = Path(f"/proc/{one}/statm").read_text(encoding="ascii")
            total += int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError, ValueError):
                waiting += map(int, thread.read_text(encoding="ascii").split())
    return total


def _resident_by_ps(process: int) -> int:
    with suppress(OSError, ValueError):
        told = subprocess.run(
            ["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, check=False
        ).stdout
        rows = [[*map(int, line.split())] for line in told.splitlines()]
        family = {process}
        # A process has a higher number than the one that started it, but for a wrap-around.
        for number, parent, _ in sorted(rows):
            if parent in family:
                family.add(number)
        return sum(size << 10 for number, _, size in rows if number in family)
    return 0


class Child(Protocol):
    """A process that was started."""

    pid: int

    def wait(self, timeout: float) -> int:
        """Return the exit code (a signal as its negative number); raise `TimeoutExpired`."""

    def send_signal(self, number: int) -> None:
        """Send a signal."""

    def kill(self) -> None:
        """End it at once."""


@dataclass(slots=True)
class Forked:
    """A forked process; `alive` is a pipe that ends with it."""

    pid: int
    alive: int
    _code: int | None = None

    def wait(self, timeout: float) -> int:
        """Return the exit code; raise `TimeoutExpired`."""
        if self._code is None:
            if not select.select([self.alive], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("tokenbook", timeout)
            _, status = os.waitpid(self.pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
            os.close(self.alive)
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        if self._code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


@dataclass(slots=True)
class Supervisor:
    """Waits for a process.

    Parameters
    ----------
    child : Child
        The process.
    limits : Limits
        What it may take.
    targets : list of Path
        The files that it writes.
    folder : Path
        Where it works; removed at the end.
    """

    child: Child
    limits: Limits
    targets: list[Path]
    folder: Path
    _stopped: tuple[int, float] | None = None
    # SIGTERM ends a process of Windows at once, with the code 1.
    _terminated: bool = False

    def pass_on(self, number: int, _frame: FrameType | None = None) -> None:
        """Hand on a signal; the process that does not end by it is killed a little later."""
        if self._stopped is None:
            self._stopped = (number, time.monotonic())
        self._terminated = files.windows() and number == signal.SIGTERM
        # Windows has no Ctrl-C to send: the console has told the process too.
        with suppress(ValueError):
            self.child.send_signal(number)

    def take_signals(self) -> None:
        """Hand on the signals that would end this program."""
        for number in ending_signals():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.pass_on)

    def wait(self, stopping: Callable[[], bool] = lambda: False) -> int:
        """Return the exit code of a process that ended by itself; refuse in the place of others.

        Parameters
        ----------
        stopping : Callable
            Tells that the process is to end.
        """
        before = [_identity(target) for target in self.targets]
        try:
            killed: Exception | None = None
            while True:
                try:
                    code = self.child.wait(_LOOK)
                    break
                except subprocess.TimeoutExpired:
                    if self._stopped is None and stopping():
                        self.pass_on(signal.SIGTERM)
                    killed = killed or self._too_much()
                    if killed is not None:
                        self.child.kill()
            if code in ENDINGS and killed is None and not self._terminated:
                return code
            for target in self.targets:
                put_away(target)
            written = [_identity(target) for target in self.targets] != before
        finally:
            _remove(self.folder)
        if written:
            raise CrashedError(
                "it ended badly, but only after the file had been written", done=True
            )
        if self._stopped is not None:
            raise Interrupted(self._stopped[0])
        if killed is not None:
            raise killed
        raise CrashedError(f"the calculator crashed ({_name(code)}); nothing was written")

    def _too_much(self) -> Exception | None:
        now = time.monotonic()
        if resident(self.child.pid) > self.limits.memory:
            limit = self.limits.memory
            return TooLargeError(
                f"it takes more than {limit / (1 << 30):.2g} GB of memory (--max-memory); nothing "
                "was written"
            )
        if self.limits.deadline is not None and now > self.limits.deadline + GRACE:
            return DeadlineError(LATE)
        if self._stopped is not None and now > self._stopped[1] + GRACE:
            return RefusedError("interrupted")
        return None


def _remove(folder: Path) -> None:
    """Remove a folder in which processes that are just ending may still write."""
    end = time.monotonic() + GRACE
    while folder.exists() and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(_LOOK)


def _identity(path: Path) -> files.Identity | None:
    with suppress(OSError, ValueError):
        found = files.status(files.real(path))
        return None if found is None else files.identity(found)
    return None


def _name(code: int) -> str:
    """Return what an exit code says: a signal of POSIX, or a status of Windows."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}" if code < 0 else f"exit code {code:#x}"


def fork(limits: Limits, targets: list[Path]) -> Supervisor | None:
    """Go on in a forked process; return what watches it there, and None in the process itself."""
    signals = {*ending_signals()}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        folder = files.working_folder()
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        process = os.fork()
        if not process:
            os.close(reading)
            tempfile.tempdir = str(folder)
            # What this process starts works there too.
            os.environ.update(dict.fromkeys(_WORK_FOLDERS, str(folder)))
            _end_with(parent)
            return None
        os.close(writing)
        supervisor = Supervisor(Forked(process, reading), limits, targets, folder)
        supervisor.take_signals()
        return supervisor
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with(parent: int) -> None:
    """Have this process end when the one that watches it is killed; Linux alone knows how."""
    if sys.platform != "linux":
        return
    import ctypes  # noqa: PLC0415

    death_signal = 1
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(death_signal, signal.SIGTERM)
    # Where memory runs out, the system is to end this process and not another.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def start(
    command: list[str], limits: Limits, targets: list[Path], stdin: int | None = None
) -> Supervisor:
    """Start a program in a process of its own, with a folder of its own to work in."""
    folder = files.working_folder()
    where = dict.fromkeys(_WORK_FOLDERS, str(folder))
    # A terminal's Ctrl-C is for the one that watches; it hands it on.
    child = subprocess.Popen(
        command,
        stdin=stdin,
        env={**os.environ, **where},
        start_new_session=not files.windows(),
    )
    return Supervisor(child, limits, targets, folder)
