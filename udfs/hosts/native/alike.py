"""Which texts of a name say the same, and which were written by Tokenbook, of whatever version.

Excel saves a formula again in its own way: prefixes, blanks, numbers and capitals may differ from
what was read. And a name that we write says so in its comment, with a hash of what it stands for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from engine import __version__

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")|(?P<sheet>'(?:[^']|'')*')|(?P<blank>\s+)"""
    r"""|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<word>[\w$\\][\w.$?\\]*)"""
    r"""|(?P<optional>(?<=[(,])\[\w+\](?=,))|(?P<other>.)""",
    re.DOTALL,
)
_PREFIX = re.compile(r"(?:_xl(?:fn|ws|pm|op|udf)\.)+", re.IGNORECASE)
# Between what ends an operand and what begins one, a blank is an operator.
_OPERAND = ("text", "sheet", "number", "word")
_ENDS, _BEGINS = (*_OPERAND, ")", "}"), (*_OPERAND, "(", "{")
_SIGNED = re.compile(r"Tokenbook (\S+) ([0-9a-f]{12}) ([0-9a-f]{12})")


@lru_cache(maxsize=512)
def normal(text: str) -> str:
    """Return a formula in the one form that all ways to save it have.

    >>> normal('=LAMBDA(x, [y], x*1.50E-1 & "A b")') == normal(
    ...     '_xlfn.LAMBDA(_xlpm.X,_xlop.y,_xlpm.x*0.15&"A b")')
    True
    """
    return "".join(_tokens(text.strip().removeprefix("=").strip()))


def _tokens(text: str) -> Iterator[str]:
    before, blank = "", False
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        if kind == "blank":
            blank = True
            continue
        kind = token if kind == "other" else "word" if kind == "optional" else kind
        if blank and before in _ENDS and kind in _BEGINS:
            yield " "
        before, blank = kind, False
        if kind == "number":
            # Excel keeps 15 digits; the last of them may be rounded or cut off.
            yield f"{float(token):.13g}"
        else:
            yield token if kind == "text" else _PREFIX.sub("", token.strip("[]")).upper()


def signature(text: str, data: Sequence[Any] = ()) -> str:
    """Return the comment of a name that we write, with what it looks up on the data sheet."""
    return f"Tokenbook {__version__} {_hash(normal(text))} {_hash(repr(tuple(data)))}"


def signed_by(text: str, comment: str) -> str:
    """Return which version of Tokenbook wrote a name that nobody has changed since, or nothing."""
    found = _SIGNED.fullmatch(comment.strip())
    return found[1] if found and found[2] == _hash(normal(text)) else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
