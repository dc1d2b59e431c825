"""What can be wrong with an argument, as one tree.

::

    TokenbookError
    ├── InputError       text where a number belongs, shapes that do not fit   → #VALUE!
    ├── DomainError      a number outside what the equation allows             → #NUM!
    └── UnknownIdError   a model, accelerator, claim or format nobody knows    → #N/A

Every message names the argument, the value it got and what is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TokenbookError(Exception):
    """Anything that Tokenbook refuses, with a message for the user."""


class InputError(TokenbookError, TypeError):
    """An argument of the wrong kind or shape."""


class DomainError(TokenbookError, ValueError):
    """A number outside the range of validity."""


class UnknownIdError(TokenbookError, LookupError):
    """An id that is not in the catalogue."""

    @classmethod
    def of(cls, kind: str, given: str, known: Iterable[str]) -> UnknownIdError:
        """Build the error for an id of this kind, naming the ids that look like it."""
        known = sorted(known)
        near = get_close_matches(given.lower(), known, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"known: {', '.join(known)}"
        return cls(f"{kind} {given!r} is unknown; {hint}")
