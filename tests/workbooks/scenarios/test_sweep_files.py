"""The files of a sweep: what it reads, never writes over, and leaves when it is killed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from workbooks.recalc import BadInputError, RefusedError, UnwritableError
from workbooks.scenarios.sweep import sweep
from workbooks.scenarios.table import read_scenarios


@pytest.fixture
def model(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "M"
    sheet["A1"], sheet["A2"] = 30, "note"
    sheet["B1"], sheet["B2"], sheet["B3"] = "=A1*2", '=A2&"!"', "=1/(A1-10)"
    sheet["B4"] = "=A1>15"
    path = tmp_path / "model.xlsx"
    book.save(path)
    return path


def given(tmp_path: Path, text: str, name: str = "scenarios.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


# --- what is never written over --------------------------------------------------------------


@pytest.mark.parametrize("way", ["itself", "symbolic link", "hard link", "other spelling", "part"])
@pytest.mark.parametrize("which", ["model", "scenarios"])
def test_sources_are_never_written_over(model: Path, tmp_path: Path, which: str, way: str) -> None:
    # A model of any name: what counts is the file, not how it is called.
    source = tmp_path / ("a.csv.part" if way == "part" else "a.csv")
    scenarios = given(tmp_path, "M!A1\n1\n", "a.csv" if which == "scenarios" else "s.csv")
    if which == "model":
        model = model.rename(source)
    else:
        scenarios = scenarios.rename(source)
    target = source
    if way in ("symbolic link", "hard link"):
        target = tmp_path / "link.csv"
        (target.symlink_to if way == "symbolic link" else target.hardlink_to)(source)
    elif way == "other spelling":
        target = tmp_path / "sub" / ".." / "a.csv"
        (tmp_path / "sub").mkdir()
    elif way == "part":
        target = tmp_path / "a.csv"
    before = source.read_bytes()
    with pytest.raises(UnwritableError, match="another name"):
        sweep(model, scenarios, ["M!B1"], target)
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "outputs"), [("M!Z9\n1\n", ["M!B1"]), ("M!A1\n1\n", ["M!Z9x"]), ("x\n", ["M!B1"])]
)
def test_an_earlier_result_stays_until_the_model_evaluates(
    model: Path, tmp_path: Path, text: str, outputs: list[str]
) -> None:
    out = tmp_path / "out.csv"
    out.write_text("earlier")
    with pytest.raises(RefusedError):
        sweep(model, given(tmp_path, text), outputs, out)
    assert out.read_text() == "earlier"
    assert not (tmp_path / "out.csv.part").exists()


# --- going on --------------------------------------------------------------------------------


def stopped(model: Path, scenarios: Path, out: Path, after: int) -> Path:
    class Stopped(Exception):  # noqa: N818
        pass

    def stop(_stage: str, done: int, _total: int) -> None:
        if done == after:
            raise Stopped

    with pytest.raises(Stopped):
        sweep(model, scenarios, ["M!B1"], out, progress=stop)
    return Path(f"{out}.part")


def test_a_kill_at_any_byte(model: Path, tmp_path: Path) -> None:
    scenarios = given(tmp_path, "M!A1\n1\n2\n3\n")
    out = tmp_path / "out.csv"
    part = stopped(model, scenarios, out, 2)
    data = part.read_bytes()
    results = set()
    ends = [i + 1 for i, byte in enumerate(data) if byte == 10]
    # Each end of a line, the bytes beside it, and some within the lines.
    for cut in sorted({0, 1, len(data), *ends, *(e - 1 for e in ends), *(e + 3 for e in ends)}):
        part.write_bytes(data[:cut])
        report = sweep(model, scenarios, ["M!B1"], out, resume=True)
        assert report.resumed == max(sum(end <= cut for end in ends) - 1, 0)
        assert report.resumed + report.done == 3
        results.add(out.read_bytes())
        assert not part.exists()
    assert len(results) == 1


@pytest.mark.parametrize("change", ["model", "scenarios", "outputs", "seed", "rows", "no JSON"])
def test_another_sweep_is_not_resumed(model: Path, tmp_path: Path, change: str) -> None:
    scenarios = given(tmp_path, "M!A1\n1\n2\n3\n")
    out = tmp_path / "out.csv"
    part = stopped(model, scenarios, out, 2)
    outputs, seed = ["M!B1"], 0
    if change == "model":
        book = openpyxl.load_workbook(model)
        book["M"]["B1"] = "=A1*3"
        book.save(model)
    elif change == "scenarios":
        given(tmp_path, "M!A1\n1\n7\n3\n")
    elif change == "outputs":
        outputs = ["M!B2"]
    elif change == "seed":
        seed = 1
    elif change == "rows":
        first, _, *rest = part.read_text().splitlines(keepends=True)
        part.write_text("".join([first, *rest]))
    else:
        part.write_text("M!A1\n1\n")
    before = part.read_bytes()
    with pytest.raises(BadInputError):
        sweep(model, scenarios, outputs, out, seed=seed, resume=True)
    assert part.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGKILL,
        *(pytest.param(n, marks=pytest.mark.long) for n in (signal.SIGTERM, signal.SIGINT)),
    ],
)
def test_killed_and_resumed(model: Path, tmp_path: Path, number: int) -> None:
    scenarios = given(tmp_path, "M!A1\n" + "".join(f"{i}\n" for i in range(1, 2_000)))
    out = tmp_path / "out.csv"
    command = [
        *(sys.executable, "-m", "workbooks.cli", "sweep", model, "--inputs", scenarios),
        *("--outputs", "M!B1", "--outputs", "M!B2,M!A2", "-o", out),
    ]
    script = (
        "import sys, workbooks.scenarios.sweep as s; s.Model.at_once = lambda *_: {};"
        "from workbooks.cli import start; start()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *command[3:], "--no-isolate"], stderr=subprocess.DEVNULL
    )
    part = tmp_path / "out.csv.part"
    while process.poll() is None and not (part.exists() and part.read_bytes().count(b"\n") > 3):
        pass
    process.send_signal(number)
    assert process.wait(60) in (-number, 128 + number)
    assert not out.exists()
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert " 0 were done before" not in done.stdout
    rows = table(out)
    assert rows[0] == ["scenario", "M!A1", "M!B1", "M!B2", "M!A2", "error"]
    assert rows[1:] == [[str(i), str(i), str(2 * i), "note!", "note", ""] for i in range(1, 2_000)]
    assert {p.name for p in tmp_path.iterdir()} == {"model.xlsx", "scenarios.csv", "out.csv"}


def test_two_sweeps_into_one_file(model: Path, tmp_path: Path) -> None:
    scenarios = given(tmp_path, "M!A1\n1\n")
    out = tmp_path / "out.csv"

    def second(_stage: str, _done: int, _total: int) -> None:
        with pytest.raises(UnwritableError, match="another run"):
            sweep(model, scenarios, ["M!B1"], out)

    assert sweep(model, scenarios, ["M!B1"], out, progress=second).done == 1


# --- types -----------------------------------------------------------------------------------

TEXTS = ["=1+1", "+x", "-x", "@a", "007x", "1e5x", 'say "hi"', "a,b", "two\nlines", "TRUE?"]


def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["M!A2", "M!A1"], *([text, 20] for text in TEXTS)])
    return path


def test_types_in_a_workbook(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    sweep(model, texts(tmp_path), ["M!B1", "M!B2", "M!B3", "M!B4"], out)
    rows = list(openpyxl.load_workbook(out).active.iter_rows(min_row=2))
    for row, text in zip(rows, TEXTS, strict=True):
        number, given_text, given_number, double, shout, share, larger, error = row
        assert (given_text.value, given_text.data_type) == (text, "s")
        assert (shout.value, shout.data_type) == (f"{text}!", "s")
        assert (given_number.value, double.value, share.value) == (20, 40, 0.1)
        assert (larger.value, larger.data_type) == (True, "b")
        assert number.data_type == "n"
        assert error.value is None
    sweep(model, given(tmp_path, "M!A1\n10\n"), ["M!B3"], out)
    cell = openpyxl.load_workbook(out).active["C2"]
    assert (cell.value, cell.data_type) == ("#DIV/0!", "e")


def test_types_in_parquet(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    scenarios = given(tmp_path, "M!A1,M!A2\n10,=1\n20,2x\n")
    sweep(model, scenarios, ["M!B1", "M!B2", "M!B3"], out)
    frame = pd.read_parquet(out)
    assert frame["M!B1"].tolist() == [20.0, 40.0]
    assert frame["M!B2"].tolist() == ["=1!", "2x!"]
    assert frame["M!B3"].tolist() == ["#DIV/0!", "0.1"]


def test_no_text_is_a_formula_in_a_csv_file(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    sweep(model, texts(tmp_path), ["M!B2", "M!B1"], out)
    for row, text in zip(table(out)[1:], TEXTS, strict=True):
        assert row[1] == (f"'{text}" if text[0] in "=+-@" else text)
        assert row[3].removeprefix("'") == f"{text}!"
        assert (row[2], row[4]) == ("20", "40")
    sweep(model, given(tmp_path, "M!A1\n-3\n10\n"), ["M!B1", "M!B3"], out)
    assert table(out)[1][1:3] == ["-3", "-6"]
    assert table(out)[2][3] == "#DIV/0!"


# --- what is read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decimal", "rows"),
    [
        ("a;b\n0,5;x\n", None, [[0.5, "x"]]),
        ("a;b\n0.5;1\n", None, [[0.5, 1.0]]),
        ("a\tb\n1,25\t2\n", None, [[1.25, 2.0]]),
        ("a;b\n1,250;0,5\n", None, [[1.25, 0.5]]),
        ("a;b\n1,250;2\n", ",", [[1.25, 2.0]]),
        ("a;b\n1,250;2\n", ".", [[1250.0, 2.0]]),
        ('a,b\n"0,5",2\n', None, [[0.5, 2.0]]),
        ("'x;y'!A1,b\n1,2\n", None, [[1.0, 2.0]]),
        ('"x;y",b\n1,2\n', None, [[1.0, 2.0]]),
        ("a;b\n-,5;1e3\n", None, [[-0.5, 1000.0]]),
        ("a;b\n1,5e3;x,5\n", None, [[1500.0, "x,5"]]),
        ("a,b\r\n1,2\r\n", None, [[1.0, 2.0]]),
        ('a,b\n"one\ntwo",2\n', None, [["one\ntwo", 2.0]]),
    ],
)
def test_dialects(tmp_path: Path, text: str, decimal: str | None, rows: list) -> None:
    assert read_scenarios(given(tmp_path, text), decimal)[1] == rows


@pytest.mark.parametrize(
    ("text", "decimal", "why"),
    [
        ("a;b\n1,250;2\n", None, "thousands or decimals"),
        ("a;b\n0,5;0.5\n", None, "points and numbers with commas"),
        ("a;b,c\n1;2,3\n", None, "cannot be told"),
        ("a\n0,5\n", None, "one number with a comma"),
        ("a;b\n0,5;0.5\n", ",", "has a point"),
        ("a;b\n1;2\n", ";", r"it is \. or ,"),
    ],
)
def test_what_may_mean_two_things(tmp_path: Path, text: str, decimal: str | None, why: str) -> None:
    with pytest.raises(BadInputError, match=why):
        read_scenarios(given(tmp_path, text), decimal)


def test_exit_code_and_outputs_of_the_command(model: Path, tmp_path: Path) -> None:
    scenarios = given(tmp_path, "M!A1\n1\ncheap\n")
    out = tmp_path / "out.csv"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "workbooks.cli", "sweep", model, "--inputs", scenarios),
            *("--outputs", "M!B1", "--outputs", "M!B2,M!B4", "-o", out),
        ],
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 1
    assert "1 bad" in done.stdout
    assert table(out)[0] == ["scenario", "M!A1", "M!B1", "M!B2", "M!B4", "error"]
    assert "holds a number" in table(out)[2][-1]
