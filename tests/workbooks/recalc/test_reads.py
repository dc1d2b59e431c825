"""Which constants are set again, so that the calculator reads a few cells and not a whole chunk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest

from workbooks.calc.formualizer import FormualizerCalculator
from workbooks.recalc import recalculate


@pytest.fixture
def again(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the list that columns set again are noted in."""
    noted: list[tuple[str, int]] = []
    before = FormualizerCalculator.set_again

    def set_again(
        self: FormualizerCalculator, sheet: str, column: int, rows: Iterable[int]
    ) -> None:
        noted.append((sheet, column))
        before(self, sheet, column, rows)

    monkeypatch.setattr(FormualizerCalculator, "set_again", set_again)
    return noted


def book(path: Path, formula: str, rows: int, count: int) -> Path:
    made = openpyxl.Workbook()
    sheet = made.active
    for r in range(1, rows + 1):
        sheet.cell(r, 1, r)
        sheet.cell(r, 2, "text" if r == 1 else r / 2)
        if r <= count:
            sheet.cell(r, 4, "=" + formula.format(r=r))
    made.save(path)
    return path


@pytest.mark.parametrize(
    "formula",
    [
        "ROUND(SUM(A{r}:B{r}),2)",
        "SUM(A{r}:B{r})+1",
        "SUM(A{r}:B{r},MAX(1,2))",
        "IF(COUNT(A{r}:B{r})>1,A{r},0)",
    ],
)
def test_columns_that_many_formulas_read_are_set_again(
    formula: str, tmp_path: Path, again: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "book.xlsx", formula, 400, 400)
    recalculate(path, tmp_path / "out.xlsx")
    assert again == [("Sheet", 1), ("Sheet", 2)]
    monkeypatch.setattr(FormualizerCalculator, "set_again", lambda *_: None)
    recalculate(path, tmp_path / "plain.xlsx")
    one, other = (
        [[c.value for c in row] for row in openpyxl.load_workbook(p, data_only=True).active]
        for p in (tmp_path / "out.xlsx", tmp_path / "plain.xlsx")
    )
    assert one == other


@pytest.mark.parametrize(
    ("formula", "rows", "count"),
    [
        ("SUM(A{r}:B{r})", 400, 400),
        ("ROUND(A{r}^2,1)", 400, 400),
        ("ROUND(SUM(A:A),1)", 400, 400),
        ("ROUND(SUM(E{r}:XFD{r}),1)", 60, 60),
        ("ROUND(SUM(A{r}:B{r}),2)", 10, 10),
    ],
)
def test_where_it_is_not_worth_it_nothing_is_set(
    formula: str, rows: int, count: int, tmp_path: Path, again: list[tuple[str, int]]
) -> None:
    recalculate(book(tmp_path / "book.xlsx", formula, rows, count), tmp_path / "out.xlsx")
    assert not again
