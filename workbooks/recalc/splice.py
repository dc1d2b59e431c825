"""New values spliced into the rows of a sheet; every other byte stays.

Where a value goes is read from the cell's own bytes; values are handed over with their addresses.
A value therefore either goes to its own cell or nowhere: no count of cells can shift it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from udfs.cells import Cell, CellError
from workbooks.calc.protocol import Calculator, CalculatorError, Value
from workbooks.formula.address import Area, full_name
from workbooks.ooxml.limits import LONGEST_TEXT
from workbooks.ooxml.overrides import (
    Edit,
    empty_text_cell,
    number_texts,
    value_cell,
    value_text,
)
from workbooks.ooxml.scan import (
    CELL,
    CELL_ATTRIBUTES,
    FORMULA,
    HEAD,
    REST,
    SHARED,
    STEP,
    VALUE,
    SplitRows,
)
from workbooks.ooxml.xml import cell_text, unescape
from workbooks.recalc.report import (
    LISTED,
    Change,
    Report,
    Unevaluated,
    Unreproduced,
)

_TYPE = re.compile(rb'\s(t|vm)="([^"]*)"')
_REF = re.compile(rb'\sref="[^"]*"')
_STYLE = re.compile(rb'\ss="[0-9]*"')
_V = re.compile(rb"<v[^>]*+>([^<]*+)</v>")
# Two calculators that sum in another order differ in the last of the 17 digits; Excel shows 15.
_SAME = 1e-15


class Pending(NamedTuple):
    """A cell in error whose cause is still to be found; `shared` is that of its formula."""

    sheet: str
    row: int
    column: int
    code: str
    reason: str
    text: str
    shared: bytes


class Difference(NamedTuple):
    """A cell that comes out otherwise than Excel saved it.

    `keep` says that Excel's value stays where the cell does not depend on a change; `listed`, that
    the cell is told of.
    """

    saved: Cell
    computed: Cell
    keep: bool
    listed: bool

    @property
    def reason(self) -> str:
        """Both values, as they are told."""
        return f"Excel saved {_shown(self.saved)}, here it is {_shown(self.computed)}"


@dataclass(slots=True)
class SheetSplicer:
    """Puts the values of the calculator into the formula cells of one sheet.

    Parameters
    ----------
    sheet : str
        Name of the sheet.
    calculator : Calculator
        What the values mean.
    blocks : Iterator
        Rows, columns and values of formulas, in the order of the sheet wherever possible.
    kept : Mapping
        Cells that keep their old value, by row and column, and why.
    given : Mapping
        Values by row and column that do not come from the calculator.
    extents : Mapping
        The cells that array formulas fill now, by their first cell.
    report : Report
        What is told of the cells.
    pending : list
        Errors whose reasons are still to be found.
    frozen : Callable, optional
        Tells of which formulas only the value is to stay.
    baseline : Mapping
        The cells that come out otherwise than Excel saved them.
    children : Container
        Cells with a formula element that array formulas fill; they are not told of by themselves.
    """

    sheet: str
    calculator: Calculator
    blocks: Iterator[tuple[Sequence[int], Sequence[int], list[Any]]]
    kept: Mapping[tuple[int, int], str]
    given: Mapping[tuple[int, int], Cell]
    extents: Mapping[tuple[int, int], Area]
    report: Report
    pending: list[Pending] = field(default_factory=list)
    frozen: Callable[[str], bool] | None = None
    baseline: Mapping[tuple[int, int], Difference] = field(default_factory=dict)
    children: Container[tuple[int, int]] = ()
    _frozen_shared: set[bytes] = field(default_factory=set)
    # What a frozen array formula filled with empty texts: formulas by now, which have no value.
    _emptied: set[tuple[int, int]] = field(default_factory=set)
    # Values that came with another run of rows than their cells.
    _waiting: dict[tuple[int, int], Any] = field(default_factory=dict)
    # What array formulas fill, in cells that hold a formula element without a text.
    _spilled: dict[tuple[int, int], Cell] = field(default_factory=dict)

    def rows(self, parts: SplitRows) -> bytes:
        """Return a run of rows, given in its parts, with its formula cells brought up to date."""
        count = len(parts) // STEP
        if not count:
            return parts[0]
        numbers, columns = parts.places
        raw = self._values(numbers, columns)
        cells = self._all_numbers(parts, raw, numbers, columns)
        if cells is None:
            cells = [
                self._cell(numbers[i], columns[i], raw[i], *parts[STEP * i + 1 : STEP * i + STEP])
                for i in range(count)
            ]
        out: list[bytes] = [b""] * (2 * count + 1)
        out[0::2] = parts[0::STEP]
        out[1::2] = cells
        return b"".join(out)

    def _values(self, rows: Sequence[int], columns: Sequence[int]) -> list[Any]:
        """Return the values of these cells, by their addresses."""
        if not self._waiting:
            block = next(self.blocks, None)
            if block is not None:
                if block[0] == rows and block[1] == columns:
                    return block[2]
                self._put_aside(block)
        wanted = list(zip(rows, columns, strict=True))
        while not self._waiting.keys() >= set(wanted):
            block = next(self.blocks, None)
            if block is None:
                break
            self._put_aside(block)
        missing = CalculatorError("no value was computed for it")
        return [self._waiting.pop(place, missing) for place in wanted]

    def _put_aside(self, block: tuple[Sequence[int], Sequence[int], list[Any]]) -> None:
        rows, columns, raw = block
        self._waiting.update(zip(zip(rows, columns, strict=True), raw, strict=True))

    def _all_numbers(
        self, parts: list[bytes], raw: list[Any], rows: Sequence[int], columns: Sequence[int]
    ) -> list[bytes] | None:
        """Return the cells where all are plain finite numbers, as they mostly are."""
        if set(map(type, raw)) != {float} or any(parts[REST::STEP]):
            return None
        if (
            self.frozen
            or self.kept
            or self.given
            or self.extents
            or self.baseline
            or self.children
            or not math.isfinite(sum(map(abs, raw)))
        ):
            return None
        if any(b' t="' in a and b' t="n"' not in a for a in set(parts[CELL_ATTRIBUTES::STEP])):
            return None
        texts = number_texts(raw)
        old = parts[VALUE::STEP]
        if texts != old:
            self._compare(old, texts, raw, rows, columns)
        self.report.evaluated += len(raw)
        return [b"%b<v>%b</v></c>" % pair for pair in zip(parts[HEAD::STEP], texts, strict=True)]

    def _compare(
        self,
        old: list[bytes],
        texts: list[bytes],
        raw: list[float],
        rows: Sequence[int],
        columns: Sequence[int],
    ) -> None:
        report = self.report
        room = LISTED - len(report.changed)
        if room <= 0 and not any(old):
            report.changed_count += len(old)
            return
        for i, before in enumerate(old):
            if before == texts[i]:
                continue
            was = _number(before)
            if was is not None and _same(was, raw[i]):
                texts[i] = before
                continue
            report.changed_count += 1
            if len(report.changed) < LISTED:
                address = full_name(self.sheet, rows[i], columns[i])
                report.changed.append(Change(address, was, raw[i]))

    def _cell(
        self,
        row: int,
        column: int,
        raw: Any,
        head: bytes,
        _letters: bytes,
        _digits: bytes,
        attributes: bytes,
        formula: bytes,
        text: bytes | None,
        old: bytes | None,
        rest: bytes,
    ) -> bytes:
        before = b"%b%b%b</c>" % (head, b"" if old is None else b"<v>%b</v>" % old, rest)
        if (row, column) in self._spilled:
            return self._filled(row, column, before, self._spilled[row, column])
        if (row, column) in self.children or (row, column) in self._emptied:
            return before
        if (row, column) in self.kept:
            self._keep(row, column, self.kept[row, column])
            return before
        if (row, column) in self.given:
            value: Value = self.given[row, column]
        else:
            value = raw if isinstance(raw, CalculatorError) else self.calculator.value(raw)
        if isinstance(value, CalculatorError):
            self._keep(row, column, value.reason)
            return before
        if value is None:
            value = 0.0
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            value = CellError("#VALUE!", f"a text of more than {LONGEST_TEXT:,} characters")
        self.report.evaluated += 1
        if isinstance(value, CellError):
            self._tell(row, column, formula, text, value)
        was = old_value(attributes, old)
        if self.frozen is not None and self._freezes(formula, text):
            style = _STYLE.search(attributes)
            kept = b'<c r="A1"%b/>' % (style[0] if style else b"")
            if value == "":
                return empty_text_cell(row, column, kept)
            return value_cell(row, column, kept, value, inline=True)
        extent = self.extents.get((row, column))
        if extent is not None:
            head = _REF.sub(b' ref="%b"' % str(extent).encode(), head, count=1)
            before = b"%b%b%b</c>" % (head, b"" if old is None else b"<v>%b</v>" % old, rest)
        if self._stays(row, column, value) or _equal(was, value):
            return before
        self.report.add_change(Change(full_name(self.sheet, row, column), was, value))
        return _with_value(head, value)

    def stays(self, row: int, column: int) -> bool:
        """Tell whether a cell, and what its array formula fills, keeps what Excel saved."""
        found = self.baseline.get((row, column))
        if found is None or not found.keep:
            return False
        value = self.calculator.value(
            self.calculator.values(self.sheet, row, column, row, column)[0][0]
        )
        return not isinstance(value, CalculatorError) and _equal(found.computed, value)

    def _stays(self, row: int, column: int, value: Cell) -> bool:
        """Tell whether a cell keeps what Excel saved; list it where it did not come out so."""
        found = self.baseline.get((row, column))
        if found is None:
            return False
        same = _equal(found.computed, value)
        if found.listed:
            kept = found.keep and same
            self.report.add_unreproduced(
                Unreproduced(
                    full_name(self.sheet, row, column),
                    found.reason
                    + (": Excel's value stays" if kept else f": {_shown(value)} is written"),
                )
            )
        return found.keep and same

    def filled(self, row: int, column: int, value: Cell, *, frozen: bool = False) -> Edit:
        """Return the edit of a cell that an array formula or data table fills.

        `frozen` says that the array formula itself becomes its value.
        """

        def edit(old: bytes | None) -> bytes:
            if frozen and value == "":
                self._emptied.add((row, column))
                return empty_text_cell(row, column, old)
            if old is not None and FORMULA.fullmatch(old):
                # Excel writes <f ca="1"/> into what a volatile array formula fills: `rows` comes
                # by such a cell again.
                self._spilled[row, column] = value
                return old
            return self._filled(row, column, old, value)

        return edit

    def _filled(self, row: int, column: int, old: bytes | None, value: Cell) -> bytes:
        match = CELL.fullmatch(old) if old else None
        was = old_value(match[3], cell_content(match[4])) if match else None
        if self._stays(row, column, value) and old is not None:
            return old
        if isinstance(value, CellError):
            self._tell(row, column, b"", None, value)
        if _equal(was, value) and old is not None:
            return old
        self.report.add_change(Change(full_name(self.sheet, row, column), was, value))
        formula = FORMULA.fullmatch(old) if old and value is not None else None
        if formula is not None:
            return _with_value(formula[HEAD], value)
        return value_cell(row, column, old, value, inline=False)

    def _freezes(self, formula: bytes, text: bytes | None) -> bool:
        shared = SHARED.search(formula)
        if shared is not None and not text:
            return shared[1] in self._frozen_shared
        frozen = self.frozen is not None and bool(text) and self.frozen(unescape(text or b""))
        if frozen and shared is not None:
            self._frozen_shared.add(shared[1])
        return frozen

    def _keep(self, row: int, column: int, reason: str) -> None:
        self.report.add_unevaluated(Unevaluated(full_name(self.sheet, row, column), reason))

    def _tell(
        self, row: int, column: int, formula: bytes, text: bytes | None, error: CellError
    ) -> None:
        shared = SHARED.search(formula) if not text else None
        self.report.error_count += 1
        self.pending.append(
            Pending(
                self.sheet,
                row,
                column,
                error.code,
                error.reason,
                unescape(text) if text else "",
                shared[1] if shared else b"",
            )
        )


def _with_value(head: bytes, value: Cell) -> bytes:
    """Return a cell whose head, up to the end of its formula, stays as it is."""
    kind, text = value_text(value)
    start = head.index(b">")
    return b"%b%b%b<v>%b</v></c>" % (_TYPE.sub(b"", head[:start]), kind, head[start:], text)


def old_value(attributes: bytes, text: bytes | None) -> Cell:
    """Return the value that a formula cell holds in the file."""
    match = next((m for m in _TYPE.finditer(attributes) if m[1] == b"t"), None)
    kind = match[2] if match else b"n"
    if text is None:
        return "" if kind == b"str" else None
    if kind == b"b":
        return text == b"1"
    if kind == b"e":
        return CellError(unescape(text))
    if kind == b"n":
        return _number(text)
    return cell_text(text)


def _shown(value: Cell) -> str:
    if isinstance(value, CellError):
        return value.code
    return f"{value:.15g}" if isinstance(value, float) else repr(value)


def cell_content(cell: bytes | None) -> bytes | None:
    """Return what stands between the tags of a cell's value."""
    match = _V.search(cell or b"")
    return match[1] if match else None


def _number(text: bytes | None) -> float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _same(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= _SAME * max(abs(a), abs(b))


def _equal(was: Cell, now: Cell) -> bool:
    if isinstance(was, bool) or isinstance(now, bool):
        return was is now
    if isinstance(was, float) and isinstance(now, float):
        return _same(was, now)
    if isinstance(was, CellError) and isinstance(now, CellError):
        return was.code == value_text(now)[1].decode()
    return type(was) is type(now) and was == now
