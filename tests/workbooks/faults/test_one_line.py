"""What is given may be absurd: one line says so, and the exit code is that of a refusal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbooks.cli import UNTOLD, main
from workbooks.recalc import BadInputError, NotAWorkbookError, recalculate
from workbooks.review.cross_check import OtherCalculatorError, ask

ONE = '<row r="1"><c r="A1"><v>2</v></c><c r="B1"><f>A1*2</f></c></row>'
LONG = "9" * 5_000


@pytest.fixture
def tokenbook(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tokenbook", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code, *capsys.readouterr()

    return run


@pytest.mark.fault("settings of iteration that are no numbers")
@pytest.mark.parametrize(
    "calc",
    [
        'iterateCount="abc"', 'iterateCount="1e9"', 'iterateCount=""', f'iterateCount="{LONG}"',
        'iterateDelta="nan"', 'iterateDelta="inf"', 'iterateDelta="-1"', 'iterateDelta="x"',
    ],
)  # fmt: skip
def test_settings_of_iteration_that_are_no_numbers(write, calc: str) -> None:
    path = write(ONE, calc=f'<calcPr iterate="1" {calc}/>')
    with pytest.raises(NotAWorkbookError, match="iterate"):
        recalculate(path)
    # Where nothing is iterated, it does not matter.
    assert recalculate(write(ONE, calc=f"<calcPr {calc}/>")).evaluated == 1


@pytest.mark.parametrize("count", ["0", "-5", "99999999999"])
def test_iterations_beyond_those_of_excel(write, count: str) -> None:
    path = write(
        '<row r="1"><c r="A1"><f>A1/2+1</f><v>0</v></c></row>',
        calc=f'<calcPr iterate="1" iterateCount="{count}"/>',
    )
    assert recalculate(path).evaluated == 1


@pytest.mark.fault("rows that no sheet has")
@pytest.mark.parametrize("row", ["99999999999", LONG, "1048577", "0"])
@pytest.mark.parametrize("content", ["<f>1+1</f>", "<v>1</v>"])
def test_rows_that_no_sheet_has(write, row: str, content: str) -> None:
    path = write(f'{ONE}<row r="{row}"><c r="A{row}">{content}</c></row>')
    before = path.read_bytes()
    with pytest.raises(NotAWorkbookError) as refusal:
        recalculate(path)
    assert len(str(refusal.value)) < 200
    assert path.read_bytes() == before


@pytest.mark.fault("options that make no sense")
@pytest.mark.parametrize(
    "options",
    [
        ("--seed", "-1"), ("--seed", str(1 << 64)), ("--seed", LONG),
        ("--deadline", "nan"), ("--deadline", "-1"), ("--deadline", "0"), ("--deadline", "inf"),
        ("--deadline", LONG), ("--now", "0001-01-01"), ("--now", "10000-01-01"), ("--now", LONG),
        ("--set", f"S!A1={LONG}"), ("--set", f"S!A{LONG}=1"), ("--set", f"{LONG}=1"),
        ("--set", f"S!A1={'x' * 40_000}"), ("--set", LONG), ("--inputs", LONG),
        ("-o", f"{LONG}.xlsx"), ("-o", "nul\x00l.xlsx"),
    ],
)  # fmt: skip
def test_options_that_make_no_sense(write, tokenbook, options) -> None:
    path = write(ONE)
    before = path.read_bytes()
    code, out, err = tokenbook("recalc", path, *options)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    # A refusal of ours is one line; those of the parser of the command line are a box.
    assert err.startswith("Usage") or (err.startswith("tokenbook: ") and err.count("\n") == 1)
    assert len(err) < 6_500
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_to_build_whose_name_is_too_long(tokenbook) -> None:
    code, _, err = tokenbook("build", "breakeven", "-o", f"{LONG}.xlsx")
    assert (code, err.count("\n")) == (2, 1)


@pytest.mark.fault("numbers that no cell holds")
@pytest.mark.parametrize("number", ["9" * 400, LONG, "1e999", "NaN", "-Infinity"])
def test_numbers_of_json_that_no_cell_holds(write, tokenbook, tmp_path: Path, number: str) -> None:
    inputs = tmp_path / "inputs.json"
    inputs.write_text(f'{{"S!A1": {number}}}')
    code, _, err = tokenbook("recalc", write(ONE), "--inputs", inputs)
    assert (code, err.count("\n")) == (2, 1)


@pytest.mark.parametrize("argument", [LONG, f"[{LONG}]", "9" * 400])
def test_numbers_of_a_call_that_no_cell_holds(tokenbook, argument: str) -> None:
    code, _, err = tokenbook("call", "TOK_SUBSIDY", argument, "3")
    assert (code, err.count("\n")) == (2, 1)


def test_settings_of_the_call(write) -> None:
    path = write(ONE)
    for options in ({"seed": -1}, {"deadline": float("nan")}, {"deadline": 0}):
        with pytest.raises(BadInputError):
            recalculate(path, **options)


@pytest.mark.fault("a full disk behind stdout")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout(write) -> None:
    path = write(ONE)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "workbooks.cli", "recalc", path],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == UNTOLD
    assert done.stderr == (
        "tokenbook: what was to be printed cannot be written: No space left on device\n"
    )
    # The work itself is done.
    assert recalculate(path, dry_run=True).changed_count == 0


@pytest.mark.fault("a pipe that nobody reads")
@pytest.mark.parametrize("strict", [True, False])
def test_a_reader_that_is_gone_hides_no_exit_code(write, strict: bool) -> None:
    path = write('<row r="1"><c r="A1"><f>1/0</f></c></row>')
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "workbooks.cli", "recalc", path, *["--strict"] * strict],
        stdout=writing, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (int(strict), "")


@pytest.mark.fault("a second engine that gives nothing")
@pytest.mark.parametrize(("code", "printed"), [("", ""), ("", "{"), ("import os; os.abort()", "")])
def test_a_second_engine_that_gives_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str, printed: str
) -> None:
    run = subprocess.run

    def instead(_command, **options):
        return run([sys.executable, "-c", f"print({printed!r}, end='');{code}"], **options)

    monkeypatch.setattr(subprocess, "run", instead)
    with pytest.raises(OtherCalculatorError):
        ask(tmp_path / "book.xlsx")
