"""A digest of many results: within its error of all of them, however they are cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.uncertainty.digest import RELATIVE_ERROR, digest, merged, moments_of
from engine.uncertainty.statistics import quantiles_of, shortfall, standard_deviation

NUMBERS = st.floats(-1e300, 1e300, allow_nan=False).map(lambda x: x if abs(x) > 1e-300 else 0.0)
SHARES = [0.0, 0.01, 0.25, 0.5, 0.9, 1.0]


def spread(seed: int, size: int = 20_000) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    return np.concatenate([drawn.normal(size=size), drawn.lognormal(3, 2, size=size), [0.0, -0.0]])


@given(st.lists(NUMBERS, min_size=1, max_size=60), st.integers(1, 5))
def test_quantiles_are_within_the_error(numbers: list[float], pieces: int) -> None:
    results = np.array(numbers)
    found = merged([digest(one) for one in np.array_split(results, pieces)])
    assert found.count == len(results)
    assert (found.smallest(), found.largest()) == (results.min(), results.max())
    exact = np.sort(results)
    ranks = np.arange(len(results)) / max(len(results) - 1, 1)
    error = np.abs(found.quantiles(ranks) - quantiles_of(results, ranks))
    # A share hits its rank but for its last digit: the neighbours then weigh in by as much.
    slack = 1e-12 * (exact[-1] - exact[0]) if len(exact) > 1 else 0.0
    assert (error <= RELATIVE_ERROR * np.abs(exact) + slack).all()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("upper", [False, True])
def test_shortfall_is_within_the_error(share: float, upper: bool) -> None:
    results = spread(1)
    exact = shortfall(results, share, upper=upper)
    mean = np.abs(np.sort(-results if upper else results)[: int(share * len(results))]).mean()
    assert abs(digest(results).shortfall(share, upper=upper) - exact) <= RELATIVE_ERROR * mean


def test_counts_do_not_hang_on_cut_or_order() -> None:
    results = spread(2)
    whole = digest(results)
    pieces = [digest(one) for one in np.array_split(results, 7)]
    for order in (pieces, pieces[::-1], [merged(pieces[:3]), merged(pieces[3:])]):
        found = merged(order)
        for name in ("keys", "counts", "lowest", "highest"):
            assert getattr(found, name).tobytes() == getattr(whole, name).tobytes()
        assert found.mean() == pytest.approx(results.mean(), rel=1e-13)
        assert found.standard_deviation() == pytest.approx(standard_deviation(results), rel=1e-13)


def test_a_small_spread_around_a_large_mean_keeps_its_digits() -> None:
    results = 1e9 + np.random.default_rng(3).normal(size=10_000)
    found = merged([digest(one) for one in np.array_split(results, 9)])
    assert found.standard_deviation() == pytest.approx(results.std(ddof=1), rel=1e-8)


def test_values_that_repeat_are_exact() -> None:
    results = np.repeat([0.0, 1.0, 24.0, 24.000001, math.pi], [10, 20, 30, 1, 5])
    found = merged([digest(results[:40]), digest(results[40:])])
    assert found.quantiles([0.0, 0.2, 0.5, 1.0]).tolist() == [0.0, 1.0, math.pi, 24.000001]


def test_results_without_end() -> None:
    results = np.array([1.0, 2.0, math.inf, math.inf])
    found = merged([digest(results[:2]), digest(results[2:])])
    assert found.quantiles([0.0, 0.5, 1.0]).tolist() == [1.0, math.inf, math.inf]
    assert (found.mean(), found.standard_deviation()) == (math.inf, math.inf)
    assert found.shortfall(0.5) == 1.5
    assert found.shortfall(0.5, upper=True) == math.inf
    both = merged([digest(np.array([-math.inf])), digest(np.array([math.inf]))])
    assert math.isnan(both.mean())


def test_none_at_all() -> None:
    nothing = digest(np.empty(0))
    assert merged([nothing, nothing]).count == 0
    assert merged([nothing, digest(np.array([2.0]))]).mean() == 2.0
    assert moments_of(np.empty(0)).count == 0


def test_a_histogram_counts_all() -> None:
    results = spread(4)
    counts, edges = digest(results).histogram(40)
    exact, exact_edges = np.histogram(results, 40)
    assert counts.sum() == len(results)
    assert edges == pytest.approx(exact_edges)
    assert np.abs(counts - exact).max() <= 0.001 * len(results)
