"""The distributions against SciPy's own, and where their arguments end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
from scipy import stats

from udfs.cells import CellError
from workbooks.excel.runtime.registry import functions

Answers: TypeAlias = Mapping[str, Callable[..., Any]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Return the functions by name."""
    return functions()


CHANCES = (0.001, 0.25, 0.5, 0.9, 0.999)
DEGREES = (1.0, 2.0, 3.0, 10.0, 250.0)
# A value of degrees is cut to a whole one.
CASES = [
    *(("CHISQ.DIST", (x, k + 0.9, True), stats.chi2.cdf(x, k)) for x in (0.0, 0.5, 4.0, 90.0)
      for k in DEGREES),
    *(("CHISQ.DIST", (x, k, False), stats.chi2.pdf(x, k)) for x in (0.5, 4.0) for k in DEGREES),
    *(("CHISQ.DIST.RT", (x, k + 0.9), stats.chi2.sf(x, k)) for x in (0.0, 0.5, 4.0, 90.0)
      for k in DEGREES),
    *(("CHISQ.INV", (p, k), stats.chi2.ppf(p, k)) for p in (0.0, *CHANCES) for k in DEGREES),
    *(("CHISQ.INV.RT", (p, k), stats.chi2.isf(p, k)) for p in (*CHANCES, 1.0) for k in DEGREES),
    *(("F.DIST", (x, m, 7.9, True), stats.f.cdf(x, m, 7)) for x in (0.0, 0.5, 4.0)
      for m in DEGREES),
    *(("F.DIST", (x, m, 7.0, False), stats.f.pdf(x, m, 7)) for x in (0.5, 4.0) for m in DEGREES),
    *(("F.DIST.RT", (x, m, 7.9), stats.f.sf(x, m, 7)) for x in (0.0, 0.5, 4.0) for m in DEGREES),
    *(("F.INV", (p, m, 7.0), stats.f.ppf(p, m, 7)) for p in CHANCES for m in DEGREES),
    *(("F.INV.RT", (p, m, 7.0), stats.f.isf(p, m, 7)) for p in CHANCES for m in DEGREES),
    *(("T.DIST", (x, n + 0.9, True), stats.t.cdf(x, n)) for x in (-3.0, 0.0, 1.5) for n in DEGREES),
    *(("T.DIST", (x, n, False), stats.t.pdf(x, n)) for x in (-3.0, 0.0, 1.5) for n in DEGREES),
    *(("T.DIST.RT", (x, n), stats.t.sf(x, n)) for x in (-3.0, 0.0, 1.5) for n in DEGREES),
    *(("T.DIST.2T", (x, n), 2 * stats.t.sf(x, n)) for x in (0.0, 1.5, 40.0) for n in DEGREES),
    *(("T.INV", (p, n), stats.t.ppf(p, n)) for p in CHANCES for n in DEGREES),
    *(("T.INV.2T", (p, n), stats.t.isf(p / 2, n)) for p in (*CHANCES, 1.0) for n in DEGREES),
    *(("BINOM.DIST", (k, n, p, True), stats.binom.cdf(k, n, p)) for k in (0.0, 3.0, 10.0)
      for n in (10.0, 600.0) for p in (0.0, 0.3, 1.0)),
    *(("BINOM.DIST", (k + 0.9, n, p, False), stats.binom.pmf(k, n, p)) for k in (0.0, 3.0, 9.0)
      for n in (10.0, 500.0, 501.0) for p in (0.0, 0.01, 0.3, 1.0)),
    *(("BINOM.INV", (n, 0.3, p), stats.binom.ppf(p, n, 0.3)) for n in (1.0, 10.0, 77.0)
      for p in CHANCES),
    *(("BETA.DIST", (x, a, 2.5, True, 1.0, 3.0), stats.beta.cdf(x, a, 2.5, 1, 2))
      for x in (1.0, 1.2, 2.9, 3.0) for a in (0.5, 1.0, 4.0)),
    *(("BETA.DIST", (x, a, 2.5, False, 1.0, 3.0), stats.beta.pdf(x, a, 2.5, 1, 2))
      for x in (1.2, 2.9, 3.0) for a in (0.5, 1.0, 4.0)),
    *(("BETA.INV", (p, a, 2.5, 1.0, 3.0), stats.beta.ppf(p, a, 2.5, 1, 2)) for p in CHANCES
      for a in (0.5, 1.0, 4.0)),
    *(("CONFIDENCE.T", (p, 2.0, n + 0.5), stats.t.isf(p / 2, n - 1) * 2 / math.sqrt(n))
      for p in CHANCES for n in (2.0, 3.0, 50.0)),
    *(("HYPGEOM.DIST", (k, 5.0, 6.0, 12.0, False), stats.hypergeom.pmf(k, 12, 6, 5))
      for k in range(6)),
    *(("HYPGEOM.DIST", (k + 0.9, 5.9, 6.9, 12.9, True), stats.hypergeom.cdf(k, 12, 6, 5))
      for k in range(6)),
    ("HYPGEOM.DIST", (3.0, 9.0, 6.0, 12.0, False), stats.hypergeom.pmf(3, 12, 6, 9)),
    ("HYPGEOM.DIST", (4.0, 9.0, 6.0, 12.0, True), stats.hypergeom.cdf(4, 12, 6, 9)),
    ("HYPGEOM.DIST", (6.0, 12.0, 6.0, 12.0, False), 1.0),
    ("HYPGEOM.DIST", (5.0, 5.0, 12.0, 12.0, False), 1.0),
    ("HYPGEOMDIST", (1.0, 4.0, 8.0, 20.0), stats.hypergeom.pmf(1, 20, 8, 4)),
    # A density at its end: without bound, a half, one or none.
    ("CHISQ.DIST", (0.0, 2.0, False), 0.5),
    ("CHISQ.DIST", (0.0, 4.0, False), 0.0),
    ("F.DIST", (0.0, 2.0, 7.0, False), 1.0),
    ("F.DIST", (0.0, 4.0, 7.0, False), 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "value"), CASES)
def test_as_scipy(answers: Answers, name: str, given: tuple[float, ...], value: float) -> None:
    found = answers[name](*map(_cell, given))
    assert found == pytest.approx(float(value), rel=2e-11, abs=1e-300)


def _cell(given: float) -> float | bool:
    return given if isinstance(given, bool) else float(given)


NUM, DIV = "#NUM!", "#DIV/0!"
# By Microsoft's pages of these functions: what each of them refuses.
REFUSED = [
    ("CHISQ.DIST", (-0.1, 2.0, True), NUM),
    ("CHISQ.DIST", (1.0, 0.9, True), NUM),
    ("CHISQ.DIST", (1.0, 1e10 + 1, True), NUM),
    ("CHISQ.DIST.RT", (-0.1, 2.0), NUM),
    ("CHISQ.DIST.RT", (1.0, 0.5), NUM),
    ("CHISQ.INV", (-0.1, 2.0), NUM),
    ("CHISQ.INV", (1.0, 2.0), NUM),
    ("CHISQ.INV.RT", (0.0, 2.0), NUM),
    ("CHISQ.INV.RT", (1.1, 2.0), NUM),
    ("F.DIST", (-1.0, 2.0, 3.0, True), NUM),
    ("F.DIST", (1.0, 0.9, 3.0, True), NUM),
    ("F.DIST", (1.0, 3.0, 0.9, True), NUM),
    ("F.INV", (0.0, 2.0, 3.0), NUM),
    ("F.INV", (1.0, 2.0, 3.0), NUM),
    ("T.DIST", (1.0, 0.0, True), NUM),
    ("T.DIST.2T", (-1.0, 5.0), NUM),
    ("T.INV", (0.0, 5.0), NUM),
    ("T.INV", (1.0, 5.0), NUM),
    ("T.INV.2T", (0.0, 5.0), NUM),
    ("T.INV.2T", (1.1, 5.0), NUM),
    ("BINOM.DIST", (-1.0, 5.0, 0.5, True), NUM),
    ("BINOM.DIST", (6.0, 5.0, 0.5, True), NUM),
    ("BINOM.DIST", (1.0, 5.0, -0.1, True), NUM),
    ("BINOM.DIST", (1.0, 5.0, 1.1, True), NUM),
    ("BINOM.INV", (-1.0, 0.5, 0.5), NUM),
    ("BINOM.INV", (5.0, -0.1, 0.5), NUM),
    ("BINOM.INV", (5.0, 1.1, 0.5), NUM),
    ("BINOM.INV", (5.0, 0.5, -0.1), NUM),
    ("BINOM.INV", (5.0, 0.5, 1.1), NUM),
    ("BETA.DIST", (1.5, 0.0, 2.0, True, 1.0, 3.0), NUM),
    ("BETA.DIST", (1.5, 2.0, 0.0, True, 1.0, 3.0), NUM),
    ("BETA.DIST", (0.9, 2.0, 2.0, True, 1.0, 3.0), NUM),
    ("BETA.DIST", (3.1, 2.0, 2.0, True, 1.0, 3.0), NUM),
    ("BETA.DIST", (1.0, 2.0, 2.0, True, 1.0, 1.0), NUM),
    ("BETA.DIST", (1.0, 0.5, 2.0, False, 1.0, 3.0), NUM),
    ("BETA.DIST", (3.0, 2.0, 0.5, False, 1.0, 3.0), NUM),
    ("BETA.INV", (0.0, 2.0, 2.0), NUM),
    ("BETA.INV", (1.0, 2.0, 2.0), NUM),
    ("BETA.INV", (0.5, 0.0, 2.0), NUM),
    ("BETA.INV", (0.5, 2.0, 0.0), NUM),
    ("BETA.INV", (0.5, 2.0, 2.0, 1.0, 1.0), NUM),
    ("CONFIDENCE.T", (0.0, 1.0, 5.0), NUM),
    ("CONFIDENCE.T", (1.0, 1.0, 5.0), NUM),
    ("CONFIDENCE.T", (0.5, 0.0, 5.0), NUM),
    ("CONFIDENCE.T", (0.5, 1.0, 0.9), NUM),
    ("CONFIDENCE.T", (0.5, 1.0, 1.9), DIV),
    ("HYPGEOM.DIST", (-1.0, 5.0, 6.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (6.0, 5.0, 7.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (6.0, 7.0, 5.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (0.0, 0.0, 6.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (1.0, 13.0, 6.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (0.0, 5.0, 0.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (1.0, 5.0, 13.0, 12.0, True), NUM),
    ("HYPGEOM.DIST", (2.0, 9.0, 6.0, 12.0, False), NUM),
]


@pytest.mark.parametrize(("name", "given", "code"), REFUSED)
def test_what_is_refused(answers: Answers, name: str, given: tuple[float, ...], code: str) -> None:
    found = answers[name](*given)
    assert isinstance(found, CellError)
    assert found.code == code


def test_the_ends_are_not_refused(answers: Answers) -> None:
    for name, given in (
        ("CHISQ.DIST", (0.0, 1.0, True)), ("CHISQ.DIST", (1.0, 1e10, True)),
        ("CHISQ.INV.RT", (1.0, 2.0)), ("BINOM.DIST", (0.0, 0.0, 0.5, True)),
        ("BINOM.DIST", (5.0, 5.0, 1.0, True)), ("BINOM.INV", (0.0, 0.5, 0.5)),
        ("BINOM.INV", (5.0, 1.0, 1.0)), ("BINOM.INV", (5.0, 0.0, 0.0)),
        ("BETA.DIST", (1.0, 1.0, 2.0, False, 1.0, 3.0)),
        ("BETA.DIST", (3.0, 2.0, 1.0, False, 1.0, 3.0)), ("CONFIDENCE.T", (0.5, 1.0, 2.0)),
    ):  # fmt: skip
        assert type(answers[name](*given)) is float, (name, given)
