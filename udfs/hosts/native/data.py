"""What native functions look up: tables of the engine's answers and catalogues, on a hidden sheet.

Each block is filled by asking the engine; where it stands is fixed, so that every workbook has
the same formulas.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache, cached_property
from math import isnan
from typing import Any

from engine import __version__, catalogue, claims, listing, prices, rental
from engine.catalogue import Accelerator, Format, Model
from engine.errors import UnknownIdError
from udfs.hosts.native.symbols import INFINITE, Symbol

#: Where native functions look up what they know; no user sees it.
DATA_SHEET = "tokenbook data"
#: Rows of a block before its first: a title with the source, and a blank line below the block.
_TITLE = 1
_ROW = re.compile(rf"'{DATA_SHEET}'!\$[A-Z]+\$([0-9]+)")


@dataclass(frozen=True)
class Block:
    """A table of the data sheet: what it is, its keys, and its rows."""

    name: str
    title: str
    #: Keys of the columns, folded; the first column holds the keys of the rows.
    columns: tuple[str, ...]
    #: How many rows it has [-].
    height: int
    #: Gives the rows: only a block that a formula refers to is filled, for that takes a while.
    fill: Callable[[], Iterable[tuple[Any, ...]]]

    @cached_property
    def rows(self) -> tuple[tuple[Any, ...], ...]:
        """The rows of a block."""
        rows = tuple(self.fill())
        if len(rows) != self.height:
            raise AssertionError(f"{self.name}: {len(rows)} rows instead of {self.height}")
        return rows


def folded(text: str) -> str:
    """Return an id without what makes no difference in it, as the formula does it."""
    return text.lower().replace(" ", "").replace("_", "").replace("-", "")


@cache
def blocks() -> tuple[Block, ...]:
    """Return all blocks in the order of the sheet."""
    return (
        _spec(),
        _claims(),
        _prices(),
        _records("model", Model),
        _records("accelerator", Accelerator),
        _records("format", Format),
        *(_listed(kind) for kind in listing.KINDS),
        _rents(),
        _filled("fields", "Fields of a record of one's own", _spec_fields(folded), ()),
        *(_known_fields(kind) for kind in ("models", "accelerators")),
    )


def place(name: str) -> tuple[int, Block]:
    """Return the row of a block's keys, and the block."""
    row = 1
    for block in blocks():
        if block.name == name:
            return row + _TITLE, block
        row += _TITLE + block.height + 2
    raise KeyError(name)


def sheet_rows(texts: Iterable[str]) -> tuple[tuple[Any, ...], ...]:
    """Return the rows of the data sheet; those of a block that no formula refers to are empty."""
    asked = {int(row) for text in texts for row in _ROW.findall(text)}
    if not asked:
        return ()
    rows: list[tuple[Any, ...]] = []
    for block in blocks():
        high = _TITLE + block.height + 2
        if asked.isdisjoint(range(len(rows) + 1, len(rows) + high + 1)):
            rows += [()] * high
        else:
            rows += [(block.title,), ("", *block.columns), *block.rows, ()]
    while rows and not rows[-1]:
        rows.pop()
    return tuple(rows)


def content(text: str) -> tuple[Any, ...]:
    """Return what stands in the blocks that a formula refers to, but for their titles."""
    asked = {int(row) for row in _ROW.findall(text)}
    found: list[Any] = []
    if asked:
        for block in blocks():
            top, _ = place(block.name)
            if not asked.isdisjoint(range(top, top + block.height + 1)):
                found.append((block.columns, block.rows))
    return tuple(found)


def row_keys(name: str) -> Symbol:
    """Return the reference to the keys of a block's rows."""
    top, block = place(name)
    return _reference(top + 1, 1, block.height, 1)


def column_keys(name: str, count: int = 0) -> Symbol:
    """Return the reference to the keys of a block's columns, or of the first few."""
    top, block = place(name)
    return _reference(top, 2, 1, count or len(block.columns))


def values(name: str) -> Symbol:
    """Return the reference to the values of a block."""
    top, block = place(name)
    return _reference(top + 1, 2, block.height, len(block.columns))


def values_of_list(kind: str) -> Symbol:
    """Return the reference to a whole table of TOK_LIST, its header included."""
    top, block = place(f"list {kind}")
    return _reference(top + 1, 2, block.height, len(block.rows[0]) - 1)


def _reference(row: int, column: int, rows: int, columns: int) -> Symbol:
    first = f"${_letters(column)}${row}"
    last = f"${_letters(column + columns - 1)}${row + rows - 1}"
    return Symbol("reference", f"'{DATA_SHEET}'!{first}:{last}", vector=False)


def _letters(column: int) -> str:
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _asked(
    name: str,
    title: str,
    function: Callable[..., Any],
    rows: Mapping[str, Sequence[str]],
    columns: Iterable[str],
) -> Block:
    """Return a block of what a function answers to each row and column, blank where unknown."""
    columns = tuple(columns)

    def filled() -> Iterator[tuple[Any, ...]]:
        for key, arguments in rows.items():
            yield key, *(answer(arguments, column) for column in columns)

    def answer(arguments: Sequence[str], column: str) -> Any:
        try:
            return function(*arguments, column)
        except UnknownIdError:
            return ""

    return Block(
        name,
        f"{title}; Tokenbook {__version__}",
        tuple(map(folded, columns)),
        len(rows),
        filled,
    )


def _filled(
    name: str, title: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> Block:
    """Return a block whose rows are known."""
    return Block(name, title, tuple(columns), len(rows), lambda: rows)


def _spec() -> Block:
    tables = [catalogue.table(kind) for kind in ("models", "accelerators")]
    ids = {folded(row["id"]): (row["id"],) for rows in tables for row in rows}
    # A field of the other catalogue is not asked for: to name what looks like it takes long.
    fields = {row["id"]: row.keys() for rows in tables for row in rows}

    def told(key: str, field: str) -> Any:
        return listing.spec(key, field) if field in fields[key] else ""

    title = "Models and accelerators: source in source_id"
    return _asked("spec", title, told, ids, _spec_fields(str))


def _spec_fields(written: Callable[[str], str]) -> tuple[str, ...]:
    """Return the names of all fields of models and accelerators."""
    tables = [catalogue.table(kind) for kind in ("models", "accelerators")]
    return tuple(map(written, dict.fromkeys(field for rows in tables for field in rows[0])))


def _known_fields(kind: str) -> Block:
    """Return the names of a catalogue's fields, alone: a list of all would be much larger."""
    return _filled(f"fields {kind}", f"Fields of {kind}", listing.list_catalogue(kind).header, ())


def _claims() -> Block:
    ids = {folded(name): (name,) for name in claims.audit()}
    fields = claims.shown(next(iter(claims.audit().values())))
    return _asked("claim", "Claims of the articles: source in source", claims.claim, ids, fields)


def _prices() -> Block:
    names: dict[str, Sequence[str]] = {}
    for price in prices.snapshot():
        for name in (price.listing, price.model):
            names[f"{folded(price.provider)}|{folded(name)}"] = (price.provider, name)
    title = "Token prices, USD/Mtok: source and date in the list of prices below"
    return _asked("price", title, prices.market_price, names, prices.SIDES)


def _rents() -> Block:
    """Return what an hour costs from each day on that a price is of; the newest day stands last."""
    dated = {(r["accelerator"], r["term"], r["date"]) for r in catalogue.table("gpu_hour_prices")}
    rows = tuple(
        (
            f"{folded(accelerator)}|{folded(term)}",
            *(rental.gpu_price(accelerator, term, measure, day) for measure in rental.MEASURES),
            float((date.fromisoformat(day) - rental.EPOCH).days),
        )
        for accelerator, term, day in sorted(dated)
    )
    title = "GPU rents up to a day, USD/h: source and date in the list of GPU-hours above"
    return _filled("rent", title, (*rental.MEASURES, "day"), rows)


def _records(name: str, cls: type) -> Block:
    """Return the records of a catalogue as the engine reads them, a field a column."""
    names = [f.name for f in fields(cls) if f.name != "id"]
    found: Mapping[str, Any] = catalogue.records(cls)
    sources = {row["id"]: row["source_id"] for row in catalogue.table(f"{name}s")}
    rows = tuple(
        (folded(key), *(_value(getattr(record, n)) for n in names), sources[key])
        for key, record in found.items()
    )
    title = f"{name}s as the serving estimate reads them: source as in Tokenbook's SOURCES.md"
    return _filled(name, title, (*map(folded, names), "source_id"), rows)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return value
    # What a record does not tell is below every number.
    return -INFINITE if isnan(value) else float(value)


def _listed(kind: str) -> Block:
    table = listing.list_catalogue(kind)
    rows = [("", *table.header), *(("", *_cells(row)) for row in table.rows())]
    return _filled(f"list {kind}", f"TOK_LIST of {kind}", (kind,), rows)


def _cells(row: Sequence[Any]) -> list[Any]:
    return ["" if value is None else value for value in row]
