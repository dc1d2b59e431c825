"""All native names: the functions, the helpers and data that they use, and which text is ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from udfs.declare import registry
from udfs.hosts.native.helpers import helpers
from udfs.hosts.native.lambdas import lambda_of
from udfs.hosts.native.symbols import UntraceableError

#: Where native functions look up what they know; no user sees it.
DATA_SHEET = "tokenbook data"
_NAME = re.compile(r"(?<![\w.])_?TOK_\w+", re.IGNORECASE)


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
def _all() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the LAMBDA of each function that has one, and why the others have none."""
    texts: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, function in registry.items():
        try:
            texts[name] = lambda_of(function)
        except UntraceableError as error:
            refused[name] = str(error)
    return texts, refused


def native_names() -> tuple[str, ...]:
    """Return the functions that can be native."""
    return tuple(_all()[0])


def reasons() -> Mapping[str, str]:
    """Return why each of the other functions cannot be."""
    return _all()[1]


def library_of(names: Collection[str]) -> Library:
    """Return what makes some functions native; those that cannot be are passed over."""
    texts, shared = _all()[0], helpers()
    wanted = [name for name in registry if name in names and name in texts]
    chosen = {name: texts[name] for name in wanted}
    waiting = list(chosen.values())
    used: set[str] = set()
    while waiting:
        found = {n for n in _NAME.findall(waiting.pop()) if n in shared} - used
        used |= found
        waiting += [shared[name] for name in found]
    return Library({**{n: shared[n] for n in shared if n in used}, **chosen}, frozenset(used))


def is_ours(name: str, text: str) -> bool:
    """Tell whether a defined name holds exactly the formula that we would write for it."""
    known = name.upper()
    ours = _all()[0].get(known) or helpers().get(known)
    return ours is not None and text.strip().removeprefix("=") == ours
