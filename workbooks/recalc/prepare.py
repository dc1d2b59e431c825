"""The copy of a workbook that the calculator is given: sheets, names and settings, nothing else.

Rows go over as they are wherever the calculator understands them. Elsewhere formulas are put in its
terms, the remembered values of array formulas are taken out (the calculator would take them for
constants in the way), and formulas that it cannot evaluate become their old values.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape as escape_text
from typing import IO

from udfs.cells import Cell
from workbooks.calc.protocol import LARGEST_SPILL, calculator_name
from workbooks.calc.reads import Reads
from workbooks.errors import NotAWorkbookError
from workbooks.excel.context import Fill, KeepOldValueError, Place, Spill
from workbooks.excel.pipeline import Pipeline, patterns_of
from workbooks.excel.runtime.arrays import Spills
from workbooks.formula.address import (
    column_number,
    full_name,
    parse_area,
    parse_cell,
    turns,
)
from workbooks.formula.names import DefinedName
from workbooks.ooxml.book import Book, SheetInfo
from workbooks.ooxml.limits import LONGEST_FORMULA
from workbooks.ooxml.overrides import ROW_NUMBER, last_row, number_texts, value_text
from workbooks.ooxml.scan import (
    ATTRIBUTES,
    CELL,
    COLUMN,
    HEAD,
    ROW,
    STEP,
    TEXT,
    UnusualError,
)
from workbooks.ooxml.xml import MAIN, OFFICE_RELATIONSHIPS, PACKAGE_RELATIONSHIPS, escape, unescape
from workbooks.recalc.filled import Master
from workbooks.recalc.plan import ArrayCells, DataTable, SheetPlan

_DIGITS = b"0123456789$"
_ATTRIBUTE = re.compile(rb'\b([A-Za-z0-9]+)="([^"]*)"')
_IS_TEXT = re.compile(rb'\st="str"')
_STYLE = re.compile(rb'\ss="[0-9]*"')
# Errors that are younger than the format; the calculator refuses to read them.
_NEW_ERROR = re.compile(rb"<v>#(?!NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A<)[^<]*+</v>")
_ROW = re.compile(rb"<row\b[^>]*")
_HEAD = f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
_TAIL = b"</sheetData></worksheet>"


def attributes(text: bytes) -> dict[str, str]:
    """Return the attributes of an element, without their namespaces."""
    return {m[1].decode(): unescape(m[2]) for m in _ATTRIBUTE.finditer(text)}


def write_copy(
    target: IO[bytes],
    book: Book,
    names: Iterable[DefinedName],
    sheets: Iterable[tuple[SheetInfo, Callable[[], Iterable[bytes]]]],
    strings: Iterable[bytes] | None,
) -> None:
    """Write the package for the calculator; `sheets` gives the rows of each sheet."""
    listed = list(sheets)
    relation = 'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships'
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as out:
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
            for i in range(1, len(listed) + 1)
        )
        out.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            '<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
            f"{parts}</Types>",
        )
        out.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE_RELATIONSHIPS}"><Relationship Id="rId1" '
            f'{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        out.writestr("xl/workbook.xml", _workbook(book, names, [info.name for info, _ in listed]))
        links = "".join(
            f'<Relationship Id="rId{i}" {relation}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(listed) + 1)
        )
        if strings is not None:
            links += (
                f'<Relationship Id="rIdS" {relation}/sharedStrings" Target="sharedStrings.xml"/>'
            )
            _stream(out, "xl/sharedStrings.xml", strings)
        out.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE_RELATIONSHIPS}">{links}</Relationships>',
        )
        for i, (_, rows) in enumerate(listed, 1):
            _stream(out, f"xl/worksheets/sheet{i}.xml", _whole(rows()))


def _whole(rows: Iterable[bytes]) -> Iterator[bytes]:
    yield _HEAD
    yield from rows
    yield _TAIL


def _quoted(text: str) -> str:
    """Return a text as the value of an attribute, which keeps its tabs and line ends."""
    text = escape_text(text).replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")
    return f'"{text}"'


def _stream(out: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    with out.open(name, "w") as stream:
        for piece in pieces:
            stream.write(piece)


def _workbook(book: Book, names: Iterable[DefinedName], sheets: list[str]) -> str:
    listed = "".join(
        f'<sheet name={_quoted(calculator_name(name))} sheetId="{i}" r:id="rId{i}"/>'
        for i, name in enumerate(sheets, 1)
    )
    defined = "".join(
        f"<definedName name={_quoted(n.name)}"
        + (f' localSheetId="{sheets.index(n.sheet)}"' if n.sheet is not None else "")
        + f">{escape_text(n.text, quote=False)}</definedName>"
        for n in names
        if n.sheet is None or n.sheet in sheets
    )
    dates = '<workbookPr date1904="1"/>' if book.date1904 else ""
    iterate = (
        f' iterate="1" iterateCount="{book.iterations}" iterateDelta="{book.max_change!r}"'
        if book.iterate
        else ""
    )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE_RELATIONSHIPS}">{dates}'
        f"<sheets>{listed}</sheets>"
        + (f"<definedNames>{defined}</definedNames>" if defined else "")
        + f"<calcPr{iterate}/></workbook>"
    )


class SheetPreparer:
    """Prepares the rows of one sheet, and notes what is in them."""

    def __init__(self, plan: SheetPlan, pipeline: Pipeline, spills: Spills) -> None:
        self.plan = plan
        self._pipeline = pipeline
        self._in_order = pipeline if pipeline.scope.careful else pipeline.made_careful()
        self._spills = spills
        self._sheet = plan.info.name
        self.reads = Reads(self._sheet)
        self._masters: dict[bytes, Master] = {}
        # Attributes of formulas that the calculator takes as they are.
        self._taken: set[bytes] = set()

    def rows(self, parts: list[bytes], known: Sequence[Cell]) -> bytes:
        """Return a run of rows as the calculator sees it; `known` are values of its formulas."""
        count = len(parts) // STEP
        out: list[bytes] = [b""] * (2 * count + 1)
        out[0::2] = parts[0::STEP]
        cells = _constants(parts, known) if known else [b""] * count
        patterns = patterns_of([text or b"" for text in parts[TEXT::STEP]])
        self.reads.note(parts, patterns if count else [], known)
        understood = self._understood(parts, patterns)
        if understood and not known:
            cells = [head + b"</c>" for head in parts[HEAD::STEP]]
        else:
            for i in range(count):
                cell = parts[STEP * i : STEP * i + STEP]
                if known and known[i] is not None:
                    if b"ref=" in cell[ATTRIBUTES]:
                        self._note_master(cell)
                elif understood or (cell[ATTRIBUTES] in self._taken and not cell[TEXT]):
                    cells[i] = cell[HEAD] + b"</c>"
                else:
                    cells[i] = self._cell(*cell[COLUMN:])
        out[1::2] = cells
        rows = self._without_children(b"".join(out))
        self.plan.last_row = max(self.plan.last_row, last_row(rows))
        return _NEW_ERROR.sub(b"<v>#VALUE!</v>", rows) if b't="e"' in rows else rows

    def _understood(self, parts: list[bytes], patterns: list[bytes]) -> bool:
        texts = parts[TEXT::STEP]
        if not texts:
            return True
        if self._pipeline.scope.careful or any(parts[ATTRIBUTES::STEP]) or None in texts:
            return False
        if max(map(len, texts)) > LONGEST_FORMULA:
            return False
        distinct = dict(zip(patterns, texts, strict=True))
        return all(self._pipeline.is_plain(unescape(t), self._sheet) for t in distinct.values())

    def _cell(
        self,
        column: bytes,
        row: bytes,
        cell: bytes,
        formula: bytes,
        text: bytes | None,
        value: bytes | None,
        rest: bytes,
    ) -> bytes:
        place = Place(self._sheet, int(row), column_number(column.decode()))
        given = attributes(formula) if formula.strip(b" /") else {}
        kind = given.get("t", "normal")
        try:
            if text and len(text) > LONGEST_FORMULA:
                _check_length(text)
            if kind == "shared":
                shared = self._shared(place, column, given, text)
                if not text and given.get("si", "").encode() not in self._masters:
                    self._taken.add(formula)
                return shared
            if kind == "dataTable":
                self.plan.tables.append(_data_table(place, given))
                return _constant(column, row, cell, value, rest)
            if not text:
                if self._fills(place):
                    # What Excel saved stays, or the array formula fills it anew.
                    self.plan.children.add((place.row, place.column))
                    return _constant(column, row, cell, value, rest)
                raise KeepOldValueError("the formula is empty")
            if kind == "array":
                lowered = self._array(place, cell, given, unescape(text))
            else:
                lowered = self._pipeline.text(unescape(text), place)
            return b'<c r="%b%b"><f>%b</f></c>' % (column, row, escape(lowered))
        except KeepOldValueError as error:
            self.plan.kept[place.row, place.column] = str(error)
            area = parse_area(given.get("ref", "")) if kind in ("array", "dataTable") else None
            if area is not None:
                self.plan.left[place.row, place.column] = area
            return _constant(column, row, cell, value, rest)

    def _fills(self, place: Place) -> bool:
        """Tell whether an array formula or data table fills a cell."""
        plan = self.plan
        areas = [*(a.area for a in plan.arrays), *(t.area for t in plan.tables)]
        return any(area.holds(place.row, place.column) for area in (*areas, *plan.left.values()))

    def _array(self, place: Place, cell: bytes, given: dict[str, str], text: str) -> str:
        area = parse_area(given.get("ref", ""))
        if area is None or (area.top, area.left) != place[1:]:
            raise NotAWorkbookError(
                f"{full_name(*place)}: an array formula that covers {given.get('ref')!r}"
            )
        if area.rows * area.columns > LARGEST_SPILL:
            raise KeepOldValueError(f"an array formula over more than {LARGEST_SPILL:,} cells")
        if b" cm=" in cell:
            spill = self._spills.new()
            lowered = self._pipeline.text(text, place, Spill(spill))
        else:
            spill = None
            lowered = self._pipeline.text(text, place, Fill(area.rows, area.columns))
        self.plan.arrays.append(ArrayCells(area, spill, text))
        return lowered

    def _shared(
        self, place: Place, column: bytes, given: dict[str, str], text: bytes | None
    ) -> bytes:
        index = given.get("si", "").encode()
        area = parse_area(given.get("ref", "")) if text else None
        if area is not None and (
            self._pipeline.scope.careful or turns(unescape(text or b""), place[1:], area)
        ):
            # Each cell that shares it is given a text of its own, its ranges in order.
            self._masters[index] = Master(unescape(text or b""), place.row, place.column)
        elif text:
            self.plan.shared[index] = ""
            try:
                lowered = self._pipeline.text(unescape(text), place)
            except KeepOldValueError as error:
                self.plan.shared[index] = str(error)
                raise
            return b'<c r="%b%d"><f t="shared" ref="%b" si="%b">%b</f></c>' % (
                column, place.row, given.get("ref", "").encode(), index, escape(lowered),
            )  # fmt: skip
        if index in self._masters:
            tree = self._masters[index].at(place.row, place.column)
            lowered = self._in_order.text_of_tree(tree, place)
            return b'<c r="%b%d"><f>%b</f></c>' % (column, place.row, escape(lowered))
        reason = self.plan.shared.get(index, "the formula that it shares is missing")
        if reason:
            raise KeepOldValueError(reason)
        return b'<c r="%b%d"><f t="shared" si="%b"/></c>' % (column, place.row, index)

    def _note_master(self, cell: list[bytes]) -> None:
        """Remember a formula that others share and that the calculator does not get to see."""
        index = attributes(cell[ATTRIBUTES]).get("si", "").encode()
        column = column_number(cell[COLUMN].decode())
        if cell[TEXT]:
            self._masters[index] = Master(unescape(cell[TEXT]), int(cell[ROW]), column)

    def _without_children(self, rows: bytes) -> bytes:
        """Take out the remembered values of array formulas."""
        areas = [a.area for a in self.plan.arrays if a.area.rows * a.area.columns > 1]
        fills = self.plan.arrays or self.plan.tables
        # Where cells are to be put in, every row has to say which it is.
        if fills and not all(map(ROW_NUMBER.search, _ROW.findall(rows))):
            raise UnusualError("a row without its number")
        if not areas:
            return rows

        def keep(match: re.Match[bytes]) -> bytes:
            row, column = int(match[2]), column_number(match[1].decode())
            for area in areas:
                if area.holds(row, column) and (row, column) != (area.top, area.left):
                    return b""
            return match[0]

        return CELL.sub(keep, rows)


def _constants(parts: list[bytes], values: Sequence[Cell]) -> list[bytes]:
    """Return formula cells as the values that they have."""
    names = zip(parts[COLUMN::STEP], parts[ROW::STEP], strict=True)
    numbers = [value for value in values if type(value) is float]
    if len(numbers) == len(values):
        texts = number_texts(numbers)
        return [
            b'<c r="%b%b"><v>%b</v></c>' % (*name, text)
            for name, text in zip(names, texts, strict=True)
        ]
    return [
        b'<c r="%b%b"%b><v>%b</v></c>' % (*name, *value_text(value))
        for name, value in zip(names, values, strict=True)
    ]


def _check_length(text: bytes) -> None:
    if len(unescape(text)) > LONGEST_FORMULA:
        raise KeepOldValueError(f"a formula of more than {LONGEST_FORMULA:,} characters")


def _data_table(place: Place, given: dict[str, str]) -> DataTable:
    area = parse_area(given.get("ref", ""))
    first, second = parse_cell(given.get("r1", "")), parse_cell(given.get("r2", ""))
    if area is None or first is None or (area.top, area.left) != place[1:] or min(place[1:]) < 2:
        raise KeepOldValueError("the data table lacks its input cell")
    if given.get("dt2D") in ("1", "true"):
        if second is None:
            raise KeepOldValueError("the data table lacks its second input cell")
        return DataTable(area, first, second)
    if given.get("dtr") in ("1", "true"):
        return DataTable(area, first, None)
    return DataTable(area, None, first)


def _constant(column: bytes, row: bytes, cell: bytes, value: bytes | None, rest: bytes) -> bytes:
    """Return a formula cell as its old value; without one, as the error that it is."""
    if not value and not rest.strip():
        if _IS_TEXT.search(cell):
            # The calculator would read an empty text as a blank, which a formula makes a text.
            return b'<c r="%b%b"><f>""</f></c>' % (column, row)
        return b'<c r="%b%b" t="e"><v>#NAME?</v></c>' % (column, row)
    content = rest if value is None else b"<v>%b</v>%b" % (value, rest)
    return b'<c r="%b%b"%b>%b</c>' % (column, row, _STYLE.sub(b"", cell), content)
