"""The audit: its verdicts, its laws, and the data it stands on."""

from __future__ import annotations

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import catalogue, claims
from engine.claims import Figure, audit, claim, judge
from engine.claims_recomputed import CONCLUSIONS, RECOMPUTED
from engine.errors import UnknownIdError
from engine.subsidy import runway, subsidy_loss

every_claim = pytest.mark.parametrize("found", audit().values(), ids=list(audit()))


def test_all_figures_of_the_articles_are_there():
    assert len(audit()) == 58
    assert list(audit()) == list(RECOMPUTED)
    assert set(CONCLUSIONS) <= set(RECOMPUTED)


@pytest.mark.parametrize(
    ("name", "verdict", "ratio"),
    [
        ("weights_bytes", "agrees", 1),
        ("cost_per_token", "agrees", 0.995),
        ("specdec_cost_cut", "agrees", 1),
        ("int4_cost_cut", "disagrees", (2 / 3 + 0.75) / 1.55),
        ("combined_cost_cut", "disagrees", 1.95 / 1.96),
        ("b200_cost_per_token", "depends on an assumption", 1.2),
        ("market_cagr", "disagrees", 0.970),
        ("decode_step_time", "slip of unit", 995),
        ("subsidy_daily", "slip of unit", 1e-3),
        ("subsidy_annual", "slip of unit", 1e-3),
        ("volume_2024", "slip of unit", 1e3),
        ("volume_2025", "slip of unit", 1e3),
        ("volume_2026", "slip of unit", 1e3),
        ("volume_2027", "slip of unit", 1e3),
        ("h100_hour_price", "inconsistent", 5.12 / 30),
        ("price_2028", "inconsistent", 0.2),
        ("cloud_growth_conflict", "inconsistent", 0.45 / 0.41),
        ("h100_fit", "infeasible", 2),
        ("training_cost", "depends on an assumption", 1.04),
        ("combined_gain", "upper bound", (45 + 240) / 90),
        ("fraction_of_a_cent", "inconsistent", 59),
        ("groq_parity", "inconsistent", 1.5 / 0.8),
        ("disinformation_cost", "inconsistent", 2.5 / 0.6 / 1000),
        (
            "electricity_floor",
            "disagrees",
            (0.59 + 0.88) / 2 / (1.275 * 1.3 / 2196 / 3.6e-3 * 0.08),
        ),
        ("video_over_text", "depends on an assumption", (500 + 5000 / 3) / 110),
    ],
)
def test_verdicts(name, verdict, ratio):
    assert claim(name) == verdict
    assert claim(name, "ratio") == pytest.approx(ratio, rel=0.01)


@pytest.mark.parametrize(
    "name",
    [
        "hyperscaler_loss",
        "cluster_minimum",
        "layer_stack",
        "chip_funding",
        "agent_vs_chat",
        "rack_gpus",
    ],
)
def test_where_nothing_is_stated_the_figure_is_computed(name):
    assert claim(name) == "computed"
    for field in ("stated_low", "stated_high", "ratio"):
        with pytest.raises(UnknownIdError, match="no such figure"):
            claim(name, field)
    assert claim(name, "computed_low") <= claim(name, "computed_high")


def test_figures_come_out_by_hand():
    assert claim("h100_fit", "computed_low") == 2
    assert claim("layer_stack", "computed_low") == pytest.approx(1 - 0.8 * 0.5 * 0.7 * 0.9)
    assert claim("layer_stack", "computed_high") == pytest.approx(1 - 0.6 * 0.3 * 0.5 * 0.8)
    assert claim("combined_gain", "computed_low") == pytest.approx(1.5 * 3 * 10)
    assert claim("combined_gain", "computed_high") == pytest.approx(3 * 4 * 20)
    assert claim("bedrock_premium", "computed_low") == pytest.approx(3.5 / 0.88)
    assert claim("volume_growth", "computed_high") == pytest.approx(18.2 / 8.5 * 2.5 / 1.2)
    assert claim("rack_gpus", "computed_low") == 83


def test_the_runway_turns_over():
    stated_loss = 11e9
    years = runway(305e6, 10e9, 0.0, 3.0) / 12
    assert claim("runway", "computed_low") == pytest.approx(years)
    assert claim("runway", "conclusion") == (
        f"turns over: {305e6 / stated_loss * 365:.0f} days with the loss as stated, "
        f"{305e6 / subsidy_loss(10e9, 0.0, 3.0):.0f} years recomputed"
    )


def test_conclusions_that_turn_over_say_so():
    turned = {name for name, f in audit().items() if f.conclusion and f.conclusion.turns_over}
    assert turned == {"runway"}
    assert claim("runway") == "conclusion overturned"
    for name in audit():
        assert str(claim(name, "conclusion")).startswith("turns over") == (name in turned)


@every_claim
def test_ratio_is_computed_over_stated(found):
    stated = found.claim.stated
    if stated is None:
        assert found.ratio is None
        return
    tops = [found.computed_low, stated.low]
    if stated.high is not None:
        tops = [found.computed_low + found.computed_high, stated.low + stated.high]
    assert found.ratio == pytest.approx(tops[0] / tops[1])


@given(factor=st.floats(1e-12, 1e12))
def test_verdict_does_not_depend_on_the_unit_of_display(factor):
    for found in audit().values():
        if found.claim.stated is None:
            continue
        verdict, ratio = judge(
            found.claim.stated.scaled(factor),
            found.computed_low * factor,
            found.computed_high * factor,
            compare=found.claim.compare,
            conflicts=bool(found.claim.conflicts_with),
            assumes=bool(found.claim.assumes),
        )
        assert verdict == found.verdict
        assert ratio == pytest.approx(found.ratio)


@given(
    value=st.floats(1e-6, 1e6), digits=st.integers(1, 6), power=st.integers(-12, 12).filter(bool)
)
def test_a_slipped_unit_is_told_from_an_error(value, digits, power):
    stated = Figure.stated(value, value, digits)
    assert judge(stated, value, value)[0] == "agrees"
    slipped = value * 10.0**power
    assert judge(stated, slipped, slipped)[0] in ("slip of unit", "agrees")
    assert judge(stated, 3 * value, 3 * value)[0] == "disagrees"
    assert judge(stated, 3 * value, 3 * value, conflicts=True)[0] == "inconsistent"
    assert judge(stated, -value, -value)[0] == "disagrees"


@pytest.mark.parametrize(
    ("computed", "verdict"),
    [(0.335, "agrees"), (0.325, "agrees"), (0.336, "disagrees"), (0.324, "disagrees")],
)
def test_tolerance_is_half_a_unit_of_the_last_digit(computed, verdict):
    assert judge(Figure.stated(0.33, 0.33, 2), computed, computed)[0] == verdict


def test_bounds_and_counts():
    bound = Figure.stated(100.0, None, 1)
    assert judge(bound, 500.0, 600.0, compare="at least")[0] == "agrees"
    assert judge(bound, 30.0, 600.0, compare="at least")[0] == "disagrees"
    count = Figure.stated(2.0, 2.0, 1)
    assert judge(count, 1.0, 2.0, compare="enough")[0] == "agrees"
    assert judge(count, 1.0, 3.0, compare="enough")[0] == "infeasible"


@every_claim
def test_every_input_is_used_and_every_argument_is_given(found):
    name = found.claim.id
    given_inputs = {part.partition("=")[0].strip() for part in found.claim.inputs.split(";")}
    used = set()
    for function in (RECOMPUTED[name], CONCLUSIONS.get(name)):
        for parameter in inspect.signature(function).parameters.values() if function else ():
            used.add(parameter.name)
            if parameter.default is inspect.Parameter.empty and parameter.name != "stated":
                assert parameter.name in given_inputs
    assert given_inputs <= used


@every_claim
def test_every_claim_is_documented(found):
    claimed = found.claim
    assert re.fullmatch(r"[a-z0-9_]+", claimed.id)
    assert claimed.unit
    assert claimed.compare == "" or claimed.stated is not None
    assert found.verdict in claims.VERDICTS
    sources = (catalogue.files("engine") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    for source in claimed.source.split():
        assert f"[{source}]" in sources


def test_unknown_ids_and_fields_are_told_with_those_like_them():
    assert claim(" Weights_Bytes ", "Computed Low") == 140
    with pytest.raises(UnknownIdError, match="did you mean weights_bytes"):
        claim("weight_bytes")
    with pytest.raises(UnknownIdError, match=r"did you mean .*computed_low"):
        claim("weights_bytes", "computed_lo")
    with pytest.raises(UnknownIdError, match="stated_high"):
        claim("market_cagr", "stated_high")
