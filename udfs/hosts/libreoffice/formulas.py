"""Formulas of an .xlsx as Calc must read them to find the functions.

In a file Calc finds an add-in's function under its full name alone. And a reference reaches an
add-in with its blank cells, logical values and errors told apart only through TOK_CELLS.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from udfs.declare import Function, registry
from udfs.hosts.libreoffice.addin import KEEP, full_name, rows_name
from udfs.hosts.libreoffice.values import answers_with_text, packed

# As stored by Excel for a classic add-in and, with the prefix, for an Office.js one.
_CALL = re.compile(r"(?i)(?<![\w.])(?:_xldudf_)?(TOK_[A-Z0-9_]+)$")
_MENTION = re.compile(r"(?i)TOK_")
_CELL = r"\$?[A-Z]{1,3}\$?[0-9]{1,7}"
_REFERENCE = re.compile(rf"(?i)^(?:(?:'(?:[^'\[\]]|'')+'|[^'!:\[\]]+)!)?{_CELL}(?::{_CELL})?$")
_TABLE_REFERENCE = re.compile(r"^[^\s\[\]!']+\[.+\]$")
# Texts, quoted sheets, constant arrays and table columns are passed over whole: what stands in
# them is no bracket and no comma of the formula.
_PART = re.compile(
    r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\{(?:"(?:[^"]|"")*"|[^}"])*\}"""
    r"""|\[(?:[^\[\]']|'.|\[(?:[^\]']|'.)*\])*\]|[(),]|[^"'{\[(),]+|.""",
    re.DOTALL,
)


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


def for_calc(
    formula: str, keep: Callable[[str], bool] | None = None, *, array: bool = False
) -> str:
    """Rewrite a formula so that Calc finds the functions in it.

    Parameters
    ----------
    formula : str
        The formula as an .xlsx holds it, without the equals sign [-].
    keep : Callable, optional
        Tells of an argument that is one reference, or one name, whether it shall be wrapped in
        TOK_CELLS. Where left out, nothing is wrapped, and TRUE and FALSE stay as they are [-].
    array : bool
        Whether it is an array formula, whose functions spread over ranges [-].

    Returns
    -------
    str
        The formula for Calc [-].

    Examples
    --------
    >>> for_calc("TOK_SUBSIDY(A1,2)+SUM(B1:B3)")
    'ORG.TOKENBOOK.FUNCTIONS.TOK_SUBSIDY(A1,2)+SUM(B1:B3)'
    """
    if not mentions_functions(formula):
        return formula
    written: list[str] = []
    texts = False
    # For each bracket that is open: where its present argument starts, if it is a call of ours.
    starts: list[int | None] = []
    for part in _PART.findall(formula):
        if part == "(":
            call = _CALL.search(written[-1]) if written else None
            if call:
                function = registry.get(call[1].upper())
                texts |= function is not None and _may_give_texts(function, array)
                name = rows_name(function) if function and array else call[1].upper()
                written[-1] = written[-1][: call.start()] + full_name(name)
            written.append(part)
            starts.append(len(written) if call else None)
            continue
        start = starts[-1] if starts and part in ",)" else None
        if start is not None and keep is not None:
            written[start:] = [_kept("".join(written[start:]), keep)]
        written.append(part)
        if part == ")" and starts:
            starts.pop()
        elif start is not None:
            starts[-1] = len(written)
    whole = "".join(written)
    # Texts in rows from an add-in are found by nothing in Calc; joined to an empty text they are.
    return f'IF(ISTEXT({whole}),{whole}&"",{whole})' if texts else whole


def _may_give_texts(function: Function, array: bool) -> bool:
    return function.result == "table" or (array and answers_with_text(function))


def _kept(argument: str, keep: Callable[[str], bool]) -> str:
    """Return an argument, wrapped where it is a reference and nothing else."""
    text = argument.strip()
    if text.upper() in ("TRUE", "FALSE"):
        # A text for Calc, in which a quotation mark is written twice.
        return '"' + packed([[text.upper() == "TRUE"]]) + '"'
    if text and keep(text):
        return f"{full_name(KEEP)}({text})"
    return argument
