"""Models, accelerators and formats in a formula: found by id, or described by a user's own rows."""

from __future__ import annotations

from dataclasses import MISSING, fields
from math import isnan
from typing import Any

from engine.catalogue import Accelerator, Model
from engine.serving import case as cases
from udfs.hosts.native import data
from udfs.hosts.native.branches import followed
from udfs.hosts.native.helpers import FIND, FOLD, WRONG, helper
from udfs.hosts.native.symbols import (
    Lambda,
    Symbol,
    call,
    named,
    operation,
    variable,
    where,
)
from udfs.hosts.native.texts import UNTOLD, Described, Text, column_of, text
from udfs.hosts.native.ways import must_be, truth
from udfs.hosts.native.writing import lambda_parts, lambda_text

MODEL, ACCELERATOR, OWN, CASE = (f"_TOK_{p}" for p in ("MODEL", "ACCELERATOR", "OWN", "CASE"))
_HELPERS = {"model": MODEL, "accelerator": ACCELERATOR}
_NUM = float("nan")


class Source(Text):
    """An argument that means a model or an accelerator."""

    __slots__ = ()

    @staticmethod
    def __case__(given: tuple[Any, ...]) -> cases.Case:
        """Return the case of a model on an accelerator, looked up in the helper's column."""
        model, accelerator, weights, experts, _, backend = given
        experts = "" if experts is None else experts
        column = must_be(helper(CASE, model, accelerator, weights, experts, backend))
        names = cases.Case._fields
        values: list[Any] = [call("INDEX", column, float(i + 1)) for i in range(len(names))]
        return cases.Case(*values)


def record_helpers() -> dict[str, str]:
    """Return the helpers that find records, and that of a case."""
    texts = {OWN: _is_own()}
    for kind, cls, name in (("model", Model, MODEL), ("accelerator", Accelerator, ACCELERATOR)):
        texts[name], rest = _finder(cls, kind, name)
        texts |= rest
    texts[CASE], rest = _case()
    return texts | rest


def column(values: list[Any]) -> Symbol:
    """Return values one below the other."""
    row, k = variable("r"), variable("k")
    one = Lambda([row, k], call("CHOOSE", row, *values))
    return call("MAKEARRAY", float(len(values)), 1.0, one)


def _is_own() -> str:
    """Return what tells a user's own record from ids: two columns, a field name in the first."""
    x = variable("x")
    first = helper(FOLD, call("INDEX", x, 1.0, 1.0))
    named = operation(
        "+",
        call("ISNUMBER", helper(FIND, first, data.column_keys("fields"))),
        operation("=", first, "field"),
    )
    wide = operation("=", call("COLUMNS", x), 2.0)
    return lambda_text([x], where(wide, call("IFERROR", operation(">", named, 0.0), False), False))


def _finder(cls: type, kind: str, name: str) -> tuple[str, dict[str, str]]:
    x = variable("x")
    single = operation("=", call("ROWS", x) * call("COLUMNS", x), 1.0)
    known = call("INDEX", data.values(kind), helper(FIND, x, data.row_keys(kind)), 0.0)
    by_id = where(call("ISERROR", x), x, known)
    return lambda_parts(name, [x], where(single, by_id, _own(cls, x)))


def _own(cls: type, x: Symbol) -> Any:
    """Return the fields of a user's own record, defaults and refusals as the engine has them."""
    v = variable("v")
    keys = named("keys", call("MAP", call("INDEX", x, 0.0, 1.0), Lambda([v], _field_name(v))))
    told = {f.name: _told(f, x, keys) for f in fields(cls) if f.name != "id"}

    def made() -> tuple[Any, ...]:
        record = Described(cls, told)
        cls.__post_init__(record)  # type: ignore[attr-defined]
        return tuple(getattr(record, name) for name in told)

    values, told = followed(made)
    # A field that the catalogue does not have; a blank row and a header are none.
    known = call("MATCH", v, data.column_keys(f"fields {cls.kind}"), 0.0)  # type: ignore[attr-defined]
    strange = where(call("ISNUMBER", known), 0.0, where((v == "") | (v == "field"), 0.0, 1.0))
    strangers = call("SUM", call("MAP", keys, Lambda([v], strange)))
    whole = where(operation("=", told, 0.0), column(list(values)), _NUM)
    return where(operation(">", strangers, 0.0), call("NA"), whole)


def _field_name(cell: Symbol) -> Symbol:
    """Return the name of a field as the engine reads it from a user's own rows."""
    return call("SUBSTITUTE", call("LOWER", call("TRIM", cell)), " ", "_")


def _told(field: Any, x: Symbol, keys: Symbol) -> Any:
    """Return one field of a user's own record."""
    place = call("MATCH", field.name, keys, 0.0)
    cell = call("IFERROR", call("INDEX", x, place, 2.0), "")
    kind = str(field.type)
    if field.default is MISSING:
        default: Any = WRONG
    elif isinstance(field.default, float) and isnan(field.default):
        default = UNTOLD
    elif isinstance(field.default, bool):
        default = float(field.default)
    else:
        default = field.default if isinstance(field.default, str) else float(field.default)
    blank = operation("=", cell, "")
    if kind == "str":
        return Text("if", blank, default, cell)
    if kind == "bool":
        yes = operation("=", call("LOWER", operation("&", cell, "")), "true")
        return where(blank, default, where(yes, 1.0, 0.0))
    number = where(operation("<", helper("_TOK_CELL", cell, WRONG), 0.0), float("nan"), cell)
    if kind == "int":
        number = where(operation("=", cell, call("INT", cell)), number, float("nan"))
    return where(blank, default, number)


def _case() -> tuple[str, dict[str, str]]:
    """Return what makes a case of a model, an accelerator, formats and a backend."""
    names = ("model", "accelerator", "weights", "experts", "backend")
    model, accelerator, weights, experts, backend = (
        (text if n in ("weights", "experts", "backend") else variable)(n) for n in names
    )
    m: Any = column_of(Model, helper(MODEL, model))
    a: Any = column_of(Accelerator, helper(ACCELERATOR, accelerator))

    def made() -> cases.Case:
        formats: list[Any] = [weights, experts if truth(experts != "") else None, None, backend]
        case: cases.Case = cases.described(m, a, *formats)
        return case

    values, told = followed(made)
    whole = where(operation("=", told, 0.0), column(list(values)), _NUM)
    # What cannot be found is told in the order of the arguments.
    for source in (helper(ACCELERATOR, accelerator), helper(MODEL, model)):
        first = call("INDEX", source, 1.0)
        whole = where(operation("=", first, first), whole, _NUM)
    return lambda_parts(CASE, [model, accelerator, weights, experts, backend], whole)
