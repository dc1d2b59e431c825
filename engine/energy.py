"""Energy: what a million tokens take in electricity and carbon, and what that and hardware cost."""

from __future__ import annotations

from engine.elementwise import (
    Number,
    above,
    at_least,
    between,
    elementwise,
    fraction,
    positive_fraction,
)
from engine.ownership import owned_gpu_hour
from engine.tokens import cost_per_mtok

__all__ = ["carbon_per_mtok", "energy_per_mtok", "price_floor", "upgrade_cost"]


@elementwise(watts=at_least(0), tokens_per_second=above(0), pue=between(1, 3))
def energy_per_mtok(watts: Number, tokens_per_second: Number, pue: Number = 1.3) -> Number:
    """Electricity that a million tokens take.

    Parameters
    ----------
    watts : Number
        Power of the accelerators that give this throughput, with their share of the servers; an
        H100 in a DGX draws 1,275 W [W].
    tokens_per_second : Number
        Tokens that they give together [1/s].
    pue : Number
        Power of the data centre over power of its computers, 1 or more [-].

    Returns
    -------
    Number
        Electricity per million tokens [kWh/Mtok].

    Notes
    -----
    Equation: ``watts · pue / (3.6 · tokens_per_second)``.
    Range: any throughput above 0.
    Source: identity; 1 kWh = 3.6e6 J.

    Examples
    --------
    >>> round(energy_per_mtok(700.0, 1000.0), 4)
    0.2528
    """
    return watts * pue / (3.6 * tokens_per_second)


@elementwise(
    watts=at_least(0), tokens_per_second=above(0), pue=between(1, 3), kg_co2_per_kwh=at_least(0)
)
def carbon_per_mtok(
    watts: Number, tokens_per_second: Number, pue: Number, kg_co2_per_kwh: Number
) -> Number:
    """CO2 that the electricity of a million tokens causes.

    Parameters
    ----------
    watts : Number
        Power of the accelerators that give this throughput, with their share of the servers; an
        H100 in a DGX draws 1,275 W [W].
    tokens_per_second : Number
        Tokens that they give together [1/s].
    pue : Number
        Power of the data centre over power of its computers, 1 or more [-].
    kg_co2_per_kwh : Number
        Carbon intensity of the electricity [kg/kWh].

    Returns
    -------
    Number
        CO2 per million tokens [kg/Mtok].

    Notes
    -----
    Equation: ``watts · pue / (3.6 · tokens_per_second) · kg_co2_per_kwh``.
    Range: electricity in use alone, not the making of the hardware.
    Source: GHG Protocol, scope 2.

    Examples
    --------
    >>> round(carbon_per_mtok(700.0, 1000.0, 1.3, 0.4), 4)
    0.1011
    """
    return energy_per_mtok(watts, tokens_per_second, pue) * kg_co2_per_kwh


@elementwise(
    capex=at_least(0),
    tokens_per_second=above(0),
    life_years=above(0),
    watts=at_least(0),
    pue=between(1, 3),
    usd_per_kwh=at_least(0),
    utilisation=positive_fraction(),
)
def price_floor(
    capex: Number,
    tokens_per_second: Number,
    life_years: Number = 5.0,
    watts: Number = 1275.0,
    pue: Number = 1.3,
    usd_per_kwh: Number = 0.08,
    utilisation: Number = 1.0,
) -> Number:
    """Price of a million tokens that pays for electricity and hardware alone.

    Parameters
    ----------
    capex : Number
        Purchase price of the accelerators that give this throughput [USD].
    tokens_per_second : Number
        Tokens that are sold at that price, given by them together while busy; where input is sold
        too, input and output [1/s].
    life_years : Number
        Years over which they are written off [year].
    watts : Number
        Power with the share of the servers, drawn in every hour [W].
    pue : Number
        Power of the data centre over power of its computers, 1 or more [-].
    usd_per_kwh : Number
        Price of electricity [USD/kWh].
    utilisation : Number
        Share of the time in which they are busy, above 0 [-].

    Returns
    -------
    Number
        Price below which no owner can sell for long [USD/Mtok].

    Notes
    -----
    Equation: TOK_COST_PER_MTOK of TOK_OWNED_GPU_HOUR without interest, residual, opex and carbon.
    Range: utilisation above 0 and at most 1.
    Source: straight-line write-off over 8,760 hours a year.

    Examples
    --------
    >>> round(price_floor(30000.0, 1000.0), 4)
    0.2271
    """
    hour = owned_gpu_hour(capex, life_years, 0.0, 0.0, watts, pue, usd_per_kwh)
    return cost_per_mtok(hour, tokens_per_second, utilisation)


@elementwise(
    performance_ratio=above(0),
    unit_cost_ratio=at_least(0),
    power_ratio=at_least(0),
    energy_share=fraction(),
)
def upgrade_cost(
    performance_ratio: Number,
    unit_cost_ratio: Number,
    power_ratio: Number = 1.0,
    energy_share: Number = 0.0,
) -> Number:
    """Change of the cost of a token when new hardware replaces old.

    Parameters
    ----------
    performance_ratio : Number
        Throughput of the new over the old [-].
    unit_cost_ratio : Number
        Price of the new over the old [-].
    power_ratio : Number
        Power of the new over the old [-].
    energy_share : Number
        Share of energy in the cost on the old, 0 to 1 [-].

    Returns
    -------
    Number
        Change of the cost per token, -0.48 for 48 % cheaper [-].

    Notes
    -----
    Equation: ``((1 − s)·unit_cost_ratio + s·power_ratio) / performance_ratio − 1``.
    Range: performance_ratio above 0, at an unchanged utilisation and life.
    Source: definition.

    Examples
    --------
    >>> round(upgrade_cost(2.5, 1.3), 2)
    -0.48
    """
    hour_ratio = (1 - energy_share) * unit_cost_ratio + energy_share * power_ratio
    return hour_ratio / performance_ratio - 1
