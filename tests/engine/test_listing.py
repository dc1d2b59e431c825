"""Catalogues as tables, and one field of one entry."""

from __future__ import annotations

import pytest

from engine import catalogue
from engine.claims import audit
from engine.errors import UnknownIdError
from engine.listing import list_catalogue, spec
from engine.prices import snapshot


def test_a_field_of_a_model_and_of_an_accelerator():
    assert spec("h100_sxm", "mem_bw_tb_s") == 3.35
    assert spec(" H100_SXM ", "Name") == "H100 80GB SXM"
    assert spec("llama-3.1-70b", "layers") == 80
    assert spec("llama-3.1-70b", "tied_embeddings") is False


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("h100", "memory_gb"), "did you mean h100_sxm|h100_pcie"),
        (("h100_sxm", "memory"), "did you mean memory_gb"),
        (("h100_sxm", "fp4_dense_tflops"), "has no fp4_dense_tflops"),
    ],
)
def test_what_is_unknown_is_told_with_what_is_like_it(arguments, told):
    with pytest.raises(UnknownIdError, match=told):
        spec(*arguments)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("models", len(catalogue.table("models"))),
        ("accelerators", len(catalogue.table("accelerators"))),
        ("formats", len(catalogue.table("formats"))),
        ("providers", 6),
        ("prices", len(snapshot())),
        ("gpu_hours", len(catalogue.table("gpu_hour_prices"))),
        ("claims", len(audit())),
    ],
)
def test_every_catalogue_is_a_table(kind, rows):
    table = list_catalogue(kind)
    assert len(table.rows()) == rows
    assert len(set(table.header)) == len(table.header)
    assert "source_id" in table.header or "source" in table.header


def test_unknown_catalogue():
    with pytest.raises(UnknownIdError, match="did you mean models"):
        list_catalogue("model")


def test_providers_of_the_articles_have_their_verdict():
    table = list_catalogue("providers")
    verdicts = dict(zip(table.column("provider"), table.column("verdict"), strict=True))
    assert {name for name, verdict in verdicts.items() if verdict == "near breakeven"} == {
        "Groq",
        "DeepSeek API",
    }
    assert set(table.column("date")) == {"2026-06"}


def test_claims_leave_blank_what_is_not_stated():
    table = list_catalogue("claims")
    row = dict(zip(table.header, table.rows()[list(audit()).index("runway")], strict=True))
    assert row["stated_low"] is None
    assert row["verdict"] == "conclusion overturned"
    assert row["computed_low"] == pytest.approx(27.85, abs=0.01)
