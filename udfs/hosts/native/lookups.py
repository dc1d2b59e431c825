"""Functions that look something up: the engine's answers stand on the data sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine import listing, rental
from udfs.hosts.native import data
from udfs.hosts.native.helpers import DAY, FIND, FOLD, helper
from udfs.hosts.native.symbols import Lambda, Symbol, call, each, named, operation, variable, where

_NOT_THERE = call("NA")


def _cell(block: str) -> Callable[..., Any]:
    """Return what looks up a value for each element of ranges."""
    return lambda *texts: each(texts, _answer(block))


def _answer(block: str) -> Callable[..., Any]:
    """Return what looks up one value by the key of its row, in parts, and that of its column."""

    def found(*parts: Any) -> Any:
        *rows, column = parts
        row = rows[0]
        for part in rows[1:]:
            row = Symbol("&", Symbol("&", row, "|"), part)
        value = call(
            "INDEX",
            data.values(block),
            helper(FIND, row, data.row_keys(block)),
            helper(FIND, column, data.column_keys(block)),
        )
        return where(operation("=", value, ""), _NOT_THERE, value)

    return found


def _price(provider: Any, model: Any, side: Any, own: Symbol) -> Any:
    """Return a price of the user's own where there is one, else that of the snapshot."""
    a, b, c = (variable(name) for name in ("p", "m", "s"))
    columns = [call("INDEX", own, 0.0, float(i)) for i in (1, 2, 3)]
    keys = call("MAP", *columns, Lambda([a, b, c], _key(a, b, c)))

    def found(*asked: Any) -> Any:
        place = call("MATCH", helper(FOLD, _key(*asked)), keys, 0.0)
        return call("IFERROR", call("INDEX", own, place, 4.0), _answer("price")(*asked))

    given = each((provider, model, side), found)
    return where(call("ISOMITTED", own), _cell("price")(provider, model, side), given)


def _rent(*asked: Any) -> Any:
    """Return the rent of an accelerator up to a day; what is no text or day is told first."""

    def found(accelerator: Any, term: Any, measure: Any, day: Any) -> Any:
        key = _key(accelerator, term)
        column = helper(FIND, measure, data.column_keys("rent", len(rental.MEASURES)))
        known = call("MATCH", key, data.row_keys("rent"), 0.0) * column
        days = call("INDEX", data.values("rent"), 0.0, float(len(rental.MEASURES) + 1))
        up_to = operation("=", data.row_keys("rent"), key) * (days <= helper(DAY, day))
        places = call("SEQUENCE", call("ROWS", data.row_keys("rent")))
        newest = named("newest", call("MAX", where(up_to, places, 0.0)))
        price = call("INDEX", data.values("rent"), newest, column)
        price = where(operation("=", newest, 0.0), _NOT_THERE, price)
        told: Any = operation("=", accelerator, accelerator)
        for part in (term, measure, day):
            told = told * operation("=", part, part)
        return where(told, where(known > 0.0, price, _NOT_THERE), _NOT_THERE)

    return each(asked, found)


def _key(*parts: Any) -> Any:
    """Return several ids as one."""
    first, *others = (helper(FOLD, part) for part in parts)
    for part in others:
        first = Symbol("&", Symbol("&", first, "|"), part)
    return first


def _list(kind: Symbol) -> Any:
    """Return a whole table; what it does not know is an empty text."""
    result: Any = _NOT_THERE
    for known in listing.KINDS:
        area = data.values_of_list(known)
        here = operation("=", helper(FOLD, kind), data.folded(known))
        result = where(here, where(operation("=", area, ""), "", area), result)
    return where(call("ISERROR", kind), kind, result)


#: The functions whose answers are looked up, and how.
LOOKUPS: Mapping[str, Callable[..., Any]] = {
    "TOK_SPEC": _cell("spec"),
    "TOK_CLAIM": _cell("claim"),
    "TOK_MARKET_PRICE": _price,
    "TOK_GPU_PRICE": _rent,
    "TOK_LIST": _list,
}
