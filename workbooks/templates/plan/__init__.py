"""The integrated model: demand, fleet, cost, price and cash by month, in three scenarios."""

from __future__ import annotations

from workbooks.authoring.layout import Book, Ref
from workbooks.authoring.timeline import Grid, by_year
from workbooks.templates.load import PRODUCTS, add_serving
from workbooks.templates.plan.decision import add_decision
from workbooks.templates.plan.inputs import SCENARIOS, YEARS, add_inputs, add_lists
from workbooks.templates.plan.sensitivity import add_cases
from workbooks.templates.plan.statements import LINES, add_scenario
from workbooks.templates.sources import ASSUMED, CATALOGUE, DGX, PARADOX, RENTS, cite


def lay_out() -> Book:
    """Lay out the template."""
    book = Book(
        "plan",
        "Will the cash last?",
        "A provider of tokens by month for five years: demand, fleet, profit, balance sheet and "
        "cash, in three scenarios side by side",
        side_by_side=True,
        basis="nominal US dollars, after tax; a month is a twelfth of 365 days",
    )
    cite(book, PARADOX, DGX, CATALOGUE, RENTS, ASSUMED)
    inputs = add_inputs(book, *add_lists(book))
    served = add_serving(book, inputs[0])
    grids = [
        add_scenario(book, name, {**given, **served})
        for name, given in zip(SCENARIOS, inputs, strict=True)
    ]
    cases = add_cases(book, inputs, served)
    _statements(book, inputs[0], grids)
    add_decision(book, inputs[0], grids, cases)
    _order(book)
    return book


def _statements(book: Book, given: dict[str, Ref], grids: list[Grid]) -> None:
    sheet = book.sheet(
        "Statements", "Statements by year", "Of the scenario chosen on Inputs",
        (44, *(17,) * YEARS),
    )  # fmt: skip
    sheet.upright = True
    sheet.put(sheet.row, 1, "Scenario shown", "label")
    sheet.put(sheet.row, 2, f"={given['scenario']}", "link")
    names = ",".join(f'"{name}"' for name in SCENARIOS)
    sheet.put(sheet.row + 1, 1, "Its number", "label")
    chosen = sheet.put(
        sheet.row + 1, 2, f"=MATCH({given['scenario']},{{{names}}},0)", "calc", "integer"
    )
    sheet.row += 3
    by_year(sheet, YEARS, grids, chosen, LINES, PRODUCTS, given["year_months"])


def _order(book: Book) -> None:
    """Put first what a board reads first, and the lists last."""
    first = ("Decision", "Statements", "Inputs", "Serving", *SCENARIOS, "Cases")
    book.sheets.sort(key=lambda s: first.index(s.name) if s.name in first else len(first))
