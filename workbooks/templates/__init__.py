"""The template workbooks, by name: each module lays one out with its function `lay_out`."""

from __future__ import annotations

from importlib import import_module

from workbooks.authoring.layout import Book

#: Every template, in the order in which a new user meets them.
NAMES = (
    "plan",
    "buyer",
    "breakeven",
    "ownership",
    "applications",
    "market",
    "broker",
    "risk",
    "audit",
    "serving",
)


def lay_out(name: str) -> Book:
    """Return the layout of a template by its name."""
    if name not in NAMES:
        raise KeyError(f"there is no template {name!r}; there are: {', '.join(NAMES)}")
    book: Book = import_module(f"workbooks.templates.{name}").lay_out()
    return book
