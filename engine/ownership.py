"""Ownership: what an accelerator costs bought, rented or committed."""

from __future__ import annotations

import math

import numpy as np

from engine.domains import Domain
from engine.elementwise import (
    Number,
    Scalar,
    above,
    at_least,
    between,
    elementwise,
    fraction,
    holds,
    larger,
    proper_fraction,
    single,
    steps,
    whole,
)
from engine.tables import Table

__all__ = [
    "commitment",
    "depreciation",
    "own_breakeven_hours",
    "owned_gpu_hour",
    "rent_vs_own",
    "shared_gpu",
]

#: A year of 365 days.
HOURS_PER_YEAR = 8760.0
# Below this rate (1 + rate)^years − 1 has lost the digits that the annuity divides by; the
# annuity without interest is then the more accurate one.
_LOWEST_RATE = 1e-8
_HOURS_USED = Domain(
    math.nextafter(0.0, 1.0), HOURS_PER_YEAR, f"above 0 and at most {HOURS_PER_YEAR:g}"
)


def _capital_per_year(
    capex: Number, life_years: Number, residual: Number, discount_rate: Number
) -> Number:
    """Return the level yearly payment that recovers capex less the discounted residual."""
    free = np.abs(discount_rate) < _LOWEST_RATE
    rate = np.where(free, 1.0, discount_rate)
    kept = holds(residual <= capex, residual, "residual must not exceed capex")
    # A growth factor past the largest float ends as NaN, which is refused as it should be.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        grown = np.where(free, 1.0, (1 + rate) ** life_years)
        payments = np.where(free, life_years, (grown - 1) / rate)
        payment: Number = (capex * grown - kept) / payments
    return payment


def _energy_per_year(
    hours: Number, watts: Number, idle_watts: Number, pue: Number, usd_per_kwh: Number
) -> Number:
    """Return the cost of a year's electricity: `watts` in the hours used, else `idle_watts`."""
    drawn = hours * watts + (HOURS_PER_YEAR - hours) * idle_watts
    return drawn / 1000 * pue * usd_per_kwh


@elementwise(
    capex=at_least(0),
    life_years=above(0),
    residual=at_least(0),
    discount_rate=fraction(),
    watts=at_least(0),
    pue=between(1, 3),
    usd_per_kwh=at_least(0),
    opex_per_year=at_least(0),
    kg_co2_per_kwh=at_least(0),
    usd_per_tonne_co2=at_least(0),
    hours_per_year=_HOURS_USED,
    idle_watts=at_least(0),
)
def owned_gpu_hour(
    capex: Number,
    life_years: Number = 5.0,
    residual: Number = 0.0,
    discount_rate: Number = 0.0,
    watts: Number = 1275.0,
    pue: Number = 1.3,
    usd_per_kwh: Number = 0.08,
    opex_per_year: Number = 0.0,
    kg_co2_per_kwh: Number = 0.0,
    usd_per_tonne_co2: Number = 0.0,
    hours_per_year: Number = HOURS_PER_YEAR,
    idle_watts: Number = 0.0,
) -> Number:
    """Cost of one hour of use of an accelerator that one owns.

    Parameters
    ----------
    capex : Number
        Purchase price, with the share of server, network and building [USD].
    life_years : Number
        Years until it is sold or scrapped [year].
    residual : Number
        What it sells for at the end, at most capex [USD].
    discount_rate : Number
        Cost of capital a year [-].
    watts : Number
        Power in the hours used, with the accelerator's share of the server; an H100 in a DGX
        draws 1,275 W [W].
    pue : Number
        Power of the data centre over power of its computers, 1 or more [-].
    usd_per_kwh : Number
        Price of electricity [USD/kWh].
    opex_per_year : Number
        Running cost beside energy: space, people, repair [USD/year].
    kg_co2_per_kwh : Number
        Carbon intensity of the electricity [kg/kWh].
    usd_per_tonne_co2 : Number
        Price of a tonne of CO2 [USD/t].
    hours_per_year : Number
        Hours used a year, above 0, at most 8,760 [h/year].
    idle_watts : Number
        Power in the other hours; 0 where it is switched off [W].

    Returns
    -------
    Number
        Cost of a year over the hours used in it [USD/h].

    Notes
    -----
    Equation: ``(CRF·(capex − residual/(1+r)^n) + opex + (h·kW + (8760 − h)·kW_idle)·pue·
    (usd_per_kwh + kg_co2_per_kwh·usd_per_tonne_co2/1000)) / h`` with
    ``CRF = r·(1+r)^n / ((1+r)^n − 1)``, 1/n at r = 0.
    Range: discount_rate 0 to 1, nominal or real as the other figures are. Rates below 1e-8 count
    as 0.
    Source: capital recovery factor, Newnan, Eschenbach, Lavelle, "Engineering Economic Analysis";
    power of a server from the NVIDIA DGX H100 data sheet, 10.2 kW for 8 GPUs.

    Examples
    --------
    >>> round(owned_gpu_hour(30000.0, 5.0, 0.0, 0.1), 4)
    1.036
    """
    capital = _capital_per_year(capex, life_years, residual, discount_rate)
    with_carbon = usd_per_kwh + kg_co2_per_kwh * usd_per_tonne_co2 / 1000
    energy = _energy_per_year(hours_per_year, watts, idle_watts, pue, with_carbon)
    # The capital is of NumPy, whose overflow would be told on the way to being refused.
    with np.errstate(over="ignore"):
        return (capital + opex_per_year + energy) / hours_per_year


@single(
    rent_usd_per_hour=at_least(0),
    hours_per_year=between(0, HOURS_PER_YEAR),
    capex=at_least(0),
    years=whole(1, 100),
    residual=at_least(0),
    discount_rate=fraction(),
    watts=at_least(0),
    pue=between(1, 3),
    usd_per_kwh=at_least(0),
    opex_per_year=at_least(0),
    idle_watts=at_least(0),
)
def rent_vs_own(
    rent_usd_per_hour: Scalar,
    hours_per_year: Scalar,
    capex: Scalar,
    years: Scalar = 3.0,
    residual: Scalar = 0.0,
    discount_rate: Scalar = 0.0,
    watts: Scalar = 1275.0,
    pue: Scalar = 1.3,
    usd_per_kwh: Scalar = 0.08,
    opex_per_year: Scalar = 0.0,
    idle_watts: Scalar = 0.0,
) -> Table:
    """Year by year: what renting costs, what owning costs, and what owning has saved so far.

    Parameters
    ----------
    rent_usd_per_hour : Scalar
        Price of an hour rented [USD/h].
    hours_per_year : Scalar
        Hours used a year, 0 to 8,760 [h/year].
    capex : Scalar
        Purchase price, paid in year 0 [USD].
    years : Scalar
        Whole years of use, 1 to 100 [year].
    residual : Scalar
        What it sells for in the last year, at most capex [USD].
    discount_rate : Scalar
        Cost of capital a year; year 1 is discounted once [-].
    watts : Scalar
        Power in the hours used, with the accelerator's share of the server [W].
    pue : Scalar
        Power of the data centre over power of its computers, 1 or more [-].
    usd_per_kwh : Scalar
        Price of electricity [USD/kWh].
    opex_per_year : Scalar
        Running cost beside energy [USD/year].
    idle_watts : Scalar
        Power in the hours not used; 0 where it is switched off [W].

    Returns
    -------
    Table
        year, rent, own, cumulative rent, cumulative own and NPV of the saving so far
        [year, USD, USD, USD, USD, USD].

    Notes
    -----
    Equation: ``own_0 = capex``, ``own_y = opex + (h·kW + (8760 − h)·kW_idle)·pue·usd_per_kwh``,
    less the residual in the last year; ``NPV_y = Σ_{t≤y} (rent_t − own_t) / (1+r)^t``.
    Range: the last NPV is 0 at TOK_OWN_BREAKEVEN_HOURS and positive above it.
    Source: net present value with year-end payments.

    Examples
    --------
    >>> rent_vs_own(2.0, 8760, 30000.0).column("NPV of saving").round().tolist()
    [-30000.0, -13642.0, 2717.0, 19075.0]
    """
    kept = holds(residual <= capex, residual, "residual must not exceed capex")
    year = steps(years + 1)
    used = year > 0
    rent = np.where(used, rent_usd_per_hour * hours_per_year, 0.0)
    running = opex_per_year + _energy_per_year(hours_per_year, watts, idle_watts, pue, usd_per_kwh)
    own = np.where(used, running, capex) - np.where(year == years, kept, 0.0)
    # numpy_financial.npv gives the last year's figure alone; the running sum gives every year's.
    saving = np.cumsum((rent - own) / (1 + discount_rate) ** year)
    return Table(
        ("year", "rent", "own", "cumulative rent", "cumulative own", "NPV of saving"),
        (year, rent, own, np.cumsum(rent), np.cumsum(own), saving),
    )


@elementwise(
    never="an hour rented costs no more than the electricity of an hour owned",
    rent_usd_per_hour=at_least(0),
    capex=at_least(0),
    life_years=above(0),
    residual=at_least(0),
    discount_rate=fraction(),
    watts=at_least(0),
    pue=between(1, 3),
    usd_per_kwh=at_least(0),
    opex_per_year=at_least(0),
    idle_watts=at_least(0),
)
def own_breakeven_hours(
    rent_usd_per_hour: Number,
    capex: Number,
    life_years: Number = 3.0,
    residual: Number = 0.0,
    discount_rate: Number = 0.0,
    watts: Number = 1275.0,
    pue: Number = 1.3,
    usd_per_kwh: Number = 0.08,
    opex_per_year: Number = 0.0,
    idle_watts: Number = 0.0,
) -> Number:
    """Hours of use a year from which owning is cheaper than renting.

    Parameters
    ----------
    rent_usd_per_hour : Number
        Price of an hour rented [USD/h].
    capex : Number
        Purchase price [USD].
    life_years : Number
        Years of use [year].
    residual : Number
        What it sells for at the end, at most capex [USD].
    discount_rate : Number
        Cost of capital a year [-].
    watts : Number
        Power in the hours used, with the accelerator's share of the server [W].
    pue : Number
        Power of the data centre over power of its computers, 1 or more [-].
    usd_per_kwh : Number
        Price of electricity [USD/kWh].
    opex_per_year : Number
        Running cost beside energy [USD/year].
    idle_watts : Number
        Power in the hours not used; 0 where it is switched off [W].

    Returns
    -------
    Number
        Hours a year; above 8,760 owning never pays, and infinite where renting costs no more
        than the electricity [h/year].

    Notes
    -----
    Equation: ``(CRF·(capex − residual/(1+r)^n) + opex + 8760·e_idle) / (rent − e + e_idle)`` with
    ``e = kW·pue·usd_per_kwh`` in the hours used and e_idle in the others.
    Range: where the last NPV of TOK_RENT_VS_OWN is 0.
    Source: net present value of the saving solved for the hours.

    Examples
    --------
    >>> round(own_breakeven_hours(2.0, 30000.0))
    5355
    """
    more_per_hour = (watts - idle_watts) / 1000 * pue * usd_per_kwh
    saved_per_hour = rent_usd_per_hour - more_per_hour
    idle = _energy_per_year(0.0, watts, idle_watts, pue, usd_per_kwh)
    capital = _capital_per_year(capex, life_years, residual, discount_rate)
    # A NaN fails the comparison and stays one; in `fixed` it outlives the infinity by the sum.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        fixed = opex_per_year + idle + capital
        gained = np.where(saved_per_hour > 0, saved_per_hour, 1.0)
        hours: Number = np.where(saved_per_hour <= 0, math.inf + fixed, fixed / gained)
    return hours


@elementwise(
    on_demand=at_least(0),
    committed_rate=at_least(0),
    committed_hours=at_least(0),
    used_hours=at_least(0),
)
def commitment(
    on_demand: Number, committed_rate: Number, committed_hours: Number, used_hours: Number
) -> Number:
    """Bill of committed hours, netted over the period: paid used or not, the rest on demand.

    Parameters
    ----------
    on_demand : Number
        Price of an hour on demand [USD/h].
    committed_rate : Number
        Price of a committed hour [USD/h].
    committed_hours : Number
        Hours committed in the period [h].
    used_hours : Number
        Hours used in the same period [h].

    Returns
    -------
    Number
        Bill of the period [USD].

    Notes
    -----
    Equation: ``committed_rate·committed_hours + on_demand·max(used_hours − committed_hours, 0)``.
    Range: hours are netted over the period, as where a quantity of hours is bought in advance. A
    commitment by the hour (AWS Savings Plans, reservations) loses what an hour leaves unused and
    costs more: TOK_FLEET_COST over a range of hours.
    Source: terms of prepaid and committed-use contracts.

    Examples
    --------
    >>> commitment(5.0, 3.0, 1000.0, 1200.0)
    4000.0
    """
    beyond = larger(used_hours - committed_hours, 0.0)
    return committed_rate * committed_hours + on_demand * beyond


@elementwise(usd_per_gpu_hour=at_least(0), tenants=at_least(1), overhead=proper_fraction())
def shared_gpu(usd_per_gpu_hour: Number, tenants: Number, overhead: Number = 0.1) -> Number:
    """Cost of the share of an accelerator that one of several tenants gets.

    Parameters
    ----------
    usd_per_gpu_hour : Number
        Price of the whole accelerator for an hour [USD/h].
    tenants : Number
        Tenants that share it evenly [-].
    overhead : Number
        Share of the capacity that the sharing itself takes, below 1 [-].

    Returns
    -------
    Number
        Price of one tenant's hour of usable capacity [USD/h].

    Notes
    -----
    Equation: ``usd_per_gpu_hour / (tenants · (1 − overhead))``.
    Range: at least one tenant; overhead below 1.
    Source: definition.

    Examples
    --------
    >>> round(shared_gpu(2.0, 4.0), 4)
    0.5556
    """
    return usd_per_gpu_hour / (tenants * (1 - overhead))


@elementwise(capex=at_least(0), life_years=above(0), residual=at_least(0))
def depreciation(capex: Number, life_years: Number, residual: Number = 0.0) -> Number:
    """Yearly depreciation, straight line.

    Parameters
    ----------
    capex : Number
        Purchase price [USD].
    life_years : Number
        Years over which it is written off [year].
    residual : Number
        Value left at the end, at most capex [USD].

    Returns
    -------
    Number
        Depreciation a year [USD/year].

    Notes
    -----
    Equation: ``(capex − residual) / life_years``.
    Range: residual at most capex.
    Source: straight-line method.

    Examples
    --------
    >>> depreciation(50e9, 5.0)
    10000000000.0
    """
    return holds(residual <= capex, capex - residual, "residual must not exceed capex") / life_years
