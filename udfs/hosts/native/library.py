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
_NUMBERED = re.compile(r"_[0-9]+$")

_UNWRITTEN = "it is not written as a formula yet"
#: Why a function is not native, for whoever reads the command's answer.
WHY: Mapping[str, str] = {
    "TOK_ALLOCATE_LOADS": "it fills offers load by load, which is not written as a formula yet",
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
        text, rest = lambda_of(registry[name])
    except UntraceableError as error:
        return "", {}, str(error)
    known = _with_helpers(text, rest)
    missing = _used(text, known) - known.keys() - registry.keys()
    if missing:
        return "", {}, f"{', '.join(sorted(missing))} cannot be written as a formula"
    return text, rest, ""


def _with_helpers(text: str, rest: Mapping[str, str]) -> Mapping[str, str]:
    """Return the names that a formula may use: the rest of it, and the helpers."""
    known = {**helpers(), **rest}
    if _used(text, known) <= known.keys() | registry.keys():
        return known
    return {**_record_helpers(), **known}


@cache
def _record_helpers() -> Mapping[str, str]:
    """Return the helpers that find records; none where a case cannot be written as a formula.

    They stand apart, because they read the catalogues, which most workbooks need none of.
    """
    try:
        return record_helpers()
    except (AttributeError, TypeError, ValueError):
        # What Python says of a symbol that it takes for a number; `_written` tells the functions.
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
    return tuple(name for name in registry if _written(name)[0])


def reasons() -> Mapping[str, str]:
    """Return why each of the other functions cannot be, in words for whoever uses the workbook."""
    return {name: why for name in registry if (why := reason(name))}


def reason(name: str) -> str:
    """Return why a function cannot be native; empty where it can be."""
    return WHY.get(name, _UNWRITTEN) if _written(name)[2] else ""


def library_of(names: Collection[str]) -> Library:
    """Return what makes some functions native; those that cannot be are passed over.

    Only these are written: the registry has many more than a workbook calls.
    """
    chosen: dict[str, str] = {}
    used: dict[str, str] = {}
    for name in registry:
        if name in names and (text := _written(name)[0]):
            chosen[name] = text
            known = _with_helpers(text, _written(name)[1])
            asked = _used(text, known)
            used |= {n: known[n] for n in known if n in asked}
    texts = {**used, **chosen}
    return Library(texts, frozenset(used), sheet_rows(texts.values()))


@cache
def texts_of(name: str) -> Mapping[str, str]:
    """Return what a name of ours holds, that of each name that it uses included; empty if none."""
    known = name.upper()
    if known in registry:
        text, rest, why = _written(known)
        helpers = {} if why else _with_helpers(text, rest)
    else:
        text = _shared(known)
        helpers = _with_helpers(text, {known: text})
    if not text:
        return {}
    asked = _used(text, helpers)
    return {known: text, **{n: helpers[n] for n in helpers if n in asked and n != known}}


def _shared(name: str) -> str:
    """Return the formula of a helper or of a part of a function; empty where it is neither."""
    function = _NUMBERED.sub("", name.removeprefix("_"))
    if name in helpers():
        return helpers()[name]
    if function in registry:
        return _written(function)[1].get(name, "")
    return _record_helpers().get(name, "") if name.startswith("_TOK_") else ""
