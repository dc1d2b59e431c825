"""Operations on arrays of different sizes, in array formulas.

Excel repeats single rows, columns and values, and gives #N/A beyond the smaller one; the
calculator gives #VALUE! for the whole. Where the sizes are not known to go together, the operation
is put inside `TB.LIFT`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from workbooks.calc.protocol import LIFT
from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import ARRAY_FORMULA, Marks
from workbooks.excel.passes.broadcast import SINGLE, SKIPPED
from workbooks.formula.address import MAX_COLUMN, MAX_ROW
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Array,
    Call,
    Inlined,
    Joined,
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
    bottom_up,
)


class Size(NamedTuple):
    """Rows and columns; None where they are not known."""

    rows: int | None
    columns: int | None


_ONE = Size(1, 1)
_UNKNOWN = Size(None, None)
_LEVELLED = ("IF", "IFERROR", "IFNA", "ATAN2")


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((ARRAY_FORMULA,))


def apply(tree: Node, context: Context) -> Node:
    """Put the operations that need it inside `TB.LIFT`."""
    if not context.array:
        return tree
    return bottom_up(tree, lambda node: _levelled(node, context))


def _levelled(node: Node, context: Context) -> Node:
    if isinstance(node, Operation):
        sizes = [_size(side, context) for side in (node.left, node.right)]
        if _go_together(sizes):
            return node
        _check(sizes)
        return Call(LIFT, (Text(node.operator), Text(SINGLE * 2), node.left, node.right))
    if not isinstance(node, Call) or node.name not in _LEVELLED:
        return node
    given = [a for a in node.arguments if not isinstance(a, Missing)]
    sizes = [_size(argument, context) for argument in given]
    # One condition chooses, whatever the sizes of what it chooses from.
    if (node.name == "IF" and sizes[:1] == [_ONE]) or _go_together(sizes):
        return node
    _check(sizes)
    kinds = "".join(SKIPPED if isinstance(a, Missing) else SINGLE for a in node.arguments)
    return Call(LIFT, (Text(node.name), Text(kinds), *given))


def _size(node: Node, context: Context) -> Size:
    match node:
        case Array(rows):
            return Size(len(rows), len(rows[0]))
        case Operation(_, left, right):
            return _largest([_size(left, context), _size(right, context)])
        case Sign(_, operand) | Percent(operand) | Paren(operand):
            return _size(operand, context)
        case Reference():
            return Size(*node.size)
        case Name():
            return _named(node, context)
        case Call():
            return _call(node, context)
        case Inlined() | Spilled() | Joined():
            return _UNKNOWN
        case Single():
            return _ONE
        case _:
            return _ONE


def _named(node: Name, context: Context) -> Size:
    name = context.scope.names.find(node.text, context.sheet)
    if name is None:
        return _UNKNOWN
    tree = context.scope.names.tree(name)
    return _size(tree, context) if isinstance(tree, Reference) else _ONE


def _call(node: Call, context: Context) -> Size:
    name, arguments, row = node.name, node.arguments, native(node.name)
    if name == LIFT:
        kinds = arguments[1].value if isinstance(arguments[1], Text) else ""
        given = zip(kinds.replace(SKIPPED, ""), arguments[2:], strict=True)
        return _largest([_size(a, context) for kind, a in given if kind == SINGLE])
    if name == "TB.FIT":
        return _ONE
    if name == "IF" and arguments and _size(arguments[0], context) == _ONE:
        chosen = {_size(argument, context) for argument in arguments[1:]}
        return chosen.pop() if len(chosen) == 1 else _UNKNOWN
    if name in context.scope.own:
        single = not context.scope.gives_arrays(name)
        return _ONE if single and {_size(a, context) for a in arguments} <= {_ONE} else _UNKNOWN
    if row.every_single or "broadcasts" in row.traits or row.no_ranges:
        return _largest([_size(argument, context) for argument in arguments])
    if name == "TRANSPOSE" and arguments:
        return Size(*reversed(_size(arguments[0], context)))
    if name == "SEQUENCE" and len(arguments) > 1 and all(map(_is_count, arguments[:2])):
        return _counted(arguments[0], arguments[1], context)
    if name in ("ROW", "COLUMN") or "one" in row.traits:
        # Of several rows or columns these have become SEQUENCE.
        return _ONE
    return _UNKNOWN


def _counted(rows: Node, columns: Node, context: Context) -> Size:
    """Return the size of what ROW or COLUMN of a range has become."""
    counts: list[int | None] = []
    for argument in (rows, columns):
        if isinstance(argument, Call):
            size = _size(argument.arguments[0], context)
            counts.append(size.rows if argument.name == "ROWS" else size.columns)
        else:
            counts.append(1)
    return Size(*counts)


def _is_count(argument: Node) -> bool:
    """Tell whether an argument counts the rows or columns of a reference, or is a 1."""
    if isinstance(argument, Call):
        return argument.name in ("ROWS", "COLUMNS")
    return argument == Number("1")


def _go_together(sizes: list[Size]) -> bool:
    """Tell whether arrays of these sizes are surely repeated to one size, with nothing missing."""
    large = [size for size in sizes if size != _ONE]
    if len(large) < 2:
        return True
    return all(
        None not in lengths and len({length for length in lengths if length != 1}) < 2
        for lengths in zip(*large, strict=True)
    )


def _largest(sizes: Iterable[Size]) -> Size:
    lengths = list(zip(*sizes, strict=True))
    if not lengths:
        return _ONE
    return Size(*(None if None in axis else max(n for n in axis if n) for axis in lengths))


def _check(sizes: list[Size]) -> None:
    if any(size.rows == MAX_ROW or size.columns == MAX_COLUMN for size in sizes):
        raise KeepOldValueError("an operation on whole columns or rows and on a smaller range")
