"""A new workbook of chosen blocks."""

from __future__ import annotations

from collections.abc import Sequence

from workbooks.authoring.layout import FLAG, Book, Sheet
from workbooks.blocks import BLOCKS, CHECKS
from workbooks.blocks.layout import Standing, check_agreement, lay_out
from workbooks.templates.sources import ASSUMED, CATALOGUE, DGX, PARADOX, RENTS, cite


def lay_out_model(title: str, names: Sequence[str]) -> Book:
    """Lay out a workbook of blocks.

    Parameters
    ----------
    title : str
        Its title, on the cover.
    names : sequence of str
        Blocks of `LINES`; their order in the workbook is that of `LINES`.

    Returns
    -------
    Book
        The workbook, without values.
    """
    book = Book(
        "model", title, "By month for five years, in one scenario",
        basis="nominal US dollars; a month is a twelfth of 365 days",
        flag=FLAG if CHECKS in names else "",
    )  # fmt: skip
    cite(book, PARADOX, DGX, CATALOGUE, RENTS, ASSUMED)
    standing: Standing = {}
    for name in BLOCKS:
        if name in names:
            lay_out(book, name, standing)
    if book.flag:
        check_agreement(Sheet(book, "", "", "", ()), standing)
    return book
