"""The constants of the serving formula, fitted to public measurements, and the error that is left.

`python -m engine.serving.calibration` refits, prints the cross-validated error, and writes
`data/calibration.json`; `--check` compares with that file instead and writes nothing.

The fit minimises the error of the logarithm, softly in the tails: of output tokens a second on
every measured run, of the time to the first token with less weight, of the decode step on the
estimates of static decode (another estimator's, for bf16, A100 and L40S, which the measured runs
lack), and of the throughput of saturated runs of an older program, with less weight. A ridge holds
every constant near its start, so that the rows of one program or machine cannot carry it off. The
starts come from kernels that were timed apart, not from these rows; where the search begins makes
no difference.

Errors are those of rows left out: configurations (model, accelerator, backend, formats and
parallelism), families (the same with any parallelism), models, accelerators; a model or an
accelerator is left out of the static and the saturated rows, too.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from engine.serving.accuracy import (
    beside_the_peer,
    by,
    by_column,
    cost_ratios,
    coverage,
    fitted_band,
    kinds,
)
from engine.serving.constants import Constants, fitted
from engine.serving.decode import decode_step, total
from engine.serving.held import memory
from engine.serving.load import fitting
from engine.serving.model import serve
from engine.serving.runs import (
    CONFIGURATION,
    FAMILY,
    MOST_TOKENS,
    SOURCES,
    Array,
    Runs,
    check,
    column,
    every_run,
    measured,
    measured_as_any,
    saturated,
    static,
)

#: Written into the file; the date on which the fit was last changed.
FITTED_ON = date(2026, 11, 29)
# Weights of the residuals beside those of the throughput, the scale at which an error counts as
# large, and the pull of the ridge.
_TTFT_WEIGHT, _STATIC_WEIGHT, _SATURATED_WEIGHT = 0.15, 1.0, 0.3
_SCALE, _RIDGE = 0.1, 24.0
# Steps of a fit from the start, and from a fit of nearly the same rows.
_STEPS, _STEPS_AGAIN = 80, 4
_DIGITS = 4
_CONVERGED = 1e-12


def predicted(runs: Runs, constants: Constants) -> tuple[Array, Array]:
    """Return the logarithms of throughput and TTFT under continuous batching."""
    held = memory(runs.case, runs.load, constants)
    # A run that was measured did fit, whatever the reserve says.
    places = np.maximum(np.nan_to_num(fitting(runs.load, held), nan=1.0), 1.0)
    result = serve(runs.case, runs.load, constants, places)
    return np.log(result.throughput), np.log(result.ttft(runs.load))


def predicted_step(runs: Runs, constants: Constants) -> Array:
    """Return the logarithm of one decode step of a static batch, which nothing schedules."""
    terms, _ = decode_step(runs.case, runs.load, constants, runs.load.concurrency)
    return np.asarray(np.log(total(terms) - terms.schedule))


def fit(
    runs: Runs,
    estimates: Runs | None = None,
    full: Runs | None = None,
    start: Constants | None = None,
    steps: int = _STEPS,
) -> Constants:
    """Return the constants that fit these rows best.

    Parameters
    ----------
    runs : Runs
        Measured runs.
    estimates, full : Runs
        Estimates of static decode, and saturated runs; all of them where left out.
    start : Constants
        Where to begin; the physical starts where left out.
    steps : int
        Evaluations at the most [-].
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  (only for the fit)

    estimates, full = estimates or static(), full or saturated()
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
                (predicted(full, constants)[0] - full.throughput) * _SATURATED_WEIGHT,
                (values - middle) / scale * (_SCALE * _RIDGE),
            ]
        )

    begin = middle if start is None else np.array([getattr(start, f.name) for f in fitted()])
    margin = 1e-6
    found = least_squares(
        residuals,
        np.clip(begin, low + margin, high - margin),
        bounds=(low, high),
        loss=_soft_but_for(len(middle)),
        f_scale=_SCALE,
        x_scale=scale,
        # Far beyond the digits that are kept, so that no machine's rounding shows in them.
        ftol=_CONVERGED,
        xtol=_CONVERGED,
        gtol=_CONVERGED,
        max_nfev=steps,
    )
    return _constants(np.array([float(f"{value:.{_DIGITS}g}") for value in found.x]))


def _soft_but_for(last: int) -> Any:
    """Return a loss that grows with large errors themselves, but squares the last ones, the ridge.

    A ridge that were soft, too, would let a fit settle far from the starts: a second optimum.
    """

    def loss(squares: Array) -> Array:
        root = np.sqrt(1.0 + squares)
        found = np.stack([2.0 * (root - 1.0), 1.0 / root, -0.5 / root**3])
        found[:, -last:] = squares[-last:], np.ones(last), np.zeros(last)
        return found

    return loss


def _bounds(name: str) -> Array:
    return np.array([float(f.metadata[name]) for f in fitted()])


def _constants(values: Array) -> Constants:
    names = (f.name for f in fitted())
    return Constants(**dict(zip(names, values.tolist(), strict=True)))


def held_out(whole: Constants, *by: str) -> tuple[Array, Array]:
    """Return the log error of throughput of each measured run, predicted without its group.

    The first with the serving program given, the second as if it were not known.
    """
    runs, as_any = measured(), measured_as_any()
    groups = runs.groups(*by)
    errors, blind = np.empty(len(runs.rows)), np.empty(len(runs.rows))
    for group in np.unique(groups):
        inside = groups == group
        estimates, full = static(), saturated()
        if len(by) == 1:
            value = runs.column(by[0])[inside][0]
            estimates, full = (
                other.part(other.column(by[0]) != value) for other in (estimates, full)
            )
        constants = fit(runs.part(~inside), estimates, full, whole, _STEPS_AGAIN)
        for part, target in ((runs.part(inside), errors), (as_any.part(inside), blind)):
            target[inside] = predicted(part, constants)[0] - part.throughput
    return errors, blind


def calibrate() -> dict[str, Any]:
    """Return the calibration: constants, cross-validated errors, quantiles and provenance."""
    runs, estimates, full = measured(), static(), saturated()
    whole = fit(runs)
    errors, _ = held_out(whole, *CONFIGURATION)
    family, as_any = held_out(whole, *FAMILY)
    band = fitted_band(family, as_any, runs, measured_as_any())
    step_errors = predicted_step(estimates, whole) - estimates.step
    full_errors = predicted(full, whole)[0] - full.throughput
    checked = check()
    check_errors = predicted(checked, whole)[0] - checked.throughput
    short = column(checked.rows, "input_tokens") <= MOST_TOKENS
    ttft_errors = predicted(runs, whole)[1] - runs.ttft
    several = every_run().part(every_run().column("multi_token_prediction") == "yes")
    several_errors = predicted(several, whole)[0] - several.throughput
    throughput = {
        "configuration held out": by(errors, kinds(runs)),
        "family held out": by(family, kinds(runs)),
        "family held out, backend not known": by(as_any, kinds(runs)),
        "model held out": by(held_out(whole, "model_id")[0], kinds(runs)),
        "accelerator held out": by(held_out(whole, "gpu_id")[0], kinds(runs)),
        "by accelerator": by_column(errors, runs, "gpu_id"),
        "by backend": by_column(errors, runs, "backend"),
        "by model": by_column(errors, runs, "model_id"),
    }
    return {
        "constants": {
            f.name: {
                "value": getattr(whole, f.name),
                "unit": f.metadata["unit"],
                "meaning": f.metadata["meaning"],
                "start": f.metadata["start"],
                "start_from": f.metadata["source"],
            }
            for f in fitted()
        },
        "cost_ratio_quantiles": cost_ratios(family, runs),
        "band": band,
        "coverage_of_the_10_90_band": coverage(family, runs),
        "coverage, configuration held out": coverage(family, runs, errors),
        "error": {
            **{f"throughput, {name}": error for name, error in throughput.items()},
            **beside_the_peer(runs, errors),
            "throughput of saturated runs, fitted": by(full_errors, kinds(full)),
            "saturated runs, by format": by_column(full_errors, full, "weight_format"),
            "saturated runs of a newer program, not in the fit": by(check_errors, kinds(checked)),
            "the same, prompts of at most 8,192 tokens": by(
                check_errors[short], kinds(checked.part(short))
            ),
            "the same, by model": by_column(check_errors, checked, "model_id"),
            "the same, by accelerator": by_column(check_errors, checked, "gpu_id"),
            "runs with multi-token prediction, not told of it": by(several_errors, kinds(several)),
            "decode step of static estimates, fitted": by(step_errors, kinds(estimates)),
            "time to the first token, fitted": by(ttft_errors, kinds(runs)),
            "time to the first token, by backend": by_column(ttft_errors, runs, "backend"),
        },
        "ttft_ratio_quantiles": cost_ratios(-ttft_errors, runs),
        "measured": {
            name: sorted(set(runs.column(column).tolist()))
            for name, column in (
                ("models", "model_id"),
                ("accelerators", "gpu_id"),
                ("weights", "weight_format"),
                ("experts", "expert_format"),
            )
        },
        "provenance": {
            "fitted_on": FITTED_ON.isoformat(),
            "data_sha256": {name: _hash(name) for name in SOURCES},
            "rows": {
                "measured": len(runs.rows),
                "static estimates": len(estimates.rows),
                "saturated": len(full.rows),
            },
            "numpy": version("numpy"),
            "scipy": version("scipy"),
        },
    }


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
    lines.append(
        "\nshare of rows inside the 10-90 % band of the other families: of families left out, of "
        "configurations left out"
    )
    alone = found["coverage, configuration held out"]
    lines += [
        f"  {name:<22} {share:7.1%} {alone[name]:7.1%}"
        for name, share in found["coverage_of_the_10_90_band"].items()
    ]
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
