"""What a part of a formula may be: one cell, several cells, an array, a text."""

from __future__ import annotations

from workbooks.excel.context import Scope
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Array,
    Call,
    Error,
    Inlined,
    Joined,
    Logical,
    Missing,
    Name,
    Node,
    Number,
    Operation,
    Paren,
    Percent,
    Sign,
    Single,
    Spilled,
    Text,
    bare,
    children,
)


def is_area(node: Node, scope: Scope) -> bool:
    """Tell whether a reference or name may cover more than one cell."""
    match node:
        case Reference():
            return not node.is_cell
        case Name(text):
            return scope.names.is_area(text)
        case _:
            return isinstance(node, Inlined | Spilled)


def may_be_area(node: Node, scope: Scope) -> bool:
    """As `is_area`, where a name that LET gives may stand for anything."""
    if isinstance(node, Name) and not scope.names.defines(node.text):
        return True
    return is_area(node, scope)


def returns_array(node: Node, scope: Scope) -> bool:
    """Tell whether a function, or a spill, may return more than one value."""
    if isinstance(node, Spilled):
        return True
    return isinstance(node, Call) and (
        (native(node.name).result == "array" and node.name not in scope.own)
        or scope.gives_arrays(node.name)
    )


def is_many(node: Node, scope: Scope, *, ranges: bool) -> bool:
    """Tell whether a part of a formula may be an array; if in doubt, it may.

    Parameters
    ----------
    node : Node
        The part.
    scope : Scope
        The workbook.
    ranges : bool
        Whether a range is an array at this place.
    """
    match node:
        case Array():
            return True
        case Reference() | Name() | Inlined() | Spilled():
            return ranges and may_be_area(node, scope)
        case Operation() | Sign() | Percent() | Paren():
            return any(is_many(child, scope, ranges=ranges) for child in children(node))
        case Joined():
            return ranges
        case Call():
            return _call_is_many(node, scope, ranges=ranges)
        case Number() | Text() | Logical() | Error() | Missing() | Single():
            return False
        case _:
            return ranges


def _call_is_many(node: Call, scope: Scope, *, ranges: bool) -> bool:
    name, arguments = node.name, node.arguments
    row = native(name)
    if name == "TB.LIFT":
        return True
    if name == "TB.FIT":
        return arguments[1:] != (Number("1"), Number("1"))
    if name in scope.own:
        return ranges and any(is_many(a, scope, ranges=True) for a in arguments)
    if name == "CHOOSE" or row.every_single or "broadcasts" in row.traits or (
        row.no_ranges and row.arguments == "s*"
    ):  # fmt: skip
        return any(is_many(a, scope, ranges=ranges) for a in arguments)
    if name in ("AGGREGATE", "TB.AGGREGATE"):
        return any(is_many(a, scope, ranges=ranges) for a in arguments[3:])
    if "one" in row.traits:
        return False
    if name in ("ROW", "COLUMN") or row.result in ("reference", "branch"):
        spread = any(is_many(a, scope, ranges=True) for a in arguments)
        return ranges and (spread or name not in ("ROW", "COLUMN", "INDEX", "XLOOKUP"))
    return ranges


def may_be_number(node: Node) -> bool:
    """Tell whether a part of a formula may give a number of more than 15 digits."""
    match node:
        case Number() | Text() | Logical() | Error() | Missing():
            return False
        case Call(name):
            return native(name).result not in ("text", "count", "ordinal") and (
                name not in ("TB.SHOWN", "TB.DIGITS")
            )
        case _:
            return True


def literal(node: Node) -> str:
    """Return a number, text or truth value as it is written, or with a sign; empty for others."""
    match bare(node):
        case Number(text):
            return text
        case Sign(operator, Number(text)):
            return (operator if operator == "-" else "") + text
        case Text(value):
            return f'"{value}"'
        case Logical(value):
            return "TRUE" if value else "FALSE"
        case _:
            return ""
