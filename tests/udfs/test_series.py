"""Ranges that are taken whole: blank cells, pairs, errors; and ranges of ids."""

from __future__ import annotations

import pytest

from udfs import CellError
from udfs.functions import (
    TOK_ALLOCATE,
    TOK_COMBINED_GAIN,
    TOK_FLEET_COST,
    TOK_MAX_CONCURRENCY,
    TOK_RUNWAY_FLOWS,
    TOK_SPEC,
    TOK_SUBSIDY_LOSS,
    TOK_TIERED_CHARGE,
)


def column(*cells):
    return [[cell] for cell in cells]


def test_a_whole_column_works():
    assert TOK_COMBINED_GAIN(column(2, None, 5, None, None)) == 10
    assert TOK_FLEET_COST(column(1, 2, None), 4.0, column(1, 1, None), 3.0) == 10.0


def test_a_series_of_blanks_is_blank():
    assert TOK_COMBINED_GAIN(column(None, None)).code == "#VALUE!"
    # Optional: left out.
    assert TOK_ALLOCATE(5, column(9, 9), column(2, 1), column(None, None)) == column(0, 5)


def test_a_blank_flow_is_zero_and_keeps_the_months_apart():
    assert TOK_RUNWAY_FLOWS(100, column(-50, None, -100)) == 2.5
    assert TOK_RUNWAY_FLOWS(100, column(-50, -100)) == 1.5


def test_paired_series_pass_over_rows_that_are_blank_in_all():
    tiers = column(0, None, 100, None), column(3, None, 2, None)
    assert TOK_TIERED_CHARGE(150, *tiers) == 400


def test_one_blank_among_a_pair_is_an_error():
    answer = TOK_TIERED_CHARGE(150, column(0, 100), column(3, None))
    assert answer.code == "#VALUE!"
    assert "tier_price is blank" in answer.reason


def test_ranges_of_different_sizes_are_told():
    answer = TOK_TIERED_CHARGE(150, column(0, 100, None), column(3, 2))
    assert answer.code == "#VALUE!"
    assert "tier_from 3, tier_price 2" in answer.reason


def test_results_stay_in_the_rows_of_their_offers():
    split = TOK_ALLOCATE(120, column(100, None, 50, 40), column(2, None, 1, 4))
    assert split == column(70, "", 50, 0)


def test_an_empty_text_is_text():
    assert TOK_SUBSIDY_LOSS(1e6, 1, 2, "").code == "#VALUE!"
    assert TOK_COMBINED_GAIN(column(2, "")).code == "#VALUE!"


def test_a_number_spreads_beside_a_series():
    charges = TOK_TIERED_CHARGE(column(50, -1, "x", None), column(0, 100), column(3, 2))
    assert charges[0] == [150]
    assert [row[0].code for row in charges[1:]] == ["#NUM!", "#VALUE!", "#VALUE!"]
    assert "volume is -1" in charges[1][0].reason


def test_an_error_in_a_series_comes_out():
    assert TOK_COMBINED_GAIN(column(2, CellError("#N/A"))).code == "#N/A"
    answers = TOK_TIERED_CHARGE(column(1, 2), column(0, CellError("#REF!")), column(3, 2))
    assert [row[0].code for row in answers] == ["#REF!", "#REF!"]


def test_a_range_of_ids_spreads():
    models = ["llama-3.1-8b", "llama-3.1-70b"]
    alone = [TOK_MAX_CONCURRENCY(model, "h200_sxm") for model in models]
    assert TOK_MAX_CONCURRENCY(column(*models), "h200_sxm") == column(*alone)
    assert TOK_MAX_CONCURRENCY([models], "h200_sxm") == [alone]
    grid = TOK_MAX_CONCURRENCY(column(*models), [["h200_sxm", "nosuchthing"]])
    assert [row[0] for row in grid] == alone
    assert [row[1].code for row in grid] == ["#N/A", "#N/A"]


def test_two_columns_are_a_record_only_where_they_name_fields():
    own = [["field", "value"], ["layers", 32], ["hidden", 4096], ["heads", 32], ["vocab", 128256]]
    own += [["kv_heads", 8], ["ffn_dim", 14336], ["head_dim", 128]]
    alone = TOK_MAX_CONCURRENCY("llama-3.1-8b", "h100_sxm")
    assert TOK_MAX_CONCURRENCY(own, "h100_sxm") == pytest.approx(alone, rel=0.01)
    # A slip in a field's name is told as such: a number beside it is no id.
    answer = TOK_MAX_CONCURRENCY([*own, ["layerz", 3]], "h100_sxm")
    assert "layerz" in answer.reason


@pytest.mark.parametrize("given", ["H100 SXM", "h100-sxm", " h100_sxm "])
def test_ids_are_forgiving(given):
    assert TOK_SPEC(given, "Memory GB") == TOK_SPEC("h100_sxm", "memory_gb")
    assert TOK_MAX_CONCURRENCY("Llama 3.1 8B", given) == TOK_MAX_CONCURRENCY(
        "llama-3.1-8b", "h100_sxm"
    )
