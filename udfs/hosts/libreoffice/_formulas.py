"""Formulas of an .xlsx as Calc must read them to find the functions.

In a file Calc finds an add-in's function under its full name alone. And a reference reaches an
add-in with its blank cells, logical values and errors told apart only through TOK_CELLS.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from udfs.hosts.libreoffice._addin import KEEP, full_name
from udfs.hosts.libreoffice._values import packed

# As stored by Excel for a classic add-in and, with the prefix, for an Office.js one.
_CALL = re.compile(r"(?i)^(?:_xldudf_)?(TOK_[A-Z0-9_]+)\($")
_MENTION = re.compile(r"(?i)TOK_")
_CELL = r"\$?[A-Z]{1,3}\$?[0-9]{1,7}"
_REFERENCE = re.compile(rf"(?i)^(?:(?:'(?:[^']|'')+'|[^'!:\[\]]+)!)?{_CELL}(?::{_CELL})?$")
_TABLE_REFERENCE = re.compile(r"^[^\s\[\]!']+\[.+\]$")
_SPACES = ("WHITE-SPACE",)


def mentions_functions(formula: str) -> bool:
    """Tell whether a formula may call one of the functions."""
    return bool(_MENTION.search(formula))


def is_reference(text: str) -> bool:
    """Tell whether a text is a reference to cells, and nothing but one.

    Examples
    --------
    >>> [is_reference(t) for t in ("$A$1:B2", "'My sheet'!C3", "Sales[price]", "rate", "A:A")]
    [True, True, True, False, False]
    """
    return bool(_REFERENCE.match(text) or _TABLE_REFERENCE.match(text))


def for_calc(formula: str, *, keep: bool, names: Collection[str] = ()) -> str:
    """Rewrite a formula so that Calc finds the functions in it.

    Parameters
    ----------
    formula : str
        The formula as an .xlsx holds it, without the equals sign [-].
    keep : bool
        Whether references in the arguments are wrapped in TOK_CELLS [-].
    names : Collection of str
        Defined names, in capitals, that stand for references [-].

    Returns
    -------
    str
        The formula for Calc [-].

    Examples
    --------
    >>> for_calc("TOK_SUBSIDY(A1,2)+SUM(B1:B3)", keep=False)
    'ORG.TOKENBOOK.FUNCTIONS.TOK_SUBSIDY(A1,2)+SUM(B1:B3)'
    """
    if not mentions_functions(formula):
        return formula
    from openpyxl.formula import Tokenizer  # noqa: PLC0415  (heavy, and only wanted here)

    tokens = [(token.value, token.type, token.subtype) for token in Tokenizer("=" + formula).items]
    written: list[str] = []
    # One entry for each bracket that is open: whether it is a call of one of the functions.
    inside: list[bool] = []
    for place, (value, kind, subtype) in enumerate(tokens):
        call = _CALL.match(value) if subtype == "OPEN" else None
        if subtype == "OPEN":
            inside.append(call is not None)
        elif subtype == "CLOSE":
            inside.pop()
        if call:
            written.append(full_name(call[1].upper()) + "(")
        elif keep and kind == "OPERAND" and inside and inside[-1] and _is_alone(tokens, place):
            written.append(_kept(value, subtype, names))
        else:
            written.append(value)
    return "".join(written)


def _is_alone(tokens: list[tuple[str, str, str]], place: int) -> bool:
    """Tell whether an operand is a whole argument."""
    before = next(t for t in reversed(tokens[:place]) if t[1] not in _SPACES)
    after = next(t for t in tokens[place + 1 :] if t[1] not in _SPACES)
    starts = before[1] == "SEP" or before[2] == "OPEN"
    ends = after[1] == "SEP" or after[2] == "CLOSE"
    return starts and ends


def _kept(value: str, subtype: str, names: Collection[str]) -> str:
    if subtype == "LOGICAL":
        return f'"{packed([[value.upper() == "TRUE"]])}"'
    if subtype == "RANGE" and (is_reference(value) or value.upper() in names):
        return f"{full_name(KEEP)}({value})"
    return value
