"""Sensitivity against functions whose indices are known, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from engine.uncertainty.distributions import Uniform
from engine.uncertainty.draws import BLOCK, Plan
from engine.uncertainty.sensitivity import first_order, rank_correlation, sensitivities


def test_first_order_indices_of_the_ishigami_function():
    # Ishigami and Homma (1990), a = 7, b = 0.1: S1 = 0.3139, S2 = 0.4424, S3 = 0.
    x = Plan([Uniform(-np.pi, np.pi)] * 3, seed=1, sampling="sobol").block(0, BLOCK)
    y = np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])
    assert [first_order(one, y) for one in x] == pytest.approx([0.3139, 0.4424, 0.0], abs=0.005)


def test_first_order_indices_of_a_sum_are_its_variances():
    x = Plan([Uniform(0, 1)] * 3, seed=2).block(0, BLOCK)
    y = 1 * x[0] + 2 * x[1] + 3 * x[2]
    assert [first_order(one, y) for one in x] == pytest.approx([1 / 14, 4 / 14, 9 / 14], abs=0.01)


def test_what_does_not_vary_explains_nothing():
    steady, varying = np.ones(1000), np.arange(1000.0)
    assert first_order(steady, varying) == first_order(varying, steady) == 0
    assert rank_correlation(steady, varying) == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=40))
def test_the_rank_correlation_is_scipys(pairs):
    a, b = np.array(pairs, dtype=float).T
    if a.min() < a.max() and b.min() < b.max():
        assert rank_correlation(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


@given(st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 4))
def test_all_pairs_at_once_are_each_by_itself(seed, inputs, outputs):
    """With ties, outputs that share what they lack, and some that have nothing."""
    random = np.random.default_rng(seed)
    x = random.integers(0, 50, (inputs, 300)).astype(float)
    y = random.integers(0, 9, (outputs, 300)) + x[0]
    for row in y[1:]:
        row[: random.choice([0, 40, 299, 300])] = np.nan
    correlations, shares = sensitivities(x, y)
    for i, one in enumerate(x):
        for j, result in enumerate(y):
            known = ~np.isnan(result)
            wanted = [np.nan, np.nan] if known.sum() < 2 else [
                rank_correlation(one[known], result[known]), first_order(one[known], result[known])
            ]  # fmt: skip
            np.testing.assert_array_equal([correlations[i, j], shares[i, j]], wanted)
