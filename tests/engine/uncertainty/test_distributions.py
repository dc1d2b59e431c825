"""Distributions against SciPy's and against what is published; draws that no cut changes."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from engine.errors import DomainError
from engine.uncertainty import distributions as d
from engine.uncertainty.correlation import checked, nearest
from engine.uncertainty.draws import BLOCK, Plan, sizes
from engine.uncertainty.inverse import beta_quantile, normal_quantile
from engine.uncertainty.statistics import quantiles_of, shortfall

U = np.concatenate([np.linspace(0.001, 0.999, 999), [2.0**-54, 1e-12, 1e-6, 1 - 1e-9, 1 - 2**-53]])


def test_the_normal_quantile_is_scipys():
    assert normal_quantile(U) == pytest.approx(special.ndtri(U), rel=1e-14, abs=1e-15)


@given(st.floats(0, 1))
def test_the_beta_quantile_is_scipys(mode):
    a, b = 1 + 4 * mode, 5 - 4 * mode
    found = beta_quantile(U, a, b)
    assert found == pytest.approx(special.betaincinv(a, b, U), rel=1e-12, abs=1e-300)
    assert 1 - found == pytest.approx(special.betainccinv(b, a, U), rel=1e-9, abs=3e-14)
    assert (np.diff(found[:999]) > 0).all()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (d.Pert(1, 2, 7), stats.beta(1 + 4 / 6, 5 - 4 / 6, 1, 6)),
        (d.Triangular(1, 2, 7), stats.triang(1 / 6, 1, 6)),
        (d.Triangular(1, 1, 7), stats.triang(0, 1, 6)),
        (d.Triangular(1, 7, 7), stats.triang(1, 1, 6)),
        (d.Uniform(-1, 3), stats.uniform(-1, 4)),
        (d.Normal(3, 2), stats.norm(3, 2)),
        (
            d.Lognormal(3, 2),
            stats.lognorm(math.sqrt(math.log1p(4 / 9)), 0, 3 / math.sqrt(1 + 4 / 9)),
        ),
        (d.Truncated(d.Normal(3, 2), 2, 4), stats.truncnorm(-0.5, 0.5, 3, 2)),
        (d.Truncated(d.Normal(3, 2), low=3), stats.truncnorm(0, np.inf, 3, 2)),
    ],
    ids=lambda one: str(one) if "scipy" not in str(one) else "",
)
def test_a_distribution_is_scipys(ours, theirs):
    assert ours.quantile(U[:999]) == pytest.approx(theirs.ppf(U[:999]), rel=1e-11, abs=1e-11)


def test_a_lognormal_has_the_mean_and_spread_that_were_given():
    drawn = d.Lognormal(3, 2).quantile((np.arange(200_000) + 0.5) / 200_000)
    assert (drawn.mean(), drawn.std()) == pytest.approx((3, 2), rel=2e-3)


def test_values_come_as_often_as_they_weigh():
    u = (np.arange(1000) + 0.5) / 1000
    drawn = d.Discrete((5.0, 1.0, 3.0), (0.2, 0.5, 0.3)).quantile(u)
    assert [int((drawn == v).sum()) for v in (5, 1, 3)] == [200, 500, 300]
    drawn = d.Empirical((4.0, 2.0, 2.0, 8.0)).quantile(u)
    assert [int((drawn == v).sum()) for v in (2, 4, 8)] == [500, 250, 250]


@pytest.mark.parametrize("above", [None, 0.5])
def test_percentiles_come_out_as_they_went_in(above):
    metalog = d.Percentiles(1.0, 2.0, 4.0, above)
    assert metalog.quantile(np.array([0.1, 0.5, 0.9])) == pytest.approx([1, 2, 4], rel=1e-14)
    values = metalog.quantile(U[:999])
    assert (np.diff(values) > 0).all()
    assert above is None or values.min() > above


def test_the_metalog_is_that_of_its_author():
    # Keelin (2016): symmetric percentiles give a logistic distribution, whose scale is
    # (p90 − p10)/(2 ln 9).
    symmetric = d.Percentiles(-1, 0, 1)
    assert symmetric.quantile(U[:999]) == pytest.approx(
        stats.logistic(scale=1 / math.log(9)).ppf(U[:999]), rel=1e-9, abs=1e-12
    )


def test_the_serving_error_is_a_factor_around_one():
    dense, moe = d.serving_error("dense"), d.serving_error("moe")
    assert moe.p90 / moe.p10 > dense.p90 / dense.p10 > 1
    assert (dense.quantile(U) > 0).all()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: d.Pert(3, 2, 4), "low is 3; it must not be above base, 2"),
        (lambda: d.Pert(1, 5, 4), "base is 5"),
        (lambda: d.Uniform(2, 1), "low is 2"),
        (lambda: d.Normal(0, -1), "sd is -1"),
        (lambda: d.Normal(math.nan, 1), "mean is nan"),
        (lambda: d.Lognormal(-1, 1), "more than 0"),
        (lambda: d.Discrete((1, 2), (0.5, 0.4)), "add up to 0.9"),
        (lambda: d.Discrete((1, 2), (1.5, -0.5)), "-0.5"),
        (lambda: d.Discrete((1, 2), (1.0,)), "2 and 1"),
        (lambda: d.Empirical(()), "empty"),
        (lambda: d.Percentiles(1, 1.05, 2), "lopsided"),
        (lambda: d.Percentiles(3, 2, 4), "p10 is 3"),
        (lambda: d.Truncated(d.Normal(0, 1), 12, 13), "next to nothing"),
        (lambda: d.Truncated(d.Normal(0, 1), 2, 1), "low is 2"),
        (lambda: Plan([], seed=-1), "seed is -1"),
    ],
)
def test_what_cannot_be_a_distribution_is_told(make, told):
    with pytest.raises(DomainError, match=told):
        make()


# --- draws ----------------------------------------------------------------------------------------

MARGINALS = (d.Pert(1, 2, 7), d.Normal(0, 1), d.Uniform(0, 1))


def test_the_generator_is_philox_as_published():
    # Known-answer test of Random123 (Salmon et al. 2011, kat_vectors): philox4x64 with 10 rounds,
    # counter and key of zeros; NumPy counts up before it draws, so that -1 begins there.
    ones = np.full(4, 2**64 - 1, dtype=np.uint64)
    raw = np.random.Philox(key=np.zeros(2, dtype=np.uint64), counter=ones).random_raw(4)
    assert [f"{word:016x}" for word in raw] == [
        "16554d9eca36314c", "db20fe9d672d0fdc", "d7e772cee186176b", "7e68b68aec7ba23b",
    ]  # fmt: skip


def test_the_same_draws_on_every_machine():
    drawn = Plan(MARGINALS, seed=7).probabilities(3, 2)
    # Philox gives whole numbers, so that these are the same to the bit everywhere.
    assert drawn.tolist() == [
        [0.43900223090044976, 0.1656586882435429],
        [0.34038383804135663, 0.11123498753933492],
        [0.9992814000839494, 0.7913544126366725],
    ]


@pytest.mark.parametrize("sampling", ["random", "latin", "sobol"])
@pytest.mark.parametrize("correlation", [None, 0.6])
def test_a_block_is_the_same_alone_and_after_others(sampling, correlation):
    matrix = np.eye(3)
    if correlation:
        matrix[0, 1] = matrix[1, 0] = correlation
    plan = Plan(MARGINALS, 5, sampling, matrix if correlation else None)
    first = plan.block(0, 1024)
    assert (plan.block(0, 1024) == replace(plan).block(0, 1024)).all()
    assert (plan.block(1, 1024) != first).all()


def test_random_draws_of_an_input_do_not_depend_on_the_others():
    one, three = Plan(MARGINALS[:1], 9), Plan(MARGINALS, 9)
    assert (one.block(4, 100)[0] == three.block(4, 100)[0]).all()


@pytest.mark.parametrize("sampling", ["latin", "sobol"])
def test_strata_are_each_drawn_once(sampling):
    u = Plan(MARGINALS, 1, sampling).probabilities(0, 4096)
    for row in u:
        assert (np.sort((row * 4096).astype(int)) == np.arange(4096)).all()


def test_blocks_are_whole_beyond_the_first():
    assert sizes(1000) == [1000]
    assert sizes(BLOCK + 1) == [BLOCK, BLOCK]


def test_a_sobol_net_has_a_power_of_two():
    with pytest.raises(DomainError, match="the next is 1,024"):
        Plan(MARGINALS, 1, "sobol").block(0, 1000)


def test_ranks_correlate_as_wanted_and_values_stay():
    wanted = np.array([[1, 0.7, -0.3], [0.7, 1, 0.2], [-0.3, 0.2, 1.0]])
    free, tied = (Plan(MARGINALS, 3, correlation=c).block(0, 20_000) for c in (None, wanted))
    assert (np.sort(free, axis=1) == np.sort(tied, axis=1)).all()
    assert stats.spearmanr(tied.T).statistic == pytest.approx(wanted, abs=0.01)
    assert abs(stats.spearmanr(free.T).statistic - np.eye(3)).max() < 0.03


def test_impossible_correlations_are_told_with_the_nearest():
    matrix = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    with pytest.raises(DomainError, match=r"price and cost: 0\.\d{4} in place of 0\.9"):
        checked(matrix, ["price", "cost", "volume"])
    assert np.linalg.eigvalsh(nearest(matrix))[0] >= 0
    checked(nearest(matrix).round(4), ["price", "cost", "volume"])
    with pytest.raises(DomainError, match=r"is 1\.2"):
        checked(np.array([[1, 1.2], [1.2, 1]]), "ab")


def test_the_nearest_correlation_matrix_is_highams():
    # Higham (2002), section 1, the 3 by 3 example: 0.7607 and 0.1573.
    matrix = np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])
    assert nearest(matrix)[0] == pytest.approx([1, 0.7607, 0.1573], abs=5e-5)


# --- statistics -----------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_numpys(values, share):
    array = np.array(values)
    assert quantiles_of(array, [share])[0] == pytest.approx(
        np.quantile(array, share), rel=1e-9, abs=1e-9
    )


def test_the_shortfall_of_a_normal_is_that_of_the_textbook():
    # McNeil, Frey and Embrechts (2015), example 2.14: φ(Φ⁻¹(α))/(1 − α), 2.0627 at 95 %.
    drawn = d.Normal(0, 1).quantile((np.arange(100_000) + 0.5) / 100_000)
    assert shortfall(drawn, 0.05, upper=True) == pytest.approx(2.0627, abs=1e-3)
    assert shortfall(drawn, 0.05) == pytest.approx(-2.0627, abs=1e-3)


def test_a_cell_draws_without_scipy():
    program = (
        "import sys; sys.modules['scipy'] = None\n"
        "from engine.uncertainty.monte_carlo import monte_carlo\n"
        "rows = [['price', 0.5, 0.88, 1.0], ['breakeven', 2.0, 3.0, 5.0]]\n"
        "assert len(monte_carlo('TOK_SUBSIDY', rows).rows()) == 7"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
