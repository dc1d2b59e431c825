"""Serving a model: tokens and times on an accelerator, calibrated on measured runs.

The formula is told in `serving_model`, its constants in `serving_constants`, how they were fitted
in `calibration`; what the tokens cost, in `serving_usd`. Every function takes numbers or arrays;
`estimate` gives all results at once and takes what a worksheet has no room for: other constants,
another format of the KV cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, Row, elementwise
from engine.serving.case import Case
from engine.serving.constants import Constants, calibrated
from engine.serving.held import Load, Memory
from engine.serving.load import (
    LOAD,
    MEMORY,
    Formats,
    document,
    evaluate,
    ids_spread,
    served,
    serving_function,
)

__all__ = ["estimate", "max_concurrency", "throughput", "tpot", "ttft"]


class Estimate(NamedTuple):
    """What a load gets from a model on an accelerator."""

    #: Output tokens each second of one GPU [1/s]
    throughput: Number
    #: Time of an output token after the first [s]
    tpot: Number
    #: Time to the first token, waiting included [s]
    ttft: Number
    #: One decode step of the running batch, without prefills [s]
    decode_step: Number
    #: Sequences that run at once on all GPUs [-]
    running: Number
    #: Share of the GPU time that goes to input tokens [-]
    input_share: Number


@serving_function(LOAD)
def throughput(
    model: ModelLike,
    accelerator: AcceleratorLike,
    concurrency: Number = 1.0,
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
    """Output tokens a second of each GPU under continuous batching.

    Parameters
    ----------
    <load>

    Returns
    -------
    Number
        Output tokens a second of one GPU [1/s].

    Notes
    -----
    Equation: ``C·O/(TTFT + TPOT·(O − 1))/GPUs``, its terms as in `engine.serving.model`.
    <range>

    Examples
    --------
    >>> round(throughput("llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8"), -2)
    1100.0
    """
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    formats = Formats(weight_format, expert_format, None, backend)
    return evaluate(_throughput, 1, model, accelerator, load, formats)[0]


@serving_function(LOAD)
def tpot(
    model: ModelLike,
    accelerator: AcceleratorLike,
    concurrency: Number = 1.0,
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
    """Time of each output token after the first, the prefills of other requests included.

    Parameters
    ----------
    <load>

    Returns
    -------
    Number
        Time of an output token after the first [s].

    Notes
    -----
    Equation: ``step + mixed``: a decode step and what prefills of other requests add, as in
    `engine.serving.model`.
    <range>

    Examples
    --------
    >>> 0.02 < tpot("llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8") < 0.035
    True
    """
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    formats = Formats(weight_format, expert_format, None, backend)
    return evaluate(_tpot, 1, model, accelerator, load, formats)[0]


@serving_function(LOAD)
def ttft(
    model: ModelLike,
    accelerator: AcceleratorLike,
    concurrency: Number = 1.0,
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
    """Time to the first token, the wait for a place in the batch included.

    Parameters
    ----------
    <load>

    Returns
    -------
    Number
        Time to the first token; half of measured runs are off by 35 % or more [s].

    Notes
    -----
    Equation: ``prefill·(1 + q·(B − 1)) + k·step + mixed + t₀ + wait``, as in
    `engine.serving.model`.
    <range>

    Examples
    --------
    >>> 0.1 < ttft("llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8") < 2
    True
    """
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    formats = Formats(weight_format, expert_format, None, backend)
    return evaluate(_ttft, 1, model, accelerator, load, formats)[0]


@serving_function(MEMORY)
def max_concurrency(
    model: ModelLike,
    accelerator: AcceleratorLike,
    input_tokens: Number = 1024.0,
    output_tokens: Number = 1024.0,
    tensor_parallel: Number = 1.0,
    data_parallel: Number = 1.0,
    expert_parallel: Number = 1.0,
    weight_format: str = "bf16",
    expert_format: str | None = None,
) -> Number:
    """Count the requests whose KV cache fits beside the weights; 0 where the weights do not fit.

    Parameters
    ----------
    <memory>

    Returns
    -------
    Number
        Requests on all GPUs together [-].

    Notes
    -----
    Equation: ``⌊(0.93·(memory − weights) − 2 GB)/(KV cache of one request)⌋·data_parallel`` on each
    GPU, all experts counted; a cache of 1 byte an element beside quantised weights, else of 2.
    Range: any; requests at their full length, so that none has to be put off while it runs.
    Source: sizes of weights and cache from the model's dimensions; the share and the reserve
    are the usual settings of serving programs.

    Examples
    --------
    >>> max_concurrency("llama-3.1-405b", "h100_sxm")
    0.0
    >>> max_concurrency("llama-3.1-8b", "h100_sxm") > 100
    True
    """
    load = Load(1.0, input_tokens, output_tokens, tensor_parallel, data_parallel, expert_parallel)
    formats = Formats(weight_format, expert_format)
    return evaluate(_places, 1, model, accelerator, load, formats)[0]


@ids_spread
def estimate(
    model: Any,
    accelerator: Any,
    concurrency: Any = 1.0,
    input_tokens: Any = 1024.0,
    output_tokens: Any = 1024.0,
    tensor_parallel: Any = 1.0,
    data_parallel: Any = 1.0,
    expert_parallel: Any = 1.0,
    weight_format: Any = "bf16",
    expert_format: Any = None,
    cache_hit: Any = 0.0,
    backend: Any = "any",
    draft_tokens: Any = 0.0,
    acceptance: Any = 0.7,
    *,
    kv_format: Any = None,
    constants: Constants | None = None,
) -> Estimate:
    """All results of a load at once, with other constants or another KV cache where wanted.

    Parameters
    ----------
    <load>
    kv_format : str
        Format of the KV cache: fp8 beside quantised weights, else bf16, where left out [-].
    constants : Constants
        Constants of the formula; the calibrated ones where left out [-].

    Returns
    -------
    Estimate
        Throughput, times, running sequences and the input's share of the GPU time [-].

    Notes
    -----
    Equation: as in `engine.serving.model`.
    <range>

    Examples
    --------
    >>> from dataclasses import replace
    >>> slow = estimate("qwen3-8b", "h100_sxm", 8, constants=replace(calibrated(), launch=90.0))
    >>> bool(slow.tpot > estimate("qwen3-8b", "h100_sxm", 8).tpot)
    True
    """
    return Estimate(
        *_estimated(
            model,
            accelerator,
            concurrency,
            input_tokens,
            output_tokens,
            tensor_parallel,
            data_parallel,
            expert_parallel,
            cache_hit,
            draft_tokens,
            acceptance,
            Formats(weight_format, expert_format, kv_format, backend),
            calibrated() if constants is None else constants,
        )
    )


# --- what is wanted of one block --------------------------------------------------------------


def _throughput(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number]:
    return (served(case, load, held, c).throughput,)


def _tpot(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number]:
    return (served(case, load, held, c).tpot,)


def _ttft(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number]:
    return (served(case, load, held, c).ttft(load),)


def _places(_case: Case, load: Load, held: Memory, _c: Constants) -> tuple[Number]:
    places = np.floor(held.left / held.sequence)
    return (np.maximum(places, 0.0) * load.data_parallel,)


def _all(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    result = served(case, load, held, c)
    return (
        result.throughput,
        result.tpot,
        result.ttft(load),
        result.step,
        result.running * load.data_parallel,
        result.input_share(load),
    )


@elementwise(never="", **LOAD)
def _estimated(
    model: Any,
    accelerator: Any,
    concurrency: Number,
    input_tokens: Number,
    output_tokens: Number,
    tensor_parallel: Number,
    data_parallel: Number,
    expert_parallel: Number,
    cache_hit: Number,
    draft_tokens: Number,
    acceptance: Number,
    formats: Formats,
    constants: Constants,
) -> Row:
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    return evaluate(_all, 6, model, accelerator, load, formats, constants)


document(estimate)
