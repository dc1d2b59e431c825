"""The few functions that all others share: what a cell becomes before it is computed with.

They are names too, hidden from the Name Manager, and follow `udfs.cells`: an error comes out as it
is, text and TRUE are #VALUE!, a blank is the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from udfs.hosts.native.symbols import Lambda, Symbol, call, named, operation, variable, where
from udfs.hosts.native.writing import lambda_text

CELL, NUMBER, SINGLE, SERIES, BLANK, WORD, TEXT, FOLD, FIND, ALONE, FLAT, DATE, DAY = (
    f"_TOK_{part}"
    for part in (
        "CELL",
        "NUMBER",
        "SINGLE",
        "SERIES",
        "BLANK",
        "WORD",
        "TEXT",
        "FOLD",
        "FIND",
        "ALONE",
        "FLAT",
        "DATE",
        "DAY",
    )
)
#: The last day of a spreadsheet's calendar.
LAST_DAY = 2958465.0
_FIRST_DAY = -693593.0
#: What gives #VALUE! in every spreadsheet.
WRONG = operation("+", 1.0, "x")


def helper(name: str, *args: object) -> Symbol:
    """Return the call of a helper."""
    return call(name, *args)


@cache
def helpers() -> Mapping[str, str]:
    """Return the text of each helper but for those that find records, by name."""
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
    keys = variable("keys")
    # A number and TRUE are no text; what is left is blank.
    other = call("ISNUMBER", cell) + call("ISLOGICAL", cell)
    word = where(
        call("ISTEXT", cell),
        cell,
        where(call("ISERROR", cell), cell, where(other, WRONG, default)),
    )
    key: Any = call("LOWER", cell)
    for old, new in ((" ", ""), ("_", ""), ("-", ""), ("~", "~~"), ("*", "~*"), ("?", "~?")):
        key = call("SUBSTITUTE", key, old, new)
    words = call("MAP", x, Lambda([v], helper(WORD, v, default)))
    return {
        WORD: lambda_text([cell, default], word),
        TEXT: lambda_text([x, default], where(alone, helper(WORD, x, default), words)),
        FOLD: lambda_text([cell], key),
        FIND: lambda_text([cell, keys], call("MATCH", helper(FOLD, cell), keys, 0.0)),
        CELL: lambda_text([cell, default], number),
        NUMBER: lambda_text([x, default], where(alone, one, each)),
        SINGLE: lambda_text([x, default], where(alone, one, WRONG)),
        SERIES: lambda_text([x], where(alone, helper(CELL, x, WRONG), there)),
        ALONE: lambda_text([x], where(alone, call("INDEX", x, 1.0, 1.0), x)),
        FLAT: lambda_text([x], where(alone, helper(CELL, x, ""), helper(NUMBER, flat, ""))),
        DATE: lambda_text([x], where(alone, _dated(x), call("MAP", x, Lambda([v], _dated(v))))),
        DAY: lambda_text([cell], _day(cell)),
        BLANK: lambda_text([x], where(alone, call("ISBLANK", x), empty)),
    }


def _dated(cell: Symbol) -> Symbol:
    """Return a cell that may tell a day: a number or a text; a blank is the last day of all."""
    told = call("ISNUMBER", cell) + call("ISTEXT", cell) + call("ISERROR", cell)
    return where(told, cell, where(call("ISLOGICAL", cell), WRONG, LAST_DAY))


def _day(cell: Symbol) -> Symbol:
    """Return the serial number of a day, also before 1900, from a number or from 2026-09-30."""
    year, month, day = (
        named(name, call("VALUE", call("MID", call("TRIM", cell), start, length)))
        for name, start, length in (("year", 1.0, 4.0), ("month", 6.0, 2.0), ("day", 9.0, 2.0))
    )
    # In 400 years the calendar is the same again; DATE knows no year before 1900.
    cycle = named("cycle", call("INT", year / 400.0))
    alike = named("alike", year - cycle * 400.0 + 2000.0)
    last = call("DAY", call("DATE", alike, month + 1.0, 0.0))
    written = (call("TEXT", year, "0000"), call("TEXT", month, "00"), call("TEXT", day, "00"))
    text: Any = written[0]
    for part in written[1:]:
        text = Symbol("&", Symbol("&", text, "-"), part)
    sound: Any = operation("=", call("TRIM", cell), text)
    for condition in (year >= 1.0, month >= 1.0, month <= 12.0, day >= 1.0, day <= last):
        sound = sound * condition
    serial = call("DATE", alike, month, day) + (cycle - 5.0) * 146097.0
    there = (cell > _FIRST_DAY - 1.0) * (cell < LAST_DAY + 1.0)
    return where(call("ISNUMBER", cell), where(there, cell, WRONG), where(sound, serial, WRONG))
