"""Market prices: a dated snapshot of what sellers ask for a million tokens, and its renewal.

The snapshot holds the open models of `prices_models.csv` at every seller that genai-prices
lists. A seller names a model as it likes; a pattern for each model recognises its listings.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from engine import catalogue
from engine.errors import TokenbookError, UnknownIdError

__all__ = ["market_price"]

#: What a price can be of.
SIDES = ("input", "output", "cached")
#: Where the snapshot lies.
SNAPSHOT = Path(__file__).parent / "data" / "prices.csv"
_SOURCE = "S23"
# Some sellers ask less at night. All prices of a snapshot are those of noon, UTC.
_NOON = 12


@dataclass(frozen=True, slots=True)
class Price:
    """What one seller asks for one model on the day of the snapshot; None where it lists none."""

    provider: str
    model: str
    listing: str
    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    cached_usd_per_mtok: float | None
    release: str
    source_id: str
    checked: str

    def side(self, side: str) -> float | None:
        """Return the price of input, output or cached input [USD/Mtok]."""
        price: float | None = getattr(self, f"{side}_usd_per_mtok")
        return price


@dataclass(frozen=True, slots=True)
class Change:
    """One price that a renewal changed; `old` is None where it is new, `new` where it is gone."""

    provider: str
    model: str
    side: str
    old: float | None
    new: float | None

    @property
    def kind(self) -> str:
        """Tell what happened: added, removed or changed."""
        if self.old is None:
            return "added"
        return "removed" if self.new is None else "changed"


def market_price(provider: str, model: str, side: str = "output") -> float:
    """Price of a million tokens at a seller, from the dated snapshot.

    Parameters
    ----------
    provider : str
        Id of the seller, such as together, groq, fireworks or deepseek [id].
    model : str
        Id of the model, such as llama-3.3-70b, or the seller's own name for it [id].
    side : str
        "input", "output" or "cached" (input that the prompt cache serves) [text].

    Returns
    -------
    float
        Price on the day of the snapshot, at noon UTC and without volume discount [USD/Mtok].

    Notes
    -----
    Equation: none; the cheapest of the seller's listings of that model.
    Range: the sellers and models of TOK_LIST("prices"); `tokenbook prices refresh` renews them.
    Source: genai-prices (MIT), version and date in each row of the snapshot.

    Examples
    --------
    >>> market_price("groq", "llama-3.3-70b") > 0
    True
    """
    offers = _by_provider()
    seller, wanted, side = (text.strip().casefold() for text in (provider, model, side))
    if side not in SIDES:
        raise UnknownIdError.of("side", side, SIDES)
    if seller not in offers:
        raise UnknownIdError.of("provider", provider, offers)
    offer = offers[seller].get(wanted)
    if offer is None:
        sellers = sorted(name for name, models in offers.items() if wanted in models)
        if sellers:
            raise UnknownIdError(f"{provider} does not sell {model}; sold by {', '.join(sellers)}")
        raise UnknownIdError.of(f"model at {provider}", model, offers[seller])
    price = offer.side(side)
    if price is None:
        raise UnknownIdError(f"{provider} lists no price of {side} tokens for {model}")
    return price


@cache
def snapshot() -> tuple[Price, ...]:
    """Return the prices of the snapshot, by provider and model."""
    return tuple(_price(row) for row in catalogue.table("prices"))


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
        Every price added, removed or changed, by provider, model and side [USD/Mtok].
    """
    target = SNAPSHOT if path is None else Path(path)
    day = (at or datetime.now(UTC)).astimezone(UTC)
    moment = day.replace(hour=_NOON, minute=0, second=0, microsecond=0)
    providers, release = _published() if online else _installed()
    renewed = _collect(providers, release, moment)
    before = _read(target) if target.exists() else ()
    _write(target, renewed)
    if target == SNAPSHOT:
        for remembered in (catalogue.table, snapshot, _by_provider):
            remembered.cache_clear()
    return changes(before, renewed)


def changes(before: Iterable[Price], after: Iterable[Price]) -> list[Change]:
    """Return every price that differs between two snapshots, by provider, model and side."""
    old, new = _by_side(before), _by_side(after)
    return [
        Change(*key, old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


@cache
def _by_provider() -> Mapping[str, Mapping[str, Price]]:
    """Return the offers of each seller by model, and by the seller's own name for it."""
    offers: dict[str, dict[str, Price]] = {}
    for price in snapshot():
        models = offers.setdefault(price.provider.casefold(), {})
        models[price.listing.casefold()] = price
        models[price.model.casefold()] = price
    return offers


def _by_side(prices: Iterable[Price]) -> dict[tuple[str, str, str], float]:
    sides = (((p.provider, p.model, side), p.side(side)) for p in prices for side in SIDES)
    return {key: value for key, value in sides if value is not None}


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
    """Return the cheapest listing of each model at each seller."""
    cheapest: dict[tuple[str, str], Price] = {}
    for provider in providers:
        for listed in provider.models:
            model = _model_of(listed.id)
            # Free listings are rationed samples, not prices; deprecated ones are not for sale.
            if model is None or listed.deprecated:
                continue
            asked = listed.get_prices(moment)
            read, written = _usd(asked, "input_mtok"), _usd(asked, "output_mtok")
            if not read or not written:
                continue
            price = Price(
                provider.id,
                model,
                listed.id,
                read,
                written,
                _usd(asked, "cache_read_mtok"),
                release,
                _SOURCE,
                f"{moment:%Y-%m-%d}",
            )
            key = (provider.id, model)
            cheapest[key] = min(cheapest.get(key, price), price, key=_dearness)
    return tuple(cheapest[key] for key in sorted(cheapest))


def _model_of(listing: str) -> str | None:
    """Return the model that a listing sells; None where it is none of ours."""
    name = _folded(listing)
    return next((model for model, pattern in _patterns() if pattern.fullmatch(name)), None)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (row["id"], re.compile(row["listing_pattern"])) for row in catalogue.table("prices_models")
    )


def _folded(listing: str) -> str:
    """Return a seller's name for a model without the path, maker and version that it adds."""
    name = listing.lower().rpartition("/")[2]
    name = re.sub(r"^(databricks-)?(meta[.-]|openai\.|qwen\.|deepseek\.(?=v))?", "", name)
    name = re.sub(r"(-v\d+:\d+|-\d+:\d+|-basic)$", "", name)
    # "3p1", "3-1" and "3_3" are ways to write a decimal point where one is not allowed.
    return re.sub(r"(?<=\d)[p_-](?=\d(?:-|$))", ".", name)


def _usd(prices: Any, unit: str) -> float | None:
    price = getattr(prices, unit, None)
    # Where long prompts cost more, the price of short ones.
    price = getattr(price, "base", price)
    return None if price is None else float(f"{price:.9g}")


def _dearness(price: Price) -> tuple[float, float, str]:
    return (price.output_usd_per_mtok or 0.0, price.input_usd_per_mtok or 0.0, price.listing)


# --- the file ---------------------------------------------------------------------------------


def _price(row: Mapping[str, str]) -> Price:
    def amount(side: str) -> float | None:
        text = row[f"{side}_usd_per_mtok"]
        return float(text) if text else None

    return Price(
        row["provider"],
        row["model"],
        row["listing"],
        amount("input"),
        amount("output"),
        amount("cached"),
        row["release"],
        row["source_id"],
        row["checked"],
    )


def _read(path: Path) -> tuple[Price, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_price(row) for row in csv.DictReader(file))


def _write(path: Path, prices: Iterable[Price]) -> None:
    """Write a snapshot beside the old one and put it in its place in one step."""
    from tempfile import NamedTemporaryFile  # noqa: PLC0415  (only a renewal writes)

    names = [field.name for field in fields(Price)]
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=path.name, delete=False
        ) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([_cell(getattr(price, name)) for name in names] for price in prices)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        raise TokenbookError(f"{path} could not be written: {error.strerror}") from error


def _cell(value: str | float | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.9g}"
