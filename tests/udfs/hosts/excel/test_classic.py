"""Calls from Excel on Windows: every kind of input through xlwings' COM server."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hosted import OMITTED
from inputs import INPUTS, plausible, same

from udfs import CellError, registry
from udfs.cells import scalar_of
from udfs.hosts.excel.classic import ComCells

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
    cells = plausible(function)
    assert same(classic.call(function.name, cells), scalar_of(function(*cells)))
