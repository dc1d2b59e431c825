"""How sure is it: what serving costs, what is lost on it, and how long the cash lasts."""

from __future__ import annotations

from workbooks.authoring.layout import Book
from workbooks.templates.risk.draws import add_cases, add_draws
from workbooks.templates.risk.inputs import add_inputs, add_risks
from workbooks.templates.risk.market import add_market
from workbooks.templates.risk.result import add_result
from workbooks.templates.risk.sellers import add_sellers
from workbooks.templates.sources import ASSUMED, CALIBRATION, CATALOGUE, PARADOX, RENTS, cite


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "risk",
        "How sure is it?",
        "From the cost of serving to the month in which the cash runs out, over random draws of "
        "everything that is not known",
    )
    cite(book, PARADOX, RENTS, CATALOGUE, CALIBRATION, ASSUMED)
    inputs = add_inputs(book)
    risks = add_risks(book, inputs)
    cases = add_cases(book, inputs, risks)
    draws = add_draws(book, inputs, risks)
    work = add_result(book, inputs, cases, draws)
    add_sellers(book, inputs)
    add_market(book, inputs, work)
    # What is read stands before what it was drawn from.
    for name in ("Cases", "Draws"):
        book.sheets.append(book.sheets.pop([s.name for s in book.sheets].index(name)))
    return book
