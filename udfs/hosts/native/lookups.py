"""Functions that look something up: the engine's answers stand on the data sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine import listing
from udfs.hosts.native import data
from udfs.hosts.native.helpers import FIND, FOLD, helper
from udfs.hosts.native.symbols import Symbol, call, each, operation, where

_NOT_THERE = call("NA")


def _cell(block: str) -> Callable[..., Any]:
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

    return lambda *texts: each(texts, found)


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
    "TOK_MARKET_PRICE": _cell("price"),
    "TOK_LIST": _list,
}
