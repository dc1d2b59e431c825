"""Market prices: the snapshot, its look-up, and prices of one's own."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import DomainError, InputError, UnknownIdError
from engine.prices import OWN_FILE, SIDES, market_price, plain_name, snapshot
from udfs.functions import TOK_MARKET_PRICE

OWN = [
    ["provider", "model", "side", "USD/Mtok"],
    ["Together", "Llama 3.1 70B", "output", 0.5],
    [None, None, None, None],
    ["our-cloud", "house-model", "Cache Write", 2],
]


def test_snapshot_holds_open_and_closed_models_at_many_sellers():
    sold = {(price.provider, price.model) for price in snapshot()}
    assert len(snapshot()) > 2000
    for family, sellers in {
        "llama-3.3-70b": 8,
        "gpt-oss-120b": 8,
        "deepseek": 8,
        "qwen": 8,
        "claude": 3,
        "gpt-5": 3,
        "gemini": 2,
        "grok": 2,
    }.items():
        assert len({p for p, model in sold if model.startswith(family)}) >= sellers
    keys = [(p.provider, p.listing, p.from_input_tokens) for p in snapshot()]
    assert len(set(keys)) == len(keys)
    for price in snapshot():
        assert price.input_usd_per_mtok or price.output_usd_per_mtok
        assert all((price.side(side) or 0) >= 0 for side in SIDES)
        assert price.release.startswith("genai-prices ")
        assert date.fromisoformat(price.vintage) <= date.fromisoformat(price.checked)


def test_market_price_of_every_side():
    offer = next(p for p in snapshot() if all(p.side(side) is not None for side in SIDES))
    for side in SIDES:
        assert market_price(offer.provider, offer.listing, side) == offer.side(side)
    assert market_price(offer.provider.upper(), offer.listing) == offer.output_usd_per_mtok


def test_each_side_is_the_cheapest_listing_of_it():
    listed = [p for p in snapshot() if (p.provider, p.model) == ("openrouter", "llama-3.3-70b")]
    listed += [p for p in snapshot() if (p.provider, p.model) == ("together", "llama-3.1-8b")]
    for side in ("input", "output"):
        for seller in {p.provider for p in listed}:
            model = next(p.model for p in listed if p.provider == seller)
            asked = [p.side(side) for p in listed if p.provider == seller and p.side(side)]
            assert market_price(seller, model, side) == min(asked)


def test_long_prompts_have_rows_of_their_own_and_the_look_up_is_for_short_ones():
    # Anthropic's list: $3 and $15, beyond 200,000 tokens $6 and $22.50.
    rows = {p.from_input_tokens: p for p in snapshot() if p.listing == "claude-sonnet-4-5"}
    assert (rows[0].input_usd_per_mtok, rows[0].output_usd_per_mtok) == (3, 15)
    assert (rows[200000].input_usd_per_mtok, rows[200000].output_usd_per_mtok) == (6, 22.5)
    assert market_price("anthropic", "claude-sonnet-4-5", "input") == 3


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "Claude Sonnet 4.5"),
        ("Anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude_sonnet_4.5"),
        ("aws", "claude sonnet 4.5"),
    ],
)
def test_names_are_forgiving(provider, model):
    assert market_price(provider, model, "input") == 3


def test_published_prices():
    # List prices of the makers' own pages: openai.com/api/pricing, ai.google.dev/pricing.
    assert market_price("openai", "gpt-5", "input") == 1.25
    assert market_price("openai", "gpt-5") == 10
    assert market_price("google", "gemini-2.5-pro", "input") == 1.25
    assert market_price("x-ai", "grok-4") == 15
    # What the articles say.
    assert market_price("together", "llama-3.1-70b") == 0.88


def test_prices_of_ones_own_win():
    assert market_price("together", "llama-3.1-70b", "output", OWN) == 0.5
    assert market_price("TOGETHER", "llama_3.1 70b", "output", OWN) == 0.5
    assert market_price("together", "llama-3.1-70b", "input", OWN) == 0.88
    assert market_price("Our Cloud", "house model", "cache write", OWN) == 2
    assert TOK_MARKET_PRICE("our-cloud", [["house-model"], ["x"]], "cache write", OWN)[0] == [2]


@pytest.mark.parametrize(
    ("rows", "error", "told"),
    [
        ([["a", "b", "output"]], InputError, "four columns"),
        ([["a", "b", "output", "1"]], InputError, "row 1: '1' is no price"),
        ([["a", "b", "output", True]], InputError, "no price"),
        ([["a", "b", "output", -1.0]], DomainError, "0 or more"),
        ([["a", None, "output", 1.0]], InputError, "must be texts"),
        ([["a", "b", "outputs", 1.0]], UnknownIdError, "did you mean output"),
        ([["a", "b", "output", 1.0], ["A", "B", "output", 2.0]], InputError, "two prices"),
    ],
)
def test_own_prices_that_cannot_be_read_are_told(rows, error, told):
    with pytest.raises(error, match=told):
        market_price("together", "llama-3.1-70b", "output", rows)


def test_a_file_of_ones_own_wins_over_the_snapshot_and_a_range_over_it(tmp_path, monkeypatch):
    path = tmp_path / "ours.csv"
    path.write_text("Provider,Model,Side,USD/Mtok\ntogether,llama-3.1-70b,output,0.6\n")
    monkeypatch.setenv(OWN_FILE, str(path))
    assert market_price("together", "llama-3.1-70b") == 0.6
    assert market_price("together", "llama-3.1-70b", "output", OWN) == 0.5
    assert market_price("together", "llama-3.1-70b", "input") == 0.88
    path.write_text("provider,model,side\n")
    monkeypatch.setenv(OWN_FILE, str(tmp_path / "nowhere.csv"))
    with pytest.raises(InputError, match="nowhere"):
        market_price("together", "llama-3.1-70b")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("provider,model,side\n", "must have the columns"),
        ("", "must have the columns"),
        ("provider,model,side,usd_per_mtok\na,b,output,much\n", "does not end in a price"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path, monkeypatch, text, told):
    path = tmp_path / "ours.csv"
    path.write_text(text)
    monkeypatch.setenv(OWN_FILE, str(path))
    with pytest.raises(InputError, match=told):
        market_price("together", "llama-3.1-70b")


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


@pytest.mark.parametrize("odd", [None, 3, 2.5, True, ["groq"], object()])
def test_ids_of_odd_types_are_input_errors(odd):
    for arguments in ((odd, "llama-3.3-70b"), ("groq", odd), ("groq", "llama-3.3-70b", odd)):
        with pytest.raises(InputError, match="must be text"):
            market_price(*arguments)


@pytest.mark.parametrize(
    ("listing", "name"),
    [
        ("claude-3-5-haiku-latest", "claude-3.5-haiku"),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", "claude-opus-4.1"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("grok-4-0709", "grok-4"),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
        ("gpt-4-0613", "gpt-4-0613"),
    ],
)
def test_plain_names(listing, name):
    assert plain_name(listing) == name
