"""Formulas as an author writes them: by the names of rows and inputs, not by addresses.

In such a formula a word in small letters is the name of a row or of an input; functions, texts in
quotes and references are Excel's own, and spaces are there for the reader:
``IF(mtok > 0, revenue / mtok, 0)``. What may stand behind a name:

- ``revenue.before``: the same row, one column to the left; the first month meets the opening.
- ``revenue.all``, ``revenue.sofar``, ``revenue.first``: all columns of it; those up to this one;
  the first one.
- ``growth.grown``: what a rate a year has made of 1 since the start.

Rows, figures and checks are written one a line, their parts told apart by ``|``, the formulas last:

- A line with ``{product}`` in it stands once for each product. ``{name}`` and ``{Name}`` are its
  name in a label, ``ADD({product}_gpus)`` is the sum over all of them.
- ``let age = month - order_month`` and ``let half(row) = row / 2`` shorten the lines that follow:
  what is let is put in their formulas as it stands.
- A line that is too long ends with a backslash and goes on in the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from udfs import registry
from workbooks.authoring.parts import Ref

#: What stands as it is; a name, and which of its cells; a space.
_PIECE = re.compile(
    r"""(?P<kept>"(?:[^"]|"")*"|'(?:[^']|'')*')"""
    r"|(?<![\w.$!])(?P<name>[a-z][a-z0-9_]*+)(?:\.(?P<which>[a-z]+))?+(?![\w(!])"
    r"|(?P<space>\s+)"
)
_CALL = re.compile(r"(TOK_[A-Z0-9_]+)\(")
_OF_PRODUCT = re.compile(r"\{(product|name|Name)\}")
#: What is in quotes, so that no mark in it counts, and the marks.
_PUNCTUATION = re.compile(r""""[^"]*"|'[^']*'|[(),]""")
_LET = re.compile(r"let (\w+)(?:\((\w+)\))? = (.*)")
_GROWN = "(1+{name})^(since/year_months)"


class Word(NamedTuple):
    """The name of a row or an input in a formula, and which cells of the row are meant."""

    name: str
    which: str


def calls(formula: str) -> Iterator[tuple[str, list[str]]]:
    """Give each call of a worksheet function of ours: its name, and its arguments as written."""
    for match in _CALL.finditer(formula):
        yield match[1], arguments(formula, match.end())[0]


def arguments(text: str, start: int) -> tuple[list[str], int]:
    """Split the arguments of the call that opens before `start`; return where it ends too."""
    found, depth, begin = [], 0, start
    for match in _PUNCTUATION.finditer(text, start):
        mark, at = match[0], match.start()
        if mark == "(":
            depth += 1
        elif mark == ")" and depth:
            depth -= 1
        elif mark in (",", ")") and not depth:
            found.append(text[begin:at])
            begin = at + 1
            if mark == ")":
                return found, begin
    raise ValueError(f"a parenthesis is not closed in {text}")


def unit_and_format(said: str, formats: Mapping[str, str]) -> tuple[str, str]:
    """Tell the unit, and the number format that is said after it, or that it has by its kind.

    Shares of something are percents, what is in none of `formats` is whole numbers.
    """
    unit, _, format = said.partition(", ")
    known = {"USD": "usd", **formats}
    return unit, format or known.get(unit) or ("percent" if unit[:3] == "of " else "integer")


@cache
def pieces(formula: str) -> tuple[str | Word, ...]:
    """Take a formula apart into names and what stands between them.

    Raises
    ------
    ValueError
        Where a function of ours is unknown, or takes another number of arguments.
    """
    for name, given in calls(formula):
        function = registry.get(name)
        if function is None:
            raise ValueError(f"there is no function {name}")
        if not function.required <= len(given) <= len(function.parameters):
            raise ValueError(f"{function.usage} does not take {len(given)} arguments")
    found: list[str | Word] = []
    end = 0
    for match in _PIECE.finditer(formula):
        found.append(formula[end : match.start()])
        end = match.end()
        if match["name"] and match["which"] == "grown":
            found += pieces(_GROWN.format(name=match["name"]))
        elif match["name"]:
            found.append(Word(match["name"], match["which"] or ""))
        else:
            found.append(match["kept"] or "")
    return tuple(piece for piece in (*found, formula[end:]) if piece)


def whole(formula: str, place: Callable[[str], Ref]) -> str:
    """Return a formula in which each name is all of its cells, wherever they stand."""
    return "".join(
        piece if isinstance(piece, str) else str(place(piece.name)) for piece in pieces(formula)
    )


def lines(text: str, products: Mapping[str, str], labels: int) -> Iterator[list[str]]:
    """Give the parts of each line, what is let and what is said of products written out.

    Parameters
    ----------
    text : str
        The lines.
    products : Mapping
        The key of each product, and its name.
    labels : int
        How many parts stand before the formulas.
    """
    shorter: list[re.Match[str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if let := _LET.fullmatch(line):
            shorter.append(let)
            continue
        parts = line.split("|")
        # A label, the second part, may be indented by more than the one space after its bar.
        parts = [p.removeprefix(" ").rstrip() if i == 1 else p.strip() for i, p in enumerate(parts)]
        formulas = [_added_up(_let(part, shorter), products) for part in parts[labels:]]
        parts = [*parts[:labels], *formulas]
        if not any(_OF_PRODUCT.search(part) for part in parts):
            yield parts
            continue
        if not products:
            raise ValueError(f"of which product is {line}")
        for key, name in products.items():
            yield [_of(part, key, name) for part in parts]


def _of(part: str, key: str, name: str) -> str:
    written = part.replace("{product}", key).replace("{Name}", name)
    return written.replace("{name}", name.lower())


def _let(formula: str, shorter: list[re.Match[str]]) -> str:
    """Put in what is let; the last first, for it may be said by those before it."""
    for name, parameter, meaning in (let.groups() for let in reversed(shorter)):
        if parameter is None:
            formula = _said(name, meaning, formula)
            continue
        while call := re.search(rf"(?<![\w.]){name}\(", formula):
            (given,), end = arguments(formula, call.end())
            said = _said(parameter, given, meaning)
            formula = formula[: call.start()] + said + formula[end:]
    return formula


def _said(word: str, meaning: str, formula: str) -> str:
    return re.sub(rf"(?<![\w.]){word}(?![\w(])", lambda _: meaning, formula)


def _added_up(formula: str, products: Mapping[str, str]) -> str:
    while call := re.search(r"\bADD\(", formula):
        (term,), end = arguments(formula, call.end())
        added = "+".join(_of(term, key, name) for key, name in products.items())
        formula = formula[: call.start()] + added + formula[end:]
    return formula
