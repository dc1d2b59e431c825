"""Ids as people type them: case, blanks, hyphens and underscores make no difference."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from engine.errors import InputError, UnknownIdError

_IGNORED = re.compile(r"[\s_-]+")


def folded(text: str) -> str:
    """Return a text without what makes no difference in an id.

    Examples
    --------
    >>> folded("Llama 3.1-70B")
    'llama3.170b'
    """
    return _IGNORED.sub("", text.casefold())


def match(kind: str, given: Any, known: Iterable[str]) -> str:
    """Return the known id that is meant; where none is, or several are, raise with the near ones.

    Parameters
    ----------
    kind : str
        What the id is of, for messages.
    given : Any
        What stands where an id is expected.
    known : iterable of str
        All ids.

    Examples
    --------
    >>> match("accelerator", "H100 SXM", ["h100_sxm", "h200_sxm"])
    'h100_sxm'
    """
    if (traced := getattr(type(given), "__match__", None)) is not None:
        return str(traced(kind, given, known))
    if not isinstance(given, str):
        raise InputError(f"{kind} must be text, not {given!r}")
    ids = known if isinstance(known, dict) else dict.fromkeys(known)
    if given in ids:
        return given
    wanted = folded(given)
    found = [name for name in ids if folded(name) == wanted]
    if len(found) == 1:
        return found[0]
    # Of several ids that differ in what is ignored, the one that differs in case alone.
    exact = [name for name in found if name.casefold() == given.strip().casefold()]
    if len(exact) == 1:
        return exact[0]
    if found:
        raise UnknownIdError(f"{kind} {given!r} may be {' or '.join(found)}")
    raise UnknownIdError.of(kind, given, ids)
