"""Formulas as text: what they refer to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from workbooks.formula.address import Area, column_number, parse_area, split_sheet

_SHEET = r"(?:'((?:[^']|'')+)'|([^\W\d][\w.]*))!"
_CORNER = r"\$?[A-Za-z]{1,3}\$?[1-9][0-9]{0,6}"
_AREA = (
    rf"{_CORNER}(?::{_CORNER})?|\$?[A-Za-z]{{1,3}}:\$?[A-Za-z]{{1,3}}"
    r"|\$?[1-9][0-9]{0,6}:\$?[1-9][0-9]{0,6}"
)
# What stands for an area; no file can hold it.
_MARK = "\0"
#: The parts of a formula that matter here: texts, areas, calls, names.
TOKEN = re.compile(
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


class Split(NamedTuple):
    """A formula and the areas that it refers to, apart from each other."""

    #: The formula with a mark in the place of each area: the same for all that were filled down.
    words: str
    #: The areas as they are written, with their sheets.
    areas: tuple[str, ...]


@lru_cache(maxsize=1 << 16)
def split(formula: str) -> Split:
    """Take a formula and the areas that it refers to apart.

    Examples
    --------
    >>> split("=SUM('Q 1'!A1:B2)*LOG10(C3)").areas
    ("'Q 1'!A1:B2", 'C3')
    """
    areas = []

    def cut(match: re.Match[str]) -> str:
        if not match["area"]:
            return match[0]
        areas.append(match[0])
        return _MARK

    words = TOKEN.sub(cut, formula)
    return Split(words, tuple(areas))


def read(formula: str) -> Read:
    r"""Return what a formula refers to.

    Examples
    --------
    >>> found = read("=SUM('Q 1'!A1:B2)*rate&\"A9\"")
    >>> found.areas, sorted(found.names), sorted(found.calls)
    ((('Q 1', Area(top=1, left=1, bottom=2, right=2)),), ['rate'], ['SUM'])
    """
    words, areas = split(formula)
    # What is in brackets may be an area, of which more is asked than that it is one.
    told = _told(formula if "[" in words else words)
    return Read(tuple(map(_referred, areas)), *told)


@lru_cache(maxsize=1 << 16)
def _told(words: str) -> tuple[frozenset[str], frozenset[str], str]:
    """Return the names and calls of a formula, and what cannot be followed."""
    names, calls, unknown = set(), set(), ""
    for match in TOKEN.finditer(words):
        if match["call"]:
            calls.add(match["call"].upper())
        elif match["name"]:
            names.add(match["name"])
        elif match["other"] == "[":
            # An optional parameter of a LAMBDA, or a table or a workbook, which nothing follows.
            if not re.match(r"\[\w+\]", words[match.start() :]):
                unknown = "refers to a table or to another workbook"
        elif match["other"] and match["other"] != "{":
            unknown = f"refers to {match['other']:.40}"
    return frozenset(names), frozenset(calls), unknown


@lru_cache(maxsize=1 << 16)
def _referred(text: str) -> tuple[str | None, Area]:
    """Return the sheet and the area of a reference; no sheet where it names none."""
    sheet, area = split_sheet(text)
    return sheet, _area(area)


def _area(text: str) -> Area:
    found = parse_area(text.replace("$", ""))
    if found is not None:
        return found
    first, last = text.replace("$", "").split(":")
    if first.isdigit():
        return Area(int(first), 0, int(last), 0)
    return Area(0, column_number(first), 0, column_number(last))
