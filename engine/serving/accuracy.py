"""The error that is left, group by group, and the width of the band made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.serving.band import FEATURES, features, width
from engine.serving.constants import BAND
from engine.serving.runs import CONFIGURATION, FAMILY, Array, Runs, column

Mask = NDArray[np.bool_]
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
#: A stratum of fewer rows tells nothing of coverage.
_FEWEST = 50
#: Share of the errors that the width is to hold, and an error too small to tell from none.
_HELD, _LEAST = 0.8, 1e-4
#: Least factor by which the band is wider where no program is named than where TensorRT-LLM is.
_ANY = 1.02
#: 0 where every row counts alike, 1 where every configuration does that has as many rows as this.
_ALIKE, _FULL = 0.4, 4
_DIGITS = 4


def kinds(runs: Runs) -> dict[str, Mask]:
    """Return which rows are dense, which mixtures of experts, and all."""
    return {"dense": ~runs.experts, "moe": runs.experts, "all": np.ones_like(runs.experts)}


def by(errors: Array, groups: Mapping[str, Mask]) -> dict[str, dict[str, float]]:
    """Return the error of each group of rows that has any."""
    return {name: _error(errors[rows]) for name, rows in groups.items() if rows.any()}


def by_column(errors: Array, runs: Runs, name: str) -> dict[str, dict[str, float]]:
    """Return the error of the rows of each value of a column."""
    values = runs.column(name)
    return by(errors, {str(value): values == value for value in np.unique(values)})


def beside_the_peer(runs: Runs, errors: Array) -> dict[str, dict[str, dict[str, float]]]:
    """Return the error of aiconfigurator on the rows for which it has an estimate, and ours."""
    first, later, answer, requests, gpus = (
        np.array([float(row[name] or "nan") for row in runs.rows])
        for name in (
            "aiconfigurator_ttft_ms",
            "aiconfigurator_tpot_ms",
            "osl",
            "concurrency",
            "n_gpus",
        )
    )
    seconds = (first + later * (answer - 1)) / 1e3
    peer = np.log(requests * answer / seconds / gpus) - runs.throughput
    has = np.isfinite(peer)
    groups = {name: rows & has for name, rows in kinds(runs).items()}
    return {
        "throughput, on the rows that aiconfigurator has": by(errors, groups),
        "aiconfigurator, on the same rows": by(peer, groups),
    }


def cost_ratios(errors: Array, runs: Runs) -> dict[str, dict[str, float]]:
    """Return quantiles of measured over estimated cost, each configuration counted alike.

    The estimate errs by exp(e) in throughput, so the cost it gives times exp(e) is what was
    measured.
    """
    weights = _weights(runs)
    return {
        kind: {str(q): rounded(np.exp(_quantile(errors[rows], weights[rows], q)))
               for q in QUANTILES}
        for kind, rows in kinds(runs).items()
    }  # fmt: skip


def fitted_band(errors: Array, as_any: Array, runs: Runs, runs_as_any: Runs) -> dict[str, Any]:
    """Return the width of the band, the quantiles, and how much wider it is for any program."""
    weights = _weights(runs)
    found = _named_width(errors, runs, weights)
    scale, scale_any = (
        np.asarray(width(part.case, part.load, found, 1.0)) for part in (runs, runs_as_any)
    )
    named, any_program = (
        _quantile(np.abs(sizes), weights, _HELD) for sizes in (errors / scale, as_any / scale_any)
    )
    return {
        "width": found,
        "quantiles": _quantiles(errors / scale, weights),
        "any_backend": rounded(max(any_program / named, _ANY)),
    }


def coverage(errors: Array, runs: Runs, judged: Array | None = None) -> dict[str, float]:
    """Return the share of rows inside the band made from the families other than their own.

    Its width, too, is fitted without the family. The strata are counted by rows; beside them stands
    the share with every configuration counted alike.

    Parameters
    ----------
    errors : array
        Errors that the band is made from.
    runs : Runs
        Their rows.
    judged : array
        Errors that are to lie inside; the same where left out.
    """
    judged = errors if judged is None else judged
    inside = np.zeros(len(errors), dtype=bool)
    families = runs.groups(*FAMILY)
    for family in np.unique(families):
        own = families == family
        others = runs.part(~own)
        weights = _weights(others)
        found = _named_width(errors[~own], others, weights)
        scale = np.asarray(width(runs.case, runs.load, found, 1.0))
        ends = _quantiles(errors[~own] / scale[~own], weights)
        ours = judged[own] / scale[own]
        inside[own] = (ours >= ends["0.1"]) & (ours <= ends["0.9"])
    alike = 1.0 / np.bincount(groups := runs.groups(*CONFIGURATION))[groups]
    return {
        **{
            name: rounded(inside[rows].mean())
            for name, rows in _strata(runs).items()
            if rows.sum() >= _FEWEST
        },
        "configurations alike": rounded(inside @ alike / alike.sum()),
    }


def _strata(runs: Runs) -> dict[str, Mask]:
    found = kinds(runs)
    for name in ("backend", "gpu_id", "model_id", "weight_format"):
        values = runs.column(name)
        found |= {str(value): values == value for value in np.unique(values)}
    load = column(runs.rows, "batch_per_dp_rank")
    found |= {"up to 8 requests": load <= 8, "9 to 32 requests": (load > 8) & (load <= 32)}
    return found | {"more than 32 requests": load > 32}


def _named_width(errors: Array, runs: Runs, weights: Array) -> dict[str, float]:
    """Return the weights of the width: it is what four in five of the errors stay below.

    Quantile regression of the logarithm of the error, solved as a linear programme.
    """
    from scipy import sparse  # noqa: PLC0415  (only for the fit)
    from scipy.optimize import linprog  # noqa: PLC0415

    count, powers = len(errors), len(FEATURES)
    columns = np.stack([np.broadcast_to(f, (count,)) for f in features(runs.case, runs.load)])
    share = weights / weights.sum()
    # errors = columns · powers + above − below
    unit = sparse.eye(count)
    equations: Any = sparse.hstack([sparse.csr_matrix(columns.T), unit, -unit])
    price = np.concatenate([np.zeros(powers), _HELD * share, (1 - _HELD) * share])
    bounds: Any = [(None, None)] * powers + [(0, None)] * (2 * count)
    sizes = np.log(np.maximum(np.abs(errors), _LEAST))
    found = linprog(price, A_eq=equations, b_eq=sizes, bounds=bounds, method="highs")
    return dict(zip(FEATURES, map(rounded, np.asarray(found.x)[:powers]), strict=True))


def _quantiles(errors: Array, weights: Array) -> dict[str, float]:
    return {q: rounded(_quantile(errors, weights, float(q))) for q in BAND}


def _weights(runs: Runs) -> Array:
    """Return a weight for each row, between counting rows and counting configurations alike.

    Those of a few rows weigh less: single runs, many of them tuned to a limit of time.
    """
    groups = runs.groups(*CONFIGURATION)
    return np.asarray(np.maximum(np.bincount(groups), _FULL)[groups] ** -_ALIKE)


def _quantile(values: Array, weights: Array, probability: float) -> float:
    order = np.argsort(values, kind="stable")
    places = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return float(np.interp(probability, places, values[order]))


def _error(errors: Array) -> dict[str, float]:
    """Return median and 90th percentile of the absolute relative error."""
    sizes = np.abs(np.expm1(errors))
    return {
        "median": rounded(np.median(sizes)),
        "p90": rounded(np.quantile(sizes, 0.9)),
        "rows": len(errors),
    }


def rounded(value: Any) -> float:
    """Return a number with the digits that are kept."""
    return round(float(value), _DIGITS)
