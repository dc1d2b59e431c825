"""Rental prices: the table's rows and sources, and the look-up over sellers and dates."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from statistics import median

import pytest

from engine import catalogue, rental
from engine.errors import InputError, UnknownIdError
from engine.rental import gpu_price
from udfs.functions import TOK_GPU_PRICE

ROWS = catalogue.table("gpu_hour_prices")
SOURCES = (Path(rental.__file__).parent / "data" / "SOURCES.md").read_text(encoding="utf-8")


def test_the_table_is_wide_enough():
    assert len(ROWS) >= 40
    assert len({row["accelerator"] for row in ROWS}) >= 10
    assert len({row["seller"] for row in ROWS}) >= 10
    assert {row["term"] for row in ROWS} == {"on demand", "spot", "reserved", "assumed"}


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_every_row_is_dated_and_cited(row):
    assert row["address"].startswith("https://")
    assert f"[{row['source_id']}]" in SOURCES
    assert date.fromisoformat(row["date"]) <= date.fromisoformat(row["checked"])
    # Less than the electricity, or more than ten times the median, would be another unit.
    assert 0.1 < float(row["usd_per_hour"]) < 20
    assert re.fullmatch(r"[a-z0-9_]+", row["accelerator"])


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_prices_of_whole_instances_are_divided_by_their_gpus(row):
    told = re.search(r"([\d.]+) for (\d+)(?:$|,)", row["note"])
    if told:
        assert float(row["usd_per_hour"]) == pytest.approx(float(told[1]) / int(told[2]), rel=1e-4)


def test_no_row_stands_twice():
    keys = Counter(
        (r["accelerator"], r["seller"], r["term"], r["region"], r["date"], r["note"]) for r in ROWS
    )
    assert max(keys.values()) == 1


@pytest.fixture
def offers(monkeypatch):
    """Three sellers of one accelerator, one of them with an older and two newer rows."""
    rows = [
        ("h100_sxm", "A", "on demand", 4.0, "2026-01-01"),
        ("h100_sxm", "A", "on demand", 2.0, "2026-06-01"),
        ("h100_sxm", "A", "on demand", 2.5, "2026-06-01"),
        ("h100_sxm", "B", "on demand", 3.0, "2026-03-01"),
        ("h100_sxm", "C", "on demand", 9.0, "2026-09-01"),
        ("h100_sxm", "C", "spot", 1.0, "2026-09-01"),
    ]
    names = ("accelerator", "seller", "term", "usd_per_hour", "date")
    table = [dict(zip(names, map(str, row), strict=True)) for row in rows]
    real = catalogue.table
    monkeypatch.setattr(catalogue, "table", lambda k: table if k == "gpu_hour_prices" else real(k))
    for remembered in (rental._offers, rental._known):
        remembered.cache_clear()
    yield
    for remembered in (rental._offers, rental._known):
        remembered.cache_clear()


@pytest.mark.parametrize(
    ("measure", "as_of", "price"),
    [
        ("low", None, 2.0),
        ("median", None, 3.0),
        ("high", None, 9.0),
        ("median", "2026-06-01", 2.5),
        ("median", "2026-05-31", 3.5),
        ("low", "2026-02-01", 4.0),
        ("High", date(2026, 8, 31), 3.0),
        ("high", datetime(2026, 8, 31, 12), 3.0),
        # Serial number of 2026-06-01 in a spreadsheet.
        ("median", 46174.0, 2.5),
    ],
)
def test_each_sellers_newest_row_up_to_the_day(offers, measure, as_of, price):
    assert gpu_price("H100 SXM", "on-demand", measure, as_of) == price
    assert TOK_GPU_PRICE("h100_sxm", "on demand", measure, as_of) == price


def test_terms_and_days_that_are_not_there(offers):
    assert gpu_price("h100_sxm", "spot") == 1.0
    for arguments, told in (
        (("h100_sxm", "reserved"), "on demand, spot"),
        (("h100_sxm", "spot", "median", "2026-08-31"), "the first is of 2026-09-01"),
        (("h100_sxm", "spot", "mean"), "median"),
        (("b200_sxm",), "there is no price of b200_sxm; there are prices of h100_sxm"),
        (("h100",), "did you mean"),
    ):
        with pytest.raises(UnknownIdError, match=told):
            gpu_price(*arguments)


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", True, object(), 1e12])
def test_what_is_no_day_is_refused(day):
    with pytest.raises(InputError, match="as_of"):
        gpu_price("h100_sxm", "on demand", "median", day)


def test_ids_of_odd_types_are_input_errors():
    for arguments in ((3,), ("h100_sxm", None), ("h100_sxm", "spot", 2.0)):
        with pytest.raises(InputError, match="must be text"):
            gpu_price(*arguments)


def test_ranges_of_accelerators_and_days_spread():
    answers = TOK_GPU_PRICE([["h100_sxm"], ["nosuchthing"]], "on demand", [["low", "high"]])
    assert answers[0] == [gpu_price("h100_sxm", "on demand", m) for m in ("low", "high")]
    assert [cell.code for cell in answers[1]] == ["#N/A", "#N/A"]
    days = TOK_GPU_PRICE("h100_sxm", "on demand", "median", [["2026-09-24"], [None], [46300.0]])
    assert days[1] == [gpu_price("h100_sxm")]
    assert days[0] == [gpu_price("h100_sxm", "on demand", "median", "2026-09-24")]


def test_the_table_against_a_count_by_hand():
    asked = {}
    for row in sorted(ROWS, key=lambda r: (r["date"], -float(r["usd_per_hour"]))):
        if (row["accelerator"], row["term"]) == ("b200_sxm", "on demand"):
            asked[row["seller"]] = float(row["usd_per_hour"])
    assert len(asked) >= 5
    assert gpu_price("b200_sxm") == pytest.approx(median(asked.values()))
