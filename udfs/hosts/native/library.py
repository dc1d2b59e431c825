"""All native names: the functions, the helpers and data that they use, and which text is ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from udfs.declare import registry
from udfs.hosts.native.data import sheet_rows
from udfs.hosts.native.helpers import helpers
from udfs.hosts.native.lambdas import lambda_of
from udfs.hosts.native.records import record_helpers
from udfs.hosts.native.ways import UntraceableError

_NAME = re.compile(r"(?<![\w.])_?TOK_\w+", re.IGNORECASE)

_SEARCH = "it searches through many ways of serving, which no formula does"
_UNWRITTEN = "it is not written as a formula yet"
#: Why a function is not native, for whoever reads the command's answer.
WHY: Mapping[str, str] = {
    "TOK_PARETO": _SEARCH,
    "TOK_CHEAPEST": _SEARCH,
    "TOK_MAX_LOAD": "it tries one load after another until one fits, which no formula does",
    "TOK_ALLOCATE_LOADS": "it needs a solver for linear programs, which no formula is",
    "TOK_TORNADO": "it calls another function by its name, which no formula does",
    "TOK_MONTE_CARLO": "it draws at random, again and again, which no formula does",
}


@dataclass(frozen=True)
class Library:
    """What a workbook needs so that some functions are native in it."""

    #: Text of each name as a file stores it; helpers first.
    names: Mapping[str, str]
    #: The names that a user does not call.
    hidden: frozenset[str]
    #: The rows of the data sheet; none where no function looks anything up.
    data: tuple[tuple[Any, ...], ...] = ()


@cache
def _written(name: str) -> tuple[str, Mapping[str, str], str]:
    """Return the LAMBDA of a function, the names that hold its rest, and why it has none."""
    try:
        return *lambda_of(registry[name]), ""
    except UntraceableError as error:
        return "", {}, str(error)


@cache
def _all() -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]:
    """Return the LAMBDA of each function that has one, why others have none, and the helpers."""
    written = {name: _written(name) for name in registry}
    shared = {**_record_helpers(), **helpers()}
    for _, rest, _ in written.values():
        shared |= rest
    texts, refused = {}, {}
    for name, (text, _, why) in written.items():
        missing = _used(text, shared) - set(shared) - set(registry)
        if why or missing:
            refused[name] = why or f"{', '.join(sorted(missing))} cannot be written as a formula"
        else:
            texts[name] = text
    return texts, refused, shared


def _record_helpers() -> Mapping[str, str]:
    """Return the helpers that find records; none where a case cannot be written as a formula."""
    try:
        return record_helpers()
    except (AttributeError, TypeError, ValueError):
        # What Python says of a symbol that it takes for a number; `_all` tells the functions.
        return {}


def _used(text: str, shared: Mapping[str, str]) -> set[str]:
    """Return the names that a formula uses, those that these use included."""
    used: set[str] = set()
    waiting = [text]
    while waiting:
        found = set(_NAME.findall(waiting.pop())) - used
        used |= found
        waiting += [shared[name] for name in found if name in shared]
    return used


def native_names() -> tuple[str, ...]:
    """Return the functions that can be native."""
    return tuple(_all()[0])


def reasons() -> Mapping[str, str]:
    """Return why each of the other functions cannot be, in words for whoever uses the workbook."""
    return {name: WHY.get(name, _UNWRITTEN) for name in _all()[1]}


def library_of(names: Collection[str]) -> Library:
    """Return what makes some functions native; those that cannot be are passed over."""
    texts, _, shared = _all()
    wanted = [name for name in registry if name in names and name in texts]
    chosen = {name: texts[name] for name in wanted}
    used = {name for text in chosen.values() for name in _used(text, shared) if name in shared}
    names = {**{n: shared[n] for n in shared if n in used}, **chosen}
    return Library(names, frozenset(used), sheet_rows(names.values()))


def is_ours(name: str, text: str) -> bool:
    """Tell whether a defined name holds exactly the formula that we would write for it."""
    known = name.upper()
    ours = _written(known)[0] if known in registry else _all()[2].get(known, "")
    return bool(ours) and text.strip().removeprefix("=") == ours
