"""Fleet: figures reckoned by hand, and the laws of capacity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.capacity import (
    fleet,
    fleet_cost,
    peak_rate,
    site_tokens,
    spot_cost,
    tokens_served,
    utilisation,
)
from engine.energy import energy_per_mtok
from engine.errors import DomainError, InputError
from engine.ownership import commitment


def test_peak_rate_by_hand():
    # 2 million requests of 300 output tokens are 6e8 tokens a day, 6,944.4 a second on average.
    assert peak_rate(2e6, 300.0) == pytest.approx(6944.4444444)
    assert peak_rate(2e6, 300.0, 2.5) == pytest.approx(17361.1111111)


@pytest.mark.parametrize(
    ("arguments", "gpus"),
    [
        # 17,361 tokens/s over 2,200 a replica are 7.89 replicas.
        ((17361.0, 2200.0, 8.0), 64.0),
        # 20 % in reserve: 9.47, so 10 replicas; one spare: 11.
        ((17361.0, 2200.0, 8.0, 0.2, 1.0), 88.0),
        ((0.0, 2200.0, 8.0), 0.0),
        ((0.0, 2200.0, 8.0, 0.0, 1.0), 8.0),
        ((2200.0, 2200.0, 8.0), 8.0),
        ((2200.001, 2200.0, 8.0), 16.0),
    ],
)
def test_fleet_by_hand(arguments, gpus):
    assert fleet(*arguments) == gpus
    np.testing.assert_array_equal(fleet(np.full(2, arguments[0]), *arguments[1:]), gpus)


def test_rounding_buys_no_replica():
    # In floating point 3 times 0.1 is 0.30000000000000004, over 0.1 a little above 3.
    assert 3 * 0.1 / 0.1 > 3
    assert fleet(3 * 0.1, 0.1) == 3.0
    assert math.copysign(1, fleet(0.0, 1.0)) == 1


@given(st.floats(0, 1e9), st.floats(1e-3, 1e6), st.integers(1, 16), st.floats(0, 1))
def test_a_fleet_serves_its_peak_and_one_replica_less_does_not(peak, replica, gpus, headroom):
    replicas = fleet(peak, replica, float(gpus), headroom) / gpus
    needed = peak * (1 + headroom)
    assert replicas % 1 == 0
    assert replicas * replica >= needed * (1 - 1e-9) - 1e-9 * replica
    assert replicas == 0 or (replicas - 1) * replica < needed


def test_fleet_cost_by_hand():
    # Owned 4 at $1 and committed 6 at $2.5 cost $19 an hour; beyond the ten: 0, 2 and 10 at $4.
    assert fleet_cost([8, 12, 20], 4.0, 4.0, 1.0, 6.0, 2.5) == 19 * 3 + 12 * 4
    assert fleet_cost([8, 12, 20], 4.0) == 160.0
    # Capacity delivered in the third period, the price on demand falling.
    assert fleet_cost([8, 12, 20], [4.0, 3.0, 2.0], [0.0, 0.0, 10.0], 1.0, hours=730.0) == 730 * (
        32 + 36 + (10 + 20)
    )


def test_fleet_cost_of_hours_is_dearer_than_their_mean():
    """What TOK_COMMITMENT nets over the period, an hourly commitment pays for."""
    needed = np.array([0.0, 20.0])
    assert fleet_cost(needed, 4.0, committed_gpus=10.0, committed_usd=2.0) == 80.0
    assert commitment(4.0, 2.0, 20.0, needed.sum()) == 40.0


def test_fleet_cost_refuses_ranges_that_do_not_pair():
    with pytest.raises(InputError, match="2 and 3 cells"):
        fleet_cost([1, 2, 3], 4.0, [1, 2])


def test_utilisation_and_tokens_served_are_inverse():
    # 86.4 million tokens a day are 1,000 a second.
    assert utilisation(86.4e6, 4000.0) == 0.25
    assert utilisation(86.4e6, 4000.0, 0.125) == 2.0
    assert tokens_served(4000.0, 1.0, 0.25, 1.0) == pytest.approx(86.4)
    assert tokens_served(1000.0) == pytest.approx(31536.0)


def test_spot_by_hand_and_where_all_work_is_lost():
    # One interruption in ten hours that costs two: a fifth of the time paid is lost.
    assert spot_cost(1.6, 0.1, 2.0) == pytest.approx(2.0)
    assert spot_cost(1.6, 0.0, 2.0) == 1.6
    with pytest.raises(DomainError, match="below 1"):
        spot_cost(1.6, 0.5, 2.0)


def test_site_tokens_by_hand_and_against_the_energy_of_a_token():
    # 100 MW at a PUE of 1.25 feed 80 MW of servers: 8,000 GPUs of 10 kW.
    assert site_tokens(100.0, 10_000.0, 500.0, 1.25) == pytest.approx(8000 * 500 * 86400)
    kwh_a_day = 100_000.0 * 24
    assert site_tokens(100.0, 1275.0, 900.0) == pytest.approx(
        kwh_a_day / energy_per_mtok(1275.0, 900.0) * 1e6
    )
    with pytest.raises(DomainError, match="pue is 30"):
        site_tokens(100.0, 1275.0, 900.0, 30.0)
