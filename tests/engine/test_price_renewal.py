"""The renewal of the price snapshot: names, tiers, what changed, and what may fail."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from engine import price_renewal, prices
from engine.errors import TokenbookError
from engine.price_renewal import Change, changes, model_of, read, refresh, write
from engine.prices import Price, market_price, snapshot

DAY = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def _listed(name, read, written, cached=None, stored=None, *, deprecated=False, night=None):
    """Return a listing as genai-prices has it; `night` is its input price before 6 o'clock UTC."""

    def get_prices(moment):
        early = night is not None and moment.hour < 6
        return SimpleNamespace(
            input_mtok=night if early else read,
            output_mtok=written,
            cache_read_mtok=cached,
            cache_write_mtok=stored,
        )

    dated = [
        SimpleNamespace(constraint=SimpleNamespace(start_date=date(2026, 11, day)))
        for day in (9, 30)
    ]
    return SimpleNamespace(id=name, deprecated=deprecated, get_prices=get_prices, prices=dated)


def _offer(monkeypatch, *listed):
    providers = [SimpleNamespace(id="seller", models=listed)]
    monkeypatch.setattr(price_renewal, "_installed", lambda: (providers, "genai-prices 0"))


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
        ("qwen3-235b-a22b-thinking-2507", "qwen3-235b-a22b-thinking-2507"),
        ("deepseek-r1-distill-llama-70b", "deepseek-r1-distill-llama-70b"),
        ("llama-3.3-70b-instruct:free", "llama-3.3-70b-instruct:free"),
        ("nousresearch/hermes-3-llama-3.1-70b", "hermes-3-llama-3.1-70b"),
        ("llama-guard-3-8b", "llama-guard-3-8b"),
    ],
)
def test_listings_are_recognised(listing, model):
    assert model_of(listing) == model


def test_renewal_writes_every_listing_and_tells_what_changed(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    _offer(monkeypatch, _listed("llama-3.1-70b", 0.9, 1.0), _listed("gpt-oss-20b", 0.1, 0.2))
    first = refresh(path, at=DAY)
    assert {change.kind for change in first} == {"added"}
    assert len(first) == 4
    _offer(
        monkeypatch,
        _listed("llama-3.1-70b-instruct", 0.9, 0.7, 0.1, 1.1),
        _listed("llama-3.1-70b", 0.9, 1.2),
        _listed("llama-3.1-70b-versatile", 0.1, 0.1, deprecated=True),
        _listed("llama-3.1-70b-instruct-turbo", 0.0, 0.0),
        _listed("embedder", 0.1, 0.0),
    )
    assert refresh(path, at=DAY) == [
        Change("seller", "embedder", "input", None, 0.1),
        Change("seller", "gpt-oss-20b", "input", 0.1, None),
        Change("seller", "gpt-oss-20b", "output", 0.2, None),
        Change("seller", "llama-3.1-70b", "output", 1.0, 1.2),
        Change("seller", "llama-3.1-70b-instruct", "cache write", None, 1.1),
        Change("seller", "llama-3.1-70b-instruct", "cached", None, 0.1),
        Change("seller", "llama-3.1-70b-instruct", "input", None, 0.9),
        Change("seller", "llama-3.1-70b-instruct", "output", None, 0.7),
    ]
    assert refresh(path, at=DAY) == []
    _, _, price = read(path)
    assert price == Price(
        "seller",
        "llama-3.1-70b",
        "llama-3.1-70b-instruct",
        0,
        0.9,
        0.7,
        0.1,
        1.1,
        "genai-prices 0",
        "2026-11-09",
        "S23",
        "2026-11-21",
    )
    assert [p.name for p in tmp_path.iterdir()] == ["prices.csv"]


def test_tiers_have_a_row_each(tmp_path, monkeypatch):
    def tiered(base, *tiers):
        found = [SimpleNamespace(start=start, price=price) for start, price in tiers]
        return SimpleNamespace(base=base, tiers=found)

    path = tmp_path / "prices.csv"
    _offer(monkeypatch, _listed("m", tiered(1.0, (200, 2.0), (500, 3.0)), tiered(4.0, (200, 6.0))))
    changed = refresh(path, at=DAY)
    sides = [(p.from_input_tokens, p.input_usd_per_mtok, p.output_usd_per_mtok) for p in read(path)]
    assert sides == [(0, 1, 4), (200, 2, 6), (500, 3, 6)]
    assert "input beyond 200 tokens" in {change.side for change in changed}


def test_prices_are_those_of_noon_utc(tmp_path, monkeypatch):
    path = tmp_path / "prices.csv"
    _offer(monkeypatch, _listed("gpt-oss-20b", 0.2, 0.4, night=0.1))
    for hour in (0, 3, 12, 23):
        refresh(path, at=DAY.replace(hour=hour))
        assert read(path)[0].input_usd_per_mtok == 0.2
    east = datetime(2026, 11, 22, 1, 0, tzinfo=timezone(timedelta(hours=8)))
    refresh(path, at=east)
    assert read(path)[0].checked == "2026-11-21"


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
        write(tmp_path / "nowhere" / "prices.csv", snapshot())


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
    assert {(c.provider, c.listing) for c in changed} == {(gone.provider, gone.listing)}
    assert {c.kind for c in changed} == {"removed"}


def test_renewal_from_the_installed_list(tmp_path):
    pytest.importorskip("genai_prices")
    path = tmp_path / "prices.csv"
    assert refresh(path, at=DAY)
    assert len(read(path)) > 100
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
