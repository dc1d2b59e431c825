"""Finding the months by their digits gives the number that looking at each of them gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import runway, subsidy
from engine.errors import DomainError


def month_by_month(*columns):
    with np.errstate(all="ignore"):
        return subsidy._months_of_cash(*(np.asarray(c, float)[:, None] for c in columns)).ravel()


def test_months_by_digits_are_those_of_looking_at_each():
    chance = np.random.default_rng(4)
    size = 2_000
    cash = chance.lognormal(19, 2, size)
    columns = [
        cash, chance.lognormal(23, 1, size), chance.uniform(0, 3, size),
        chance.uniform(0, 5, size), chance.uniform(-0.9, 3, size),
        chance.uniform(-0.9, 0.5, size), chance.uniform(-0.9, 0.5, size),
    ]  # fmt: skip
    columns[0][::97] = np.nan
    for place, column in enumerate(columns[4:]):
        column[place::101] = -1.0
    found = np.asarray(runway(*columns))
    whole = month_by_month(*columns)
    assert np.array_equal(np.isfinite(found), np.isfinite(whole))
    assert found == pytest.approx(whole, rel=1e-11, nan_ok=True)
    # Some of each kind: gone soon, late, never, and no number.
    for low, high in ((0, 36), (36, 90), (90, 200), (200, 600)):
        assert ((found > low) & (found < high)).any()
    assert np.isinf(found).any()
    assert np.isnan(found).any()


def tenths(low, high):
    """Numbers that are alike or well apart: where they all but meet, rounding is most of a loss."""
    return st.integers(low, high).map(lambda n: n / 10)


# Costs and prices that meet, no cash, sales that end, growth that no float holds: what is awkward,
# each beside each.
money = st.sampled_from([0.0, 1.0, 2.0, 2.001, 1e3, 1e300])
change = st.sampled_from([-1.0, -0.5, -1e-3, 0.0, 1e-3, 0.5, 1.0, 1e30, 1e300])


@given(
    st.tuples(
        st.one_of(money, tenths(1, 10_000_000)),
        st.sampled_from([0.0, 1e5, 1e9]),
        *[st.one_of(money, tenths(1, 100))] * 2,
        *[st.one_of(change, tenths(-9, 30))] * 3,
    )
)
def test_months_by_digits_of_awkward_numbers(case):
    for digits in subsidy._DIGITS:
        with np.errstate(all="ignore"):
            found = subsidy._months_by_digits(digits, *(np.array([value]) for value in case))
        if np.isnan(found[0]):
            continue  # is looked at month by month
        whole = month_by_month(*([value] for value in case))
        if np.isfinite(found[0]) and np.isnan(whole[0]):
            continue  # gone before the month that no float holds
        assert found == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_the_digits_leave_few_to_be_looked_at_month_by_month():
    chance = np.random.default_rng(5)
    columns = [
        chance.lognormal(17, 1, 500), np.full(500, 1e10), chance.uniform(0, 3, 500),
        chance.uniform(0, 5, 500), *chance.uniform(-0.9, 0.9, (3, 500)),
    ]  # fmt: skip
    found = subsidy._months_by_digits(subsidy._DIGITS[-1], *columns)
    assert np.isnan(found).sum() == 0


changes = st.tuples(*[tenths(-9, 9)] * 3)


@given(
    st.tuples(tenths(1, 10_000_000), tenths(1, 100), tenths(0, 100), tenths(1, 100)),
    changes,
    st.integers(-900, 900),
    st.integers(-900, 900),
)
def test_months_do_not_hang_on_the_size_of_the_numbers(plan, yearly, by_volume, by_price):
    cash, volume, price, cost = plan
    large = 2.0**by_volume, 2.0**by_price
    amount = cash
    for factor in large:
        amount *= factor
    if not 0 < amount < math.inf or not math.isclose(amount / large[0] / large[1], cash):
        return
    volume *= 1e6
    given_large = amount, volume * large[0], price * large[1], cost * large[1]
    assert runway(*given_large, *yearly) == pytest.approx(
        runway(cash, volume, price, cost, *yearly), rel=1e-12
    )


@given(st.floats(1, 500), st.floats(50, 150), st.floats(50, 150))
def test_the_months_of_large_amounts_are_cash_over_loss(months, volume, cost):
    monthly = 10.0 ** (volume - 6) * 10.0**cost * 365 / 12
    assert runway(months * monthly, 10.0**volume, 0.0, 10.0**cost) == pytest.approx(months)
    # The price is the cost but for a part that no month's product holds.
    loss = monthly * (1 - 0.75)
    found = runway(months * loss, 10.0**volume, 0.75 * 10.0**cost, 10.0**cost)
    assert found == pytest.approx(months)


def test_gone_before_a_month_that_no_float_holds():
    assert runway(100.0, 1e6, 0.0, 1.0, 1e30) == pytest.approx(1.0, abs=0.1)
    # 1e308 USD over 365/12 days of 1e300 tokens, at 1e300 USD a million.
    assert runway(1e308, 1e300, 0.0, 1e300) == pytest.approx(12e-286 / 365)
    # Costs and prices that both outgrow any float, of which nothing can be told.
    with pytest.raises(DomainError):
        runway(1e308, 1.0, 2.0, 1.0, 0.0, 1e300, 1e300)


def test_bringing_a_plan_to_size_changes_no_digit():
    chance = np.random.default_rng(6)
    columns = [
        chance.lognormal(19, 2, 500), chance.lognormal(23, 1, 500), chance.uniform(0, 3, 500),
        chance.uniform(0, 5, 500), *chance.uniform(-0.9, 0.9, (3, 500)),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        cash, *terms = (column[:, None] for column in columns)
        *_, loss = subsidy._monthly(np.arange(600.0), *terms)
        plain = subsidy._until_gone(600.0, cash, loss).ravel()
    assert np.array_equal(month_by_month(*columns), plain)
