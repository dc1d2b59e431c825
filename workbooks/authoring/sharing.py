"""A formula that a row repeats, written once: Excel's shared formulas, which halve a plan's size.

Only formulas that Excel itself shares are shared: those of its own sheet, without names of our
functions. Excel takes a file for damaged that shares others, such as references to another sheet
(MS-XLSB, SharedParsedFormula; no file of Excel's that we have holds one).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from openpyxl.utils import coordinate_to_tuple

from workbooks.excel.pipeline import Form, form_of

_ROW = re.compile(rb"<row\b[^>]*>.*?</row>", re.DOTALL)
_CELL = re.compile(rb'(<c r="([A-Z]+[0-9]+)"[^>]*>)<f>([^<]*)</f>')
#: Excel shares no reference to another sheet or table, no constant array, no defined function.
_ALONE = re.compile(r"[!{\[@#]|TOK_|_xl|:(?!\$?[A-Z]{1,3}\$?[0-9])", re.IGNORECASE)
#: Fewer cells than this are not worth the sharing.
_FEWEST = 3


def share_formulas(sheet: bytes) -> bytes:
    """Return the part of a sheet with each formula that a row repeats written once.

    Parameters
    ----------
    sheet : bytes
        The part as openpyxl writes it; a part that has shared formulas already is left alone.

    Returns
    -------
    bytes
        The part with the same formulas in the same cells.
    """
    if b't="shared"' in sheet:
        return sheet
    index = 0

    def row(found: re.Match[bytes]) -> bytes:
        nonlocal index
        text = found[0]
        for run in reversed(list(_runs(text))):
            text = _shared(text, run, index)
            index += 1
        return text

    return _ROW.sub(row, sheet)


def _runs(row: bytes) -> Iterator[list[re.Match[bytes]]]:
    """Yield the cells side by side that repeat one formula."""
    run: list[re.Match[bytes]] = []
    before: tuple[int, Form] | None = None
    for cell in _CELL.finditer(row):
        formula = unescape(cell[3].decode())
        if _ALONE.search(formula):
            here = None
        else:
            here = coordinate_to_tuple(cell[2].decode())[1], form_of(formula)
        if here and before and _copied(before, here):
            run.append(cell)
            before = here
            continue
        if len(run) >= _FEWEST:
            yield run
        run, before = [cell] if here else [], here
    if len(run) >= _FEWEST:
        yield run


def _copied(left: tuple[int, Form], right: tuple[int, Form]) -> bool:
    """Tell whether a formula is that of the cell to its left, filled to the right."""
    (one, form), (other, found) = left, right
    moved = found.column - form.column
    return (
        other == one + 1
        and (found.key, found.rows) == (form.key, form.rows)
        and moved == (1 if form.column else 0)
    )


def _shared(row: bytes, run: list[re.Match[bytes]], index: int) -> bytes:
    """Return a row in which the cells of a run share the formula of the first."""
    first, *others = run
    parts = [row[: first.start()]]
    ref = b"%s:%s" % (first[2], run[-1][2])
    parts.append(b'%s<f t="shared" ref="%s" si="%d">%s</f>' % (first[1], ref, index, first[3]))
    end = first.end()
    for cell in others:
        parts.append(row[end : cell.start()])
        parts.append(b'%s<f t="shared" si="%d"/>' % (cell[1], index))
        end = cell.end()
    return b"".join((*parts, row[end:]))
