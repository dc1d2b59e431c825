"""Worksheet functions of values and ranges over columns; each is told how Excel treats a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbooks.scenarios.compiled.operators import as_text, logical, numeric
from workbooks.scenarios.compiled.values import (
    BLANK,
    BOOL,
    DIV0,
    ERROR,
    NA,
    NUM,
    NUMBER,
    TEXT,
    VALUE,
    Column,
    Grid,
    Texts,
    UnsupportedError,
    Value,
    anywhere,
    error,
    everywhere,
    first_error,
    is_kind,
    merged,
    number,
    sound,
    truth,
)

# By so much of itself a decimal number may miss what it stands for, once it is multiplied.
_SLIP = 4e-16

#: A function of single values.
Scalar = Callable[..., Column]


def _of_numbers(function: Callable[..., Any], code: float = NUM) -> Callable[..., Column]:
    """Return a function of numbers; what is not finite is an error of this code."""

    def call(texts: Texts, *arguments: Column) -> Column:
        given = [numeric(argument, texts) for argument in arguments]
        result = sound(function(*(one.num for one in given)), code)
        return first_error(given, result)

    return call


def _about(test: Callable[[Column], Any]) -> Scalar:
    return lambda _texts, column: truth(test(column))


def _is_error_but(column: Column, *but: float) -> Any:
    result = is_kind(column, ERROR)
    for code in but:
        result = np.logical_and(result, np.not_equal(column.num, code))
    return result if isinstance(result, np.ndarray) and result.ndim else bool(result)


def _n(texts: Texts, column: Column) -> Column:
    shown = merged(is_kind(column, TEXT), number(0.0), column)
    return numeric(shown, texts)


def _if_error(test: Callable[[Column], Any]) -> Scalar:
    def call(_texts: Texts, column: Column, otherwise: Column) -> Column:
        shown = merged(is_kind(column, BLANK), number(0.0), column)
        return merged(test(column), otherwise, shown)

    return call


def _choose(texts: Texts, index: Column, *values: Column) -> Column:
    chosen = numeric(index, texts)
    place = np.trunc(chosen.num)
    result = error(VALUE)
    for i, value in enumerate(values, 1):
        hit = np.equal(place, i)
        result = merged(hit if hit.ndim else bool(hit), value, result)
    return first_error([chosen], result)


def _not(texts: Texts, column: Column) -> Column:
    found = logical(column, texts)
    return merged(is_kind(found, ERROR), found, truth(np.equal(found.num, 0)))


def _len(texts: Texts, column: Column) -> Column:
    shown = as_text(column, texts)
    lengths = [float(len(text)) for text in texts.known]
    places = np.where(is_kind(shown, TEXT), shown.num, 0)
    found = texts.mapped(places if places.ndim else float(places), lengths)
    return first_error([shown], Column(NUMBER, found))


def _part(cut: Callable[[str, int], str]) -> Scalar:
    def call(texts: Texts, column: Column, count: Column | None = None) -> Column:
        wanted = numeric(count or number(1.0), texts)
        if not wanted.constant or wanted.kind != NUMBER or wanted.num < 0:
            raise UnsupportedError("a count of characters that is no plain number")
        shown = as_text(column, texts)
        places = np.where(is_kind(shown, TEXT), shown.num, 0)
        table = [texts.place(cut(text, int(wanted.num))) for text in list(texts.known)]
        found = texts.mapped(places if places.ndim else float(places), table)
        return first_error([shown], Column(TEXT, found))

    return call


def _mod(a: Any, b: Any) -> Any:
    return np.where(
        np.equal(b, 0), np.nan, np.subtract(a, np.multiply(b, np.floor(np.divide(a, b))))
    )


def _pmt(rate: Any, periods: Any, present: Any, future: Any = 0.0, due: Any = 0.0) -> Any:
    growth = np.power(1 + np.asarray(rate), periods)
    straight = np.equal(rate, 0)
    payment = (
        -(present * growth + future) * rate / ((growth - 1) * (1 + rate * (np.not_equal(due, 0))))
    )
    return np.where(straight, np.negative(np.add(present, future)) / periods, payment)


def _rounding(how: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def call(x: Any, digits: Any) -> Any:
        factor = np.power(10.0, np.trunc(digits))
        scaled = np.multiply(x, factor)
        # 1.005·100 is meant to be 100.5, and 162.73·100 to be whole.
        half = np.rint(scaled * 2) / 2
        meant = np.abs(scaled - half) <= _SLIP * np.abs(scaled)
        return np.divide(how(np.where(meant, half, scaled)), factor)

    return call


def _half_up(x: Any) -> Any:
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def _away(x: Any) -> Any:
    return np.copysign(np.ceil(np.abs(x)), x)


def _normal(x: Any) -> Any:
    from scipy.special import ndtr  # noqa: PLC0415  (heavy, and only wanted here)

    return ndtr(x)


#: Functions of single values: texts first, then the arguments.
SCALARS: Mapping[str, Scalar] = {
    "ABS": _of_numbers(np.abs),
    "INT": _of_numbers(np.floor),
    "SQRT": _of_numbers(np.sqrt),
    "EXP": _of_numbers(np.exp),
    "LN": _of_numbers(np.log),
    "LOG10": _of_numbers(np.log10),
    "SIGN": _of_numbers(np.sign),
    "PI": lambda _texts: number(np.pi),
    "TRUE": lambda _texts: truth(True),
    "FALSE": lambda _texts: truth(False),
    "NA": lambda _texts: error(NA),
    "MOD": _of_numbers(_mod, DIV0),
    "ROUND": _of_numbers(_rounding(_half_up)),
    "ROUNDUP": _of_numbers(_rounding(_away)),
    "ROUNDDOWN": _of_numbers(_rounding(np.trunc)),
    "PMT": _of_numbers(_pmt),
    "NORMSDIST": _of_numbers(_normal),
    "NOT": _not,
    "N": _n,
    "CHOOSE": _choose,
    "LEN": _len,
    "LEFT": _part(lambda text, count: text[:count]),
    "RIGHT": _part(lambda text, count: text[-count:] if count else ""),
    "ISNUMBER": _about(lambda c: is_kind(c, NUMBER)),
    "ISTEXT": _about(lambda c: is_kind(c, TEXT)),
    "ISNONTEXT": _about(lambda c: np.logical_not(is_kind(c, TEXT))),
    "ISLOGICAL": _about(lambda c: is_kind(c, BOOL)),
    "ISBLANK": _about(lambda c: is_kind(c, BLANK)),
    "ISERROR": _about(lambda c: is_kind(c, ERROR)),
    "ISERR": _about(lambda c: _is_error_but(c, NA)),
    "ISNA": _about(lambda c: np.logical_and(is_kind(c, ERROR), np.equal(c.num, NA))),
    "IFERROR": _if_error(lambda c: is_kind(c, ERROR)),
    "IFNA": _if_error(lambda c: np.logical_and(is_kind(c, ERROR), np.equal(c.num, NA))),
}


def counted(arguments: Sequence[Value], texts: Texts) -> list[Column]:
    """Return what a total counts: the numbers of ranges, and what single values come to."""
    found: list[Column] = []
    for argument in arguments:
        if isinstance(argument, Grid):
            found += argument.cells()
        else:
            found.append(numeric(argument, texts))
    return found


def _total(step: Callable[[Any, Any], Any], empty: float) -> Callable[..., Column]:
    """Return a total over all numbers; `empty` where there are none."""

    def call(texts: Texts, *arguments: Value) -> Column:
        columns = counted(arguments, texts)
        total: Any = None
        seen: Any = False
        for column in columns:
            is_number = is_kind(column, NUMBER)
            if not anywhere(is_number):
                continue
            if total is None:
                total, seen = np.where(is_number, column.num, empty), is_number
                continue
            both = np.where(seen, step(total, column.num), column.num)
            total = np.where(is_number, both, total)
            seen = np.logical_or(seen, is_number)
        if total is None:
            total = np.float64(empty)
        result = sound(total if np.ndim(total) else float(total), NUM)
        return first_error(columns, result)

    return call


def count_of(_texts: Texts, *arguments: Value) -> Column:
    """Count the numbers of ranges, and single values that are numbers."""
    total: Any = 0.0
    for argument in arguments:
        for column in argument.cells() if isinstance(argument, Grid) else [argument]:
            total = total + np.asarray(is_kind(column, NUMBER), dtype=np.float64)
            if not isinstance(argument, Grid) and not everywhere(is_kind(column, NUMBER)):
                raise UnsupportedError("COUNT of a single value that is no number")
    return Column(NUMBER, total if np.ndim(total) else float(total))


def count_all(_texts: Texts, *arguments: Value) -> Column:
    """Count what is not blank."""
    total: Any = 0.0
    for argument in arguments:
        for column in argument.cells() if isinstance(argument, Grid) else [argument]:
            filled = np.logical_not(is_kind(column, BLANK))
            total = total + np.asarray(filled, dtype=np.float64)
    return Column(NUMBER, total if np.ndim(total) else float(total))


def average(texts: Texts, *arguments: Value) -> Column:
    """Return the mean of the numbers."""
    columns = counted(arguments, texts)
    total = _SUM(texts, *arguments)
    count = sum((np.asarray(is_kind(c, NUMBER), dtype=np.float64) for c in columns), np.float64(0))
    mean = sound(
        np.divide(total.num, count)
        if np.ndim(count) or np.ndim(total.num)
        else (float(total.num) / float(count) if count else np.nan),
        DIV0,
    )
    return first_error([total], mean)


def _conditions(joined: Callable[[Any, Any], Any], start: bool) -> Callable[..., Column]:
    def call(texts: Texts, *arguments: Value) -> Column:
        result: Any = start
        columns: list[Column] = []
        for argument in arguments:
            for column in argument.cells() if isinstance(argument, Grid) else [argument]:
                if isinstance(argument, Grid):
                    passed = np.logical_or(is_kind(column, TEXT), is_kind(column, BLANK))
                    if everywhere(passed):
                        continue
                    if anywhere(passed):
                        raise UnsupportedError("texts among conditions in some draws")
                found = logical(column, texts)
                columns.append(found)
                result = joined(result, np.not_equal(found.num, 0))
        if not columns:
            return error(VALUE)
        return first_error(columns, truth(result if np.ndim(result) else bool(result)))

    return call


def sum_product(_texts: Texts, *arguments: Value) -> Column:
    """Multiply arrays cell by cell and add up; what is no number counts 0."""
    grids = [a if isinstance(a, Grid) else Grid([[a]]) for a in arguments]
    if len({grid.shape for grid in grids}) != 1:
        return error(VALUE)
    lists = [grid.cells() for grid in grids]
    total: Any = 0.0
    for group in zip(*lists, strict=True):
        product: Any = 1.0
        for column in group:
            product = product * np.where(is_kind(column, NUMBER), column.num, 0.0)
        total = total + product
    result = sound(total if np.ndim(total) else float(total), NUM)
    return first_error([column for one in lists for column in one], result)


def _npv(texts: Texts, rate: Value, *flows: Value) -> Column:
    if isinstance(rate, Grid):
        raise UnsupportedError("NPV with a range of rates")
    base = numeric(rate, texts)
    columns = counted(flows, texts)
    total: Any = 0.0
    factor: Any = 1.0
    for column in columns:
        is_number = is_kind(column, NUMBER)
        if (
            anywhere(is_number)
            and not everywhere(is_number)
            and not anywhere(is_kind(column, ERROR))
        ):
            raise UnsupportedError("NPV of cells that are numbers in some draws")
        if anywhere(is_number):
            factor = factor * (1 + base.num)
            total = total + column.num / factor
    result = sound(total if np.ndim(total) else float(total), DIV0)
    return first_error([base, *columns], result)


_SUM = _total(np.add, 0.0)
#: Functions of ranges: texts first, then the arguments, ranges whole.
WHOLE: Mapping[str, Callable[..., Column]] = {
    "SUM": _SUM,
    "PRODUCT": _total(np.multiply, 0.0),
    "MIN": _total(np.minimum, 0.0),
    "MAX": _total(np.maximum, 0.0),
    "AVERAGE": average,
    "COUNT": count_of,
    "COUNTA": count_all,
    "AND": _conditions(np.logical_and, True),
    "OR": _conditions(np.logical_or, False),
    "SUMPRODUCT": sum_product,
    "NPV": _npv,
}
