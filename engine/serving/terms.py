"""Where the time of an output token goes: the terms of the serving formula, one by one."""

from __future__ import annotations

from functools import reduce

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Scalar
from engine.serving.case import one_case
from engine.serving.constants import calibrated
from engine.serving.decode import Step, token_step
from engine.serving.held import Load, memory
from engine.serving.load import LOAD, divided, served, table_function
from engine.tables import Table

__all__ = ["breakdown"]

#: What a term of the decode step waits for.
RESOURCES = {
    "weights": "memory bandwidth",
    "compute": "compute",
    "kv_cache": "memory bandwidth",
    "launch": "latency",
    "schedule": "latency",
    "all_reduce": "link",
    "exchange": "link",
}
_NAMES = {"kv_cache": "KV cache", "all_reduce": "all-reduce"}


@table_function(LOAD)
def breakdown(
    model: ModelLike,
    accelerator: AcceleratorLike,
    concurrency: Scalar = 1.0,
    input_tokens: Scalar = 1024.0,
    output_tokens: Scalar = 1024.0,
    tensor_parallel: Scalar = 1.0,
    data_parallel: Scalar = 1.0,
    expert_parallel: Scalar = 1.0,
    weight_format: str = "bf16",
    expert_format: str | None = None,
    cache_hit: Scalar = 0.0,
    backend: str = "any",
    draft_tokens: Scalar = 0.0,
    acceptance: Scalar = 0.7,
) -> Table:
    """Break the time of an output token into its terms, and tell which resource binds.

    Parameters
    ----------
    <load>

    Returns
    -------
    Table
        term, its seconds of the time of an output token, its share of that time, and, at the
        largest term, the resource that it waits for [-, s, -, -].

    Notes
    -----
    Equation: ``(TTFT + TPOT·(O − 1))/O = Σ terms``: the time from request to last token, spread
    over its output tokens. Terms of the decode step count for the O − 1 tokens after the first:
    weights and KV cache read, arithmetic beyond what hides behind reading the weights, kernel
    launches, scheduling, all-reduces. Then the prefills of other requests mixed in between,
    the request's own prefill, the rest of the wait for its first token, and the queue.
    More requests than the KV cache holds are queued, not refused: the row "queue", 0 otherwise,
    then says beside its time how many wait.
    <range>

    Examples
    --------
    >>> table = breakdown("llama-3.1-70b", "h100_sxm", 1, 1024, 1024, 2, 1, 1, "fp8")
    >>> table.rows()[0][0], table.rows()[0][3], round(float(table.column("share").sum()), 9)
    ('weights', 'memory bandwidth', 1.0)
    >>> breakdown("qwen3-8b", "h100_sxm", 1000).rows()[-1][3].endswith("requests wait")
    True
    """
    case = one_case(model, accelerator, weight_format, expert_format, backend)
    load = divided(
        case,
        Load(
            concurrency,
            input_tokens,
            output_tokens,
            tensor_parallel,
            data_parallel,
            expert_parallel,
            cache_hit,
            draft_tokens,
            acceptance,
        ),
    )
    constants = calibrated()
    result = served(case, load, memory(case, load, constants), constants)
    terms, _ = token_step(case, load, constants, result.running)
    later, queued = output_tokens - 1, result.queued(load)
    names = [_NAMES.get(field, field.replace("_", " ")) for field in Step._fields]
    names += ["prefill of others", "own prefill", "wait for the first token", "queue"]
    resources = [RESOURCES[field] for field in Step._fields]
    resources += ["compute", "compute", "latency", "queue"]
    waited = result.first - result.prefill
    seconds = np.array(
        [
            *(term * later for term in terms),
            result.mixed * later,
            result.prefill,
            waited,
            queued,
        ]
    )
    seconds = seconds / output_tokens
    longest = reduce(np.maximum, seconds)
    binding = [
        np.where(term == longest, resource, "").item()
        for term, resource in zip(seconds, resources, strict=True)
    ]
    if queued > 0:
        waiting = concurrency - result.running * data_parallel
        binding[-1] = f"queue: {waiting:.0f} of {concurrency:g} requests wait"
    return Table(
        ("term", "seconds", "share", "binding"),
        (
            np.array(names, dtype=object),
            seconds,
            seconds / seconds.sum(),
            np.array(binding, dtype=object),
        ),
    )
