"""Many workbooks into a folder: a manifest that goes on, and a bad one that stops no other."""

from __future__ import annotations

import csv
import hashlib
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from workbooks.cli import app
from workbooks.errors import BadInputError, RefusedError, UnwritableError
from workbooks.recalc import recalculate
from workbooks.recalc.manifest import Manifest
from workbooks.recalc.many import Options, planned, recalculate_many
from workbooks.workers import Where

#: What a workbook of that name does to the process that recalculates it.
FAULTS = """
import sys
if "workbooks.recalc.apart" in sys.orig_argv:
    import ctypes, os
    from workbooks.recalc import run
    whole = run.recalculate_file
    def recalculate_file(path, *arguments, **options):
        if path.name == "crash.xlsx":
            os.abort()
        if path.name == "hang.xlsx":
            ctypes.CDLL(None).sleep(600)
        if path.name == "memory.xlsx":
            hold = [bytearray(1 << 24) for _ in range(1 << 20)]
        if path.name == "bug.xlsx":
            raise KeyError("a bug\\nin two lines")
        return whole(path, *arguments, **options)
    run.recalculate_file = recalculate_file
"""


def book(path: Path, value: float = 2, formula: str = "=A1*2") -> Path:
    made = openpyxl.Workbook()
    made.active["A1"], made.active["B1"] = value, formula
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)
    return path


def rows(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def value(path: Path) -> object:
    return openpyxl.load_workbook(path, data_only=True).active["B1"].value


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    book(folder / "a.xlsx", 1)
    book(folder / "deep" / "b.xlsx", 2)
    book(folder / "deep" / "c.xlsx", 3, "=1/0")
    (folder / "~$a.xlsx").write_bytes(b"Excel has it open")
    (folder / "notes.txt").write_text("none")
    return folder


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "faults"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULTS)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "workbooks.cli", "recalc", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_folder_gives_what_each_file_alone_gives(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    batch = recalculate_many([models], out, Options((("Sheet!A1", 7),), jobs=2), where=Where(2))
    assert (len(batch.rows), batch.skipped, batch.failed) == (3, 0, [])
    told = rows(out)
    assert set(told) == {"a.xlsx", "deep/b.xlsx", "deep/c.xlsx"}
    for name, row in told.items():
        alone = tmp_path / "alone.xlsx"
        recalculate(models / name, alone, set_values=[("Sheet!A1", 7)])
        assert (out / name).read_bytes() == alone.read_bytes()
        assert row["input_hash"] == digest(models / name)
        assert row["output_hash"] == digest(out / name)
        assert row["status"] == "done"
        assert row["in_error"] == ("1" if name == "deep/c.xlsx" else "0")
        alone.unlink()
    assert {p.name for p in out.rglob("*") if p.is_file()} == {
        "a.xlsx", "b.xlsx", "c.xlsx", "manifest.csv",
    }  # fmt: skip


def test_it_goes_on_and_does_again_what_has_changed(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def again(options: Options = Options()) -> int:  # noqa: B008
        batch = recalculate_many([models], out, options)
        assert not batch.failed
        assert len(batch.rows) == 3
        assert len(rows(out)) == 3
        return batch.skipped

    assert again() == 0
    assert again() == 3
    book(models / "a.xlsx", 10)
    assert again() == 2
    assert value(out / "a.xlsx") == 20
    (out / "deep" / "b.xlsx").write_bytes(b"other")
    assert again() == 2
    assert value(out / "deep" / "b.xlsx") == 4
    assert again(Options((("Sheet!A1", 5),))) == 0
    assert value(out / "a.xlsx") == 10
    (out / "a.xlsx").unlink()
    assert again(Options((("Sheet!A1", 5),))) == 2


def test_other_prices_are_other_options(models: Path, tmp_path: Path, monkeypatch) -> None:
    from workbooks.workers import versions  # noqa: PLC0415

    before = Options().mark()
    prices = tmp_path / "prices.csv"
    prices.write_text("provider,model,side,usd_per_mtok\n")
    monkeypatch.setenv("TOKENBOOK_PRICES", str(prices))
    versions.versions.cache_clear()
    assert Options().mark() != before
    versions.versions.cache_clear()


def test_a_kill_at_any_byte_of_the_manifest(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    recalculate_many([models], out, Options())
    manifest = out / "manifest.csv"
    data = manifest.read_bytes()
    whole = Manifest.of(out)
    whole.read()
    for cut in range(len(data) + 1):
        manifest.write_bytes(data[:cut])
        found = Manifest.of(out)
        found.read()
        assert list(found.rows.values()) == list(whole.rows.values())[: len(found.rows)]
        assert len(found.rows) == max(data[:cut].count(b"\n") - 1, 0)
    manifest.write_bytes(data[:-5])
    assert recalculate_many([models], out, Options()).skipped == 2
    assert len(rows(out)) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="faults of POSIX")
def test_a_bad_file_stops_no_other(tmp_path: Path, faults) -> None:
    models, out = tmp_path / "models", tmp_path / "out"
    for name in ("a", "bug", "crash", "hang", "memory", "z"):
        book(models / f"{name}.xlsx")
    (models / "damaged.xlsx").write_bytes(b"PK\3\4 and no more")
    done = run(models, "-o", out, "--jobs", 2, "--deadline", 5, "--max-memory", "400M")
    assert done.returncode == 1
    assert "2 files recalculated, 0 were done before, 5 failed" in done.stdout
    assert "Traceback" not in done.stderr
    told = rows(out)
    why = {
        "bug": "KeyError", "crash": "SIGABRT", "hang": "deadline", "memory": "GB of memory",
        "damaged": "damaged.xlsx",
    }  # fmt: skip
    for name, reason in why.items():
        row = told[f"{name}.xlsx"]
        assert (row["status"], row["output_hash"]) == ("failed", "")
        assert reason in row["message"]
    assert {p.name for p in out.iterdir()} == {"a.xlsx", "z.xlsx", "manifest.csv"}
    assert value(out / "z.xlsx") == 4
    assert list((tmp_path / "temporary").iterdir()) == []


def test_an_earlier_result_is_not_left_for_that_of_a_file_that_fails(tmp_path: Path) -> None:
    models, out = tmp_path / "models", tmp_path / "out"
    book(models / "a.xlsx")
    recalculate_many([models], out, Options())
    (models / "a.xlsx").write_bytes(b"damaged")
    assert len(recalculate_many([models], out, Options()).failed) == 1
    assert not (out / "a.xlsx").exists()
    # What is not ours is left, and told.
    (out / "a.xlsx").write_bytes(b"mine")
    failed = recalculate_many([models], out, Options()).failed
    assert "none of this run" in failed[0].message
    assert (out / "a.xlsx").read_bytes() == b"mine"


@pytest.mark.skipif(sys.platform != "linux", reason="faults of POSIX")
@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_leaves_what_is_done_and_no_process(tmp_path: Path, faults, number: int) -> None:
    models, out = tmp_path / "models", tmp_path / "out"
    for name in ("a", "b", "hang"):
        book(models / f"{name}.xlsx")
    process = subprocess.Popen(
        [sys.executable, "-m", "workbooks.cli", "recalc", models, "-o", out],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 100
    while not (out / "b.xlsx").exists() or len(rows(out)) < 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(number)
    # The pipe ends when all that hold it have ended: none goes on.
    printed, err = process.communicate(timeout=60)
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert (process.returncode, printed) == (128 + number, "")
        assert err.splitlines() == [
            "tokenbook: interrupted; 2 of 3 files are done, and the same command goes on"
        ]
        assert list((tmp_path / "temporary").iterdir()) == []
    (models / "hang.xlsx").rename(models / "c.xlsx")
    assert recalculate_many([models], out, Options()).skipped == 2


# --- what goes where ------------------------------------------------------------------------------


def test_two_that_would_become_one_are_told_before_anything(models: Path, tmp_path: Path) -> None:
    other = book(tmp_path / "other" / "a.xlsx")
    out = tmp_path / "out"
    with pytest.raises(BadInputError, match=r"would both become .*out/a\.xlsx"):
        recalculate_many([models, other], out, Options())
    assert not out.exists()
    # The same file twice is one.
    assert [one.name for one in planned([other, other], out)] == ["a.xlsx"]


def test_results_inside_the_folder_are_not_read(models: Path) -> None:
    out = models / "deep" / "out"
    recalculate_many([models], out, Options())
    assert recalculate_many([models], out, Options()).skipped == 3
    assert len(rows(out)) == 3


@pytest.mark.parametrize("way", ["folder", "link", "file", "nested"])
def test_what_is_read_is_never_written_over(models: Path, tmp_path: Path, way: str) -> None:
    before = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
    given, out = models, models
    if way == "link":
        out = tmp_path / "link"
        out.symlink_to(models)
    elif way == "file":
        given = models / "a.xlsx"
    elif way == "nested":
        # models/deep/b.xlsx would become models/b.xlsx, and models/deep/deep/b.xlsx the first.
        given = models / "deep"
        before[book(models / "deep" / "deep" / "b.xlsx")] = b""
        before = {path: path.read_bytes() for path in before}
    with pytest.raises(UnwritableError, match="to be read; give another folder"):
        recalculate_many([given], out, Options())
    assert {path: path.read_bytes() for path in models.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("content", "told"), [("a,b\n1,2\n", "no manifest"), ('file,"', None), ("", None)]
)
def test_a_manifest_of_something_else(models: Path, tmp_path: Path, content, told) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.csv").write_text(content)
    if told:
        with pytest.raises(RefusedError, match=told):
            recalculate_many([models], out, Options())
        assert (out / "manifest.csv").read_text() == content
    else:
        assert not recalculate_many([models], out, Options()).failed


def test_names_that_look_like_formulas(tmp_path: Path) -> None:
    models, out = tmp_path / "models", tmp_path / "out"
    book(models / "=1+1.xlsx")
    book(models / 'a,b "c".xlsx')
    recalculate_many([models], out, Options())
    assert set(rows(out)) == {"./=1+1.xlsx", 'a,b "c".xlsx'}
    assert recalculate_many([models], out, Options()).skipped == 2


def test_the_command_line(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def command(*options: object, files: tuple = (models,)) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["recalc", *map(str, (*files, *options))])
        if isinstance(done.exception, RefusedError):
            return 2, str(done.exception)
        return done.exit_code, done.output

    code, told = command("-o", out, "--dry-run")
    assert code == 0
    assert "3 to do, 0 done before" in told
    assert not out.exists()
    code, told = command("-o", out, "--set", "Sheet!A1=4", "--jobs", 2)
    assert code == 0
    assert "3 files recalculated, 0 were done before, 0 failed, 1 with cells in error" in told
    assert command("-o", out, "--set", "Sheet!A1=4", "--strict")[0] == 1
    assert "0 to do, 3 done before" in command("-o", out, "--set", "Sheet!A1=4", "--dry-run")[1]
    assert "give it with -o OUTDIR" in command()[1]
    assert command("-o", out, files=(tmp_path / "none",)) == (
        2, f"{tmp_path / 'none'}: no such file or folder"
    )  # fmt: skip
    # One file with a folder goes there too; with a file it is as ever.
    one = models / "a.xlsx"
    assert "1 files recalculated" in command("-o", out, files=(one,))[1]
    assert "1 cells evaluated" in command("-o", tmp_path / "one.xlsx", files=(one,))[1]


def test_a_workbook_of_today_is_done_again_where_another_moment_is_given(tmp_path: Path) -> None:
    book(tmp_path / "models" / "today.xlsx", formula="=TODAY()")
    out, times = tmp_path / "out", []
    for given in (None, None, datetime(2030, 1, 2), datetime(2030, 1, 2), datetime(2031, 1, 2)):
        batch = recalculate_many([tmp_path / "models"], out, Options(clock=given))
        times.append((batch.skipped, value(out / "today.xlsx")))
    days = [day for _, day in times]
    assert [skipped for skipped, _ in times] == [0, 1, 0, 1, 0]
    assert days[0] == days[1]
    # The days as Excel counts them.
    assert days[2:] == [47485, 47485, 47850]
