"""Securities without coupons: their prices, discounts and yields."""

from __future__ import annotations

from datetime import date

from workbooks.excel.runtime.coerce import Refusal
from workbooks.excel.runtime.days import basis_of, years_between


def _years(settlement: date, maturity: date, basis: int, *above: float) -> float:
    basis_of(basis)
    if settlement >= maturity or min(above) <= 0:
        raise Refusal("#NUM!", "settlement comes before maturity; prices and rates are above 0")
    return years_between(settlement, maturity, basis)


def disc(
    settlement: date, maturity: date, price: float, redemption: float, basis: int = 0
) -> float:
    """Return the yearly discount."""
    years = _years(settlement, maturity, basis, price, redemption)
    return (redemption - price) / redemption / years


def intrate(
    settlement: date, maturity: date, paid: float, redemption: float, basis: int = 0
) -> float:
    """Return the yearly interest on what was paid."""
    years = _years(settlement, maturity, basis, paid, redemption)
    return (redemption - paid) / paid / years


def received(
    settlement: date, maturity: date, paid: float, discount: float, basis: int = 0
) -> float:
    """Return what is received at maturity."""
    years = _years(settlement, maturity, basis, paid, discount)
    share = 1 - discount * years
    if share <= 0:
        raise Refusal("#NUM!", "the discount takes the whole")
    return paid / share


def price_disc(
    settlement: date, maturity: date, discount: float, redemption: float, basis: int = 0
) -> float:
    """Return the price of a discounted security."""
    years = _years(settlement, maturity, basis, discount, redemption)
    return redemption * (1 - discount * years)


def yield_disc(
    settlement: date, maturity: date, price: float, redemption: float, basis: int = 0
) -> float:
    """Return the yearly yield of a discounted security."""
    years = _years(settlement, maturity, basis, price, redemption)
    return (redemption / price - 1) / years


def price_mat(
    settlement: date, maturity: date, issue: date, rate: float, yearly: float, basis: int = 0
) -> float:
    """Return the price of a security that pays its interest at maturity."""
    whole, before, left = _from_issue(settlement, maturity, issue, basis)
    if rate < 0 or yearly < 0:
        raise Refusal("#NUM!", "rate and yield are 0 or more")
    return (100 + whole * rate * 100) / (1 + left * yearly) - before * rate * 100


def yield_mat(
    settlement: date, maturity: date, issue: date, rate: float, price: float, basis: int = 0
) -> float:
    """Return the yield of a security that pays its interest at maturity."""
    whole, before, left = _from_issue(settlement, maturity, issue, basis)
    if rate < 0 or price <= 0:
        raise Refusal("#NUM!", "the rate is 0 or more, the price above 0")
    return ((1 + whole * rate) / (price / 100 + before * rate) - 1) / left


def _from_issue(
    settlement: date, maturity: date, issue: date, basis: int
) -> tuple[float, float, float]:
    basis_of(basis)
    if settlement >= maturity or issue > settlement:
        raise Refusal("#NUM!", "issue, settlement and maturity follow each other")
    return (
        years_between(issue, maturity, basis),
        years_between(issue, settlement, basis),
        years_between(settlement, maturity, basis),
    )
