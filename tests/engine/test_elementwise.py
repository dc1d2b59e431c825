"""Arguments and their domains: scalars, arrays, NaN, pandas, and what is refused."""

from __future__ import annotations

import json
import math
import random
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import elementwise
from engine.allocation import allocate
from engine.capacity import fleet_cost
from engine.cash import runway_flows
from engine.elementwise import domains_of, largest_whole, stacked
from engine.errors import DomainError, InputError, TokenbookError
from engine.income import tiered_charge
from engine.market import demand
from engine.pricing import blended_price, breakeven_volume, subsidy_per_mtok, verdict
from engine.subsidy import runway, subsidy_path
from engine.tokens import combined_gain, cost_per_mtok
from udfs import registry

every_function = pytest.mark.parametrize(
    "function", [f for f in registry.values() if f.plain], ids=lambda f: f.name
)


def typical(function):
    """The typical call of the conformance cases, and a small number where it leaves one out."""
    path = Path(__file__).parents[1] / "data" / "conformance" / f"{function.name}.json"
    given = json.loads(path.read_text(encoding="utf-8"))["calls"]["typical"]
    domains = domains_of(function.engine)
    rest = [domains[name] for name in function.parameters[len(given) :]]
    return [*given, *(0.5 if domain.admits(0.5) else domain.low + 1 for domain in rest)]


@every_function
def test_array_element_equals_scalar(function):
    arguments = typical(function)
    alone = function.engine(*arguments)
    array = function.engine(*(np.full((2, 3), a) for a in arguments))
    assert array.shape == (2, 3)
    if isinstance(alone, str):
        assert (array == alone).all()
    else:
        np.testing.assert_allclose(array, alone, rtol=1e-13)


@every_function
def test_every_argument_refuses_nan_alone_and_spoils_one_element(function):
    arguments = typical(function)
    for place, name in enumerate(function.parameters):
        changed = list(arguments)
        changed[place] = math.nan
        with pytest.raises(DomainError, match=name):
            function.engine(*changed)
        changed[place] = np.array([math.nan, arguments[place]])
        spoilt, good = function.engine(*changed)
        assert spoilt != spoilt  # noqa: PLR0124  (NaN)
        assert good == good  # noqa: PLR0124


@every_function
def test_every_argument_refuses_text(function):
    arguments = typical(function)
    for place, name in enumerate(function.parameters):
        changed = list(arguments)
        changed[place] = "3"
        with pytest.raises(InputError, match=name):
            function.engine(*changed)


@every_function
def test_every_domain_is_closed_where_it_says(function):
    arguments = typical(function)
    for place, (name, domain) in enumerate(domains_of(function.engine).items()):
        changed = list(arguments)
        changed[place] = math.nextafter(domain.low, -math.inf)
        with pytest.raises(TokenbookError, match=name):
            function.engine(*changed)


@every_function
def test_many_elements_go_by_blocks_that_change_none(function, monkeypatch):
    chance = np.random.default_rng(3)
    domains = domains_of(function.engine)
    arrays = []
    for name, value in zip(function.parameters, typical(function), strict=True):
        least = 1.0 if domains[name].whole else 0.9
        arrays.append(value * chance.uniform(least, 1.0, (5, 1) if arrays else 8))
    arrays[-1][2] = math.nan
    at_once = function.engine(*arrays)
    monkeypatch.setattr(elementwise, "_BLOCK", 7)
    by_blocks = function.engine(*arrays)
    assert repr(by_blocks.tolist()) == repr(at_once.tolist())
    assert at_once.shape == ((8,) if len(arrays) == 1 else (5, 8))
    assert pd.notna(at_once).any()
    assert pd.isna(at_once).any()


@pytest.mark.parametrize(
    "function", [f for f in registry.values() if stacked(f.engine)], ids=lambda f: f.name
)
def test_a_stack_of_series_gives_what_each_of_them_gives(function):
    chance = np.random.default_rng(6)
    widths = [3] + [1] * (len(function.parameters) - 1)
    stacks = [chance.uniform(0.1, 0.9, (20, width)) for width in widths]
    stacks[-1][3:6, 0] = -1.0, math.nan, 1e308
    at_once = stacked(function.engine)(*stacks)
    for place, told in enumerate(at_once):
        try:
            alone = function.engine(*(stack[place] for stack in stacks))
        except DomainError:
            alone = math.nan
        assert told == pytest.approx(alone, rel=1e-14, nan_ok=True)
    assert np.isnan(at_once[[3, 4]]).all()


def test_many_elements_of_no_common_shape_are_refused(monkeypatch):
    monkeypatch.setattr(elementwise, "_BLOCK", 2)
    with pytest.raises(InputError, match="shapes"):
        subsidy_per_mtok(np.ones(4), np.ones(3))


def test_one_bad_element_spoils_itself_alone():
    cost = cost_per_mtok(np.array([2.0, -1.0, 4.0]), 1000.0)
    np.testing.assert_allclose(cost, [0.5555555556, math.nan, 1.1111111111])


def test_lists_and_integers_are_numbers():
    np.testing.assert_allclose(subsidy_per_mtok([1, 2], 3), [2, 1])
    assert subsidy_per_mtok(1, 3) == 2.0


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="shapes"):
        subsidy_per_mtok(np.ones(2), np.ones(3))


def test_arrays_are_left_as_they_were():
    price = np.array([1.0, -1.0])
    subsidy_per_mtok(price, 2.0)
    np.testing.assert_array_equal(price, [1.0, -1.0])


def test_series_keeps_its_index():
    prices = pd.Series({"Together AI": 0.88, "Groq": 0.59})
    answer = subsidy_per_mtok(prices, 3.0)
    pd.testing.assert_series_equal(answer, 3.0 - prices)


def test_frame_keeps_its_labels():
    prices = pd.DataFrame({"low": [1.0, 2.0], "high": [3.0, 4.0]}, index=["a", "b"])
    pd.testing.assert_frame_equal(subsidy_per_mtok(prices, 5.0), 5.0 - prices)


def test_pandas_is_aligned_by_label_on_both_axes():
    prices = pd.DataFrame({"low": [1.0, 2.0], "high": [3.0, 4.0]}, index=["a", "b"])
    turned = prices.loc[["b", "a"], ["high", "low"]]
    pd.testing.assert_frame_equal(subsidy_per_mtok(prices, 2 * turned), prices)
    pd.testing.assert_series_equal(
        subsidy_per_mtok(prices["low"], 2 * turned["low"]), prices["low"], check_names=False
    )


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (pd.DataFrame({"x": [1.0]}), pd.DataFrame({"y": [1.0]}), "price and breakeven.*columns"),
        (pd.DataFrame({"x": [1.0]}), pd.DataFrame({"x": [1.0]}, index=[7]), "index"),
        (pd.Series([1.0, 2.0], index=["a", "a"]), pd.Series([1.0, 2.0], index=["a", "b"]), "index"),
        (pd.Series([1.0]), pd.DataFrame({"x": [1.0]}), "a Series and a DataFrame"),
    ],
)
def test_pandas_with_other_labels_is_refused(one, other, told):
    with pytest.raises(InputError, match=told):
        subsidy_per_mtok(one, other)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "price holds dates"),
        (np.array([1], dtype="timedelta64[D]"), "durations"),
        (np.array([True, False]), "booleans"),
        (np.array([1 + 2j]), "complex"),
        (np.array(["1.5"]), "texts"),
        (np.array([b"1.5"]), "bytes"),
        (np.ma.masked_array([1.0, 2.0], [False, True]), "masked"),
        (np.array([1.0, "1"], dtype=object), "a str"),
        ([1.0, True], "a bool"),
        ([1.0, "1"], "a str"),
        ([[1.0, 2.0], [3.0]], "a list"),
        (pd.Series([True, False]), "booleans"),
        (pd.Series(pd.to_datetime(["2026-01-01"])), "dates"),
        (pd.Series(pd.to_datetime(["2026-01-01"]).tz_localize("UTC")), "dates"),
        (pd.Series(["1.5"]), "price holds"),
        (pd.Series([1, 2], dtype="category"), "price holds"),
        (pd.Series([True, None], dtype="boolean"), "booleans"),
        (pd.DataFrame({"x": [1.0], "y": [True]}), "booleans"),
        (pd.to_datetime(["2026-01-01"]), "dates"),
        (1 + 2j, "price"),
        (object(), "price holds a object"),
    ],
    ids=range(21),
)
def test_what_is_no_number_is_refused_by_name(value, told):
    with pytest.raises(InputError, match=told):
        subsidy_per_mtok(value, 3.0)
    with pytest.raises(InputError, match=told.replace("price", "gains")):
        combined_gain(value)


def test_what_is_missing_in_pandas_spoils_its_element_alone():
    answer = subsidy_per_mtok(pd.Series([1, None], dtype="Int64"), 3)
    np.testing.assert_array_equal(answer, [2.0, np.nan])
    np.testing.assert_array_equal(subsidy_per_mtok([1, None, Decimal("0.5")], 3), [2, np.nan, 2.5])


def test_text_answers_keep_the_index_too():
    prices = pd.Series({"Together AI": 0.88, "AWS": 9.0})
    assert verdict(prices, 3.0, 5.0).to_dict() == {
        "Together AI": "below cost",
        "AWS": "above breakeven",
    }


def test_pandas_with_different_indexes_is_refused():
    with pytest.raises(InputError, match="index"):
        subsidy_per_mtok(pd.Series([1.0], index=["a"]), pd.Series([1.0], index=["b"]))


def test_argument_that_equals_another():
    assert blended_price(1.0, 2.0, 1.0, 0.0, 0.5) == 1.0
    np.testing.assert_allclose(blended_price(np.array([1.0, 3.0]), 2.0, 1.0, 0.0, 0.5), [1, 3])


def test_condition_between_arguments():
    with pytest.raises(DomainError, match="must exceed"):
        breakeven_volume(1.0, 1.0, 2.0)
    np.testing.assert_allclose(breakeven_volume(1.0, [1.0, 3.0], 2.0), [math.nan, 1.0])


def test_overflow_is_a_domain_error():
    with pytest.raises(DomainError, match="finite"):
        demand(1e300, 1.0, 1.0, 10.0)
    assert np.isnan(demand([1e300], 1.0, 1.0, 10.0)).all()


def test_infinity_is_an_answer_only_where_declared():
    assert runway(1e6, 1e9, 3.0, 2.0) == math.inf
    assert runway([1e6], 1e9, 3.0, 2.0)[0] == math.inf


def test_series_argument_names_the_bad_place():
    with pytest.raises(DomainError, match="gains holds 0 in place 2"):
        combined_gain([1.0, 0.0])


def test_a_single_number_is_a_series_of_one():
    assert combined_gain(2.0) == 2.0
    np.testing.assert_allclose(allocate(10.0, 60.0, 3.0), [10.0])


def test_table_functions_take_single_numbers():
    with pytest.raises(InputError, match="single number"):
        subsidy_path([1.0, 2.0], 1.0, 1.0, 1.0)


def test_keywords_and_defaults():
    assert cost_per_mtok(tokens_per_second=1000.0, usd_per_gpu_hour=3.6) == pytest.approx(1.0)
    with pytest.raises(TypeError):
        cost_per_mtok(1.0)


EXTREMES = [-1.0, 0.0, 1e-300, 0.5, 1.0, 5.0, 1e15, 1e300]


@pytest.mark.filterwarnings("error")
@every_function
def test_a_bare_equation_warns_of_nothing(function):
    """A recalculation calls equations as they stand, and their warnings would reach the user."""
    domains = [domains_of(function.engine)[name] for name in function.parameters]
    pools = [[x for x in (d.low, *EXTREMES, min(d.high, 1e308)) if d.admits(x)] for d in domains]
    draw = random.Random(0)
    for _ in range(300):
        with suppress(ArithmeticError, ValueError):
            function.engine.__wrapped__(*map(draw.choice, pools))


@pytest.mark.filterwarnings("error")
def test_series_and_texts_warn_of_nothing():
    with pytest.raises(DomainError):
        tiered_charge(1e300, [0.0, 1e-300], [1e300, 1e300])
    with pytest.raises(DomainError):
        fleet_cost([1e300, 1e300], 1e300)
    assert runway_flows(1e308, [-1e308, 1e308, 1e308, -1e308]) == 1.0


def text_functions():
    texts = {"text", "model", "accelerator"}
    return [f for f in registry.values() if texts & set(f.kinds)]


@pytest.mark.parametrize("odd", [3, 2.5, True, object(), b"x", {"a": 1}.keys()], ids=range(6))
@pytest.mark.parametrize("function", text_functions(), ids=lambda f: f.name)
def test_ids_of_odd_types_are_refused_by_our_own_errors(function, odd):
    path = Path(__file__).parents[1] / "data" / "conformance" / f"{function.name}.json"
    given = json.loads(path.read_text(encoding="utf-8"))["calls"]["typical"]
    for place, kind in enumerate(function.kinds[: len(given)]):
        if kind in ("text", "model", "accelerator"):
            with pytest.raises(TokenbookError):
                function.engine(*given[:place], odd, *given[place + 1 :])


@given(st.lists(st.floats(0, 3000) | st.just(np.nan), min_size=1, max_size=5), st.floats(-1, 4000))
def test_the_largest_whole_number_is_the_last_of_all_that_hold(most, limit):
    found = largest_whole(lambda n: n <= limit, np.array(most), np.zeros((2, 1)))
    assert found.shape == (2, len(most))
    for got, high in zip(found[0], most, strict=True):
        if np.isnan(high):
            assert np.isnan(got)
        else:
            assert got == max(0.0, np.floor(min(high, limit)))
    if not np.isnan(most[0]):
        assert largest_whole(lambda n: n <= limit, most[0]) == found[0, 0]
