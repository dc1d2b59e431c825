"""Applications: worked by hand, against numerical integration, and by their laws."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import lognorm

from engine import applications as app
from engine.pricing import blended_price

DATA = Path(__file__).parents[1] / "data"
# The disclosed token counts are rounded to billions.
DISCLOSED = 1e-3
WHOLE_PERCENT = 0.01


def test_agent_session_by_hand():
    # Turn 1 reads 1,000 tokens, turn 2 1,100, turn 3 1,200: 3,300 at 1; 300 written at 2.
    assert app.agent_session(3.0, 1.0, 2.0, 1000.0, 100.0) == pytest.approx(
        (3300 * 1 + 300 * 2) / 1e6
    )
    # Tool results of 50 add 50 and 100; half of the 3,450 comes from the cache at a tenth.
    assert app.agent_session(3.0, 1.0, 2.0, 1000.0, 100.0, 50.0, 0.5, 0.1) == pytest.approx(
        (3450 * 0.55 + 300 * 2) / 1e6
    )


@given(
    turns=st.integers(1, 60),
    prompt=st.floats(0, 1e5),
    written=st.floats(0, 1e4),
    tool=st.floats(0, 1e4),
    hit=st.floats(0, 1),
)
def test_agent_session_is_the_sum_of_its_turns(turns, prompt, written, tool, hit):
    cost, context = 0.0, prompt
    for _ in range(turns):
        tokens = context + written
        if tokens:
            cost += tokens / 1e6 * blended_price(3.0, 15.0, context, written, hit, 0.3)
        context += written + tool
    session = app.agent_session(float(turns), 3.0, 15.0, prompt, written, tool, hit, 0.3)
    assert session == pytest.approx(cost, rel=1e-9, abs=1e-15)


def test_cached_price_left_out_is_the_input_price():
    plain = app.agent_session(5.0, 1.0, 2.0, 1000.0, 100.0)
    assert app.agent_session(5.0, 1.0, 2.0, 1000.0, 100.0, cache_hit=0.9) == pytest.approx(plain)


def test_a_day_of_deepseek_earns_what_it_disclosed():
    with (DATA / "deepseek_day.csv").open(encoding="utf-8") as file:
        lines = (line for line in file if not line.startswith("#"))
        day = {row["field"]: float(row["value"]) for row in csv.DictReader(lines)}
    # One turn that reads and writes the whole day.
    revenue = app.agent_session(
        1.0,
        day["input_price"],
        day["output_price"],
        day["input_tokens"],
        day["output_tokens"],
        0.0,
        day["cached_tokens"] / day["input_tokens"],
        day["cached_price"],
    )
    assert revenue == pytest.approx(day["revenue"], rel=DISCLOSED)
    margin = revenue / day["cost"] - 1
    assert margin == pytest.approx(day["margin_over_cost"], abs=WHOLE_PERCENT)


def test_video_and_training_cost():
    assert app.video_cost(60.0, 30.0, 2.0, 5.0) == 5.0
    # 3.6e21 operations at 1,000 TFLOP/s, half used: 7.2e6 s or 2,000 h.
    assert app.training_cost(3.6e21, 1000.0, 0.5, 2.0) == pytest.approx(4000.0)


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("cap", [10.0, 500.0, 1000.0, 5000.0])
def test_capped_mean_is_the_integral_of_the_survival_function(spread, cap):
    users = lognorm(spread, scale=1000 * np.exp(-(spread**2) / 2))
    served, _ = quad(users.sf, 0, cap, limit=200)
    margin = app.subscription_margin(20.0, 1000.0, 0.01, spread, cap)
    assert margin == pytest.approx(20 - 0.01 * served, rel=1e-9)


def test_subscription_without_cap_or_spread():
    assert app.subscription_margin(20.0, 1000.0, 0.01) == 10.0
    assert app.subscription_margin(20.0, 1000.0, 0.01, 2.0) == 10.0
    assert app.subscription_margin(20.0, 1000.0, 0.01, 0.0, 400.0) == 16.0
    assert app.subscription_margin(20.0, 1000.0, 0.01, 2.0, np.inf) == 10.0
    caps = np.array([400.0, np.inf, np.nan])
    margins = app.subscription_margin(20.0, 1000.0, 0.01, 0.0, caps)
    assert margins[:2].tolist() == [16.0, 10.0]
    assert np.isnan(margins[2])


@given(
    mean=st.floats(0, 1e6),
    cap=st.floats(0, 1e6),
    more=st.floats(0, 1e6),
    spread=st.floats(0, 10),
)
def test_a_higher_cap_never_leaves_more_and_never_less_than_none(mean, cap, more, spread):
    low, high = (app.subscription_margin(20.0, mean, 1e-3, spread, c) for c in (cap, cap + more))
    assert high <= low + 1e-9
    assert high >= app.subscription_margin(20.0, mean, 1e-3, spread) - 1e-9
    assert low >= 20 - 1e-3 * cap - 1e-9


@given(mean=st.floats(1, 1e4), cap=st.floats(1, 1e4), spread=st.floats(0, 3))
def test_spread_spares_cost_under_a_cap(mean, cap, spread):
    alike = app.subscription_margin(20.0, mean, 1e-3, 0.0, cap)
    assert app.subscription_margin(20.0, mean, 1e-3, spread, cap) >= alike - 1e-9


@pytest.mark.parametrize(
    ("function", "arguments", "bad"),
    [
        (
            app.agent_session,
            (3.0, 1.0, 2.0, 1000.0, 100.0, 50.0, 0.5, 0.1),
            (2.5, 1.0, 2.0, 1000.0, 100.0, 50.0, 0.5, 0.1),
        ),
        (app.video_cost, (60.0, 30.0, 2.0, 5.0), (60.0, -30.0, 2.0, 5.0)),
        (app.training_cost, (2e25, 312.0, 0.34, 2.0), (2e25, 312.0, 1.1, 2.0)),
        (
            app.subscription_margin,
            (20.0, 1000.0, 0.01, 1.0, 2000.0),
            (20.0, 1000.0, 0.01, -1.0, 2000.0),
        ),
        (
            app.subscription_margin,
            (20.0, 0.0, 0.01, 1.0, 2000.0),
            (20.0, 0.0, 0.01, 1.0, -1.0),
        ),
    ],
)
def test_scalar_array_and_nan(check_shapes, function, arguments, bad):
    check_shapes(function, arguments, bad)
