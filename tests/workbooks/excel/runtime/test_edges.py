"""Where the arguments of the replaced functions end, and what those are that are left out.

By Microsoft's page of each function; `tests/data/functions` has the published values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest

from tests.workbooks.excel.runtime.edges import (
    ASSET,
    BOND,
    BOUGHT,
    DATA,
    DATES,
    DUE,
    FLOWS,
    ISSUE,
    REF,
    REFUSED,
    VALUE,
    day,
)
from udfs.cells import CellError
from workbooks.excel.runtime.registry import ANSWERS, functions
from workbooks.excel.runtime.signature import read

Answers: TypeAlias = Mapping[str, Callable[..., Any]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Return the functions by name."""
    return functions()


def shown(found: object) -> object:
    """Return an error as its code."""
    return found.code if isinstance(found, CellError) else found


# The arguments of a call, what one more is where it is left out, and another value of that.
LEFT_OUT = [
    ("COUPDAYS", (*BOND, 2.0), 0.0, 1.0),
    ("COUPDAYBS", (BOUGHT + 60, DUE, 2.0), 0.0, 1.0),
    ("COUPDAYSNC", (*BOND, 2.0), 0.0, 1.0),
    ("DURATION", (*BOND, 0.08, 0.09, 2.0), 0.0, 1.0),
    ("MDURATION", (*BOND, 0.08, 0.09, 2.0), 0.0, 1.0),
    ("ACCRINT", (ISSUE, day(2011, 7, 15), BOUGHT, 0.1, 1000.0, 2.0), 0.0, 1.0),
    ("ACCRINT", (ISSUE, day(2011, 2, 15), BOUGHT, 0.1, 1000.0, 2.0, 0.0), True, False),
    ("ACCRINTM", (ISSUE, BOUGHT, 0.1), 1000.0, 1001.0),
    ("ACCRINTM", (ISSUE, BOUGHT, 0.1, 1000.0), 0.0, 1.0),
    *((name, (*BOND, 95.0, 100.0), 0.0, 1.0) for name in ("DISC", "INTRATE", "YIELDDISC")),
    ("RECEIVED", (*BOND, 95.0, 0.05), 0.0, 1.0),
    ("PRICEDISC", (*BOND, 0.05, 100.0), 0.0, 1.0),
    ("PRICEMAT", (*BOND, ISSUE, 0.06, 0.05), 0.0, 1.0),
    ("YIELDMAT", (*BOND, ISSUE, 0.06, 99.0), 0.0, 1.0),
    ("AMORLINC", (*ASSET, 0.0, 0.15), 0.0, 1.0),
    ("AMORDEGRC", (24000.0, *ASSET[1:], 0.0, 0.15), 0.0, 3.0),
    ("WEEKDAY", (BOUGHT,), 1.0, 2.0),
    ("WEEKNUM", (day(2011, 3, 6),), 1.0, 2.0),
    ("DAYS360", (day(2011, 1, 29), day(2011, 3, 31)), False, True),
    ("YEARFRAC", BOND, 0.0, 1.0),
    ("VDB", (2400.0, 300.0, 10.0, 0.0, 1.0), 2.0, 1.5),
    ("VDB", (2400.0, 300.0, 10.0, 6.0, 10.0, 1.5), False, True),
    ("DB", (1e6, 1e5, 6.0, 1.0), 12.0, 11.0),
    ("IPMT", (0.1, 2.0, 5.0, 1000.0), 0.0, 100.0),
    ("IPMT", (0.1, 2.0, 5.0, 1000.0, 0.0), 0.0, 1.0),
    ("PPMT", (0.1, 2.0, 5.0, 1000.0), 0.0, 100.0),
    ("PPMT", (0.1, 2.0, 5.0, 1000.0, 0.0), 0.0, 1.0),
    ("IRR", ([[-100.0], [230.0], [-132.0]],), 0.1, 0.3),
    ("CEILING.MATH", (2.5,), 1.0, 2.0),
    ("CEILING.MATH", (-2.5, 2.0), 0.0, 1.0),
    ("FLOOR.MATH", (3.5,), 1.0, 2.0),
    ("FLOOR.MATH", (-2.5, 2.0), 0.0, 1.0),
    ("CEILING.PRECISE", (2.5,), 1.0, 2.0),
    ("ISO.CEILING", (2.5,), 1.0, 2.0),
    ("FLOOR.PRECISE", (3.5,), 1.0, 2.0),
    ("COMPLEX", (1.0, 2.0), "i", "j"),
    ("BETA.DIST", (0.4, 2.0, 3.0, True), 0.0, 0.1),
    ("BETA.DIST", (0.4, 2.0, 3.0, True, 0.0), 1.0, 2.0),
    ("BETA.INV", (0.4, 2.0, 3.0), 0.0, 0.1),
    ("BETA.INV", (0.4, 2.0, 3.0, 0.0), 1.0, 2.0),
    ("NUMBERVALUE", ("1,234.5",), ".", ","),
    ("ADDRESS", (2.0, 3.0), 1.0, 2.0),
    ("ADDRESS", (2.0, 3.0, 1.0), True, False),
    ("FIXED", (1234.567,), 2.0, 1.0),
    ("FIXED", (1234.567, 1.0), False, True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "default", "other"), LEFT_OUT)
def test_what_an_argument_is_that_is_left_out(
    answers: Answers, name: str, given: tuple[object, ...], default: object, other: object
) -> None:
    alone = answers[name](*given)
    assert not isinstance(alone, CellError)
    assert alone == answers[name](*given, default)
    assert alone != shown(answers[name](*given, other))


#: Functions of the analysis add-in, which take no truth value for a number.
ADD_IN = set(
    """
    COUPDAYS COUPDAYBS COUPDAYSNC COUPNCD COUPPCD COUPNUM DURATION MDURATION ACCRINT ACCRINTM
    DISC INTRATE RECEIVED PRICEDISC YIELDDISC PRICEMAT YIELDMAT AMORLINC AMORDEGRC CUMIPMT
    CUMPRINC DOLLARDE DOLLARFR EFFECT NOMINAL MROUND CONVERT WEEKNUM EDATE EOMONTH YEARFRAC
    NETWORKDAYS NETWORKDAYS.INTL WORKDAY WORKDAY.INTL XNPV XIRR BIN2OCT BIN2HEX OCT2BIN OCT2HEX
    HEX2BIN HEX2OCT OCT2DEC HEX2DEC DEC2BIN DEC2OCT DEC2HEX COMPLEX IMPOWER
    FACTDOUBLE
    """.split()  # noqa: SIM905  (a list would be as many lines as names)
)


def test_truth_values_are_numbers_but_in_the_analysis_add_in() -> None:
    made = functions()
    assert {name for name, row in ANSWERS.items() if row.strict} == ADD_IN
    for name in ADD_IN:
        arguments = read(ANSWERS[name].signature)
        for place, argument in enumerate(arguments):
            if argument.kind in ("number", "whole", "date"):
                given = [1.0] * len(arguments)
                given[place] = True
                assert shown(made[name](*given)) == VALUE, (name, argument.name)


@pytest.mark.parametrize(("name", "given", "code"), REFUSED)
def test_what_is_refused(answers: Answers, name: str, given: tuple[object, ...], code: str) -> None:
    found = answers[name](*given)
    assert isinstance(found, CellError), found
    assert found.code == code


KEPT: list[tuple[str, tuple[object, ...], object]] = [
    # What lies just inside, and what the value is there.
    ("COUPNUM", (DUE - 1, DUE, 1.0), 1.0),
    ("COUPNUM", (BOUGHT, DUE, 4.0, 4.0), 7.0),
    ("COUPNUM", (day(2011, 11, 15), DUE, 1.0), 1.0),
    ("COUPPCD", (day(2012, 5, 15), DUE, 2.0), day(2012, 5, 15)),
    ("COUPNCD", (day(2012, 5, 15), DUE, 2.0), DUE),
    ("COUPPCD", (day(2012, 3, 1), day(2012, 8, 31), 2.0), day(2012, 2, 29)),
    ("COUPDAYS", (BOUGHT, DUE, 2.0, 2.0), 180.0),
    ("COUPDAYS", (BOUGHT, DUE, 2.0, 3.0), 182.5),
    ("COUPDAYS", (BOUGHT, DUE, 2.0, 1.0), 181.0),
    ("COUPDAYS", (BOUGHT, DUE, 4.0), 90.0),
    ("COUPDAYSNC", (BOUGHT, DUE, 2.0), 68.0),
    ("COUPDAYSNC", (BOUGHT, DUE, 2.0, 4.0), 68.0),
    ("COUPDAYSNC", (BOUGHT, DUE, 2.0, 2.0), 69.0),
    ("COUPDAYBS", (BOUGHT, DUE, 2.0, 1.0), 112.0),
    ("DURATION", (day(2011, 1, 1), day(2012, 1, 1), 0.0, 0.05, 1.0), 1.0),
    ("DURATION", (day(2011, 1, 1), day(2013, 1, 1), 0.0, 0.0, 1.0), 2.0),
    ("DURATION", (day(2011, 1, 1), day(2013, 1, 1), 0.1, 0.0, 1.0), pytest.approx(2.3 / 1.2)),
    ("MDURATION", (day(2011, 1, 1), day(2012, 1, 1), 0.0, 0.1, 2.0), 1 / 1.05),
    ("ACCRINTM", (day(2011, 1, 1), day(2011, 7, 1), 0.1), 50.0),
    ("RECEIVED", (day(2011, 1, 1), day(2012, 1, 1), 95.0, 0.05), 100.0),
    ("PRICEMAT", (day(2011, 7, 1), day(2012, 1, 1), day(2011, 7, 1), 0.0, 0.0), 100.0),
    ("PRICEMAT", (day(2011, 7, 1), day(2012, 1, 1), day(2011, 1, 1), 0.1, 0.0), 105.0),
    ("YIELDMAT", (day(2011, 7, 1), day(2012, 1, 1), day(2011, 7, 1), 0.0, 50.0), 2.0),
    ("YIELDMAT", (day(2011, 7, 1), day(2012, 1, 1), day(2011, 7, 1), 0.0, 0.5),
     pytest.approx(398.0)),
    ("REPLACE", ("abc", 1.0, 0.0, "x"), "xabc"),
    ("REPLACE", ("abc", 2.0, 1.9, "x"), "axc"),
    ("REPLACE", ("abc", 9.0, 1.0, "x"), "abcx"),
    ("DB", (0.0, 0.0, 6.0, 1.0), 0.0),
    ("DB", (100.0, 0.0, 6.0, 1.0), 100.0),
    ("DB", (100.0, 25.0, 2.0, 1.0), 50.0),
    ("DB", (100.0, 25.0, 2.0, 2.0), 25.0),
    ("DB", (100.0, 25.0, 2.0, 1.0, 6.0), 25.0),
    ("DB", (100.0, 25.0, 2.0, 2.0, 6.0), 37.5),
    ("DB", (100.0, 25.0, 2.0, 3.0, 6.0), 9.375),
    ("VDB", (100.0, 0.0, 2.0, 0.0, 2.0), 100.0),
    ("VDB", (100.0, 0.0, 4.0, 0.0, 1.0), 50.0),
    ("VDB", (100.0, 0.0, 4.0, 0.0, 0.5), 25.0),
    ("VDB", (100.0, 60.0, 4.0, 0.0, 1.0), 40.0),
    ("VDB", (100.0, 0.0, 4.0, 3.0, 4.0), 12.5),
    ("VDB", (100.0, 0.0, 4.0, 3.0, 4.0, 1.0), pytest.approx(25.0)),
    ("VDB", (100.0, 0.0, 4.0, 3.0, 4.0, 1.0, True), pytest.approx(25 * 0.75**3)),
    ("VDB", (100.0, 100.0, 4.0, 0.0, 4.0), 0.0),
    ("VDB", (100.0, 120.0, 4.0, 0.0, 4.0), 0.0),
    ("AMORLINC", (100.0, day(2011, 1, 1), day(2012, 1, 1), 100.0, 0.0, 0.1), 0.0),
    ("AMORLINC", (100.0, day(2011, 7, 1), day(2012, 1, 1), 0.0, 0.0, 0.1), 5.0),
    ("AMORLINC", (100.0, day(2011, 7, 1), day(2012, 1, 1), 0.0, 1.0, 0.1), 10.0),
    ("AMORLINC", (100.0, day(2011, 7, 1), day(2012, 1, 1), 0.0, 10.0, 0.1), 5.0),
    ("AMORLINC", (100.0, day(2011, 7, 1), day(2012, 1, 1), 0.0, 11.0, 0.1), 0.0),
    ("AMORLINC", (100.0, day(2011, 7, 1), day(2011, 7, 1), 0.0, 0.0, 0.1), 0.0),
    ("AMORDEGRC", (2400.0, day(2011, 1, 1), day(2012, 1, 1), 300.0, 0.0, 1 / 3), 1200.0),
    ("AMORDEGRC", (2400.0, day(2011, 1, 1), day(2012, 1, 1), 300.0, 0.0, 0.25), 900.0),
    ("AMORDEGRC", (2400.0, day(2011, 1, 1), day(2012, 1, 1), 300.0, 0.0, 0.2), 960.0),
    ("AMORDEGRC", (2400.0, day(2011, 1, 1), day(2012, 1, 1), 300.0, 0.0, 1 / 6), 800.0),
    ("AMORDEGRC", (2400.0, day(2011, 1, 1), day(2012, 1, 1), 300.0, 0.0, 0.15), 900.0),
    ("AMORDEGRC", (2400.0, day(2011, 1, 1), day(2012, 1, 1), 300.0, 1.0, 0.15), 563.0),
    ("IPMT", (0.1, 1.0, 1.0, 1000.0), -100.0),
    ("IPMT", (0.0, 1.0, 4.0, 1000.0), 0.0),
    ("PPMT", (0.0, 1.0, 4.0, 1000.0), -250.0),
    ("PPMT", (0.0, 4.0, 4.0, 1000.0, 200.0), -300.0),
    ("IPMT", (0.1, 1.0, 4.0, 1000.0, 0.0, 1.0), 0.0),
    ("IPMT", (0.1, 2.0, 2.0, 1000.0, 0.0, 1.0), pytest.approx(-1000 / 21)),
    ("PPMT", (0.1, 1.0, 1.0, 1000.0, 0.0, 1.0), pytest.approx(-1000.0)),
    ("CUMIPMT", (0.1, 1.0, 1000.0, 1.0, 1.0, 0.0), pytest.approx(-100.0)),
    ("CUMPRINC", (0.1, 1.0, 1000.0, 1.0, 1.0, 0.0), pytest.approx(-1000.0)),
    ("CUMIPMT", (0.1, 2.0, 1000.0, 1.0, 1.0, 1.0), 0.0),
    ("CUMPRINC", (0.1, 2.0, 1000.0, 1.0, 2.0, 1.0), pytest.approx(-1000.0)),
    ("ISPMT", (0.1, 0.0, 4.0, 1000.0), -100.0),
    ("ISPMT", (0.1, 1.0, 4.0, 1000.0), -75.0),
    ("EFFECT", (0.1, 1.9), pytest.approx(0.1)),
    ("NOMINAL", (0.21, 2.0), pytest.approx(0.2)),
    ("DOLLARDE", (1.02, 16.0), 1.125),
    ("DOLLARDE", (-1.02, 16.9), -1.125),
    ("DOLLARFR", (1.125, 16.0), 1.02),
    ("DOLLARFR", (1.125, 1.0), 1.125),
    ("FVSCHEDULE", (2.0, [[0.5], [None], [1.0]]), 6.0),
    ("IRR", ([[-100.0], [110.0]],), pytest.approx(0.1)),
    ("IRR", ([[-100.0], ["x"], [True], [110.0]],), pytest.approx(0.1)),
    ("MIRR", ([[-100.0], [110.0]], 0.0, 0.0), pytest.approx(0.1)),
    ("MIRR", ([[-100.0], [-100.0], [300.0]], 1.0, 0.0), pytest.approx(math.sqrt(2) - 1)),
    ("XNPV", (0.1, FLOWS[:2], DATES[:2]), pytest.approx(-100 + 60 / 1.1)),
    ("XNPV", (0.1, [[5.0]], [[0.0]]), 5.0),
    ("CEILING", (2.5, 1.0), 3.0),
    ("CEILING", (-2.5, 1.0), -2.0),
    ("CEILING", (-2.5, -1.0), -3.0),
    ("CEILING", (0.0, -1.0), 0.0),
    ("CEILING", (1.0, 0.0), 0.0),
    ("FLOOR", (0.0, 0.0), 0.0),
    ("FLOOR", (-2.5, -1.0), -2.0),
    ("FLOOR", (-2.5, 1.0), -3.0),
    ("CEILING.MATH", (2.5, 0.0), 0.0),
    ("CEILING.MATH", (2.5, -1.0), 3.0),
    ("CEILING.MATH", (-2.5, 1.0, 1.0), -3.0),
    ("CEILING.MATH", (0.0, 1.0, 1.0), 0.0),
    ("FLOOR.MATH", (-2.5, 1.0, 1.0), -2.0),
    ("MROUND", (0.0, -1.0), 0.0),
    ("MROUND", (1.0, 0.0), 0.0),
    ("MROUND", (2.5, 1.0), 3.0),
    ("MROUND", (-2.5, -1.0), -3.0),
    ("GCD", (0.0, 5.0), 5.0),
    ("GCD", (2.0**53 - 1,), 2.0**53 - 1),
    ("GCD", ([["12"], [None], [18.9]],), 6.0),
    ("LCM", (4.0, 6.0), 12.0),
    ("LCM", (0.0, 6.0), 0.0),
    ("MULTINOMIAL", (2.0, 3.0, 4.0), 1260.0),
    ("MULTINOMIAL", (0.0,), 1.0),
    ("PERMUTATIONA", (0.0, 0.0), 1.0),
    ("PERMUTATIONA", (3.0, 2.0), 9.0),
    ("POWER", (0.0, 1.0), 0.0),
    ("POWER", (-2.0, 3.0), -8.0),
    ("POWER", (4.0, 0.5), 2.0),
    ("SECH", (0.0,), 1.0),
    ("SECH", (700.0,), pytest.approx(2 * math.exp(-700))),
    ("SECH", (-701.0,), pytest.approx(2 * math.exp(-701))),
    ("CSCH", (710.0,), pytest.approx(2 * math.exp(-710))),
    ("CSCH", (-710.0,), pytest.approx(-2 * math.exp(-710))),
    ("CSCH", (746.0,), 0.0),
    ("CSCH", (2.0,), pytest.approx(1 / math.sinh(2))),
    ("COTH", (2.0,), pytest.approx(1 / math.tanh(2))),
    ("SEC", (2.0**27 - 1,), pytest.approx(1 / math.cos(2.0**27 - 1))),
    ("BIN2OCT", ("1111111111",), "7777777777"),
    ("BIN2OCT", ("1000000000",), "7777777000"),
    ("BIN2HEX", ("0111111111",), "1FF"),
    ("BIN2HEX", ("", 2.0), "00"),
    ("OCT2BIN", ("777",), "111111111"),
    ("OCT2BIN", ("7777777000",), "1000000000"),
    ("HEX2BIN", ("1FF",), "111111111"),
    ("HEX2BIN", ("f", 10.0), "0000001111"),
    ("HEX2BIN", ("F", 4.9), "1111"),
    ("OCT2DEC", ("4000000000",), -536870912.0),
    ("OCT2DEC", ("3777777777",), 536870911.0),
    ("HEX2DEC", ("8000000000",), -549755813888.0),
    ("HEX2DEC", ("7FFFFFFFFF",), 549755813887.0),
    ("DEC2BIN", (511.0,), "111111111"),
    ("DEC2BIN", (-512.0,), "1000000000"),
    ("DEC2BIN", (0.0, 1.0), "0"),
    ("DEC2BIN", (-1.0, 3.0), "1111111111"),
    ("DEC2OCT", (536870911.0,), "3777777777"),
    ("DEC2OCT", (-536870912.0,), "4000000000"),
    ("DEC2HEX", (549755813887.0,), "7FFFFFFFFF"),
    ("DEC2HEX", (-549755813888.0,), "8000000000"),
    ("DSUM", (DATA, "age", [["Kind"], [None]]), 8.0),
    ("DSUM", (DATA, 1.0, [["Kind", "Age"], ["a", None], [None, ">4"]]), 8.0),
    ("DSUM", (DATA, 1.0, [["Kind", "Age"], ["a", ">4"]]), 0.0),
    ("DSUM", (DATA, 1.0, [[" KIND "], ["B"]]), 5.0),
    ("DCOUNT", (DATA, "Age", [["Kind"], ["b"]]), 1.0),
    ("DCOUNT", (DATA, None, [["Kind"], ["b"]]), 2.0),
    ("DCOUNT", ([["Age"], [REF], ["x"], [True], [1.0]], 1.0, [["Age"], [None]]), 1.0),
    ("DCOUNTA", (DATA, 1.0, [["Kind"], ["b"]]), 1.0),
    ("DCOUNTA", (DATA, 2.0, [["Kind"], ["b"]]), 2.0),
    ("DGET", (DATA, "Age", [["Kind"], ["a"]]), 3.0),
    ("DGET", (DATA, "Kind", [["Age"], [5.0]]), "b"),
    ("DPRODUCT", (DATA, 1.0, [["Kind"], ["c"]]), 0.0),
    ("DPRODUCT", (DATA, 1.0, [["Kind"], [None]]), 15.0),
    ("DMAX", (DATA, 1.0, [["Kind"], ["c"]]), 0.0),
    ("DMIN", (DATA, 1.0, [["Kind"], ["c"]]), 0.0),
    ("DMAX", (DATA, 1.0, [["Kind"], [None]]), 5.0),
    ("DMIN", (DATA, 1.0, [["Kind"], [None]]), 3.0),
    ("DVAR", (DATA, 1.0, [["Kind"], [None]]), 2.0),
    ("DVARP", (DATA, 1.0, [["Kind"], [None]]), 1.0),
    ("DVARP", (DATA, 1.0, [["Kind"], ["a"]]), 0.0),
    ("DSTDEV", (DATA, 1.0, [["Kind"], [None]]), pytest.approx(math.sqrt(2))),
    ("DSTDEVP", (DATA, 1.0, [["Kind"], [None]]), 1.0),
    ("MUNIT", (1.0,), [[1.0]]),
    ("MUNIT", (2.0,), [[1.0, 0.0], [0.0, 1.0]]),
    ("PROB", ([[1.0], [2.0]], [[0.4], [0.6]], 2.0), 0.6),
    ("PROB", ([[1.0], [2.0]], [[0.4], [0.6]], 1.0, 2.0), 1.0),
    ("PROB", ([[1.0]], [[1.0]], 1.0), 1.0),
    ("WRAPROWS", ([[1.0, None, 3.0]], 2.0, 9.0), [[1.0, 0.0], [3.0, 9.0]]),
    ("WRAPROWS", ([[1.0], [2.0]], 5.0), [[1.0, 2.0]]),
    ("WRAPROWS", ([[1.0], [2.0]], 1.0), [[1.0], [2.0]]),
    ("WRAPCOLS", ([[1.0, 2.0, 3.0]], 2.0, 9.0), [[1.0, 3.0], [2.0, 9.0]]),
    ("EXPAND", ([[1.0, None]], 2.0, None, 9.0), [[1.0, 0.0], [9.0, 9.0]]),
    ("EXPAND", ([[1.0], [2.0]], None, 2.0, 9.0), [[1.0, 9.0], [2.0, 9.0]]),
    ("EXPAND", ([[1.0]], 1.0, 1.0), [[1.0]]),
    ("TAKE", ([[1.0], [None], [3.0]], 2.0), [[1.0], [0.0]]),
    ("TAKE", ([[1.0], [2.0], [3.0]], -2.0), [[2.0], [3.0]]),
    ("TAKE", ([[1.0], [2.0]], -9.0), [[1.0], [2.0]]),
    ("TAKE", ([[1.0, 2.0, 3.0]], None, -1.0), [[3.0]]),
    ("DROP", ([[1.0], [2.0], [3.0]], 1.0), [[2.0], [3.0]]),
    ("DROP", ([[1.0], [2.0], [3.0]], -1.0), [[1.0], [2.0]]),
    ("DROP", ([[1.0], [2.0]], 0.0), [[1.0], [2.0]]),
    ("DROP", ([[1.0, 2.0, 3.0]], None, 2.0), [[3.0]]),
    ("FILTER", ([[1.0], [None]], [[0.0], [2.0]]), [[0.0]]),
    ("FILTER", ([[1.0, 2.0]], [[False, True]]), [[2.0]]),
    ("FILTER", ([[1.0, 2.0], [3.0, 4.0]], [[False, True]]), [[2.0], [4.0]]),
    ("FILTER", ([[1.0, 2.0], [3.0, 4.0]], [[True], [False]]), [[1.0, 2.0]]),
    ("FILTER", ([[1.0], [2.0]], [[None], [None]], "none"), "none"),
    ("UNIQUE", ([["a"], ["A"], [1.0], [True], [None]],), [["a"], [1.0], [True], [0.0]]),
    ("UNIQUE", ([[1.0, 1.0, 2.0]], True), [[1.0, 2.0]]),
    ("UNIQUE", ([[1.0], [1.0], [2.0]], None, True), [[2.0]]),
    ("SUMPRODUCT", ([[1.0, 2.0]], [[3.0, 4.0]]), 11.0),
    ("SUMPRODUCT", ([[1.0, "2", True, None]], [[3.0, 4.0, 5.0, 6.0]]), 3.0),
    ("SUMX2MY2", ([[3.0, None]], [[2.0, 7.0]]), 5.0),
    ("SUMX2PY2", ([[3.0]], [[2.0]]), 13.0),
    ("SUMXMY2", ([[3.0], ["x"]], [[1.0], [1.0]]), 4.0),
    ("MODE", ([[2.0], [1.0], [1.0], [2.0]],), 2.0),
    ("MODE.MULT", ([[2.0], [1.0], [1.0], [2.0], [3.0]],), [[2.0], [1.0]]),
    ("FREQUENCY", ([[1.0], [2.0], [3.0]], [[2.0], [2.0]]), [[2.0], [0.0], [1.0]]),
    ("FREQUENCY", ([[1.0], [-1.0]], [[None]]), [[1.0], [1.0]]),
    ("FREQUENCY", ([[1.0], ["x"], [5.0]], [[4.0], [1.0]]), [[0.0], [1.0], [1.0]]),
    ("TB.AGGREGATE", (14.0, 6.0, [[1.0], [3.0], [2.0]], 1.0), 3.0),
    ("TB.AGGREGATE", (14.0, 6.0, [[1.0], [3.0], [REF]], 1.5), 1.0),
    ("TB.AGGREGATE", (15.0, 6.0, [[1.0], [3.0], [2.0]], 3.0), 3.0),
    ("TB.AGGREGATE", (16.0, 4.0, [[1.0], [3.0]], 0.5), 2.0),
    ("TB.AGGREGATE", (16.0, 4.0, [[1.0], [3.0]], 0.0), 1.0),
    ("TB.AGGREGATE", (16.0, 4.0, [[1.0], [3.0]], 1.0), 3.0),
    ("TB.AGGREGATE", (17.0, 4.0, [[1.0], [3.0]], 1.9), 1.5),
    ("TB.AGGREGATE", (17.0, 4.0, [[1.0], [3.0]], 4.0), 3.0),
    ("TB.AGGREGATE", (18.0, 4.0, [[1.0], [2.0], [3.0]], 0.25), 1.0),
    ("TB.AGGREGATE", (18.0, 4.0, [[1.0], [2.0], [3.0]], 0.75), 3.0),
    ("TB.AGGREGATE", (19.0, 4.0, [[1.0], [2.0], [3.0]], 2.0), 2.0),
    ("TB.AGGREGATE", (14.0, 4.0, [[1.0], [2.0]], [[1.0, 2.0]]), [[2.0, 1.0]]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "value"), KEPT)
def test_what_lies_inside(
    answers: Answers, name: str, given: tuple[object, ...], value: object
) -> None:
    found = answers[name](*given)
    assert type(found) is type(value) or type(found) is float
    assert found == value


def test_the_number_of_arguments_is_held(answers: Answers) -> None:
    for name, row in ANSWERS.items():
        arguments = read(row.signature)
        least = sum(not argument.optional for argument in arguments)
        # A repeated argument may be left out in `SUMPRODUCT()`, which is refused by itself.
        few = answers[name](*[1.0] * (least - 1)) if least else CellError(VALUE)
        assert shown(few) == VALUE, name
        if not arguments[-1].repeated:
            assert shown(answers[name](*[1.0] * (len(arguments) + 1))) == VALUE, name
