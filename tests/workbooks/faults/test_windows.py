"""The command line on what Windows has: each fault there is one line, and harms nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest

from workbooks.errors import UnwritableError
from workbooks.ooxml import files
from workbooks.recalc import recalculate

ONE = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f></c></row>'
DRIVER = Path(__file__).with_name("windows_driver.py")
#: What Python itself does for a while, and what a native library does for ever.
BUSY, STUCK = "time.sleep(3)", "ctypes.CDLL(None).sleep(600)"
INTERRUPTED = "tokenbook: interrupted; nothing was written"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="simulates what is there")


@pytest.fixture
def book(write, tmp_path: Path) -> Path:
    path = write(ONE)
    (tmp_path / "models").mkdir()
    return path.rename(tmp_path / "models" / path.name)


def command(path: Path, fault: str, *options: str) -> subprocess.Popen:
    temporary = path.parent.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, str(DRIVER), fault, "recalc", str(path), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip


def left(path: Path) -> set[str]:
    temporary = path.parent.parent / "temporary"
    return {p.name for folder in (path.parent, temporary) for p in folder.iterdir()} - {path.name}


@pytest.mark.fault("Windows: no fork")
@pytest.mark.parametrize("options", [(), ("--isolate",)])
def test_no_fork(book: Path, options: tuple[str, ...]) -> None:
    process = command(book, "", "--set", "S!A1=7", *options)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert not left(book)
    here = book.with_name("here.xlsx")
    recalculate(book, here)
    assert recalculate(here, dry_run=True).changed_count == 0


@pytest.mark.fault("Windows: Ctrl-C, which the console tells every process")
@pytest.mark.parametrize("options", [(), ("--isolate",)])
def test_ctrl_c(book: Path, options: tuple[str, ...]) -> None:
    before = book.read_bytes()
    process = command(book, BUSY, *options)
    assert process.stdout.readline() == "here\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert set(err.splitlines()) == {INTERRUPTED}
    assert book.read_bytes() == before
    assert not left(book)


@pytest.mark.fault("Windows: Ctrl-C to a calculator that hangs")
def test_ctrl_c_where_it_hangs(book: Path) -> None:
    before = book.read_bytes()
    process = command(book, STUCK, "--isolate")
    assert process.stdout.readline() == "here\n"
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.splitlines()) == (130, [INTERRUPTED])
    assert book.read_bytes() == before
    assert not left(book)


@pytest.mark.fault("Windows: a deadline without a timer")
@pytest.mark.parametrize(("fault", "options"), [(BUSY, ()), (STUCK, ("--isolate",))])
def test_deadline(book: Path, fault: str, options: tuple[str, ...]) -> None:
    before = book.read_bytes()
    process = command(book, fault, "--deadline", "0.5", *options)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "deadline" in err.splitlines()[-1]
    assert book.read_bytes() == before
    assert not left(book)


@pytest.mark.fault("Windows: a crash of the calculator")
@pytest.mark.parametrize(
    ("fault", "told"), [("os.abort()", "0x3"), ("ctypes.string_at(0)", "0xc0000005")]
)
def test_crash(book: Path, fault: str, told: str) -> None:
    before = book.read_bytes()
    process = command(book, fault, "--isolate")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"crashed (exit code {told}); nothing was written" in err.splitlines()[-1]
    assert book.read_bytes() == before
    assert not left(book)


@pytest.mark.fault("Windows: two runs on one file")
def test_two_runs(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: set[tuple[int, int]] = set()

    def locking(handle: int, mode: int, count: int) -> None:
        status = os.fstat(handle)
        place = (status.st_dev, status.st_ino)
        assert (mode, count) == (2, 1)
        if place in locked:
            raise PermissionError(13, "Permission denied")
        locked.add(place)

    msvcrt = types.ModuleType("msvcrt")
    msvcrt.locking, msvcrt.LK_NBLCK = locking, 2
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(files, "windows", lambda: True)
    before = book.read_bytes()
    with files.open_lock(book.with_name(f".{book.name}.tokenbook-lock")) as other:
        assert files.lock(other)
        with pytest.raises(UnwritableError, match="another run"):
            recalculate(book, set_values=[("S!A1", 5)])
    assert book.read_bytes() == before
