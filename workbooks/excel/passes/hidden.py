"""Hidden rows: SUBTOTAL and AGGREGATE pass over them, and the engine does not know of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from openpyxl.formula.tokenizer import Token

from workbooks.excel.passes.references import UnresolvedError
from workbooks.formula.address import MAX_ROW, Area, cell_name, parse_area, quote_sheet, split_sheet
from workbooks.formula.names import Names
from workbooks.formula.tokens import FIRST_PLACEHOLDER, Node, is_blank, is_range_token
from workbooks.ooxml.book import Book, relations
from workbooks.ooxml.package import Package

_ROW = re.compile(rb'<(?:\w+:)?row\s(?=[^>]*\shidden="(?:1|true)")[^>]*?\br="([0-9]+)"')
_FILTER = re.compile(
    rb'<(?:\w+:)?autoFilter\s[^>]*?\bref="([^"]+)"[^>]*>(?:(?!</(?:\w+:)?autoFilter>).)*?filterColumn',
    re.DOTALL,
)
_COLUMNS = re.compile(r"\$?([A-Za-z]{1,3}):\$?([A-Za-z]{1,3})")
_LONGEST_ROW_HEAD = 2_000
# SUBTOTAL takes 254 ranges.
_MOST_RUNS = 250
# Numbers of functions that pass over rows hidden by hand too; others over filtered rows alone.
_BY_HAND = 100
_HIDDEN_OPTIONS = ("1", "3", "5", "7")
# What is left of a SUBTOTAL over no cell at all, for those of its functions that give a number.
_OF_NOTHING = frozenset([2, 3, 4, 5, 6, 9])


class HiddenRows:
    """Which rows of a workbook are hidden; found out when a formula asks."""

    def __init__(self, package: Package, book: Book) -> None:
        self._package = package
        self._book = book
        self._hidden: dict[str, tuple[frozenset[int], frozenset[int]]] = {}

    def of(self, sheet: str) -> tuple[frozenset[int], frozenset[int]]:
        """Return the hidden rows of a sheet, and those of them that a filter hides."""
        info = self._book.sheet(sheet)
        if info is None:
            return frozenset(), frozenset()
        if info.name not in self._hidden:
            hidden: set[int] = set()
            filters = list(self._table_filters(info.part))
            held = b""
            with self._package.stream(info.part) as stream:
                for piece in self._package.chunks(stream, info.part):
                    text = held + piece
                    hidden.update(int(match[1]) for match in _ROW.finditer(text))
                    filters += _FILTER.findall(text)
                    held = text[-_LONGEST_ROW_HEAD:]
            areas = [parse_area(ref.decode()) for ref in filters]
            filtered = {r for r in hidden for a in areas if a and a.top <= r <= a.bottom}
            self._hidden[info.name] = frozenset(hidden), frozenset(filtered)
        return self._hidden[info.name]

    def _table_filters(self, part: str) -> Iterator[bytes]:
        for kind, target, external in relations(self._package, part).values():
            if kind.endswith("/table") and not external and target in self._package:
                yield from _FILTER.findall(self._package.read(target))

    def anywhere(self) -> bool:
        """Tell whether any row of the workbook is hidden."""
        return any(self.of(info.name)[0] for info in self._book.sheets)


def leave_out(node: Node, sheet: str, rows: HiddenRows, names: Names) -> None:
    """Let a SUBTOTAL or AGGREGATE add up the rows that it is to see alone.

    Parameters
    ----------
    node : Node
        The call, its references in A1 terms.
    sheet : str
        The sheet that the formula stands in.
    rows : HiddenRows
        The hidden rows of the workbook.
    names : Names
        The defined names.
    """
    start = 1 if node.name == "SUBTOTAL" else 2
    settings = [_literal(argument) for argument in node.arguments[:start]]
    # Hidden rows differ from sheet to sheet: what is done here goes for this formula alone.
    node.opening = node.opening.rstrip() + " "
    by_hand: bool | None = None
    if node.name == "AGGREGATE":
        if settings[-1].isdigit() and settings[-1] not in _HIDDEN_OPTIONS:
            return
        by_hand = settings[-1].isdigit() or None
    elif settings[0].isdigit():
        by_hand = int(settings[0]) > _BY_HAND
    visible: list[list[Node | Token]] = []
    for argument in node.arguments[start:]:
        visible += _visible(argument, sheet, rows, names, by_hand)
    if len(visible) > _MOST_RUNS:
        raise UnresolvedError(f"{node.name} over more than {_MOST_RUNS} runs of rows not hidden")
    if not visible:
        _nothing(node, settings[0])
        return
    node.arguments[start:] = visible
    node.separators = [","] * (len(node.arguments) - 1)


def _nothing(node: Node, number: str) -> None:
    if node.name != "SUBTOTAL":
        raise UnresolvedError("AGGREGATE over rows that are all hidden")
    code = int(number) % _BY_HAND
    text = "0" if code in _OF_NOTHING else "#DIV/0!"
    node.name, node.opening, node.closing, node.separators = "", "(", ")", []
    # Nothing asks any more what kind of constant it is.
    node.arguments = [[Token(text, Token.OPERAND, Token.NUMBER)]]


def _visible(
    argument: list[Node | Token], sheet: str, rows: HiddenRows, names: Names, by_hand: bool | None
) -> Iterable[list[Node | Token]]:
    solid = [item for item in argument if not is_blank(item)]
    where, area = None, None
    if len(solid) == 1 and is_range_token(solid[0]):
        where, area = _area(solid[0].value, sheet, names)
    if where is None or area is None or by_hand is None:
        if rows.anywhere():
            raise UnresolvedError("which of the rows are hidden is not known before evaluation")
        return [argument]
    hidden, filtered = rows.of(where)
    passed = hidden if by_hand else filtered
    if not passed:
        return [argument]
    if area.top >= FIRST_PLACEHOLDER:
        # The formula is being put for all rows; without its references it will be asked for anew.
        return [[Token("A1", Token.OPERAND, Token.RANGE)]]
    runs = list(_runs(area, passed))
    prefix = "" if where == sheet else f"{quote_sheet(where)}!"
    return [[Token(f"{prefix}{_corners(run)}", Token.OPERAND, Token.RANGE)] for run in runs]


def _area(text: str, sheet: str, names: Names) -> tuple[str | None, Area | None]:
    name = names.find(text, sheet)
    where, rest = split_sheet(name.text if name is not None else text)
    columns = _COLUMNS.fullmatch(rest)
    if columns:
        rest = f"{columns[1]}1:{columns[2]}{MAX_ROW}"
    return where or sheet, parse_area(rest)


def _runs(area: Area, passed: frozenset[int]) -> Iterator[Area]:
    """Yield the parts of an area between the rows that are passed over."""
    top = area.top
    for row in sorted(r for r in passed if area.top <= r <= area.bottom):
        if row > top:
            yield Area(top, area.left, row - 1, area.right)
        top = row + 1
    if top <= area.bottom:
        yield Area(top, area.left, area.bottom, area.right)


def _corners(area: Area) -> str:
    # Two corners for one cell too: it is a range here.
    return f"{cell_name(area.top, area.left)}:{cell_name(area.bottom, area.right)}"


def _literal(argument: list[Node | Token]) -> str:
    solid = [item for item in argument if not is_blank(item)]
    only = solid[0] if len(solid) == 1 else None
    return only.value if isinstance(only, Token) and only.subtype == Token.NUMBER else ""
