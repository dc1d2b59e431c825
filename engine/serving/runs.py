"""The rows that the constants are fitted to and judged by, as the formula takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import table
from engine.serving.case import Case, case_of, take
from engine.serving.held import Load

Array = NDArray[np.float64]
#: The files of the rows, in `engine/data`.
SOURCES = ("serving_measured", "serving_tables", "serving_saturated")
#: What makes a configuration: rows that agree in these are predicted together.
CONFIGURATION = (
    "model_id", "gpu_id", "backend", "gemm_quant", "moe_quant",
    "tp", "attention_dp", "moe_tp", "moe_ep",
)  # fmt: skip
#: A wider group: every way to split the same model on the same accelerators.
FAMILY = ("model_id", "gpu_id", "backend", "gemm_quant")
#: Requests that a saturated run may hold at once, by default of the program that was measured.
_MOST_REQUESTS = 2048.0
#: Tokens of the longest prompt of a measured run.
MOST_TOKENS = 8192.0
_FORMATS = {
    "bfloat16": "bf16",
    "fp8_block": "fp8",
    "w4a16_mxfp4": "mxfp4",
}


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

    def column(self, name: str) -> NDArray[np.str_]:
        """Return a column of the rows as text."""
        return np.array([row[name] for row in self.rows])

    def groups(self, *names: str) -> NDArray[np.intp]:
        """Return a number for each row, the same where these columns are."""
        keys = [tuple(row[name] for name in names) for row in self.rows]
        number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        return np.array([number[key] for key in keys])


@cache
def every_run() -> Runs:
    """Return all measured runs, those with multi-token prediction included."""
    return _measured("backend")


@cache
def measured() -> Runs:
    """Return the measured runs that are fitted: those without multi-token prediction."""
    return every_run().part(every_run().column("multi_token_prediction") == "no")


@cache
def measured_as_any() -> Runs:
    """Return the same, as if the serving program were not known."""
    runs = _measured(None)
    return runs.part(runs.column("multi_token_prediction") == "no")


def _measured(backend: str | None) -> Runs:
    rows = table("serving_measured")
    return _runs(
        rows,
        ("weight_format", "expert_format", None, backend),
        ("concurrency", "isl", "osl", "tp", "attention_dp", "moe_ep"),
        throughput=column(rows, "derived_output_tokens_per_s_per_gpu"),
        ttft=column(rows, "measured_ttft_ms") / 1e3,
        step=column(rows, "measured_tpot_ms") / 1e3,
    )


@cache
def static() -> Runs:
    """Return the estimates of static decode."""
    rows = table("serving_tables")
    return _runs(
        rows,
        ("gemm_quant", "moe_quant", "kv_quant", "backend"),
        ("batch_size", "isl", "osl", "tp", None, "moe_ep"),
        throughput=column(rows, "static_tokens_per_s_per_gpu"),
        ttft=column(rows, "static_ttft_ms") / 1e3,
        step=column(rows, "static_tpot_ms") / 1e3,
    )


@cache
def saturated() -> Runs:
    """Return the saturated runs, whose concurrency is not told: as many requests as fit."""
    rows = table("serving_saturated")
    found = _runs(
        rows,
        ("weight_format", None, None, "backend"),
        (None, "input_tokens", "output_tokens", "gpus", None, None),
        throughput=column(rows, "measured_tokens_per_s_total") / column(rows, "gpus"),
        ttft=np.ones(len(rows)),
        step=np.ones(len(rows)),
    )
    full = found.load._replace(concurrency=np.full(len(rows), _MOST_REQUESTS))
    return Runs(found.case, full, found.throughput, found.ttft, found.step, found.rows)


@cache
def check() -> Runs:
    """Return saturated runs of a newer program that no fit has seen, with as many requests."""
    rows = table("serving_check")
    return _runs(
        rows,
        ("weight_format", "expert_format", "kv_format", "backend"),
        ("requests_in_flight", "input_tokens", "output_tokens", "tp", "attention_dp", "moe_ep"),
        throughput=column(rows, "measured_tokens_per_s_per_gpu"),
        ttft=np.ones(len(rows)),
        step=np.ones(len(rows)),
    )


def _runs(
    rows: Sequence[Mapping[str, str]],
    formats: Sequence[str | None],
    loads: Sequence[str | None],
    **targets: Array,
) -> Runs:
    weights, experts, cache_format, backend = (
        np.array([_FORMATS.get(row[name], row[name]) for row in rows]) if name else None
        for name in formats
    )
    model, accelerator = (np.array([row[name] for row in rows]) for name in ("model_id", "gpu_id"))
    case, index = case_of(
        model, accelerator, weights, experts, cache_format, "any" if backend is None else backend
    )
    numbers = [column(rows, name) if name else np.ones(len(rows)) for name in loads]
    return Runs(
        take(case, index) if index is not None else case,
        Load(*numbers),
        **{name: np.log(values) for name, values in targets.items()},
        rows=tuple(rows),
    )


def column(rows: Sequence[Mapping[str, str]], name: str) -> Array:
    """Return a column of rows as numbers; blank parallelism of a model without experts is 1."""
    return np.array([float(row[name] or 1) for row in rows])
