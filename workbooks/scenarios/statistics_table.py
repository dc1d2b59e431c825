"""What a simulation says of each output, a row a statistic."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any, NamedTuple

from engine.uncertainty.digest import RELATIVE_ERROR
from engine.uncertainty.sensitivity import sensitivities
from workbooks.scenarios.drawn import Results
from workbooks.scenarios.simulate import Simulation

#: Shares of the draws whose quantiles are shown.
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_WORST = 0.05


class Row(NamedTuple):
    """A statistic of every output; None where an output has none."""

    statistic: str
    values: tuple[Any, ...]


def table(simulation: Simulation) -> list[Row]:
    """Return all statistics of a simulation.

    Quantiles and moments are those of the draws that give a number; the rows above them say how
    many give none, and which error or text they give.
    """
    names = simulation.task.outputs
    places = range(len(names))
    known = [simulation.results(place) for place in places]
    lost = [simulation.lost(place) for place in places]
    rows = [
        Row("draws", (simulation.count,) * len(names)),
        Row("draws without a number", tuple(sum(one.values()) for one in lost)),
    ]
    rows += [
        Row(f"draws that give {label}", tuple(one.get(label, 0) for one in lost))
        for label in sorted({label for one in lost for label in one})
    ]
    rows += [
        Row("mean", _of(known, lambda r: r.mean())),
        Row("standard error of the mean", _of(known, lambda r: r.standard_error())),
        Row("standard deviation", _of(known, lambda r: r.standard_deviation())),
        Row("smallest", _of(known, lambda r: r.smallest())),
    ]
    quantiles = [row.quantiles(QUANTILES) if row.count > 1 else None for row in known]
    for i, share in enumerate(QUANTILES):
        name = "median" if share == 0.5 else f"quantile {share:g}"
        rows.append(Row(name, tuple(None if q is None else float(q[i]) for q in quantiles)))
    rows += [
        Row("largest", _of(known, lambda r: r.largest())),
        Row("mean of the lowest 5 %", _of(known, lambda r: r.shortfall(_WORST))),
        Row("mean of the highest 5 %", _of(known, lambda r: r.shortfall(_WORST, upper=True))),
    ]
    for one in simulation.conditions:
        share = simulation.share(one)
        rows.append(
            Row(
                f"probability of {one.text}",
                tuple(share if name == one.output else None for name in names),
            )
        )
    if simulation.summary is not None:
        rows.append(Row("relative error of quantiles, at most", (RELATIVE_ERROR,) * len(names)))
    return rows + _drivers(simulation)


def _drivers(simulation: Simulation) -> list[Row]:
    """Return what each input alone does to each output."""
    draws = simulation.sample
    count = draws.inputs.shape[1]
    rows = []
    if count < simulation.count:
        rows.append(Row("draws behind the rows below", (count,) * len(draws.outputs)))
    for what, found in zip(
        ("rank correlation", "share of the variance"),
        sensitivities(draws.inputs, draws.outputs),
        strict=True,
    ):
        for cell, values in zip(simulation.task.risks.cells, found.tolist(), strict=True):
            told = tuple(None if isnan(value) else value for value in values)
            rows.append(Row(f"{what}: {cell}", told))
    return rows


def _of(known: Sequence[Results], measure: Any) -> tuple[float | None, ...]:
    return tuple(measure(row) if row.count > 1 else None for row in known)
