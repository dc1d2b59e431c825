"""The catalogue of native functions: one table, `functions.csv`, which everything else reads.

A row says which kinds of arguments a function takes, what it gives, and what becomes of it: the
calculator's own function is right (`native`), a pass rewrites the call (`pass NAME`), a function of
`workbooks.excel.runtime` answers (`runtime`), or the cell keeps its old value (`refused`).

The column `arguments` has a letter an argument; what a `*` follows, a letter or a group in
parentheses, is repeated:

====== ============================================================================
letter what the argument is
====== ============================================================================
v      a single value; an array there is taken element by element
t      as v, and read as a text: a number shows 15 digits there
n      as v, and read as a number: the text of a number counts
s      as v, but a range is refused there, as the add-in functions of Excel do
x      a single value; an array there is refused by us
f      the first cell of a range
r      a range or an array, taken whole
g      as r; unions and references over several sheets are taken too
j      as r, and read as texts
b      a branch, handed on as it is
e      an expression, handed on as it is: LET
k      a name that is given
u      not known: an array there is refused by us
====== ============================================================================

`result` is value, text, count (0 or more), ordinal (1 or more), array, reference or branch. The
`traits`: `arrays` computes arrays inside its arguments without being asked to; `broadcasts` is
taken element by element by the calculator itself; `one` gives one value whatever it is handed;
`total` gives a computed number; `swallows` may hide an error; an error in an argument `escapes`
from it, past all but IFERROR and IFNA; `cell` may give the value of a cell; `reads` goes through a
whole chunk of cells in the calculator; `volatile` is computed anew each time, and `moves` gives
another value then; a text that is written out counts as a number for `literals`, as a truth value
for `truths`, and as one in the first argument for `condition`;
`criteria` takes ranges with criteria.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

_SIGNATURE = re.compile(r"([a-z]*?)(?:([a-z])\*|\(([a-z]+)\)\*)?([a-z]*)")
SINGLE_KINDS = frozenset("vtns")


@dataclass(frozen=True, slots=True)
class Native:
    """A row of the catalogue."""

    name: str
    arguments: str
    result: str
    traits: frozenset[str]
    handled: str
    why: str

    def kind(self, place: int, count: int) -> str:
        """Return the letter of an argument, counted from 0; the call has `count` of them."""
        return _kinds(self.arguments, count)[place]

    def single(self, place: int, count: int) -> bool:
        """Tell whether an argument is a single value."""
        return self.kind(place, count) in SINGLE_KINDS

    @property
    def every_single(self) -> bool:
        """Whether each argument is a single value that may be a range."""
        return set(self.arguments) <= {*"vtn", "*"} and bool(self.arguments)

    @property
    def no_ranges(self) -> bool:
        """Whether a range in the place of a single value is refused."""
        return "s" in self.arguments

    @property
    def known(self) -> bool:
        """Whether it is known what the function makes of arrays."""
        return "u" not in self.arguments

    @property
    def integer(self) -> bool:
        """Whether it gives a count."""
        return self.result in ("count", "ordinal")

    @property
    def arrays(self) -> bool:
        """Whether arrays are computed inside its arguments."""
        return "arrays" in self.traits


_UNKNOWN = "u*"


@lru_cache(maxsize=4096)
def _kinds(signature: str, count: int) -> str:
    match = _SIGNATURE.fullmatch(signature)
    if match is None:
        raise ValueError(f"functions.csv: the arguments {signature!r} cannot be read")
    head, letter, group, tail = match.groups()
    repeated = letter or group or ""
    missing = count - len(head) - len(tail)
    if not repeated:
        return (head + tail + "u" * count)[:count]
    middle = (repeated * (max(missing, 0) // len(repeated) + 1))[: max(missing, 0)]
    return (head + middle + tail)[:count].ljust(count, "u")


@cache
def catalogue() -> dict[str, Native]:
    """Return the whole table by name."""
    text = files("workbooks.formula").joinpath("functions.csv").read_text(encoding="utf-8")
    return {
        row["name"]: Native(
            row["name"],
            row["arguments"],
            row["result"],
            frozenset(row["traits"].split()),
            row["handled"],
            row["why"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def native(name: str) -> Native:
    """Return what is known of a function; of one that is not listed, nothing is."""
    found = catalogue().get(name)
    return found or Native(name, _UNKNOWN, "value", frozenset(), "native", "")


@cache
def having(trait: str) -> frozenset[str]:
    """Return the names of all functions with a trait."""
    return frozenset(row.name for row in catalogue().values() if trait in row.traits)
