"""Defined names: what each stands for, and which the calculator has to be spared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from workbooks.formula.parse import parse
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Logical, Name, Node, Number, Sign, Text, walk

_NAME = re.compile(r"[^\W\d][\w.?]*", re.UNICODE)
_POSITION = re.compile(r"[A-Z]{1,3}[0-9]+|R[0-9]*C?[0-9]*|C[0-9]*", re.IGNORECASE)


class DefinedName(NamedTuple):
    """A defined name; `sheet` is the one it belongs to, None for the whole workbook."""

    name: str
    text: str
    sheet: str | None
    comment: str = ""


def may_be_name(text: str) -> bool:
    """Tell whether a text is a name, and so means nothing where none is defined."""
    return bool(_NAME.fullmatch(text)) and not _POSITION.fullmatch(text)


class Names:
    """The defined names of a workbook."""

    def __init__(self, names: Iterable[DefinedName]) -> None:
        self._global: dict[str, DefinedName] = {}
        self._local: dict[tuple[str, str], DefinedName] = {}
        self._trees: dict[str, Node] = {}
        for name in names:
            if name.sheet is None:
                self._global[name.name.casefold()] = name
            else:
                self._local[name.sheet.casefold(), name.name.casefold()] = name

    def find(self, text: str, sheet: str | None) -> DefinedName | None:
        """Return a name as it is seen from a sheet; its own names come first."""
        key = text.casefold()
        local = self._local.get((sheet.casefold(), key)) if sheet is not None else None
        return local or self._global.get(key)

    def near(self, text: str) -> str:
        """Return what is said of a name that is not there: the nearest ones, if any."""
        from difflib import get_close_matches  # noqa: PLC0415  (only what is wrong wants it)

        known = {name.name.casefold(): name.name for name in self._global.values()}
        found = [known[key] for key in get_close_matches(text.casefold(), known, n=3)]
        return f"; did you mean {', '.join(found)}?" if found else ""

    def in_row(self, row: int, beginning: str, sheet: str) -> tuple[str, ...]:
        """Return the names of single cells of a row that begin so, in the order of the file."""
        found = []
        for name in self.simple():
            if name.name.casefold().startswith(beginning.casefold()):
                place = self.tree(name)
                if (
                    isinstance(place, Reference)
                    and place.is_cell
                    and (place.sheet, place.area.top) == (sheet, row)
                ):
                    found.append(name.name)
        return tuple(found)

    def defines(self, text: str) -> bool:
        """Tell whether any such name exists."""
        return bool(self._called(text))

    def is_area(self, text: str) -> bool:
        """Tell whether a name may stand for more than one cell."""
        return any(self._may_be_several(name) for name in self._called(text))

    def _may_be_several(self, name: DefinedName) -> bool:
        try:
            tree = self.tree(name)
        except ValueError:
            tree = None
        if isinstance(tree, Reference):
            return not tree.is_cell
        return not isinstance(tree, Text) and (":" in name.text or "(" in name.text)

    def _called(self, text: str) -> list[DefinedName]:
        key = text.casefold()
        found = [self._global[key]] if key in self._global else []
        return found + [name for (_, own), name in self._local.items() if own == key]

    def tree(self, name: DefinedName) -> Node:
        """Return what a name stands for; `FormulaError` where it cannot be read."""
        if name.text not in self._trees:
            self._trees[name.text] = parse(name.text)
        return self._trees[name.text]

    def is_simple(self, name: DefinedName) -> bool:
        """Tell whether the calculator takes a name as it is: cells that stay, or a constant."""
        try:
            tree = self.tree(name)
        except ValueError:
            return False
        return isinstance(tree, Number | Text | Logical) or (
            isinstance(tree, Sign) and isinstance(tree.operand, Number)
        ) or _stays(tree)  # fmt: skip

    def may_be_function(self, name: DefinedName) -> bool:
        """Tell whether a name may be called: it holds a LAMBDA, or another name that may."""
        try:
            nodes = list(walk(self.tree(name)))
        except ValueError:
            return True
        return any(
            isinstance(node, Name) or (isinstance(node, Call) and node.name == "LAMBDA")
            for node in nodes
        )

    def simple(self) -> list[DefinedName]:
        """Return the names that the calculator takes as they are."""
        return [n for n in (*self._global.values(), *self._local.values()) if self.is_simple(n)]


def _stays(tree: Node) -> bool:
    return (
        isinstance(tree, Reference)
        and tree.sheet is not None
        and tree.to_sheet is None
        and not tree.whole_columns
        and not tree.whole_rows
        and not is_relative(tree)
    )


def is_relative(tree: Node) -> bool:
    """Tell whether a formula refers to cells by where they stand as seen from it."""
    return any(
        isinstance(node, Reference)
        and any(
            (corner.row is not None and not corner.row_fixed)
            or (corner.column is not None and not corner.column_fixed)
            for corner in (node.first, node.end)
        )
        for node in walk(tree)
    )
