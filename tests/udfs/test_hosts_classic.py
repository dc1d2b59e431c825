"""Calls from Excel on Windows: every kind of input through xlwings' COM server."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from subprocess import PIPE

import pytest
from hosted import OMITTED

from udfs import CellError, registry
from udfs._cells import scalar_of
from udfs.hosts.classic import ComCells

every_function = pytest.mark.parametrize("function", registry.values(), ids=list(registry))


def test_functions_without_a_host_import_no_xlwings():
    heavy = {"xlwings", "pandas", "openpyxl", "scipy"}
    program = f"import sys, udfs; print({heavy!r} & set(sys.modules), udfs.TOK_SUBSIDY)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set() <TOK_SUBSIDY(price, breakeven)>"


def test_xlwings_imported_for_other_ends_is_no_host():
    program = "import xlwings, udfs; print(udfs.TOK_SUBSIDY)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "<TOK_SUBSIDY(price, breakeven)>"


NUM, VALUE, NA = CellError("#NUM!"), CellError("#VALUE!"), CellError("#N/A")
# price, breakeven and TOK_SUBSIDY's answer, for each kind of input.
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
    "outside the domain": (-1.0, 3.0, NUM),
    "outside in a range": ([[-1.0, 1.0]], 3.0, [[NUM, 2.0]]),
    "overflow": (0.0, [[1e308], [1.0]], [[1e308], [1.0]]),
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


@pytest.mark.parametrize("by", ["range", "value"])
@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_of_input_arrives(classic, kind, by):
    price, breakeven, expected = INPUTS[kind]
    assert same(classic.call("TOK_SUBSIDY", [price, breakeven], by=by), expected)


def test_an_optional_argument_left_out_or_blank_is_its_default(classic):
    given = classic.call("TOK_SUBSIDY_LOSS", [1e6, 1.0, 2.0, 365.0])
    for cells in ([1e6, 1.0, 2.0], [1e6, 1.0, 2.0, None], [1e6, 1.0, 2.0, [[None]]]):
        assert classic.call("TOK_SUBSIDY_LOSS", cells) == given == 365.0


def test_an_argument_left_out_in_the_middle_is_its_default(classic):

    cells = [2.0, 100.0, OMITTED, 2.0]
    assert classic.call("TOK_COST_PER_MTOK", cells) == registry["TOK_COST_PER_MTOK"](
        2.0, 100.0, 1, 2.0
    )


def test_texts_and_tables_go_out(classic):
    assert classic.call("TOK_VERDICT", [1.0, 2.0, 3.0]) == "below cost"
    table = classic.call("TOK_MARKET_PATH", [1e9, 1.0, 1.0, -0.5, 1.0])
    assert table == registry["TOK_MARKET_PATH"](1e9, 1.0, 1.0, -0.5, 1.0)


def test_an_error_of_an_unknown_number_is_a_value_error():
    assert ComCells.read(-2146828288 + 2099) == CellError("#VALUE!")
    assert ComCells.read(7) == 7.0


@every_function
def test_every_function_answers_as_in_python(classic, function):
    """Called with its defaults or with ones: what counts is that host and Python agree."""
    text = {"model": "no-such-model", "accelerator": "no-such-card", "text": "no-such-text"}
    cells = [
        argument.default if isinstance(argument.default, str) else text.get(argument.kind, 1.0)
        for argument in function.arguments[: function.required]
    ]
    assert same(classic.call(function.name, cells), scalar_of(function(*cells)))
