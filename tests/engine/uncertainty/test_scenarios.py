"""Tornado and Monte Carlo of one function: one call for all draws, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from engine import monte_carlo, tornado
from engine.errors import DomainError, InputError, UnknownIdError
from engine.uncertainty import named
from engine.uncertainty.named import function_of, study
from udfs import registry

ROWS = [["price", 0.5, 0.88, 1.0], ["breakeven", 2.0, 3.0, 5.0]]


def test_every_scalar_function_is_found_by_its_name_and_nothing_else():
    scalars = {
        name: f.engine
        for name, f in registry.items()
        if f.result == "number" and f.broadcasts and "number" in f.kinds and not f.series
    }
    assert {f"TOK_{name}": f for name, f in named._scalar_functions().items()} == scalars
    assert function_of("subsidy") is function_of(" Tok_Subsidy ")


def test_mean_and_spread_are_those_of_pert():
    # The mean of a PERT is (low + 4·base + high)/6, its variance (mean − low)(high − mean)/7.
    rows = monte_carlo("TOK_SUBSIDY", ROWS, 1_000_000, 11).rows()
    means = [(low + 4 * base + high) / 6 for _, low, base, high in ROWS]
    variance = sum(
        (mean - low) * (high - mean) / 7
        for mean, (_, low, _, high) in zip(means, ROWS, strict=True)
    )
    error = variance**0.5 / 1000
    assert rows[-2][1] == pytest.approx(means[1] - means[0], abs=3 * error)
    assert rows[-1][1] == pytest.approx(variance**0.5, rel=5e-3)


def test_seeds_and_draws_count():
    one = monte_carlo("TOK_SUBSIDY", ROWS, 100, 1).rows()
    assert one == monte_carlo("TOK_SUBSIDY", ROWS, 100, 1).rows()
    assert one != monte_carlo("TOK_SUBSIDY", ROWS, 100, 2).rows()


def test_one_call_answers_all_draws(monkeypatch):
    sizes = []
    whole = named.Study.results

    def counted(self, varied):
        sizes.append(varied.shape)
        return whole(self, varied)

    monkeypatch.setattr(named.Study, "results", counted)
    monte_carlo(
        "TOK_RUNWAY",
        [
            ["cash", 1e8, 2e8, 3e8],
            ["tokens_per_day", None, 1e10, None],
            ["price", None, 1.0, None],
            ["breakeven", 2.0, 3.0, 4.0],
        ],
    )
    tornado("TOK_SUBSIDY", ROWS)
    assert sizes == [(2, 10_000), (2, 4)]


def test_a_tornado_is_the_function_at_each_end():
    table = tornado("TOK_SUBSIDY", [*ROWS, [None, None, None, None]])
    found = {row[0]: row[1:] for row in table.rows()}
    assert found["price"] == [3 - 0.5, 3 - 1.0, 0.5]
    assert found["breakeven"] == pytest.approx([2 - 0.88, 5 - 0.88, 3])
    assert list(np.argsort(-table.column("swing"))) == [0, 1]


@pytest.mark.parametrize(
    ("name", "rows", "error", "told"),
    [
        ("TOK_SUBSIDI", ROWS, UnknownIdError, "TOK_SUBSIDY"),
        ("TOK_SUBSIDY_PATH", ROWS, UnknownIdError, "unknown"),
        ("TOK_VERDICT", ROWS, UnknownIdError, "unknown"),
        ("TOK_SUBSIDY", [["prize", 1, 2, 3]], UnknownIdError, "did you mean price"),
        ("TOK_SUBSIDY", [["price", 3, 2, 4]], DomainError, "low 3, base 2, high 4"),
        ("TOK_SUBSIDY", [["price", -3, 2, 4]], DomainError, "price is -3; it must be 0 or more"),
        ("TOK_SUBSIDY", [["price", 1, None, 4]], InputError, "base of price is blank"),
        ("TOK_SUBSIDY", [["price", None, 2, 4]], InputError, "low of price"),
        ("TOK_SUBSIDY", [["price", 1, 2]], InputError, "3 columns"),
        ("TOK_SUBSIDY", ROWS[:1], InputError, "lacks breakeven"),
        ("TOK_SUBSIDY", [ROWS[0], ROWS[0]], InputError, "price twice"),
        ("TOK_SUBSIDY", [[None] * 4], InputError, "empty"),
        ("TOK_SUBSIDY", [[1.0, 1, 2, 3]], InputError, "1.0"),
        ("TOK_TPOT", [["model", 1, 2, 3]], InputError, "model is no number"),
    ],
)
def test_refusals_say_what_is_wrong(name, rows, error, told):
    with pytest.raises(error, match=told):
        study(name, rows)


def test_draws_without_a_result_are_counted():
    rows = [["fixed_usd", None, 1e6, None], ["price", 1, 2, 3], ["variable_cost", 0, 1, 1.5]]
    with pytest.raises(DomainError, match=r"\d+ of 1,000 draws have no result"):
        monte_carlo("TOK_BREAKEVEN_VOLUME", rows, 1000)


def test_a_tornado_of_nothing_that_varies_is_told():
    with pytest.raises(DomainError, match="no argument varies"):
        tornado("TOK_SUBSIDY", [["price", None, 1.0, None], ["breakeven", 3.0, 3.0, 3.0]])
