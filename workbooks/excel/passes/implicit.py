"""Implicit intersection: what several cells mean in an ordinary formula where one value is wanted.

A formula in a file that is neither an array formula nor a dynamic one takes of `A1:A9` the cell
in its own row wherever a function or an operator wants one value, and so of a range that INDEX,
OFFSET and their like return. Excel shows these places with an @; here the @ is put in for the
engine, which would otherwise spill.

What is decided here may not depend on a number in the formula: one decision serves all formulas
that differ in their digits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from copy import deepcopy

from openpyxl.formula.tokenizer import Token

from workbooks.calc.protocol import FIT, ONE
from workbooks.formula.signatures import (
    ARRAYS,
    EACH,
    NATIVE,
    NO_RANGES,
    ONE_ONLY,
    RETURN_ARRAYS,
    SOME,
)
from workbooks.formula.tokens import Node, is_blank, is_operator, is_range_token

Argument = list[Node | Token]

#: These hand on what they choose: the condition is a single value, the rest is what is wanted.
_CHOOSING: dict[str, Callable[[int], bool]] = {
    "IF": lambda i: i > 0,
    "CHOOSE": lambda i: i > 0,
    "IFS": lambda i: i % 2 == 1,
    "SWITCH": lambda i: i > 1 and i % 2 == 0,
}
#: Numbers of 1 or more, and of 0 or more.
_COUNTS_FROM_ONE = frozenset("MATCH XMATCH ROW COLUMN ROWS COLUMNS MONTH DAY WEEKDAY".split())  # noqa: SIM905
_COUNTS = _COUNTS_FROM_ONE | frozenset("COUNT COUNTA COUNTIF COUNTIFS LEN YEAR HOUR".split())  # noqa: SIM905
# These take the first cell of a range.
_FIRST_CELL = ("N", "T")


class UncertainError(ValueError):
    """What an ordinary formula makes of several cells here is not certain."""


class Intersection:
    """Puts an @ wherever an ordinary formula wants one value and may be given several cells.

    Parameters
    ----------
    is_area : Callable
        Tells whether a reference or name may cover more than one cell.
    own : Container of str
        Names of own functions, which are handed ranges as they are.
    """

    def __init__(self, is_area: Callable[[str], bool], own: Container[str]) -> None:
        self._is_area = is_area
        self._own = own
        self._bound: set[str] = set()
        self._in_let = False

    def intersect(self, node: Node, *, wanted: bool = True) -> None:
        """Go through a formula; `wanted` tells whether one value is wanted of the whole."""
        if node.name in self._own:
            return
        if node.name == "LET":
            self._in_let = True
            self._bind(node)
        for i, argument in enumerate(node.arguments):
            single = _is_single(node, i, wanted) or any(_is_operation(item) for item in argument)
            if node.name in ARRAYS and node.name != "LET" and not _is_single(node, i, wanted):
                continue
            for item in argument:
                if isinstance(item, Node):
                    self.intersect(item, wanted=single and ":" not in item.opening)
            if single:
                _join_ranges(argument)
                self._take_one(argument)
            elif node.name in NO_RANGES and any(self._gives_cells(item) for item in argument):
                argument[:] = [Node("", f"{ONE}(", ")", [list(argument)])]
            elif node.name in _FIRST_CELL and any(self._may_be_many(item) for item in argument):
                if self._in_let:
                    raise UncertainError(f"what {node.name} gives for a range in LET")
                argument[:] = [Node("", f"{FIT}(", ",1,1)", [list(argument)])]

    def _bind(self, let: Node) -> None:
        """Note the names that a LET gives to what may be several cells."""
        for name, value in zip(let.arguments[0:-1:2], let.arguments[1::2], strict=False):
            if any(self._may_be_many(item) or _returns_array(item) for item in value):
                self._bound.update(item.value.casefold() for item in name if is_range_token(item))

    def _take_one(self, argument: Argument) -> None:
        for place, item in enumerate(argument):
            many = self._may_be_many(item)
            if is_range_token(item) and (
                item.value.casefold() in self._bound or (many and self._in_let)
            ):
                raise UncertainError(
                    f"{item.value} in LET may be several values where an ordinary formula wants one"
                )
            if not many:
                continue
            if isinstance(item, Token):
                marked: Node | Token = item
                # Without INDEX, the engine would make a number of a blank cell.
                item.value = f"@INDEX({item.value},0,0)"
            elif item.name == "XLOOKUP":
                marked = self._looked_up(item)
            else:
                marked = item
                item.opening = f"@{item.opening}"
            following = argument[place + 1] if place + 1 < len(argument) else None
            if isinstance(following, Token) and following.type == Token.OP_POST:
                # The engine reads `@A1:A9%` as `@(A1:A9%)`.
                marked = Node("", "(", ")", [[marked]])
            argument[place] = marked

    def _may_be_many(self, item: Node | Token) -> bool:
        """Tell whether a part of a formula may be a reference to several cells."""
        if isinstance(item, Token):
            if not is_range_token(item) or item.value.startswith("@"):
                return False
            return item.value.startswith("(") or self._is_area(item.value)
        return self._gives_cells(item)

    def _gives_cells(self, item: Node | Token) -> bool:
        """Tell whether a function may give a reference to several cells."""
        if isinstance(item, Token) or item.opening.startswith("@"):
            return False
        name, arguments = item.name, item.arguments
        if ":" in item.opening or name == "INDIRECT":
            return True
        if name == "INDEX":
            return len(arguments) < 2 or not all(map(_is_positive, arguments[1:3]))
        if name == "OFFSET":
            shaped = any(not all(map(is_blank, argument)) for argument in arguments[3:])
            return shaped or any(self._may_be_many(part) for part in arguments[0])
        if name == "XLOOKUP":
            return any(not self._is_column(argument) for argument in arguments[1:3])
        return False

    def _is_column(self, argument: Argument) -> bool:
        return self._columns(argument) == 1

    def _columns(self, argument: Argument) -> int | None:
        """Return 1 or 2 for a range of one or of several columns, None where it is not known."""
        solid = [item for item in argument if not is_blank(item)]
        only = solid[0] if len(solid) == 1 else None
        if only is None or not is_range_token(only):
            return None
        first, mark, last = only.value.rpartition("!")[2].partition(":")
        letters = [text.strip("$0123456789").upper() for text in (first, last)]
        if not mark:
            # Any other name may stand for whatever shape.
            return 1 if not self._is_area(only.value) and not only.value.startswith("(") else None
        if not all(text.isalpha() and len(text) <= 3 for text in letters):
            return None
        return 1 if letters[0] == letters[1] else 2

    def _looked_up(self, node: Node) -> Node:
        """Return the lookup in a way that gives a reference, as Excel's XLOOKUP does."""
        wanted, where, what, default, mode, order = [*node.arguments, [], [], []][:6]
        columns = self._columns(where)
        if columns is None:
            return Node("", f"{ONE}(", ")", [[node]])
        zero = Token("0", Token.OPERAND, Token.NUMBER)
        match = _call("XMATCH", wanted, where, mode, order)
        found = _call("INDEX", what, *(([match], [zero]) if columns == 1 else ([zero], [match])))
        if all(map(is_blank, default)):
            found.opening = f"@{found.opening}"
            return found
        missing = _call("ISNA", [deepcopy(match)])
        other = _call("XLOOKUP", *deepcopy([wanted, where, where, default, mode, order]))
        return _call("@IF", [missing], [other], [found])


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


def _is_single(node: Node, place: int, wanted: bool) -> bool:
    """Tell whether one value is wanted in this place; `wanted` says so of the whole."""
    name = node.name
    if name in _CHOOSING and _CHOOSING[name](place):
        return wanted
    if name == "LET":
        return wanted and place == len(node.arguments) - 1
    if name in SOME:
        return place in SOME[name]
    if name in ONE_ONLY:
        return place in ONE_ONLY[name]
    if not name:
        # A bracket stands for what is around it.
        return wanted
    return name in EACH or name in NATIVE or name == "INDIRECT"


def _is_operation(item: Node | Token) -> bool:
    """Tell whether an item is an operator on values, rather than one on references."""
    return isinstance(item, Token) and is_operator(item) and item.value not in (",", ":", " ")


def _returns_array(item: Node | Token) -> bool:
    if isinstance(item, Token):
        return item.type == Token.ARRAY
    return item.name in RETURN_ARRAYS or any(_returns_array(i) for a in item.arguments for i in a)


def _is_positive(argument: Argument) -> bool:
    """Tell whether a number is surely 1 or more; a digit tells nothing."""
    solid = [item for item in argument if not is_blank(item)]
    terms, signs = solid[0::2], solid[1::2]
    if len(solid) % 2 == 0 or any(not isinstance(s, Token) or s.value != "+" for s in signs):
        return False
    positive = [isinstance(term, Node) and _is_count(term) for term in terms]
    natural = [
        term.name in _COUNTS or _is_count(term)
        if isinstance(term, Node)
        else term.type == Token.OPERAND and term.subtype == Token.NUMBER
        for term in terms
    ]
    return any(positive) and all(natural)


def _is_count(node: Node) -> bool:
    """Tell whether a call counts from one."""
    if node.name == "IFNA":
        return all(_is_positive(argument) for argument in node.arguments)
    return node.name in _COUNTS_FROM_ONE


def _join_ranges(argument: Argument) -> None:
    """Put what is joined by a colon inside INDEX, for the engine gives no value of it alone."""
    out: Argument = []
    for item in argument:
        text = item.opening if isinstance(item, Node) else item.value if _is_part(item) else ""
        last = out[-1] if out else None
        if text.startswith(":") and last is not None:
            if isinstance(last, Node) and last.name == "INDEX" and last.closing == ",0,0)":
                last.arguments[0].append(item)
            else:
                out[-1] = Node("INDEX", "INDEX(", ",0,0)", [[last, item]])
        elif isinstance(item, Node) and ":" in text.rstrip("("):
            out.append(Node("INDEX", "INDEX(", ",0,0)", [[item]]))
        else:
            out.append(item)
    argument[:] = out


def _is_part(item: Node | Token) -> bool:
    return isinstance(item, Token) and item.type == Token.OPERAND


def _call(opening: str, *arguments: Argument) -> Node:
    given = list(arguments)
    while given and all(map(is_blank, given[-1])):
        given.pop()
    name = opening.lstrip("@")
    return Node(name, f"{opening}(", ")", given, [","] * (len(given) - 1))
