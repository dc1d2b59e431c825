"""Operators over columns: arithmetic, comparison and joining of texts, as Excel has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbooks.excel.odd_texts import may_be_read
from workbooks.excel.runtime.digits import NOTHING
from workbooks.scenarios.compiled.values import (
    BLANK,
    BOOL,
    DIV0,
    ERROR,
    NUM,
    NUMBER,
    TEXT,
    VALUE,
    Column,
    Texts,
    UnsupportedError,
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

# Numbers that differ by less than this share of themselves may be alike in 15 digits.
_CLOSE = 1e-14
# Numbers between these are written without an exponent.
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-4, 1e15


def numeric(column: Column, texts: Texts) -> Column:
    """Return numbers: truth values count 0 and 1, a blank 0; a text is `#VALUE!`."""
    kind, num = column
    if isinstance(kind, int):
        if kind in (NUMBER, ERROR):
            return column
        if kind in (BOOL, BLANK):
            return Column(NUMBER, num)
    is_text = is_kind(column, TEXT)
    if anywhere(is_text):
        if any(map(may_be_read, texts.among(column))):
            raise UnsupportedError("a text that spells a number")
        column = merged(is_text, error(VALUE), column)
        kind, num = column
    if isinstance(kind, int):
        return column
    wrong = kind == ERROR
    return Column(np.where(wrong, ERROR, NUMBER).astype(np.uint8) if wrong.any() else NUMBER, num)


def arithmetic(operator: str, left: Column, right: Column, texts: Texts) -> Column:
    """Apply an arithmetic operator."""
    a, b = numeric(left, texts), numeric(right, texts)
    values, code = _ARITHMETIC[operator](a.num, b.num)
    result = sound(values, code)
    if isinstance(a.kind, int) and isinstance(b.kind, int) and a.kind == b.kind == NUMBER:
        return result
    return first_error([a, b], result)


def _power(base: Any, exponent: Any) -> tuple[Any, Any]:
    none = np.equal(base, 0) & np.less_equal(exponent, 0)
    values = np.where(none, np.nan, np.power(base, exponent))
    code = np.where(np.equal(base, 0) & np.less(exponent, 0), DIV0, NUM)
    return values if values.ndim else float(values), code


_ARITHMETIC: Mapping[str, Callable[[Any, Any], tuple[Any, Any]]] = {
    "+": lambda a, b: (np.add(a, b), NUM),
    "-": lambda a, b: (np.subtract(a, b), NUM),
    "*": lambda a, b: (np.multiply(a, b), NUM),
    "/": lambda a, b: (np.divide(a, b), np.where(np.equal(b, 0), DIV0, NUM)),
    "^": _power,
}


def negative(column: Column, texts: Texts) -> Column:
    """Return the negative."""
    found = numeric(column, texts)
    if isinstance(found.kind, int) and found.kind == NUMBER:
        return Column(NUMBER, -found.num)
    return merged(is_kind(found, ERROR), found, Column(NUMBER, np.negative(found.num)))


def snapped(result: Column, operand: Column) -> Column:
    """Return 0 for the last sum or difference of a formula whose operands cancel out."""
    numbers = np.logical_and(is_kind(result, NUMBER), is_kind(operand, NUMBER))
    nothing = np.abs(result.num) <= NOTHING * np.abs(operand.num)
    gone = np.logical_and(np.logical_and(numbers, nothing), np.not_equal(result.num, 0.0))
    return merged(gone, number(0.0), result) if anywhere(gone) else result


def compared(operator: str, left: Column, right: Column, texts: Texts, *, rounded: bool) -> Column:
    """Compare two values; `rounded` takes 15 digits of numbers, as where one is computed."""
    both = (left, right)
    if all(isinstance(c.kind, int) and c.kind == NUMBER for c in both):
        return truth(_numbers(operator, left.num, right.num, rounded=rounded))
    a, b = _like(left, right, texts), _like(right, left, texts)
    # Numbers come before texts, texts before truth values.
    order_a, order_b = _order(a), _order(b)
    text = is_kind(a, TEXT)
    if (
        anywhere(text)
        and operator not in ("=", "<>")
        and anywhere(np.logical_and(text, is_kind(b, TEXT)))
    ):
        raise UnsupportedError("the order of two texts")
    num_a, num_b = (np.where(is_kind(c, TEXT), _folded(c, texts), c.num) for c in (a, b))
    alike = np.equal(order_a, order_b)
    within = _numbers(operator, num_a, num_b, rounded=rounded)
    between = _COMPARISONS[operator](order_a, order_b)
    result = np.where(alike, within, between)
    return first_error(both, truth(result if result.ndim else bool(result)))


def _folded(column: Column, texts: Texts) -> Any:
    places = np.where(is_kind(column, TEXT), column.num, 0.0)
    return texts.folded(places) if texts.known else 0.0


def _like(column: Column, other: Column, texts: Texts) -> Column:
    """Return a blank as the nothing of what it is compared with."""
    blank = is_kind(column, BLANK)
    if not anywhere(blank):
        return column
    result = merged(is_kind(other, TEXT), texts.column(""), number(0.0))
    result = merged(is_kind(other, BOOL), truth(False), result)
    return merged(blank, result, column)


def _order(column: Column) -> Any:
    kind = np.asarray(column.kind)
    return np.where(kind == TEXT, 1, np.where(kind == BOOL, 2, 0))


def _numbers(operator: str, a: Any, b: Any, *, rounded: bool) -> Any:
    result = _COMPARISONS[operator](a, b)
    if not rounded:
        return result
    close = np.abs(np.subtract(a, b)) <= _CLOSE * np.maximum(np.abs(a), np.abs(b))
    unlike = close & np.not_equal(a, b)
    if not anywhere(unlike):
        return result
    a, b, result = (np.array(x) for x in np.broadcast_arrays(a, b, result))
    for place in zip(*np.nonzero(np.atleast_1d(unlike)), strict=True):
        where = place if result.ndim else ()
        pair = (float(f"{x[where]:.15g}") for x in (a, b))
        result[where] = _COMPARISONS[operator](*pair)
    return result if result.ndim else bool(result)


_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


def joined(left: Column, right: Column, texts: Texts) -> Column:
    """Join two values as texts, once for each pair that comes up."""
    a, b = as_text(left, texts), as_text(right, texts)
    plain = first_error([a, b], Column(TEXT, 0.0))
    if everywhere(is_kind(plain, ERROR)):
        return plain
    if a.constant and b.constant:
        return texts.column(texts.known[int(a.num)] + texts.known[int(b.num)])
    pairs = np.stack(
        np.broadcast_arrays(
            np.where(is_kind(a, TEXT), a.num, 0), np.where(is_kind(b, TEXT), b.num, 0)
        )
    )
    unique, inverse = np.unique(pairs, axis=1, return_inverse=True)
    places = [texts.place(texts.known[int(x)] + texts.known[int(y)]) for x, y in unique.T]
    return first_error([a, b], Column(TEXT, np.array(places)[inverse.ravel()]))


def as_text(column: Column, texts: Texts) -> Column:
    """Return texts; a number as it is written with 15 digits."""
    result = merged(is_kind(column, BLANK), texts.column(""), column)
    result = merged(
        is_kind(column, BOOL),
        merged(np.not_equal(column.num, 0), texts.column("TRUE"), texts.column("FALSE")),
        result,
    )
    numbers = is_kind(column, NUMBER)
    if not anywhere(numbers):
        return result
    values = np.where(numbers, column.num, 0.0)
    sizes = np.abs(values[values != 0])
    if ((sizes >= _LARGEST_PLAIN) | (sizes < _SMALLEST_PLAIN)).any():
        raise UnsupportedError("a text of a very large or very small number")
    unique, inverse = np.unique(values, return_inverse=True)
    places = np.array([texts.place(f"{value:.15g}") for value in unique + 0.0])[inverse.ravel()]
    written = Column(TEXT, places if isinstance(column.num, np.ndarray) else float(places[0]))
    return merged(numbers, written, result)


def logical(column: Column, texts: Texts) -> Column:
    """Return what a condition is: true, false, or the error that it makes."""
    result = Column(
        BOOL,
        np.not_equal(column.num, 0).astype(np.float64)
        if isinstance(column.num, np.ndarray)
        else float(column.num != 0),
    )
    text = is_kind(column, TEXT)
    if anywhere(text):
        if any(known.casefold() in ("true", "false") for known in texts.among(column)):
            raise UnsupportedError("a text that spells a truth value")
        result = merged(text, error(VALUE), result)
    return merged(is_kind(column, ERROR), column, result)
