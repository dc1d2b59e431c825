"""How a file for Office.js names the functions: `_xldudf_TOK_X`, where VBA stores `TOK_X`.

Only the text of formulas is changed, in the bytes of the parts that hold formulas; every other part
is taken over as it is. A name inside a text, as in `TOK_TORNADO("TOK_SUBSIDY", ...)`, stays.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Collection
from html import escape, unescape
from pathlib import Path

from engine.errors import InputError
from udfs.declare import registry

#: What Excel puts before the name of an Office.js function whose add-in has no namespace.
PREFIX = "_xldudf_"

_PARTS = re.compile(r"xl/(workbook|worksheets/[^/]+|tables/[^/]+)\.xml")
# Where formulas stand: cells, columns of tables, names, conditional formats and validations.
_FORMULA = re.compile(
    r"(<(?:\w+:)?(f|calculatedColumnFormula|definedName|formula|formula1|formula2)\b[^>]*(?<!/)>)"
    r"([^<]*)(</(?:\w+:)?\2>)"
)
# Texts and quoted sheet names are matched first, so that a name inside them is passed over.
_CALL = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*')|(?<![\w.!])(TOK_\w+)(?=\()""", re.IGNORECASE)


def for_officejs(formula: str, names: Collection[str] = registry) -> str:
    """Return a formula as a file for Office.js stores it.

    >>> for_officejs('TOK_SUBSIDY(A1,1)&"TOK_SUBSIDY(A1,1)"')
    '_xldudf_TOK_SUBSIDY(A1,1)&"TOK_SUBSIDY(A1,1)"'
    """

    def stored(match: re.Match[str]) -> str:
        name = (match[2] or "").upper()
        return PREFIX + name if name in names else match[0]

    return _CALL.sub(stored, formula)


def write_officejs(
    workbook: str | os.PathLike[str],
    out: str | os.PathLike[str],
    names: Collection[str] = registry,
) -> Path:
    """Write a workbook with the names that Office.js stores.

    Parameters
    ----------
    workbook : path
        A built .xlsx with plain names.
    out : path
        The .xlsx to write; it must be another file.
    names : Collection
        The functions to rename.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    InputError
        Where the two are one file.
    """

    def changed(match: re.Match[str]) -> str:
        opening, _, formula, closing = match.groups()
        # Quotes need no escape between tags.
        return opening + escape(for_officejs(unescape(formula), names), quote=False) + closing

    workbook, out = Path(workbook), Path(out)
    if out.resolve() == workbook.resolve():
        raise InputError(f"{out.name} would be written over itself")
    with zipfile.ZipFile(workbook) as package, zipfile.ZipFile(out, "w") as copy:
        for part in package.infolist():
            content = package.read(part)
            if _PARTS.fullmatch(part.filename):
                content = _FORMULA.sub(changed, content.decode("utf-8")).encode("utf-8")
            copy.writestr(part, content)
    return out
