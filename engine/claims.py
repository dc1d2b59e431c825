"""The audit: every figure of the source articles, recomputed by the engine and judged.

A claim is compared in the unit in which it is stated. Its tolerance is half a unit of the last
digit stated, so that it agrees where the recomputed figure, rounded alike, is the same figure.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from engine import catalogue
from engine.claims_recomputed import CONCLUSIONS, RECOMPUTED, Conclusion, short
from engine.errors import InputError, UnknownIdError
from engine.ids import match

__all__ = ["claim"]

#: Every verdict, from the best.
AGREES = "agrees"
DISAGREES = "disagrees"
SLIP = "slip of unit"
ASSUMPTION = "depends on an assumption"
UPPER_BOUND = "upper bound"
INCONSISTENT = "inconsistent"
INFEASIBLE = "infeasible"
OVERTURNED = "conclusion overturned"
COMPUTED = "computed"
VERDICTS = (
    AGREES, UPPER_BOUND, ASSUMPTION, DISAGREES, INCONSISTENT, SLIP, INFEASIBLE, OVERTURNED,
    COMPUTED,
)  # fmt: skip

# What may be left of a ratio once a power of ten is taken out of it: a slipped unit dwarfs the
# rounding of the articles, which at times cut digits off instead.
_SLIPPED = 0.1
# Rounding errors of the recomputation must not decide on the edge of a tolerance.
_EDGE = 1 + 1e-9


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as stated: a range, one number twice, or a lower bound (no `high`)."""

    low: float
    high: float | None
    low_tolerance: float
    high_tolerance: float

    @classmethod
    def stated(cls, low: float, high: float | None, digits: int) -> Figure:
        """Return a figure that is stated with so many significant digits."""
        return cls(low, high, _half_a_digit(low, digits), _half_a_digit(high or low, digits))

    def scaled(self, factor: float) -> Figure:
        """Return the same figure in another unit."""
        high = None if self.high is None else self.high * factor
        return Figure(
            self.low * factor, high, self.low_tolerance * factor, self.high_tolerance * factor
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One figure of the articles: what is stated, and what it is recomputed from."""

    id: str
    topic: str
    claim: str
    unit: str
    stated: Figure | None
    compare: str
    conflicts_with: str
    #: What must be assumed to recompute it, where the articles leave that open.
    assumes: str
    inputs: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim with its recomputed figure and the verdict; `ratio` is computed over stated."""

    claim: Claim
    computed_low: float
    computed_high: float
    ratio: float | None
    verdict: str
    finding: str
    conclusion: Conclusion | None


def claim(id: str, field: str = "verdict") -> float | str:
    """One field of a claim of the source articles, as stated or as recomputed.

    Parameters
    ----------
    id : str
        Id of the claim, one of TOK_LIST("claims") [id].
    field : str
        stated_low, stated_high, computed_low, computed_high, ratio, verdict; or unit, topic,
        claim, finding, conclusion, inputs, note, source [text].

    Returns
    -------
    float or str
        The field, figures in the unit of the claim; `#N/A` for a figure that is not stated, and
        for the ratio to it [as the claim].

    Notes
    -----
    Equation: ratio = computed / stated, of the middles where a range is stated. "agrees" within
    half a unit of the last digit stated, at both ends; "slip of unit" where the ratio is a power
    of ten to within 10 %; "inconsistent" where another figure of the articles is what differs;
    "upper bound" where the recomputed figure is one, and what is stated lies below it; "depends on
    an assumption" where the articles leave one open; "conclusion overturned" where what the
    article concludes does not follow from the figure recomputed.
    Range: the ids of TOK_LIST("claims").
    Source: three articles of AINews, 2026; recomputed by the functions of this engine.

    Examples
    --------
    >>> claim("weights_bytes")
    'agrees'
    >>> round(claim("subsidy_annual", "ratio"), 6)
    0.000995
    """
    found = audit()[match("claim", id, audit())]
    values = shown(found)
    name = match("field of a claim", field, values)
    value = values[name]
    if value is None:
        raise UnknownIdError(f"{found.claim.id} has no {name}: the articles state no such figure")
    return value


@cache
def audit() -> Mapping[str, Finding]:
    """Return the finding on every claim by id, in the order of the articles."""
    return {row["id"]: _find(_claim(row)) for row in catalogue.table("claims")}


def shown(found: Finding) -> dict[str, float | str | None]:
    """Return a finding field by field, as tables and cells show it; None where none is stated."""
    claimed, stated, conclusion = found.claim, found.claim.stated, found.conclusion
    turns = "turns over: " if conclusion and conclusion.turns_over else ""
    return {
        "id": claimed.id,
        "topic": claimed.topic,
        "claim": claimed.claim,
        "stated_low": stated.low if stated else None,
        "stated_high": stated.high if stated else None,
        "unit": claimed.unit,
        "computed_low": found.computed_low,
        "computed_high": found.computed_high,
        "ratio": found.ratio,
        "verdict": found.verdict,
        "finding": found.finding,
        "conclusion": turns + conclusion.text if conclusion else "",
        "inputs": claimed.inputs,
        "note": claimed.note,
        "source": claimed.source,
    }


def judge(
    stated: Figure,
    low: float,
    high: float,
    *,
    compare: str = "equal",
    conflicts: bool = False,
    assumes: bool = False,
) -> tuple[str, float]:
    """Compare a recomputed range with a figure as stated, both in the same unit.

    Parameters
    ----------
    stated : Figure
        The figure and its tolerance [any unit].
    low, high : float
        The recomputed range [the same unit].
    compare : str
        "equal"; "at least" for a lower bound; "enough" for a number said to suffice; "upper bound"
        where what is recomputed is one.
    assumes : bool
        Whether the articles leave open what the recomputation assumes.
    conflicts : bool
        Whether the recomputed figure is another statement of the articles.

    Returns
    -------
    tuple of str and float
        The verdict, and the ratio of computed over stated, which no common unit changes.
    """
    top = stated.low if stated.high is None else stated.high
    ratio = low / stated.low if stated.high is None else (low + high) / (stated.low + top)
    low_slack, high_slack = stated.low_tolerance * _EDGE, stated.high_tolerance * _EDGE
    holds = {
        "equal": abs(low - stated.low) <= low_slack and abs(high - top) <= high_slack,
        "at least": low >= stated.low - low_slack,
        "enough": high <= top + high_slack,
        "upper bound": low >= stated.low - low_slack and high >= top - high_slack,
    }
    if assumes:
        verdict = ASSUMPTION
    elif holds[compare]:
        verdict = UPPER_BOUND if compare == "upper bound" else AGREES
    elif compare == "enough":
        verdict = INFEASIBLE
    elif _slipped(low / stated.low, high / top):
        verdict = SLIP
    else:
        verdict = INCONSISTENT if conflicts else DISAGREES
    return verdict, ratio


def _slipped(*ratios: float) -> bool:
    """Tell whether all ratios are the same power of ten, and not 1."""
    if min(ratios) <= 0:
        return False
    powers = {_power(ratio) for ratio in ratios}
    left = (ratio / 10.0 ** _power(ratio) for ratio in ratios)
    return len(powers) == 1 and powers != {0} and all(abs(rest - 1) <= _SLIPPED for rest in left)


def _power(ratio: float) -> int:
    return round(math.log10(ratio))


def _half_a_digit(value: float, digits: int) -> float:
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)


def _find(claimed: Claim) -> Finding:
    inputs = dict(_inputs(claimed))
    low, high = _recompute(RECOMPUTED[claimed.id], inputs)
    conclude = CONCLUSIONS.get(claimed.id)
    stated = claimed.stated
    conclusion = None
    if conclude:
        given = inputs if stated is None else {**inputs, "stated": stated.low}
        conclusion = conclude(**_wanted(conclude, given))
    overturned = conclusion is not None and conclusion.turns_over
    if stated is None:
        verdict = OVERTURNED if overturned else COMPUTED
        return Finding(claimed, low, high, None, verdict, "nothing is stated", conclusion)
    verdict, ratio = judge(
        stated,
        low,
        high,
        compare=claimed.compare,
        conflicts=bool(claimed.conflicts_with),
        assumes=bool(claimed.assumes),
    )
    words = _in_words(claimed, verdict, ratio, high)
    verdict = OVERTURNED if overturned else verdict
    return Finding(claimed, low, high, ratio, verdict, words, conclusion)


def _in_words(claimed: Claim, verdict: str, ratio: float, high: float) -> str:
    of_it = "of the figure stated"
    if verdict == AGREES:
        same = "the same to the digits stated"
        return {"at least": "beyond the bound stated"}.get(claimed.compare, same)
    if verdict == INFEASIBLE:
        return f"{short(high)} {claimed.unit} are needed"
    if verdict == SLIP:
        return f"10^{_power(ratio)} {of_it}"
    if verdict == UPPER_BOUND:
        return "what is stated lies below it"
    if verdict == ASSUMPTION:
        return f"{short(ratio)} {of_it}; assumed: {claimed.assumes}"
    by = f", by {claimed.conflicts_with}" if verdict == INCONSISTENT else ""
    return f"{short(ratio)} {of_it}{by}"


def _recompute(function: Callable[..., Any], inputs: Mapping[str, Any]) -> tuple[float, float]:
    """Return the least and the most that the function gives over the ranges of its inputs."""
    wanted = _wanted(function, inputs)
    ends = [value if isinstance(value, tuple) else (value,) for value in wanted.values()]
    figures = np.concatenate(
        [np.ravel(function(**dict(zip(wanted, corner, strict=True)))) for corner in product(*ends)]
    )
    return float(figures.min()), float(figures.max())


def _wanted(function: Callable[..., Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: inputs[name] for name in parameters if name in inputs}


# --- the file -----------------------------------------------------------------------------------


def _claim(row: Mapping[str, str]) -> Claim:
    stated = None
    if row["stated_low"]:
        high = float(row["stated_high"]) if row["stated_high"] else None
        stated = Figure.stated(float(row["stated_low"]), high, int(row["digits"]))
    return Claim(
        row["id"],
        row["topic"],
        row["claim"],
        row["unit"],
        stated,
        row["compare"],
        row["conflicts_with"],
        row["assumes"],
        row["inputs"],
        row["note"],
        row["source_id"],
    )


def _inputs(claimed: Claim) -> Iterator[tuple[str, Any]]:
    """Read `name=1; range=1..2; list=1|2|3; name=text`."""
    for part in claimed.inputs.split(";"):
        name, equals, text = part.strip().partition("=")
        if not equals:
            raise InputError(f"claims.csv: {claimed.id}: {part.strip()!r} is not name=value")
        if ".." in text:
            low, _, high = text.partition("..")
            yield name, (float(low), float(high))
        elif "|" in text:
            yield name, np.array([float(value) for value in text.split("|")])
        else:
            yield name, _number_or_text(text)


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
