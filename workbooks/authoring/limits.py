"""Between which limits each input of a layout must lie, found in the domains of the engine.

An input that a function takes as it is must lie in the domain of that argument; a cell that only
shows another one, or picks one of several, hands its limits on to them. What feeds no function
has the limits that its template states, or those of its number format.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, reduce

from engine.domains import Domain
from engine.elementwise import domains_of
from udfs import registry
from workbooks.authoring.layout import Book, Cell, Sheet
from workbooks.authoring.parts import Limit, Ref
from workbooks.authoring.words import calls
from workbooks.formula.address import parse_area

_PLACE = r"(?:(?:'((?:[^']|'')+)'|(\w+))!)?(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)"
_REFERENCE = re.compile(_PLACE)
_LINK = re.compile(rf"=(?:{_PLACE}|INDEX\({_PLACE},MATCH\(.*\))")
# Beyond this a figure is as good as without a bound.
_BOUNDLESS = 1e300
# A change of more than tenfold a year, or a share of more, is a percent typed as a whole number.
_MOST_PERCENT = 10.0

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Limited:
    """Inputs that stand together and share their limits."""

    label: str
    place: Ref
    limit: Limit
    #: How the least and the greatest of them are shown.
    format: str = "limit"


def limited_inputs(book: Book) -> dict[str, list[Limited]]:
    """Return the limits of all numeric inputs by sheet; each cell is in one of them."""
    fed = _fed(book)
    found: dict[str, list[Limited]] = {}
    for sheet in book.sheets:
        numbers = {
            (cell.row, cell.column): cell
            for cell in sheet.cells
            if cell.role == "input"
            and isinstance(cell.value, int | float)
            and not isinstance(cell.value, bool)
        }
        labels = {c.row: str(c.value) for c in sheet.cells if c.column == 1 and c.value is not None}
        blocks = [
            block for block in sheet.limited if all(spot in numbers for spot in _spots(block[1]))
        ]
        covered = {spot for _, place, _ in blocks for spot in _spots(place)}
        heads = [
            cell for cell in sheet.cells
            if cell.role == "header" and cell.value and not str(cell.value).startswith("=")
        ]  # fmt: skip
        blocks += [
            (_told(labels.get(row, sheet.name), row, column, heads), sheet.ref(row, column), None)
            for row, column in numbers
            if (row, column) not in covered
        ]
        found[sheet.name] = [
            Limited(label, place, _limit(place, stated, fed, numbers), _format(place, numbers))
            for label, place, stated in sorted(blocks, key=lambda b: (b[1].row, b[1].column))
        ]
    return found


def _told(label: str, row: int, column: int, heads: Iterable[Cell]) -> str:
    """Return what a single cell of a table is called: by its row, and by the head above it."""
    above = [head for head in heads if head.column == column and head.row < row]
    if not above:
        return label
    nearest = max(above, key=lambda head: head.row)
    return f"{label}, {str(nearest.value).replace(chr(10), ', ')}"


def _spots(place: Ref) -> list[tuple[int, int]]:
    return [
        (place.row + r, place.column + c) for r in range(place.rows) for c in range(place.columns)
    ]


def _limit(
    place: Ref,
    stated: Limit | None,
    fed: dict[Place, set[Domain]],
    numbers: dict[tuple[int, int], Cell],
) -> Limit:
    spots = _spots(place)
    domains = {d for row, column in spots for d in fed.get((place.sheet, row, column), ())}
    limits = [limit_of(domain) for domain in domains]
    if stated:
        limits.append(stated)
    if not limits:
        signed = any(_value(numbers[spot]) < 0 for spot in spots)
        limits.append(Limit(None if signed else 0.0))
    met = reduce(meet, limits)
    if all(numbers[spot].format == "percent" for spot in spots):
        met = meet(met, Limit(-1.0, _MOST_PERCENT))
    return met


def _format(place: Ref, numbers: dict[tuple[int, int], Cell]) -> str:
    """Return how limits are shown: a day as a day, all else as it is."""
    return "date" if all(numbers[spot].format == "date" for spot in _spots(place)) else "limit"


def _value(cell: Cell) -> float:
    assert isinstance(cell.value, int | float)
    return cell.value


def limit_of(domain: Domain) -> Limit:
    """Return a domain of the engine as limits that a cell can show: open ends told apart."""
    low, low_open = _end(domain.low, -math.inf)
    high, high_open = _end(domain.high, math.inf)
    return Limit(low, high, low_open=low_open, high_open=high_open, whole=domain.whole)


def _end(bound: float, outside: float) -> tuple[float | None, bool]:
    if abs(bound) >= _BOUNDLESS:
        return None, False
    beyond = math.nextafter(bound, outside)
    # An open end is declared one step inside a number that takes few digits to write.
    if len(repr(beyond)) < len(repr(bound)):
        return beyond, True
    return bound, False


def meet(one: Limit, other: Limit) -> Limit:
    """Return what lies within both limits."""
    low, low_open = max(
        ((limit.low, limit.low_open) for limit in (one, other) if limit.low is not None),
        default=(None, False),
    )
    high, closed = min(
        ((limit.high, not limit.high_open) for limit in (one, other) if limit.high is not None),
        default=(None, True),
    )
    return Limit(low, high, low_open, not closed, whole=one.whole or other.whole)


# --- which function takes which cell --------------------------------------------------------------


def _fed(book: Book) -> dict[Place, set[Domain]]:
    """Return the domains of the arguments that each cell feeds, through links too."""
    fed: dict[Place, set[Domain]] = defaultdict(set)
    links: dict[Place, list[Place]] = {}
    for sheet in book.sheets:
        seen: set[tuple[str, ...]] = set()
        for cell in sheet.cells:
            text = cell.value
            if not isinstance(text, str) or not (text.startswith("=") or cell.array):
                continue
            if "TOK_" in text:
                for place, domain in _taken(text, sheet, seen):
                    fed[place].add(domain)
            elif link := _LINK.fullmatch(text):
                links[sheet.name, cell.row, cell.column] = _cells(link.groups(), sheet)
    for place in list(fed):
        _hand_on(place, fed, links)
    return fed


def _hand_on(place: Place, fed: dict[Place, set[Domain]], links: dict[Place, list[Place]]) -> None:
    waiting = [place]
    while waiting:
        here = waiting.pop()
        for source in links.get(here, ()):
            if not fed[here] <= fed[source]:
                fed[source] |= fed[here]
                waiting.append(source)


def _taken(text: str, sheet: Sheet, seen: set[tuple[str, ...]]) -> Iterator[tuple[Place, Domain]]:
    """Give each cell that a call in the formula takes as it is, with the argument's domain.

    `seen` are the arguments that formulas of the sheet had before.
    """
    for called, arguments in calls(text):
        function = registry.get(called)
        if function is None:
            continue
        domains = domains_of(function.engine)
        for name, argument in zip(function.parameters, arguments, strict=False):
            # Most arguments are expressions, or have no domain.
            taken = (called, name, argument)
            if name not in domains or not argument[-1:].isdigit() or taken in seen:
                continue
            seen.add(taken)
            reference = _REFERENCE.fullmatch(argument)
            if reference:
                for place in _cells(reference.groups(), sheet):
                    yield place, domains[name]


def _cells(groups: Iterable[str | None], sheet: Sheet) -> list[Place]:
    """Return the cells of the first reference among matched groups of three."""
    parts = list(groups)
    quoted, plain, place = next(parts[i : i + 3] for i in range(0, len(parts), 3) if parts[i + 2])
    assert place
    home = quoted.replace("''", "'") if quoted else plain or sheet.name
    return [(home, row, column) for row, column in _inside(place)]


@cache
def _inside(place: str) -> tuple[tuple[int, int], ...]:
    area = parse_area(place.replace("$", ""))
    assert area
    return tuple(
        (r, c) for r in range(area.top, area.bottom + 1) for c in range(area.left, area.right + 1)
    )
