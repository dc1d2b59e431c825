"""Formula text read into a tree, once.

The tokens are those of the calculator's tokenizer: it keeps the parentheses that the calculator's
own parser drops, knows spills, intersections and structured references, and is ten times as fast
as openpyxl's (10,000 formulas in 0.03 s). This file is the only one to use it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from formualizer import Tokenizer, TokenizerError, TokenSubType, TokenType

from workbooks.formula.references import AnyRow, Corner, Reference, read_reference
from workbooks.formula.tree import (
    BINDING,
    Apply,
    Array,
    Call,
    Error,
    External,
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
    TableReference,
    Text,
    rebuilt,
)

#: Deeper than this the calculator refuses a formula, and a recursive reader would fall over.
MAX_DEPTH = 64
_PREFIXES = re.compile(r"^(?:_xlfn\.|_xlws\.|_xll\.|_xldudf_|_xludf\.)+", re.IGNORECASE)
_TEXT = re.compile(r'"(?:[^"]|"")*"')
_EXTERNAL = re.compile(r"'?(?:[^'!\[\]]*)\[(?!0\])[^\[\]]+\][^!\[\]]*!|\[[1-9][0-9]*\]!")
_SHEET_AND_NAME = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!([^!]+)")
_REFERENCE_OPERATORS = (":", " ", ",")

_OPERAND, _FUNCTION, _PAREN, _ARRAY = "Operand", "Func", "Paren", "Array"
_TYPES = {
    getattr(TokenType, name): name
    for name in (
        "Operand", "Func", "Array", "Paren", "Sep", "OpPrefix", "OpInfix", "OpPostfix", "Whitespace"
    )
}  # fmt: skip
_SUBTYPES = {
    getattr(TokenSubType, name): name
    for name in ("Open", "Close", "Arg", "Row", "Text", "Number", "Logical", "Error", "Range")
}


_REASONS = {
    "Unmatched opening": "leaves a bracket open",
    "No matching opener": "closes a bracket that it does not open",
    "while parsing string": "leaves a text open",
}
#: The calculator fails on longer chains of operators.
_LONGEST_CHAIN = 256


class FormulaError(ValueError):
    """The text is no formula that could be read."""


class _Token(NamedTuple):
    kind: str
    sub: str
    value: str


_END = _Token("End", "", "")


def parse(text: str) -> Node:
    """Return the tree of a formula that is written without its equals sign.

    Raises
    ------
    FormulaError
        The text cannot be read; the message says why.

    Examples
    --------
    >>> parse("(A1-B1)*2")
    ... # doctest: +NORMALIZE_WHITESPACE
    Operation(operator='*',
              left=Paren(inner=Operation(operator='-',
                         left=Reference(first=Corner(row=1, column=1, row_fixed=False,
                                        column_fixed=False), last=None, sheet=None, to_sheet=None),
                         right=Reference(first=Corner(row=1, column=2, row_fixed=False,
                                         column_fixed=False), last=None, sheet=None,
                                         to_sheet=None))),
              right=Number(text='2'))
    """
    if "|" in text and "|" in _TEXT.sub("", text):
        raise FormulaError(f"{_short(text)} is a DDE link; links are never followed")
    if _depth(text) > MAX_DEPTH:
        raise FormulaError(f"{_short(text)} is nested over {MAX_DEPTH} levels deep")
    try:
        found = Tokenizer("=" + text).tokens()
    except TokenizerError as error:
        raise FormulaError(f"{_short(text)} {_reason(error)}") from error
    tokens = [
        _Token(_TYPES.get(t.token_type, ""), _SUBTYPES.get(t.subtype, ""), t.value) for t in found
    ]
    tokens = [token for token in tokens if token.kind != "Whitespace"]
    if not tokens:
        raise FormulaError("the formula is empty")
    reader = _Reader(tokens, text)
    tree = reader.expression(0)
    if reader.next is not _END:
        raise reader.fault()
    return tree


def _depth(text: str) -> int:
    if text.count("(") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for character in _TEXT.sub("", text):
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


def _reason(error: Exception) -> str:
    reason = str(error).partition(": ")[2] or str(error)
    for theirs, ours in _REASONS.items():
        if theirs in reason:
            return ours
    return f"is not a formula: {reason}"


class _Reader:
    """Reads tokens by how tightly their operators bind."""

    def __init__(self, tokens: Sequence[_Token], text: str) -> None:
        self._tokens = [*tokens, _END]
        self._place = 0
        self._text = text
        self._depth = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._place]

    def take(self) -> _Token:
        token = self._tokens[self._place]
        if token is not _END:
            self._place += 1
        return token

    def fault(self) -> FormulaError:
        token = self.next
        if token is _END:
            return FormulaError(f"{_short(self._text)} ends too early")
        if token.sub == "Close":
            return FormulaError(f"{_short(self._text)} closes a bracket that it does not open")
        if token.kind in (_OPERAND, _FUNCTION, _PAREN):
            return FormulaError("two operands stand beside each other without an operator")
        return FormulaError(f"{_short(self._text)}: {token.value!r} stands in a wrong place")

    # --- values ----------------------------------------------------------------------------------

    def expression(self, weakest: int, *, in_list: bool = False) -> Node:
        """Read operators that bind no weaker than `weakest`; in a list a comma ends it."""
        self._depth += 1
        if self._depth > 4 * MAX_DEPTH:
            raise FormulaError(f"{_short(self._text)} is nested over {MAX_DEPTH} levels deep")
        left, chain = self._signed(in_list=in_list), 0
        while self.next.kind == "OpInfix" and self.next.value in BINDING:
            operator = self.next.value
            if BINDING[operator] < weakest:
                break
            self.take()
            right = self.expression(BINDING[operator] + 1, in_list=in_list)
            left = Operation(operator, left, right)
            chain += 1
            if chain > _LONGEST_CHAIN:
                raise FormulaError(f"{_short(self._text)} is too long: over 256 operators in turn")
        self._depth -= 1
        return left

    def _signed(self, *, in_list: bool) -> Node:
        if self.next.kind == "OpPrefix" and self.next.value in ("+", "-"):
            signs = []
            while self.next.kind == "OpPrefix" and self.next.value in ("+", "-"):
                signs.append(self.take().value)
            if len(signs) > _LONGEST_CHAIN:
                raise FormulaError(f"{_short(self._text)} is too long: over 256 signs in turn")
            node = self._percented(in_list=in_list)
            for sign in reversed(signs):
                node = Sign(sign, node)
            return node
        return self._percented(in_list=in_list)

    def _percented(self, *, in_list: bool) -> Node:
        node = self._referred(in_list=in_list)
        while self.next.kind == "OpPostfix" and self.next.value == "%":
            self.take()
            node = Percent(node)
        return node

    # --- references ------------------------------------------------------------------------------

    def _referred(self, *, in_list: bool) -> Node:
        if self.next.kind == "OpPrefix" and self.next.value == "@":
            self.take()
            return Single(self._referred(in_list=in_list))
        left = self._primary()
        while self.next.kind == "OpInfix" and self.next.value in _REFERENCE_OPERATORS:
            operator = self.next.value
            if operator == "," and in_list:
                break
            self.take()
            left = _joined(operator, left, self._primary())
        return left

    def _primary(self) -> Node:
        token = self.next
        if token.kind == _OPERAND:
            node = _operand(self.take())
        elif token.kind == _FUNCTION and token.sub == "Open":
            node = self._call(self.take())
        elif token.kind == _PAREN and token.sub == "Open":
            self.take()
            node = Paren(self.expression(0))
            self._close(_PAREN)
        elif token.kind == _ARRAY and token.sub == "Open":
            node = self._array()
        else:
            raise self.fault()
        while True:
            if self.next.kind == "OpPostfix" and self.next.value == "#":
                self.take()
                node = Spilled(node)
            elif (
                self.next.kind == _PAREN
                and self.next.sub == "Open"
                and isinstance(node, Call | Apply)
            ):
                # What a LAMBDA gives, called at once.
                self.take()
                node = Apply(node, tuple(self._list(_PAREN)))
            else:
                return node

    def _call(self, token: _Token) -> Node:
        name = token.value.rstrip("(").rstrip()
        prefix = _PREFIXES.match(name)
        start = prefix.end() if prefix else 0
        arguments = tuple(self._list(_FUNCTION))
        name, prefix_text = name[start:].upper(), name[:start]
        if name == "ANCHORARRAY" and len(arguments) == 1:
            return Spilled(arguments[0])
        if name == "SINGLE" and len(arguments) == 1:
            return Single(arguments[0])
        return Call(name, arguments, prefix_text)

    def _list(self, kind: str) -> list[Node]:
        """Read arguments up to the closing bracket; one that is left out is `Missing`."""
        items: list[Node] = []
        if self.next.kind == kind and self.next.sub == "Close":
            self.take()
            return items
        while True:
            if self._at_separator() or (self.next.kind == kind and self.next.sub == "Close"):
                items.append(Missing())
            else:
                items.append(self.expression(0, in_list=True))
            if not self._at_separator():
                break
            self.take()
        self._close(kind)
        return items

    def _at_separator(self) -> bool:
        token = self.next
        return (token.kind == "Sep" and token.sub == "Arg") or (
            # Behind a LAMBDA the tokenizer takes the commas for unions.
            token.kind == "OpInfix" and token.value == ","
        )

    def _close(self, kind: str) -> None:
        if self.next is _END:
            raise FormulaError(f"{_short(self._text)} leaves a bracket open")
        if self.next.kind != kind or self.next.sub != "Close":
            raise self.fault()
        self.take()

    def _array(self) -> Array:
        self.take()
        rows: list[list[Node]] = [[]]
        while True:
            rows[-1].append(self._signed(in_list=True))
            token = self.take()
            if token.kind == _ARRAY and token.sub == "Close":
                return Array(tuple(map(tuple, rows)))
            if token.kind != "Sep":
                raise FormulaError(f"{_short(self._text)} holds an array that cannot be read")
            if token.sub == "Row":
                rows.append([])


def _operand(token: _Token) -> Node:
    value = token.value
    match token.sub:
        case "Number":
            return Number(value)
        case "Text":
            return Text(value[1:-1].replace('""', '"'))
        case "Logical":
            return Logical(value.upper() == "TRUE")
        case "Error":
            return Error(value.upper())
    reference = read_reference(value)
    if reference is not None:
        return reference
    if "[" in value and _EXTERNAL.match(value):
        return External(value)
    if value.startswith("[0]!"):
        return Name(value[4:], "[0]")
    if "[" in value:
        return TableReference(value)
    if found := _SHEET_AND_NAME.fullmatch(value):
        sheet = found[1].replace("''", "'") if found[1] else found[2]
        return Name(found[3], sheet)
    return Name(value)


def _joined(operator: str, left: Node, right: Node) -> Node:
    """Return two references joined; `Sheet1!A1:Sheet1!B2` and `A1:B2` are one."""
    if (
        operator == ":"
        and isinstance(left, Reference)
        and isinstance(right, Reference)
        and left.is_cell
        and right.is_cell
        and (right.sheet is None or right.sheet == left.sheet)
    ):
        return Reference(left.first, right.first, left.sheet)
    return Joined(operator, left, right)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- formulas that differ in row numbers alone -------------------------------------------------


def generalised(tree: Node) -> tuple[Node, list[str]]:
    """Return a tree with its row numbers replaced by places, and the numbers, in their order."""
    rows: list[str] = []

    def corner(given: Corner) -> Corner:
        if given.row is None:
            return given
        rows.append(str(given.row))
        return Corner(AnyRow(len(rows) - 1), given.column, given.row_fixed, given.column_fixed)

    def change(node: Node) -> Node:
        if isinstance(node, Reference):
            first = corner(node.first)
            last = None if node.last is None else corner(node.last)
            return Reference(first, last, node.sheet, node.to_sheet)
        return rebuilt(node, change)

    return change(tree), rows
