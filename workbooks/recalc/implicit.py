"""Implicit intersection: what a range means in an ordinary formula where one value is wanted.

A formula in a file that is neither an array formula nor a dynamic one takes of `A1:A9` the cell
in its own row wherever a function or an operator wants one value. Excel shows these places with
an @; here the @ is put in for the engine, which would otherwise spill.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from openpyxl.formula.tokenizer import Token

from workbooks.recalc.signatures import ARRAYS, EACH, NATIVE, RETURN_ARRAYS, SOME
from workbooks.recalc.tokens import Node, is_blank, is_operator, is_range_token

#: These hand on what they choose: the condition is a single value, the rest is what is wanted.
_CHOOSING: dict[str, Callable[[int], bool]] = {
    "IF": lambda i: i > 0,
    "CHOOSE": lambda i: i > 0,
    "IFS": lambda i: i % 2 == 1,
    "SWITCH": lambda i: i > 1 and i % 2 == 0,
}


def intersect(tree: Node, is_area: Callable[[str], bool], own: Container[str]) -> None:
    """Put an @ before each range of an ordinary formula of which one value is wanted."""
    _intersect(tree, is_area, own, wanted=True)


def _intersect(
    node: Node, is_area: Callable[[str], bool], own: Container[str], *, wanted: bool
) -> None:
    if node.name in own:
        return
    for i, argument in enumerate(node.arguments):
        solid = [item for item in argument if not is_blank(item)]
        single = _is_single(node, i, wanted) or any(
            isinstance(item, Token) and is_operator(item) and item.value != "," for item in solid
        )
        if node.name in ARRAYS and not _is_single(node, i, wanted):
            continue
        for place, item in enumerate(solid):
            if isinstance(item, Node):
                # A bracket stands for what is around it.
                if item.is_function or single:
                    _intersect(item, is_area, own, wanted=single)
            elif single and is_range_token(item) and is_area(item.value):
                before = solid[place - 1] if place else None
                if not (isinstance(before, Token) and before.value == ":"):
                    item.value = item.value if item.value.startswith("@") else f"@{item.value}"


def _is_single(node: Node, place: int, wanted: bool) -> bool:
    """Tell whether one value is wanted in this place; `wanted` says so of the whole."""
    name = node.name
    if name in _CHOOSING and _CHOOSING[name](place):
        return wanted
    if name in SOME:
        return place in SOME[name]
    return not node.is_function or name in EACH or name in NATIVE


def gives_array(tree: Node, own_arrays: Container[str]) -> bool:
    """Tell whether a function that is not inside another one may return more than one value."""
    for argument in tree.arguments:
        for item in argument:
            if not isinstance(item, Node):
                if item.type == Token.ARRAY:
                    return True
                continue
            if item.name in RETURN_ARRAYS or item.name in own_arrays:
                return True
            transparent = not item.is_function or item.name in EACH or item.name in NATIVE
            if transparent and gives_array(item, own_arrays):
                return True
    return False
