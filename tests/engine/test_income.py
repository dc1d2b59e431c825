"""Revenue, tiers and margins: figures reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DomainError, InputError, UnknownIdError
from engine.income import (
    cost_per_accepted,
    gross_margin,
    revenue,
    self_host_volume,
    tiered_charge,
)
from engine.pricing import blended_price, breakeven_utilisation

FROM, PRICE = [0.0, 100.0, 1000.0], [3.0, 2.0, 1.0]


def test_revenue_by_hand():
    # A request of 2,000 in and 500 out at $3 and $15: 0.6 and 0.75 cents.
    assert revenue(1000.0, 2000.0, 500.0, 3.0, 15.0) == pytest.approx(13.5)
    # 80 % of the input cached at $0.30: 0.12 + 0.048 + 0.75 cents.
    assert revenue(1000.0, 2000.0, 500.0, 3.0, 15.0, 0.8, 0.3) == pytest.approx(9.18)
    # A cached token costs what another does where its price is left out.
    assert revenue(1000.0, 2000.0, 500.0, 3.0, 15.0, 0.8) == pytest.approx(13.5)
    # Half of the requests at half the price: three quarters of the bill.
    assert revenue(1000.0, 2000.0, 500.0, 3.0, 15.0, 0.8, 0.3, 0.5, 0.5) == pytest.approx(6.885)


@given(st.floats(0, 1), st.floats(0, 5), st.floats(1, 1e4), st.floats(1, 1e4))
def test_revenue_is_volume_times_the_blended_price(hit, cached, read, written):
    asked = (3.0, 15.0)
    blended = blended_price(*asked, read, written, hit, cached)
    assert revenue(1e6, read, written, *asked, hit, cached) == pytest.approx(
        blended * (read + written)
    )


@pytest.mark.parametrize(
    ("volume", "graduated", "by_volume"),
    [
        (0.0, 0.0, 0.0),
        (50.0, 150.0, 150.0),
        (99.0, 297.0, 297.0),
        # The boundary belongs to the upper tier: at once all tokens are cheaper.
        (100.0, 300.0, 200.0),
        (600.0, 1300.0, 1200.0),
        (1000.0, 2100.0, 1000.0),
        (1500.0, 2600.0, 1500.0),
    ],
)
def test_tiers_by_hand(volume, graduated, by_volume):
    assert tiered_charge(volume, FROM, PRICE) == graduated
    assert tiered_charge(volume, FROM, PRICE, "Volume ") == by_volume


def test_tiers_over_a_range_of_volumes():
    charges = tiered_charge([[50.0, 1500.0], [-1.0, 100.0]], FROM, PRICE)
    np.testing.assert_array_equal(charges, [[150.0, 2600.0], [np.nan, 300.0]])


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_a_graduated_charge_rises_with_the_volume_and_never_jumps(one, other):
    less, more = sorted((one, other))
    rise = tiered_charge(more, FROM, PRICE) - tiered_charge(less, FROM, PRICE)
    assert -1e-9 <= rise <= PRICE[0] * (more - less) + 1e-9


@pytest.mark.parametrize(
    ("tier_from", "tier_price", "mode", "error", "told"),
    [
        ([0.0, 100.0], [3.0], "graduated", InputError, "tier_price holds 1"),
        ([1.0, 100.0], [3.0, 2.0], "graduated", DomainError, "ascend from 0"),
        ([0.0, 100.0, 100.0], PRICE, "graduated", DomainError, "ascend"),
        ([0.0, 100.0], [3.0, -2.0], "graduated", DomainError, "tier_price"),
        (FROM, PRICE, "stairs", UnknownIdError, "mode 'stairs'"),
    ],
)
def test_tiers_that_make_no_sense(tier_from, tier_price, mode, error, told):
    with pytest.raises(error, match=told):
        tiered_charge(50.0, tier_from, tier_price, mode)


def test_gross_margin():
    assert gross_margin(1.0, 0.4) == pytest.approx(0.6)
    assert gross_margin(0.88, 3.0) == pytest.approx(-2.409090909)
    with pytest.raises(DomainError, match="price is 0"):
        gross_margin(0.0, 1.0)


def test_cost_per_accepted_by_hand():
    # Five answers at 2 cents, each read for 8, give four that are used: 50 cents over four.
    assert cost_per_accepted(0.02, 0.8, 0.08) == pytest.approx(0.125)
    with pytest.raises(DomainError, match="accepted_share"):
        cost_per_accepted(0.02, 0.0)


def test_self_hosting_by_hand():
    # Eight GPUs at $2 run 730 h for $11,680; with $3,320 of staff $15,000 a month.
    assert self_host_volume(0.5, 2.0, 20_000.0, 8.0, 3320.0) == pytest.approx(30_000.0)
    # They serve 52,560 Mtok at most: dearer, they would have to serve more than that.
    with pytest.raises(DomainError, match="cannot serve"):
        self_host_volume(0.28, 2.0, 20_000.0, 8.0, 3320.0)
    answers = self_host_volume([0.5, 0.28], 2.0, 20_000.0, 8.0, 3320.0)
    np.testing.assert_allclose(answers, [30_000.0, np.nan])


@given(st.floats(0.05, 100), st.floats(0.1, 10), st.floats(100, 1e5))
def test_self_hosting_is_the_breakeven_utilisation_of_the_month(price, rent, rate):
    share = breakeven_utilisation(price, rent, rate)
    if share <= 1:
        assert self_host_volume(price, rent, rate) == pytest.approx(share * rate * 730 * 3600 / 1e6)
    elif share > 1 + 1e-9:
        with pytest.raises(DomainError):
            self_host_volume(price, rent, rate)
