"""Functions that give arrays or take cells as they come, and what they refuse."""

from __future__ import annotations

import pytest

from udfs.cells import CellError
from workbooks.calc.protocol import DIGITS, FAILURES, FIT, FORMATTED, LIFT, NUMBER, SPILL, SURE
from workbooks.excel.runtime.late import late_functions
from workbooks.excel.runtime.registry import ANSWERS, INNER, functions
from workbooks.excel.runtime.signature import KINDS, read
from workbooks.excel.runtime.texts import scientific
from workbooks.formula.functions import catalogue

FUNCTIONS = functions()


def test_matrices() -> None:
    assert FUNCTIONS["MMULT"]([[1.0, 3], [7, 2]], [[2.0, 0], [0, 2]]) == [[2, 6], [14, 4]]
    assert FUNCTIONS["MINVERSE"]([[4.0, -1], [2, 0]]) == [[0, 0.5], [-1, 2]]
    assert FUNCTIONS["MUNIT"](2.0) == [[1, 0], [0, 1]]
    # The example of MDETERM's page at support.microsoft.com (retrieved 2026).
    table = [[1.0, 3, 8, 5], [1, 3, 6, 1], [1, 1, 1, 0], [7, 3, 10, 2]]
    assert FUNCTIONS["MDETERM"](table) == pytest.approx(88)


def test_errors_come_out() -> None:
    error = CellError("#DIV/0!")
    assert FUNCTIONS["MMULT"]([[error]], [[1.0]]) == error
    for name, arguments, code in [
        ("MMULT", ([[1.0, 2.0]], [[1.0, 2.0]]), "#VALUE!"),
        ("MINVERSE", ([[1.0, 1.0], [1.0, 1.0]],), "#NUM!"),
        ("MMULT", ([["a"]], [[1.0]]), "#VALUE!"),
        ("DURATION", (2.0, 1.0, 0.1, 0.1, 2.0), "#NUM!"),
        ("VDB", (1.0, 0.0, 5.0, 3.0, 2.0), "#NUM!"),
        ("VDB", (1.0,), "#VALUE!"),
    ]:
        assert FUNCTIONS[name](*arguments).code == code


def test_the_first_argument_at_fault_decides() -> None:
    division = CellError("#DIV/0!")
    assert FUNCTIONS["FLOOR"]("eight", division).code == "#VALUE!"
    assert FUNCTIONS["FLOOR"](division, "eight").code == "#DIV/0!"


def test_days_of_the_other_date_system() -> None:
    # 15 November 2011 and 25 January 2011, counted from 1 January 1904.
    found = functions(date1904=True)["COUPNCD"](40568.0 - 1462, 40862.0 - 1462, 2.0, 1.0)
    assert found == 40678 - 1462


@pytest.mark.parametrize("name", ANSWERS)
def test_arguments_that_may_be_left_out_come_last(name: str) -> None:
    arguments = read(ANSWERS[name].signature)
    assert {argument.kind for argument in arguments} <= set(KINDS)
    flags = [argument.optional for argument in arguments]
    assert flags == sorted(flags)


def test_the_catalogue_names_what_is_answered() -> None:
    listed = {row.name for row in catalogue().values() if row.handled == "runtime"}
    # By the date system.
    outside = {NUMBER, FIT, SPILL, LIFT, FORMATTED, FAILURES, SURE}
    assert listed == (ANSWERS.keys() | INNER.keys() | outside)
    assert functions().keys() >= {NUMBER}
    assert all(catalogue()[name].why for name in ANSWERS)


def test_the_functions_that_load_late_are_those_of_the_registry() -> None:
    late, at_once = late_functions(date1904=True, mac=True), functions(date1904=True, mac=True)
    assert late.keys() == at_once.keys()
    for name, cells in (("CHAR", (128.0,)), ("YEAR", (0.0,)), (DIGITS, (0.1 + 0.2,))):
        assert late[name](*cells) == at_once[name](*cells) == late[name](*cells)
    assert late_functions()["CHAR"](128.0) != late["CHAR"](128.0)


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (12345.0, "0.00E+00", "1.23E+04"),
        (0.00012, "0.0E+0", "1.2E-4"),
        (12345.0, "0E-00", "1E04"),
        (-5.0, "0.0E+00", "-5.0E+00"),
        (0.125, "0.0E+0", "1.3E-1"),
        (9.99, "0.0E+0", "1.0E+1"),
        (0.0, "0.00E+00", "0.00E+00"),
        (12000.0, "0.0##E+0", "1.2E+4"),
    ],
)
def test_text_with_an_exponent(value: float, pattern: str, text: str) -> None:
    assert scientific(value, pattern) == text


def test_characters_are_counted_by_the_machine_that_saved_the_file() -> None:
    windows, mac = functions(), functions(mac=True)
    assert (windows["CHAR"](128.0), mac["CHAR"](128.0)) == ("€", "Ä")
    assert (windows["CODE"]("€"), mac["CODE"]("Ä")) == (128.0, 128.0)
    # A place that Windows leaves free; characters that are in neither set.
    assert windows["CHAR"](129.0) == "\x81"
    assert (windows["CODE"]("\u4e2d"), mac["CODE"]("\u4e2d")) == (63.0, 95.0)
    for found in (windows, mac):
        assert all(found["CODE"](found["CHAR"](float(i))) == i for i in range(1, 256))
        assert found["CHAR"](0.0).code == found["CHAR"](256.0).code == "#VALUE!"
        assert found["CODE"]("").code == "#VALUE!"
