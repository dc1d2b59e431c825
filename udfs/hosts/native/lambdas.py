"""A worksheet function as a native LAMBDA: the engine's own body, run on symbols.

Defaults, domains, the treatment of blanks and errors come from the declaration; see `helpers`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from engine.elementwise import domains_of
from engine.errors import TokenbookError
from engine.tables import Table
from udfs.declare import Function
from udfs.hosts.native.helpers import BLANK, NUMBER, SERIES, SINGLE, WRONG, helper
from udfs.hosts.native.symbols import (
    INFINITE,
    NEVER,
    Lambda,
    Symbol,
    UntraceableError,
    both,
    call,
    inside,
    is_vector,
    named,
    operation,
    variable,
    where,
)
from udfs.hosts.native.writing import LONGEST, lambda_text

_NUM = float("nan")
_NEEDED = inspect.Parameter.empty


def lambda_of(function: Function) -> str:
    """Return the LAMBDA of a function as a file stores it.

    Raises
    ------
    UntraceableError
        Where the body does something that no formula can, or the formula is too long.
    """
    given = [variable(name) for name in function.parameters]
    omittable = {
        i
        for i, (kind, default) in enumerate(zip(function.kinds, function.defaults, strict=True))
        if default is None and kind == "series"
    }
    body = _with_or_without(function, given, sorted(omittable), {})
    text = lambda_text(given, body, len(given) - function.required)
    if len(text) > LONGEST:
        raise UntraceableError(f"{len(text):,} characters; a formula holds {LONGEST:,}")
    return text


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
    for i, name in enumerate(function.parameters):
        if chosen.get(i) is False:
            values.append(None)
            continue
        value = named(name, _argument(function, i, given[i], values))
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
    try:
        result = inspect.unwrap(function.engine)(*values)
    except TokenbookError as error:
        # What the engine refuses for these arguments, whatever their values.
        result = WRONG if isinstance(error, TypeError) else _NUM
    except UntraceableError:
        raise
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        # What Python says of a symbol that it takes for a number.
        raise UntraceableError(f"{type(error).__name__}: {error}") from error
    if isinstance(result, Table):
        for condition in _refusals(result.columns):
            sound = both(sound, condition)
    return where(sound, _shown(function, result), _NUM)


def _refusals(values: Sequence[Any]) -> list[Symbol]:
    """Return what must hold for a table to be there at all; where it does not, no cell stands."""
    found: dict[int, Symbol] = {}
    seen: set[int] = set()
    waiting = [v for v in values if isinstance(v, Symbol)]
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
        if domain is not None and (domain.per or domain.blank is not None):
            raise UntraceableError(f"blanks of {function.parameters[i]} mean something")
        return Symbol("call", SERIES, given, vector=True)
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
    tall = next((column for column in columns if is_vector(column)), None)
    if tall is None:
        raise UntraceableError("a table without a column of values")
    rows = [call("INDEX", x, r - 1.0) if is_vector(x) else x for x in columns]
    cell = where(
        operation("=", r, 1.0),
        call("CHOOSE", c, *header),
        call("IFERROR", call("CHOOSE", c, *rows), _NUM),
    )
    height = operation("+", call("ROWS", tall), 1.0)
    return call("MAKEARRAY", height, float(len(columns)), Lambda([r, c], cell))
