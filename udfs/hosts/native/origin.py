"""Who wrote a name of a workbook that is called like one of our functions."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache

from udfs.hosts.native.alike import normal, signature, signed_by
from udfs.hosts.native.data import content
from udfs.hosts.native.library import texts_of

#: Finds the text and the comment of a name of the workbook.
Find = Callable[[str], tuple[str, str] | None]


class Origin(Enum):
    """Who wrote a name, and with it the names that it uses."""

    #: Tokenbook, and it would write the same now.
    OURS = "ours"
    #: Tokenbook, of another version or with other data; nobody has changed it.
    OTHER_VERSION = "another version"
    #: Somebody else, or somebody has changed it.
    OWN = "own"


def origin_of(name: str, find: Find) -> Origin:
    """Return who wrote a name that a workbook defines, from its text and all that it uses."""
    ours = texts_of(name)
    held = find(name)
    if held is None:
        return Origin.OWN
    if not written_by_us(name, *held):
        return Origin.OWN
    if not ours:
        return Origin.OTHER_VERSION
    for used, text in ours.items():
        there = find(used)
        if there is None or (normal(there[0]) != normal(text) and not signed_by(*there)):
            return Origin.OWN
        if not up_to_date(text, *there):
            return Origin.OTHER_VERSION
    return Origin.OURS


def written_by_us(name: str, text: str, comment: str) -> bool:
    """Tell whether a name is as Tokenbook wrote it, of whatever version; not what it uses."""
    ours = texts_of(name).get(name.upper(), "")
    return bool(ours and normal(text) == normal(ours)) or bool(signed_by(text, comment))


def up_to_date(text: str, held: str, comment: str) -> bool:
    """Tell whether a name holds what we would write now, and looks up what we would now."""
    if normal(held) != normal(text):
        return False
    signed = comment.split()[-1:]
    return not signed_by(held, comment) or signed == signed_now(text).split()[-1:]


@cache
def signed_now(text: str) -> str:
    """Return the comment of a name that holds a formula of ours."""
    return signature(text, content(text))
