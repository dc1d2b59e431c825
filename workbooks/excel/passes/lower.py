"""Formulas as the engine can take them: the same values, in its own terms.

What a formula needs is decided once for all formulas that differ in cell addresses and numbers
alone; most need nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from openpyxl.formula.tokenizer import Token
from openpyxl.formula.translate import Translator, TranslatorError

from workbooks.calc.protocol import (
    FAILURES,
    FIT,
    FORMATTED,
    LIFT,
    ONE,
    SURE,
)
from workbooks.excel.passes.hidden import HiddenRows, leave_out
from workbooks.excel.passes.implicit import Intersection, UncertainError, gives_array
from workbooks.excel.passes.lift import Lifting, NotLiftedError
from workbooks.excel.passes.native import put_in_terms
from workbooks.excel.passes.positions import PositionError, ask_positions
from workbooks.excel.passes.references import UnresolvedError, check_links, resolve
from workbooks.excel.passes.rewrite import OF_FILES, RewriteError, fill_skipped, rewrite
from workbooks.excel.passes.shown import compare_fifteen_digits, show_fifteen_digits
from workbooks.excel.passes.sizes import Sizes
from workbooks.formula.address import cell_name, in_order
from workbooks.formula.names import Names, is_undefined
from workbooks.formula.tokens import (
    FIRST_PLACEHOLDER,
    FormulaError,
    Node,
    is_range_token,
    read_formula,
)
from workbooks.ooxml.book import DefinedName
from workbooks.ooxml.tables import THIS_ROW, TableError, Tables

_DIGITS = {ord(c): None for c in "0123456789$"}
_NUMBERED = re.compile(r"[A-Za-z][0-9]+[A-Za-z.]*\(")
_DEEPEST_NAME = 16
_FIRST, _MOST_ROWS = FIRST_PLACEHOLDER, 100
_PLACEHOLDER = re.compile(r"(?<=[A-Za-z$])9000[0-9]{2}(?![0-9])")
_ROW_NUMBER = re.compile(r"(?<![\w.$'\]])(\$?[A-Za-z]{1,3}\$?)([1-9][0-9]*)(?![\w.(!'\[])")
_SHAPE = re.compile(rf"^{re.escape(FIT)}\(%s,([0-9]+),([0-9]+)\)$")
_REMEMBERED = 20_000
_ONE_CELL = re.compile(r"(?<![\w.$])(\$?[A-Z]{1,3}\$?[0-9]+):\1(?![\w.(])", re.IGNORECASE)


# Own functions that may fail where Excel would not, and functions that make a value of an error.
_MAY_FAIL = (LIFT, ONE, FORMATTED)
_SWALLOWING = re.compile(
    r"\b(?:IFERROR|IFNA|IS[A-Z]+|ERROR\.TYPE|TYPE|COUNT[A-Z]*|AGGREGATE|X?LOOKUP|[HV]LOOKUP|X?MATCH"
    r"|SUMIFS?|AVERAGEIFS?|M(?:AX|IN)IFS)\b",
    re.IGNORECASE,
)
_REFUSALS = (
    FormulaError,
    UnresolvedError,
    TableError,
    NotLiftedError,
    UncertainError,
    PositionError,
    RewriteError,
)


class UnevaluableError(ValueError):
    """The formula cannot be put in the engine's terms; the message says why."""


@dataclass(frozen=True, slots=True)
class Own:
    """What lowering has to know of an own function."""

    arrays: bool


class Place(NamedTuple):
    """The cell that a formula stands in."""

    sheet: str
    row: int
    column: int


class _Template(NamedTuple):
    """A lowered formula for all rows, and those in which it has a meaning."""

    text: str
    rows: tuple[int, int] | None


@dataclass(slots=True)
class Lowering:
    """The lowering of one workbook's formulas.

    Parameters
    ----------
    names : Names
        The defined names.
    tables : Tables
        The tables.
    sheets : Sequence of str
        The sheets in their order.
    own : Mapping
        Own functions by their names in upper case.
    knows : Callable
        Tells whether the engine has a function.
    hidden : HiddenRows, optional
        The hidden rows, where SUBTOTAL is to pass over them.
    careful : bool
        Turn round the ranges that are written from their end, at which the engine gives up.
    """

    names: Names
    tables: Tables
    sheets: Sequence[str]
    own: Mapping[str, Own]
    knows: Callable[[str], bool]
    hidden: HiddenRows | None = None
    careful: bool = False
    _plain: dict[tuple[str, str], bool] = field(default_factory=dict)
    _templates: dict[tuple[str, str, str], _Template | UnevaluableError] = field(
        default_factory=dict
    )
    _rows: tuple[int, int] | None = None
    _own_arrays: frozenset[str] = field(init=False)
    _wholly: bool = True

    def __post_init__(self) -> None:
        self._own_arrays = frozenset(name for name, own in self.own.items() if own.arrays)

    def made_careful(self) -> Lowering:
        """Return a lowering that turns round the ranges that are written from their end."""
        return replace(self, careful=True, _plain={}, _templates={})

    def is_plain(self, text: str, sheet: str) -> bool:
        """Tell whether the engine takes a formula of an ordinary cell as it is."""
        pattern = text if _NUMBERED.search(text) else text.translate(_DIGITS)
        key = (sheet if self.names.local_to(sheet) else "", pattern)
        plain = self._plain.get(key)
        if plain is None:
            try:
                plain = self.lowered(text, Place(sheet, 1, 1)) == text
            except UnevaluableError:
                plain = False
            self._plain[key] = plain
        return plain

    def lowered(self, text: str, place: Place, wrap: str = "") -> str:
        """Return a formula in the engine's terms.

        Parameters
        ----------
        text : str
            The formula without its equals sign.
        place : Place
            The cell it stands in.
        wrap : str
            Of an array formula, what it is to be wrapped in: "TB.FIT(%s,3,1)". Ordinary cells,
            which hold one value, have none.
        """
        if self.careful:
            text = in_order(text)
        # What becomes of an array formula depends on how many rows its references have.
        exactly = wrap or _ONE_CELL.search(text)
        general, rows = (text, []) if exactly else _general(text)
        known = self._template(general, place, wrap)
        if isinstance(known, _Template) and not _holds_all(known.text, len(rows)):
            # What became of the references depends on where they point.
            rows = []
            known = self._template(text, place, wrap)
        if isinstance(known, UnevaluableError):
            raise UnevaluableError(_filled(str(known), rows))
        if known.rows is not None and not known.rows[0] <= place.row <= known.rows[1]:
            return "#VALUE!"
        return _filled(known.text, rows).replace(THIS_ROW, str(place.row))

    def _template(self, text: str, place: Place, wrap: str) -> _Template | UnevaluableError:
        """Return a formula lowered for all rows, from memory where it is known."""
        key = (text, place.sheet, wrap)
        known = self._templates.get(key)
        if known is None:
            self._rows, self._wholly = None, True
            try:
                known = _Template(self._lower(text, place, wrap), self._rows)
            except UnevaluableError as error:
                known = error
            if len(self._templates) > _REMEMBERED:
                self._templates.clear()
            # Table references without a table, and relative names, depend on the place.
            if self._wholly:
                self._templates[key] = known
        return known

    def _lower(self, text: str, place: Place, wrap: str) -> str:
        try:
            tree = read_formula(text)
            self._within(tree, place, 0)
            ask_positions(tree, place.sheet, arrays=bool(wrap), cells=_cells(wrap))
            if not wrap:
                Intersection(self.names.is_area, self.own).intersect(tree)
            self._lift(tree, arrays=bool(wrap))
            if wrap:
                Sizes(self._area_of(place.sheet), self.own.keys() - self._own_arrays).level(tree)
            else:
                compare_fifteen_digits(tree)
            show_fifteen_digits(tree)
        except _REFUSALS as error:
            raise UnevaluableError(str(error)) from error
        lowered = tree.text()
        if wrap:
            lowered = wrap.replace("%s", lowered)
        elif LIFT in lowered or gives_array(tree, self._own_arrays) or self._spread(tree):
            lowered = f"{FIT}({lowered},1,1)"
        if any(f"{name}(" in lowered for name in _MAY_FAIL) and _swallows(tree):
            lowered = f"{SURE}({FAILURES}(),{lowered})"
        return lowered

    def _lift(self, tree: Node, *, arrays: bool) -> None:
        Lifting(self.names.is_area, self.names.defines, self.own).lift(tree, arrays=arrays)

    def _area_of(self, sheet: str) -> Callable[[str], str | None]:
        def area_of(text: str) -> str | None:
            name = self.names.find(text, sheet)
            return name.text if name is not None else None

        return area_of

    def _within(self, tree: Node, place: Place, depth: int) -> None:
        nodes = list(tree.walk())
        # These give names to values themselves.
        names = not any(node.name in ("LET", "LAMBDA") for node in nodes)
        for node in nodes:
            put_in_terms(node)
        for node in list(tree.walk()):
            self._function(node)
            resolve(node, self.sheets)
            for argument in node.arguments:
                for item in argument:
                    if is_range_token(item):
                        self._reference(item, place, depth, names=names)
            if node.name in ("SUBTOTAL", "AGGREGATE") and self.hidden is not None:
                leave_out(node, place.sheet, self.hidden, self.names)

    def _function(self, node: Node) -> None:
        name = node.name
        if not name:
            return
        if name in self.own and self.knows(name):
            fill_skipped(node)
        elif name in OF_FILES or self.knows(name) or self.names.defines(name):
            rewrite(node)
        else:
            raise UnevaluableError(f"unknown function {name}")

    def _reference(self, item: Token, place: Place, depth: int, *, names: bool) -> None:
        at = "@" if item.value.startswith("@") else ""
        value = self.names.unqualified(item.value[len(at) :])
        check_links(value)
        if value.startswith("["):
            self._wholly = False
        table = self.tables.lowered(value, place)
        if table is not None:
            item.value = at + table.text
            if table.rows is not None:
                low, high = self._rows or table.rows
                self._rows = (max(low, table.rows[0]), min(high, table.rows[1]))
            return
        # The engine finds no cell of `A2:A2` in other rows than this.
        value = _ONE_CELL.sub(r"\1", value)
        item.value = at + value
        name = self.names.to_inline(value, place.sheet)
        if name is not None:
            item.value = f"{at}({self._name(name, place, depth)})"
        elif names and is_undefined(value) and self.names.find(value, place.sheet) is None:
            # Of a name that is not known the engine makes an error that ISERROR does not see.
            item.value, item.subtype = "#NAME?", Token.ERROR

    def _name(self, name: DefinedName, place: Place, depth: int) -> str:
        """Return what a name stands for."""
        if depth > _DEEPEST_NAME:
            raise UnevaluableError(f"the name {name.name} refers to itself")
        text = name.text
        tree = read_formula(text)
        if any(_is_relative(i) for n in tree.walk() for a in n.arguments for i in a):
            # Relative references in a name are written as seen from A1.
            self._wholly = False
            try:
                moved = Translator("=" + text, origin="A1").translate_formula(
                    cell_name(place.row, place.column)
                )
            except TranslatorError:
                return "#REF!"
            tree = read_formula(moved[1:])
        self._within(tree, place, depth + 1)
        # Excel evaluates the formula of a name as an array formula.
        ask_positions(tree, place.sheet, arrays=True)
        self._lift(tree, arrays=True)
        show_fifteen_digits(tree)
        return tree.text()

    def _spread(self, tree: Node) -> bool:
        """Tell whether an own function is handed a range, so that it may give a range."""
        for node in tree.walk():
            if node.name not in self.own:
                continue
            for inner in node.walk():
                for argument in inner.arguments:
                    for item in argument:
                        if is_range_token(item) and self.names.is_area(item.value):
                            return True
                        if isinstance(item, Token) and item.type == Token.ARRAY:
                            return True
        return False


def _general(text: str) -> tuple[str, list[str]]:
    """Return a formula with its row numbers replaced by `_FIRST`, `_FIRST` + 1 ..., and those."""
    rows: list[str] = []

    def numbered(match: re.Match[str]) -> str:
        rows.append(match[2])
        return f"{match[1]}{_FIRST + len(rows) - 1}"

    general = _ROW_NUMBER.sub(numbered, text)
    if len(rows) > _MOST_ROWS or _PLACEHOLDER.search(text):
        return text, []
    return general, rows


def _swallows(tree: Node) -> bool:
    """Tell whether an error inside a formula may not show in its value."""
    # What was lifted or written out of a name has its functions in the text alone.
    return bool(_SWALLOWING.search(tree.text()))


def _cells(wrap: str) -> int:
    """Return how many cells an array formula fills that is to be wrapped so."""
    match = _SHAPE.search(wrap)
    return int(match[1]) * int(match[2]) if match else 1


def _holds_all(lowered: str, count: int) -> bool:
    found = {int(number) - _FIRST for number in _PLACEHOLDER.findall(lowered)}
    return found == set(range(count))


def _filled(text: str, rows: list[str]) -> str:
    if not rows:
        return text
    return _PLACEHOLDER.sub(lambda match: rows[int(match[0]) - _FIRST], text)


def _is_relative(item: Node | Token) -> bool:
    return is_range_token(item) and bool(
        re.search(r"(?:^|[!:])(?:[A-Z]{1,3}\$?|\$[A-Z]{1,3})[0-9]+(?:$|:)", item.value)
    )
