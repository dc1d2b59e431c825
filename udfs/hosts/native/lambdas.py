"""A worksheet function as a native LAMBDA: the engine's own body, run on symbols.

Defaults, domains, the treatment of blanks and errors come from the declaration; see `helpers`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from math import isnan
from typing import Any

import numpy as np

from engine.elementwise import domains_of
from engine.tables import Table
from udfs.declare import Function
from udfs.hosts.native.branches import Refused, followed
from udfs.hosts.native.helpers import (
    BLANK,
    DATE,
    FLAT,
    LAST_DAY,
    NUMBER,
    SERIES,
    SINGLE,
    TEXT,
    WRONG,
    helper,
)
from udfs.hosts.native.lookups import LOOKUPS
from udfs.hosts.native.records import OWN, Source
from udfs.hosts.native.symbols import (
    INFINITE,
    NEVER,
    Lambda,
    Symbol,
    both,
    call,
    each,
    either,
    inside,
    is_vector,
    named,
    operation,
    variable,
    where,
)
from udfs.hosts.native.texts import Text
from udfs.hosts.native.ways import UntraceableError
from udfs.hosts.native.writing import LONGEST, lambda_parts

_NUM = float("nan")
_NEEDED = inspect.Parameter.empty
#: Kinds of arguments that are looked up by id, or described by a user's own rows.
RECORDS = ("model", "accelerator")


def lambda_of(function: Function) -> tuple[str, dict[str, str]]:
    """Return the LAMBDA of a function as a file stores it, and the names that hold its rest.

    Raises
    ------
    UntraceableError
        Where the body does something that no formula can, or the formula is too long.
    """
    given = [variable(name) for name in function.parameters]
    omittable = {
        i
        for i, (kind, default) in enumerate(zip(function.kinds, function.defaults, strict=True))
        if default is None and kind in ("series", "scalar") and function.series
    }
    body = _with_or_without(function, given, sorted(omittable), {})
    text, parts = lambda_parts(function.name, given, body, len(given) - function.required)
    if (longest := max(map(len, (text, *parts.values())))) > LONGEST:
        raise UntraceableError(f"{longest:,} characters; a formula holds {LONGEST:,}")
    return text, parts


def _with_or_without(
    function: Function, given: Sequence[Symbol], open_ones: Sequence[int], chosen: dict[int, bool]
) -> Any:
    """Return the body, written once for each choice of whole ranges given or left out."""
    if not open_ones:
        return _body(function, given, chosen)
    first, *others = open_ones
    return where(
        where(call("ISOMITTED", given[first]), True, _all_blank(given[first])),
        _with_or_without(function, given, others, {**chosen, first: False}),
        _with_or_without(function, given, others, {**chosen, first: True}),
    )


def _all_blank(value: Symbol) -> Symbol:
    return operation("=", call("COUNTA", value), 0.0)


def _body(function: Function, given: Sequence[Symbol], chosen: Mapping[int, bool]) -> Any:
    domains = domains_of(function.engine)
    values: list[Any] = []
    sound: Any = True
    there = _together(function, given, chosen)
    for i, name in enumerate(function.parameters):
        if chosen.get(i) is False:
            values.append(None)
            continue
        if there is None or function.kinds[i] != "series":
            value = _argument(function, i, given[i], values)
        elif _takes_single(function):
            value = _single_or_kept(function, i, given[i], there)
        else:
            value = _kept(given[i], there)
        if value is not given[i]:
            value = named(name, value)
        if function.kinds[i] in (*RECORDS, "text"):
            value = Text("named", name, value.args[1], vector=False)
            sound = both(sound, operation("=", value, value))
        values.append(value)
        if name in domains:
            condition = inside(value, domains[name])
            if function.kinds[i] == "series":
                condition = operation(
                    "=",
                    call("SUM", operation("*", condition, 1.0, fold=False), vector=False),
                    call("ROWS", value, vector=False),
                )
            sound = both(sound, condition)
    if function.name in LOOKUPS:
        return LOOKUPS[function.name](*values)
    body = inspect.unwrap(function.engine)
    if spread := [i for i, kind in enumerate(function.kinds) if kind in RECORDS]:
        result = _by_id(function, given, values, spread)
        return where(sound, result, _NUM)
    result, told = _followed(body, values)
    if isinstance(result, Refused):
        # What was left out is needed, whatever the values.
        return where(sound, told, _NUM)
    if isinstance(told, Symbol):
        sound = both(sound, operation("=", told, 0.0))
    if isinstance(result, Table):
        for condition in _refusals(result.columns):
            sound = both(sound, condition)
    if there is not None and function.result == "column":
        return where(sound, _put_back(result, there), _NUM)
    return where(sound, _shown(function, result), _NUM)


def _together(
    function: Function, given: Sequence[Symbol], chosen: Mapping[int, bool]
) -> Symbol | None:
    """Return which rows of paired series are there: those where not all of them are blank."""
    places = [i for i in function.series if chosen.get(i) is not False]
    apart = any(blank is not None or per for blank, per in function.series.values())
    if apart or len(places) == 1:
        return None
    filled: Any = 0.0
    single = _takes_single(function)
    flat = {i: _cells(function, i, given[i]) for i in places}
    heights = {i: call("ROWS", cells) for i, cells in flat.items()}
    for i in places:
        one: Any = _there(flat[i])
        # One value goes with all rows, and makes none of them.
        one = where(operation("=", heights[i], 1.0), 0.0, one) if single else one
        filled = operation("+", filled, one)
    if not places:
        return None
    there: Any = operation(">", filled, 0.0)
    alike: Any = True
    if single:
        longest = call("MAX", *heights.values())
        for height in heights.values():
            fits = either(operation("=", height, 1.0), operation("=", height, longest))
            alike = both(alike, fits)
        there = where(operation("=", longest, 1.0), True, there)
    else:
        first, *others = heights.values()
        for other in others:
            alike = both(alike, operation("=", other, first))
    return Symbol("if", alike, there, WRONG, vector=True)


def _takes_single(function: Function) -> bool:
    """Tell whether one value may stand in the place of a series, for all its elements."""
    defaults = [function.defaults[i] for i in function.series]
    return any(isinstance(default, float) for default in defaults)


def _cells(function: Function, i: int, given: Symbol) -> Any:
    """Return the cells of a series below each other, an empty text where one is blank."""
    default = function.defaults[i]
    flat = helper(FLAT, given)
    return where(call("ISOMITTED", given), default, flat) if isinstance(default, float) else flat


def _there(cells: Any) -> Any:
    """Return 1 for each cell that is not blank."""
    return call("IFERROR", operation("*", operation("<>", cells, ""), 1.0, fold=False), 1.0)


def _single_or_kept(function: Function, i: int, given: Symbol, there: Symbol) -> Symbol:
    """Return a series that may be one value: that, or the rows that are there."""
    default = function.defaults[i]
    filling = default if isinstance(default, float) else WRONG
    cells = _cells(function, i, given)
    blank = operation("=", call("SUM", _there(cells), vector=False), 0.0)
    alone = operation("=", call("ROWS", cells, vector=False), 1.0)
    whole = where(alone, cells, call("FILTER", _checked(cells), there, WRONG))
    return Symbol("if", blank, filling, whole, vector=True)


def _checked(cells: Any) -> Any:
    return where(operation("=", cells, ""), WRONG, cells)


def _kept(given: Symbol, there: Symbol | None) -> Symbol:
    """Return a series without the rows that are passed over; another blank is a fault."""
    return call("FILTER", _checked(helper(FLAT, given)), there, WRONG, vector=True)


def _put_back(result: Any, there: Symbol) -> Symbol:
    """Return a column with an empty text in each row that was passed over."""
    a, b = variable("a"), variable("b")
    place = call("SCAN", 0.0, there * 1.0, Lambda([a, b], a + b))
    here, i = variable("h"), variable("i")
    cell = where(here, call("IFERROR", call("INDEX", result, i), _NUM), "")
    return call("MAP", there, place, Lambda([here, i], cell), vector=True)


def _followed(body: Callable[..., Any], values: Sequence[Any]) -> tuple[Any, Any]:
    """Return what a body makes of its arguments, and what must be 0 (see `followed`)."""
    try:
        return followed(lambda: body(*values))
    except UntraceableError:
        raise
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        # What Python says of a symbol that it takes for a number.
        raise UntraceableError(f"{type(error).__name__}: {error}") from error


def _by_id(
    function: Function, given: Sequence[Symbol], values: Sequence[Any], sources: Sequence[int]
) -> Any:
    """Return a body with models and accelerators: by id for each element, or one's own record."""
    body = inspect.unwrap(function.engine)

    def one(*elements: Any) -> Any:
        whole = [
            Source("if", helper(OWN, given[i]), given[i], value) if i in sources else value
            for i, value in enumerate(elements)
        ]
        result, told = _followed(body, whole)
        if isinstance(result, Table):
            sound: Any = True
            for condition in _refusals(result.columns):
                sound = both(sound, condition)
            shown: Any = where(sound, table(result.header, result.columns), _NUM)
        elif isinstance(result, tuple):
            sound = True
            for condition in _refusals(result):
                sound = both(sound, condition)
            shown = where(sound, row(result), _NUM)
        else:
            shown = call("IFERROR", result, _NUM)
        return where(operation("=", told, 0.0), shown, _NUM)

    if function.result in ("row", "table"):
        return one(*values)
    return each(values, one, kinds=[type(v) for v in values])


def _refusals(values: Sequence[Any]) -> list[Symbol]:
    """Return what must hold for a table to be there at all; where it does not, no cell stands."""
    found: dict[int, Symbol] = {}
    seen: set[int] = set()
    items = [i for v in values for i in (v.ravel() if isinstance(v, np.ndarray) else [v])]
    waiting = [item for item in items if isinstance(item, Symbol)]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        inner = [a for a in node.args if isinstance(a, Symbol)]
        waiting += inner
        refuses = node.op == "if" and isinstance(node.args[2], float) and isnan(node.args[2])
        if refuses and not is_vector(inner[0]):
            found[id(inner[0])] = inner[0]
    return list(found.values())


def _argument(function: Function, i: int, given: Symbol, before: Sequence[Any]) -> Any:
    """Return an argument as the body takes it: checked, blanks filled, defaults put in."""
    kind, default = function.kinds[i], function.defaults[i]
    lender = function.same_as[i]
    if kind == "series":
        domain = domains_of(function.engine).get(function.parameters[i])
        if domain is not None and domain.per:
            raise UntraceableError(f"blanks of {function.parameters[i]} mean something")
        if domain is not None and domain.blank is not None:
            cells = helper(FLAT, given)
            v = variable("v")
            # MAP gives an array of a single value too, of which INDEX can take an element.
            fill = Lambda([v], where(operation("=", v, ""), domain.blank, v))
            filled = call("MAP", cells, fill)
            blank = operation("=", call("SUM", _there(cells), vector=False), 0.0)
            return Symbol("if", blank, WRONG, filled, vector=True)
        return Symbol("call", SERIES, given, vector=True)
    if kind == "rows" and function.name in LOOKUPS:
        return given
    if kind in RECORDS:
        text = helper(TEXT, given, WRONG if default is _NEEDED else default)
        text = where(call("ISOMITTED", given), default, text) if default is not _NEEDED else text
        return where(helper(OWN, given), "", text)
    if kind == "text" and default is None:
        return where(call("ISOMITTED", given), "", helper(TEXT, given, ""))
    if kind == "text":
        if default is _NEEDED:
            return helper(TEXT, given, WRONG)
        return where(call("ISOMITTED", given), default, helper(TEXT, given, default))
    if kind == "date" and default is None:
        return where(call("ISOMITTED", given), LAST_DAY, helper(DATE, given))
    check = SINGLE if kind == "scalar" else NUMBER
    if kind not in ("number", "scalar"):
        raise UntraceableError(f"{function.parameters[i]} is a {kind}")
    if default is _NEEDED:
        return helper(check, given, WRONG)
    if lender is not None:
        own = where(helper(BLANK, given), before[lender], helper(check, given, 0.0))
        return where(call("ISOMITTED", given), before[lender], own)
    # "None" is a limit that nothing reaches.
    filling = INFINITE if default is None else float(default)
    return where(call("ISOMITTED", given), filling, helper(check, given, filling))


def _shown(function: Function, result: Any) -> Any:
    """Return a result as cells: no error but #NUM!, and #N/A where the answer is "never"."""
    if isinstance(result, Table):
        return table(result.header, result.columns)
    safe = call("IFERROR", result, _NUM)
    if function.never:
        months = named("result", safe)
        return where(operation(">=", months, NEVER), call("NA"), months)
    return safe


def table(header: Sequence[str], columns: Sequence[Any]) -> Symbol:
    """Return a table: a header and columns below it."""
    r, c = variable("r"), variable("c")
    tall = next((c for c in columns if is_vector(c) or isinstance(c, np.ndarray)), None)
    if tall is None:
        raise UntraceableError("a table without a column of values")
    rows = [_at(x, r - 1.0) for x in columns]
    cell = where(
        operation("=", r, 1.0),
        call("CHOOSE", c, *header),
        call("IFERROR", call("CHOOSE", c, *rows), _NUM),
    )
    length = float(len(tall)) if isinstance(tall, np.ndarray) else call("ROWS", tall)
    height = length + 1.0
    return call("MAKEARRAY", height, float(len(columns)), Lambda([r, c], cell))


def _at(column: Any, place: Any) -> Any:
    """Return one element of a column."""
    if isinstance(column, np.ndarray):
        return call("CHOOSE", place, *column.tolist())
    return call("INDEX", column, place) if is_vector(column) else column


def row(values: Sequence[Any]) -> Symbol:
    """Return values side by side; where they are columns, a row for each element."""
    *others, last = (call("IFERROR", value, _NUM) for value in values)
    for i in range(len(others) - 1, -1, -1):
        here = Symbol("constants", *(float(i == k) for k in range(len(values))), vector=False)
        last = where(here, others[i], last)
    return last
