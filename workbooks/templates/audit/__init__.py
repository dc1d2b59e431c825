"""Every figure and prediction of the source articles: stated, recomputed and judged."""

from __future__ import annotations

from engine import claims
from workbooks.authoring.layout import Book
from workbooks.templates.audit.conclusions import add_conclusions, add_inputs, add_turning
from workbooks.templates.audit.figures import add_claims, add_summary
from workbooks.templates.audit.predictions import add_predictions
from workbooks.templates.sources import ASSUMED, DEEPSEEK_V2, GPT4, LAYERS, PARADOX, RECKONING, cite


def lay_out() -> Book:
    """Lay out the template."""
    findings = tuple(claims.audit().values())
    book = Book(
        "audit",
        "Do the articles' figures hold?",
        f"{len(findings)} figures recomputed and judged, and the conclusions that turn over",
    )
    cite(book, PARADOX, RECKONING, LAYERS, GPT4, DEEPSEEK_V2, ASSUMED)
    common, gains = add_inputs(book)
    columns = add_claims(book, findings, common)
    add_summary(book, findings, columns, common)
    add_conclusions(book, findings)
    add_turning(book, common, gains, findings, columns)
    add_predictions(book)
    return book
