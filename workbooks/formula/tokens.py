"""A formula as openpyxl's tokens, hung up as a tree: functions, their arguments, brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token, TokenizerError

_PREFIXES = re.compile(r"^@?(?:_xlfn\.|_xlws\.|_xll\.|_xldudf_|_xludf\.)+", re.IGNORECASE)
_SPILL = re.compile(r"((?:'(?:[^']|'')+'!|[\w.]+!)?\$?[A-Za-z]{1,3}\$?[0-9]+)#")
_TEXT = re.compile(r'"(?:[^"]|"")*"')
# What an apostrophe escapes in the name of a table's column; the tokenizer would count brackets.
_COLUMN_ESCAPE = re.compile(r"""("[^"]*"|'[^'\[\]]*'!|'')|'([\[\]])""")
_ESCAPES = str.maketrans({"[": "\ue05b", "]": "\ue05d"})
_UNESCAPES = str.maketrans({"\ue05b": "'[", "\ue05d": "']"})
#: How tightly the operators on values bind; all bind to the left.
BINDING = {"^": 5, "*": 4, "/": 4, "+": 3, "-": 3, "&": 2}
BINDING |= dict.fromkeys(("=", "<>", "<", ">", "<=", ">="), 1)
#: Deeper than this the engine refuses a formula, and a recursive reader would fall over.
MAX_DEPTH = 64
#: Row numbers from here on, which no model uses, stand for those of a formula while it is lowered
#: for all rows.
FIRST_PLACEHOLDER = 900_000


class FormulaError(ValueError):
    """The text is no formula that could be read."""


@dataclass(slots=True)
class Node:
    """A function call, a bracket, or the whole formula.

    `arguments` holds the items between the commas: tokens (operands, operators) and nodes.
    """

    name: str
    opening: str
    closing: str = ""
    arguments: list[list[Node | Token]] = field(default_factory=lambda: [[]])
    separators: list[str] = field(default_factory=list)

    @property
    def is_function(self) -> bool:
        """Whether this is a function call rather than a bracket."""
        return bool(self.name)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for argument in self.arguments:
            for item in argument:
                if isinstance(item, Node):
                    yield from item.walk()

    def text(self) -> str:
        """Return the formula text, as it may have been changed."""
        out = [self.opening]
        for i, argument in enumerate(self.arguments):
            if i:
                out.append(self.separators[i - 1])
            out.extend(item.text() if isinstance(item, Node) else item.value for item in argument)
        out.append(self.closing)
        return "".join(out)


def function_name(opening: str) -> str:
    """Return the name of a function from its opening token, prefixes for newer ones removed."""
    # In A1:INDEX(...) the tokenizer takes the range operator for a part of the name.
    return _PREFIXES.sub("", opening.rstrip("(").rpartition(":")[2]).upper()


def with_anchors(text: str) -> str:
    """Write `A1#` as a file stores it: `_xlfn.ANCHORARRAY(A1)`."""
    if "#" not in text:
        return text
    out, place = [], 0
    for literal in _TEXT.finditer(text):
        out.append(_SPILL.sub(r"_xlfn.ANCHORARRAY(\1)", text[place : literal.start()]))
        out.append(literal[0])
        place = literal.end()
    out.append(_SPILL.sub(r"_xlfn.ANCHORARRAY(\1)", text[place:]))
    return "".join(out)


def _hide_brackets(text: str) -> str:
    """Put single characters for the brackets that belong to a column's name."""
    if "'[" not in text and "']" not in text:
        return text
    return _COLUMN_ESCAPE.sub(lambda m: m[1] or m[2].translate(_ESCAPES), text)


def with_brackets(text: str) -> str:
    """Return a reference as the formula has it, brackets in the names of columns escaped."""
    return text.translate(_UNESCAPES)


def read_formula(text: str) -> Node:
    """Return the tree of a formula written without its equals sign."""
    if "|" in text and "|" in _TEXT.sub("", text):
        raise FormulaError(f"{_short(text)} is a DDE link; links are never followed")
    try:
        tokens = Tokenizer("=" + _hide_brackets(with_anchors(text))).items
    except (TokenizerError, IndexError, AssertionError, ValueError) as error:
        raise FormulaError(f"{_short(text)} is not a formula: {error}") from error
    root = Node("", "")
    stack = [root]
    in_array = False
    for token in tokens:
        top = stack[-1]
        if token.type == Token.ARRAY or in_array:
            in_array = not (token.type == Token.ARRAY and token.subtype == Token.CLOSE)
            top.arguments[-1].append(token)
        elif token.subtype == Token.OPEN and token.type in (Token.FUNC, Token.PAREN):
            name = function_name(token.value) if token.type == Token.FUNC else ""
            node = Node(name, token.value)
            top.arguments[-1].append(node)
            stack.append(node)
            if len(stack) > MAX_DEPTH:
                raise FormulaError(f"{_short(text)} is nested over {MAX_DEPTH} levels deep")
        elif token.subtype == Token.CLOSE and token.type in (Token.FUNC, Token.PAREN):
            if len(stack) == 1:
                raise FormulaError(f"{_short(text)} closes a bracket that it does not open")
            top.closing = token.value
            stack.pop()
        elif token.type == Token.SEP and token.subtype == Token.ARG and len(stack) > 1:
            top.separators.append(token.value)
            top.arguments.append([])
        else:
            top.arguments[-1].append(token)
    if len(stack) > 1:
        raise FormulaError(f"{_short(text)} leaves a bracket open")
    if not any(root.arguments):
        raise FormulaError("the formula is empty")
    return root


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_range_token(item: Node | Token) -> TypeGuard[Token]:
    """Tell whether an item is a reference or a name."""
    return isinstance(item, Token) and item.type == Token.OPERAND and item.subtype == Token.RANGE


def is_operator(item: Node | Token) -> bool:
    """Tell whether an item is an operator."""
    return isinstance(item, Token) and item.type in (Token.OP_IN, Token.OP_PRE, Token.OP_POST)


def is_blank(item: Node | Token) -> bool:
    """Tell whether an item is white space between others."""
    return isinstance(item, Token) and item.type == Token.WSPACE
