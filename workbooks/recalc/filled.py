"""Formulas filled down a column: the same in each row, but for the row's own number."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from openpyxl.formula.translate import Translator, TranslatorError

from workbooks.recalc.address import cell_name, column_number, split_sheet
from workbooks.recalc.lower import Lowering, Place, UnevaluableError
from workbooks.recalc.scan import ATTRIBUTES, COLUMN, ROW, STEP, TEXT, without_digits
from workbooks.recalc.tokens import FormulaError, Node, is_range_token, read_formula
from workbooks.recalc.xml import unescape

#: Fewer rows are soon computed one by one.
FEWEST = 32
#: What stands for the number of the formula's own row in its references.
OWN_ROW = "\0"
_REFERENCE = re.compile(rb"(?<![\w.$'\]])(\$?[A-Za-z]{1,3})([1-9][0-9]*)(?![\w.(!'\[])")
_RELATIVE = re.compile(r"(\$?[A-Za-z]{1,3})([1-9][0-9]*)")
_SHARED = re.compile(rb'\ssi="([^"]*)"')
_KIND = re.compile(rb'\bt="([^"]*)"')


class Master(NamedTuple):
    """A formula that other cells share, and where it stands."""

    text: str
    row: int
    column: int


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
    lowering : Lowering
        Puts formulas into plain references.
    """

    sheet: str
    lowering: Lowering
    _masters: dict[bytes, Master] = field(default_factory=dict)

    def groups(self, parts: list[bytes]) -> Iterator[tuple[str, Group]]:
        """Yield the formulas of a run of rows that belong together, with their column."""
        for (letters, attributes), places in _alike(parts):
            if b"ref=" in attributes:
                self._note_masters(parts, places)
            if len(places) >= FEWEST:
                group = self._group(parts, places, attributes)
                if group is not None:
                    yield letters.decode(), group

    def _note_masters(self, parts: list[bytes], places: Sequence[int]) -> None:
        for place in places:
            start = place * STEP
            shared = _SHARED.search(parts[start + ATTRIBUTES])
            text = parts[start + TEXT]
            if shared and text:
                column = column_number(parts[start + COLUMN].decode())
                master = Master(unescape(text), int(parts[start + ROW]), column)
                self._masters[shared[1]] = master

    def _group(self, parts: list[bytes], places: Sequence[int], attributes: bytes) -> Group | None:
        """Return the cells among these that hold the very formula of the first."""
        kind = _KIND.search(attributes)
        if kind is None or kind[1] == b"normal":
            places = _same_as_first(parts, places)
            if len(places) < FEWEST:
                return None
            ends = [unescape(parts[place * STEP + TEXT]) for place in (places[0], places[-1])]
        else:
            shared = _SHARED.search(attributes)
            master = self._masters.get(shared[1]) if kind[1] == b"shared" and shared else None
            if master is None or parts[places[0] * STEP + TEXT]:
                return None
            ends = [_child(master, parts, place) for place in (places[0], places[-1])]
        rows = [parts[place * STEP + ROW] for place in places]
        letters = parts[places[0] * STEP + COLUMN]
        # What is lowered in one way at both ends is so in between.
        first, last = (
            self._tree(text, int(row), letters)
            for text, row in zip(ends, (rows[0], rows[-1]), strict=True)
        )
        if first is None or last is None or first.text() != last.text():
            return None
        return Group(places, rows, first)

    def _tree(self, text: str, row: int, letters: bytes) -> Node | None:
        """Return a formula with the references to its own row marked as such."""
        place = Place(self.sheet, row, column_number(letters.decode()))
        try:
            tree = read_formula(self.lowering.lowered(text, place))
        except (UnevaluableError, FormulaError):
            return None
        for node in tree.walk():
            for argument in node.arguments:
                for item in argument:
                    if not is_range_token(item):
                        continue
                    sheet, reference = split_sheet(item.value)
                    found = _RELATIVE.fullmatch(reference)
                    here = sheet is None or sheet.casefold() == self.sheet.casefold()
                    if found and here and int(found[2]) == row:
                        item.value = f"{found[1].lstrip('$').upper()}{OWN_ROW}"
        return tree


def _alike(
    parts: list[bytes],
) -> Iterable[tuple[tuple[bytes, bytes], Sequence[int]]]:
    """Return the places of formulas that may be the same, with their column and attributes."""
    letters, attributes = parts[COLUMN::STEP], parts[ATTRIBUTES::STEP]
    patterns = without_digits([text or b"" for text in parts[TEXT::STEP]])
    if len(set(patterns)) == len(set(letters)) == len(set(attributes)) == 1:
        return [((letters[0], attributes[0]), range(len(letters)))]
    alike: dict[tuple[bytes, bytes, bytes], list[int]] = defaultdict(list)
    for place, key in enumerate(zip(letters, attributes, patterns, strict=True)):
        alike[key].append(place)
    return [(key[:2], places) for key, places in alike.items()]


def _same_as_first(parts: list[bytes], places: Sequence[int]) -> Sequence[int]:
    """Return the places whose formula is that of the first, their own row in its place."""
    first = places[0] * STEP
    count = 0

    def own(match: re.Match[bytes]) -> bytes:
        nonlocal count
        if match[2] != parts[first + ROW]:
            return match[0]
        count += 1
        return match[1] + b"%b"

    form = _REFERENCE.sub(own, parts[first + TEXT].replace(b"%", b"%%"))
    return [
        place
        for place in places
        if parts[place * STEP + TEXT] == form % ((parts[place * STEP + ROW],) * count)
    ]


def _child(master: Master, parts: list[bytes], place: int) -> str:
    """Return the formula of a cell that shares one."""
    start = place * STEP
    here = f"{parts[start + COLUMN].decode()}{int(parts[start + ROW])}"
    origin = cell_name(master.row, master.column)
    try:
        moved = Translator("=" + master.text, origin=origin).translate_formula(here)
    except TranslatorError:
        return "#REF!"
    return str(moved)[1:]
