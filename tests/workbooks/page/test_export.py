"""What a page shows of a workbook, what is left out by name, and what is refused."""

from __future__ import annotations

import threading

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.build import drafted
from workbooks.errors import BadInputError, CalculatorFailedError, RefusedError, UnwritableError
from workbooks.page.calculator import PageCalculator
from workbooks.page.export import export
from workbooks.page.formats import shown
from workbooks.page.script import ScriptError
from workbooks.page.truth import Recalculation


@pytest.fixture
def model(tmp_path):
    """A workbook with two inputs and three results, one of them by chance."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Model"
    cells = (
        ("Price", 2.0), ("Volume", 3.0), ("Sales", "=B1*B2"), ("Luck", "=B1*RAND()"),
        ("Ranked", "=TOK_SUBSIDY(B1,5)"),
    )  # fmt: skip
    for row, (label, value) in enumerate(cells, start=1):
        sheet.cell(row, 1, label)
        sheet.cell(row, 2, value)
        name = label.lower()
        workbook.defined_names[name] = DefinedName(name, attr_text=f"Model!$B${row}")
    path = tmp_path / "model.xlsx"
    workbook.save(path)
    return path


def test_names_of_a_workbook_say_what_is_shown(model, tmp_path):
    done = export(model, tmp_path / "page.html")
    assert (done.inputs, done.figures) == (2, 2)


def test_what_changes_by_itself_is_left_out_by_name(model, tmp_path):
    done = export(model, tmp_path / "page.html")
    (line,) = done.refused
    assert "Model!B4" in line
    assert "RAND" in line
    assert "Model!B4" in done.path.read_text(encoding="utf-8")


def test_inputs_and_outputs_are_chosen(model, tmp_path):
    done = export(model, tmp_path / "page.html", inputs=["price"], outputs=["Model!B3"])
    assert (done.inputs, done.figures, done.refused) == (1, 1, ())


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"inputs": ["nothing"]}, BadInputError),
        ({"inputs": ["sales"]}, BadInputError),
        ({"outputs": ["price"]}, BadInputError),
        ({"outputs": ["luck"]}, RefusedError),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_is_written(model, tmp_path, options, error):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error):
        export(model, tmp_path / "page.html", **options)
    assert sorted(tmp_path.iterdir()) == before


def test_a_page_that_was_there_stays_where_a_new_one_is_refused(model, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("old")
    with pytest.raises(RefusedError):
        export(model, page, outputs=["luck"])
    assert page.read_text() == "old"


@pytest.mark.parametrize("name", ["page.xlsx", "missing/page.html"])
def test_a_page_goes_to_an_html_file_in_a_folder_that_is_there(model, tmp_path, name):
    with pytest.raises((RefusedError, UnwritableError)):
        export(model, tmp_path / name)


@pytest.mark.parametrize(
    ("value", "format", "text"),
    [
        (10950000.0, '"$"#,##0.0,,"M";[Red]-"$"#,##0.0,,"M"', "$11.0M"),
        (-1234.5, "#,##0", "-1,235"),
        (0.7359, "0.0%", "73.6%"),
        (46204.0, "yyyy-mm-dd", "2026-07-01"),
        (-0.0004, "#,##0.00", "0.00"),
        (1.005, "0.00", "1.01"),
    ],
)
def test_numbers_are_shown_as_a_cell_shows_them(value, format, text):
    assert shown(value, format) == text


def test_what_reads_a_blank_cell_of_an_array_that_is_not_known_is_left_out_too(model, tmp_path):
    """The second value of the array is 0, as that of a cell that nothing was computed for."""
    book = load_workbook(model)
    sheet = book["Model"]
    sheet["D1"] = ArrayFormula("D1:D2", "=ERF(B1*{1;0})")
    sheet["B6"], sheet["A6"] = "=D2+B2", "Second"
    book.defined_names["second"] = DefinedName("second", attr_text="Model!$B$6")
    book.save(model)
    done = export(model, tmp_path / "page.html")
    assert done.figures == 2
    (line,) = (line for line in done.refused if "ERF" in line)
    assert "Model!B6" in line
    assert "does not know" in line


@pytest.mark.parametrize("name", ["breakeven", "market", "ownership"])
def test_a_template_is_shown_whole(name, exported):
    done = exported(name)
    assert done.refused == ()
    assert done.formulas > 300
    assert len(done.changes) >= 3
    assert done.path.stat().st_size < 300_000


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("tokenbook-page")]


@pytest.mark.parametrize("at", [1, 2])
def test_a_script_that_fails_beside_the_recalculation_is_told(model, tmp_path, monkeypatch, at):
    values, calls = PageCalculator.values, []

    def failing(calculator):
        calls.append(threading.current_thread())
        if len(calls) == at:
            raise ScriptError("the page's script failed")
        return values(calculator)

    monkeypatch.setattr(PageCalculator, "values", failing)
    with pytest.raises(ScriptError, match="the page's script failed"):
        export(model, tmp_path / "page.html")
    assert calls[0] is not threading.main_thread()
    assert not (tmp_path / "page.html").exists()
    assert threads() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, CalculatorFailedError])
def test_what_ends_the_recalculation_ends_the_script_beside_it(tmp_path, monkeypatch, error):
    """Steps of the script that have not begun are left, not waited for."""
    values, calls, waits = PageCalculator.values, [], threading.Event()

    def slow(calculator):
        calls.append(1)
        waits.wait(10)
        return values(calculator)

    def change(*_):
        threading.Timer(0.2, waits.set).start()
        raise error

    monkeypatch.setattr(PageCalculator, "values", slow)
    monkeypatch.setattr(Recalculation, "change", change)
    with drafted("breakeven") as draft, pytest.raises(error):
        export(draft, tmp_path / "page.html")
    assert len(calls) == 1
    assert list(tmp_path.iterdir()) == []
    assert threads() == []


def test_a_cell_that_differs_after_the_last_change_alone_is_found(model, tmp_path, monkeypatch):
    """Each value of the script is held against the recalculation after the very same change."""
    done = export(model, tmp_path / "page.html")
    values, calls = PageCalculator.values, []

    def wrong(calculator):
        calls.append(1)
        found = values(calculator)
        if len(calls) == len(done.changes) + 1:
            return {place: 7.0 if place.row == 3 else value for place, value in found.items()}
        return found

    monkeypatch.setattr(PageCalculator, "values", wrong)
    told = export(model, tmp_path / "other.html")
    assert told.figures == done.figures - 1
    assert any("Model!B3" in line for line in told.refused)
