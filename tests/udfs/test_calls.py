"""The cell policy: blanks, errors, shapes, NaN and infinity, the same for every host."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs import CellError, registry
from udfs.functions import (
    TOK_BLENDED_PRICE,
    TOK_COMBINED_GAIN,
    TOK_COST_PER_MTOK,
    TOK_MARKET_PATH,
    TOK_RUNWAY,
    TOK_SUBSIDY,
    TOK_SUBSIDY_LOSS,
    TOK_VERDICT,
)


def code(cell):
    assert isinstance(cell, CellError), cell
    return cell.code


def test_scalar_call_returns_a_scalar():
    assert TOK_SUBSIDY(0.88, 3.0) == pytest.approx(2.12)
    assert TOK_SUBSIDY([[0.88]], 3) == pytest.approx(2.12)


def test_column_against_row_is_a_grid():
    assert TOK_SUBSIDY([[1], [2]], [[3, 4, 5]]) == [[2, 3, 4], [1, 2, 3]]


def test_flat_list_is_a_row():
    assert TOK_SUBSIDY(1, [3, 4]) == [[2, 3]]


def test_ranges_that_do_not_fit_are_refused_with_their_shapes():
    answer = TOK_SUBSIDY([[1], [2]], [[3], [4], [5]])
    assert code(answer) == "#VALUE!"
    assert "2×1, 3×1" in answer.reason


def test_blank_is_the_default_where_optional_and_an_error_where_required():
    assert TOK_SUBSIDY_LOSS(1e6, 1, 2, None) == 365
    answer = TOK_SUBSIDY_LOSS(1e6, None, 2)
    assert code(answer) == "#VALUE!"
    assert "price is blank" in answer.reason


def test_zero_is_not_blank():
    assert TOK_SUBSIDY_LOSS(1e6, 1, 2, 0) == 0


def test_blank_inside_a_range_spoils_or_defaults_its_element_alone():
    assert TOK_SUBSIDY_LOSS(1e6, 1, 2, [[1, None]]) == [[1, 365]]
    first, second = TOK_SUBSIDY([[1, None]], 2)[0]
    assert first == 1
    assert code(second) == "#VALUE!"


def test_blank_of_an_argument_that_equals_another_takes_its_element():
    answers = TOK_BLENDED_PRICE([[1], [4]], 0, 1, 0, 1, [[2], [None]])
    assert answers == [[2], [4]]


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#REF!", "#NAME?"])
def test_error_in_comes_out(error):
    assert TOK_SUBSIDY(CellError(error), 1).code == error
    answers = TOK_SUBSIDY([[1, CellError(error)]], 2)[0]
    assert answers[0] == 1
    assert answers[1].code == error


def test_of_two_errors_the_leftmost_argument_wins():
    left, right = CellError("#N/A"), CellError("#REF!")
    assert TOK_SUBSIDY(left, right) == left
    assert TOK_SUBSIDY([[left, 1]], [[right], [2]]) == [[left, right], [left, 1]]


def test_scalar_error_over_a_range_keeps_the_shape():
    answers = TOK_SUBSIDY(CellError("#N/A"), [[1, 2], [3, 4]])
    assert [[code(c) for c in row] for row in answers] == [["#N/A"] * 2] * 2


@pytest.mark.parametrize("cell", ["3", "text", True, False])
def test_text_and_booleans_are_not_numbers(cell):
    assert code(TOK_SUBSIDY(cell, 1)) == "#VALUE!"
    assert code(TOK_SUBSIDY([[cell, 1]], 1)[0][0]) == "#VALUE!"


def test_date_is_its_serial_number():
    assert TOK_SUBSIDY(0, date(2026, 1, 1)) == 46023
    assert TOK_SUBSIDY(0, datetime(2026, 1, 1, 12)) == 46023.5


@pytest.mark.parametrize("price", [-1.0, float("nan"), float("inf")])
def test_outside_the_domain_is_num_and_named(price):
    for answer in (TOK_SUBSIDY(price, 1), TOK_SUBSIDY([[price, 2]], 1)[0][0]):
        assert code(answer) == "#NUM!"
        assert "price" in answer.reason


def test_bad_scalar_spoils_every_element_it_is_used_for():
    answers = TOK_COST_PER_MTOK([[1], [2]], 10, 0)
    assert [code(row[0]) for row in answers] == ["#NUM!", "#NUM!"]
    assert "utilisation" in answers[0][0].reason


def test_overflow_never_reaches_a_cell():
    assert code(TOK_SUBSIDY_LOSS(1e308, 0, 1e308)) == "#NUM!"
    assert code(TOK_SUBSIDY_LOSS([[1e308, 1]], 0, 1e308)[0][0]) == "#NUM!"


def test_many_bad_elements_each_have_a_reason():
    answers = TOK_SUBSIDY([[-float(i + 1)] for i in range(50)], 1)
    assert all("price" in row[0].reason for row in answers)


def test_infinite_runway_is_na_with_its_meaning():
    answer = TOK_RUNWAY(1e6, 1e9, 3, 2)
    assert code(answer) == "#N/A"
    assert "600 months" in answer.reason


def test_text_results_spread_over_ranges():
    assert TOK_VERDICT(1, [[2], [0.5], [None]], 3)[:2] == [["below cost"], ["near breakeven"]]
    assert code(TOK_VERDICT(1, [[2], [None]], 3)[1][0]) == "#VALUE!"
    assert code(TOK_VERDICT(1, [[2], [4]], 3)[1][0]) == "#NUM!"


def test_whole_range_functions_take_the_first_error():
    assert TOK_COMBINED_GAIN([[2, 3], [4, 5]]) == 120
    assert TOK_COMBINED_GAIN(2) == 2
    assert TOK_COMBINED_GAIN([[2, CellError("#N/A")]]).code == "#N/A"
    assert code(TOK_COMBINED_GAIN([[2, 0]])) == "#NUM!"
    assert code(TOK_COMBINED_GAIN([[None, None]])) == "#VALUE!"


def test_tables_have_a_header_and_take_no_ranges():
    table = TOK_MARKET_PATH(1e9, 1, 1, -0.5, 2)
    assert table[0] == ["year", "market USD", "price", "tokens/day"]
    assert [row[0] for row in table[1:]] == [0, 1, 2]
    assert code(TOK_MARKET_PATH([[1e9, 2e9]], 1, 1, -0.5)) == "#VALUE!"


def test_wrong_number_of_arguments_says_how_to_call():
    for cells in ((), (1,), (1, 2, 3)):
        answer = TOK_SUBSIDY(*cells)
        assert code(answer) == "#VALUE!"
        assert "TOK_SUBSIDY(price, breakeven)" in answer.reason


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(-2, 1e12),
    st.integers(-3, 10**6),
    st.sampled_from(["", "x", CellError("#N/A"), CellError("#DIV/0!")]),
)
plain = [f for f in registry.values() if f.plain]


@given(st.data())
def test_a_range_answers_as_its_cells_do(data):
    """Broadcasting, blocks and single calls are one function."""
    function = data.draw(st.sampled_from(plain))
    count = data.draw(st.integers(function.required, len(function.parameters)))
    calls = data.draw(st.lists(st.tuples(*[cells] * count), min_size=2, max_size=5))
    alone = [function(*call) for call in calls]
    spread = function(*([[cell] for cell in column] for column in zip(*calls, strict=True)))
    block = function.call_block(calls)
    for single, (ranged,), blocked in zip(alone, spread, block, strict=True):
        for other in (ranged, blocked):
            if isinstance(single, CellError):
                assert code(other) == single.code
            else:
                assert other == (
                    single if isinstance(single, str) else pytest.approx(single, rel=1e-12)
                )
