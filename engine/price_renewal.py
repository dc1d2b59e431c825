"""The renewal of the price snapshot from the list of genai-prices, and what it changed."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from engine import catalogue, prices
from engine.errors import TokenbookError
from engine.prices import SIDES, Price, plain_name, price_of

_SOURCE = "S23"
# Some sellers ask less at night. All prices of a snapshot are those of noon, UTC.
_NOON = 12
#: What genai-prices calls the price of each side.
_UNITS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")


@dataclass(frozen=True, slots=True)
class Change:
    """One price that a renewal changed; `old` is None where it is new, `new` where it is gone."""

    provider: str
    listing: str
    side: str
    old: float | None
    new: float | None

    @property
    def kind(self) -> str:
        """Tell what happened: added, removed or changed."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


def refresh(
    path: str | os.PathLike[str] | None = None, *, at: datetime | None = None, online: bool = False
) -> list[Change]:
    """Renew the snapshot and tell what changed.

    Parameters
    ----------
    path : path, optional
        File to renew; the snapshot that the functions read, where left out.
    at : datetime, optional
        Day for which the prices are asked, today where left out; always at noon UTC.
    online : bool
        Whether to fetch the list that genai-prices publishes, rather than to take the one that
        the installed package carries.

    Returns
    -------
    list of Change
        Every price added, removed or changed, by provider, listing and side [USD/Mtok].
    """
    target = prices.SNAPSHOT if path is None else Path(path)
    day = (at or datetime.now(UTC)).astimezone(UTC)
    moment = day.replace(hour=_NOON, minute=0, second=0, microsecond=0)
    providers, release = _published() if online else _installed()
    renewed = _collect(providers, release, moment)
    before = read(target) if target.exists() else ()
    write(target, renewed)
    if target == prices.SNAPSHOT:
        for remembered in (catalogue.table, prices.snapshot, prices._by_provider):
            remembered.cache_clear()
    return changes(before, renewed)


def changes(before: Iterable[Price], after: Iterable[Price]) -> list[Change]:
    """Return every price that differs between two snapshots, by provider, listing and side."""
    old, new = _by_side(before), _by_side(after)
    return [
        Change(*key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _by_side(rows: Iterable[Price]) -> dict[tuple[str, str, str], float]:
    return {
        (row.provider, row.listing, _told(side, row.from_input_tokens)): amount
        for row in rows
        for side in SIDES
        if (amount := row.side(side)) is not None
    }


def _told(side: str, from_input_tokens: float) -> str:
    return f"{side} beyond {from_input_tokens:g} tokens" if from_input_tokens else side


# --- the list of genai-prices -----------------------------------------------------------------


def _genai_prices(module: str) -> Any:
    try:
        return import_module(f"genai_prices.{module}")
    except ImportError as error:
        raise TokenbookError(
            "renewing the prices needs genai-prices: pip install genai-prices"
        ) from error


def _installed() -> tuple[Any, str]:
    from importlib.metadata import version  # noqa: PLC0415  (slow, and only a renewal wants it)

    snapshot_module = _genai_prices("data_snapshot")
    return snapshot_module.get_snapshot().providers, f"genai-prices {version('genai-prices')}"


def _published() -> tuple[Any, str]:
    updater = _genai_prices("update_prices").UpdatePrices()
    try:
        return updater.fetch().providers, "genai-prices online"
    except Exception as error:  # the web client's own errors, and those of a list it cannot read
        raise TokenbookError(f"{updater.url} could not be read: {error}") from error


def _collect(providers: Iterable[Any], release: str, moment: datetime) -> tuple[Price, ...]:
    """Return every listing of every seller, a row for each tier."""
    sellers = list(providers)
    vintage = _vintage(sellers, moment.date())
    rows = (
        row
        for provider in sellers
        for listed in provider.models
        # Deprecated ones are not for sale.
        if not listed.deprecated
        for row in _rows(provider.id, listed, release, vintage, moment)
    )
    return tuple(sorted(rows, key=lambda r: (r.provider, r.model, r.listing, r.from_input_tokens)))


def _vintage(providers: Iterable[Any], day: date) -> str:
    """Return the date of the newest price that the list itself dates, up to a day."""
    dated = (
        getattr(getattr(price, "constraint", None), "start_date", None)
        for provider in providers
        for listed in provider.models
        if isinstance(getattr(listed, "prices", None), list | tuple)
        for price in listed.prices
    )
    return max((found.isoformat() for found in dated if found and found <= day), default="")


def _rows(
    seller: str, listed: Any, release: str, vintage: str, moment: datetime
) -> Iterator[Price]:
    asked = listed.get_prices(moment)
    units = [getattr(asked, unit, None) for unit in _UNITS]
    starts = {0.0}.union(float(tier.start) for unit in units for tier in getattr(unit, "tiers", ()))
    for start in sorted(starts):
        read, written, cached, stored = (_usd(unit, start) for unit in units)
        # Free listings are rationed samples, not prices; and what is not sold is listed as 0.
        if not read and not written:
            continue
        yield Price(
            seller,
            model_of(listed.id),
            listed.id,
            start,
            read or None,
            written or None,
            cached,
            stored,
            release,
            vintage,
            _SOURCE,
            f"{moment:%Y-%m-%d}",
        )


def _usd(price: Any, start: float) -> float | None:
    """Return a price for prompts longer than `start` tokens."""
    if price is None:
        return None
    reached = [tier for tier in getattr(price, "tiers", ()) if tier.start <= start]
    if reached and start:
        price = max(reached, key=lambda tier: tier.start).price
    return float(f"{getattr(price, 'base', price):.9g}")


def model_of(listing: str) -> str:
    """Return the model that a listing sells: one of ours, or the listing's own plain name."""
    name = plain_name(listing)
    return next((model for model, pattern in _patterns() if pattern.fullmatch(name)), name)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (row["id"], re.compile(row["listing_pattern"])) for row in catalogue.table("prices_models")
    )


# --- the file ---------------------------------------------------------------------------------


def read(path: Path) -> tuple[Price, ...]:
    """Return the prices of a snapshot's file; none where it is of an older make."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if set(reader.fieldnames or ()) != {field.name for field in fields(Price)}:
            return ()
        return tuple(price_of(row) for row in reader)


def write(path: Path, rows: Iterable[Price]) -> None:
    """Write a snapshot beside the old one and put it in its place in one step."""
    from tempfile import NamedTemporaryFile  # noqa: PLC0415  (only a renewal writes)

    names = [field.name for field in fields(Price)]
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=path.name, delete=False
        ) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise TokenbookError(f"{path} could not be written: {error.strerror}") from error


def _cell(value: str | float | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.9g}"
