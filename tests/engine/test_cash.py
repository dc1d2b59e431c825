"""Cash by given flows: months by hand, and agreement with the runway at constant flows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cash import runway_flows
from engine.errors import DomainError, InputError
from engine.subsidy import runway, subsidy_path


@pytest.mark.parametrize(
    ("cash", "flows", "months"),
    [
        (100.0, [-40.0, -40.0, -40.0], 2.5),
        # A funding round in month 2 lasts to the middle of month 4.
        (100.0, [-80.0, 60.0, -60.0, -40.0], 3.5),
        (100.0, [-40.0, -40.0], math.inf),
        (100.0, [-100.0, 50.0], 1.0),
        (100.0, [50.0, 50.0], math.inf),
        (0.0, [-1.0], 0.0),
        (0.0, [5.0, -10.0], 1.5),
        (0.0, [0.0, -10.0], 1.0),
        (0.0, [0.0, 0.0], math.inf),
    ],
)
def test_months_by_hand(cash, flows, months):
    assert runway_flows(cash, flows) == months


def test_flows_that_add_up_to_the_cash_take_it_all():
    # Eight tenths add up to 0.7999999999999999 in floating point; the cash is gone all the same.
    assert 0.8 - np.cumsum([0.1] * 8)[-1] > 0
    assert runway_flows(0.8, [-0.1] * 8) == pytest.approx(8.0)


def test_a_range_of_cash_keeps_its_shape():
    months = runway_flows([[100.0, 60.0], [-1.0, 500.0]], [-40.0, -40.0, -40.0])
    np.testing.assert_array_equal(months, [[2.5, 1.5], [np.nan, np.inf]])


@given(st.floats(1e3, 1e9), st.floats(1e6, 1e12), st.floats(-0.5, 2), st.floats(-0.5, 0))
def test_it_is_the_runway_at_the_flows_of_the_path(cash, volume, growth, cost_change):
    plan = (cash, volume, 1.0, 3.0, growth, 0.0, cost_change)
    flows = -subsidy_path(*plan, months=120).column("loss")
    months = runway(*plan)
    if months < 119:
        assert runway_flows(cash, flows) == pytest.approx(months, rel=1e-9)


def test_refusals():
    with pytest.raises(DomainError, match="cash"):
        runway_flows(-1.0, [1.0])
    with pytest.raises(DomainError, match="flows holds nan in place 2"):
        runway_flows(1.0, [1.0, math.nan])
    with pytest.raises(InputError, match="flows"):
        runway_flows(1.0, [])
