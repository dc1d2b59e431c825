"""A crash, a hang or a runaway in the process that does the work is one line, and harms nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from workbooks import supervise, watch
from workbooks.cli import UNTOLD
from workbooks.errors import BadInputError, CrashedError, DeadlineError, TooLargeError
from workbooks.recalc import recalculate
from workbooks.supervise import memory_limit

ONE = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f></c></row>'
#: What the calculator does instead of evaluating.
FAULTS = {
    "crash": "os.abort()",
    "segmentation fault": "ctypes.string_at(0)",
    "killed": "os.kill(os.getpid(), 9)",
    "hang": "ctypes.CDLL(None).sleep(600)",
    "runaway": "hold = [bytearray(1 << 24) for _ in range(1 << 20)]",
}
SCRIPT = """
import ctypes, os, sys, time
import faulthandler
from workbooks.calc.formualizer import FormualizerCalculator
from workbooks import supervise
from workbooks.ooxml import publish
from workbooks.cli import start
supervise.GRACE = 0.3
def fault(*_):
    {fault}
{where} = fault
start()
"""
EVALUATE = "FormualizerCalculator.evaluate"

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


def command(path: Path, fault: str, *options: str, where: str = EVALUATE) -> subprocess.Popen:
    temporary = path.parent.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(fault=fault, where=where), "recalc", path, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip


@pytest.fixture
def book(write, tmp_path: Path) -> Path:
    path = write(ONE)
    (tmp_path / "models").mkdir()
    return path.rename(tmp_path / "models" / path.name)


def nothing_left(path: Path) -> bool:
    return list(path.parent.iterdir()) == [path] and not any(
        (path.parent.parent / "temporary").iterdir()
    )


@pytest.mark.fault("a crash, a hang or a runaway of the calculator")
@posix
@pytest.mark.parametrize(
    ("fault", "options", "told"),
    [
        ("crash", (), "SIGABRT"),
        ("segmentation fault", (), "SIGSEGV"),
        ("killed", (), "SIGKILL"),
        ("hang", ("--deadline", "0.5"), "deadline"),
        ("runaway", ("--max-memory", "400M"), "more than 0.39 GB"),
    ],
)
def test_faults_of_the_calculator(book: Path, fault: str, options: tuple, told: str) -> None:
    before = book.read_bytes()
    process = command(book, FAULTS[fault], *options)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert told in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("tokenbook: ")
    assert book.read_bytes() == before
    assert nothing_left(book)


@pytest.mark.fault("a signal to a calculator that hangs")
@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_what_hangs(book: Path, number: int) -> None:
    before = book.read_bytes()
    process = command(book, f"print('here', flush=True); {FAULTS['hang']}")
    assert process.stdout.readline() == "here\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    # One that is killed on its way out has told it too.
    assert set(err.splitlines()) == {"tokenbook: interrupted; nothing was written"}
    assert book.read_bytes() == before
    assert nothing_left(book)


@pytest.mark.fault("a crash when the file has been written")
@posix
def test_a_crash_behind_the_publishing(book: Path) -> None:
    process = command(book, "os.abort()", where="publish.files.sync_folder")
    _, err = process.communicate(timeout=120)
    assert process.returncode == UNTOLD
    assert "had been written" in err
    assert nothing_left(book)
    assert recalculate(book, dry_run=True).changed_count == 0


@pytest.mark.fault("the one that watches is killed")
@pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")
def test_the_one_that_watches_is_killed(book: Path) -> None:
    before = book.read_bytes()
    process = command(book, "print('here', flush=True); time.sleep(2)")
    assert process.stdout.readline() == "here\n"
    process.kill()
    # The pipe ends when the process that did the work has ended too.
    process.communicate(timeout=120)
    assert book.read_bytes() == before
    assert list(book.parent.iterdir()) == [book]


def test_exit_codes_pass_through(write, tmp_path: Path) -> None:
    path = write('<row r="1"><c r="A1"><f>1/0</f></c></row>')
    command_line = [sys.executable, "-m", "workbooks.cli", "recalc", path]
    for option, code in (("--strict", 1), ("--dry-run", 0), ("--isolate", 0)):
        done = subprocess.run([*command_line, option], capture_output=True, text=True, check=False)
        assert done.returncode == code
        assert "1 cells evaluated" in done.stdout


# --- from Python ------------------------------------------------------------------------------


def test_apart(write, values) -> None:
    path = write(ONE)
    report = recalculate(path, set_values=[("S!A1", 5)], isolate=True)
    assert (report.evaluated, values(path)) == (1, {"A1": 5, "B1": 10})


def test_apart_a_refusal_is_the_same(write) -> None:
    with pytest.raises(BadInputError, match="no sheet"):
        recalculate(write(ONE), set_values=[("T!A1", 5)], isolate=True)


def test_apart_what_cannot_be_handed_over(write) -> None:
    with pytest.raises(BadInputError, match="another process"):
        recalculate(write(ONE), functions={"TOK_X": lambda: 1}, isolate=True)


def crash() -> float:
    os.abort()


def sleep() -> float:
    time.sleep(600)
    return 0.0


@pytest.mark.fault("a crash or a runaway in a process of its own")
@pytest.mark.parametrize(
    ("fault", "error"), [("os:abort", CrashedError), ("memory", TooLargeError)]
)
def test_apart_faults(
    write, monkeypatch: pytest.MonkeyPatch, fault: str, error: type[Exception]
) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_X()</f></c></row>')
    before = path.read_bytes()
    functions = {"TOK_X": os.abort}
    limit = None
    if fault == "memory":
        functions, limit = {}, 1 << 20
    with pytest.raises(error):
        recalculate(path, functions=functions, isolate=True, max_memory=limit)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.long
def test_apart_a_hang(write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_X(9)</f></c></row>')
    with pytest.raises(DeadlineError):
        recalculate(path, functions={"TOK_X": time.sleep}, isolate=True, deadline=1.0)


@posix
def test_apart_interrupted(write) -> None:
    path = write('<row r="1"><c r="A1"><f>TOK_X(600)</f></c></row>')
    before = path.read_bytes()
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        recalculate(path, functions={"TOK_X": time.sleep}, isolate=True)
    timer.join()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [("8G", 8 << 30), ("500 MB", 500 << 20), ("1.5g", 3 << 29), ("2GiB", 2 << 30)],
)
def test_sizes(text: str, size: int) -> None:
    assert memory_limit(text) == size


@pytest.mark.parametrize("text", ["", "-1", "nan", "1", "8X", "9" * 5_000, "0"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(BadInputError, match="max-memory"):
        memory_limit(text)


def test_half_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "machine_memory", lambda: 8 << 30)
    assert memory_limit(None) == 4 << 30


@pytest.mark.fault("a read or a write that never ends")
@pytest.mark.parametrize("stage", ["reading", "writing"])
def test_the_deadline_covers_all(write, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    from workbooks.ooxml import package  # noqa: PLC0415

    path = write(ONE)
    before = path.read_bytes()
    name = "chunks" if stage == "reading" else "write"

    def slow(*_arguments, **_options):
        time.sleep(600)

    monkeypatch.setattr(package.Package, name, slow)
    with pytest.raises(DeadlineError):
        recalculate(path, deadline=0.5)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_deadline_between_steps_in_another_thread(write) -> None:
    path = write(ONE)
    caught: list[BaseException] = []

    def run() -> None:
        try:
            recalculate(path, deadline=1e-9)
        except DeadlineError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert len(caught) == 1


# --- a simulation -----------------------------------------------------------------------------

#: Far more draws, one after the other, than a test has time for.
ENDLESS = ("--draws", "1000000", "--outputs", "S!B1")


def simulation(path: Path, *options: str) -> subprocess.Popen:
    risks = path.parent.parent / "risks.csv"
    risks.write_text("cell,distribution,low,high\nS!A1,uniform,1,2\n")
    temporary = path.parent.parent / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "workbooks.cli", "simulate", path, "--inputs", risks, *ENDLESS,
         "-o", path.with_name("out.csv"), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )  # fmt: skip


@pytest.fixture
def slow_book(write, tmp_path: Path) -> Path:
    """A workbook that is not computed for many draws at once."""
    path = write(
        '<row r="1"><c r="A1"><v>2</v></c>'
        '<c r="B1"><f>SUM(INDIRECT("A"&amp;ROUND(A1*0+1,0)))</f></c></row>'
    )
    (tmp_path / "models").mkdir()
    return path.rename(tmp_path / "models" / path.name)


@pytest.mark.fault("a signal, a deadline or a limit while a workbook is simulated")
@posix
@pytest.mark.parametrize(
    ("number", "workers"),
    [
        (signal.SIGTERM, "2"),
        pytest.param(signal.SIGTERM, "1", marks=pytest.mark.long),
        pytest.param(signal.SIGINT, "1", marks=pytest.mark.long),
        pytest.param(signal.SIGINT, "2", marks=pytest.mark.long),
    ],
)
def test_a_signal_to_a_simulation(slow_book: Path, number: int, workers: str) -> None:
    process = simulation(slow_book, "--workers", workers)
    time.sleep(4)
    process.send_signal(number)
    # The pipe ends when all that hold it have ended: no worker stays.
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (128 + number, "")
    assert set(err.splitlines()) - {
        "1,000,000 draws are rounded up to 1,048,576, whole blocks"
    } == {"tokenbook: interrupted; nothing was written"}
    assert nothing_left(slow_book)


@pytest.mark.fault("a signal, a deadline or a limit while a workbook is simulated")
@posix
@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param(("--deadline", "3"), "deadline", marks=pytest.mark.long),
        (("--deadline", "3", "--workers", "2"), "deadline"),
        (("--max-memory", "64M", "--workers", "2"), "GB of memory"),
    ],
)
def test_limits_of_a_simulation(slow_book: Path, options: tuple, told: str) -> None:
    process = simulation(slow_book, *options)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert told in err.splitlines()[-1]
    assert "Traceback" not in err
    assert nothing_left(slow_book)


@pytest.mark.fault("a signal, a deadline or a limit while a workbook is simulated")
def test_a_result_over_what_it_comes_from(slow_book: Path) -> None:
    before = slow_book.read_bytes()
    process = simulation(slow_book, "-o", str(slow_book))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "give the result another name" in err
    assert slow_book.read_bytes() == before
    assert nothing_left(slow_book)


@posix
def test_a_deadline_that_passes_while_the_signals_are_given_back(monkeypatch) -> None:
    """The timer's signal is held back just then, and must not end the program by its default."""
    given_back = watch.Watch.restore

    def late(self: watch.Watch) -> None:
        # To this thread: any other thread of the test's runner could take it while it waits here.
        signal.pthread_kill(threading.get_ident(), signal.SIGALRM)
        given_back(self)

    monkeypatch.setattr(watch.Watch, "restore", late)
    with pytest.raises(DeadlineError), watch.guarded(time.monotonic() + 60):
        pass
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@posix
def test_a_signal_that_was_lost_before_the_job_ends_it() -> None:
    """What a handler raises while Python tidies up behind an import is printed and swallowed."""
    ending = watch.Ending()
    with ending.answering():
        with suppress(watch.Interrupted):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(watch.Interrupted) as stop, watch.guarded() as job:
            job.put_in_place(lambda: pytest.fail("a file was put in place"))
    assert (stop.value.number, stop.value.written) == (signal.SIGTERM, False)
