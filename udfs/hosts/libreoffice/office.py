"""LibreOffice on this machine: where it is, and one of our own to ask.

`Calc` is a LibreOffice process with a profile of its own, so that it neither disturbs nor is
disturbed by a LibreOffice that the user has open. It ends with the `with` block, whatever happens.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.errors import TokenbookError
from udfs.hosts.libreoffice import addin

Progress = Callable[[int, int], None]

_SOFFICE = "soffice"
_PLACES = (
    "/usr/bin/soffice",
    "/usr/lib/libreoffice/program/soffice",
    "/opt/libreoffice*/program/soffice",
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    "C:/Program Files/LibreOffice/program/soffice.exe",
)
_PYTHONS = ("python", "python.exe", "../Resources/python", "../Frameworks/python")
_ASK_VERSION = "import sys, uno; print(*sys.version_info[:3], sep='.')"
_GRACE_SECONDS = 20.0
_KEPT_SECONDS = 86_400.0


class LibreOfficeError(TokenbookError):
    """LibreOffice is not there, does not start, or refuses; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A LibreOffice and the Python that belongs to it."""

    soffice: Path
    python: Path
    python_version: str

    @property
    def matches(self) -> bool:
        """Whether compiled packages of the running Python, NumPy's, load in LibreOffice's."""
        return self.python_version.split(".")[:2] == [str(n) for n in sys.version_info[:2]]


def find_soffice() -> Path | None:
    """Return where LibreOffice is; the variable TOKENBOOK_SOFFICE comes before all places."""
    told = os.environ.get("TOKENBOOK_SOFFICE") or shutil.which(_SOFFICE)
    if told:
        return Path(told) if Path(told).is_file() else None
    for place in map(Path, _PLACES):
        root = Path(place.anchor)
        found = sorted(root.glob(str(place.relative_to(root))))
        if found:
            return found[-1]
    return None


@cache
def program() -> Program:
    """Find LibreOffice and its Python.

    Returns
    -------
    Program
        What was found [-].

    Raises
    ------
    LibreOfficeError
        If there is none, or its Python cannot be run.
    """
    soffice = find_soffice()
    if soffice is None:
        raise LibreOfficeError(
            "LibreOffice (soffice) was not found; install LibreOffice Calc,"
            " or set TOKENBOOK_SOFFICE to where it is"
        )
    beside = soffice.resolve().parent
    # Distributions let LibreOffice use the system's Python; others bring their own.
    for python in [*(beside / name for name in _PYTHONS), Path("/usr/bin/python3")]:
        if python.is_file():
            asked = subprocess.run(
                [python, "-c", _ASK_VERSION],
                capture_output=True,
                text=True,
                check=False,
                env=environment(python),
            )
            if asked.returncode == 0:
                return Program(soffice, python, asked.stdout.strip())
    raise LibreOfficeError(
        f"no Python with UNO belongs to {soffice}; on Debian and Ubuntu: apt install python3-uno"
    )


def environment(python: Path) -> dict[str, str]:
    """Return the environment for LibreOffice and its Python.

    The Python inside LibreOffice looks along PATH for its home. An activated virtual environment,
    the usual place to call this from, would give it that of another Python, and every call of UNO
    would then end in `std::bad_alloc`.
    """
    misleading = {"PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in misleading}
    return kept | {"PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])}


def default_profile() -> Path:
    """Return the folder of the profile that the user's own LibreOffice has."""
    if sys.platform == "win32":
        base = Path(os.environ["APPDATA"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library/Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return base / ("libreoffice" if sys.platform == "linux" else "LibreOffice") / "4"


class Calc:
    """A LibreOffice Calc of our own; a context manager.

    Parameters
    ----------
    profile : Path
        Folder of the profile it shall use; made when it is not there [-].
    seconds : float
        How long everything asked of it may take together [s].
    """

    def __init__(self, profile: Path, seconds: float = 300.0) -> None:
        self.profile = profile
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._lines: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        found = program()
        self._scratch = tempfile.TemporaryDirectory(prefix="tokenbook-", ignore_cleanup_errors=True)
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [
                found.python,
                Path(__file__).with_name("bridge.py"),
                found.soffice,
                self.profile.resolve().as_uri(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            # LibreOffice leaves its temporary files behind when it is ended by force.
            env=environment(found.python) | dict.fromkeys(("TMPDIR", "TEMP"), self._scratch.name),
            # A group of its own, so that LibreOffice can be ended with all that it started.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._answer(None)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._send({"request": "quit"})
            # Where it does not end by itself, it is ended below.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        self._end()

    def ask(self, request: str, progress: Progress | None = None, **what: Any) -> Any:
        """Ask the bridge for one thing (see `bridge.Bridge`) and return the answer.

        Raises
        ------
        LibreOfficeError
            If it refuses, ends, or has used up its time.
        """
        self._send({"request": request, **what})
        return self._answer(progress)

    def _send(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def _answer(self, progress: Progress | None) -> Any:
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, self._deadline - time.monotonic()))
            except queue.Empty:
                raise LibreOfficeError(
                    f"LibreOffice was not ready within {self.seconds:g} seconds and was ended"
                ) from None
            if not line:
                raise self._ended()
            answer = json.loads(line)
            if "refused" in answer:
                raise LibreOfficeError(f"LibreOffice: {answer['refused']}{self._told()}")
            if "result" in answer:
                return answer["result"]
            if progress:
                progress(*answer["progress"])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _ended(self) -> LibreOfficeError:
        return LibreOfficeError(f"LibreOffice ended unexpectedly{self._told()}")

    def _told(self) -> str:
        """Return the last lines that LibreOffice wrote, which often hold the cause."""
        self._errors.seek(0)
        lines = [line.rstrip() for line in self._errors if line.strip() and "javaldx" not in line]
        return "".join(f"\n  {line}" for line in lines[-8:])

    def _end(self) -> None:
        """End whatever of it still runs, and close what is open to it."""
        if sys.platform == "win32":
            subprocess.run(
                ["taskkill", "/T", "/F", "/PID", str(self._process.pid)],
                capture_output=True,
                check=False,
            )
        else:
            # Not there: all of it has ended by itself.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                # A request that was not taken any more is still to be written.
                with suppress(BrokenPipeError):
                    stream.close()
        self._scratch.cleanup()


def _cache_folder() -> Path:
    told = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    told = told or os.environ.get("XDG_CACHE_HOME")
    return Path(told or Path.home() / ".cache") / "tokenbook"


def check_python() -> None:
    """Make sure that LibreOffice's Python can run the functions.

    Raises
    ------
    LibreOfficeError
        If it cannot, saying why.
    """
    found = program()
    if not found.matches:
        mine = ".".join(map(str, sys.version_info[:2]))
        theirs = ".".join(found.python_version.split(".")[:2])
        raise LibreOfficeError(
            f"LibreOffice runs Python {theirs}, and Tokenbook is installed in Python {mine}, whose"
            f" NumPy it cannot load; install Tokenbook in an environment of Python {theirs}"
        )
    script = f"import sys; sys.path[:0] = {addin.import_paths()!r}; import udfs.functions"
    tried = subprocess.run(
        [found.python, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=environment(found.python),
    )
    if tried.returncode:
        last = tried.stderr.strip().splitlines()[-1:]
        raise LibreOfficeError(
            f"LibreOffice's Python ({found.python}) cannot import Tokenbook: {' '.join(last)}"
        )


def prepared_profile() -> Path:
    """Return a profile with the add-in in it, made once for each build of the add-in."""
    profile = _cache_folder() / f"libreoffice-{addin.fingerprint()}"
    if profile.is_dir():
        return profile
    check_python()
    profile.parent.mkdir(parents=True, exist_ok=True)
    _forget_old(profile.parent)
    with tempfile.TemporaryDirectory(dir=profile.parent, prefix="making-") as folder:
        extension = addin.build(Path(folder))
        made = Path(folder) / "profile"
        with Calc(made) as calc:
            calc.ask("add", extension=extension.as_uri())
        try:
            made.rename(profile)
        except OSError:
            # Somebody else was quicker; theirs is the same.
            if not profile.is_dir():
                raise
    return profile


def _forget_old(cache: Path) -> None:
    """Remove the profiles of other builds of the add-in; one that is wanted again is made anew."""
    for profile in cache.glob("libreoffice-*"):
        if time.time() - profile.stat().st_mtime > _KEPT_SECONDS:
            # One that is just being copied for use may resist; the next build takes it.
            shutil.rmtree(profile, ignore_errors=True)


@contextmanager
def calc_with_functions(seconds: float = 300.0) -> Iterator[Calc]:
    """Start a Calc that knows every function, with a copy of the prepared profile.

    Parameters
    ----------
    seconds : float
        How long everything asked of it may take together [s].

    Yields
    ------
    Calc
        The running LibreOffice [-].
    """
    prepared = prepared_profile()
    with tempfile.TemporaryDirectory(prefix="tokenbook-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder) / "profile"
        # Two with one profile would become one, so each has its copy.
        shutil.copytree(prepared, profile, ignore=shutil.ignore_patterns(".lock"))
        with Calc(profile, seconds) as calc:
            yield calc
