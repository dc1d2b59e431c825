"""Speed against cost: the configurations of a model on an accelerator that no other beats."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, Scalar, at_least, whole
from engine.serving.case import Case, one_case
from engine.serving.constants import Constants, calibrated
from engine.serving.load import (
    PRICE,
    TAIL,
    Formats,
    divided,
    evaluate,
    fitting,
    served,
    table_function,
)
from engine.serving.model import Load, Memory, memory
from engine.serving.usd import usd_per_mtok
from engine.tables import Table

__all__ = ["pareto"]

#: The most requests in flight; measured runs end there.
_MOST_REQUESTS = 2048.0


@table_function({**PRICE, "input_tokens": at_least(1), "output_tokens": at_least(1),
                 "max_gpus": whole(1, 1024), **TAIL})  # fmt: skip
def pareto(
    usd_per_gpu_hour: Scalar,
    utilisation: Scalar,
    model: ModelLike,
    accelerator: AcceleratorLike,
    input_tokens: Scalar = 1024.0,
    output_tokens: Scalar = 1024.0,
    weight_format: str = "bf16",
    max_gpus: Scalar = 8.0,
    cache_hit: Scalar = 0.0,
    backend: str = "any",
    draft_tokens: Scalar = 0.0,
    acceptance: Scalar = 0.7,
) -> Table:
    """Find the configurations that are faster for a user, or cheaper, than any other.

    Parameters
    ----------
    <price>
    <one>
    input_tokens : Scalar
        Tokens of a prompt [-].
    output_tokens : Scalar
        Tokens of an answer [-].
    weight_format : str
        Format of the weights, experts included: bf16, fp8, int8, int4, nvfp4 or mxfp4 [-].
    max_gpus : Scalar
        GPUs of the largest configuration, a whole number from 1 to 1,024 [-].
    <tail>

    Returns
    -------
    Table
        gpus, concurrency, tokens/s per user, tokens/s per GPU, USD/Mtok blended; from the
        cheapest to the fastest [-, -, 1/s, 1/s, USD/Mtok].

    Notes
    -----
    Equation: the estimate of TOK_THROUGHPUT, TOK_TPOT and TOK_SERVING_COST over all powers of two
    of tensor, data and expert parallelism that divide the model, and of concurrency up to 2,048;
    speed for one user is 1/TPOT. Left in: what fits, needs no queue, and is not matched by another
    in both speed and cost; of equals the one with fewer GPUs.
    <range>

    Examples
    --------
    >>> front = pareto(2.0, 1.0, "llama-3.1-70b", "h100_sxm", weight_format="fp8")
    >>> bool((np.diff(front.column("tokens/s per user")) > 0).all())
    True
    >>> bool((np.diff(front.column("USD/Mtok blended")) > 0).all())
    True
    """
    case = one_case(model, accelerator, weight_format, None, backend)
    load = _configurations(case, input_tokens, output_tokens, max_gpus)
    load = load._replace(cache_hit=cache_hit, draft_tokens=draft_tokens, acceptance=acceptance)
    user, gpu, unqueued = (
        np.asarray(values)
        for values in evaluate(
            _speeds, 3, model, accelerator, load, Formats(weight_format, backend=backend)
        )
    )
    fits = np.flatnonzero(unqueued == 1)
    if not fits.size:
        _refuse(case, load)
    gpus = np.asarray(load.tensor_parallel * load.data_parallel)
    requests = np.asarray(load.concurrency)
    # From fast to slow; of equals the better first, so that a later one has to be cheaper.
    order = fits[np.lexsort((requests[fits], gpus[fits], -gpu[fits], -user[fits]))]
    best_before = np.maximum.accumulate(np.concatenate(([0.0], gpu[order][:-1])))
    front = order[gpu[order] > best_before][::-1]
    seconds = output_tokens / (gpu[front] * (input_tokens + output_tokens))
    return Table(
        ("gpus", "concurrency", "tokens/s per user", "tokens/s per GPU", "USD/Mtok blended"),
        (
            gpus[front],
            requests[front],
            user[front],
            gpu[front],
            seconds * usd_per_mtok(usd_per_gpu_hour, utilisation),
        ),
    )


def _configurations(case: Case, input_tokens: float, output_tokens: float, max_gpus: float) -> Load:
    """Return every parallelism and concurrency to look at, as arrays."""
    sizes = powers_of_two(max_gpus)
    parts = sizes if case.experts else sizes[:1]
    requests = powers_of_two(_MOST_REQUESTS)
    grids = np.meshgrid(sizes, sizes, parts, requests, indexing="ij")
    tensor, data, expert, concurrency = (grid.ravel() for grid in grids)
    within = (tensor * data <= max_gpus) & (concurrency >= data)
    count = np.ones(int(within.sum()))
    return Load(
        concurrency[within],
        input_tokens * count,
        output_tokens * count,
        tensor[within],
        data[within],
        expert[within],
    )


def powers_of_two(most: float) -> NDArray[np.float64]:
    """Return 1, 2, 4 … up to a number."""
    powers: NDArray[np.float64] = np.exp2(np.arange(math.floor(math.log2(most)) + 1.0))
    return powers


def _speeds(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    """Return tokens a second of a user and of a GPU, and 1 where no request waits."""
    result = served(case, load, held, c)
    all_run = result.running * load.data_parallel >= load.concurrency
    return 1 / result.tpot, result.throughput, np.asarray(all_run, dtype=np.float64)


def _refuse(case: Case, load: Load) -> None:
    """Tell what lacks where the least does: the configuration with most memory left."""
    sound = divided(case, load)
    held = memory(case, sound, calibrated())
    roomiest = int(np.nanargmax(np.asarray(held.left - held.sequence)))
    alone = Load(*(float(np.ravel(values)[roomiest % np.size(values)]) for values in sound))
    fitting(alone, memory(case, alone, calibrated()))
