"""Defined names that the calculator cannot take are written out where they stand.

It takes names of cells that stay, and of constants. A name that holds a formula, or cells as seen
from the formula's own, is put through the passes itself, as an array formula, which is how Excel
evaluates it.
"""

from __future__ import annotations

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.formula.names import DefinedName, is_relative, may_be_name
from workbooks.formula.parse import FormulaError
from workbooks.formula.references import Reference
from workbooks.formula.tree import Call, Error, Inlined, Name, Node, bottom_up, rebuilt, walk

_DEEPEST = 16


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((Name,))


def apply(tree: Node, context: Context) -> Node:
    """Write out the names that the calculator has to be spared."""
    # These give names to values themselves.
    gives = any(isinstance(n, Call) and n.name in ("LET", "LAMBDA") for n in walk(tree))

    def change(node: Node) -> Node:
        if isinstance(node, Name):
            return _stands_for(node, context, gives_names=gives)
        return rebuilt(node, change)

    return change(tree)


def _stands_for(node: Name, context: Context, *, gives_names: bool) -> Node:
    names = context.scope.names
    sheet = None if node.sheet in (None, "[0]") else node.sheet
    name = names.find(node.text, sheet or context.sheet)
    if name is None:
        if not gives_names and sheet is None and may_be_name(node.text):
            # Of a name that is not known the calculator makes an error that ISERROR does not see.
            return Error("#NAME?")
        return node if node.sheet != "[0]" else Name(node.text)
    if not names.is_simple(name):
        return Inlined(_written_out(name, context))
    if sheet is not None and name.sheet is not None:
        # The calculator looks for names in the sheet of the formula.
        return names.tree(name)
    return Name(node.text) if node.sheet is not None else node


def _written_out(name: DefinedName, context: Context) -> Node:
    if context.depth > _DEEPEST:
        raise KeepOldValueError(f"the name {name.name} refers to itself")
    try:
        tree = context.scope.names.tree(name)
    except FormulaError as error:
        raise KeepOldValueError(f"the name {name.name}: {error}") from error
    if is_relative(tree):
        # Relative references in a name are written as seen from A1.
        place = context.place
        tree = _seen_from(tree, place.row - 1, place.column - 1)
    return context.rewrite_name(tree, context.in_name())


def _seen_from(tree: Node, rows: int, columns: int) -> Node:
    def change(node: Node) -> Node:
        if isinstance(node, Reference):
            return node.moved(rows, columns, around=True) or Error("#REF!")
        return node

    return bottom_up(tree, change)
