"""What a page shows of a workbook: inputs, scenarios, figures; with the words that stand beside."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from udfs.cells import CellError
from workbooks.errors import BadInputError
from workbooks.formula.address import parse_area, split_sheet
from workbooks.page.formats import shown
from workbooks.page.places import Place
from workbooks.page.reading import Workbook
from workbooks.page.rules import Allowed, allowed_by

_SCENARIO, _FLAG = "scenario", "checks_flag"
_COVER, _HEADLINES = "Cover", "headline figures"
_HEADING, _INPUT, _OUTPUT = "tokenbook heading", "tokenbook input", "tokenbook output"
_HEADER = "tokenbook header"
#: Headers of columns that say nothing of the values in them.
_PLAIN = frozenset(("value", "live", "computed", ""))
_BESIDE = ("unit", "source", "note")
# How far from a cell its words may stand.
_FAR = 200
# So many results in a row are still read one by one.
_LONGEST_ROW = 6


@dataclass(frozen=True)
class Field:
    """An input: one cell, or one for each scenario."""

    key: str
    section: str
    label: str
    cells: tuple[Place, ...]
    format: str
    allowed: Allowed
    unit: str = ""
    source: str = ""
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A result: a cell with its words, which may be cells themselves."""

    section: str
    label: str | Place
    place: Place
    format: str
    unit: str | Place = ""


@dataclass(frozen=True)
class Choice:
    """The cell that says which scenario is live, and the scenarios."""

    place: Place
    options: tuple[str, ...]
    #: Whether the sheets show all scenarios at once, each with inputs of its own.
    beside: bool


@dataclass
class Shown:
    """What a page shows."""

    fields: list[Field] = field(default_factory=list)
    headlines: list[Figure] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    scenario: Choice | None = None
    flag: Place | None = None
    sources: list[tuple[str, str]] = field(default_factory=list)
    basis: str = ""


class Chooser:
    """Finds what a page shows of one workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self._book = workbook
        self._named: dict[str, Place] = {}
        self._texts: dict[tuple[int, int], dict[str, int]] = {}
        for name, text in workbook.names.items():
            place = self._place(text)
            if place is not None:
                self._named[name] = place
        self._names = {place: name for name, place in reversed(self._named.items())}

    def choose(self, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> Shown:
        """Return what is shown; what is asked for by name, or else what the workbook marks."""
        shown = Shown(scenario=self._scenario(), flag=self._named.get(_FLAG))
        scenario = shown.scenario.place if shown.scenario else None
        chosen = [self.find(text) for text in inputs] or list(self._marked(scenario))
        for place in chosen:
            entry = self._book.cells.get(place)
            if entry is None or entry.formula is not None or entry.anchor is not None:
                raise BadInputError(f"{self._book.address(place)} holds no value to change")
        shown.fields = self._fields(chosen, shown.scenario)
        if outputs:
            shown.headlines = [self._figure(self.find(text)) for text in outputs]
        else:
            shown.headlines = list(self._cover())
            shown.figures = list(self._results({f.place for f in shown.headlines}, shown.flag))
            if not shown.headlines:
                shown.headlines, shown.figures = shown.figures, []
        shown.sources, shown.basis = self._sources(), self._basis()
        return shown

    def find(self, text: str) -> Place:
        """Return the one cell that a name or an address means."""
        name = next((n for n in self._named if n.casefold() == text.strip().casefold()), None)
        place = self._named[name] if name else self._place(text.strip())
        if place is None:
            raise BadInputError(
                f"{text} is no name of a cell in the workbook, and no cell written as Sheet!B5"
            )
        return place

    def _place(self, text: str) -> Place | None:
        sheet, cell = split_sheet(text)
        number = None if sheet is None else self._book.number(sheet)
        area = parse_area(cell.replace("$", ""))
        if number is None or area is None or area.rows * area.columns != 1:
            return None
        return Place(number, area.top, area.left)

    # --- inputs ----------------------------------------------------------------------------------

    def _scenario(self) -> Choice | None:
        place = self._named.get(_SCENARIO)
        if place is None or not self._book.text(place):
            return None
        options = allowed_by(self._book, place).texts(self._book)
        if self._book.text(place) not in options:
            return None
        beside = not any(
            f"{name.removesuffix('_' + _slug(options[0]))}" in self._named
            for name in self._named if name.endswith("_" + _slug(options[0]))
        )  # fmt: skip
        return Choice(place, tuple(options), beside)

    def _marked(self, scenario: Place | None) -> Iterator[Place]:
        """Yield the inputs that the workbook itself marks, in the order of its sheets."""
        for place, entry in sorted(self._book.cells.items()):
            if entry.formula is not None or entry.anchor is not None or place == scenario:
                continue
            if entry.value is None or isinstance(entry.value, CellError | bool):
                continue
            style = self._book.style(place)
            if place in self._names or style.name == _INPUT or not style.locked:
                yield place

    def _fields(self, places: Sequence[Place], scenario: Choice | None) -> list[Field]:
        fields: list[Field] = []
        done: set[Place] = set()
        for place in places:
            if place in done:
                continue
            name = self._names.get(place, "")
            cells = self._siblings(name, scenario)
            key = name or self._book.address(place)
            if cells:
                assert scenario is not None
                key = name.removesuffix("_" + _slug(scenario.options[0]))
            else:
                cells = (place,)
            done.update(cells)
            fields.append(self._field(key, cells))
        counts = Counter((one.section, one.label) for one in fields)
        seen: Counter[tuple[str, str]] = Counter()
        for i, one in enumerate(fields):
            words = one.section, one.label
            seen[words] += 1
            if counts[words] > 1:
                fields[i] = replace(one, label=f"{one.label}, {seen[words]}")
        return fields

    def _siblings(self, name: str, scenario: Choice | None) -> tuple[Place, ...]:
        """Return the cells of an input for each scenario, where it has one for each."""
        if scenario is None:
            return ()
        first = "_" + _slug(scenario.options[0])
        if not name.endswith(first):
            return ()
        key = name.removesuffix(first)
        found = [self._named.get(f"{key}_{_slug(option)}") for option in scenario.options]
        if any(place is None or self._book.cells.get(place) is None for place in found):
            return ()
        return tuple(place for place in found if place is not None)

    def _field(self, key: str, cells: tuple[Place, ...]) -> Field:
        place = cells[0]
        label = self.label(place, of_scenarios=len(cells) > 1)
        beside = self._beside(place)
        return Field(
            key, self.section(place), label, cells, self._book.style(place).format,
            allowed_by(self._book, place), *(beside.get(word, "") for word in _BESIDE),
        )  # fmt: skip

    # --- figures ---------------------------------------------------------------------------------

    def _cover(self) -> Iterator[Figure]:
        """Yield the headline figures of a template's cover."""
        sheet = self._book.number(_COVER)
        if sheet is None:
            return
        rows = [
            p.row for p, e in self._book.cells.items()
            if p.sheet == sheet and p.column == 1
            and str(e.value).casefold() == _HEADLINES
        ]  # fmt: skip
        row = rows[0] + 1 if rows else 0
        while rows and row < rows[0] + _FAR:
            row += 1
            place = Place(sheet, row, 2)
            entry = self._book.cells.get(place)
            if entry is None or entry.formula is None:
                break
            yield Figure(
                "", self._words(Place(sheet, row, 1)), place, self._book.style(place).format,
                self._words(Place(sheet, row, 3)),
            )  # fmt: skip

    def _words(self, place: Place) -> str | Place:
        entry = self._book.cells.get(place)
        if entry is not None and entry.formula is not None:
            return place
        return self._book.text(place)

    def _results(self, but: set[Place], flag: Place | None) -> Iterator[Figure]:
        """Yield results that the workbook marks: by a name, or by the style of a template."""
        marked: dict[tuple[int, int], list[Place]] = {}
        for place, entry in sorted(self._book.cells.items()):
            if (entry.formula is None and entry.anchor is None) or place in but or place == flag:
                continue
            named = place in self._names and not self._is_live(self._names[place])
            if named or self._book.style(place).name == _OUTPUT:
                marked.setdefault(place[:2], []).append(place)
        for places in marked.values():
            # A long row is a path by months, which charts show.
            if len(places) <= _LONGEST_ROW:
                yield from map(self._figure, places)

    def _is_live(self, name: str) -> bool:
        """Tell whether a name is that of the live cell of an input for each scenario."""
        return any(other.startswith(name + "_") for other in self._named)

    def _figure(self, place: Place) -> Figure:
        entry = self._book.cells.get(place)
        if entry is None or (entry.formula is None and entry.anchor is None):
            raise BadInputError(f"{self._book.address(place)} holds no formula to show")
        unit = self._beside(place).get("unit", "") or self._after(place)
        return Figure(
            self.section(place), self.label(place), place, self._book.style(place).format, unit
        )

    def _after(self, place: Place) -> str:
        """Return the remark right of a figure."""
        after = Place(place.sheet, place.row, place.column + 1)
        return self._book.text(after) if place.column == 2 else ""

    # --- words -----------------------------------------------------------------------------------

    def label(self, place: Place, *, of_scenarios: bool = False) -> str:
        """Return the words for a cell: those at the left of its row, and the head of its column."""
        row = self._left(place)
        head = "" if of_scenarios else self._head(place)
        if head.casefold() in _PLAIN or head == row:
            head = ""
        words = ", ".join(filter(None, (row, head)))
        return words or self._names.get(place, "").replace("_", " ") or self._book.address(place)

    def _left(self, place: Place) -> str:
        for column in range(1, place.column):
            value = self._book.value(Place(place.sheet, place.row, column))
            if isinstance(value, str) and value.strip():
                return value.strip()
            if column == 1 and isinstance(value, float):
                # A year, or another number that the rows of a table are told apart by.
                return shown(value, self._book.style(Place(place.sheet, place.row, 1)).format)
        return ""

    def _head(self, place: Place) -> str:
        for row in range(place.row - 1, max(place.row - _FAR, 0), -1):
            above = Place(place.sheet, row, place.column)
            if not any(Place(place.sheet, row, c) in self._book.cells for c in (1, place.column)):
                # A blank row ends a table.
                return ""
            style = self._book.style(above).name
            value = self._book.value(above)
            if style == _HEADING:
                return ""
            if (
                isinstance(value, str)
                and value.strip()
                and (style == _HEADER or not style.startswith("tokenbook"))
            ):
                return re.sub(r"\s*\n\s*", ", ", value.strip())
        return ""

    def _beside(self, place: Place) -> dict[str, str]:
        """Return what the columns called unit, source and note say in a cell's row."""
        for row in range(place.row - 1, max(place.row - _FAR, 0), -1):
            heads = self._heads(place.sheet, row)
            if any(word in heads for word in _BESIDE):
                return {
                    word: self._book.text(Place(place.sheet, place.row, heads[word]))
                    for word in _BESIDE if word in heads
                }  # fmt: skip
            if self._book.style(Place(place.sheet, row, 1)).name in (_HEADING, _HEADER):
                return {}
        return {}

    def _heads(self, sheet: int, row: int) -> dict[str, int]:
        """Return the texts of a row, and their columns; rows of a table ask for the same ones."""
        if (sheet, row) not in self._texts:
            self._texts[sheet, row] = {
                str(entry.value).strip().casefold(): column
                for column in range(1, 40)
                if (entry := self._book.cells.get(Place(sheet, row, column))) is not None
                and isinstance(entry.value, str)
            }
        return self._texts[sheet, row]

    def section(self, place: Place) -> str:
        """Return under which heading a cell stands."""
        for row in range(place.row - 1, 0, -1):
            above = Place(place.sheet, row, 1)
            if self._book.style(above).name == _HEADING and self._book.text(above):
                return self._book.text(above)
        return self._book.sheets[place.sheet]

    # --- the foot --------------------------------------------------------------------------------

    def _cover_rows(self, heading: str) -> Iterator[tuple[str, str]]:
        sheet = self._book.number(_COVER)
        inside = False
        if sheet is None:
            return
        for row in range(1, _FAR):
            first = Place(sheet, row, 1)
            if self._book.style(first).name == _HEADING:
                inside = self._book.text(first).casefold() == heading
            elif inside and self._book.text(first):
                yield self._book.text(first), self._book.text(Place(sheet, row, 2))

    def _sources(self) -> list[tuple[str, str]]:
        return list(self._cover_rows("sources"))

    def _basis(self) -> str:
        sheet = self._book.number(_COVER)
        if sheet is None:
            return ""
        found = (
            self._book.text(Place(sheet, row, 2)) for row in range(1, 12)
            if self._book.text(Place(sheet, row, 1)) == "Basis"
        )  # fmt: skip
        return next(found, "")


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.casefold()).strip("_")
