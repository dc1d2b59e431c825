"""How far a deployment can be loaded within limits of time, and which is the cheapest there."""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, above
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.load import MEMORY, TAIL, Formats, evaluate, served, serving_function
from engine.serving.model import Load, Memory

__all__ = ["max_load"]


@serving_function({"max_tpot": above(0), "max_ttft": above(0), **MEMORY, **TAIL})
def max_load(
    model: ModelLike,
    accelerator: AcceleratorLike,
    max_tpot: Number,
    max_ttft: Number | None = None,
    input_tokens: Number = 1024.0,
    output_tokens: Number = 1024.0,
    tensor_parallel: Number = 1.0,
    data_parallel: Number = 1.0,
    expert_parallel: Number = 1.0,
    weight_format: str = "bf16",
    expert_format: str | None = None,
    cache_hit: Number = 0.0,
    backend: str = "any",
    draft_tokens: Number = 0.0,
    acceptance: Number = 0.7,
) -> Number:
    """Find the most requests in flight that keep the limits of time and fit in memory.

    Parameters
    ----------
    <one>
    max_tpot : Number
        Longest time of an output token after the first [s].
    max_ttft : Number
        Longest time to the first token; none where left out [s].
    <lengths>
    <tail>

    Returns
    -------
    Number
        Requests on all GPUs together; 0 where not even one keeps the limits and fits [-].

    Notes
    -----
    Equation: the largest whole C with ``TPOT(C) ≤ max_tpot``, ``TTFT(C) ≤ max_ttft`` and
    ``C ≤ max_concurrency``, found by halving, since both times rise with C.
    <range>

    Examples
    --------
    >>> max_load("llama-3.1-70b", "h100_sxm", 0.03, 2.0, 1024, 1024, 4, weight_format="fp8") > 16
    True
    >>> max_load("llama-3.1-70b", "h100_sxm", 0.0001, tensor_parallel=4)
    0.0
    """
    limit = math.inf if max_ttft is None else max_ttft
    formats = Formats(weight_format, expert_format, None, backend)
    load = Load(
        *(1.0, input_tokens, output_tokens, tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    most = evaluate(_places, 1, model, accelerator, load, formats)[0]
    shape = np.broadcast(most, max_tpot, limit).shape
    alone = shape == ()
    if alone and most < 1:
        return 0.0
    high = np.broadcast_to(np.asarray(most, dtype=np.float64), shape or (1,)).copy()
    low = np.where(np.isnan(high), np.nan, 0.0)
    for _ in range(math.ceil(math.log2(max(float(np.nanmax(high, initial=1.0)), 1.0))) + 1):
        middle = np.ceil((low + high) / 2)
        tried = load._replace(concurrency=np.maximum(middle, 1.0))
        each, first = evaluate(_times, 2, model, accelerator, tried, formats)
        kept = (each <= max_tpot) & (first <= limit) & (middle >= 1)
        low = np.where(kept, middle, low)
        high = np.where(kept | (low == high), high, middle - 1)
    return float(low[0]) if alone else cast(Number, low)


def _places(_case: Case, load: Load, held: Memory, _c: Constants) -> tuple[Number, ...]:
    """Return the requests that fit."""
    return (np.maximum(np.floor(held.left / held.sequence), 0.0) * load.data_parallel,)


def _times(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    """Return the time of an output token and that to the first."""
    result = served(case, load, held, c)
    return result.tpot, result.ttft(load)
