"""Regress the kernels that aiconfigurator-core timed apart: the starts of the constants (S85).

`python scripts/kernels.py FOLDER` with the folder `systems/data` of the unpacked package of S1
prints a row for each accelerator, program and format. It needs pyarrow. Latencies are milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from engine.catalogue import Accelerator, find

ACCELERATORS = ("h100_sxm", "h200_sxm", "b200_sxm", "gb200")
PROGRAMS = ("trtllm/1.3.0rc20", "vllm/0.24.0", "sglang/0.5.14")
#: Bytes of a weight, and the peak rate over that in bf16.
FORMATS = {"bfloat16": (2.0, 1.0), "fp8": (1.0, 2.0), "fp8_block": (1.0, 2.0),
           "nvfp4": (0.5625, 4.0), "w4a16_mxfp4": (0.53125, 1.0)}  # fmt: skip
#: Where reading and arithmetic begin, as shares of the peak.
_READ, _WORK = 0.8, 0.6

Terms = Callable[[pd.DataFrame, Accelerator, Any], Any]


def fitted(time: Callable[[Any], Any], seconds: Any, start: list[float]) -> tuple[Any, float]:
    """Return the positive values that fit times best, softly, and the median error that is left."""

    def residuals(powers: Any) -> Any:
        return np.log(time(np.exp(powers))) - np.log(seconds)

    found = least_squares(residuals, np.log(start), loss="soft_l1", f_scale=0.15)
    return np.exp(found.x), float(np.median(np.abs(np.expm1(residuals(found.x)))))


def products(rows: pd.DataFrame, a: Accelerator, values: Any) -> Any:
    """Matrix products: share of the bandwidth, of the peak rate, and the shortest [s]."""
    size, speed = (rows.gemm_dtype.map({k: v[i] for k, v in FORMATS.items()}) for i in (0, 1))
    read = rows.n * rows.k * size / (a.mem_bw_tb_s * 1e12)
    work = 2.0 * rows.m * rows.n * rows.k / (a.bf16_dense_tflops * 1e12 * speed)
    return np.maximum(read / values[0], work / values[1]) + values[2]


def experts(rows: pd.DataFrame, a: Accelerator, values: Any) -> Any:
    """Layers of experts: the same, and bytes for a token, expert and unit of width."""
    size, speed = (rows.moe_dtype.map({k: v[i] for k, v in FORMATS.items()}) for i in (0, 1))
    skipped = 1.0 - rows.topk / rows.num_experts
    one = 3.0 * rows.hidden_size * rows.inter_size / rows.moe_tp_size
    bandwidth = a.mem_bw_tb_s * 1e12
    read = rows.num_experts * (1.0 - skipped**rows.num_tokens) * one * size / bandwidth
    work = 2.0 * rows.num_tokens * rows.topk * one / (a.bf16_dense_tflops * 1e12 * speed)
    moved = rows.num_tokens * rows.topk * rows.hidden_size / bandwidth
    return np.maximum(read / values[0], work / values[1]) + values[2] + values[3] * moved


def attention_of_prefill(rows: pd.DataFrame, a: Accelerator, values: Any) -> Any:
    """Attention of prefill: share of the bf16 peak on long prompts, and tokens more [-]."""
    reach = np.where(rows.window_size > 0, np.minimum(rows.isl, 2 * rows.window_size), rows.isl)
    work = 2.0 * rows.num_heads * rows.head_dim * rows.batch_size * rows.isl
    return work * (reach + values[1]) / (a.bf16_dense_tflops * 1e12 * values[0])


def attention_of_decode(rows: pd.DataFrame, a: Accelerator, values: Any) -> Any:
    """Attention of decode: share of the bandwidth, tokens more [-], and the shortest [s]."""
    context = rows.isl + rows.step
    reach = np.where(rows.window_size > 0, np.minimum(context, rows.window_size), context)
    each = 2.0 * rows.num_key_value_heads * rows.head_dim
    each *= np.where(rows.kv_cache_dtype == "fp8", 1.0, 2.0)
    read = rows.batch_size * each / (a.mem_bw_tb_s * 1e12)
    return read * (reach + values[1]) / values[0] + values[2]


#: Table, its formats, the rows that are wanted, the terms, and where they begin.
KINDS: dict[str, tuple[str, str, str, Terms, list[float]]] = {
    "products": ("gemm/{}/gemm_perf", "gemm_dtype", "n >= 1024 and k >= 1024",
                 products, [_READ, _WORK, 5e-6]),
    "experts": ("moe/{}/moe_perf", "moe_dtype",
                "distribution == 'power_law_1.01' and moe_ep_size == 1 and moe_tp_size <= 4",
                experts, [_READ, _WORK, 5e-5, 10.0]),
    "attention of prefill": ("attention/{}/context_attention_perf", "kv_cache_dtype",
                             "step == 0 and isl >= 256 and batch_size * isl <= 32768 and "
                             "num_heads >= 8 and head_dim in (64, 128)",
                             attention_of_prefill, [_WORK, 3000.0]),
    "attention of decode": ("attention/{}/generation_attention_perf", "kv_cache_dtype",
                            "num_heads >= 8 and head_dim in (64, 128)",
                            attention_of_decode, [_READ, 400.0, 1e-5]),
}  # fmt: skip


def told(folder: Path) -> Iterator[str]:
    """Return a line for each accelerator, program, kind of kernel and format that has a table."""
    for kind, (table, by, wanted, terms, start) in KINDS.items():
        yield f"{kind}: {' '.join((terms.__doc__ or '').split())}"
        for name in ACCELERATORS:
            accelerator = find(Accelerator, name)
            for program in PROGRAMS:
                path = folder / name / f"{table.format(program)}.parquet"
                if not path.exists():
                    continue
                rows = pd.read_parquet(path).query(wanted)
                for number_format, part in rows.groupby(by):
                    if terms in (products, experts) and number_format not in FORMATS:
                        continue

                    def time(values: Any, part: Any = part, a: Any = accelerator) -> Any:
                        return terms(part, a, values)  # noqa: B023  (called at once)

                    values, error = fitted(time, part.latency / 1e3, start)
                    numbers = "  ".join(f"{value:.3g}" for value in values)
                    yield f"  {name:10} {program:18} {number_format:12} {numbers}  ±{error:.0%}"


if __name__ == "__main__":
    for line in told(Path(sys.argv[1])):
        print(line, flush=True)
