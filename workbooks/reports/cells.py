"""The cells of a report: its titles, heads and values, and how a sheet of it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet


def put_title(sheet: Worksheet, title: str, subtitle: str) -> None:
    """Write the two lines that a sheet begins with."""
    put(sheet, 1, 1, title, "title")
    put(sheet, 2, 1, subtitle, "subtitle")
    sheet.row_dimensions[1].height = 28


def put_heads(sheet: Worksheet, row: int, texts: Sequence[str]) -> int:
    """Write the heads of a table and return the row below them."""
    for column, text in enumerate(texts, 1):
        put(sheet, row, column, text or None, "header")
    return row + 1


def put(
    sheet: Worksheet, row: int, column: int, value: Any, role: str, form: str = "General"
) -> None:
    """Write a value in a style of the templates and a number format."""
    cell: Any = sheet.cell(row, column)
    if isinstance(value, str) and value.startswith("="):
        # A condition or label is a text, not a formula.
        cell.data_type = "s"
        cell._value = value
    else:
        cell.value = value
    cell.style = f"tokenbook {role}"
    cell.number_format = form


def set_up_print(
    sheet: Worksheet, columns: int, rows: int, *, across: int = 1, high: int = 1,
    upright: bool = False,
) -> None:  # fmt: skip
    """Have a sheet printed on so many pages across and high; none is as many as it takes."""
    sheet.print_area = f"A1:{get_column_letter(columns)}{rows}"
    sheet.page_setup.orientation = "portrait" if upright else "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = across, high
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_options.horizontalCentered = True
    sheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.45, bottom=0.55, footer=0.25)
    footer: Any = sheet.oddFooter
    footer.left.text, footer.right.text = "&A", "Page &P of &N"
