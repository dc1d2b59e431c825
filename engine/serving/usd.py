"""What served tokens cost, and the band of that cost that calibration errors give."""

from __future__ import annotations

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, Row
from engine.serving.band import ratios
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.held import Load, Memory
from engine.serving.load import LOAD, PRICE, Formats, evaluate, served, serving_function

__all__ = ["serving_band", "serving_cost"]

_SECONDS = 3600.0
_MTOK = 1e6


def usd_per_mtok(usd_per_gpu_hour: Number, utilisation: Number = 1.0) -> Number:
    """Return the price of a million tokens that take one GPU-second each [USD/Mtok]."""
    return _MTOK / _SECONDS * usd_per_gpu_hour / utilisation


@serving_function({**PRICE, **LOAD})
def serving_cost(
    usd_per_gpu_hour: Number,
    utilisation: Number,
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
) -> Row:
    """Cost of a million tokens: of input, of output, and over all tokens.

    Parameters
    ----------
    <price>
    <load>

    Returns
    -------
    Row
        Cost of input tokens, of output tokens, of both together [USD/Mtok].

    Notes
    -----
    Equation: GPU-seconds of a request ``G = O/throughput``; those spent in decode steps are the
    output's, the rest (its own prefill, and what it waits for the prefills of others) the input's;
    each ``·1e6·usd_per_gpu_hour/(3600·utilisation)`` over its tokens, ``G`` over all tokens.
    <range>

    Examples
    --------
    >>> cost = serving_cost(2.0, 1.0, "llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8")
    >>> bool(cost[0] < cost[2] < cost[1])
    True
    """
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    formats = Formats(weight_format, expert_format, None, backend)
    per_input, per_output, per_token = evaluate(gpu_seconds, 3, model, accelerator, load, formats)
    price = usd_per_mtok(usd_per_gpu_hour, utilisation)
    return per_input * price, per_output * price, per_token * price


@serving_function({**PRICE, **LOAD})
def serving_band(
    usd_per_gpu_hour: Number,
    utilisation: Number,
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
) -> Row:
    """Range of the blended cost: 10th, 50th and 90th percentile.

    Parameters
    ----------
    <price>
    <load>

    Returns
    -------
    Row
        Percentiles 10, 50 and 90 of the cost over all tokens [USD/Mtok].

    Notes
    -----
    Equation: blended cost times quantiles of measured over estimated cost, from families of runs
    that the fit had not seen. It is wider for mixtures of experts, several data-parallel ranks, few
    or many requests and where no backend is named; and wider still where no run was measured: for
    an accelerator without any row (A100, L40S, all that are not NVIDIA's), a model or format
    without one, more than 8 GPUs or loads beyond the range. Those widths are assumptions.
    <range>

    Examples
    --------
    >>> band = serving_band(2.0, 1.0, "llama-3.1-70b", "h100_sxm", 64, 1024, 1024, 2, 1, 1, "fp8")
    >>> bool(band[0] < band[1] < band[2])
    True
    """
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    formats = Formats(weight_format, expert_format, None, backend)
    low, middle, high = evaluate(_band, 3, model, accelerator, load, formats)
    price = usd_per_mtok(usd_per_gpu_hour, utilisation)
    return low * price, middle * price, high * price


def gpu_seconds(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    """Return the GPU-seconds of an input token, of an output token, and over all tokens [s]."""
    result = served(case, load, held, c)
    request = load.output_tokens / result.throughput
    share = result.input_share(load)
    return (
        request * share / load.input_tokens,
        request * (1 - share) / load.output_tokens,
        request / (load.input_tokens + load.output_tokens),
    )


def _band(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    blended = gpu_seconds(case, load, held, c)[2]
    return tuple(blended * ratio for ratio in ratios(case, load))
