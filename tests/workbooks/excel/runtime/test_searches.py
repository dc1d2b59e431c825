"""The lookups and criteria that are answered here, cell by cell."""

from __future__ import annotations

import pytest

from udfs.cells import CellError
from workbooks.calc.protocol import CalculatorError
from workbooks.excel.runtime.criteria import fits, summed
from workbooks.excel.runtime.lookups import matched, next_lookup, next_match

NA, DIV = CellError("#N/A"), CellError("#DIV/0!")


def column(*cells: object) -> list[list[object]]:
    return [[cell] for cell in cells]


def shown(found: object) -> object:
    return found.code if isinstance(found, CellError) else found


# What is wanted, where, in which order, and its place.
MATCHED = [
    (3.0, (1.0, 3.0, 5.0), 1.0, 2.0), (4.0, (1.0, 3.0, 5.0), 1.0, 2.0),
    (5.0, (1.0, 3.0, 5.0), 1.0, 3.0), (9.0, (1.0, 3.0, 5.0), 1.0, 3.0),
    (1.0, (1.0, 3.0, 5.0), 1.0, 1.0), (0.5, (1.0, 3.0, 5.0), 1.0, "#N/A"),
    (3.0, (1.0, 3.0, 3.0, 3.0, 5.0), 1.0, 4.0), (3.0, (3.0, 3.0, 3.0), 1.0, 3.0),
    ("B", ("a", "b", "c"), 1.0, 2.0), ("bb", ("a", "b", "c"), 1.0, 2.0),
    ("A", (1.0, 2.0, "a", "b"), 1.0, 3.0), (2.0, (1.0, "x", "y", 2.0, 3.0), 1.0, 4.0),
    (9.0, (1.0, 2.0, "x", "y", "z"), 1.0, 2.0), (2.5, (1.0, NA, 2.0, None, 3.0), 1.0, 3.0),
    (True, (False, True), 1.0, 2.0), (True, (1.0, 2.0), 1.0, "#N/A"),
    (None, (-1.0, 0.0, 1.0), 1.0, 2.0),
    (3.0, (), 1.0, "#N/A"), (2.0, (2.0,), 1.0, 1.0), (2.0, (3.0,), 1.0, "#N/A"),
    (3.0, (5.0, 3.0, 1.0), -1.0, 2.0), (4.0, (5.0, 3.0, 1.0), -1.0, 1.0),
    (1.0, (5.0, 3.0, 1.0), -1.0, 3.0), (0.0, (5.0, 3.0, 1.0), -1.0, 3.0),
    (6.0, (5.0, 3.0, 1.0), -1.0, "#N/A"), ("b", ("c", "b", "a"), -1.0, 2.0),
    (4.0, (5.0, "x", 3.0), -1.0, 1.0),
    (DIV, (1.0, 2.0), 1.0, "#DIV/0!"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "cells", "order", "place"), MATCHED)
def test_match_with_an_order(wanted: object, cells: tuple, order: float, place: object) -> None:
    assert shown(matched(wanted, column(*cells) or [[]], order)) == place
    assert shown(matched(wanted, [list(cells)], order)) == place
    if order > 0:
        assert shown(matched(wanted, [list(cells)])) == place


def test_match_wants_one_value_and_one_line() -> None:
    assert shown(matched([[1.0]], column(1.0))) == "#N/A"
    assert shown(matched(1.0, [[1.0, 2.0], [3.0, 4.0]])) == "#N/A"


# What is wanted, where, mode and order, and its place.
NEXT = [
    (3.0, (5.0, 3.0, 1.0), -1.0, 1.0, 2.0), (4.0, (5.0, 3.0, 1.0), -1.0, 1.0, 2.0),
    (4.0, (5.0, 3.0, 1.0), 1.0, 1.0, 1.0), (0.0, (5.0, 3.0, 1.0), -1.0, 1.0, "#N/A"),
    (6.0, (5.0, 3.0, 1.0), 1.0, 1.0, "#N/A"), (3.0, (3.0, 3.0), -1.0, 1.0, 1.0),
    (3.0, (3.0, 3.0), -1.0, -1.0, 2.0), (4.0, (3.0, 1.0, 3.0), -1.0, -1.0, 3.0),
    (4.0, (3.0, 1.0, 3.0), -1.0, 1.0, 1.0), (2.0, (3.0, 1.0, 3.0), 1.0, -1.0, 3.0),
    ("b", ("A", "C"), -1.0, 1.0, 1.0), ("b", ("A", "C"), 1.0, 1.0, 2.0),
    ("a", (1.0, 2.0), -1.0, 1.0, 2.0), (9.0, (1.0, "a", True), 1.0, 1.0, 2.0),
    (2.0, (NA, None, 1.0), -1.0, 1.0, 3.0), (None, (1.0, None), -1.0, 1.0, 2.0),
    (None, (1.0, "z"), -1.0, 1.0, 2.0), (None, (1.0, "z"), 1.0, 1.0, "#N/A"),
    (DIV, (1.0,), 1.0, 1.0, "#DIV/0!"),
    # By halves: rising, and falling.
    (3.0, (1.0, 3.0, 5.0), 0.0, 2.0, 2.0), (4.0, (1.0, 3.0, 5.0), 0.0, 2.0, "#N/A"),
    (4.0, (1.0, 3.0, 5.0), -1.0, 2.0, 2.0), (4.0, (1.0, 3.0, 5.0), 1.0, 2.0, 3.0),
    (0.0, (1.0, 3.0, 5.0), -1.0, 2.0, "#N/A"), (9.0, (1.0, 3.0, 5.0), 1.0, 2.0, "#N/A"),
    (9.0, (1.0, 3.0, 5.0), -1.0, 2.0, 3.0), (0.0, (1.0, 3.0, 5.0), 1.0, 2.0, 1.0),
    (3.0, (5.0, 3.0, 1.0), 0.0, -2.0, 2.0), (4.0, (5.0, 3.0, 1.0), -1.0, -2.0, 2.0),
    (4.0, (5.0, 3.0, 1.0), 1.0, -2.0, 1.0), (3.0, (3.0, 3.0, 3.0), 0.0, 2.0, 1.0),
    (3.0, (3.0, 3.0, 3.0), 0.0, -2.0, 3.0), (5.0, (1.0, 3.0, 5.0), 0.0, 2.0, 3.0),
    (1.0, (1.0, 3.0, 5.0), 0.0, 2.0, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "cells", "mode", "order", "place"), NEXT)
def test_the_next_smaller_or_larger_value(
    wanted: object, cells: tuple, mode: float, order: float, place: object
) -> None:
    assert shown(next_match(wanted, column(*cells), mode, order)) == place
    assert shown(next_match(wanted, [list(cells)], mode, order)) == place
    results = [10.0 * (i + 1) for i in range(len(cells))]
    value = 10.0 * place if isinstance(place, float) else "none"
    if not isinstance(wanted, CellError):
        assert next_lookup(wanted, column(*cells), column(*results), "none", mode, order) == value
        assert next_lookup(wanted, [list(cells)], [results], "none", mode, order) == value


def test_lookups_give_lines_and_want_lines() -> None:
    table = [[1.0, 2.0], [3.0, 4.0]]
    assert next_lookup(2.0, column(1.0, 5.0), table, NA, -1.0) == [[1.0, 2.0]]
    assert next_lookup(2.0, [[1.0, 5.0]], table, NA, 1.0) == [[2.0], [4.0]]
    assert shown(next_lookup(2.0, table, table, NA, 1.0)) == "#VALUE!"
    assert shown(next_lookup(2.0, column(1.0), table, NA, 1.0)) == "#VALUE!"
    assert shown(next_lookup(2.0, [[1.0]] * 3, table, NA, 1.0)) == "#VALUE!"
    assert shown(next_lookup(DIV, column(1.0), column(1.0), NA, 1.0)) == "#DIV/0!"
    assert shown(next_match([[1.0]], column(1.0), 1.0)) == "#VALUE!"
    assert shown(next_match(1.0, table, 1.0)) == "#VALUE!"
    assert next_match(1.0, column(2.0), 1.0) == next_match(1.0, column(2.0), 1.0, 1.0) == 1.0


# A criterion, the cells that it fits, and those that it does not.
FITTING = [
    (None, (0.0, "0"), (None, "", 1.0)),
    (2.0, (2.0, "2", " 2 "), (2.5, "x", None, True, NA)),
    ("2", (2.0, "2"), (3.0, None)),
    ("=2", (2.0, "2"), (3.0, None)),
    ("50%", (0.5,), (50.0,)),
    ("1/1/2011", (40544.0,), (1.0,)),
    (True, (True,), (False, 1.0, "TRUE", None)),
    (False, (False,), (True, 0.0, None)),
    ("true", (True,), ("true", 1.0)),
    (NA, (NA,), (DIV, "#N/A", None)),
    ("#n/a", (NA,), (DIV, None)),
    ("<>#N/A", (DIV, 1.0, None), (NA,)),
    ("", (None, ""), (0.0, "x")),
    ("=", (None,), ("", 0.0)),
    ("<>", ("", 0.0, "x", NA), (None,)),
    ("ab", ("ab", "AB"), ("abc", "xab", 1.0, None)),
    ("<>ab", ("abc", 1.0, None, NA), ("ab", "AB")),
    ("a*", ("a", "Abc", "a\nb"), ("ba",)),
    ("?b", ("ab", "*b"), ("b", "aab")),
    ("=a?", ("ab",), ("a", "abc")),
    ("~*a~?", ("*a?",), ("xay", "*ab")),
    ("a~", ("a~",), ("a",)),
    ("a.c", ("a.c",), ("abc",)),
    (">2", (2.5, 3.0), (2.0, "3", None, True, NA)),
    (">=2", (2.0, 3.0), (1.9, "2")),
    ("<2", (1.9, -5.0), (2.0, None, "1", False)),
    ("<=2", (2.0, 1.0), (2.1,)),
    (">b", ("c", "BB"), ("b", "a", 9.0, None)),
    ("<b", ("a", "A"), ("b", 1.0, None)),
    (">=b", ("b", "B", "c"), ("a",)),
    ("<=B", ("b", "a"), ("c", 1.0)),
    (">FALSE", (True,), (False, 1.0, "x")),
    (">#N/A", (), (NA, DIV, 1.0, None)),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "fitting", "others"), FITTING)
def test_which_cells_a_criterion_fits(criterion: object, fitting: tuple, others: tuple) -> None:
    test = fits(criterion)
    assert [cell for cell in (*fitting, *others) if test(cell)] == list(fitting)


def test_the_criteria_of_databases_fit_what_begins_so() -> None:
    for criterion, fitting in (
        ("ab", ["ab", "ABC"]), ("=ab", ["ab"]), ("a?", ["ab", "ABC"]), ("<>ab", ["ABC", 1.0, None]),
        ("", ["ab", "ABC", 1.0, None]),
    ):  # fmt: skip
        test = fits(criterion, beginning=True)
        assert [cell for cell in ("ab", "ABC", 1.0, None) if test(cell)] == fitting


SUMMED = [
    (("COUNT", None, column(1.0, NA, 2.0), "#N/A"), 1.0),
    (("COUNT", None, column(1.0, 3.0, 2.0), ">1", column("a", "b", "a"), "a"), 1.0),
    (("SUM", column(1.0, 2.0, 4.0), column("a", "b", "a"), "a"), 5.0),
    (("SUM", column(1.0, "2", True, None), column("a", "a", "a", "a"), "a"), 1.0),
    (("SUM", column(1.0, NA), column("a", "b"), "a"), 1.0),
    (("SUM", column(DIV, NA), column("a", "a"), "a"), "#DIV/0!"),
    (("SUM", column(1.0), column("a"), "b"), 0.0),
    (("AVERAGE", column(1.0, 2.0, 6.0), column("a", "b", "a"), "a"), 3.5),
    (("AVERAGE", column(1.0, "x"), column("a", "b"), "b"), "#DIV/0!"),
    (("MAX", column(-1.0, -2.0, 6.0), column("a", "a", "b"), "a"), -1.0),
    (("MIN", column(1.0, 2.0, -6.0), column("a", "a", "b"), "a"), 1.0),
    (("MAX", column(1.0), column("a"), "b"), 0.0),
    (("MIN", column(1.0), column("a"), "b"), 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("given", "value"), SUMMED)
def test_what_is_summed_by_criteria(given: tuple, value: object) -> None:
    assert shown(summed(*given)) == value


def test_ranges_of_different_sizes_are_not_known() -> None:
    for given in (
        ("SUM", column(1.0), column("a", "b"), "a"),
        ("COUNT", None, column(1.0), 1.0, column("a", "b"), "a"),
    ):
        assert isinstance(summed(*given), CalculatorError)
