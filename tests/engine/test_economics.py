"""Token arithmetic, prices, subsidy and market: figures worked out elsewhere, and the laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import market, pricing, subsidy, tokens
from engine.errors import DomainError

money = st.floats(0.01, 1e6)
rate = st.floats(-0.9, 3.0)
share = st.floats(0.01, 1.0)


# --- the articles' figures, worked out with their own inputs ----------------------------------


def test_batch_1_floor_of_a_70b_model_on_one_h100():
    seconds = tokens.decode_time(tokens.weight_gb(70.0), 3.35)
    assert seconds == pytest.approx(0.041791, abs=5e-7)
    assert tokens.cost_per_mtok(30.0, 1 / seconds) == pytest.approx(348.2587, abs=5e-5)


def test_subsidy_of_10_billion_tokens_a_day():
    assert subsidy.subsidy_loss(10e9, 0.0, 3.0, 1.0) == 30_000
    assert subsidy.subsidy_loss(10e9, 0.88, 3.88) == pytest.approx(10.95e6)
    assert subsidy.runway(305e6, 10e9, 0.88, 3.88) / 12 == pytest.approx(27.85, abs=0.005)


@pytest.mark.parametrize(
    ("usd", "price", "volume"),
    [
        (8.5e9, 2.5, 9.315e12),
        (18.2e9, 1.2, 41.553e12),
        (35e9, 0.6, 159.817e12),
        (65e9, 0.3, 593.607e12),
    ],
)
def test_volume_that_the_market_implies(usd, price, volume):
    assert market.market_volume(usd, price) == pytest.approx(volume, rel=5e-5)


@pytest.mark.parametrize(
    ("price", "low", "high", "verdict"),
    [
        (0.88, 3.0, 5.0, "below cost"),
        (0.59, 0.5, 1.0, "near breakeven"),
        (0.5, 0.5, 1.0, "near breakeven"),
        (1.0, 0.5, 1.0, "near breakeven"),
        (1.01, 0.5, 1.0, "above breakeven"),
    ],
)
def test_verdict(price, low, high, verdict):
    assert pricing.verdict(price, low, high) == verdict


# --- published values -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acceptance", "drafted", "expected"), [(0.8, 5, 3.69), (0.6, 2, 1.96), (0.9, 10, 6.86)]
)
def test_speculative_tokens_of_leviathan_2023(acceptance, drafted, expected):
    # (1 − α^(γ+1)) / (1 − α), equation 1 of arXiv 2211.17192, worked out by hand.
    assert tokens.speculative_tokens(acceptance, drafted) == pytest.approx(expected, abs=0.005)


def test_acceptance_of_1_is_outside():
    with pytest.raises(DomainError, match="acceptance"):
        tokens.speculative_tokens(1.0, 4.0)


@pytest.mark.parametrize(
    ("first", "last", "years", "growth"), [(55, 110, 2, 0.41), (15, 35, 2, 0.53), (2, 8, 2, 1.0)]
)
def test_cagr_of_the_market_segments(first, last, years, growth):
    assert market.cagr(first, last, years) == pytest.approx(growth, abs=0.005)


# --- laws -------------------------------------------------------------------------------------


@given(money, money, share, st.floats(0, 0.9))
def test_breakeven_price_and_utilisation_are_inverse(usd, throughput, utilisation, margin):
    price = pricing.breakeven_price(usd, throughput, utilisation, 1.0, 0.0)
    assert pricing.breakeven_utilisation(price, usd, throughput) == pytest.approx(utilisation)
    with_margin = pricing.breakeven_price(usd, throughput, utilisation, 1.0, margin)
    assert (with_margin - price) / with_margin == pytest.approx(margin, abs=1e-9)


@given(money, money, share, share)
def test_cost_falls_as_utilisation_rises(usd, throughput, one, other):
    low, high = sorted((one, other))
    assert tokens.cost_per_mtok(usd, throughput, low) >= tokens.cost_per_mtok(usd, throughput, high)


@given(money, money)
def test_market_size_and_volume_are_inverse(usd, price):
    assert market.market_size(market.market_volume(usd, price), price) == pytest.approx(usd)


@given(money, st.floats(0.01, 100), st.floats(0.5, 20))
def test_cagr_compounds_to_the_last_value(first, multiple, years):
    last = first * multiple
    growth = market.cagr(first, last, years)
    assert first * (1 + growth) ** years == pytest.approx(last)
    assert market.annualised(last / first - 1, years * 12) == pytest.approx(growth, abs=1e-9)


@given(st.lists(st.floats(0, 0.99), min_size=1, max_size=6))
def test_stacked_cut_is_the_cut_of_the_combined_gain(cuts):
    gains = [1 / (1 - cut) for cut in cuts]
    assert tokens.stacked_cut(cuts) == pytest.approx(
        tokens.cost_cut(tokens.combined_gain(gains)), abs=1e-9
    )


@given(st.integers(1, 512), st.integers(0, 1000), st.data())
def test_active_experts_stay_between_one_token_and_all(experts, batch, data):
    routed = data.draw(st.integers(0, experts))
    active = tokens.active_experts(experts, routed, batch)
    assert 0 <= active <= experts * (1 + 1e-12)
    if batch >= 1:
        assert active >= routed - 1e-9


def test_active_experts_against_a_drawn_sample():
    draws = np.random.default_rng(0)
    touched = [
        len({e for _ in range(32) for e in draws.choice(64, 4, replace=False)}) for _ in range(2000)
    ]
    assert tokens.active_experts(64, 4, 32) == pytest.approx(np.mean(touched), rel=0.01)


@given(st.floats(1e3, 1e9), st.floats(1e6, 1e12), st.floats(0, 2), st.floats(0.01, 5))
def test_runway_without_growth_is_cash_over_loss(cash, volume, price, loss):
    months = subsidy.runway(cash, volume, price, price + loss)
    expected = cash / subsidy.subsidy_loss(volume, price, price + loss, 365 / 12)
    if expected < 599:
        assert months == pytest.approx(expected, rel=1e-6)
    elif expected > 601:
        assert months == math.inf


@given(st.floats(1e5, 1e8), rate, st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_runway_ends_where_the_path_crosses_zero(cash, growth, price_change, cost_change):
    case = (cash, 10e9, 0.88, 3.0, growth, price_change, cost_change)
    months = subsidy.runway(*case)
    left = subsidy.subsidy_path(*case, 600.0).column("cash at the end")
    if math.isinf(months):
        assert (left > -1e-6 * cash).all()
        return
    last = math.ceil(months) - 1
    assert left[last] <= 1e-6 * cash
    before = left[last - 1] if last else cash
    assert before >= -1e-6 * cash
    assert (months - last) == pytest.approx(before / (before - left[last]), abs=1e-6)


def test_runway_of_no_cash_is_none():
    assert subsidy.runway(0.0, 1e9, 0.0, 1.0) == 0
    assert subsidy.runway(0.0, 1e9, 1.0, 1.0) == math.inf


def test_runway_grid_is_worked_in_blocks_like_single_calls():
    cash = np.linspace(1e6, 1e8, 1500)
    grid = subsidy.runway(cash, 10e9, 0.0, 3.0, 0.5)
    assert grid[700] == subsidy.runway(float(cash[700]), 10e9, 0.0, 3.0, 0.5)


def test_first_month_of_the_path_is_at_todays_values():
    path = subsidy.subsidy_path(1e6, 1e9, 1.0, 2.0, 1.0, -0.5, -0.3, months=13)
    assert [path.column(c)[0] for c in ("tokens/day", "price", "breakeven")] == [1e9, 1.0, 2.0]
    assert path.column("tokens/day")[12] == pytest.approx(2e9)
    assert path.column("price")[12] == pytest.approx(0.5)
    assert path.column("breakeven")[12] == pytest.approx(1.4)


@given(money, money, rate, st.floats(-0.8, 1.0), st.integers(0, 20), st.floats(0, 1))
def test_market_path_never_undercuts_its_floor(usd, price, growth, change, years, floor):
    path = market.market_path(usd, price, growth, change, float(years), floor)
    assert len(path.rows()) == years + 1
    assert path.column("price")[0] == price
    assert (path.column("price")[1:] >= floor).all()
    sizes = market.market_size(path.column("tokens/day"), path.column("price"))
    np.testing.assert_allclose(sizes, path.column("market USD"))


@given(money, st.floats(-3, 3), st.floats(0.1, 10))
def test_demand_is_isoelastic(volume, elasticity, factor):
    assert market.demand(factor, 1.0, volume, elasticity) == pytest.approx(
        volume * factor**elasticity
    )


def test_volume_must_double_twice_for_growth_at_halving_prices():
    assert market.volume_multiple(1.0, -0.5) == 4.0
    with pytest.raises(DomainError, match="price_change"):
        market.volume_multiple(1.0, -1.0)
