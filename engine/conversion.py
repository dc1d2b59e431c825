"""Arguments as floats and arrays of floats; what is no number is refused by name.

Lists, NumPy and pandas alike: dates, booleans, masked, complex and text are no numbers. pandas
arguments are brought into one order of rows and columns, which the result then carries.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError

#: What an array of this kind holds, where that is no numbers.
_NO_NUMBERS = {
    "b": "booleans",
    "M": "dates",
    "m": "durations",
    "c": "complex numbers",
    "S": "bytes",
    "U": "texts",
    "T": "texts",
    "V": "records",
    "category": "categories",
}
_PLAIN = "fiu"


def array_of(name: str, value: Any) -> NDArray[np.float64]:
    """Return a value as an array of floats, of any number of dimensions.

    Parameters
    ----------
    name : str
        Name of the argument, for the message of what is refused.
    value : array-like
        Numbers; None and pandas' NA inside an array become NaN.
    """
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value
    # It is loaded when it is first named, and before that there is no such array.
    if "numpy.ma" in sys.modules and isinstance(value, np.ma.MaskedArray):
        raise InputError(f"{name} is a masked array; fill in what is masked first")
    kinds = {_kind(dtype) for dtype in _dtypes(value)}
    if told := [_NO_NUMBERS[kind] for kind in sorted(kinds) if kind in _NO_NUMBERS]:
        raise InputError(f"{name} holds {' and '.join(told)}; it must hold numbers")
    if kinds <= set(_PLAIN) and kinds:
        if is_pandas(value):
            return np.asarray(value.to_numpy(dtype=np.float64, na_value=np.nan))
        return np.asarray(value, dtype=np.float64)
    elements = np.asarray(value, dtype=object)
    for kind in sorted(set(map(type, elements.ravel().tolist())), key=lambda t: t.__name__):
        if not _is_number(kind):
            raise InputError(f"{name} holds a {kind.__name__}; it must hold numbers")
    return elements.astype(np.float64)


def is_pandas(value: Any) -> bool:
    """Tell a Series or DataFrame of pandas, without importing pandas."""
    return type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "axes")


def aligned(names: Sequence[str], values: list[Any]) -> Callable[[Any], Any]:
    """Bring the pandas values into one order, in place; return what labels the result.

    Parameters
    ----------
    names : sequence of str
        Names of the arguments.
    values : list
        Their values; those of pandas are replaced by themselves in the order of the first.
    """
    places = [i for i, value in enumerate(values) if is_pandas(value)]
    if not places:
        return lambda result: result
    first = values[places[0]]
    for i in places[1:]:
        other = values[i]
        pair = f"{names[places[0]]} and {names[i]}"
        if type(other) is not type(first):
            raise InputError(f"{pair}: a Series and a DataFrame have no labels in common")
        for axis, (wanted, found) in enumerate(zip(first.axes, other.axes, strict=True)):
            if found.equals(wanted):
                continue
            if not (found.is_unique and wanted.is_unique and set(found) == set(wanted)):
                what = ("index", "columns")[axis]
                raise InputError(f"{pair} must have the same labels in their {what}")
            other = other.reindex(wanted, axis=axis)
        values[i] = other

    def wrap(result: Any) -> Any:
        if result.shape != first.shape:
            return result
        labels = dict(zip(("index", "columns"), first.axes, strict=False))
        return type(first)(result, **labels)

    return wrap


def _dtypes(value: Any) -> list[Any]:
    if hasattr(value, "dtypes") and is_pandas(value):
        found = value.dtypes
        return list(found) if hasattr(found, "__iter__") else [found]
    return [value.dtype] if hasattr(value, "dtype") else []


def _kind(dtype: Any) -> str:
    return "category" if str(dtype) == "category" else str(getattr(dtype, "kind", "O"))


def _is_number(kind: type) -> bool:
    if issubclass(kind, bool | np.bool_):
        return False
    return issubclass(kind, Real | Decimal) or kind is type(None)
