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
#: Pull of the weights of the width, all but the constant, towards none.
_RIDGE = 0.02
#: Least factor by which the band is wider where no program is named: their paces differ by that.
_ANY = 1.1
#: Rows from which a configuration counts in full.
_FULL = 4
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


def fitted_band(errors: Array, as_any: Array, runs: Runs) -> dict[str, Any]:
    """Return the width of the band, the quantiles, and how much wider it is for any program."""
    weights = _weights(runs)
    found = dict(zip(FEATURES, _fitted_width(errors, runs, weights), strict=True))
    scale = np.asarray(width(runs.case, runs.load, found, 1.0))
    quantiles = _quantiles(errors / scale, weights)
    spread = [
        _quantile(np.abs(e) / scale, weights, 0.8) for e in (errors, as_any)
    ]  # the width that holds 80 %
    return {
        "width": found,
        "quantiles": quantiles,
        "any_backend": rounded(max(spread[1] / spread[0], _ANY)),
    }


def coverage(errors: Array, runs: Runs, band: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of rows inside the band made from the families other than their own."""
    scale = np.asarray(width(runs.case, runs.load, band["width"], band["any_backend"]))
    weights, families = _weights(runs), runs.groups(*FAMILY)
    inside = np.zeros(len(errors), dtype=bool)
    for family in np.unique(families):
        own = families == family
        others = _quantiles((errors / scale)[~own], weights[~own])
        ours = (errors / scale)[own]
        inside[own] = (ours >= others["0.1"]) & (ours <= others["0.9"])
    return {
        name: rounded(inside[rows].mean())
        for name, rows in _strata(runs).items()
        if rows.sum() >= _FEWEST
    }


def _strata(runs: Runs) -> dict[str, Mask]:
    found = kinds(runs)
    for name in ("backend", "gpu_id", "model_id", "weight_format"):
        values = runs.column(name)
        found |= {str(value): values == value for value in np.unique(values)}
    load = column(runs.rows, "batch_per_dp_rank")
    found |= {"up to 8 requests": load <= 8, "9 to 32 requests": (load > 8) & (load <= 32)}
    return found | {"more than 32 requests": load > 32}


def _fitted_width(errors: Array, runs: Runs, weights: Array) -> list[float]:
    """Return the weights of the width: those of a Laplace distribution of the errors."""
    from scipy.optimize import minimize  # noqa: PLC0415  (only for the fit)

    count = len(errors)
    columns = np.stack([np.broadcast_to(f, (count,)) for f in features(runs.case, runs.load)])
    share, sizes = weights / weights.sum(), np.abs(errors)

    def loss(powers: Array) -> tuple[float, Array]:
        log_width = powers @ columns
        ratio = sizes * np.exp(-log_width)
        pull = powers * (np.arange(len(powers)) > 0) * _RIDGE
        value = float(share @ (log_width + ratio) + pull @ powers / 2)
        return value, columns @ (share * (1 - ratio)) + pull

    start = np.zeros(len(FEATURES))
    start[0] = np.log(np.median(sizes))
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-10})
    return [rounded(value) for value in found.x]


def _quantiles(errors: Array, weights: Array) -> dict[str, float]:
    return {q: rounded(_quantile(errors, weights, float(q))) for q in BAND}


def _weights(runs: Runs) -> Array:
    """Return a weight for each row, so that all configurations weigh the same.

    Those of a few rows weigh less: single runs, many of them tuned to a limit of time.
    """
    groups = runs.groups(*CONFIGURATION)
    return np.asarray(1.0 / np.maximum(np.bincount(groups), _FULL)[groups])


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
