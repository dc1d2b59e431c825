"""Functions that the workbook defines itself: a name that holds a LAMBDA, called.

Its formula is written out where it is called, with the arguments in the place of its parameters.
What that could change is left alone, so that the cell keeps its old value: optional parameters,
a function that calls itself, an argument of chance that is used twice, names that would clash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from workbooks.excel.context import Context, KeepOldValueError
from workbooks.excel.marks import Marks
from workbooks.excel.passes.calls import is_ours
from workbooks.formula.functions import native
from workbooks.formula.names import DefinedName, is_relative
from workbooks.formula.parse import FormulaError
from workbooks.formula.tree import (
    Call,
    Inlined,
    Joined,
    Name,
    Node,
    Operation,
    Paren,
    Percent,
    Sign,
    bottom_up,
    rebuilt,
    walk,
)

_DEEPEST = 16
_PREFIX = "_xlpm."


#: What concerns the pass (see `workbooks.excel.marks`).
CONCERNS: Marks = frozenset((Call,))


def apply(tree: Node, context: Context) -> Node:
    """Write out the functions of the workbook."""

    def change(node: Node) -> Node:
        node = rebuilt(node, change)
        return _called(node, context) if isinstance(node, Call) else node

    return change(tree)


def _called(node: Call, context: Context) -> Node:
    name = context.scope.names.find(node.name, context.sheet)
    if name is None or is_ours(node.name, context):
        return node
    function = _function(name, context)
    if function is None:
        # The rule on calls says that it is not supported.
        return node
    if context.depth > _DEEPEST:
        raise KeepOldValueError(f"the function {name.name} calls itself")
    *parameters, body = function.arguments
    names = [p.text.removeprefix(_PREFIX).casefold() for p in parameters if isinstance(p, Name)]
    if len(names) != len(parameters) or len(names) != len(node.arguments):
        raise KeepOldValueError(f"{name.name} is called with arguments that may be left out")
    given = dict(zip(names, node.arguments, strict=True))
    _check(name.name, body, given, context)
    return Inlined(context.rewrite_name(_with(body, given), context.in_name()))


def _function(name: DefinedName, context: Context) -> Call | None:
    """Return the LAMBDA that a name holds, where it means the same in every cell."""
    try:
        tree = context.scope.names.tree(name)
    except FormulaError:
        return None
    fits = isinstance(tree, Call) and tree.name == "LAMBDA" and not is_relative(tree)
    return tree if fits and isinstance(tree, Call) and len(tree.arguments) > 1 else None


def _check(name: str, body: Node, given: Mapping[str, Node], context: Context) -> None:
    """Refuse what would come to mean something else once it is written out."""
    inner = [n for n in walk(body) if isinstance(n, Call)]
    if any(call.name in ("LAMBDA", "LET", "ISOMITTED") for call in inner):
        bound = [n for a in given.values() for n in walk(a) if isinstance(n, Name)]
        if any(not context.scope.names.defines(n.text) for n in bound) or _rebinds(inner, given):
            raise KeepOldValueError(f"the names in {name} are not certain")
    if any(call.name == "ISOMITTED" for call in inner):
        raise KeepOldValueError(f"{name} is called with arguments that may be left out")
    used = Counter(_parameter(n) for n in walk(body) if isinstance(n, Name))
    for parameter, argument in given.items():
        moves = any(
            isinstance(n, Call) and "moves" in native(n.name).traits for n in walk(argument)
        )
        if moves and used[parameter] != 1:
            raise KeepOldValueError(f"{name} is given what changes each time it is computed")


def _rebinds(calls: list[Call], given: Mapping[str, Node]) -> bool:
    """Tell whether a LET or LAMBDA inside gives the name of a parameter to something else."""
    bound = [a for c in calls if c.name == "LAMBDA" for a in c.arguments[:-1]]
    bound += [a for c in calls if c.name == "LET" for a in c.arguments[:-1:2]]
    return any(isinstance(a, Name) and _parameter(a) in given for a in bound)


def _parameter(name: Name) -> str:
    return name.text.removeprefix(_PREFIX).casefold()


def _with(body: Node, given: Mapping[str, Node]) -> Node:
    """Return the formula with the arguments in the place of the parameters."""

    def change(node: Node) -> Node:
        if isinstance(node, Name) and node.sheet is None:
            argument = given.get(_parameter(node))
            return node if argument is None else _closed(argument)
        return node

    return bottom_up(body, change)


def _closed(argument: Node) -> Node:
    """Return an argument so that operators around it do not reach into it."""
    open_ends = isinstance(argument, Operation | Sign | Percent | Joined)
    return Paren(argument) if open_ends else argument
