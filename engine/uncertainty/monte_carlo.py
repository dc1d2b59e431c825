"""The distribution of a function's result, its arguments drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import Scalar, Series, fraction, single, whole
from engine.errors import DomainError
from engine.tables import Table
from engine.uncertainty.distributions import Pert
from engine.uncertainty.draws import BLOCK, LARGEST_SEED, Plan
from engine.uncertainty.named import Rows, Study, study
from engine.uncertainty.statistics import mean, quantiles_of, standard_deviation

__all__ = ["monte_carlo"]

#: More draws than this are a simulation of a workbook's size; see `tokenbook simulate`.
MOST_DRAWS = 10_000_000
_QUANTILES: Any = (0.05, 0.25, 0.5, 0.75, 0.95)


@single(
    "the result is without end there",
    draws=whole(2, MOST_DRAWS),
    seed=whole(0, LARGEST_SEED),
    quantiles=fraction(),
)
def monte_carlo(
    function: str,
    inputs: Rows,
    draws: Scalar = 10_000.0,
    seed: Scalar = 0.0,
    quantiles: Series = _QUANTILES,
) -> Table:
    """Distribution of a function's result over random arguments.

    Parameters
    ----------
    function : str
        Name of a TOK_ function that returns one number [-].
    inputs : Rows
        Rows of argument, low, base, high; a row with its base alone fixes an argument [-].
    draws : Scalar
        How many times the arguments are drawn, 2 to 10,000,000 [-].
    seed : Scalar
        Where the random numbers start; the same seed gives the same numbers on every machine,
        0 to 2^53 [-].
    quantiles : Series
        Shares of the draws that lie below each value shown [-].

    Returns
    -------
    Table
        quantile and its value, then mean and standard deviation [-, -].

    Notes
    -----
    Equation: each argument is drawn from the PERT distribution of its low, base and high (a beta
    distribution with mean (low + 4·base + high)/6), independently of the others; quantiles are
    interpolated between draws as PERCENTILE.INC does; the standard deviation is that of a sample.
    Range: low ≤ base ≤ high, inside the function's own domain; a draw without a result is an
    error that says how many there are.
    Source: PERT: Malcolm et al. (1959), Operations Research 7(5). Random numbers: Philox-4x64-10,
    Salmon et al. (2011), SC'11.

    Examples
    --------
    >>> rows = [["price", 0.5, 0.88, 1.0], ["breakeven", 2.0, 3.0, 5.0]]
    >>> round(monte_carlo("TOK_SUBSIDY", rows, 1000, 7).rows()[2][1], 9)
    2.319832181
    """
    one = study(function, inputs)
    results = _drawn(one, int(draws), int(seed))
    lost = int(np.isnan(results).sum())
    if lost:
        raise DomainError(
            f"{lost:,} of {len(results):,} draws have no result: {one.name} is outside its domain "
            "there; narrow the inputs"
        )
    values = quantiles_of(results, quantiles)
    return Table.from_rows(
        ("quantile", "value"),
        [
            *zip(map(float, quantiles), values.tolist(), strict=True),
            ("mean", mean(results)),
            ("standard deviation", standard_deviation(results)),
        ],
    )


def _drawn(one: Study, draws: int, seed: int) -> NDArray[np.float64]:
    """Return the results of all draws, a block at a time."""
    plan = Plan([Pert(v.low, v.base, v.high) for v in one.varying], seed)
    results = np.empty(draws)
    for number, start in enumerate(range(0, draws, BLOCK)):
        size = min(BLOCK, draws - start)
        results[start : start + size] = one.results(plan.block(number, size))
    return results
