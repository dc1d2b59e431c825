"""Finding the months by their digits gives the number that looking at each of them gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import runway, subsidy


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
