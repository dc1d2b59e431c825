"""Growth: figures reckoned by hand, and where curves meet."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DomainError
from engine.growth import amortised_training, parity_months, ramp, scurve


def test_ramp_by_hand():
    # Doubling a year: the month is the twelfth root of 2, 1.0594630943592953.
    assert ramp(100.0, 1.0, 0.0) == 100.0
    assert ramp(100.0, 1.0, 1.0) == pytest.approx(105.94630943592953)
    assert ramp(100.0, 1.0, 36.0) == 800.0
    assert ramp(100.0, 1.0, 36.0, 500.0) == 500.0
    # Growth beyond the largest number is at its limit, for a number as in an array.
    assert ramp(1.0, 1.0, 12288.0, 5.0) == ramp(np.array([1.0]), 1.0, 12288.0, 5.0)[0] == 5.0
    assert ramp(100.0, -1.0, 0.0) == 100.0
    assert ramp(100.0, -0.5, 12.0) == 50.0


def test_ramp_with_some_limits_left_out():
    grown = ramp(100.0, 1.0, [12.0, 12.0], [150.0, math.inf])
    np.testing.assert_array_equal(grown, [150.0, 200.0])


def test_scurve_rises_from_a_tenth_to_nine_tenths():
    assert scurve(100.0, 24.0, 24.0, 12.0) == 50.0
    assert scurve(100.0, 18.0, 24.0, 12.0) == pytest.approx(10.0)
    assert scurve(100.0, 30.0, 24.0, 12.0) == pytest.approx(90.0)


def test_scurve_far_from_its_middle_is_exact_and_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        early, late = (
            scurve.__wrapped__(1.0, -1e6, 0.0, 1.0),
            scurve.__wrapped__(1.0, 1e6, 0.0, 1.0),
        )
    assert (early, late) == (0.0, 1.0)
    # Ten rises early: 9^-20 of the limit, which a difference from 1 would lose.
    assert scurve(1.0, -10.0, 0.0, 1.0) == pytest.approx(9.0**-20)


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.5, 100))
def test_scurve_is_symmetric(month, midpoint, rise):
    below = scurve(1.0, midpoint - month, midpoint, rise)
    assert below + scurve(1.0, midpoint + month, midpoint, rise) == pytest.approx(1.0)


def test_parity_by_hand():
    # Cost 4, price 1: two halvings, at one a year.
    assert parity_months(1.0, 4.0, 0.0, -0.5) == pytest.approx(24.0)
    # The price falls by a quarter a year: the gap closes by a factor 1.5 a year.
    assert parity_months(1.0, 4.0, -0.25, -0.5) == pytest.approx(12 * math.log(4) / math.log(1.5))
    assert parity_months(1.0, 1.0) == 0.0
    assert parity_months(2.0, 1.0, -0.9) == 0.0
    assert parity_months(1.0, 4.0) == math.inf
    assert parity_months(1.0, 4.0, -0.5, -0.5) == math.inf
    assert parity_months(1.0, 0.0) == 0.0


def test_changes_that_are_all_but_the_same_never_bring_parity():
    assert parity_months(0.5, 1.0, 0.0, -1.1125369292536007e-308) == math.inf


def test_parity_over_a_range_spoils_one_element_alone():
    answers = parity_months([1.0, 1.0, -1.0], 4.0, 0.0, [-0.5, 0.0, 0.0])
    np.testing.assert_allclose(answers, [24.0, np.inf, np.nan])
    answers = parity_months(1.0, 4.0, 0.0, [-0.5, -1.0])
    np.testing.assert_allclose(answers, [24.0, np.nan])


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(-0.9, 1), st.floats(-0.9, 1))
def test_at_parity_cost_and_price_are_equal(price, breakeven, price_change, cost_change):
    months = parity_months(price, breakeven, price_change, cost_change)
    if 0 < months < 1e4:
        at_cost = breakeven * (1 + cost_change) ** (months / 12)
        assert at_cost == pytest.approx(price * (1 + price_change) ** (months / 12), rel=1e-6)
    elif months == 0:
        assert breakeven <= price


def test_amortised_training_by_hand():
    # $100M over 50 trillion tokens: two dollars a million.
    assert amortised_training(100e6, 50e6) == 2.0
    with pytest.raises(DomainError, match="lifetime_mtok"):
        amortised_training(1.0, 0.0)
