"""A workbook as the page needs it: every cell with its formula, value and look; its names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from udfs.cells import Cell, CellError
from workbooks.errors import NotAWorkbookError
from workbooks.formula.address import Area, cell_name, parse_area, parse_cell
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Error, Node, rebuilt, text_of
from workbooks.ooxml.book import Book, read_book
from workbooks.ooxml.package import Package
from workbooks.ooxml.scan import normalised
from workbooks.ooxml.xml import plain
from workbooks.page.formulas import stored
from workbooks.page.places import Place
from workbooks.page.styles import Style, read_styles
from workbooks.page.validations import Rule, read_rules

_CORE = "docProps/core.xml"


class Entry(NamedTuple):
    """What a cell holds: a formula or none, the value that the file has, and its style.

    `area` is what an array formula fills; `anchor` is where the formula stands that fills this
    cell. A formula of `kind` "table" belongs to a data table.
    """

    formula: str | None
    value: Cell
    style: int
    area: Area | None = None
    anchor: Place | None = None
    dynamic: bool = False


@dataclass(frozen=True)
class Workbook:
    """A workbook that was read."""

    sheets: tuple[str, ...]
    cells: Mapping[Place, Entry]
    #: Names of the whole workbook, and their texts.
    names: Mapping[str, str]
    styles: tuple[Style, ...]
    rules: Mapping[Place, Rule]
    title: str
    purpose: str
    date1904: bool

    def style(self, place: Place) -> Style:
        """Return how a cell looks."""
        entry = self.cells.get(place)
        number = entry.style if entry else 0
        return self.styles[number] if number < len(self.styles) else Style()

    def value(self, place: Place) -> Cell:
        """Return what the file shows in a cell."""
        entry = self.cells.get(place)
        return entry.value if entry else None

    def text(self, place: Place) -> str:
        """Return a cell's text; empty where it holds none."""
        value = self.value(place)
        return value if isinstance(value, str) else ""

    def address(self, place: Place) -> str:
        """Return a cell as a user writes it."""
        return f"{self.sheets[place.sheet]}!{cell_name(place.row, place.column)}"

    def with_values(self, values: Mapping[Place, Cell]) -> Workbook:
        """Return the workbook with other values in some of its cells."""
        cells = dict(self.cells)
        for place, value in values.items():
            cells[place] = cells[place]._replace(value=value)
        return replace(self, cells=cells)

    def number(self, sheet: str) -> int | None:
        """Return the number of a sheet by its name, which Excel compares without case."""
        wanted = sheet.casefold()
        return next((i for i, name in enumerate(self.sheets) if name.casefold() == wanted), None)


def read_workbook(path: Path) -> Workbook:
    """Read a workbook whole."""
    with Package(path) as package:
        book = read_book(package)
        strings = _strings(package, book)
        cells: dict[Place, Entry] = {}
        rules: dict[Place, Rule] = {}
        for number, info in enumerate(book.sheets):
            root = etree.fromstring(package.read(info.part))
            if root.prefix or any("r" not in c.attrib for c in root.iter(f"{{{book.main}}}c")):
                root = etree.fromstring(normalised(package.read(info.part), info.part))
            cells.update(_Sheet(number, book.main, strings, package.path.name).cells(root))
            rules.update(read_rules(root, number))
        styles = read_styles(package)
        title, purpose = _described(package)
    names = {n.name: stored(n.text) for n in book.names if n.sheet is None}
    return Workbook(
        tuple(info.name for info in book.sheets), cells, names, styles, rules, title, purpose,
        book.date1904,
    )  # fmt: skip


class _Sheet:
    """Reads the cells of one sheet."""

    def __init__(self, number: int, main: str, strings: list[str], name: str) -> None:
        self._number, self._strings, self._name = number, strings, name
        self._c, self._f, self._v, self._is = (f"{{{main}}}{tag}" for tag in ("c", "f", "v", "is"))
        self._shared: dict[str, tuple[Node, Place]] = {}

    def cells(self, root: etree._Element) -> Iterator[tuple[Place, Entry]]:
        filled: dict[Place, Place] = {}
        for cell in root.iter(self._c):
            place = self._place(cell)
            value = self._value(cell)
            style = int(cell.get("s", "0"))
            element = cell.find(self._f)
            if element is None or not (element.text or element.get("t") == "shared"):
                anchor = filled.pop(place, None)
                if value is not None or anchor is not None:
                    yield place, Entry(None, value, style, anchor=anchor)
                continue
            kind = element.get("t", "")
            if kind == "shared":
                yield place, Entry(self._share(element, place), value, style)
                continue
            formula = "=" + stored(element.text or "").lstrip("=")
            area = parse_area(element.get("ref", "")) if kind == "array" else None
            if area is not None:
                filled.update({
                    Place(self._number, row, column): place for row, column in area.cells()
                    if (row, column) != place[1:]
                })  # fmt: skip
            yield place, Entry(formula, value, style, area, dynamic=cell.get("cm") is not None)
        # Of what an array fills, cells may be missing in the file.
        for place, anchor in filled.items():
            yield place, Entry(None, None, 0, anchor=anchor)

    def _place(self, cell: etree._Element) -> Place:
        found = parse_cell(cell.get("r", ""))
        if found is None:
            raise NotAWorkbookError(f"{self._name}: a cell is called {cell.get('r')!r:.40}")
        return Place(self._number, *found)

    def _value(self, cell: etree._Element) -> Cell:
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find(self._is)
            return None if inline is None else plain("".join(map(str, inline.itertext())))
        element = cell.find(self._v)
        if element is None or element.text is None:
            return None
        text = element.text
        match kind:
            case "s":
                return self._strings[int(text)]
            case "str":
                return plain(text)
            case "e":
                return CellError(text)
            case "b":
                return text in ("1", "true")
        return float(text)

    def _share(self, element: etree._Element, place: Place) -> str:
        """Return the formula of a cell that shares that of another."""
        index = element.get("si", "")
        try:
            if element.text:
                self._shared[index] = parse(element.text), place
                return "=" + stored(element.text)
            tree, start = self._shared[index]
        except (KeyError, FormulaError):
            # Whatever this computes to, it is not what the file holds.
            return "=#REF!"
        return "=" + stored(text_of(_moved(tree, place.row - start.row,
                                           place.column - start.column)))  # fmt: skip


def _moved(tree: Node, rows: int, columns: int) -> Node:
    def change(node: Node) -> Node:
        if isinstance(node, Reference):
            return node.moved(rows, columns) or Error("#REF!")
        return rebuilt(node, change)

    return change(tree)


def _strings(package: Package, book: Book) -> list[str]:
    if book.strings is None:
        return []
    root = etree.fromstring(package.read(book.strings))
    text = f"{{{book.main}}}t"
    phonetic = f"{{{book.main}}}rPh"
    return [
        plain("".join(
            t.text or "" for t in one.iter(text)
            if not any(up.tag == phonetic for up in t.iterancestors())
        ))
        for one in root
    ]  # fmt: skip


def _described(package: Package) -> tuple[str, str]:
    """Return the title and the description that a workbook has of itself."""
    if _CORE not in package:
        return "", ""
    found = {etree.QName(e).localname: e.text or "" for e in etree.fromstring(package.read(_CORE))}
    return found.get("title", ""), found.get("description", "")
