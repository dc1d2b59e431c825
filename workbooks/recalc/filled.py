"""Formulas filled down a column: the same in each row, but for the row's own number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from typing import NamedTuple

from workbooks.excel.context import KeepOldValueError, Place
from workbooks.excel.pipeline import Pipeline
from workbooks.formula.address import column_number
from workbooks.formula.parse import FormulaError, parse
from workbooks.formula.references import Corner, Reference
from workbooks.formula.structured import OWN_ROW
from workbooks.formula.tree import Error, Node, bottom_up
from workbooks.ooxml.scan import ATTRIBUTES, COLUMN, ROW, SHARED, STEP, TEXT, without_digits
from workbooks.ooxml.xml import unescape

#: Fewer rows are soon computed one by one.
FEWEST = 32
_REFERENCE = re.compile(rb"(?<![\w.$'\]])(\$?[A-Za-z]{1,3})([1-9][0-9]*)(?![\w.(!'\[])")


@dataclass(frozen=True)
class Master:
    """A formula that other cells share, and where it stands."""

    text: str
    row: int
    column: int

    @cached_property
    def _tree(self) -> Node:
        return parse(self.text)

    def at(self, row: int, column: int) -> Node:
        """Return the formula as another cell has it."""
        rows, columns = row - self.row, column - self.column

        def change(node: Node) -> Node:
            if isinstance(node, Reference):
                return node.moved(rows, columns) or Error("#REF!")
            return node

        return bottom_up(self._tree, change)


class Group(NamedTuple):
    """Cells of one column that hold the same formula, their own row apart."""

    places: Sequence[int]
    rows: list[bytes]
    tree: Node


@dataclass(slots=True)
class Filled:
    """Finds such formulas in one sheet.

    Parameters
    ----------
    sheet : str
        Name of the sheet.
    pipeline : Pipeline
        Puts formulas in the calculator's terms.
    takes : Callable
        Tells whether formulas of this kind are wanted.
    """

    sheet: str
    pipeline: Pipeline
    takes: Callable[[Node], bool]
    _refused: set[tuple[bytes, ...]] = field(default_factory=set)
    _masters: dict[bytes, Master] = field(default_factory=dict)

    def groups(self, parts: list[bytes]) -> Iterator[tuple[str, Group]]:
        """Yield the formulas of a run of rows that belong together, with their column."""
        masters: dict[bytes, int] = {}
        for key, places in _alike(parts):
            letters, attributes, _ = key
            shared = SHARED.search(attributes) if attributes else None
            if shared and b"ref=" in attributes:
                self._note_masters(parts, places, masters)
            if len(places) < FEWEST or key in self._refused:
                continue
            if shared:
                master = masters.get(shared[1], places[0])
                if parts[master * STEP + COLUMN] == letters:
                    group = self._sharing(parts, sorted({master, *places}), shared[1])
                else:
                    group = self._sharing(parts, places, shared[1])
            else:
                group = self._written_out(parts, places)
            if group is not None and not self.takes(group.tree):
                self._refused.add(key)
            elif group is not None:
                yield letters.decode(), group

    def _note_masters(
        self, parts: list[bytes], places: Sequence[int], masters: dict[bytes, int]
    ) -> None:
        for place in places:
            cell = parts[place * STEP : place * STEP + STEP]
            shared = SHARED.search(cell[ATTRIBUTES])
            if shared and cell[TEXT]:
                column = column_number(cell[COLUMN].decode())
                self._masters[shared[1]] = Master(unescape(cell[TEXT]), int(cell[ROW]), column)
                masters[shared[1]] = place

    def _sharing(self, parts: list[bytes], places: Sequence[int], index: bytes) -> Group | None:
        """Return the cells of a column that share a formula."""
        master = self._masters.get(index)
        if master is None or parts[places[-1] * STEP + TEXT]:
            return None
        column = column_number(parts[places[0] * STEP + COLUMN].decode())
        return self._group(parts, places, lambda place: master.at(_row(parts, place), column))

    def _written_out(self, parts: list[bytes], places: Sequence[int]) -> Group | None:
        """Return the cells that hold the very formula of most."""
        places = _same_as_middle(parts, places)
        if len(places) < FEWEST:
            return None
        return self._group(parts, places, lambda place: parse(unescape(parts[place * STEP + TEXT])))

    def _group(
        self, parts: list[bytes], places: Sequence[int], formula: Callable[[int], Node]
    ) -> Group | None:
        # What is rewritten in one way at both ends is so in between.
        try:
            first, last = (
                self._rewritten(formula(place), _row(parts, place), parts[place * STEP + COLUMN])
                for place in (places[0], places[-1])
            )
        except (KeepOldValueError, FormulaError):
            return None
        if first != last:
            return None
        return Group(places, _each(parts, ROW, places), first)

    def _rewritten(self, tree: Node, row: int, letters: bytes) -> Node:
        """Return a formula with the references to its own row marked as such."""
        place = Place(self.sheet, row, column_number(letters.decode()))

        def corner(given: Corner) -> Corner:
            own = given.row == row and not given.row_fixed
            return replace(given, row=OWN_ROW) if own else given

        def change(node: Node) -> Node:
            if isinstance(node, Reference) and node.is_cell and node.here(self.sheet):
                return Reference(corner(node.first))
            return node

        return bottom_up(self.pipeline.rewritten(tree, place), change)


def _row(parts: list[bytes], place: int) -> int:
    return int(parts[place * STEP + ROW])


def _alike(parts: list[bytes]) -> Iterable[tuple[tuple[bytes, bytes, bytes], Sequence[int]]]:
    """Return the places of formulas that may be the same, by column, attributes and text."""
    letters, attributes = parts[COLUMN::STEP], parts[ATTRIBUTES::STEP]
    patterns = without_digits([text or b"" for text in parts[TEXT::STEP]])
    if len(set(patterns)) == len(set(letters)) == len(set(attributes)) == 1:
        return [((letters[0], attributes[0], patterns[0]), range(len(letters)))]
    alike: dict[tuple[bytes, bytes, bytes], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(letters, attributes, patterns, strict=True)):
        alike[key].append(place)
    return alike.items()


def _same_as_middle(parts: list[bytes], places: Sequence[int]) -> Sequence[int]:
    """Return the places whose formula is that of the middle one, their own row in its place.

    The first and the last rows of a table are the likeliest to differ.
    """
    middle = places[len(places) // 2] * STEP
    count = 0

    def own(match: re.Match[bytes]) -> bytes:
        nonlocal count
        if match[2] != parts[middle + ROW]:
            return match[0]
        count += 1
        return match[1] + b"%b"

    form = _REFERENCE.sub(own, parts[middle + TEXT].replace(b"%", b"%%"))
    texts, rows = _each(parts, TEXT, places), _each(parts, ROW, places)
    own_rows = zip(*[rows] * count, strict=True) if count else repeat((), len(rows))
    written = list(map(form.__mod__, own_rows))
    if written == texts:
        return places
    return [p for p, one, other in zip(places, texts, written, strict=True) if one == other]


def _each(parts: list[bytes], what: int, places: Sequence[int]) -> list[bytes]:
    """Return one thing of each of these formulas, which stand in their order."""
    found = parts[what::STEP]
    return found if len(found) == len(places) else [found[place] for place in places]
