"""What hangs on what: the cells that inputs reach, and those that outputs need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from workbooks.formula.address import Area
from workbooks.page.formulas import MOVING, Read, read
from workbooks.page.places import Place
from workbooks.page.reading import Workbook

#: An area of a sheet, by the sheet's number.
Block = tuple[int, Area]


class Graph:
    """The references of a workbook's formulas, names followed."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._numbers = {name.casefold(): i for i, name in enumerate(workbook.sheets)}
        self._names = {name.upper(): text for name, text in workbook.names.items()}
        self._by_name: dict[str, tuple[frozenset[Block], str]] = {}
        self._closed_ones: dict[tuple[int, str | None, Area], Block | None] = {}
        self._sizes = _sizes(workbook)

    @cached_property
    def blocks(self) -> dict[Place, frozenset[Block]]:
        """The areas that each formula refers to."""
        return {place: found for place, (found, _) in self._found.items()}

    @cached_property
    def unknown(self) -> dict[Place, str]:
        """The formulas whose references cannot be followed, and why."""
        return {place: why for place, (_, why) in self._found.items() if why}

    @cached_property
    def _found(self) -> dict[Place, tuple[frozenset[Block], str]]:
        seen: dict[tuple[int, str], tuple[frozenset[Block], str]] = {}
        found = {}
        for place, entry in self._workbook.cells.items():
            if entry.formula is None:
                continue
            key = place.sheet, entry.formula
            if key not in seen:
                seen[key] = self._resolved(read(entry.formula), place.sheet, ())
            found[place] = seen[key]
        return found

    def _resolved(
        self, what: Read, sheet: int, inside: tuple[str, ...]
    ) -> tuple[frozenset[Block], str]:
        blocks: set[Block] = set()
        why = what.unknown
        for name, area in what.areas:
            block = self._block(sheet, name, area)
            if block is None:
                why = why or f"refers to the sheet {name}, which is not there"
            else:
                blocks.add(block)
        if not MOVING.isdisjoint(what.calls):
            moving = min(MOVING & what.calls)
            why = why or f"calls {moving}, which changes by itself or reads cells it does not name"
        for called in (*what.names, *what.calls):
            name = called.upper()
            if name not in self._names or name in inside:
                continue
            if name not in self._by_name:
                self._by_name[name] = self._resolved(
                    read("=" + self._names[name]), sheet, (*inside, name)
                )
            more, reason = self._by_name[name]
            blocks |= more
            why = why or reason
        return frozenset(blocks), why

    def _block(self, sheet: int, name: str | None, area: Area) -> Block | None:
        """Return an area as a formula on a sheet means it; None where its sheet is not there."""
        key = sheet, name, area
        if key not in self._closed_ones:
            number = sheet if name is None else self._numbers.get(name.casefold())
            self._closed_ones[key] = (
                None if number is None else (number, self._closed(number, area))
            )
        return self._closed_ones[key]

    def _closed(self, sheet: int, area: Area) -> Area:
        """Return an area within what is used of its sheet."""
        rows, columns = self._sizes[sheet]
        if area.top and area.left and area.bottom <= max(rows, area.top):
            return area
        return Area(
            area.top or 1, area.left or 1,
            min(area.bottom or rows, max(rows, area.top or 1)),
            min(area.right or columns, max(columns, area.left or 1)),
        )  # fmt: skip

    def needed(self, outputs: Iterable[Place]) -> set[Place]:
        """Return the cells that some cells hang on, themselves included."""
        cells = self._workbook.cells
        found: set[Place] = set()
        waiting = list(outputs)
        done: set[Block] = set()
        while waiting:
            place = waiting.pop()
            if place in found:
                continue
            found.add(place)
            entry = cells.get(place)
            if entry is None:
                continue
            if entry.anchor is not None:
                waiting.append(entry.anchor)
            for block in self.blocks.get(place, ()):
                if block not in done:
                    done.add(block)
                    waiting.extend(p for p in places_of(block) if p in cells and p not in found)
        return found

    def reached(self, inputs: Iterable[Place]) -> set[Place]:
        """Return the formula cells that hang on some cells, array results included."""
        found: set[Place] = set()
        waiting = list(inputs)
        while waiting:
            place = waiting.pop()
            for user in self._users(place):
                if user in found:
                    continue
                found.add(user)
                waiting.append(user)
                for child in self._children.get(user, ()):
                    if child not in found:
                        found.add(child)
                        waiting.append(child)
        return found

    @cached_property
    def _children(self) -> dict[Place, list[Place]]:
        children = defaultdict(list)
        for place, entry in self._workbook.cells.items():
            if entry.anchor is not None:
                children[entry.anchor].append(place)
        return children

    @cached_property
    def _single(self) -> dict[Place, list[Place]]:
        users = defaultdict(list)
        for place, blocks in self.blocks.items():
            for sheet, area in blocks:
                if area.rows == area.columns == 1:
                    users[Place(sheet, area.top, area.left)].append(place)
        return users

    @cached_property
    def _wide(self) -> dict[int, list[tuple[Area, list[Place]]]]:
        users: dict[Block, list[Place]] = defaultdict(list)
        for place, blocks in self.blocks.items():
            for block in blocks:
                if not block[1].rows == block[1].columns == 1:
                    users[block].append(place)
        found = defaultdict(list)
        for (sheet, area), places in users.items():
            found[sheet].append((area, places))
        return found

    @cached_property
    def _rows(self) -> dict[tuple[int, int], list[tuple[Area, list[Place]]]]:
        """The wide areas by each row that they cross."""
        found = defaultdict(list)
        for sheet, wide in self._wide.items():
            for area, places in wide:
                for row in range(area.top, area.bottom + 1):
                    found[sheet, row].append((area, places))
        return found

    def _users(self, place: Place) -> Iterator[Place]:
        yield from self._single.get(place, ())
        for area, places in self._rows.get(place[:2], ()):
            if area.left <= place.column <= area.right:
                yield from places


def places_of(block: Block) -> Iterator[Place]:
    """Yield the cells of an area."""
    sheet, area = block
    for row, column in area.cells():
        yield Place(sheet, row, column)


def _sizes(workbook: Workbook) -> list[tuple[int, int]]:
    sizes = [(1, 1)] * len(workbook.sheets)
    for sheet, row, column in workbook.cells:
        rows, columns = sizes[sheet]
        sizes[sheet] = max(rows, row), max(columns, column)
    return sizes
