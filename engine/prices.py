"""Market prices: a dated snapshot of what sellers ask for a million tokens, and the look-up.

The snapshot holds every model that genai-prices lists, a row for each listing of a seller and each
tier of its prices (`price_renewal` writes it). Prices of one's own win over it: a range given to
the function, then the file that the environment variable TOKENBOOK_PRICES names.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any

from engine import catalogue
from engine.errors import DomainError, InputError, UnknownIdError
from engine.ids import folded, match

__all__ = ["market_price"]

#: What a price can be of.
SIDES = ("input", "output", "cached", "cache write")
#: Where the snapshot lies.
SNAPSHOT = Path(__file__).parent / "data" / "prices.csv"
#: The environment variable that names a file of one's own prices.
OWN_FILE = "TOKENBOOK_PRICES"
_OWN_COLUMNS = ("provider", "model", "side", "usd_per_mtok")

#: Rows of (provider, model, side, USD/Mtok), a header allowed.
PriceRows = Annotated[Sequence[Sequence[Any]] | None, "rows"]
#: A user's own prices: by seller, model and side.
OwnPrices = Mapping[tuple[str, str, str], float]


@dataclass(frozen=True, slots=True)
class Price:
    """One listing of a seller; None where it asks no price for a side.

    A row with `from_input_tokens` above 0 holds for prompts that are longer than that.
    """

    provider: str
    model: str
    listing: str
    from_input_tokens: float
    input_usd_per_mtok: float | None
    output_usd_per_mtok: float | None
    cached_usd_per_mtok: float | None
    cache_write_usd_per_mtok: float | None
    release: str
    vintage: str
    source_id: str
    checked: str

    def side(self, side: str) -> float | None:
        """Return the price of one of `SIDES` [USD/Mtok]."""
        price: float | None = getattr(self, f"{side.replace(' ', '_')}_usd_per_mtok")
        return price


def market_price(
    provider: str, model: str, side: str = "output", prices: PriceRows = None
) -> float:
    """Price of a million tokens at a seller, from the dated snapshot or from one's own prices.

    Parameters
    ----------
    provider : str
        Id of the seller, such as together, groq, openai, anthropic, google or x-ai [id].
    model : str
        Id of the model, such as llama-3.3-70b, or the seller's own name for it [id].
    side : str
        "input", "output", "cached" (input that the prompt cache serves) or "cache write" [text].
    prices : PriceRows
        Prices of one's own, which win: rows of provider, model, side, USD/Mtok [USD/Mtok].

    Returns
    -------
    float
        Price on the day of the snapshot, at noon UTC, for short prompts and without batch or
        volume discount [USD/Mtok].

    Notes
    -----
    Equation: none; the cheapest of the seller's listings of that model, for each side by itself.
    Range: the sellers and models of TOK_LIST("prices"); `tokenbook prices refresh` renews them.
    Source: genai-prices (MIT); its version, the date of its prices (vintage) and the day on which
    they were taken (checked) stand in each row.

    Examples
    --------
    >>> market_price("groq", "llama-3.3-70b") > 0
    True
    >>> market_price("groq", "llama-3.3-70b", "output", [["Groq", "Llama 3.3 70B", "output", 0.5]])
    0.5
    """
    wanted = match("side", side, SIDES)
    for name, given in (("provider", provider), ("model", model)):
        if not isinstance(given, str):
            raise InputError(f"{name} must be text, not {given!r}")
    key = (folded(provider), model_key(model), wanted)
    for own in (own_prices(prices), own_file_prices()):
        if key in own:
            return own[key]
    offers = _by_provider()
    seller = match("provider", provider, offers)
    amounts = [
        amount
        for row in _listings(seller, model)
        if not row.from_input_tokens and (amount := row.side(wanted)) is not None
    ]
    if not amounts:
        raise UnknownIdError(f"{seller} lists no price of {wanted} tokens for {model}")
    return min(amounts)


def _listings(seller: str, model: str) -> tuple[Price, ...]:
    """Return what a seller lists of a model, or under this very name."""
    offers = _by_provider()
    listed, by_model = offers[seller]
    found = listed.get(model.strip().casefold()) or by_model.get(model_key(model))
    if found:
        return found
    sellers = sorted(name for name, (_, models) in offers.items() if model_key(model) in models)
    if sellers:
        raise UnknownIdError(f"{seller} does not sell {model}; sold by {', '.join(sellers)}")
    known = {row.model for rows in by_model.values() for row in rows}
    raise UnknownIdError.of(f"model at {seller}", model, known)


@cache
def snapshot() -> tuple[Price, ...]:
    """Return the prices of the snapshot, by provider, model and listing."""
    return tuple(price_of(row) for row in catalogue.table("prices"))


@cache
def _by_provider() -> Mapping[
    str, tuple[Mapping[str, tuple[Price, ...]], Mapping[str, tuple[Price, ...]]]
]:
    """Return the listings of each seller, by their own name and by their model."""
    rows: dict[str, list[Price]] = defaultdict(list)
    for price in snapshot():
        rows[price.provider].append(price)
    return {
        seller: (
            _grouped((price.listing.casefold(), price) for price in prices),
            _grouped((model_key(price.model), price) for price in prices),
        )
        for seller, prices in rows.items()
    }


def _grouped(pairs: Iterable[tuple[str, Price]]) -> Mapping[str, tuple[Price, ...]]:
    groups: dict[str, list[Price]] = defaultdict(list)
    for key, price in pairs:
        groups[key].append(price)
    return {key: tuple(prices) for key, prices in groups.items()}


# --- names ------------------------------------------------------------------------------------


@lru_cache(maxsize=1 << 14)
def plain_name(listing: str) -> str:
    """Return a seller's name for a model without the path, maker, date and version that it adds.

    Examples
    --------
    >>> plain_name("anthropic.claude-sonnet-4-5-20250929-v1:0")
    'claude-sonnet-4.5'
    """
    name = "-".join(listing.lower().split()).rpartition("/")[2]
    name = re.sub(r"^(us|eu|apac|jp|global)\.(?=[a-z]+\.)", "", name)
    makers = "anthropic|amazon|cohere|mistral|openai|qwen|meta|deepseek(?=[.]v)"
    name = re.sub(rf"^(databricks-)?(meta-|({makers})\.)?", "", name)
    name = re.sub(r"(-v\d+:\d+|-\d+:\d+|-basic|-latest)$", "", name)
    name = re.sub(r"(?<=^claude)(.*)[-@]20\d{6}$", r"\1", name)
    name = re.sub(r"(?<=^grok)(.*)-[01]\d[0-3]\d$", r"\1", name)
    # "3p1", "3-1" and "3_3" are ways to write a decimal point where one is not allowed.
    return re.sub(r"(?<=\d)[p_-](?=\d(?:-|$))", ".", name)


def model_key(name: str) -> str:
    """Return what is the same for all spellings of a model's name."""
    return folded(plain_name(name))


# --- prices of one's own ----------------------------------------------------------------------


def own_prices(rows: Sequence[Sequence[Any]] | None) -> OwnPrices:
    """Return a user's own rows of (provider, model, side, USD/Mtok) for looking up.

    Parameters
    ----------
    rows : sequence of rows
        Four columns; a header and blank rows are passed over.
    """
    found: dict[tuple[str, str, str], float] = {}
    for place, row in enumerate(rows or (), start=1):
        cells = [cell if not isinstance(cell, str) else cell.strip() for cell in row]
        if all(cell in (None, "") for cell in cells):
            continue
        if len(cells) != len(_OWN_COLUMNS):
            raise InputError(f"prices must have four columns: {', '.join(_OWN_COLUMNS)}")
        provider, model, side, amount = cells
        if place == 1 and folded(str(provider)) == "provider":
            continue
        if not all(isinstance(text, str) and text for text in (provider, model, side)):
            raise InputError(f"prices, row {place}: provider, model and side must be texts")
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise InputError(f"prices, row {place}: {amount!r} is no price")
        if not 0 <= amount < float("inf"):
            raise DomainError(f"prices, row {place}: the price is {amount:g}; it must be 0 or more")
        key = (folded(provider), model_key(model), match("side", side, SIDES))
        if found.get(key, amount) != amount:
            raise InputError(f"prices, row {place}: {provider}, {model}, {side} has two prices")
        found[key] = float(amount)
    return found


def own_file(path: Path) -> OwnPrices:
    """Return the prices of a CSV file: four columns as in a range, or those of the snapshot."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [folded(name).replace("usd/mtok", "usdpermtok") for name in next(reader, [])]
            rows = [row for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} could not be read: {error}") from error
    if header == [folded(name) for name in _OWN_COLUMNS]:
        return own_prices([[*row[:3], _amount(path, row)] for row in rows])
    columns = {f"{side.replace(' ', '_')}_usd_per_mtok": side for side in SIDES}
    if not {"provider", "model", *map(folded, columns)} <= set(header):
        raise InputError(
            f"{path} must have the columns {', '.join(_OWN_COLUMNS)}, or those of the snapshot"
        )
    found: dict[tuple[str, str, str], float] = {}
    for row in rows:
        entry = dict(zip(header, row, strict=False))
        if float(entry.get("frominputtokens") or 0):
            continue
        for column, side in columns.items():
            if entry[folded(column)]:
                key = (folded(entry["provider"]), model_key(entry["model"]), side)
                amount = float(entry[folded(column)])
                found[key] = min(found.get(key, amount), amount)
    return found


def _amount(path: Path, row: Sequence[str]) -> float:
    try:
        return float(row[3])
    except (IndexError, ValueError) as error:
        raise InputError(f"{path}: {','.join(row)!r} does not end in a price") from error


def own_file_prices() -> OwnPrices:
    """Return the prices of the file that the environment names; none where it names none."""
    named = os.environ.get(OWN_FILE)
    if not named:
        return {}
    path = Path(named)
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(f"{OWN_FILE} names {path}, which cannot be read") from error
    return _read_once(path, changed)


@cache
def _read_once(path: Path, changed: int) -> OwnPrices:  # noqa: ARG001  (a newer file is read anew)
    return own_file(path)


# --- the snapshot's rows ----------------------------------------------------------------------


def price_of(row: Mapping[str, str]) -> Price:
    """Return a row of the snapshot as a record."""

    def amount(side: str) -> float | None:
        text = row[f"{side}_usd_per_mtok"]
        return float(text) if text else None

    return Price(
        row["provider"],
        row["model"],
        row["listing"],
        float(row["from_input_tokens"]),
        amount("input"),
        amount("output"),
        amount("cached"),
        amount("cache_write"),
        row["release"],
        row["vintage"],
        row["source_id"],
        row["checked"],
    )
