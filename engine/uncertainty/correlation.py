"""Rank correlation between inputs: is a matrix possible, which is nearest, and draws that have it.

Iman and Conover (1982), "A distribution-free approach to inducing rank correlation among input
variables", Communications in Statistics 11(3); Higham (2002), "Computing the nearest correlation
matrix", IMA Journal of Numerical Analysis 22(3).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from engine.errors import DomainError
from engine.uncertainty.inverse import normal_quantile

Array = NDArray[np.float64]

# An eigenvalue above this is taken for 0: rounding of a matrix that is just possible.
_ROUNDING = -1e-9
_MOST_STEPS = 2_000
_CLOSE = 1e-13
# The smallest eigenvalue of a matrix that is put in another's place: it can be factored.
_LEAST = 1e-8


def checked(matrix: Array, names: Sequence[str]) -> Array:
    """Return a matrix of correlations, or say what is impossible about it.

    Parameters
    ----------
    matrix : NDArray
        Correlations, symmetric, 1 on the diagonal [-].
    names : Sequence[str]
        What the rows stand for, for the message [-].

    Returns
    -------
    NDArray
        The same matrix [-].

    Raises
    ------
    DomainError
        Where an entry is outside −1 to 1, or the entries contradict each other; the nearest
        matrix that is possible is told.

    Examples
    --------
    >>> checked(np.array([[1.0, 0.5], [0.5, 1.0]]), "ab").tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    pairs = list(combinations(range(len(names)), 2))
    for i, j in pairs:
        if not -1 <= matrix[i, j] <= 1:
            raise DomainError(
                f"the correlation of {names[i]} and {names[j]} is {matrix[i, j]:g}; "
                "it must be -1 to 1"
            )
    if np.linalg.eigvalsh(matrix)[0] >= _ROUNDING:
        return matrix
    closest = nearest(matrix)
    moved = sorted(pairs, key=lambda pair: -abs(closest[pair] - matrix[pair]))
    told = "; ".join(
        f"{names[i]} and {names[j]}: {closest[i, j]:.4f} in place of {matrix[i, j]:g}"
        for i, j in moved
        if abs(closest[i, j] - matrix[i, j]) >= 5e-5
    )
    first, second = (names[place] for place in moved[0])
    raise DomainError(
        f"no draws can have these correlations, least of all that of {first} and {second}; "
        f"the nearest that are possible: {told}"
    )


def nearest(matrix: Array) -> Array:
    """Return the nearest correlation matrix by Higham's alternating projections.

    Examples
    --------
    >>> nearest(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])).round(4)[0].tolist()
    [1.0, 0.7607, 0.1573]
    """
    found = np.array(matrix, dtype=np.float64)
    carried = np.zeros_like(found)
    for _ in range(_MOST_STEPS):
        before = found
        shifted = found - carried
        values, vectors = np.linalg.eigh(shifted)
        projected = (vectors * np.maximum(values, _LEAST)) @ vectors.T
        carried = projected - shifted
        found = projected.copy()
        np.fill_diagonal(found, 1.0)
        if np.max(np.abs(found - before)) < _CLOSE:
            break
    return np.clip((found + found.T) / 2, -1, 1)


def arranged(u: Array, correlation: Array, generator: np.random.Generator) -> Array:
    """Return draws put into an order in which their ranks are correlated; no value changes.

    Parameters
    ----------
    u : NDArray
        Draws, a row an input; all their values stay [-].
    correlation : NDArray
        Rank correlations wanted, a valid matrix [-].
    generator : Generator
        Shuffles the scores.

    Notes
    -----
    Equation: scores Φ⁻¹(i/(n + 1)), shuffled for each input, are decorrelated and given the
    correlation ``2·sin(π·ρ/6)`` by Cholesky factors; each input then takes their ranks. That is
    the correlation of two normal variables whose rank correlation is ρ (Pearson 1907).
    """
    count, size = u.shape
    if size <= count:
        raise DomainError(f"{size} draws are too few to correlate {count} inputs")
    wanted = 2 * np.sin(np.pi * correlation / 6)
    np.fill_diagonal(wanted, 1.0)
    if np.linalg.eigvalsh(wanted)[0] < _LEAST:
        # Just possible for ranks, and by a hair not for the normal scores behind them.
        wanted = nearest(wanted)
    scores = normal_quantile(np.arange(1, size + 1) / (size + 1))
    shuffled = np.array([generator.permutation(scores) for _ in range(count)])
    # einsum sums in an order of its own making, which no number of processors changes.
    held = np.einsum("ik,jk->ij", shuffled, shuffled) / np.einsum("k,k->", scores, scores)
    mixing = np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(held))
    result = np.empty_like(u)
    for i in range(count):
        mixed = np.einsum("j,jk->k", mixing[i], shuffled)
        result[i, np.argsort(mixed, kind="stable")] = np.sort(u[i])
    return result
