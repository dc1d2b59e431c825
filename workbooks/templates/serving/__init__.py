"""What it costs to serve a model: band, breakdown, Pareto front, techniques, market price."""

from __future__ import annotations

from workbooks.authoring.layout import Book
from workbooks.templates.serving.cost import add_breakdown, add_cost
from workbooks.templates.serving.front import add_front
from workbooks.templates.serving.inputs import add_inputs, choose
from workbooks.templates.serving.techniques import add_techniques
from workbooks.templates.serving.tiers import add_tiers
from workbooks.templates.sources import (
    ASSUMED,
    CALIBRATION,
    CATALOGUE,
    DEEPSEEK,
    PARADOX,
    SNAPSHOT,
    cite,
)


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "serving",
        "What does serving a model cost?",
        "Cost of a million tokens with its band, where the time goes, speed against cost, what "
        "techniques gain, tiers of price, and the use that the market price needs",
    )
    cite(book, CATALOGUE, CALIBRATION, SNAPSHOT, PARADOX, DEEPSEEK, ASSUMED)
    inputs, lists = add_inputs(book)
    case = choose(book, inputs, lists)
    add_cost(book, case)
    add_breakdown(book, case)
    add_front(book, case)
    add_techniques(book, case)
    add_tiers(book, case, lists.tiers)
    # The lists stand last in the file: they are looked up, not read.
    book.sheets.append(book.sheets.pop(book.sheets.index(lists.sheet)))
    return book
