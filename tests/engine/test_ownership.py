"""Ownership and energy against published tables, against numpy-financial, and by its laws."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy_financial as npf
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from engine import energy
from engine import ownership as own
from engine.errors import DomainError, InputError
from engine.tokens import cost_per_mtok

DATA = Path(__file__).parents[1] / "data"
# Half a unit of the last digit printed.
PRINTED = 0.5e-5

usd = st.floats(0, 1e9)
price = st.floats(0.01, 1e3)
rate = st.one_of(st.just(0.0), st.floats(1e-6, 1.0))
years = st.integers(1, 30).map(float)


def _table(name):
    with (DATA / name).open(encoding="utf-8") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


@pytest.mark.parametrize("row", list(_table("capital_recovery.csv")), ids=str)
def test_capital_recovery_is_that_of_the_printed_table(row):
    interest, life, factor = (float(row[k]) for k in ("rate", "years", "factor"))
    hour = own.owned_gpu_hour(8760.0, life, 0.0, interest, watts=0.0)
    assert hour == pytest.approx(factor, abs=PRINTED)


def test_a_day_of_deepseek_costs_what_it_disclosed():
    day = {row["field"]: float(row["value"]) for row in _table("deepseek_day.csv")}
    gpu_hours = day["nodes"] * day["gpus_per_node"] * day["hours"]
    # Rented alone: nothing committed, everything on demand.
    assert own.commitment(day["usd_per_gpu_hour"], 0.0, 0.0, gpu_hours) == day["cost"]


def test_owned_hour_adds_capital_opex_energy_and_carbon():
    hour = own.owned_gpu_hour(43800.0, 5.0, 0.0, 0.0, 1000.0, 1.5, 0.10, 8760.0, 0.4, 50.0)
    # 1 of hardware, 1 of opex, 1.5 kW at 0.10, and 0.6 kg of CO2 at 50 a tonne.
    assert hour == pytest.approx(1 + 1 + 0.15 + 0.03)


def test_residual_counts_at_its_discounted_value():
    with_residual = own.owned_gpu_hour(1000.0, 3.0, 200.0, 0.1, watts=0.0)
    less_capex = own.owned_gpu_hour(1000.0 - 200.0 / 1.1**3, 3.0, 0.0, 0.1, watts=0.0)
    assert with_residual == pytest.approx(less_capex)


@given(capex=usd, life=st.floats(0.1, 50))
def test_owned_hour_is_capex_over_hours_when_everything_else_is_zero(capex, life):
    hour = own.owned_gpu_hour(capex, life, watts=0.0)
    assert hour == pytest.approx(capex / (life * 8760), rel=1e-12)


@given(rate=st.floats(0, 1e-5))
@example(rate=1e-8)
@example(rate=1e-300)
def test_small_rates_lead_smoothly_to_no_interest(rate):
    without = own.owned_gpu_hour(1.0, 5.0, 0.0, 0.0, watts=0.0)
    # The first-order term of the capital recovery factor: 1/n + r·(n + 1)/(2n).
    expected = without + rate * 6 / 10 / 8760
    assert own.owned_gpu_hour(1.0, 5.0, 0.0, rate, watts=0.0) == pytest.approx(expected, rel=1e-7)


@given(capex=usd, low=st.floats(0, 0.5), more=st.floats(1e-3, 0.5), life=years)
def test_owned_hour_rises_with_the_cost_of_capital(capex, low, more, life):
    cheap = own.owned_gpu_hour(capex, life, 0.0, low, watts=0.0)
    dear = own.owned_gpu_hour(capex, life, 0.0, low + more, watts=0.0)
    assert cheap <= dear


def test_rent_vs_own_year_by_year():
    table = own.rent_vs_own(2.0, 5000.0, 10000.0, 3.0, 1000.0, 0.1, 500.0, 1.2, 0.10, 300.0)
    # 0.6 kW at 0.10 over 5,000 hours is 300, and 300 of opex.
    assert table.column("year").tolist() == [0, 1, 2, 3]
    assert table.column("rent").tolist() == [0, 10000, 10000, 10000]
    assert table.column("own") == pytest.approx([10000, 600, 600, -400])
    assert table.column("cumulative rent").tolist() == [0, 10000, 20000, 30000]
    assert table.column("cumulative own") == pytest.approx([10000, 10600, 11200, 10800])
    saving = [-10000, 9400, 9400, 10400]
    for year, so_far in enumerate(table.column("NPV of saving")):
        assert so_far == pytest.approx(npf.npv(0.1, saving[: year + 1]))


@given(
    rent=st.floats(0.2, 50),
    capex=st.floats(1, 1e6),
    life=years,
    kept=st.floats(0, 1),
    rate=rate,
    opex=st.floats(0, 1e4),
)
def test_rent_vs_own_turns_at_the_breakeven_hours(rent, capex, life, kept, rate, opex):
    residual = kept * capex
    hours = own.own_breakeven_hours(rent, capex, life, residual, rate, opex_per_year=opex)
    assume(hours <= 8760)
    spend = capex + rent * hours * life

    def last_npv(used):
        table = own.rent_vs_own(rent, used, capex, life, residual, rate, opex_per_year=opex)
        return table.column("NPV of saving")[-1]

    assert last_npv(hours) == pytest.approx(0, abs=1e-9 * spend)
    assert last_npv(hours * 0.99) <= 1e-9 * spend
    if hours < 8600:
        assert last_npv(hours * 1.01) >= -1e-9 * spend


def test_owning_never_pays_where_renting_costs_no_more_than_the_electricity():
    assert own.own_breakeven_hours(0.07, 30000.0) == np.inf
    hours = own.own_breakeven_hours(np.array([0.05, 2.0, np.nan]), np.array([1e4, np.nan, 1e4]))
    assert hours[0] == np.inf
    assert np.isnan(hours[1:]).all()


def test_commitment_pays_for_unused_hours_and_for_those_beyond():
    assert own.commitment(5.0, 3.0, 1000.0, 1200.0) == 4000.0
    assert own.commitment(5.0, 3.0, 1000.0, 0.0) == 3000.0


@given(price, st.floats(0, 1), st.floats(0, 1e5), st.floats(0, 1e5))
def test_a_discounted_commitment_that_is_used_up_beats_demand(on_demand, part, committed, used):
    bill = own.commitment(on_demand, on_demand * part, committed, used)
    if used >= committed:
        assert bill <= on_demand * used * (1 + 1e-12)
    assert bill >= on_demand * part * committed * (1 - 1e-12)


def test_shared_accelerator():
    assert own.shared_gpu(2.0, 4.0, 0.0) == 0.5
    assert own.shared_gpu(3.6, 2.0) == pytest.approx(2.0)


def test_depreciation_is_straight():
    assert own.depreciation(30000.0, 5.0, 5000.0) == 5000.0


def test_energy_and_carbon_of_a_million_tokens():
    # 1 kW for 1,000 s gives a million tokens: 1/3.6 kWh, times 1.8.
    assert energy.energy_per_mtok(1000.0, 1000.0, 1.8) == pytest.approx(0.5)
    assert energy.carbon_per_mtok(1000.0, 1000.0, 1.8, 0.4) == pytest.approx(0.2)


@given(capex=usd, tokens=st.floats(1, 1e6), busy=st.floats(0.01, 1))
def test_price_floor_is_the_owned_hour_spread_over_its_tokens(capex, tokens, busy):
    hour = own.owned_gpu_hour(capex)
    floor = energy.price_floor(capex, tokens, utilisation=busy)
    assert floor == pytest.approx(cost_per_mtok(hour, tokens, busy))


@given(busy=st.floats(0.01, 0.99), capex=usd)
def test_price_floor_falls_as_utilisation_rises(busy, capex):
    idle, full = (energy.price_floor(capex, 1000.0, utilisation=u) for u in (busy, 1.0))
    assert full < idle


def test_price_floor_is_hardware_and_electricity():
    hardware = 30000 / (5 * 8760 * 3600) / 1000 * 1e6
    electricity = energy.energy_per_mtok(1275.0, 1000.0) * 0.08
    assert energy.price_floor(30000.0, 1000.0) == pytest.approx(hardware + electricity)


def test_the_owned_hour_is_that_of_rent_against_own():
    """With equal inputs the hour times the hours is the year's cost of owning, to the digit."""
    plan = {
        "residual": 3000.0,
        "discount_rate": 0.08,
        "watts": 1275.0,
        "pue": 1.25,
        "usd_per_kwh": 0.07,
        "opex_per_year": 900.0,
        "idle_watts": 400.0,
    }
    for hours in (1.0, 4000.0, 8760.0):
        hour = own.owned_gpu_hour(30000.0, 4.0, hours_per_year=hours, **plan)
        path = own.rent_vs_own(hour, hours, 30000.0, 4.0, **plan)
        # Renting at that price saves nothing over the years, and the hours break even.
        assert path.column("NPV of saving")[-1] == pytest.approx(0, abs=1e-9 * 30000)
        even = own.own_breakeven_hours(hour, 30000.0, 4.0, **plan)
        assert even == pytest.approx(hours, rel=1e-9)
        running = path.column("own")[1]
        capital = hour * hours - running
        # 30,000 less 3,000 in four years, at 8 %: 30,000·0.30192 − 3,000·0.22192 a year.
        assert capital == pytest.approx(30000 * 0.301920805 - 3000 * 0.221920805, rel=1e-8)


def test_idle_hours_by_hand():
    # 2,000 h at 1 kW and 6,760 h at 0.25 kW are 3,690 kWh; at 10 cents and a PUE of 1.2 $442.80.
    hour = own.owned_gpu_hour(
        0.0, watts=1000.0, pue=1.2, usd_per_kwh=0.1, hours_per_year=2000.0, idle_watts=250.0
    )
    assert hour == pytest.approx(442.8 / 2000)
    assert own.owned_gpu_hour(0.0, watts=1000.0, pue=1.2, usd_per_kwh=0.1) == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("discount_rate", 8.0, "discount_rate is 8; it must be 0 to 1, as 0.08 for 8 %"),
        ("pue", 130.0, "pue is 130; it must be 1 to 3"),
        ("pue", 0.9, "1 to 3"),
        ("residual", 30001.0, "residual must not exceed capex"),
        ("hours_per_year", 0.0, "above 0 and at most 8760"),
        ("hours_per_year", 8761.0, "above 0 and at most 8760"),
    ],
)
def test_slips_are_caught_with_their_reason(name, value, told):
    with pytest.raises(DomainError, match=told):
        own.owned_gpu_hour(30000.0, **{name: value})
    with pytest.raises(DomainError, match=r"energy_share is 20; it must be 0 to 1"):
        energy.upgrade_cost(2.5, 1.3, 1.4, 20.0)


def test_upgrade_changes_the_cost_per_token():
    assert energy.upgrade_cost(2.5, 1.3) == pytest.approx(-0.48)
    assert energy.upgrade_cost(2.0, 1.5, 1.0, 0.5) == pytest.approx(0.5 * 1.5 / 2 + 0.25 - 1)
    assert energy.upgrade_cost(1.0, 1.0) == 0


@pytest.mark.parametrize(
    ("function", "arguments", "bad"),
    [
        (own.owned_gpu_hour, (30000.0, 5.0), (30000.0, 0.0)),
        (own.owned_gpu_hour, (30000.0, 5.0, 1000.0), (30000.0, 5.0, 30001.0)),
        (own.own_breakeven_hours, (2.0, 30000.0), (-1.0, 30000.0)),
        (own.commitment, (5.0, 3.0, 1000.0, 1200.0), (5.0, 3.0, 1000.0, -1.0)),
        (own.shared_gpu, (2.0, 4.0, 0.1), (2.0, 4.0, 1.0)),
        (own.depreciation, (30000.0, 5.0, 100.0), (30000.0, 5.0, 30001.0)),
        (energy.energy_per_mtok, (700.0, 1000.0, 1.3), (700.0, 1000.0, 0.9)),
        (energy.carbon_per_mtok, (700.0, 1000.0, 1.3, 0.4), (700.0, 0.0, 1.3, 0.4)),
        (
            energy.price_floor,
            (30000.0, 1000.0, 5.0, 700.0, 1.3, 0.08, 0.5),
            (30000.0, 1000.0, 5.0, 700.0, 1.3, 0.08, 0.0),
        ),
        (energy.upgrade_cost, (2.5, 1.3, 1.1, 0.2), (0.0, 1.3, 1.1, 0.2)),
    ],
)
def test_scalar_array_and_nan(check_shapes, function, arguments, bad):
    check_shapes(function, arguments, bad)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((2.0, 8761.0, 30000.0), DomainError),
        ((2.0, 5000.0, 30000.0, 2.5), DomainError),
        ((2.0, 5000.0, 30000.0, 3.0, 30001.0), DomainError),
        ((2.0, np.nan, 30000.0), DomainError),
        ((2.0, [5000.0, 6000.0], 30000.0), InputError),
    ],
)
def test_rent_vs_own_refuses(arguments, error):
    with pytest.raises(error):
        own.rent_vs_own(*arguments)
