"""Arguments and their domains: scalars, arrays, NaN, pandas, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from engine.allocation import allocate
from engine.elementwise import domains_of
from engine.errors import DomainError, InputError, TokenbookError
from engine.market import demand
from engine.pricing import blended_price, breakeven_volume, subsidy_per_mtok, verdict
from engine.subsidy import runway, subsidy_path
from engine.tokens import combined_gain, cost_per_mtok
from udfs import registry

every_function = pytest.mark.parametrize(
    "function", [f for f in registry.values() if f.plain], ids=lambda f: f.name
)


def typical(function):
    """A call inside every domain; the same small number serves all but the experts."""
    if function.name == "TOK_ACTIVE_EXPERTS":
        return [8.0, 2.0, 4.0]
    if function.name == "TOK_VERDICT":
        return [1.0, 0.5, 2.0]
    if function.name == "TOK_BREAKEVEN_VOLUME":
        return [1.0, 0.5, 0.25]
    domains = domains_of(function.engine)
    return [
        0.5 if domains[name].admits(0.5) else domains[name].low + 1 for name in function.parameters
    ]


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
