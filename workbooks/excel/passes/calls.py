"""Functions are known to the calculator, to us or to the workbook, or the cell keeps its value.

An argument of ours that is left out is told as such: the calculator would hand over a 0. A function
that we replace loses the prefix of the file, with which the calculator would take its own.
"""

from __future__ import annotations

from dataclasses import replace

from workbooks.calc.protocol import LOWERED, SKIPPED
from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.formula.functions import native
from workbooks.formula.tree import Call, External, Missing, Node, Text, bottom_up

#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((Call, External))


def apply(tree: Node, context: Context) -> Node:
    """Refuse what nobody knows, and make calls of our own functions complete."""
    return bottom_up(tree, lambda node: _known(node, context))


def _known(node: Node, context: Context) -> Node:
    if isinstance(node, External):
        raise KeepOldValueError(f"{node.text} refers to another workbook; links are never followed")
    if not isinstance(node, Call):
        return node
    scope = context.scope
    if scope.names.defines(node.name) and not is_ours(node.name, context):
        # Where it could be evaluated as it stands, the rule on LAMBDAs has done so.
        raise KeepOldValueError(
            f"the workbook defines {node.name} itself, as a function that is not supported here"
        )
    if node.name in scope.own and scope.knows(node.name):
        return _filled(node)
    # What only passes write means something else in a workbook, or nothing.
    unknown = node.name in LOWERED or not scope.knows(node.name)
    if unknown and not scope.names.defines(node.name):
        raise KeepOldValueError(f"unknown function {node.name}")
    if native(node.name).handled == "runtime":
        filled = _filled(node)
        return replace(filled, prefix="") if filled.prefix else filled
    return node


def is_ours(name: str, context: Context) -> bool:
    """Tell whether no name of the workbook makes a call mean another function than ours."""
    defined = context.scope.names.find(name, context.sheet)
    if defined is None or not context.scope.names.may_be_function(defined):
        # A name of cells or of a value is no function: Excel's own is meant.
        return True
    if name not in context.scope.own:
        return False
    # Only where a workbook brings its own.
    from udfs.hosts.native.origin import Origin, origin_of  # noqa: PLC0415

    def find(called: str) -> tuple[str, str] | None:
        found = context.scope.names.find(called, context.sheet)
        return None if found is None else (found.text, found.comment)

    origin = origin_of(name, find)
    if origin is Origin.OTHER_VERSION:
        raise KeepOldValueError(
            f"another version of Tokenbook, or one with other data, wrote {name} into the "
            "workbook; `tokenbook native` writes it anew"
        )
    return origin is Origin.OURS


def _filled(node: Call) -> Call:
    if len(node.arguments) == 1 or not any(isinstance(a, Missing) for a in node.arguments):
        return node
    return replace(
        node,
        arguments=tuple(Text(SKIPPED) if isinstance(a, Missing) else a for a in node.arguments),
    )
