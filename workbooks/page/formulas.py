"""Formulas as text: what they refer to, and how the page's calculator takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from workbooks.formula.address import Area, column_number, parse_area

_SHEET = r"(?:'((?:[^']|'')+)'|([^\W\d][\w.]*))!"
_CORNER = r"\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}"
_AREA = (
    rf"{_CORNER}(?::{_CORNER})?|\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}"
    r"|\$?[1-9][0-9]{0,6}:\$?[1-9][0-9]{0,6}"
)
_TOKEN = re.compile(
    rf'(?P<text>"(?:[^"]|"")*")'
    rf"|(?:{_SHEET})?(?P<area>{_AREA})(?![\w.(!:])"
    r"|(?P<call>[^\W\d][\w.]*)\("
    r"|(?P<other>'(?:[^']|'')+'!\S*|\[|\{)"
    rf"|(?:{_SHEET})?(?P<name>[^\W\d][\w.]*|\\[\w.]*)"
    r"|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?"
)
#: What a file puts before names that a user does not see.
_STORED = re.compile(r'"(?:[^"]|"")*"|_xlop\.(\w+)|_xlpm\.|_xlfn\.(?:_xlws\.)?|_xll\.')
_ANCHOR = re.compile(r"ANCHORARRAY\(([^()\"]+)\)")
_SINGLE = re.compile(r"(?<![\w.])SINGLE\(((?:'[^']+'!)?[^()\"]+)\)")
#: Functions whose value hangs on the clock, on chance, or on cells that no text tells.
MOVING = frozenset(
    ("NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "INDIRECT", "OFFSET", "CELL", "INFO")
)


def stored(text: str) -> str:
    """Return a formula as it is typed, from how a file stores it.

    Examples
    --------
    >>> stored("_xlfn.LAMBDA(_xlpm.x,_xlop.y,_xlpm.x)")
    'LAMBDA(x,[y],x)'
    """

    def typed(match: re.Match[str]) -> str:
        if match[0].startswith('"'):
            return match[0]
        return f"[{match[1]}]" if match[1] else ""

    text = _STORED.sub(typed, text)
    return _SINGLE.sub(r"@\1", _ANCHOR.sub(r"\1#", text)) if "A" in text else text


class Read(NamedTuple):
    """What a formula refers to."""

    #: Sheet (None: that of the formula), and area; a side of 0 is open.
    areas: tuple[tuple[str | None, Area], ...]
    names: frozenset[str]
    calls: frozenset[str]
    #: What cannot be followed; empty where all is.
    unknown: str = ""


@lru_cache(maxsize=1 << 16)
def read(formula: str) -> Read:
    r"""Return what a formula refers to.

    Examples
    --------
    >>> found = read("=SUM('Q 1'!A1:B2)*rate&\"A9\"")
    >>> found.areas, sorted(found.names), sorted(found.calls)
    ((('Q 1', Area(top=1, left=1, bottom=2, right=2)),), ['rate'], ['SUM'])
    """
    areas, names, calls, unknown = [], set(), set(), ""
    for match in _TOKEN.finditer(formula):
        quoted, plain = match[2], match[3]
        if match["area"]:
            sheet = quoted.replace("''", "'") if quoted else plain
            areas.append((sheet, _area(match["area"])))
        elif match["call"]:
            calls.add(match["call"].upper())
        elif match["name"]:
            names.add(match["name"])
        elif match["other"] == "[":
            # An optional parameter of a LAMBDA, or a table or a workbook, which nothing follows.
            if not re.match(r"\[\w+\]", formula[match.start() :]):
                unknown = "refers to a table or to another workbook"
        elif match["other"] and match["other"] != "{":
            unknown = f"refers to {match['other']:.40}"
    return Read(tuple(areas), frozenset(names), frozenset(calls), unknown)


def _area(text: str) -> Area:
    found = parse_area(text.replace("$", ""))
    if found is not None:
        return found
    first, last = text.replace("$", "").split(":")
    if first.isdigit():
        return Area(int(first), 0, int(last), 0)
    return Area(0, column_number(first), 0, column_number(last))


def with_cells(formula: str, cells: Mapping[str, str]) -> str:
    r"""Return a formula in which names of cells are those cells.

    Examples
    --------
    >>> with_cells("=price*2&\"price\"+price(1)", {"PRICE": "Inputs!$B$2"})
    '=Inputs!$B$2*2&"price"+price(1)'
    """

    def change(match: re.Match[str]) -> str:
        if match["name"] and match["name"].upper() in cells and not match[4] and not match[5]:
            return cells[match["name"].upper()]
        return match[0]

    return _TOKEN.sub(change, formula)


#: What stands for a reference to one cell, and to more than one.
CELL, CELLS = "cell{}__ref", "cells{}__ref"
_STANDS_FOR = re.compile(r"cells?(\d+)__ref")


def abstracted(formula: str) -> tuple[str, list[str]]:
    r"""Return a formula with something to stand for each reference, and the references.

    Formulas that differ in references alone become the same text, which is worked on once.

    Examples
    --------
    >>> abstracted("=SUM('Q 1'!A1:B2)*A1-a1&\"A9\"")
    ('=SUM(cells0__ref)*cell1__ref-cell2__ref&"A9"', ["'Q 1'!A1:B2", 'A1', 'a1'])
    """
    found: dict[str, str] = {}

    def stand_in(match: re.Match[str]) -> str:
        if not match["area"]:
            return match[0]
        first, _, last = match["area"].replace("$", "").upper().partition(":")
        # A1:A1 is one cell; A:A and 1:1 are not.
        whole = first.isalpha() or first.isdigit()
        kind = CELLS if last and (last != first or whole) else CELL
        return found.setdefault(match[0], kind.format(len(found)))

    return _TOKEN.sub(stand_in, formula), list(found)


def with_references(formula: str, references: Sequence[str]) -> str:
    """Return a formula with the references for which something stands in it."""
    return _STANDS_FOR.sub(lambda match: references[int(match[1])], formula)


# --- what this version of the calculator does not do -------------------------------------------

_BOTH = re.compile(r"(?<![\w.])ROWS\(((?!cells)\w+)\)\*COLUMNS\(\1\)")
_ROWS = re.compile(r"(?<![\w.])ROWS\(((?!cells)\w+)\)")
_COLUMNS = re.compile(r"(?<![\w.])COLUMNS\(((?!cells)\w+)\)")
_FIRST = re.compile(r"(?<![\w.])INDEX\((\w+),1,1\)")
_SIZE = re.compile(r"(?<![\w.])(ROWS|COLUMNS)\((?=[^\W\d][\w.]*\()")
# A sign before a name, a call or a bracket: before a cell or a number it is taken as it is.
_SIGN = re.compile(
    r"(?<=[(,=<>*/+^&{;-])-(?=\()|(?<=[(,=<>*/+^&{;-])-(?=[^\W\d][\w.]*\()"
    r"|(?<=[(,=<>*/+^&{;-])-(?=[a-z_]\w*_\d*\b)"
)
_WORD = re.compile(r"[\w.]*")
_COUNT = "SUM(MAP({},LAMBDA(one_,1)))"


def for_calculator(formula: str) -> str:
    """Return a formula so that the calculator takes arrays where Excel does.

    There a sign before an array is not known, and ROWS and COLUMNS are #VALUE! for one that was
    computed.

    Examples
    --------
    >>> for_calculator("=-TOK_X(A1)*ROWS(TOK_Y(1,2))")
    '=(0-TOK_X(A1))*SUM(MAP(INDEX(TOK_Y(1,2),0,1),LAMBDA(one_,1)))'
    """
    while match := _SIZE.search(formula):
        end = _closing(formula, match.end() - 1)
        inner = formula[match.end() : end]
        side = "0,1" if match[1] == "ROWS" else "1,0"
        counted = _COUNT.format(f"INDEX({inner},{side})")
        formula = formula[: match.start()] + counted + formula[end + 1 :]
    while match := _SIGN.search(formula):
        word = _WORD.match(formula, match.end())
        end = word.end() if word else match.end()
        if formula[end : end + 1] == "(":
            end = _closing(formula, end) + 1
        operand = formula[match.end() : end]
        formula = f"{formula[: match.start()]}(0-{operand}){formula[end:]}"
    return formula


def lambda_for_calculator(formula: str) -> str:
    """Return a LAMBDA so that the calculator takes a single value where it wants a range.

    ROWS, COLUMNS and INDEX are #VALUE! there for what a LAMBDA was given in one cell.

    Examples
    --------
    >>> lambda_for_calculator("LAMBDA(x,IF(ROWS(x)*COLUMNS(x)=1,INDEX(x,1,1),x))")
    'LAMBDA(x,IF(SUM(MAP(x,LAMBDA(one_,1)))=1,INDEX(TOCOL(x),1,1),x))'
    """
    counted = _COUNT.format(r"\1")
    formula = _BOTH.sub(counted, formula)
    formula = _ROWS.sub(counted, formula)
    formula = _COLUMNS.sub(r"IFERROR(COLUMNS(\1),1)", formula)
    return for_calculator(_FIRST.sub(r"INDEX(TOCOL(\1),1,1)", formula))


def _closing(formula: str, opening: int) -> int:
    """Return where the bracket is closed that opens at a place."""
    depth, quoted = 0, False
    for at in range(opening, len(formula)):
        character = formula[at]
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth += (character == "(") - (character == ")")
            if not depth:
                return at
    raise ValueError(f"{formula[:60]} leaves a bracket open")
