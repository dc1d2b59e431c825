"""A report of a simulation: what a reader sees in it, in which format, and on how many pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pytest

from workbooks.recalc import recalculate
from workbooks.reports.odds import interval
from workbooks.reports.simulation_files import write
from workbooks.scenarios.drawn import condition
from workbooks.scenarios.risks import read_risks
from workbooks.scenarios.simulate import simulate

USD, SHARE = '"$"#,##0', "0.0%"
MONTHS = (1, 2, 3, 12)
RISKS = (
    "cell,distribution,low,base,high,mean,sd,note\n"
    "Plan!B1,normal,,,,100,20,measured\n"
    "growth,pert,0.01,0.02,0.06,,,\n"
    "Plan!B3,uniform,0,,1,,,moves nothing\n"
)
OUTPUTS = [*(f"Plan!{column}6" for column in "EBCD"), "margin", "Plan!B8", "Plan!B9", "out"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("report")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Plan"
    for row, (label, value) in enumerate((("Sales", 100), ("Growth", 0.02), ("Spare", 0.5)), 1):
        sheet.cell(row, 1, label)
        sheet.cell(row, 2, value)
    sheet["A5"], sheet["A6"] = "Month", "Cash"
    for column, month in enumerate(MONTHS, 2):
        sheet.cell(5, column, month)
        letter = sheet.cell(5, column).column_letter
        cell = sheet.cell(6, column, f"=1000+$B$1*{letter}5*(1+$B$2)^{letter}5")
        cell.number_format = USD
    for row, (label, formula, form) in enumerate(
        (("Margin", "=B1/200-B2", SHARE), ("Fixed", "=7", USD), ("Squared", "=B1^2", "General"),
         ("Runs out", '=IF(B1>110,"never",B1)', '0.0" months"')), 7,
    ):  # fmt: skip
        sheet.cell(row, 1, label)
        sheet.cell(row, 2, formula).number_format = form
    names = {"growth": 2, "margin": 7, "out": 10}
    for name, row in names.items():
        book.defined_names[name] = openpyxl.workbook.defined_name.DefinedName(
            name, attr_text=f"Plan!$B${row}"
        )
    book.save(folder / "plan.xlsx")
    recalculate(folder / "plan.xlsx")
    (folder / "risks.csv").write_text(RISKS)
    found = simulate(
        folder / "plan.xlsx", read_risks(folder / "plan.xlsx", folder / "risks.csv"), OUTPUTS,
        4000, seed=2, conditions=[condition("margin<0.4"), condition("Plan!B6<0")],
    )  # fmt: skip
    write(found, folder / "report.xlsx", keep_draws=True)
    return found, openpyxl.load_workbook(folder / "report.xlsx")


def rows_of(sheet) -> list[list]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_the_first_sheet_says_what_is_decided_on(report) -> None:
    found, book = report
    rows = rows_of(book.worksheets[0])
    assert book.sheetnames[0] == "Summary"
    margin = next(row for row in rows if row[1] == "margin")
    drawn = found.draws.outputs[OUTPUTS.index("margin")]
    assert margin[0] == "Margin"
    assert margin[2] == pytest.approx(0.48)
    assert margin[3:7] == pytest.approx([*np.quantile(drawn, (0.1, 0.5, 0.9)), drawn.mean()])
    odds = next(row for row in rows if row[1] == "margin<0.4")
    assert odds[0] == "Margin < 40.0%"
    assert odds[2] == np.mean(drawn < 0.4)
    assert odds[3] < odds[2] < odds[4]
    never = next(row for row in rows if row[1] == "Plan!B6<0")
    assert never[2] == never[3] == 0 < never[4] < 0.002


def test_draws_without_a_number_stand_beside_the_quantiles(report) -> None:
    found, book = report
    rows = rows_of(book["Summary"])
    out = next(row for row in rows if row[1] == "out")
    share = found.lost(OUTPUTS.index("out"))["never"] / 4000
    assert 0.2 < share < 0.4
    assert out[7] == f"never: {share:.1%}"
    assert any(row[0] and "read the last column" in row[0] for row in rows)


def test_only_drivers_that_are_no_chance_are_named(report) -> None:
    rows = rows_of(report[1]["Summary"])
    first = next(i for i, row in enumerate(rows) if row[1] == "Input that drives it")
    drivers = [row[:4] for row in rows[first + 1 :] if row[1]]
    squared = next(i for i, row in enumerate(drivers) if row[0] == "Squared")
    assert drivers[squared][1] == "Sales"
    assert drivers[squared][2] > 0.99
    # Nothing else moves it, and what moves nothing is nowhere.
    assert drivers[squared + 1][0] == "Runs out"
    assert "Spare" not in {row[1] for row in drivers}
    fixed = next(row for row in drivers if row[0] == "Fixed")
    assert fixed[1:] == ["none stands out", None, None]


def test_numbers_have_the_format_of_their_cell_in_the_model(report) -> None:
    sheet = report[1]["Statistics"]
    heads = [cell.value for cell in sheet[1]]
    formats = {
        row[0].value: dict(zip(heads, (cell.number_format for cell in row), strict=True))
        for row in sheet.iter_rows(min_row=2)
    }
    assert formats["median"]["margin"] == SHARE
    assert formats["standard error of the mean"]["Plan!B6"] == USD
    assert formats["median"]["Plan!B9"] == "#,##0"
    assert formats["draws without a number"]["margin"] == "#,##0"
    assert formats["rank correlation: growth"]["Plan!B6"] == "0.00"
    assert formats["probability of margin<0.4"]["margin"] == "0.0%"
    draws = report[1]["Draws"]
    assert {cell.value: draws.cell(5, cell.column).number_format for cell in draws[1]} == {
        "draw": "#,##0", "Plan!B1": "#,##0", "growth": "0.0000", "Plan!B3": "0.0000",
        **dict.fromkeys(OUTPUTS[:4], USD), "margin": SHARE, "Plan!B8": USD, "Plan!B9": "#,##0",
        "out": '0.0" months"',
    }  # fmt: skip


def test_a_fan_is_drawn_over_months_of_one_quantity_alone(report) -> None:
    found, book = report
    assert [name for name in book.sheetnames if name.startswith("Fan")] == ["Fan"]
    rows = rows_of(book["Fan"])
    assert rows[0][0] == "Plan: Cash"
    table = [row for row in rows if isinstance(row[0], int | float)]
    # In the order of the months, whatever the order in which they were asked for.
    assert [row[0] for row in table] == list(MONTHS)
    for row, column in zip(table, "BCDE", strict=True):
        drawn = found.draws.outputs[OUTPUTS.index(f"Plan!{column}6")]
        assert row[1:6] == pytest.approx(np.quantile(drawn, (0.05, 0.25, 0.5, 0.75, 0.95)))
    # Months at their own distance: 3 and 12 are not neighbours.
    (chart,) = book["Fan"]._charts
    assert type(chart).__name__ == "ScatterChart"
    assert chart.y_axis.numFmt.formatCode == USD


def test_every_chart_has_titles_at_its_axes(report) -> None:
    for sheet in report[1]:
        for chart in sheet._charts:
            assert chart.y_axis.title is not None, sheet.title
            assert chart.x_axis.title is not None or chart.type == "bar", sheet.title


def test_what_does_not_vary_has_no_chart(report) -> None:
    assert "Plan B8" not in report[1].sheetnames
    assert {"Plan B9", "margin", "out"} <= set(report[1].sheetnames)


def test_every_sheet_is_one_page_wide(report) -> None:
    for sheet in report[1]:
        assert sheet.sheet_properties.pageSetUpPr.fitToPage, sheet.title
        assert sheet.page_setup.fitToWidth == 1, sheet.title
    assert report[1]["Draws"].print_area.endswith("$51")


def test_about_says_what_makes_the_same_numbers_again(report) -> None:
    told = {row[0]: row[1] for row in rows_of(report[1]["About"])}
    assert (told["seed"], told["draws"], told["workbook"]) == (2, 4000, "plan.xlsx")
    assert {"tokenbook", "numpy", "formualizer", "random numbers"} <= told.keys()
    assert told["growth"] == "pert: low 0.01, base 0.02, high 0.06"


@pytest.mark.parametrize(("held", "draws"), [(0, 100), (5, 100), (50, 100), (100, 100)])
def test_the_interval_of_a_probability_is_wilsons(held: int, draws: int) -> None:
    from scipy.stats import binomtest  # noqa: PLC0415

    wanted = binomtest(held, draws).proportion_ci(method="wilson")
    assert interval(held / draws, draws) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_it_is_written_to_a_path_of_its_own(report, tmp_path: Path) -> None:
    found, _ = report
    write(found, tmp_path / "again.xlsx")
    assert openpyxl.load_workbook(tmp_path / "again.xlsx").sheetnames[-1] == "About"
