"""From a layout to a file: cover, sheets, checks, names, charts, protection, print set-up.

openpyxl writes formulas without values; the recalculation adds them (`workbooks.build`).
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell as Written
from openpyxl.formatting.rule import CellIsRule, FormulaRule
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from engine import __version__
from engine.pricing import VERDICTS
from workbooks.authoring.charts import add_chart
from workbooks.authoring.layout import Book, Cell, Ref, Sheet
from workbooks.authoring.limits import Limited, limited_inputs
from workbooks.authoring.mend import Filled, mend
from workbooks.authoring.rows import rows_of, with_rows
from workbooks.authoring.style import ACCENT, FORMATS, named_styles

#: Built files carry this date, so that the same template gives the same bytes.
RELEASED = datetime(2026, 11, 21)
_DATED = f"prices and claims as of {RELEASED:%Y-%m-%d} unless a row says otherwise"
# The column of the checks sheet that says whether a check holds.
_RESULT = 6
COVER = "Cover"
#: The row of the first headline figure on the cover.
FIRST_HEADLINE = 9
# Rows of the title of a sheet, of what it is about, and of the flag of the checks; one left blank.
_TITLE_ROWS = 4
# Height of a line of text, in points.
_LINE = 12.5
# Columns of months on a printed page.
_MONTHS_ACROSS = 12
# A long sheet that is wider is printed across.
_WIDEST_UPRIGHT = 150
# An input list of Excel is cut off beyond this.
_LONGEST_LIST = 255
_MOODS = {"good": "E6F4EA", "bad": "FCE8E6", "near": "FEF7E0", "aside": "EEF1F4"}
_COLOUR_KEY = (
    ("input", "An input: change it, and every sheet follows"),
    ("calc", "A formula on this sheet"),
    ("link", "A link to another sheet"),
    ("output", "A result that leaves the sheet"),
)


def write(
    book: Book, path: Path, others: Sequence[Ref] = (), limited: Sequence[Limited] = ()
) -> None:
    """Write a layout as a workbook without values.

    Parameters
    ----------
    book : Book
        The layout; its sheets in the order of the file, between cover and checks.
    path : Path
        The file to write.
    others, limited : sequences
        Sheets and inputs that stand in the workbook it is for, which the checks cover too.
    """
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for style in named_styles().values():
        workbook.add_named_style(style)
    cover = [_cover(book)] if book.covered else []
    limits = limited_inputs(book)
    held = [*(item for items in limits.values() for item in items), *limited]
    checks = [_checks(book, held, others)] if book.flag else []
    styles, filled = _Styles(workbook), {}
    for number, sheet in enumerate((*cover, *book.sheets, *checks), start=1):
        filled[f"xl/worksheets/sheet{number}.xml"] = _write_sheet(
            workbook.create_sheet(sheet.name), sheet, limits.get(sheet.name, ()), styles
        )
    for sheet in book.sheets:
        for chart in sheet.charts:
            add_chart(workbook[sheet.name], chart)
    for name, ref in book.names.items():
        workbook.defined_names[name] = DefinedName(name, attr_text=str(ref))
    properties = workbook.properties
    properties.creator = f"Tokenbook {__version__}"
    properties.title = book.title
    properties.description = book.purpose
    properties.created = RELEASED
    with zipfile.ZipFile(path, "w") as archive:  # not deflated, for `mend` reads it at once
        ExcelWriter(workbook, archive).save()
    mend(path, RELEASED, filled)


def _cover(book: Book) -> Sheet:
    """Lay out the cover: purpose, headline figures, sheets, colour key, versions."""
    cover = Sheet(book, COVER, book.title, book.purpose, (44, 18, 40, 40))
    cover.put(1, 1, book.title, "title")
    cover.put(2, 1, book.purpose, "subtitle")
    if book.flag:
        cover.put(3, 1, f"={book.flag}", "flag")
    cover.row = 5
    cover.put(cover.row, 1, "Basis", "label")
    cover.put(cover.row, 2, f"{book.basis}; {_DATED}", "remark")
    cover.row += 2
    cover.heading("Headline figures")
    assert cover.row == FIRST_HEADLINE
    for label, ref, number_format, unit in book.headlines:
        cover.put(cover.row, 1, label, "label")
        cover.put(cover.row, 2, f"={ref}", "link", number_format)
        cover.put(cover.row, 3, unit, "remark")
        cover.row += 1
    cover.gap()
    cover.heading("Sheets")
    for sheet in book.sheets:
        cover.put(cover.row, 1, sheet.name, "label", link=f"#{quote_sheetname(sheet.name)}!A1")
        cover.put(cover.row, 2, sheet.subtitle, "remark")
        cover.row += 1
    if book.flag:
        cover.put(cover.row, 1, "Checks", "label", link="#Checks!A1")
        cover.put(cover.row, 2, "What must hold; the flag above is shown on every sheet", "remark")
        cover.row += 1
    cover.row += 1
    cover.heading("Colours")
    for role, meaning in _COLOUR_KEY:
        cover.put(cover.row, 1, meaning, "label")
        cover.put(cover.row, 2, 1234, role, "integer")
        cover.row += 1
    cover.gap()
    cover.heading("Versions")
    for label, text in (
        ("Tokenbook", __version__),
        ("Released", f"{RELEASED:%Y-%m-%d}"),
        ("Functions", "TOK_… : type =TOK_ in a cell, or run tokenbook list"),
        ("Values", "calculated when the file was built: shown without any add-in"),
    ):
        cover.put(cover.row, 1, label, "label")
        cover.put(cover.row, 2, text, "remark")
        cover.row += 1
    if book.sources:
        cover.gap()
        cover.heading("Sources")
        for short, full in book.sources:
            cover.put(cover.row, 1, short, "label")
            cover.put(cover.row, 2, full, "remark")
            cover.row += 1
    return cover


def _checks(book: Book, limited: Sequence[Limited], others: Sequence[Ref]) -> Sheet:
    """Lay out the checks and the one flag that sums them up: figures, sheets, inputs."""
    sheet = Sheet(
        book, book.free_name(book.checks_sheet), book.checks_sheet,
        "What must hold within its tolerance", (60, 18, 18, 16, 14, 12), long=True,
    )  # fmt: skip
    sheet.put(1, 1, sheet.title, "title")
    sheet.put(2, 1, sheet.subtitle, "subtitle")
    sheet.row = 5
    first = sheet.row
    if book.checks:
        _compare(sheet, book)
    spots = [s.ref(4, 1, max(c.row for c in s.cells) - 3, len(s.widths)) for s in book.sheets]
    _find_errors(sheet, (*spots, *others))
    if limited:
        _find_outsiders(sheet, limited)
    results = sheet.ref(first, _RESULT, sheet.row - first).local
    failing = f'(COUNTIF({results},"CHECK")+COUNTIF({results},"ERROR"))'
    book.names[book.flag] = sheet.put(
        3,
        1,
        f'=IF({failing}=0,"All checks pass",{failing}&" of "'
        f'&{failing}+COUNTIF({results},"OK")&" checks fail")',
        "flag",
    )
    return sheet


def _heads(sheet: Sheet, texts: Sequence[str]) -> None:
    for column, text in enumerate(texts, start=1):
        sheet.put(sheet.row, column, text or None, "header")
    sheet.row += 1


def _compare(sheet: Sheet, book: Book) -> None:
    _heads(sheet, ("Check", "Computed", "Expected", "Difference", "Tolerance", "Result"))
    for row, (label, left, right, tolerance) in enumerate(book.checks, start=sheet.row):
        sheet.put(row, 1, label, "label")
        sheet.put(row, 2, f"={left}", "link", "any")
        sheet.put(row, 3, f"={right}", "link", "any")
        sheet.put(row, 4, f"=ABS(B{row}-C{row})", "calc", "scientific")
        sheet.put(row, 5, f"={tolerance}", "link", "scientific")
        sheet.put(
            row,
            _RESULT,
            f'=IF(ISERROR(D{row}),"ERROR",IF(D{row}<=E{row}*MAX(ABS(C{row}),1),"OK","CHECK"))',
            "check",
        )
    sheet.row += len(book.checks) + 1


def _find_errors(sheet: Sheet, places: Iterable[Ref]) -> None:
    """Look for an error on each sheet, below the flag, which depends on what is found."""
    _heads(sheet, ("Sheet without an error", "An error", "", "", "", "Result"))
    for place in places:
        sheet.put(sheet.row, 1, place.sheet, "label")
        sheet.put(sheet.row, 2, f"=IF(ISERROR(SUM({place})),1,0)", "calc", "integer")
        sheet.put(sheet.row, _RESULT, f'=IF(B{sheet.row}=0,"OK","ERROR")', "check")
        sheet.row += 1
    sheet.row += 1


def _find_outsiders(sheet: Sheet, inputs: Iterable[Limited]) -> None:
    """Hold every numeric input against its limits."""
    _heads(sheet, ("Input within its limits", "Least", "Greatest", "At least", "At most", "Result"))
    for item in inputs:
        _hold_to_limits(sheet, item)
        sheet.row += 1
    sheet.row += 1


def _hold_to_limits(sheet: Sheet, item: Limited) -> None:
    row, place, limit = sheet.row, str(item.place), item.limit
    sheet.put(row, 1, f"{item.place.sheet}: {item.label}", "label")
    sheet.put(row, 2, f"=MIN({place})", "link", item.format)
    sheet.put(row, 3, f"=MAX({place})", "link", item.format)
    bounds = ((4, limit.low, limit.low_open, "above"), (5, limit.high, limit.high_open, "below"))
    for column, bound, is_open, format in bounds:
        sheet.put(row, column, bound, "limit", format if is_open else "limit")
    conditions = [f"COUNT({place})=ROWS({place})*COLUMNS({place})"]
    if limit.low is not None:
        conditions.append(f"B{row}>{'' if limit.low_open else '='}D{row}")
    if limit.high is not None:
        conditions.append(f"C{row}<{'' if limit.high_open else '='}E{row}")
    if limit.whole:
        spots = (item.place.at(r, c) for r in range(item.place.rows)
                 for c in range(item.place.columns))  # fmt: skip
        conditions += [f"ROUND({spot},0)={spot}" for spot in spots]
    held = conditions[0] if len(conditions) == 1 else f"AND({','.join(conditions)})"
    sheet.put(row, _RESULT, f'=IF(ISERROR({held}),"ERROR",IF({held},"OK","CHECK"))', "check")


def _write_sheet(
    worksheet: Worksheet,
    sheet: Sheet,
    limits: Sequence[Limited],
    styles: _Styles,
) -> Filled:
    """Set up a sheet; return what gives the part that openpyxl writes its cells."""
    places = Counter((cell.row, cell.column) for cell in sheet.cells)
    if twice := [place for place, count in places.items() if count > 1]:
        raise ValueError(f"{sheet.name}: two cells in one place, {twice[:3]}")
    links: dict[tuple[int, int], Any] = {}
    for cell in sheet.cells:
        styles.look(cell.role, cell.format)
        if cell.link:
            links[cell.row, cell.column] = _link(worksheet, cell)
        if cell.merge > 1:
            last = cell.column + cell.merge - 1
            worksheet.merge_cells(None, cell.row, cell.column, cell.row, last)
    for column, width in enumerate(sheet.widths, start=1):
        worksheet.column_dimensions[get_column_letter(column)].width = width
    worksheet.row_dimensions[1].height = 28
    for cell in sheet.cells:
        if cell.role == "header":
            worksheet.row_dimensions[cell.row].height = 30
        if cell.lines > 1:
            row = worksheet.row_dimensions[cell.row]
            row.height = max(row.height or 0, _LINE * cell.lines + 4)
    for ref, choices in sheet.choices:
        _write_choices(worksheet, ref.plain, choices)
    chosen = {ref.plain for ref, _ in sheet.choices}
    for item in limits:
        if item.place.plain not in chosen:
            _write_limit(worksheet, item)
    verdicts = dict(zip(VERDICTS, ("bad", "near", "good"), strict=True))
    for ref, moods in (*((ref, verdicts) for ref in sheet.verdicts), *sheet.judged):
        _colour_texts(worksheet, ref.plain, moods)
    _colour_flags(worksheet, sheet)
    worksheet.sheet_view.showGridLines = False
    worksheet.sheet_view.zoomScale = 100
    beside = get_column_letter(sheet.side + 1)
    worksheet.freeze_panes = f"{beside}{sheet.heads + 1}" if sheet.name != COVER else None
    # No password: this guards against slips, not against readers.
    worksheet.protection.sheet = True
    worksheet.protection.formatColumns = False
    worksheet.protection.formatRows = False
    _set_up_print(worksheet, sheet)

    def style(cell: Cell) -> int:
        return links[cell.row, cell.column].style_id if cell.link else styles.number(cell)

    rows = rows_of(sheet.cells, style, {r: dict(d) for r, d in worksheet.row_dimensions.items()})
    return partial(with_rows, rows=rows, spread=_spread(sheet))


def _spread(sheet: Sheet) -> tuple[int, int, int, int]:
    rows = [cell.row for cell in sheet.cells]
    columns = [cell.column for cell in sheet.cells]
    last = max(cell.column + cell.merge - 1 for cell in sheet.cells)
    return min(rows), min(columns), max(rows), last


class _Styles:
    """The styles of a workbook's cells, by role and number format."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._looks: dict[tuple[str, str], Any] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def look(self, role: str, format: str) -> None:
        """Note that cells look so; openpyxl numbers what that takes in the order of being noted."""
        if (role, format) in self._looks:
            return
        # Looking a style up by its name takes longer than all else that is done to a cell.
        cell: Any = Written(self._workbook.worksheets[0], 1, 1)
        cell.style, cell.number_format = f"tokenbook {role}", FORMATS[format]
        self._looks[role, format] = cell._style

    def number(self, cell: Cell) -> int:
        """Return the number that a cell's style has in the file."""
        key = (cell.role, cell.format)
        if key not in self._numbers:
            self._numbers[key] = self._workbook._cell_styles.add(self._looks[key])
        return self._numbers[key]


def _link(worksheet: Worksheet, cell: Cell) -> Any:
    """Let openpyxl note a link; return its cell, which looks otherwise than all else."""
    written: Any = worksheet.cell(cell.row, cell.column)
    written.hyperlink = cell.link
    written.style = f"tokenbook {cell.role}"
    written.font = Font(name="Calibri", size=10, color=ACCENT, underline="single")
    return written


def _write_choices(worksheet: Worksheet, place: str, choices: str) -> None:
    if len(choices) > _LONGEST_LIST:
        raise ValueError(
            f"{worksheet.title}!{place}: an input list of over {_LONGEST_LIST} characters"
        )
    rule = DataValidation(type="list", formula1=choices, allow_blank=False, showErrorMessage=True)
    rule.error = "Choose one of the list."
    rule.errorTitle = "Not in the list"
    rule.add(place)
    worksheet.add_data_validation(rule)


def _write_limit(worksheet: Worksheet, item: Limited) -> None:
    """Let Excel refuse what lies outside the limits of an input."""
    limit, corner = item.limit, item.place.at(0).plain
    conditions = [f"ISNUMBER({corner})"]
    if limit.low is not None:
        conditions.append(f"{corner}>{'' if limit.low_open else '='}{limit.low:.15g}")
    if limit.high is not None:
        conditions.append(f"{corner}<{'' if limit.high_open else '='}{limit.high:.15g}")
    if limit.whole:
        conditions.append(f"ROUND({corner},0)={corner}")
    rule = DataValidation(
        type="custom",
        formula1=f"AND({','.join(conditions)})",
        allow_blank=False,
        showErrorMessage=True,
    )
    rule.error = f"Allowed: {limit.allowed}."
    rule.errorTitle = "Outside the limits"
    rule.add(item.place.plain)
    worksheet.add_data_validation(rule)


def _colour_texts(worksheet: Worksheet, place: str, moods: Mapping[str, str]) -> None:
    for text, mood in moods.items():
        fill = PatternFill("solid", bgColor=_MOODS[mood])
        worksheet.conditional_formatting.add(place, CellIsRule("equal", [f'"{text}"'], fill=fill))


def _colour_flags(worksheet: Worksheet, sheet: Sheet) -> None:
    for sign, colour in (("<>", "C5221F"), ("=", "188038")) if sheet.book.flag else ():
        worksheet.conditional_formatting.add(
            "A3",
            FormulaRule([f'$A$3{sign}"All checks pass"'], font=Font(color=colour, bold=True)),
        )
    checks = [cell for cell in sheet.cells if cell.role == "check"]
    if checks:
        column = get_column_letter(checks[0].column)
        place = f"{column}{checks[0].row}:{column}{checks[-1].row}"
        _colour_texts(worksheet, place, {"OK": "good", "CHECK": "bad", "ERROR": "bad"})


def _set_up_print(worksheet: Worksheet, sheet: Sheet) -> None:
    last = max(sheet.row, *(cell.row for cell in sheet.cells))
    worksheet.print_area = f"A1:{get_column_letter(len(sheet.widths))}{last}"
    upright = sheet.upright or (sheet.long and sum(sheet.widths) < _WIDEST_UPRIGHT)
    worksheet.page_setup.orientation = "portrait" if upright else "landscape"
    worksheet.page_setup.paperSize = worksheet.PAPERSIZE_A4
    # A year of months on each page across.
    across = -(-(len(sheet.widths) - sheet.side) // _MONTHS_ACROSS) if sheet.side else 1
    worksheet.page_setup.fitToWidth = across
    worksheet.page_setup.fitToHeight = 0 if sheet.long else 1
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if sheet.heads != Sheet.heads:
        worksheet.print_title_rows = f"{sheet.heads}:{sheet.heads}"
    elif sheet.long:
        worksheet.print_title_rows = f"1:{_TITLE_ROWS}"
    if sheet.side:
        worksheet.print_title_cols = f"A:{get_column_letter(sheet.side)}"
    worksheet.print_options.horizontalCentered = True
    worksheet.page_margins = PageMargins(left=0.4, right=0.4, top=0.45, bottom=0.55, footer=0.25)
    footer: Any = worksheet.oddFooter
    footer.left.text, footer.right.text = "&A", "Page &P of &N"
