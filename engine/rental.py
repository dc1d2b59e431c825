"""Rental prices of GPUs: a dated, cited table of what sellers ask for an hour."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, NamedTuple

from engine import catalogue
from engine.errors import InputError, UnknownIdError
from engine.ids import match

__all__ = ["gpu_price"]

#: A day: a date, a text such as 2026-09-30, or the serial number that a spreadsheet keeps.
Day = Annotated[str | float | date | None, "date"]


def _median(values: Iterable[float]) -> float:
    from statistics import median  # noqa: PLC0415  (it takes longer to load than this table)

    return median(values)


#: What is told of the sellers' prices.
MEASURES: Mapping[str, Callable[[Iterable[float]], float]] = {
    "low": min,
    "median": _median,
    "high": max,
}
_ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
#: Day 0 of a spreadsheet's calendar.
EPOCH = date(1899, 12, 30)


class _Offer(NamedTuple):
    seller: str
    usd_per_hour: float
    day: str


def gpu_price(
    accelerator: str, term: str = "on demand", measure: str = "median", as_of: Day = None
) -> float:
    """Price of renting one GPU for an hour, over the sellers of a dated table.

    Parameters
    ----------
    accelerator : str
        Id of the accelerator, such as h100_sxm, b200_sxm or mi300x [id].
    term : str
        "on demand", "spot", "reserved" or "assumed" (a rent that someone reckons with) [text].
    measure : str
        "low", "median" or "high" over the sellers [text].
    as_of : Day
        Day up to which rows count, a date or a text such as 2026-09-30; left out, all [date].

    Returns
    -------
    float
        Price of one GPU for one hour [USD/h].

    Notes
    -----
    Equation: low, median or high of one price for each seller: that of its newest row up to as_of;
    of several rows of that day, the cheapest.
    Range: the rows of TOK_LIST("gpu_hours"), list prices without negotiated discounts.
    Source: the address in each row; transcriptions of the sellers' price pages.

    Examples
    --------
    >>> gpu_price("h100_sxm", "on demand", "low", "2026-11-21") > 1
    True
    """
    name = match("accelerator", accelerator, _known())
    offers = _offers().get(name, {})
    if not offers:
        raise UnknownIdError(
            f"there is no price of {name}; there are prices of {', '.join(sorted(_offers()))}"
        )
    wanted = match(f"term of {name}", term, offers)
    chosen = MEASURES[match("measure", measure, MEASURES)]
    day = _iso(as_of)
    newest: dict[str, _Offer] = {}
    for offer in offers[wanted]:
        held = newest.get(offer.seller)
        later = held is None or (offer.day, -offer.usd_per_hour) > (held.day, -held.usd_per_hour)
        if offer.day <= day and later:
            newest[offer.seller] = offer
    if not newest:
        first = min(offer.day for offer in offers[wanted])
        raise UnknownIdError(f"no {wanted} price of {name} up to {day}; the first is of {first}")
    return float(chosen(offer.usd_per_hour for offer in newest.values()))


def _iso(day: Any) -> str:
    """Return a day as an ISO date; one that no row is after, where it is left out."""
    if day is None:
        return "9999-12-31"
    if isinstance(day, datetime):
        return day.date().isoformat()
    if isinstance(day, date):
        return day.isoformat()
    if isinstance(day, str):
        text = day.strip()
        try:
            if _ISO.fullmatch(text):
                return date.fromisoformat(text).isoformat()
        except ValueError:
            pass  # such as 30 February
        raise InputError(f"as_of is {day!r}; it must be a date such as 2026-09-30")
    if isinstance(day, bool) or not isinstance(day, int | float):
        raise InputError(f"as_of must be a date, not {day!r}")
    try:
        return (EPOCH + timedelta(days=int(day))).isoformat()
    except (OverflowError, ValueError):
        raise InputError(f"as_of is {day:g}, which is no date") from None


@cache
def _known() -> Mapping[str, None]:
    return dict.fromkeys([*_offers(), *(row["id"] for row in catalogue.table("accelerators"))])


@cache
def _offers() -> Mapping[str, Mapping[str, tuple[_Offer, ...]]]:
    """Return the rows of the table by accelerator and term."""
    found: dict[str, dict[str, tuple[_Offer, ...]]] = {}
    for row in catalogue.table("gpu_hour_prices"):
        terms = found.setdefault(row["accelerator"], {})
        offer = _Offer(row["seller"], float(row["usd_per_hour"]), row["date"])
        terms[row["term"]] = (*terms.get(row["term"], ()), offer)
    return found
