"""The ledger of predictions holds together, and its figures from our own tables are theirs."""

from __future__ import annotations

import csv
import math
from datetime import date
from importlib.resources import files

import numpy as np
import pytest

from engine import catalogue, rental
from workbooks.templates.audit.predictions import OUTCOMES

ENTRIES = {row["id"]: row for row in catalogue.table("predictions")}
SOURCES = files("engine") / "data" / "SOURCES.md"


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_a_prediction_says_where_it_and_the_later_figure_stand(entry):
    assert f"[{entry['source_id']}]" in SOURCES.read_text(encoding="utf-8")
    assert entry["outcome"] in OUTCOMES
    assert date.fromisoformat(entry["checked"])
    address = entry["address"]
    if entry["later_low"]:
        assert address.startswith("https://") or (files("engine").parent / address).is_file()
        assert entry["as_of"]
    for side in ("predicted", "later"):
        low, high = entry[f"{side}_low"], entry[f"{side}_high"]
        assert not high or float(low) < float(high)


def test_a_prediction_without_any_later_figure_is_not_called_true_or_false():
    for entry in ENTRIES.values():
        if not entry["address"]:
            assert entry["outcome"] == "open", entry["id"]


def test_growth_of_a_year_is_the_root_of_two_years():
    assert float(ENTRIES["volume_multiple"]["later_low"]) == round(math.sqrt(20), 2)


def test_rent_of_a_b200_over_an_h100_is_that_of_the_table_of_rents():
    ratio = rental.gpu_price("b200_sxm") / rental.gpu_price("h100_sxm")
    assert float(ENTRIES["b200_price"]["later_low"]) == round(ratio, 2)


def test_prices_are_those_of_the_snapshot():
    with (files("engine") / "data" / "prices.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["output_usd_per_mtok"]]
    outputs = [
        float(row["output_usd_per_mtok"])
        for row in rows
        if row["model"].startswith("llama-3.3-70b")
    ]
    told = ENTRIES["price_2026"]
    middle = np.quantile(outputs, [0.25, 0.75])
    assert [float(told["later_low"]), float(told["later_high"])] == pytest.approx(middle)
    groq = next(row for row in rows if (row["provider"], row["model"]) == ("groq", "llama-3.3-70b"))
    told = ENTRIES["groq_parity"]
    assert (told["later_low"], told["later_high"]) == (
        groq["input_usd_per_mtok"],
        groq["output_usd_per_mtok"],
    )
