"""What a simulation says of each output, a row a statistic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.uncertainty.sensitivity import first_order, rank_correlation
from engine.uncertainty.statistics import quantiles_of, shortfall, standard_error
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
    outputs, codes = simulation.draws.outputs, simulation.draws.codes
    labels = simulation.draws.labels
    known = [row[~np.isnan(row)] for row in outputs]
    rows = [
        Row("draws", (outputs.shape[1],) * len(outputs)),
        Row("draws without a number", tuple(int((row >= 0).sum()) for row in codes)),
    ]
    for place in np.unique(codes[codes >= 0]):
        counts = tuple(int((row == place).sum()) for row in codes)
        rows.append(Row(f"draws that give {labels[int(place)]}", counts))
    rows += [
        Row("mean", _of(known, lambda r: float(np.mean(r)))),
        Row("standard error of the mean", _of(known, standard_error)),
        Row("standard deviation", _of(known, lambda r: float(np.std(r, ddof=1)))),
        Row("smallest", _of(known, lambda r: float(r.min()))),
    ]
    for share in QUANTILES:
        name = "median" if share == 0.5 else f"quantile {share:g}"
        rows.append(Row(name, _of(known, lambda r, s=share: float(quantiles_of(r, [s])[0]))))
    rows += [
        Row("largest", _of(known, lambda r: float(r.max()))),
        Row("mean of the lowest 5 %", _of(known, lambda r: shortfall(r, _WORST))),
        Row("mean of the highest 5 %", _of(known, lambda r: shortfall(r, _WORST, upper=True))),
    ]
    names = simulation.task.outputs
    for one in simulation.conditions:
        share = float(one.holds(outputs[names.index(one.output)]).mean())
        rows.append(
            Row(
                f"probability of {one.text}",
                tuple(share if name == one.output else None for name in names),
            )
        )
    return rows + _drivers(simulation)


def _drivers(simulation: Simulation) -> list[Row]:
    """Return what each input alone does to each output."""
    draws = simulation.draws
    rows = []
    for what, measure in (
        ("rank correlation", rank_correlation), ("share of the variance", first_order)
    ):  # fmt: skip
        for cell, given in zip(simulation.task.risks.cells, draws.inputs, strict=True):
            values = tuple(_both(measure, given, result) for result in draws.outputs)
            rows.append(Row(f"{what}: {cell}", values))
    return rows


def _both(measure: Any, given: NDArray[np.float64], result: NDArray[np.float64]) -> float | None:
    known = ~np.isnan(result)
    return float(measure(given[known], result[known])) if known.sum() > 1 else None


def _of(known: Sequence[NDArray[np.float64]], measure: Any) -> tuple[float | None, ...]:
    return tuple(measure(row) if len(row) > 1 else None for row in known)
