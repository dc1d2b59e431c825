"""A new workbook of blocks: the figures of the plan, each block alone, what the checks see."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import warnings
from pathlib import Path

import pytest
from openpyxl import load_workbook

from workbooks.authoring.layout import Book
from workbooks.blocks import BLOCKS, LINES
from workbooks.blocks.layout import lay_out, rows
from workbooks.blocks.model import lay_out_model
from workbooks.build import build_book
from workbooks.recalc import recalculate

ROOT = Path(__file__).parents[3]
PASSING = "All checks pass"


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return build_book(
        lay_out_model("Ours", list(LINES)), tmp_path_factory.mktemp("m") / "m.xlsx"
    ).path


def months(path: Path, *sheets: str) -> dict[str, list[object]]:
    """Return the months of each row by its label."""
    workbook = load_workbook(path, data_only=True)
    found: dict[str, list[object]] = {}
    for sheet in sheets:
        for row in workbook[sheet].iter_rows(min_row=6, max_col=63, values_only=True):
            if row[0] and isinstance(row[3], int | float):
                found.setdefault(str(row[0]), list(row[3:]))
    return found


def flag(path: Path, sheet: str = "Checks") -> object:
    return load_workbook(path, data_only=True)[sheet]["A3"].value


def test_all_blocks_together_are_the_base_scenario_of_the_plan(model, built):
    own = months(model, "Fleet", "Prices", "Statements")
    plan = months(built("plan").path, "Base")
    shared = own.keys() & plan.keys()
    assert {"GPUs needed", "Revenue", "EBITDA", "Net profit", "Cash, closing"} <= shared
    # All that the plan has month by month, but for customers won and lost, and what growth costs.
    assert len(plan.keys() - shared) <= 6, plan.keys() - shared
    for label in shared:
        # In the blocks a row of another block is repeated.
        assert own[label] == pytest.approx(plan[label], rel=1e-12), label


@pytest.mark.parametrize("names", [["fleet"], ["prices"], ["statements"], ["prices", "statements"]])
def test_a_block_stands_without_the_others(names, tmp_path):
    built = build_book(lay_out_model("Ours", [*names, "checks"]), tmp_path / "m.xlsx")
    assert (built.report.errors, built.report.unevaluated, built.report.warnings) == ([], [], [])
    workbook = load_workbook(built.path, data_only=True)
    assert {sheet["A3"].value for sheet in workbook} == {PASSING}


def test_without_checks_no_sheet_shows_a_flag(tmp_path):
    path = build_book(lay_out_model("Ours", ["prices"]), tmp_path / "m.xlsx").path
    workbook = load_workbook(path)
    assert workbook.sheetnames == ["Cover", "Prices inputs", "Prices"]
    assert {sheet["A3"].value for sheet in workbook} == {None}


def test_rows_of_its_own_move_the_statements_and_the_books_balance(tmp_path):
    path = build_book(lay_out_model("Ours", ["statements", "checks"]), tmp_path / "m.xlsx").path
    before = months(path, "Statements")
    place = load_workbook(path).defined_names["statements_revenue"].attr_text
    first = place.partition(":")[0].replace("$", "")
    recalculate(path, set_values=[(first, 1e6)])
    after = months(path, "Statements")
    assert after["EBITDA"][0] - before["EBITDA"][0] == pytest.approx(950_000)
    assert max(abs(gap) for gap in after["Assets less liabilities and equity"]) < 1e-6
    assert flag(path) == PASSING


def test_the_checks_see_an_input_outside_its_limits_and_a_link_typed_over(model, tmp_path):
    wrong = tmp_path / "wrong.xlsx"
    recalculate(model, wrong, set_values=[("fleet_churn", 2.0)], force=True)
    assert "fail" in str(flag(wrong))
    place = load_workbook(model).defined_names["statements_revenue"].attr_text
    first = place.partition(":")[0].replace("$", "")
    recalculate(model, wrong, set_values=[(first, 5.0)], force=True)
    assert "fail" in str(flag(wrong))
    assert flag(wrong, "Statements") == flag(wrong)


def test_every_row_and_input_has_a_name_and_no_name_stands_twice():
    book, standing = Book("", "", ""), {}
    for name in BLOCKS:
        lay_out(book, name, standing)
    for name, refs in standing.items():
        assert {f"{name}_{key}" for key in refs} <= book.names.keys()
    # Every row has one maker, so that a later block knows where to look.
    for key, row in rows().items():
        assert key in standing[row.maker], key


def test_the_list_has_a_line_for_each_block(tokenbook):
    code, out, _ = tokenbook("new", "--list")
    assert code == 0
    assert len(out.splitlines()) == 1 + len(LINES)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Ours",), "needs a name and a file"),
        (("Ours", "-o", "m.xls"), "name the file .xlsx"),
        (("Ours", "-o", "m.xlsx", "--blocks", "fleet,price"), "prices"),
        (("Ours", "-o", "no/such/\0/m.xlsx"), "null"),
    ],
)
def test_what_cannot_be_begun_is_told_in_a_line(tokenbook, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    code, _, error = tokenbook("new", *arguments)
    assert (code, error.count("\n")) == (2, 1)
    assert told in error
    assert list(tmp_path.iterdir()) == []


def test_it_writes_over_a_file_only_with_force(tokenbook, tmp_path):
    path = tmp_path / "m.xlsx"
    path.write_text("mine")
    code, _, error = tokenbook("new", "Ours", "-o", path, "--blocks", "prices")
    assert (code, path.read_text()) == (2, "mine")
    assert "--force" in error
    assert tokenbook("new", "Ours", "-o", path, "--blocks", "prices", "--force")[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "Prices" in load_workbook(path).sheetnames


@pytest.mark.long
def test_the_walk_of_the_page_runs_as_it_stands(tokenbook, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "blocks.md").read_text(encoding="utf-8")
    (walk,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "tests" / "data" / "excel" / "table23.xlsx", "budget.xlsx")
    for line in walk.splitlines():
        code, _, error = tokenbook(*shlex.split(line)[1:])
        assert code == 0, f"{line}: {error}"
    names = load_workbook("budget-3.xlsx").defined_names
    for name in re.findall(r"(?:fleet|statements|prices)_\w+", page):
        assert name in names or name in load_workbook("ours.xlsx").defined_names, name
    assert flag(Path("budget-3.xlsx")) == flag(Path("ours.xlsx")) == PASSING
    for name, line in LINES.items():
        assert f"| `{name}` | {line} |" in page


@pytest.mark.ooxml
def test_the_validator_passes_it(model):
    done = subprocess.run(["ooxml-validator", model], capture_output=True, text=True, check=False)
    assert '"ok": true' in done.stdout, done.stdout
