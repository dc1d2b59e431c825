"""Functions that the engine lacks, against the examples of Microsoft's function reference."""

from __future__ import annotations

from datetime import date

import pytest

from udfs.cells import CellError
from workbooks.excel.runtime.supplied import SUPPLIED, scientific


def day(year: int, month: int, number: int) -> float:
    return float((date(year, month, number) - date(1899, 12, 30)).days)


# The examples of the functions' pages at support.microsoft.com (retrieved 2026), with the digits
# that they show.
@pytest.mark.parametrize(
    ("name", "arguments", "value", "digits"),
    [
        ("DURATION", (day(2018, 7, 1), day(2048, 1, 1), 0.08, 0.09, 2.0, 1.0), 10.9191453, 7),
        ("MDURATION", (day(2008, 1, 1), day(2016, 1, 1), 0.08, 0.09, 2.0, 1.0), 5.73567, 5),
        ("COUPDAYBS", (day(2011, 1, 25), day(2011, 11, 15), 2.0, 1.0), 71, 0),
        ("COUPDAYS", (day(2011, 1, 25), day(2011, 11, 15), 2.0, 1.0), 181, 0),
        ("COUPDAYSNC", (day(2011, 1, 25), day(2011, 11, 15), 2.0, 1.0), 110, 0),
        ("COUPNCD", (day(2011, 1, 25), day(2011, 11, 15), 2.0, 1.0), day(2011, 5, 15), 0),
        ("COUPPCD", (day(2011, 1, 25), day(2011, 11, 15), 2.0, 1.0), day(2010, 11, 15), 0),
        ("COUPNUM", (day(2007, 1, 25), day(2008, 11, 15), 2.0, 1.0), 4, 0),
        ("DISC", (day(2018, 7, 1), day(2048, 1, 1), 97.975, 100.0, 1.0), 0.000686384, 9),
        ("INTRATE", (day(2008, 2, 15), day(2008, 5, 15), 1e6, 1014420.0, 2.0), 0.05768, 5),
        ("RECEIVED", (day(2008, 2, 15), day(2008, 5, 15), 1e6, 0.0575, 2.0), 1014584.65, 2),
        ("PRICEDISC", (day(2008, 2, 16), day(2008, 3, 1), 0.0525, 100.0, 2.0), 99.80, 2),
        ("YIELDDISC", (day(2008, 2, 16), day(2008, 3, 1), 99.795, 100.0, 2.0), 0.052823, 6),
        ("VDB", (2400.0, 300.0, 3650.0, 0.0, 1.0), 1.32, 2),
        ("VDB", (2400.0, 300.0, 120.0, 0.0, 1.0), 40.00, 2),
        ("VDB", (2400.0, 300.0, 10.0, 0.0, 1.0), 480.00, 2),
        ("VDB", (2400.0, 300.0, 120.0, 6.0, 18.0), 396.31, 2),
        ("VDB", (2400.0, 300.0, 120.0, 6.0, 18.0, 1.5), 311.81, 2),
        ("VDB", (2400.0, 300.0, 10.0, 0.0, 0.875, 1.5), 315.00, 2),
        ("FVSCHEDULE", (1.0, [[0.09, 0.11, 0.1]]), 1.33089, 5),
        ("PERMUTATIONA", (3.0, 2.0), 9, 0),
        ("MDETERM", ([[1.0, 3, 8, 5], [1, 3, 6, 1], [1, 1, 1, 0], [7, 3, 10, 2]],), 88, 6),
    ],
)
def test_published_examples(name: str, arguments: tuple, value: float, digits: int) -> None:
    assert round(SUPPLIED[name](*arguments), digits) == pytest.approx(value, abs=10.0**-digits / 2)


def test_matrices() -> None:
    assert SUPPLIED["MMULT"]([[1.0, 3], [7, 2]], [[2.0, 0], [0, 2]]) == [[2, 6], [14, 4]]
    assert SUPPLIED["MINVERSE"]([[4.0, -1], [2, 0]]) == [[0, 0.5], [-1, 2]]
    assert SUPPLIED["MUNIT"](2.0) == [[1, 0], [0, 1]]


def test_errors_come_out() -> None:
    error = CellError("#DIV/0!")
    assert SUPPLIED["MMULT"]([[error]], [[1.0]]) == error
    for name, arguments, code in [
        ("MMULT", ([[1.0, 2.0]], [[1.0, 2.0]]), "#VALUE!"),
        ("MINVERSE", ([[1.0, 1.0], [1.0, 1.0]],), "#NUM!"),
        ("MMULT", ([["a"]], [[1.0]]), "#VALUE!"),
        ("DURATION", (2.0, 1.0, 0.1, 0.1, 2.0), "#NUM!"),
        ("VDB", (1.0, 0.0, 5.0, 3.0, 2.0), "#NUM!"),
        ("VDB", (1.0,), "#VALUE!"),
    ]:
        assert SUPPLIED[name](*arguments).code == code


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
