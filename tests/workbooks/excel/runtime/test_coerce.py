"""What the text of a cell means as a number or a date, and what a number looks like as a text."""

from __future__ import annotations

from datetime import date

import pytest

from udfs.cells import CellError
from workbooks.excel.runtime.coerce import (
    Calendar,
    Refusal,
    cells,
    folded,
    plain_number,
    rows,
    shown_number,
    text,
    truth,
    without_errors,
)

DIV = CellError("#DIV/0!")
MAC = Calendar(date1904=True)

NUMBERS = [
    ("1", 1.0), (" 1 ", 1.0), ("+1", 1.0), ("-1", -1.0), ("1.", 1.0), (".5", 0.5), ("-.5", -0.5),
    ("1e3", 1000.0), ("1E-3", 0.001), ("1e+3", 1000.0), ("50%", 0.5), ("-50%", -0.5),
    ("1,234", 1234.0), ("1,234,567.5", 1234567.5), ("12,345", 12345.0), ("$1", 1.0), ("-$1", -1.0),
    ("$-1", -1.0), ("(1)", -1.0), ("($1,000)", -1000.0), ("1 1/2", 1.5), ("-1 1/2", -1.5),
    ("0 3/4", 0.75), ("", None), (".", None), ("-", None), ("--1", None), ("-$-1", None),
    ("(-1)", None), ("1,23", None),
    ("1,2345", 12345.0), ("12345,678", 12345678.0), ("+ 1", 1.0), ("5 %", 0.05), ("$ 5", 5.0),
    ("(5", None), ("5%%", None), ("\u0663", None), ("$", None), ("1,00.5", None), ("1 2", None),
    ("1 1/0", None), ("x", None), ("1x", None), ("1e999", None), ("(1", None), ("1)", None),
    ("(12", None), ("12)", None),
    ("TRUE", None), ("\u00a01", None), ("1\t", None), ("%", None), ("e3", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "number"), NUMBERS)
def test_a_text_that_is_a_number(written: str, number: float | None) -> None:
    assert plain_number(written) == number


DAYS = [
    ("2011-02-23", 40597.0), ("2011/2/3", 40577.0), ("2011-2/3", None), ("8/22/2011", 40777.0),
    ("8-22-2011", 40777.0), ("8/22/11", 40777.0), ("1/1/29", 47119.0), ("1/1/30", 10959.0),
    ("1/1/00", 36526.0), ("22-MAY-2011", 40685.0), ("22 May 2011", 40685.0),
    ("22 May, 2011", 40685.0), ("5-Jan-99", 36165.0), ("January 5, 2011", 40548.0),
    ("Jan 5 2011", 40548.0), ("Janu 5 2011", None), ("5 Janu 2011", None), ("Foo 5, 2011", None),

    ("January 5, 11", 40548.0), ("Jan 2024", 45292.0), ("Jan 5 11", None), ("1:00PM", None),
    ("\u0663/1/2024", None), (" 2024-01-10", None), ("2024-01-10T10:00", None),
    ("December 31, 1999", 36525.0), ("31 December 1999", 36525.0),
    ("February 3, 2000", 36559.0), ("3 February 2000", 36559.0),
    ("13/1/2011", None), ("2/30/2011", None), ("0/1/2011", None), ("12/31/9999", 2958465.0),
    ("1900-01-01", 1.0), ("1900-02-28", 59.0), ("1900-03-01", 61.0), ("2011-02", None),
    ("12:00", 0.5), ("24:00", 1.0), ("36:30", 1.5208333333333333), ("0:00:30", 30 / 86400),
    ("0:00:30.5", 30.5 / 86400), ("12:60", None), ("12:59:60", None), ("12:59", 46740 / 86400),
    ("12:59:59", 46799 / 86400), ("1:00 PM", 13 / 24), ("1:00 p", 13 / 24), ("12:00 AM", 0.0),
    ("12:00 PM", 0.5), ("0:30 AM", None), ("13:00 PM", None), ("11:59 am", 43140 / 86400),
    ("8/22/2011 12:00", 40777.5), ("22 May 2011 12:00", 40685.5), ("8/22/2011 12:60", None),
    ("January 5, 2011 6:00 AM", 40548.25), ("x 12:00", None), ("12:00 x", None), ("noon", None),
    (" 12:00 ", 0.5), ("8/22/2011 x:00", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "serial"), DAYS)
def test_a_text_that_is_a_date_or_time(written: str, serial: float | None) -> None:
    found = Calendar().moment(written)
    assert found == (None if serial is None else pytest.approx(serial, rel=1e-15))


def code_of(call, *given: object) -> str:
    with pytest.raises(Refusal) as refused:
        call(*given)
    return refused.value.error.code


def test_the_serial_numbers_of_both_date_systems() -> None:
    both = Calendar(), MAC
    for day, numbers in (
        (date(1904, 1, 1), (1462.0, 0.0)), (date(1904, 1, 2), (1463.0, 1.0)),
        (date(2011, 1, 1), (40544.0, 39082.0)), (date(9999, 12, 31), (2958465.0, 2957003.0)),
    ):  # fmt: skip
        for calendar, number in zip(both, numbers, strict=True):
            assert calendar.serial(day) == number
            assert calendar.day(number) == calendar.day(number + 0.9) == day
            assert calendar.parts(number) == (day.year, day.month, day.day)
    assert [Calendar().day(n) for n in (1, 59, 60, 61)] == [
        date(1900, 1, 1), date(1900, 2, 28), date(1900, 2, 28), date(1900, 3, 1),
    ]  # fmt: skip
    assert [Calendar().parts(n) for n in (0.0, 1.0, 59.0, 60.0, 61.0)] == [
        (1900, 1, 0), (1900, 1, 1), (1900, 2, 28), (1900, 2, 29), (1900, 3, 1),
    ]  # fmt: skip
    assert MAC.parts(0.0) == (1904, 1, 1)
    assert MAC.parts(60.0) == (1904, 3, 1)
    for calendar in both:
        assert code_of(calendar.day, -1) == "#NUM!"
        assert code_of(calendar.day, 2958466) == "#NUM!" or calendar is MAC
        assert code_of(calendar.serial, date(1899, 12, 30)) == "#NUM!"
    assert code_of(MAC.serial, date(1903, 12, 31)) == "#NUM!"


def test_cells_as_numbers() -> None:
    calendar = Calendar()
    for cell, number in ((2.5, 2.5), (None, 0.0), (True, 1.0), (False, 0.0), ("50%", 0.5),
                         ("8/22/2011", 40777.0)):  # fmt: skip
        assert calendar.number(cell) == number
    assert calendar.strict("2") == calendar.strict(2.0) == 2.0
    assert calendar.strict(None) == 0.0
    assert code_of(calendar.number, "x") == code_of(calendar.strict, True) == "#VALUE!"
    assert code_of(calendar.number, DIV) == code_of(calendar.strict, DIV) == "#DIV/0!"


def test_cells_as_truth_values_and_texts() -> None:
    assert [truth(c) for c in ("true", "False", 2.0, 0.0, None, True, False)] == [
        True, False, True, False, False, True, False,
    ]  # fmt: skip
    assert [text(c) for c in ("x", True, False, None, 1.0, 0.1, -2.5)] == [
        "x", "TRUE", "FALSE", "", "1", "0.1", "-2.5",
    ]  # fmt: skip
    assert code_of(truth, "yes") == "#VALUE!"
    assert code_of(truth, DIV) == code_of(text, DIV) == "#DIV/0!"


SHOWN = [
    (0.0, "0"), (-1.0, "-1"), (123456789012345.0, "123456789012345"), (0.1 + 0.2, "0.3"),
    (1 / 3, "0.333333333333333"), (-1 / 3, "-0.333333333333333"), (1e15, "1000000000000000"),
    (1.5e15, "1500000000000000"), (1e19, "10000000000000000000"), (1e20, "100000000000000000000"),
    (1e21, "1E+21"), (-1e21, "-1E+21"), (1.25e300, "1.25E+300"), (1e-9, "0.000000001"),
    (1.5e-9, "0.0000000015"), (1e-10, "1E-10"), (1e-5, "0.00001"), (1.25e-5, "0.0000125"),
    (123456.789, "123456.789"), (1234567890123456.0, "1234567890123460"), (100.5, "100.5"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "written"), SHOWN)
def test_a_number_as_text_has_15_digits(number: float, written: str) -> None:
    assert shown_number(number) == written


def test_cells_of_ranges() -> None:
    grid = [[1.0, "a"], [None, True]]
    assert rows(grid) is grid
    assert rows(1.0) == [[1.0]]
    assert cells(grid) == [1.0, "a", None, True]
    assert cells("a") == ["a"]
    assert without_errors(grid) is grid
    assert code_of(without_errors, [[1.0, DIV]]) == "#DIV/0!"
    assert code_of(without_errors, DIV) == "#DIV/0!"
    assert (folded("Straße"), folded(1.0)) == ("strasse", 1.0)
