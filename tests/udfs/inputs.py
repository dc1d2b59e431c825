"""Every kind of cell that a host hands over, and what TOK_SUBSIDY(price, breakeven) answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from udfs import CellError

NUM, VALUE, NA = CellError("#NUM!"), CellError("#VALUE!"), CellError("#N/A")
INPUTS = {
    "scalar": (1.0, 3.0, 2.0),
    "one by one": ([[1.0]], [[3.0]], 2.0),
    "row": ([[1.0, 2.0]], 3.0, [[2.0, 1.0]]),
    "column": ([[1.0], [2.0]], 3.0, [[2.0], [1.0]]),
    "grid": ([[1.0], [2.0]], [[3.0, 4.0]], [[2.0, 3.0], [1.0, 2.0]]),
    "blank": (None, 3.0, VALUE),
    "blank in a range": ([[None, 1.0]], 3.0, [[VALUE, 2.0]]),
    "empty text": ("", 3.0, VALUE),
    "error": (CellError("#REF!"), 3.0, CellError("#REF!")),
    "error in a range": ([[1.0], [NA]], 3.0, [[2.0], [NA]]),
    "newer error": (CellError("#SPILL!"), 3.0, CellError("#SPILL!")),
    "boolean": (True, 3.0, VALUE),
    "boolean in a range": ([[False, 1.0]], 3.0, [[VALUE, 2.0]]),
    "text": ("one", 3.0, VALUE),
    "text in a range": ([["one"], [1.0]], 3.0, [[VALUE], [2.0]]),
    "date": (0.0, dt.date(2026, 1, 1), 46023.0),
    "date in a range": (0.0, [[dt.date(2026, 1, 1)], [1.0]], [[46023.0], [1.0]]),
    "currency": (Decimal("0.123456"), 1.0, 0.876544),
    "currency in a range": ([[Decimal("0.123456"), 0.5]], 1.0, [[0.876544, 0.5]]),
    "outside the domain": (-1.0, 3.0, NUM),
    "outside in a range": ([[-1.0, 1.0]], 3.0, [[NUM, 2.0]]),
}


def same(answer, expected):
    """Compare cells, errors by their code alone: a cell has no room for the reason."""
    if isinstance(expected, list):
        return len(answer) == len(expected) and all(
            len(row) == len(other) and all(map(same, row, other))
            for row, other in zip(answer, expected, strict=True)
        )
    if isinstance(expected, CellError):
        return isinstance(answer, CellError) and answer.code == expected.code
    if isinstance(expected, float):
        return isinstance(answer, float) and answer == pytest.approx(expected, rel=1e-12)
    return answer == expected


def plausible(function):
    """Return cells for a call: ones for the required numbers, unknown names for ids."""
    names = {"model": "no-such-model", "accelerator": "no-such-card", "text": "no-such-text"}
    return [names.get(argument.kind, 1.0) for argument in function.arguments[: function.required]]
