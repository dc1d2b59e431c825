"""Matrices: products, inverses, determinants, and units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbooks.excel.runtime.coerce import Grid, Refusal

_MOST_OF_UNIT = 1000


def matrix(grid: Grid) -> NDArray[np.float64]:
    """Return the numbers of a range in which nothing else stands."""
    for row in grid:
        for one in row:
            if one is None or isinstance(one, str | bool):
                raise Refusal("#VALUE!", "every cell of a matrix must hold a number")
    return np.array(grid, dtype=np.float64)


def _square(grid: Grid) -> NDArray[np.float64]:
    numbers = matrix(grid)
    if numbers.shape[0] != numbers.shape[1]:
        raise Refusal("#VALUE!", "the matrix must have as many rows as columns")
    return numbers


def mmult(left: Grid, right: Grid) -> Any:
    """Return the product of two matrices."""
    a, b = matrix(left), matrix(right)
    if a.shape[1] != b.shape[0]:
        raise Refusal("#VALUE!", "the first matrix must have as many columns as the second rows")
    return (a @ b).tolist()


def minverse(grid: Grid) -> Any:
    """Return the inverse of a matrix."""
    try:
        return np.linalg.inv(_square(grid)).tolist()
    except np.linalg.LinAlgError as error:
        raise Refusal("#NUM!", str(error)) from error


def mdeterm(grid: Grid) -> float:
    """Return the determinant of a matrix."""
    return float(np.linalg.det(_square(grid)))


def munit(size: int) -> Any:
    """Return a unit matrix."""
    if not 1 <= size <= _MOST_OF_UNIT:
        raise Refusal("#VALUE!", f"the size must be 1 to {_MOST_OF_UNIT}")
    return np.eye(size).tolist()


def prob(values: Grid, chances: Grid, low: float, high: float | None = None) -> float:
    """Return the chance of the values that lie between two."""
    x, p = matrix(values).ravel(), matrix(chances).ravel()
    if x.size != p.size:
        raise Refusal("#N/A", "as many chances as values are wanted")
    if (p <= 0).any() or (p > 1).any() or abs(p.sum() - 1) > 1e-9:
        raise Refusal("#NUM!", "the chances must lie above 0 and add up to 1")
    top = low if high is None else high
    return float(p[(x >= low) & (x <= top)].sum())
