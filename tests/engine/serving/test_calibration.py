"""The calibration: reproducible to the digit, as accurate as promised, and what is shipped."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, fields, replace
from importlib.resources import files

import numpy as np
import pytest

from engine.catalogue import table
from engine.serving import calibration as fitting
from engine.serving.calibration import fit, measured, predicted, predicted_step, static
from engine.serving.constants import (
    BAND,
    Constants,
    band,
    calibrated,
    calibration,
    error_quantiles,
    fitted,
)

STORED = calibration()
HELD_OUT = STORED["error"]["throughput, configuration held out"]
STATIC = STORED["error"]["decode step of static estimates, fitted"]


# --- what is promised -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "median", "p90"), [("dense", 0.08, 0.25), ("moe", 0.12, 0.38), ("all", 0.10, 0.35)]
)
def test_throughput_of_configurations_never_seen_is_as_accurate_as_promised(kind, median, p90):
    assert HELD_OUT[kind]["median"] <= median
    assert HELD_OUT[kind]["p90"] <= p90


@pytest.mark.parametrize(("kind", "median"), [("dense", 0.08), ("all", 0.09)])
def test_static_decode_is_as_accurate_as_promised(kind, median):
    assert STATIC[kind]["median"] <= median


@pytest.mark.parametrize("kind", ["dense", "moe", "all"])
def test_band_holds_about_80_percent_of_what_was_held_out(kind):
    assert 0.75 <= STORED["coverage_of_the_10_90_band"][kind] <= 0.85


def test_estimate_is_better_than_the_public_estimator_on_the_rows_that_it_can_do():
    # Its estimates stand beside the measured runs; it has none for 183 of them.
    rows = [row for row in table("serving_measured") if row["aiconfigurator_tpot_ms"]]
    assert len(rows) == 872
    sizes = []
    for row in rows:
        first, each = (float(row[f"aiconfigurator_{t}_ms"]) / 1e3 for t in ("ttft", "tpot"))
        answer = float(row["osl"])
        stay = first + each * (answer - 1)
        estimated = float(row["concurrency"]) * answer / stay / float(row["n_gpus"])
        sizes.append(abs(estimated / float(row["derived_output_tokens_per_s_per_gpu"]) - 1))
    assert HELD_OUT["all"]["median"] < np.median(sizes)
    assert HELD_OUT["all"]["p90"] < np.quantile(sizes, 0.9)


def test_models_never_seen_are_estimated_nearly_as_well():
    unseen = STORED["error"]["throughput, model held out"]["all"]["median"]
    assert unseen <= 1.5 * HELD_OUT["all"]["median"]


# --- what is shipped --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def refitted():
    """The constants, fitted anew."""
    return fit(measured(), static())


def test_a_new_fit_finds_the_stored_constants_to_the_digit(refitted):
    assert asdict(refitted) == asdict(calibrated())


def test_data_are_those_that_were_fitted():
    for name, digest in STORED["provenance"]["data_sha256"].items():
        data = (files("engine") / "data" / f"{name}.csv").read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
    assert STORED["provenance"]["rows"] == {"measured": 1055, "static estimates": 340}


def test_errors_of_the_rows_fitted_are_no_worse_than_those_held_out():
    runs = measured()
    errors = predicted(runs, calibrated())[0] - runs.throughput
    for kind, rows in {"dense": ~runs.experts, "moe": runs.experts}.items():
        seen = np.median(np.abs(np.expm1(errors[rows])))
        assert seen <= HELD_OUT[kind]["median"] * 1.02
        assert HELD_OUT[kind]["rows"] == rows.sum()


def test_error_of_the_static_estimates_is_as_stored():
    estimates = static()
    errors = predicted_step(estimates, calibrated()) - estimates.step
    assert np.median(np.abs(np.expm1(errors))) == pytest.approx(STATIC["all"]["median"], abs=1e-4)


def test_one_group_held_out_is_predicted_by_a_fit_without_it(refitted):
    runs = measured()
    inside = runs.groups("gpu_id") == 0
    without = fit(runs.part(~inside), static(), refitted, 4)
    assert without != refitted
    part = runs.part(inside)
    errors = predicted(part, without)[0] - part.throughput
    assert np.median(np.abs(np.expm1(errors))) < 0.25


def test_every_constant_has_a_meaning_a_unit_and_lies_in_its_range():
    assert len(fitted()) + 3 >= len(STORED["constants"])
    for constant in fields(Constants):
        assert constant.metadata["meaning"]
        assert constant.metadata["unit"] in ("-", "µs", "ms", "kB", "B", "GB")
    for constant in fitted():
        value = getattr(calibrated(), constant.name)
        assert constant.metadata["low"] <= value <= constant.metadata["high"]
        entry = STORED["constants"][constant.name]
        assert entry["value"] == value
        assert entry["unit"] == constant.metadata["unit"]
        assert entry["meaning"] == constant.metadata["meaning"]


@pytest.mark.parametrize("name", [constant.name for constant in fitted()])
def test_every_constant_matters(name):
    # A constant that changes nothing would be a dead letter.
    runs, estimates = measured(), static()
    value = getattr(calibrated(), name)
    changed = replace(calibrated(), **{name: value * 1.2 + 1e-3})
    before = [*predicted(runs, calibrated()), predicted_step(estimates, calibrated())]
    after = [*predicted(runs, changed), predicted_step(estimates, changed)]
    assert max(np.abs(a - b).max() for a, b in zip(after, before, strict=True)) > 1e-5


@pytest.mark.parametrize("kind", ["dense", "moe", "all"])
def test_quantiles_rise_and_hold_their_share(kind):
    quantiles = error_quantiles(kind)
    levels = [float(q) for q in quantiles]
    assert levels == sorted(levels)
    assert list(quantiles.values()) == sorted(quantiles.values())
    assert quantiles["0.5"] == pytest.approx(1, abs=0.05)


def test_band_is_made_of_the_quantiles():
    assert band() == tuple((error_quantiles("dense")[q], error_quantiles("moe")[q]) for q in BAND)


# --- the program ------------------------------------------------------------------------------


def test_program_refuses_what_it_does_not_know(capsys):
    assert fitting.main(["--fast"]) == 2
    assert "--fast" in capsys.readouterr().err


def test_program_compares_and_writes(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(fitting, "calibrate", lambda: dict(STORED))
    assert fitting.main(["--check"]) == 0
    told = capsys.readouterr().out
    assert "the same" in told
    assert "configuration held out" in told
    different = {**STORED, "coverage_of_the_10_90_band": {"all": 0.5}}
    monkeypatch.setattr(fitting, "calibrate", lambda: different)
    assert fitting.main(["--check"]) == 1
    assert "NOT" in capsys.readouterr().out
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(fitting, "files", lambda _: tmp_path)
    monkeypatch.setattr(fitting, "calibrate", lambda: dict(STORED))
    assert fitting.main([]) == 0
    written = (tmp_path / "data" / "calibration.json").read_bytes()
    assert written == (files("engine") / "data" / "calibration.json").read_bytes()
