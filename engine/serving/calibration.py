"""The constants of the serving formula, fitted to public measurements, and the error that is left.

`python -m engine.serving.calibration` refits, prints the cross-validated error, and writes
`data/calibration.json`; `--check` compares with that file instead and writes nothing.

The fit minimises the error of the logarithm, softly in the tails: of output tokens a second on
every measured run, of the time to the first token with less weight, and of the decode step on
the estimates of static decode (another estimator's, for bf16, A100 and L40S, which the measured
runs lack). A ridge holds every constant near its start, a physical value rounded to a digit, so
that the rows of one program or machine cannot carry it off.

Errors are those of configurations left out: each group of model, accelerator, backend, formats
and parallelism is predicted by a fit without it. The starts were rounded with earlier fits in
sight, so these errors are not wholly blind to the rows they are told for.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import table
from engine.serving.case import Case, case_of, take
from engine.serving.constants import Constants, fitted
from engine.serving.load import fitting
from engine.serving.model import Load, decode_step, memory, serve, total

Array = NDArray[np.float64]
#: Written into the file; the date on which the fit was last changed.
FITTED_ON = date(2026, 11, 21)
#: What makes a configuration: rows that agree in these are predicted together.
CONFIGURATION = (
    "model_id", "gpu_id", "backend", "gemm_quant", "moe_quant",
    "tp", "attention_dp", "moe_tp", "moe_ep",
)  # fmt: skip
_SOURCES = ("serving_measured", "serving_tables")
_FORMATS = {
    "bfloat16": "bf16",
    "fp8_block": "fp8",
    "w4a16_mxfp4": "mxfp4",
}
# Weights of the residuals beside those of the throughput, the scale at which an error counts as
# large, and the pull of the ridge.
_TTFT_WEIGHT, _STATIC_WEIGHT, _SCALE, _RIDGE = 0.15, 1.0, 0.1, 16.0
# Steps of a fit from the start, and from a fit of nearly the same rows.
_STEPS, _STEPS_AGAIN = 80, 4
_DIGITS = 4
_CONVERGED = 1e-12
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True)
class Runs:
    """Rows of data as the formula takes them, and what was measured."""

    case: Case
    load: Load
    #: Natural logarithms: output tokens a second of a GPU, TTFT, decode step [-]
    throughput: Array
    ttft: Array
    step: Array
    rows: tuple[Mapping[str, str], ...]

    def part(self, wanted: NDArray[np.bool_]) -> Runs:
        """Return some of the rows."""
        return Runs(
            Case(*(np.asarray(v)[wanted] for v in self.case)),
            Load(*(v if isinstance(v, float) else v[wanted] for v in self.load)),
            self.throughput[wanted],
            self.ttft[wanted],
            self.step[wanted],
            tuple(row for row, take_it in zip(self.rows, wanted, strict=True) if take_it),
        )

    @property
    def experts(self) -> NDArray[np.bool_]:
        """Which rows are of a mixture of experts."""
        return np.asarray(self.case.experts) > 0

    def groups(self, *names: str) -> NDArray[np.intp]:
        """Return a number for each row, the same where these columns are."""
        keys = [tuple(row[name] for name in names) for row in self.rows]
        number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        return np.array([number[key] for key in keys])


@cache
def measured() -> Runs:
    """Return the measured runs."""
    rows = table("serving_measured")
    return _runs(
        rows,
        ("weight_format", "expert_format", None),
        ("concurrency", "isl", "osl", "tp", "attention_dp", "moe_ep"),
        throughput=_column(rows, "derived_output_tokens_per_s_per_gpu"),
        ttft=_column(rows, "measured_ttft_ms") / 1e3,
        step=_column(rows, "measured_tpot_ms") / 1e3,
    )


@cache
def static() -> Runs:
    """Return the estimates of static decode."""
    rows = table("serving_tables")
    return _runs(
        rows,
        ("gemm_quant", "moe_quant", "kv_quant"),
        ("batch_size", "isl", "osl", "tp", None, "moe_ep"),
        throughput=_column(rows, "static_tokens_per_s_per_gpu"),
        ttft=_column(rows, "static_ttft_ms") / 1e3,
        step=_column(rows, "static_tpot_ms") / 1e3,
    )


def _runs(
    rows: Sequence[Mapping[str, str]],
    formats: Sequence[str | None],
    loads: Sequence[str | None],
    **targets: Array,
) -> Runs:
    ids = [
        np.array([_FORMATS.get(row[name], row[name]) for row in rows]) if name else None
        for name in ("model_id", "gpu_id", *formats)
    ]
    case, index = case_of(*ids)
    numbers = [_column(rows, name) if name else np.ones(len(rows)) for name in loads]
    return Runs(
        take(case, index) if index is not None else case,
        Load(*numbers),
        **{name: np.log(values) for name, values in targets.items()},
        rows=tuple(rows),
    )


def _column(rows: Sequence[Mapping[str, str]], name: str) -> Array:
    # Dense models have no experts, hence no parallelism of them.
    return np.array([float(row[name] or 1) for row in rows])


def predicted(runs: Runs, constants: Constants) -> tuple[Array, Array]:
    """Return the logarithms of throughput and TTFT under continuous batching."""
    held = memory(runs.case, runs.load, constants)
    # A run that was measured did fit, whatever the reserve says.
    places = np.maximum(np.nan_to_num(fitting(runs.load, held), nan=1.0), 1.0)
    result = serve(runs.case, runs.load, constants, places)
    return np.log(result.throughput), np.log(result.ttft)


def predicted_step(runs: Runs, constants: Constants) -> Array:
    """Return the logarithm of one decode step of a static batch, which nothing schedules."""
    terms = decode_step(runs.case, runs.load, constants, runs.load.concurrency)
    return np.asarray(np.log(total(terms) - terms.schedule))


def fit(
    runs: Runs, estimates: Runs, start: Constants | None = None, steps: int = _STEPS
) -> Constants:
    """Return the constants that fit these rows best.

    Parameters
    ----------
    runs, estimates : Runs
        Measured runs, and estimates of static decode.
    start : Constants
        Where to begin; the physical starts where left out.
    steps : int
        Evaluations at the most [-].
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  (only for the fit)

    low, high, middle = (_bounds(name) for name in ("low", "high", "start"))
    scale = np.maximum(np.abs(middle), 0.05 * (high - low) + 1e-3)

    def residuals(values: Array) -> Array:
        constants = _constants(values)
        throughput, ttft = predicted(runs, constants)
        return np.concatenate(
            [
                throughput - runs.throughput,
                (ttft - runs.ttft) * _TTFT_WEIGHT,
                (predicted_step(estimates, constants) - estimates.step) * _STATIC_WEIGHT,
                (values - middle) / scale * (_SCALE * _RIDGE),
            ]
        )

    begin = middle if start is None else np.array([getattr(start, f.name) for f in fitted()])
    margin = 1e-6
    found = least_squares(
        residuals,
        np.clip(begin, low + margin, high - margin),
        bounds=(low, high),
        loss="soft_l1",
        f_scale=_SCALE,
        x_scale=scale,
        # Far beyond the digits that are kept, so that no machine's rounding shows in them.
        ftol=_CONVERGED,
        xtol=_CONVERGED,
        gtol=_CONVERGED,
        max_nfev=steps,
    )
    return _constants(np.array([float(f"{value:.{_DIGITS}g}") for value in found.x]))


def _bounds(name: str) -> Array:
    return np.array([float(f.metadata[name]) for f in fitted()])


def _constants(values: Array) -> Constants:
    names = (f.name for f in fitted())
    return Constants(**dict(zip(names, values.tolist(), strict=True)))


def held_out(whole: Constants, *by: str) -> Array:
    """Return the log error of throughput of each measured run, predicted without its group."""
    runs, estimates = measured(), static()
    groups = runs.groups(*by)
    errors = np.empty(len(runs.rows))
    for group in np.unique(groups):
        inside = groups == group
        constants = fit(runs.part(~inside), estimates, whole, _STEPS_AGAIN)
        part = runs.part(inside)
        errors[inside] = predicted(part, constants)[0] - part.throughput
    return errors


def calibrate() -> dict[str, Any]:
    """Return the calibration: constants, cross-validated errors, quantiles and provenance."""
    runs, estimates = measured(), static()
    whole = fit(runs, estimates)
    errors = held_out(whole, *CONFIGURATION)
    experts = runs.experts
    step_errors = predicted_step(estimates, whole) - estimates.step
    ttft_errors = predicted(runs, whole)[1] - runs.ttft
    by_kind = {"dense": ~experts, "moe": experts, "all": np.ones_like(experts)}
    return {
        "constants": {
            f.name: {
                "value": getattr(whole, f.name),
                "unit": f.metadata["unit"],
                "meaning": f.metadata["meaning"],
            }
            for f in fitted()
        },
        # The estimate errs by exp(e) in throughput, so the cost it gives times exp(e) is what
        # was measured.
        "cost_ratio_quantiles": {
            kind: {str(q): _rounded(np.exp(np.quantile(errors[rows], q))) for q in QUANTILES}
            for kind, rows in by_kind.items()
        },
        "error": {
            "throughput, configuration held out": _by(errors, by_kind),
            **_beside_the_peer(runs, errors),
            "throughput, by accelerator": _by_column(errors, runs, "gpu_id"),
            "throughput, by backend": _by_column(errors, runs, "backend"),
            "throughput, by model": _by_column(errors, runs, "model_id"),
            "throughput, model held out": _by(held_out(whole, "model_id"), by_kind),
            "throughput, accelerator held out": _by(held_out(whole, "gpu_id"), by_kind),
            "decode step of static estimates, fitted": _by(
                step_errors,
                {
                    "dense": ~estimates.experts,
                    "moe": estimates.experts,
                    "all": np.ones(len(estimates.rows), dtype=bool),
                },
            ),
            "time to the first token, fitted": _by(ttft_errors, by_kind),
        },
        "coverage_of_the_10_90_band": {
            kind: _coverage(errors[rows], runs.groups(*CONFIGURATION)[rows])
            for kind, rows in by_kind.items()
        },
        "provenance": {
            "fitted_on": FITTED_ON.isoformat(),
            "data_sha256": {name: _hash(name) for name in _SOURCES},
            "rows": {"measured": len(runs.rows), "static estimates": len(estimates.rows)},
            "numpy": version("numpy"),
            "scipy": version("scipy"),
        },
    }


def _beside_the_peer(runs: Runs, errors: Array) -> dict[str, dict[str, dict[str, float]]]:
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
    groups = {"dense": has & ~runs.experts, "moe": has & runs.experts, "all": has}
    return {
        "throughput, on the rows that aiconfigurator has": _by(errors, groups),
        "aiconfigurator, on the same rows": _by(peer, groups),
    }


def _by(errors: Array, groups: Mapping[str, NDArray[np.bool_]]) -> dict[str, dict[str, float]]:
    return {name: _error(errors[rows]) for name, rows in groups.items()}


def _by_column(errors: Array, runs: Runs, column: str) -> dict[str, dict[str, float]]:
    values = np.array([row[column] for row in runs.rows])
    return _by(errors, {str(value): values == value for value in np.unique(values)})


def _error(errors: Array) -> dict[str, float]:
    """Return median and 90th percentile of the absolute relative error."""
    sizes = np.abs(np.expm1(errors))
    return {
        "median": _rounded(np.median(sizes)),
        "p90": _rounded(np.quantile(sizes, 0.9)),
        "rows": len(errors),
    }


def _coverage(errors: Array, groups: NDArray[np.intp]) -> float:
    """Return the share of rows inside a band made from the configurations other than their own."""
    inside = 0
    for group in np.unique(groups):
        low, high = np.quantile(errors[groups != group], (0.1, 0.9))
        inside += int(((errors >= low) & (errors <= high))[groups == group].sum())
    return _rounded(inside / len(errors))


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def _hash(name: str) -> str:
    return hashlib.sha256((files("engine") / "data" / f"{name}.csv").read_bytes()).hexdigest()


def _told(found: Mapping[str, Any]) -> str:
    lines = []
    for what, groups in found["error"].items():
        lines.append(f"\n{what}: median / 90th percentile of the absolute error")
        lines += [
            f"  {name:<18} {error['median']:7.1%} / {error['p90']:6.1%}  {error['rows']:>5} rows"
            for name, error in groups.items()
        ]
    lines.append("\nshare of rows inside the 10-90 % band of the other configurations")
    lines += [f"  {k:<18} {v:7.1%}" for k, v in found["coverage_of_the_10_90_band"].items()]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Refit, tell the errors, and write the file or compare with it."""
    if unknown := set(arguments) - {"--check"}:
        print(f"calibration takes --check, not {' '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    found = calibrate()
    print(_told(found))
    target = Path(str(files("engine") / "data" / "calibration.json"))
    text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
    if "--check" in arguments:
        same = target.read_text(encoding="utf-8") == text
        print(f"\n{target} is {'the same' if same else 'NOT what this fit gives'}")
        return 0 if same else 1
    target.write_text(text, encoding="utf-8")
    print(f"\nwritten to {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
