"""Allocation: small cases by hand, the laws of a linear program, and HiGHS as second opinion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from engine.allocation import allocate, allocate_loads
from engine.errors import DomainError, InputError

offers = st.lists(
    st.tuples(st.floats(0, 1e6), st.floats(0, 1e3), st.floats(0, 10)), min_size=1, max_size=8
)
# Sums of floats.
SOLVED = 1e-9


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
def test_no_split_is_cheaper(offers, part):
    """The linear program, solved by HiGHS, costs the same."""
    capacity, unit_cost, _ = (np.array(column) for column in zip(*offers, strict=True))
    demand = float(capacity.sum()) * part
    if not demand > 1e-3:
        return
    # HiGHS works to absolute tolerances.
    scale = unit_cost.max() or 1.0
    solved = linprog(
        unit_cost / scale,
        A_eq=np.ones((1, capacity.size)),
        b_eq=[1.0],
        bounds=[(0, limit) for limit in np.minimum(capacity / demand, 1)],
    )
    cost = float(unit_cost / scale @ allocate(demand, capacity, unit_cost)) / demand
    assert cost == pytest.approx(solved.fun, rel=1e-6, abs=1e-6)


def test_offers_at_one_price_are_filled_in_the_given_order():
    assert allocate(50.0, [20.0] * 4, [1.0, 1.0, 0.5, 1.0]).tolist() == [20.0, 10.0, 20.0, 0.0]


@pytest.mark.parametrize("dummy", [0.0, 1e-9, 2.5, 1e12, 1e300])
def test_one_dummy_price_changes_nothing_else(dummy):
    # Three prices apart by a hundred-millionth, and an offer of nothing.
    split = allocate(2.0, [1.0, 1.0, 1.0, 0.0], [2 + 2e-8, 2.0, 2 + 1e-8, dummy])
    assert split.tolist() == [0.0, 1.0, 1.0, 0.0]


def test_many_offers():
    size = 100_000
    cost = np.random.default_rng(1).permutation(size).astype(float)
    split = allocate(1000.5, np.ones(size), cost)
    assert split.sum() == 1000.5
    assert set(cost[split == 1.0]) == set(range(1000))
    assert split[cost == 1000] == 0.5


LOADS = ([60.0, 40.0], [50.0, 100.0, 50.0], [1.0, 2.0, 3.0])


def test_loads_share_offers_within_their_limits():
    # The first load allows half a second, which the second offer exceeds.
    split = allocate_loads(*LOADS, None, [0.1, 0.9, 0.1], [0.5, 1.0])
    assert split == pytest.approx(np.array([[50.0, 0.0, 10.0], [0.0, 40.0, 0.0]]))
    # With one limit for both, the first load has the cheap offer first.
    split = allocate_loads(*LOADS, None, [0.1, 0.9, 0.1], [2.0])
    assert split == pytest.approx(np.array([[50.0, 10.0, 0.0], [0.0, 40.0, 0.0]]))


def test_what_is_paid_anyway_is_used_first():
    # 80 of the dearer offer are paid used or not: 20 of the cheaper complete the hundred, which
    # costs 20 + 160; filling the cheaper first would cost 50 + 160.
    split = allocate_loads([100.0], [50.0, 100.0], [1.0, 2.0], [0.0, 80.0])
    assert split == pytest.approx(np.array([[20.0, 80.0]]))
    split = allocate_loads([100.0], [50.0, 100.0], [1.0, 2.0])
    assert split == pytest.approx(np.array([[50.0, 50.0]]))


@pytest.mark.parametrize("dummy", [0.0, 1e12])
def test_a_dummy_price_of_loads_changes_nothing_else(dummy):
    split = allocate_loads([2.0], [1.0, 1.0, 1.0, 0.0], [2.2, 2.0, 2.1, dummy])
    assert split == pytest.approx(np.array([[0.0, 1.0, 1.0, 0.0]]))


@settings(deadline=None)  # the solver is imported on first use
@given(
    offers=st.lists(st.tuples(st.floats(1, 1e6), st.floats(0.01, 1e3), st.just(0)), min_size=1),
    part=st.floats(0.01, 1),
    share=st.floats(0, 1),
)
def test_one_load_without_minimum_is_the_plain_allocation(offers, part, share):
    capacity, unit_cost, _ = (np.array(column) for column in zip(*offers, strict=True))
    demand = float(capacity.sum()) * part
    alone = float(unit_cost @ allocate(demand, capacity, unit_cost))
    both = allocate_loads([demand * share, demand * (1 - share)], capacity, unit_cost)
    scale = max(1.0, unit_cost.max() * demand)
    assert float((both @ unit_cost).sum()) == pytest.approx(alone, abs=1e-5 * scale)
    assert both.sum(axis=1) == pytest.approx([demand * share, demand * (1 - share)], rel=1e-6)
    assert (both.sum(axis=0) <= capacity * (1 + 1e-6) + 1e-6 * demand).all()


def test_what_only_all_offers_hold_together_is_found():
    # Three offers of a ten-millionth of the load each, and nothing to spare.
    capacity = np.array([1.0, 1.0, 1.0, 930525.0, 930521.0, 527559.0] + [1e6] * 6)
    split = allocate_loads([0.0, capacity.sum()], capacity, np.ones(12))
    assert split[1] == pytest.approx(capacity, rel=1e-9)


def test_loads_in_a_hurry_must_fit_into_the_fast_offers_together():
    offers = ([100.0, 1000.0], [1.0, 1.0], None, [0.1, 0.9])
    split = allocate_loads([60.0, 60.0], *offers, [0.5, 1.0])
    assert split == pytest.approx(np.array([[60.0, 0.0], [40.0, 20.0]]))
    # A millionth too much is too much, and a load with time to spare changes nothing in it.
    with pytest.raises(DomainError, match="hold all loads together"):
        allocate_loads([60.0, 5.0, 40.00005], *offers, [0.5, 1.0, 0.5])


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"demands": [300.0]}, DomainError, "load 1 needs 300; .* hold 200"),
        ({"demands": [150.0, 100.0]}, DomainError, "hold all loads together"),
        ({"minimum": [60.0, 0.0, 0.0]}, DomainError, "minimum must not exceed"),
        ({"minimum": [6.0]}, InputError, "minimum holds 1"),
        ({"max_latency": [1.0]}, InputError, "needs the latency"),
        ({"max_latency": [1.0] * 3, "latency": [1.0] * 3}, InputError, "max_latency holds 3"),
    ],
)
def test_loads_that_cannot_be_placed_are_told(changes, error, told):
    given = dict(zip(("demands", "capacity", "unit_cost"), LOADS, strict=True)) | changes
    with pytest.raises(error, match=told):
        allocate_loads(**given)


some_loads = st.lists(st.tuples(st.floats(0, 1), st.sampled_from([0.1, 0.25, 0.6])), min_size=1,
                      max_size=4)  # fmt: skip
some_offers = st.lists(
    st.tuples(
        st.floats(0, 100),
        st.sampled_from([0.0, 1.0, 2.0, 2.5, 7.0]),
        st.floats(0, 1),
        st.sampled_from([0.1, 0.2, 0.5]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


def solved(objective, used, demands, fast):
    """Solve for the amounts of each load and offer: what offers give, at most `used`."""
    loads, offers = fast.shape
    return linprog(
        objective.ravel(),
        A_ub=np.kron(np.ones(loads), np.eye(offers)),
        b_ub=used,
        A_eq=np.kron(np.eye(loads), np.ones(offers)),
        b_eq=demands,
        bounds=[(0, None if open_to else 0) for open_to in fast.ravel()],
    )


@settings(deadline=None)  # the solver is imported on first use
@given(loads=some_loads, offers=some_offers, part=st.floats(0.01, 1))
def test_no_split_of_loads_is_cheaper(loads, offers, part):
    """The linear program, solved by HiGHS: in all, and then for each load after those before it."""
    shares, hurry = (np.array(column) for column in zip(*loads, strict=True))
    capacity, cost, committed, latency = (np.array(c) for c in zip(*offers, strict=True))
    if not shares.sum() * capacity.sum() > 1.0:
        return
    demands, minimum = shares / shares.sum() * capacity.sum() * part, committed * capacity
    try:
        split = allocate_loads(demands, capacity, cost, minimum, latency, hurry)
    except DomainError:
        return
    fast = latency <= hurry[:, None]
    assert split.sum(axis=1) == pytest.approx(demands, rel=1e-9, abs=1e-9)
    assert not split[~fast].any()
    used = split.sum(axis=0)
    assert (used <= capacity * (1 + 1e-12)).all()
    # An offer twice: what is paid for anyway, and the rest.
    twice = np.hstack([fast, fast])
    objective = np.tile(np.concatenate([np.zeros_like(cost), cost]), (len(loads), 1))
    cheapest = solved(objective, np.concatenate([minimum, capacity - minimum]), demands, twice)
    assert cost @ np.maximum(used - minimum, 0) == pytest.approx(cheapest.fun, rel=1e-6, abs=1e-5)
    rank = np.argsort(np.argsort(cost, kind="stable")).astype(float)
    for load in range(len(loads)):
        objective = np.zeros(fast[load:].shape)
        objective[0] = rank
        best = solved(objective, used + 1e-7, demands[load:], fast[load:])
        assert rank @ split[load] == pytest.approx(best.fun, abs=1e-4), load
        used = used - split[load]


def test_many_loads_and_offers():
    random = np.random.default_rng(1)
    capacity = random.random(2000)
    demands = random.random(40)
    demands *= capacity.sum() * 0.9 / demands.sum()
    split = allocate_loads(demands, capacity, random.random(2000))
    assert split.sum(axis=1) == pytest.approx(demands, rel=1e-12)


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
