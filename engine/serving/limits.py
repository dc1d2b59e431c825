"""How far a deployment can be loaded within limits of time, and which is the cheapest there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import (
    Number,
    Row,
    Scalar,
    above,
    at_least,
    largest_whole,
    smaller,
    whole,
)
from engine.errors import UnknownIdError
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.estimates import estimate
from engine.serving.front import splits
from engine.serving.held import Load, Memory
from engine.serving.load import (
    MEMORY,
    PRICE,
    TAIL,
    Formats,
    evaluate,
    served,
    serving_function,
    table_function,
)
from engine.serving.usd import usd_per_mtok

__all__ = ["cheapest", "max_load"]


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
    ``C ≤ max_concurrency``, by its binary digits, since both times rise with C.
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

    def kept(requests: Any) -> Any:
        tried = load._replace(concurrency=requests)
        each, first = evaluate(_times, 2, model, accelerator, tried, formats)
        return (each <= max_tpot) & (first <= limit)

    return largest_whole(kept, most, max_tpot, limit)


@table_function({**PRICE, "max_tpot": above(0), "max_ttft": above(0), "input_tokens": at_least(1),
                 "output_tokens": at_least(1), "max_gpus": whole(1, 1024), **TAIL})  # fmt: skip
def cheapest(
    usd_per_gpu_hour: Scalar,
    utilisation: Scalar,
    model: ModelLike,
    accelerator: AcceleratorLike,
    max_tpot: Scalar | None = None,
    max_ttft: Scalar | None = None,
    input_tokens: Scalar = 1024.0,
    output_tokens: Scalar = 1024.0,
    weight_format: str = "bf16",
    max_gpus: Scalar = 8.0,
    cache_hit: Scalar = 0.0,
    backend: str = "any",
    draft_tokens: Scalar = 0.0,
    acceptance: Scalar = 0.7,
) -> Row:
    """Find the cheapest configuration that keeps limits of time, at the most load it can take.

    Parameters
    ----------
    <price>
    <one>
    max_tpot : Scalar
        Longest time of an output token after the first; none where left out [s].
    max_ttft : Scalar
        Longest time to the first token; none where left out [s].
    input_tokens : Scalar
        Tokens of a prompt [-].
    output_tokens : Scalar
        Tokens of an answer [-].
    weight_format : str
        Format of the weights: bf16, fp8, int8, int4, nvfp4 or mxfp4 [-].
    max_gpus : Scalar
        GPUs of the largest configuration, a whole number from 1 to 1,024 [-].
    <tail>

    Returns
    -------
    Row
        Tensor, data and expert parallelism, requests in flight, TPOT, TTFT, blended cost
        [-, -, -, -, s, s, USD/Mtok].

    Notes
    -----
    Equation: of all parallelism in powers of two, each at the load of TOK_MAX_LOAD, the one with
    the least cost over all tokens; `#N/A` where none keeps the limits and fits.
    <range>

    Examples
    --------
    >>> row = cheapest(2.0, 0.5, "llama-3.1-70b", "h100_sxm", 0.03, 2.0, weight_format="fp8")
    >>> bool(row[0] * row[1] <= 8 and row[4] <= 0.03 and row[5] <= 2.0)
    True
    """
    tensor, data, expert, _ = splits(max_gpus)
    within = tensor * data <= max_gpus
    split = (tensor[within], data[within], expert[within])
    limits = (math.inf if limit is None else limit for limit in (max_tpot, max_ttft))
    longest, first = (smaller(limit, _NO_LIMIT) for limit in limits)
    rest: tuple[Any, ...] = (weight_format, None, cache_hit, backend, draft_tokens, acceptance)
    most: Any = max_load(
        model, accelerator, longest, first, input_tokens, output_tokens, *split, *rest
    )
    sound = np.where(np.isnan(most), 0.0, most) >= 1
    if not np.any(sound):
        raise UnknownIdError("no configuration of that many GPUs keeps the limits and fits")
    split = tuple(part[sound] for part in split)
    most = most[sound]
    told = estimate(model, accelerator, most, input_tokens, output_tokens, *split, *rest)
    seconds = output_tokens / (told.throughput * (input_tokens + output_tokens))
    cost = seconds * usd_per_mtok(usd_per_gpu_hour, utilisation)
    best = np.argmin(seconds)
    return tuple(
        np.take(column, best).item() for column in (*split, most, told.tpot, told.ttft, cost)
    )


#: Longer than any request takes [s].
_NO_LIMIT = 1e12


def _places(_case: Case, load: Load, held: Memory, _c: Constants) -> tuple[Number, ...]:
    """Return the requests that fit."""
    return (np.maximum(np.floor(held.left / held.sequence), 0.0) * load.data_parallel,)


def _times(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    """Return the time of an output token and that to the first."""
    result = served(case, load, held, c)
    return result.tpot, result.ttft(load)
