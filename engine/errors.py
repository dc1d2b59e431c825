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

__all__ = ["DomainError", "InputError", "TokenbookError", "UnknownIdError"]

# Ids named where none of them looks like what was given.
_SHOWN = 12


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
        from difflib import get_close_matches  # noqa: PLC0415  (only what is wrong wants it)

        by_folded = {name.casefold(): name for name in sorted(known)}
        near = get_close_matches(given.casefold(), by_folded, n=3, cutoff=0.5)
        if near:
            return cls(
                f"{kind} {given!r} is unknown; "
                f"did you mean {', '.join(by_folded[name] for name in near)}?"
            )
        shown = list(by_folded.values())[:_SHOWN]
        more = f" and {len(by_folded) - _SHOWN} more" if len(by_folded) > _SHOWN else ""
        return cls(f"{kind} {given!r} is unknown; known: {', '.join(shown)}{more}")
