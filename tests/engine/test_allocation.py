"""Allocation: small cases by hand, and the laws of a linear program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.allocation import allocate
from engine.errors import DomainError, InputError

offers = st.lists(
    st.tuples(st.floats(0, 1e6), st.floats(0, 1e3), st.floats(0, 10)), min_size=1, max_size=8
)
# HiGHS solves to relative 1e-7.
SOLVED = 1e-6


def test_cheapest_offers_fill_first():
    assert allocate(120.0, [100.0, 50.0, 40.0], [2.0, 1.0, 4.0]).tolist() == [70.0, 50.0, 0.0]


def test_slow_offers_are_left_out():
    split = allocate(120.0, [100.0, 50.0, 40.0], [2.0, 1.0, 4.0], [0.2, 0.9, 0.5], 0.5)
    assert split.tolist() == [100.0, 0.0, 20.0]
    unlimited = allocate(120.0, [100.0, 50.0, 40.0], [2.0, 1.0, 4.0], [0.2, 0.9, 0.5])
    assert unlimited.tolist() == [70.0, 50.0, 0.0]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e15])
def test_split_does_not_depend_on_the_units(scale):
    split = allocate(120 * scale, np.array([100.0, 50.0, 40.0]) * scale, [2e-9, 1e-9, 4e-9])
    assert split / scale == pytest.approx([70.0, 50.0, 0.0])


def test_no_demand_and_exact_capacity():
    assert allocate(0.0, [1.0, 2.0], [1.0, 1.0]).tolist() == [0.0, 0.0]
    assert allocate(1.0, [0.1] * 10, [1.0] * 10) == pytest.approx([0.1] * 10)


@settings(deadline=None)  # the solver is imported on first use
@given(offers=offers, part=st.floats(0, 1), rise=st.floats(0, 1), limit=st.floats(0, 10))
def test_demand_is_met_within_capacity_and_costs_no_less_when_it_rises(offers, part, rise, limit):
    capacity, unit_cost, latency = (np.array(column) for column in zip(*offers, strict=True))
    qualified = latency <= limit
    most = float(capacity[qualified].sum())
    demands = (most * part * rise, most * part)
    less, more = (allocate(d, capacity, unit_cost, latency, limit) for d in demands)
    for demand, split in zip(demands, (less, more), strict=True):
        assert (split >= 0).all()
        assert (split <= capacity).all()
        assert (split[~qualified] == 0).all()
        assert split.sum() == pytest.approx(demand, rel=SOLVED)
    dearest = float((unit_cost * more).sum())
    assert unit_cost @ less <= dearest + SOLVED * max(1.0, unit_cost.max() * most)


@settings(deadline=None)  # the solver is imported on first use
@given(offers=offers, part=st.floats(0.01, 1))
def test_no_split_is_cheaper_than_filling_from_the_cheapest(offers, part):
    capacity, unit_cost, _ = (np.array(column) for column in zip(*offers, strict=True))
    demand = float(capacity.sum()) * part
    order = np.argsort(unit_cost)
    room = np.clip(demand - np.cumsum(capacity[order]) + capacity[order], 0, capacity[order])
    best = float(unit_cost[order] @ room)
    cost = float(unit_cost @ allocate(demand, capacity, unit_cost))
    assert cost == pytest.approx(best, rel=SOLVED, abs=SOLVED * unit_cost.max() * demand)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ((191.0, [100.0, 50.0, 40.0], [2.0, 1.0, 4.0]), DomainError, "190"),
        ((101.0, [100.0, 50.0], [2.0, 1.0], [0.2, 0.9], 0.5), DomainError, "100"),
        ((-1.0, [100.0], [2.0]), DomainError, "demand"),
        ((1.0, [np.nan], [2.0]), DomainError, "capacity"),
        ((1.0, [100.0], [-2.0]), DomainError, "unit_cost"),
        ((1.0, [100.0, 50.0], [2.0]), InputError, "unit_cost"),
        ((1.0, [100.0, 50.0], [2.0, 1.0], [0.1], 0.5), InputError, "latency"),
        ((1.0, [100.0], [2.0], None, 0.5), InputError, "latency"),
        (([1.0, 2.0], [100.0], [2.0]), InputError, "demand"),
    ],
)
def test_refusals_name_what_is_wrong(arguments, error, told):
    with pytest.raises(error, match=told):
        allocate(*arguments)
