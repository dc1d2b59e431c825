"""Prefill and decode on GPUs of their own, so that no prompt holds up the tokens of others."""

from __future__ import annotations

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, Row, at_least
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.decode import token_step, total
from engine.serving.held import Load, Memory
from engine.serving.load import LOAD, Formats, evaluate, fitting, serving_function
from engine.serving.prefill import prefill

__all__ = ["disaggregated"]


@serving_function({**LOAD, "output_tokens": at_least(2)})
def disaggregated(
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
    """Split prefill and decode on GPUs of their own: how many of each. Uncalibrated.

    Parameters
    ----------
    <load>

    Returns
    -------
    Row
        GPUs for prefill, GPUs for decode, output tokens a second of each GPU of both kinds
        [-, -, 1/s].

    Notes
    -----
    Equation: the decode GPUs are tensor_parallel times data_parallel; of the requests in flight
    those count that are being decoded, so the decode GPUs finish
    ``requests a second = running/(step·(O − 1))``. The prefill GPUs are the fewest whole groups
    that take in as many: groups of tensor_parallel GPUs for a dense model, of as many as decode
    for a mixture of experts. Output tokens a second of a GPU: ``requests a second·O/(GPUs of both
    kinds)``.
    Range: uncalibrated: no measured run splits the two, and no error is told. Its step and its
    prefill are those of TOK_THROUGHPUT. Sending the KV cache from the one to the other is taken to
    hide behind the computing; a prompt that waits for prefill is not counted.
    Source: the terms of `engine.serving.model`, their constants fitted on measurements without
    such a split (S14).

    Examples
    --------
    >>> row = disaggregated("llama-3.1-70b", "h100_sxm", 256, 4096, 512, 4, 1, 1, "fp8")
    >>> float(row[0]), float(row[1])
    (12.0, 4.0)
    """
    load = Load(
        *(concurrency, input_tokens, output_tokens),
        *(tensor_parallel, data_parallel, expert_parallel),
        *(cache_hit, draft_tokens, acceptance),
    )
    formats = Formats(weight_format, expert_format, None, backend)
    to_prefill, to_decode, speed = evaluate(_split, 3, model, accelerator, load, formats)
    return to_prefill, to_decode, speed


def _split(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    """Return the GPUs of both kinds, and output tokens a second of each GPU."""
    ranks = load.data_parallel
    running = np.minimum(load.concurrency / ranks, fitting(load, held))
    step = total(token_step(case, load, c, running, held.share)[0])
    requests = running * ranks / (step * (load.output_tokens - 1.0))
    # Ranks that share experts prefill together; copies of a dense model each on their own.
    joined = np.where(case.experts > 0, ranks, 1.0)
    each = prefill(case, load, c, held.share, joined) / joined
    groups = np.maximum(np.ceil(requests * each), 1.0)
    to_prefill = groups * load.tensor_parallel * joined
    to_decode = load.tensor_parallel * ranks
    return to_prefill, to_decode, requests * load.output_tokens / (to_prefill + to_decode)
