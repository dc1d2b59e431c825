"""A second opinion: the same workbook, recalculated by LibreOffice Calc with our add-in.

Calc gets a copy in which the functions carry the names it knows them by; the user's file is read
and never opened by it. Every formula is computed anew, our functions and Calc's own alike, and
held against the values that the file holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from lxml import etree

from udfs.cells import Cell, CellError
from udfs.hosts import libreoffice
from workbooks.errors import UnwritableError
from workbooks.formula.address import Area, cell_name, parse_area, split_sheet
from workbooks.ooxml.book import Book, read_book
from workbooks.ooxml.package import Package
from workbooks.ooxml.xml import parse, serialise

Progress = Callable[[str, int, int], None]

#: Two programs that round at other places still agree to this.
RELATIVE = 1e-9
#: Calc makes the difference of nearly equal numbers 0, where others leave a rounding error. It is
#: at most this part of the largest number that the formula refers to, or of 1.
ROUNDING = 1e-12
_REFERENCE = re.compile(
    r"(?:(?:'((?:[^']|'')+)'|([\w.]+))!)?(?<![\w.])(\$?[A-Za-z]{1,3}\$?[0-9]{1,7})(?![\w(!])"
)
_ODS = "calc8"


class Difference(NamedTuple):
    """A formula cell for which Calc has another value than the file."""

    sheet: str
    cell: str
    formula: str
    held: Cell
    calc: Cell


@dataclass(slots=True)
class SecondOpinion:
    """What Calc makes of a workbook, and where the file says otherwise.

    `values` has every formula cell that Calc calculated, by sheet and address. `unknown` lists
    those that it could not: a function that this Calc does not have. `unheld` counts the cells
    for which the file holds no value to compare with.
    """

    version: str
    values: dict[tuple[str, str], Cell] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    compared: int = 0
    unheld: int = 0

    @property
    def agrees(self) -> bool:
        """Whether Calc calculated every formula and has nowhere another value."""
        return not self.differences and not self.unknown


@dataclass(slots=True)
class _Sheet:
    """The formulas of one sheet as the file has them, and the values of all its cells."""

    name: str
    formulas: dict[str, str] = field(default_factory=dict)
    held: dict[str, Cell] = field(default_factory=dict)

    def plain(self, cell: str) -> bool:
        """Tell whether a cell holds a number or a text."""
        value = self.held.get(cell)
        return isinstance(value, float) or (isinstance(value, str) and value != "")


def second_opinion(
    path: str | Path, *, progress: Progress | None = None, seconds: float = 600.0
) -> SecondOpinion:
    """Recalculate a copy of a workbook in LibreOffice Calc and compare.

    Parameters
    ----------
    path : str or Path
        The workbook (.xlsx, .xlsm); it is not written to [-].
    progress : Callable, optional
        Called with what is being done, how much is done and how much there is [-].
    seconds : float
        How long LibreOffice may take; then it is ended [s].

    Returns
    -------
    SecondOpinion
        Calc's values, and those of the file that differ [-].

    Raises
    ------
    RefusedError
        If the file is no workbook.
    LibreOfficeError
        If LibreOffice is not there, cannot run the functions, or takes too long.
    """
    told = progress or (lambda _what, _done, _total: None)
    source = Path(path)
    with TemporaryDirectory(prefix="tokenbook-") as folder:
        copy = Path(folder) / f"copy{source.suffix}"
        sheets = _write_copy(source, copy, told=told)
        told("starting LibreOffice", 0, 1)
        with libreoffice.calc_with_functions(seconds) as calc:
            told("recalculating in LibreOffice", 0, 1)
            found = calc.ask(
                "recalculate",
                lambda done, total: told("reading the values", done, total),
                path=copy.as_uri(),
            )
            opinion = SecondOpinion(calc.ask("version"))
    calculated = {
        (sheet["sheet"], cell): value
        for sheet in found
        for cell, value in _cells_of_areas(sheet["areas"])
    }
    by_name = {one.name.casefold(): one for one in sheets}
    for one in sheets:
        for cell, formula in one.formulas.items():
            _compare(opinion, by_name, one, cell, formula, calculated)
    return opinion


def write_ods(path: str | Path, target: str | Path, *, seconds: float = 600.0) -> None:
    """Write a copy of a workbook that Calc opens with the functions alive in it.

    Every reference reaches the functions through TOK_CELLS: an input that is blanked there later
    stays a blank, where Calc alone would hand over a 0.

    Parameters
    ----------
    path : str or Path
        The workbook (.xlsx, .xlsm); it is not written to [-].
    target : str or Path
        The .ods file to write [-].
    seconds : float
        How long LibreOffice may take; then it is ended [s].
    """
    source, written = Path(path), Path(target).resolve()
    if written.suffix.lower() != ".ods":
        raise UnwritableError(f"{target}: name it *.ods")
    with TemporaryDirectory(prefix="tokenbook-") as folder:
        copy, made = Path(folder) / f"copy{source.suffix}", Path(folder) / "made.ods"
        _write_copy(source, copy, told=lambda _what, _done, _total: None, live=True)
        with libreoffice.calc_with_functions(seconds) as calc:
            calc.ask("convert", path=copy.as_uri(), target=made.as_uri(), file_filter=_ODS)
        written.write_bytes(made.read_bytes())


def same(held: Cell, calc: Cell, largest: float = 1.0) -> bool:
    """Tell whether two programs mean the same value.

    Parameters
    ----------
    held, calc : Cell
        The value that the file holds, and Calc's [-].
    largest : float
        Size of the largest number that the value was calculated from, 1 or more [-].

    Returns
    -------
    bool
        Whether they agree within rounding [-].

    Examples
    --------
    >>> same(1.0, 1.0 + 1e-12), same(True, 1.0), same(None, ""), same(1.0, "1")
    (True, True, True, False)
    """
    if isinstance(held, CellError) and isinstance(calc, CellError):
        return held.code == calc.code
    if isinstance(held, int | float) and isinstance(calc, int | float):
        # Calc has TRUE as 1.
        return math.isclose(held, calc, rel_tol=RELATIVE, abs_tol=ROUNDING * largest)
    if isinstance(held, str | None) and isinstance(calc, str | None):
        return (held or "") == (calc or "")
    return False


def _compare(
    opinion: SecondOpinion,
    sheets: dict[str, _Sheet],
    sheet: _Sheet,
    cell: str,
    formula: str,
    calculated: dict[tuple[str, str], Cell],
) -> None:
    place = (sheet.name, cell)
    held = sheet.held.get(cell)
    calc = calculated.get(place)
    unknown = isinstance(calc, CellError) and calc.code == "#NAME?" and str(held) != "#NAME?"
    if unknown or place not in calculated:
        opinion.unknown.append(place)
        return
    if isinstance(held, bool) and calc in (0.0, 1.0):
        calc = calc == 1.0
    opinion.values[place] = calc
    if cell not in sheet.held:
        opinion.unheld += 1
        return
    opinion.compared += 1
    if not same(held, calc) and not same(held, calc, _largest(formula, sheet, sheets)):
        opinion.differences.append(Difference(*place, formula, held, calc))


def _largest(formula: str, sheet: _Sheet, sheets: dict[str, _Sheet]) -> float:
    """Return the size of the largest number in the cells that a formula names, 1 or more."""
    largest = 1.0
    for named, bare, cell in _REFERENCE.findall(formula):
        name = named.replace("''", "'") or bare
        there = sheets.get(name.casefold()) if name else sheet
        value = there.held.get(cell.replace("$", "").upper()) if there else None
        if isinstance(value, float):
            largest = max(largest, abs(value))
    return largest


def _cells_of_areas(areas: list[list[object]]) -> Iterator[tuple[str, Cell]]:
    for top, left, rows in areas:
        assert isinstance(top, int)
        assert isinstance(left, int)
        assert isinstance(rows, list)
        for r, row in enumerate(libreoffice.cells_of(rows)):
            for c, value in enumerate(row):
                yield cell_name(top + r + 1, left + c + 1), value


def _write_copy(source: Path, copy: Path, *, told: Progress, live: bool = False) -> list[_Sheet]:
    """Write the copy for Calc, and return what the formula cells of the file are and hold.

    A `live` copy is one whose cells somebody may change, so that every reference is in doubt.
    """
    with Package(source) as package:
        book = read_book(package)
        strings = _strings(package, book)
        sheets = []
        for done, info in enumerate(book.sheets):
            told("reading the formulas", done, len(book.sheets))
            root = parse(package.read(info.part), info.part)
            sheets.append(_read_sheet(info.name, root, book.main, strings))
        doubts = _Doubts(book, sheets)
        root = parse(package.read(book.part), book.part)
        names = list(root.iter(f"{{{book.main}}}definedName"))
        replaced = {}
        if sum(_rewrite(name, doubts.anywhere) for name in names):
            replaced[book.part] = serialise(root)
        for done, (info, sheet) in enumerate(zip(book.sheets, sheets, strict=True)):
            if any(map(libreoffice.mentions_functions, sheet.formulas.values())):
                told("writing the copy", done, len(book.sheets))
                root = parse(package.read(info.part), info.part)
                here = doubts.anywhere if live else doubts.on(info.name)
                for formula in root.iter(f"{{{book.main}}}f"):
                    # A shared formula stands for cells that refer to others than it names.
                    keeps = doubts.anywhere if formula.get("t") == "shared" else here
                    _rewrite(formula, keeps, array=formula.get("t") == "array")
                replaced[info.part] = serialise(root)
        with copy.open("wb") as file:
            package.write(file, {part: partial(list, [data]) for part, data in replaced.items()})
    return sheets


class _Doubts:
    """Which references Calc might hand over wrongly: to blanks, logical values, ranges with errors.

    A cell that holds a number or a text in the file needs no help; each wrapping costs Calc as
    much time as five calls.
    """

    def __init__(self, book: Book, sheets: list[_Sheet]) -> None:
        self._names = {
            name.name.upper() for name in book.names if libreoffice.is_reference(name.text.strip())
        }
        self._sheets = {sheet.name.casefold(): sheet for sheet in sheets}

    def anywhere(self, text: str) -> bool:
        """Tell for a formula that may stand in many cells."""
        return libreoffice.is_reference(text) or text.upper() in self._names

    def on(self, sheet: str) -> Callable[[str], bool]:
        """Return what tells for the formula of one cell."""

        def here(text: str) -> bool:
            named, cell = split_sheet(text)
            there = self._sheets.get((named or sheet).casefold())
            plain = there is not None and there.plain(cell.replace("$", "").upper())
            return not plain and self.anywhere(text)

        return here


def _rewrite(element: etree._Element, keep: Callable[[str], bool], *, array: bool = False) -> bool:
    """Give the functions in a formula the names that Calc knows; tell whether there were any."""
    if not element.text or not libreoffice.mentions_functions(element.text):
        return False
    element.text = libreoffice.for_calc(element.text, keep, array=array)
    return True


def _strings(package: Package, book: Book) -> list[str]:
    if book.strings is None:
        return []
    root = parse(package.read(book.strings), book.strings)
    return [_text_of(item, book.main) for item in root.iter(f"{{{book.main}}}si")]


def _text_of(item: etree._Element, main: str) -> str:
    """Return a text without its formatting, and without the reading aids of Japanese."""
    runs = item.findall(f"{{{main}}}t") + item.findall(f"{{{main}}}r/{{{main}}}t")
    return "".join(run.text or "" for run in runs)


def _read_sheet(name: str, root: etree._Element, main: str, strings: list[str]) -> _Sheet:
    sheet = _Sheet(name)
    shared: dict[str, str] = {}
    for cell in root.iter(f"{{{main}}}c"):
        address = cell.get("r", "")
        formula = cell.find(f"{{{main}}}f")
        text = None
        if formula is not None:
            group = formula.get("si")
            text = formula.text or shared.get(group or "", "")
            if group and formula.text:
                shared[group] = formula.text
            area = parse_area(formula.get("ref", "")) if formula.get("t") == "array" else None
            if area:
                sheet.formulas.update(dict.fromkeys(_addresses(area), text))
        if text is not None:
            sheet.formulas[address] = text
        value = _held(cell, main, strings)
        if value is not None:
            sheet.held[address] = value
    return sheet


def _addresses(area: Area) -> Iterator[str]:
    for row in range(area.top, area.bottom + 1):
        for column in range(area.left, area.right + 1):
            yield cell_name(row, column)


def _held(cell: etree._Element, main: str, strings: list[str]) -> Cell:
    """Return the value that the file holds for a cell, None where it holds none."""
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        item = cell.find(f"{{{main}}}is")
        return "" if item is None else _text_of(item, main)
    value = cell.find(f"{{{main}}}v")
    text = None if value is None else value.text or ""
    # Some writers leave the value of a formula that they did not calculate empty.
    if text is None or (text == "" and kind != "str"):
        return None
    read: dict[str, Callable[[str], Cell]] = {
        "n": float,
        "b": lambda shown: shown == "1",
        "e": CellError,
        "s": lambda place: strings[int(place)],
    }
    return read.get(kind, str)(text)
