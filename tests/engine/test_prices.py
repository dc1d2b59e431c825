"""The price snapshot, its look-up and its renewal."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from engine import prices
from engine.errors import TokenbookError, UnknownIdError
from engine.prices import Change, Price, changes, market_price, refresh, snapshot

DAY = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def _listed(name, read, written, cached=None, *, deprecated=False, night=None):
    """Return a listing as genai-prices has it; `night` is its input price before 6 o'clock UTC."""

    def get_prices(moment):
        early = night is not None and moment.hour < 6
        return SimpleNamespace(
            input_mtok=night if early else read, output_mtok=written, cache_read_mtok=cached
        )

    return SimpleNamespace(id=name, deprecated=deprecated, get_prices=get_prices)


def _offer(monkeypatch, *listed):
    providers = [SimpleNamespace(id="seller", models=listed)]
    monkeypatch.setattr(prices, "_installed", lambda: (providers, "genai-prices 0"))


def test_snapshot_holds_the_open_models_at_many_sellers():
    sold = {(price.provider, price.model) for price in snapshot()}
    assert len(sold) == len(snapshot())
    for family, sellers in {
        "llama-3.3-70b": 8,
        "gpt-oss-120b": 8,
        "deepseek": 8,
        "qwen": 8,
    }.items():
        assert len({p for p, model in sold if model.startswith(family)}) >= sellers
    for price in snapshot():
        assert price.input_usd_per_mtok > 0
        assert price.output_usd_per_mtok > 0
        assert price.cached_usd_per_mtok is None or price.cached_usd_per_mtok >= 0
        assert price.release.startswith("genai-prices ")
        assert date.fromisoformat(price.checked)


def test_market_price_of_every_side():
    offer = next(p for p in snapshot() if p.cached_usd_per_mtok is not None)
    assert market_price(offer.provider, offer.model) == offer.output_usd_per_mtok
    assert market_price(offer.provider.upper(), offer.model, "input") == offer.input_usd_per_mtok
    assert market_price(offer.provider, offer.model, "Cached") == offer.cached_usd_per_mtok
    assert market_price(offer.provider, offer.listing) == offer.output_usd_per_mtok


def test_together_still_asks_what_the_articles_say():
    assert market_price("together", "llama-3.1-70b") == 0.88


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("grok", "llama-3.3-70b"), "did you mean groq"),
        (("groq", "lama-3.3-70b"), "did you mean llama-3.3-70b"),
        (("groq", "deepseek-r1"), "sold by .*novita"),
        (("groq", "llama-3.3-70b", "cached"), "lists no price of cached"),
        (("groq", "llama-3.3-70b", "outputs"), "did you mean output"),
    ],
)
def test_unknown_ids_are_told_with_those_like_them(arguments, told):
    with pytest.raises(UnknownIdError, match=told):
        market_price(*arguments)


@pytest.mark.parametrize(
    ("listing", "model"),
    [
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3.3-70b"),
        ("Meta-Llama-3_3-70B-Instruct", "llama-3.3-70b"),
        ("meta.llama3-3-70b-instruct-v1:0", "llama-3.3-70b"),
        ("databricks-meta-llama-3-3-70b-instruct", "llama-3.3-70b"),
        ("accounts/fireworks/models/llama-v3p1-8b-instruct", "llama-3.1-8b"),
        ("llama3-70b-8192", "llama-3-70b"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss-120b"),
        ("deepseek.r1-v1:0", "deepseek-r1"),
        ("deepseek_v3", "deepseek-v3"),
        ("databricks-deepseek-v4-1-flash", "deepseek-v4.1-flash"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b"),
        ("qwen3-235b-a22b-thinking-2507", None),
        ("deepseek-r1-distill-llama-70b", None),
        ("llama-3.3-70b-instruct:free", None),
        ("nousresearch/hermes-3-llama-3.1-70b", None),
        ("llama-guard-3-8b", None),
    ],
)
def test_listings_are_recognised(listing, model):
    assert prices._model_of(listing) == model


def test_renewal_writes_the_cheapest_listing_and_tells_what_changed(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    _offer(monkeypatch, _listed("llama-3.1-70b", 0.9, 1.0), _listed("gpt-oss-20b", 0.1, 0.2))
    first = refresh(path, at=DAY)
    assert {change.kind for change in first} == {"added"}
    assert len(first) == 4
    _offer(
        monkeypatch,
        _listed("llama-3.1-70b-instruct", 0.9, 0.7, 0.1),
        _listed("llama-3.1-70b", 0.9, 1.0),
        _listed("llama-3.1-70b-versatile", 0.1, 0.1, deprecated=True),
        _listed("llama-3.1-70b-instruct-turbo", 0.0, 0.0),
        _listed("whisper", 1.0, 1.0),
    )
    assert refresh(path, at=DAY) == [
        Change("seller", "gpt-oss-20b", "input", 0.1, None),
        Change("seller", "gpt-oss-20b", "output", 0.2, None),
        Change("seller", "llama-3.1-70b", "cached", None, 0.1),
        Change("seller", "llama-3.1-70b", "output", 1.0, 0.7),
    ]
    assert refresh(path, at=DAY) == []
    (price,) = prices._read(path)
    assert price == Price(
        "seller",
        "llama-3.1-70b",
        "llama-3.1-70b-instruct",
        0.9,
        0.7,
        0.1,
        "genai-prices 0",
        "S23",
        "2026-11-21",
    )
    assert [p.name for p in tmp_path.iterdir()] == ["prices.csv"]


def test_prices_are_those_of_noon_utc(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    _offer(monkeypatch, _listed("gpt-oss-20b", 0.2, 0.4, night=0.1))
    for hour in (0, 3, 12, 23):
        refresh(path, at=DAY.replace(hour=hour))
        assert prices._read(path)[0].input_usd_per_mtok == 0.2
    east = datetime(2026, 11, 22, 1, 0, tzinfo=timezone(timedelta(hours=8)))
    refresh(path, at=east)
    assert prices._read(path)[0].checked == "2026-11-21"


def test_a_failed_renewal_leaves_the_old_snapshot(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    _offer(monkeypatch, _listed("gpt-oss-20b", 0.2, 0.4))
    refresh(path, at=DAY)
    before = path.read_bytes()
    broken = _listed("gpt-oss-20b", 0.2, 0.4)
    broken.get_prices = None
    _offer(monkeypatch, broken)
    with pytest.raises(TypeError):
        refresh(path, at=DAY)
    assert path.read_bytes() == before
    with pytest.raises(TokenbookError, match="could not be written"):
        prices._write(tmp_path / "nowhere" / "prices.csv", snapshot())


def test_renewing_the_snapshot_itself_is_seen_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(prices, "SNAPSHOT", tmp_path / "prices.csv")
    _offer(monkeypatch, _listed("gpt-oss-20b", 0.2, 0.4))
    market_price("groq", "gpt-oss-20b")
    refresh(at=DAY)
    assert snapshot.cache_info().currsize == 0
    assert prices._by_provider.cache_info().currsize == 0
    market_price("groq", "gpt-oss-20b")
    refresh(tmp_path / "elsewhere.csv", at=DAY)
    assert snapshot.cache_info().currsize == 1


def test_changes_between_two_snapshots():
    changed = changes(snapshot(), snapshot()[1:])
    gone = snapshot()[0]
    assert {(c.provider, c.model) for c in changed} == {(gone.provider, gone.model)}
    assert {c.kind for c in changed} == {"removed"}


def test_renewal_from_the_installed_list(tmp_path):
    pytest.importorskip("genai_prices")
    path = tmp_path / "prices.csv"
    assert refresh(path, at=DAY)
    assert len(prices._read(path)) > 100
    assert refresh(path, at=DAY) == []


def test_without_genai_prices_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    with pytest.raises(TokenbookError, match="pip install genai-prices"):
        refresh(tmp_path / "prices.csv")


def test_a_list_that_cannot_be_fetched_is_told(tmp_path, monkeypatch):
    def fetch(_):
        raise ConnectionError("no way out")

    update = pytest.importorskip("genai_prices.update_prices")
    monkeypatch.setattr(update.UpdatePrices, "fetch", fetch)
    with pytest.raises(TokenbookError, match=r"data\.json could not be read: no way out"):
        refresh(tmp_path / "prices.csv", online=True)
    assert not (tmp_path / "prices.csv").exists()
