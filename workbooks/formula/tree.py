"""A formula as a tree; it keeps parentheses and literal text, which decide on Excel's rounding.

Nodes are never changed: a rule returns a new tree, or the very one that it was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import is_
from typing import TypeAlias

from workbooks.formula.address import column_letters, quote_sheet
from workbooks.formula.references import AnyRow, FreeColumn, Reference

#: How tightly operators bind; all of them to the left. A sign binds tighter, a percent tighter yet.
BINDING = {"^": 5, "*": 4, "/": 4, "+": 3, "-": 3, "&": 2}
BINDING |= dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), 1)
COMPARISONS = frozenset(("=", "<>", "<", ">", "<=", ">="))
ARITHMETIC = frozenset(("+", "-", "*", "/", "^"))
_PERCENT, _SIGN, _SINGLE, _REFERENCES, _ATOM = 7, 6, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text, without its quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Logical:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Error:
    """An error value that stands in the formula: `#N/A`."""

    code: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An argument that is left out: the second of `F(1,,3)`."""


@dataclass(frozen=True, slots=True)
class Name:
    """A defined name, a name that LET or LAMBDA gives, or a table; `sheet` as it is written."""

    text: str
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class TableReference:
    """A structured reference, `Sales[[#This Row],[Qty]]`, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class External:
    """A reference to another workbook, as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Array:
    """An array of constants."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, by its name in upper case; `prefix` is that of the file: `_xlfn.`."""

    name: str
    arguments: tuple[Node, ...]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Apply:
    """A call of what an expression gives: `LAMBDA(x,x+1)(2)`."""

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator between two values."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Joined:
    """An operator between references: range `:`, intersection ` `, union `,`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Sign:
    """A plus or minus in front."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Percent:
    """A percent sign behind."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Spilled:
    """The cells that the array formula of a cell fills: `A1#`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Single:
    """One value of several, by the row or column of the formula: `@A1:A9`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Paren:
    """An expression in parentheses."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Inlined:
    """What a defined name stands for, put where the name stood; rules have been through it."""

    tree: Node


Node: TypeAlias = (
    Number | Text | Logical | Error | Missing | Reference | Name | TableReference | External
    | Array | Call | Apply | Operation | Joined | Sign | Percent | Spilled | Single | Paren
    | Inlined
)  # fmt: skip

Piece: TypeAlias = str | AnyRow | FreeColumn

_WITHOUT_CHANGE = (
    *(Reference, Number, Text, Missing, Logical, Error, Name, TableReference, External),
    *(Array, Inlined),
)


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node; what was inlined is not looked into."""
    match node:
        case Call():
            return node.arguments
        case Operation() | Joined():
            return (node.left, node.right)
        case Paren():
            return (node.inner,)
        case Sign() | Percent() | Spilled() | Single():
            return (node.operand,)
        case Array():
            return tuple(item for row in node.rows for item in row)
        case Apply():
            return (node.function, *node.arguments)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting.extend(reversed(children(found)))


def rebuilt(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a node whose children were changed; the node itself where none was."""
    # By type and field: the rules come through here for every node of every formula.
    if isinstance(node, _WITHOUT_CHANGE):
        return node
    if isinstance(node, Call | Apply):
        given = node.arguments
        new = tuple([change(argument) for argument in given])
        same = all(map(is_, new, given))
        if isinstance(node, Call):
            return node if same else Call(node.name, new, node.prefix)
        function = change(node.function)
        return node if same and function is node.function else Apply(function, new)
    if isinstance(node, Operation | Joined):
        left, right = change(node.left), change(node.right)
        if left is node.left and right is node.right:
            return node
        return type(node)(node.operator, left, right)
    if isinstance(node, Paren):
        inner = change(node.inner)
        return node if inner is node.inner else Paren(inner)
    operand = change(node.operand)
    if operand is node.operand:
        return node
    return Sign(node.operator, operand) if isinstance(node, Sign) else type(node)(operand)


def bottom_up(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a tree in which every node was changed, children first."""

    def changed(inner: Node) -> Node:
        return change(rebuilt(inner, changed))

    return changed(node)


def bare(node: Node) -> Node:
    """Return an expression without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.inner
    return node


def is_left_out(node: Node) -> bool:
    """Tell whether an argument is left out."""
    return isinstance(node, Missing)


def call(name: str, *arguments: Node) -> Call:
    """Return a call; arguments left out at its end are dropped."""
    given = list(arguments)
    while given and isinstance(given[-1], Missing):
        given.pop()
    return Call(name, tuple(given))


# --- back to text --------------------------------------------------------------------------------


def text_of(node: Node) -> str:
    """Return a formula as text, without the equals sign."""
    return "".join(str(piece) for piece in pieces(node))


def pieces(node: Node) -> list[Piece]:
    """Return a formula as pieces of text, rows to be filled in, and columns that may move."""
    out: list[Piece] = []
    _write(node, out, 0)
    return out


def _write(node: Node, out: list[Piece], binding: int) -> None:
    """Append a node; in parentheses where it binds less tightly than what is around it."""
    own = _binding(node)
    if own < binding:
        out.append("(")
        _write(node, out, 0)
        out.append(")")
        return
    match node:
        case Number(text) | TableReference(text) | External(text):
            out.append(text)
        case Text(value):
            quoted = value.replace('"', '""')
            out.append(f'"{quoted}"')
        case Logical(value):
            out.append("TRUE" if value else "FALSE")
        case Error(code):
            out.append(code)
        case Missing():
            pass
        case Reference():
            _write_reference(node, out)
        case Name(text, sheet):
            out.append(text if sheet is None else f"{_quoted(sheet)}!{text}")
        case Array(rows):
            out.append("{")
            for i, row in enumerate(rows):
                _write_list(row, out, ";" if i else "")
            out.append("}")
        case Call(name, arguments, prefix):
            out.append(f"{prefix}{name}(")
            _write_list(arguments, out, "")
            out.append(")")
        case Apply(function, arguments):
            _write(function, out, _ATOM)
            out.append("(")
            _write_list(arguments, out, "")
            out.append(")")
        case Operation(operator, left, right):
            _write(left, out, own)
            out.append(operator)
            _write(right, out, own + 1)
        case Joined(operator, left, right):
            _write(left, out, _REFERENCES)
            out.append(operator)
            _write(right, out, _ATOM)
        case Sign(operator, operand):
            out.append(operator)
            _write(operand, out, _SIGN)
        case Percent(operand):
            _write(operand, out, _PERCENT)
            out.append("%")
        case Spilled(operand):
            _write(operand, out, _ATOM)
            out.append("#")
        case Single(operand):
            out.append("@")
            _write(operand, out, _REFERENCES)
        case Paren(inner) | Inlined(inner):
            out.append("(")
            _write(inner, out, 0)
            out.append(")")


def _binding(node: Node) -> int:
    match node:
        case Operation(operator):
            return BINDING[operator]
        case Sign():
            return _SIGN
        case Percent():
            return _PERCENT
        case Single():
            # `@A1:A9%` is read by the calculator as `@(A1:A9%)`.
            return _SIGN
        case Joined():
            return _REFERENCES
        case _:
            return _ATOM


def _write_list(items: tuple[Node, ...], out: list[Piece], before: str) -> None:
    out.append(before)
    for i, item in enumerate(items):
        if i:
            out.append(",")
        # A union among arguments stands in parentheses of its own.
        _write(item, out, _ATOM if isinstance(item, Joined) and item.operator == "," else 0)


def _write_reference(node: Reference, out: list[Piece]) -> None:
    if node.sheet is not None:
        out.append(node.prefix)
    corners = [node.first] if node.last is None else [node.first, node.last]
    for i, corner in enumerate(corners):
        if i:
            out.append(":")
        if corner.column is not None and corner.column_fixed:
            out.append("$" + column_letters(corner.column))
        elif corner.column is not None:
            out.append(FreeColumn(corner.column))
        if corner.row is not None:
            if corner.row_fixed:
                out.append("$")
            out.append(corner.row if isinstance(corner.row, AnyRow) else str(corner.row))


def _quoted(sheet: str) -> str:
    return sheet if sheet.startswith("[") else quote_sheet(sheet)
