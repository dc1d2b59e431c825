"""ROW, COLUMN, ROWS, COLUMNS and OFFSET ask of a reference without reading its cells.

A formula may ask for the position of its own cell: `ROWS($A$1:$A1)` counts, and
`SUM(B2:OFFSET(B9,-1,0))` in B9 adds up what stands above it. A calculator that takes every
reference for one to be read finds a circle there. So the references are moved aside, to cells of
the same rows in the last column, or of the same columns in the last row, where nothing stands.
They remain references, for a shared formula is moved along with its cell.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.formula.address import MAX_COLUMN, MAX_ROW
from workbooks.formula.functions import native
from workbooks.formula.references import Corner, Reference
from workbooks.formula.tree import Call, Missing, Node, Number, Operation, Paren, call, rebuilt

_BY_ROW, _BY_COLUMN = ("ROW", "ROWS"), ("COLUMN", "COLUMNS")
_COLUMNS_OF_OFFSET = 2


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((*_BY_ROW, *_BY_COLUMN, "OFFSET"))


def apply(tree: Node, context: Context) -> Node:
    """Move such references aside."""
    return _aside(tree, context, arrays=context.array)


def _aside(node: Node, context: Context, *, arrays: bool) -> Node:
    inside = arrays or (isinstance(node, Call) and native(node.name).arrays)
    node = rebuilt(node, lambda child: _aside(child, context, arrays=inside))
    if not isinstance(node, Call):
        return node
    if node.name in (*_BY_ROW, *_BY_COLUMN):
        if not node.arguments:
            if context.filled > 1:
                raise KeepOldValueError(f"{node.name}() in an array formula over several cells")
            return node
        return _position(node, context, arrays=arrays) if len(node.arguments) == 1 else node
    if node.name == "OFFSET" and len(node.arguments) > _COLUMNS_OF_OFFSET:
        return _turned(_offset(node, context))
    return node


def _position(node: Call, context: Context, *, arrays: bool) -> Node:
    only = node.arguments[0]
    by_row = node.name in _BY_ROW
    if isinstance(only, Reference) and only.here(context.sheet):
        moved = _in_last_column(only) if by_row else _in_last_row(only)
        node = replace(node, arguments=(moved,))
    one = isinstance(only, Reference) and only.is_cell
    if arrays and not one and node.name in ("ROW", "COLUMN"):
        # The calculator gives the first number alone.
        count = call(f"{node.name}S", *node.arguments)
        shape = (count, Number("1")) if by_row else (Number("1"), count)
        return call("SEQUENCE", *shape, node)
    return node


def _in_last_column(node: Reference) -> Reference:
    """Return a reference to the same rows of the last column."""
    first, last = _column(node.first), None if node.last is None else _column(node.last)
    return replace(node, first=first, last=last)


def _column(corner: Corner) -> Corner:
    return replace(corner, column=MAX_COLUMN, column_fixed=True)


def _in_last_row(node: Reference) -> Reference:
    """Return a reference to the same columns of the last row."""
    if node.whole_rows:
        return replace(
            node, first=Corner(MAX_ROW, 1, True, True), last=Corner(MAX_ROW, MAX_COLUMN, True, True)
        )
    first, last = _row(node.first), None if node.last is None else _row(node.last)
    return replace(node, first=first, last=last)


def _row(corner: Corner) -> Corner:
    return replace(corner, row=MAX_ROW, row_fixed=True)


def _offset(node: Call, context: Context) -> Call:
    base = node.arguments[0]
    if not isinstance(base, Reference) or not base.is_cell or not base.here(context.sheet):
        return node
    aside = Operation("-", call("COLUMN", _in_last_row(base)), Number(str(MAX_COLUMN)))
    columns = node.arguments[2]
    if not isinstance(columns, Missing):
        whole = isinstance(columns, Number) and columns.text.isdigit()
        aside = Operation("+", aside, columns if whole else call("TRUNC", columns))
    given = list(node.arguments)
    given[0], given[2] = _in_last_column(base), aside
    return replace(node, arguments=tuple(given))


def _turned(node: Call) -> Call:
    """Let a height or width that counts upwards or to the left count from the other end."""
    given = list(node.arguments)
    for size, moved in ((3, 1), (4, 2)):
        if len(given) <= size or not _may_be_negative(given[size]):
            continue
        height = Paren(given[size])
        back = call(
            "IF", Operation("<", height, Number("0")), Operation("+", height, Number("1")),
            Number("0"),
        )  # fmt: skip
        before = given[moved]
        given[moved] = back if isinstance(before, Missing) else Operation("+", Paren(before), back)
        given[size] = call("ABS", given[size])
    same = all(a is b for a, b in zip(given, node.arguments, strict=True))
    return node if same else replace(node, arguments=tuple(given))


def _may_be_negative(node: Node) -> bool:
    if isinstance(node, Call):
        return not native(node.name).integer
    return not isinstance(node, Number | Missing)
