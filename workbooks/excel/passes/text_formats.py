"""TEXT with a format that the calculator follows, or that is computed by ours."""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import FORMATTED
from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.kinds import is_many
from workbooks.excel.marks import Marks
from workbooks.excel.number_formats import ELAPSED, EXPONENT, in_terms
from workbooks.formula.functions import native
from workbooks.formula.references import Reference
from workbooks.formula.tree import (
    Call,
    Logical,
    Name,
    Node,
    Operation,
    Paren,
    Text,
    bare,
    bottom_up,
    call,
)

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset(("TEXT",))


def apply(tree: Node, context: Context) -> Node:
    """Put each call of TEXT in terms that the calculator gets right."""
    return bottom_up(
        tree, lambda n: _format(n, context) if isinstance(n, Call) and n.name == "TEXT" else n
    )


def _format(node: Call, context: Context) -> Node:
    if len(node.arguments) != 2:
        return node
    pattern = node.arguments[1]
    given = pattern.value if isinstance(pattern, Text) else None
    wanted = None if given is None else in_terms(given)
    if wanted is not None and not ELAPSED.search(wanted):
        same = wanted == given
        inner = node if same else replace(node, arguments=(node.arguments[0], Text(wanted)))
        return _keep_texts(inner, context)
    if given is not None and wanted is None and not EXPONENT.fullmatch(given):
        raise KeepOldValueError(f"the format {given!r} of TEXT is not understood here")
    return Call(FORMATTED, node.arguments)


def _keep_texts(node: Call, context: Context) -> Node:
    """Let TEXT hand on a text that is no number, which the calculator refuses.

    A truth value is such a text too, and no number.
    """
    value = node.arguments[0]
    if isinstance(value, Logical):
        return Text("TRUE" if value.value else "FALSE")
    # A range that a branch gives may be an array to what stands around the formula.
    inner = bare(value)
    branches = isinstance(inner, Call) and native(inner.name).result == "branch"
    ranges = context.array or branches
    if not _may_be_text(value) or is_many(value, context.scope, ranges=ranges):
        return node
    truth = Operation("&", value, Text(""))
    other = call("IF", call("ISLOGICAL", value), truth, node)
    return call("IF", call("ISTEXT", value), call("IFERROR", node, value), other)


def _may_be_text(value: Node) -> bool:
    inner = bare(value) if isinstance(value, Paren) else value
    match inner:
        case Reference():
            return inner.is_cell
        case Text() | Name():
            return True
        case Operation():
            return inner.operator == "&"
        case Call():
            row = native(inner.name)
            return "cell" in row.traits or row.result in ("text", "branch")
        case _:
            return False
