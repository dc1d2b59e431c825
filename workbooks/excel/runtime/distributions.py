"""Student's t, chi squared and F, by SciPy; Excel cuts the degrees of freedom to whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

from udfs.cells import CellError
from workbooks.excel.runtime.corrected import number_of

_MOST_DEGREES = 1e10


def _degrees(cell: Any) -> float:
    degrees = float(int(number_of(cell)))
    if not 1 <= degrees <= _MOST_DEGREES:
        raise ArithmeticError("the degrees of freedom must be 1 or more")
    return degrees


def _at_least_0(cell: Any) -> float:
    x = number_of(cell)
    if x < 0:
        raise ArithmeticError("the value must be 0 or more")
    return x


def _chance(cell: Any, *, whole: bool = False) -> float:
    p = number_of(cell)
    if not (0 < p <= 1 if whole else 0 < p < 1):
        raise ArithmeticError("the probability must lie between 0 and 1")
    return p


def _chi_dist(x: Any, degrees: Any, cumulative: Any) -> float:
    from scipy.special import chdtr  # noqa: PLC0415 - seldom needed, and slow to load

    value, k = _at_least_0(x), _degrees(degrees) / 2
    if number_of(cumulative):
        return float(chdtr(2 * k, value))
    if value == 0:
        return 0.5 if k == 1 else 0.0
    return math.exp((k - 1) * math.log(value) - value / 2 - k * math.log(2) - math.lgamma(k))


def _chi_right(x: Any, degrees: Any) -> float:
    from scipy.special import chdtrc  # noqa: PLC0415

    return float(chdtrc(_degrees(degrees), _at_least_0(x)))


def _chi_inverse(p: Any, degrees: Any) -> float:
    from scipy.special import gammaincinv  # noqa: PLC0415

    return float(2 * gammaincinv(_degrees(degrees) / 2, 0.0 if not p else _chance(p)))


def _chi_inverse_right(p: Any, degrees: Any) -> float:
    from scipy.special import chdtri  # noqa: PLC0415

    return float(chdtri(_degrees(degrees), _chance(p, whole=True)))


def _chi_test(actual: Any, expected: Any) -> Any:
    seen = actual if isinstance(actual, list) else [[actual]]
    awaited = expected if isinstance(expected, list) else [[expected]]
    height, width = len(seen), len(seen[0])
    if (height, width) != (len(awaited), len(awaited[0])) or height * width == 1:
        return CellError("#N/A", "the ranges have different sizes, or one cell")
    total = 0.0
    for a, e in zip(chain(*seen), chain(*awaited), strict=True):
        if type(a) is float and type(e) is float:
            if e == 0:
                return CellError("#DIV/0!", "0 is expected")
            total += (a - e) ** 2 / e
    degrees = (height - 1) * (width - 1) if min(height, width) > 1 else height * width - 1
    return _chi_right(total, float(degrees))


def _f_dist(x: Any, first: Any, second: Any, cumulative: Any) -> float:
    from scipy.special import betaln, fdtr  # noqa: PLC0415

    value, m, n = _at_least_0(x), _degrees(first), _degrees(second)
    if number_of(cumulative):
        return float(fdtr(m, n, value))
    if value == 0:
        return 1.0 if m == 2 else 0.0
    power = m / 2 * math.log(m / n) + (m / 2 - 1) * math.log(value)
    return math.exp(power - (m + n) / 2 * math.log1p(m * value / n) - float(betaln(m / 2, n / 2)))


def _f_right(x: Any, first: Any, second: Any) -> float:
    from scipy.special import fdtrc  # noqa: PLC0415

    return float(fdtrc(_degrees(first), _degrees(second), _at_least_0(x)))


def _f_inverse(p: Any, first: Any, second: Any) -> float:
    from scipy.special import fdtri  # noqa: PLC0415

    return float(fdtri(_degrees(first), _degrees(second), _chance(p)))


def _f_inverse_right(p: Any, first: Any, second: Any) -> float:
    # The reciprocal of F has its degrees changed over; 1 - p would lose digits.
    return 1 / _f_inverse(p, second, first)


def _t_dist(x: Any, degrees: Any, cumulative: Any) -> float:
    from scipy.special import stdtr  # noqa: PLC0415

    value, n = number_of(x), _degrees(degrees)
    if number_of(cumulative):
        return float(stdtr(n, value))
    scale = math.lgamma((n + 1) / 2) - math.lgamma(n / 2) - math.log(n * math.pi) / 2
    return math.exp(scale - (n + 1) / 2 * math.log1p(value * value / n))


def _t_right(x: Any, degrees: Any) -> float:
    from scipy.special import stdtr  # noqa: PLC0415

    return float(stdtr(_degrees(degrees), -number_of(x)))


def _t_both(x: Any, degrees: Any) -> float:
    return 2 * _t_right(_at_least_0(x), degrees)


def _t_tails(x: Any, degrees: Any, tails: Any) -> float:
    count = int(number_of(tails))
    if count not in (1, 2):
        raise ArithmeticError("there are one or two tails")
    return count * _t_right(_at_least_0(x), degrees)


def _t_inverse(p: Any, degrees: Any) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(stdtrit(_degrees(degrees), _chance(p)))


def _t_inverse_both(p: Any, degrees: Any) -> float:
    from scipy.special import stdtrit  # noqa: PLC0415

    return float(-stdtrit(_degrees(degrees), _chance(p, whole=True) / 2))


#: The functions by name.
DISTRIBUTIONS: dict[str, Callable[..., Any]] = {
    "CHISQ.DIST": _chi_dist,
    "CHISQ.DIST.RT": _chi_right,
    "CHIDIST": _chi_right,
    "CHISQ.INV": _chi_inverse,
    "CHISQ.INV.RT": _chi_inverse_right,
    "CHIINV": _chi_inverse_right,
    "CHISQ.TEST": _chi_test,
    "CHITEST": _chi_test,
    "F.DIST": _f_dist,
    "F.DIST.RT": _f_right,
    "FDIST": _f_right,
    "F.INV": _f_inverse,
    "F.INV.RT": _f_inverse_right,
    "FINV": _f_inverse_right,
    "T.DIST": _t_dist,
    "T.DIST.2T": _t_both,
    "T.DIST.RT": _t_right,
    "TDIST": _t_tails,
    "T.INV": _t_inverse,
    "T.INV.2T": _t_inverse_both,
    "TINV": _t_inverse_both,
}
