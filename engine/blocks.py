"""Arrays worked through in blocks that fit the processor's cache.

A formula of a hundred operations over a million elements would move a hundred arrays through main
memory. In blocks of a few thousand elements the intermediate arrays stay in the cache, and the
memory needed beyond arguments and results does not grow with their length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: A float, or an array of floats.
Number: TypeAlias = float | NDArray[np.float64]

#: Elements of one block: half a dozen live arrays of float64 stay within half a megabyte.
BLOCK = 12288

#: An array argument that counts in the loop, or a scalar that stays a scalar.
Argument: TypeAlias = Number | NDArray[np.intp]


def in_blocks(
    function: Callable[..., tuple[Number, ...]],
    arguments: Sequence[Argument],
    results: int,
    size: int = BLOCK,
) -> tuple[Number, ...]:
    """Apply a function of broadcast arrays block by block.

    Parameters
    ----------
    function : Callable
        Takes the arguments, gives as many results as said; scalars are handed on as scalars, so
        that what depends on them alone is computed once for each block and not for each element.
    arguments : sequence
        Floats and arrays that broadcast together.
    results : int
        How many results the function gives.
    size : int
        Elements of one block.

    Returns
    -------
    tuple of Number
        Floats where every argument is one, arrays of the broadcast shape otherwise.
    """
    places = [i for i, argument in enumerate(arguments) if isinstance(argument, np.ndarray)]
    if not places:
        return function(*arguments)
    arrays: list[Any] = [arguments[i] for i in places]
    settings: dict[str, Any] = {
        "flags": ["external_loop", "buffered", "zerosize_ok"],
        "op_flags": [["readonly"]] * len(arrays) + [["writeonly", "allocate"]] * results,
        "op_dtypes": [a.dtype for a in arrays] + [np.dtype(np.float64)] * results,
        "order": "C",
        "buffersize": size,
    }
    loop = np.nditer([*arrays, *[None] * results], **settings)
    current: list[Any] = list(arguments)
    with loop:
        for chunk in loop:
            for i, values in zip(places, chunk, strict=False):
                current[i] = values
            for out, result in zip(chunk[len(places) :], function(*current), strict=True):
                out[...] = result
        return tuple(loop.operands[len(places) :])


def of_whole(function: Callable[[Number], Number], values: Number) -> Number:
    """Apply a slow function; to many whole numbers by looking up its answers to each of them.

    Parameters
    ----------
    function : Callable
        Of one number, element by element.
    values : Number
        Floats of 1 or more; where few of many differ, as requests do, each is answered once.
    """
    if isinstance(values, np.ndarray) and values.size:
        most = values.max()
        if 2 * most <= values.size and values.min() >= 1:
            places = values.astype(np.intp)
            if (places == values).all():
                answers: Number = np.take(function(np.arange(1.0, most + 1.0)), places - 1)
                return answers
    return function(values)


def times(values: Number, factor: Number) -> Number:
    """Return a product; the first itself where the second is a plain 1."""
    return values if isinstance(factor, float) and factor == 1.0 else values * factor


def any_of(values: Number | NDArray[np.bool_]) -> bool:
    """Tell whether any value is other than 0, so that what it multiplies is worth computing."""
    if isinstance(values, np.ndarray):
        return bool(np.any(values))
    # Of a value that is no number yet, all is computed that any number may need.
    return bool(values) if isinstance(values, float | bool | np.generic) else True
