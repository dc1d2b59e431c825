"""Cells whose text Excel reads as a number and the calculator does not, wherever they come from."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from workbooks.ooxml.xml import MAIN
from workbooks.recalc import recalculate
from workbooks.recalc.odd_cells import OddCells
from workbooks.scenarios.sweep import sweep

Write = Callable[..., Path]
Values = Callable[..., dict[str, object]]

# An error that is caught is a wrong number that looks right.
ASKED = '<c r="B1"><f>IFERROR(A1*2,-1)</f></c>'
INLINE = '<c r="A1" t="inlineStr"><is><t>{}</t></is></c>'


@pytest.mark.parametrize(
    "cell",
    [
        INLINE.format("$5"),
        '<c r="A1" t="str"><v>$5</v></c>',
        '<c r="A1" t="str"><f>"$"&amp;5</f><v>$5</v></c>',
        # Saved otherwise, or not at all: the text comes up with the values.
        '<c r="A1" t="str"><f>"$"&amp;5</f><v>x</v></c>',
        '<c r="A1"><f>"$"&amp;5</f></c>',
        '<c r="A1" t="str"><f>C1</f><v>x</v></c><c r="C1" t="inlineStr"><is><t>$5</t></is></c>',
    ],
)
def test_a_text_that_excel_reads(write: Write, values: Values, cell: str) -> None:
    path = write(f'<row r="1">{cell}</row><row r="2">{ASKED.replace("B1", "B2")}</row>')
    recalculate(path)
    assert values(path)["B2"] == 10


def test_a_text_of_another_sheet(write: Write, values: Values) -> None:
    path = write(
        {
            "S": '<row r="1"><c r="B1"><f>IFERROR(\'Two Cells\'!A1*2,-1)</f></c></row>',
            "Two Cells": f'<row r="1">{INLINE.format("(3)")}</row>',
        }
    )
    recalculate(path)
    assert values(path)["B1"] == -6


def test_shared_texts_are_found_wherever_the_table_is_cut() -> None:
    texts = [*(f"label {i}" for i in range(50)), "$5", "(x)"]
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    table = f'<sst xmlns="{MAIN}">{items}</sst>'.encode()
    cell = b'<row r="1"><c r="A1" t="s"><v>%d</v></c></row>'
    for cut in range(0, len(table), 7):
        found = OddCells(lambda cut=cut: iter([table[:cut], table[cut:]]))  # type: ignore[misc]
        found.note("S", [cell % 51])
        assert not found.sheets
        found.note("S", [cell % 50])
        assert found.sheets == {"S"}


def test_a_text_that_is_set(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"], sheet["A2"] = "none", "USD 7"
    sheet["B1"], sheet["B2"] = "=IFERROR(A1*2,-1)", '=SUBSTITUTE(A2,"USD ","$")'
    sheet["B3"] = "=IFERROR(B2*2,-1)"
    path = tmp_path / "book.xlsx"
    book.save(path)
    for given, found in ((("Sheet!A1", "$4"), (8, 14)), (("Sheet!A2", "USD (7)"), (-1, -1))):
        recalculate(path, tmp_path / "out.xlsx", set_values=[given])
        cells = openpyxl.load_workbook(tmp_path / "out.xlsx", data_only=True).active
        assert (cells["B1"].value, cells["B3"].value) == found


def test_a_text_that_is_set_in_what_is_held_against_excel(as_excel: Write, values: Values) -> None:
    path = as_excel(
        f'<row r="1">{INLINE.format("none")}<c r="B1"><f>IFERROR(A1*2,-1)</f><v>-1</v></c></row>'
    )
    recalculate(path, set_values=[("S!A1", "$4")])
    assert values(path)["B1"] == 8


def test_a_sweep_over_texts_gives_what_recalculations_give(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "none"
    sheet["B1"], sheet["B2"] = "=IFERROR(A1*2,-1)", '=IFERROR(MID(A1,1,9)*2,"no")'
    path = tmp_path / "book.xlsx"
    book.save(path)
    given = ["none", "24:00", "x5", "22 May 2011", "May 2011", "12:30", "0:00:30.5", "1:00PM"] * 8
    table = tmp_path / "given.csv"
    lines = ["Sheet!A1", *(f'"{text}"' for text in given)]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sweep(path, table, ["Sheet!B1", "Sheet!B2"], tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for text, row in zip(given[:8], rows, strict=False):
        recalculate(path, tmp_path / "one.xlsx", set_values=[("Sheet!A1", text)])
        cells = openpyxl.load_workbook(tmp_path / "one.xlsx", data_only=True).active
        found = [row["Sheet!B1"], row["Sheet!B2"]]
        assert found == [str(cells["B1"].value), str(cells["B2"].value)], text


def test_numbers_on_a_sheet_with_such_a_text_are_as_before(tmp_path: Path) -> None:
    books = []
    for label in ("(a)", "(1)"):
        book = openpyxl.Workbook()
        sheet = book.active
        for r in range(1, 200):
            sheet.cell(r, 1, r / 7)
            sheet.cell(r, 2, None if r % 50 == 0 else r % 3 == 0 if r % 20 == 0 else r * 1.1)
            sheet.cell(r, 3, f"=A{r}*B{r}-A{r}^2/B{r}+-B{r}%")
            sheet.cell(r, 4, f"=TOK_COST_PER_MTOK(A{r},A{r}*1000)*2")
        sheet["F1"] = label
        sheet["F2"] = "=SUMPRODUCT((A1:A199-B1:B199)*A1:A199)+SUM(A1:A199)"
        path = tmp_path / f"{label}.xlsx"
        book.save(path)
        recalculate(path)
        cells = openpyxl.load_workbook(path, data_only=True).active
        books.append([[cell.value for cell in row] for row in cells["A1:E199"]])
        books[-1].append([cells["F2"].value])
    assert books[0] == books[1]
