"""The few functions that all others share: what a cell becomes before it is computed with.

They are names too, hidden from the Name Manager, and follow `udfs.cells`: an error comes out as it
is, text and TRUE are #VALUE!, a blank is the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from udfs.hosts.native.symbols import Lambda, Symbol, call, named, operation, variable, where
from udfs.hosts.native.writing import lambda_text

CELL, NUMBER, SINGLE, SERIES, BLANK = (
    f"_TOK_{part}" for part in ("CELL", "NUMBER", "SINGLE", "SERIES", "BLANK")
)
#: What gives #VALUE! in every spreadsheet.
WRONG = operation("+", 1.0, "x")


def helper(name: str, *args: object) -> Symbol:
    """Return the call of a helper."""
    return call(name, *args)


@cache
def helpers() -> Mapping[str, str]:
    """Return the text of each helper, by name."""
    cell, default, x = (variable(n, vector=False) for n in ("cell", "default", "x"))
    v, r, c = (variable(n) for n in ("v", "r", "k"))
    worded = call("ISTEXT", cell) + call("ISLOGICAL", cell)
    number = where(
        call("ISNUMBER", cell),
        cell,
        where(call("ISERROR", cell), cell, where(worded, WRONG, default)),
    )
    alone = operation("=", call("ROWS", x) * call("COLUMNS", x), 1.0)
    one = helper(CELL, x, default)
    each = call("MAP", x, Lambda([v], helper(CELL, v, default)))
    wide = call("COLUMNS", x)
    row, column = call("INT", (r - 1.0) / wide) + 1.0, (r - 1.0) % wide + 1.0
    flat = call(
        "MAKEARRAY", call("ROWS", x) * wide, 1.0, Lambda([r, c], call("INDEX", x, row, column))
    )
    cells = named("cells", helper(NUMBER, flat, ""))
    there = call("FILTER", cells, operation("<>", cells, ""), WRONG)
    empty = call("MAP", x, Lambda([v], call("ISBLANK", v)))
    return {
        CELL: lambda_text([cell, default], number),
        NUMBER: lambda_text([x, default], where(alone, one, each)),
        SINGLE: lambda_text([x, default], where(alone, one, WRONG)),
        SERIES: lambda_text([x], where(alone, helper(CELL, x, WRONG), there)),
        BLANK: lambda_text([x], where(alone, call("ISBLANK", x), empty)),
    }
