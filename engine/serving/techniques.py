"""What techniques make of the cost of a token, one on the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Scalar, at_least, proper_fraction, whole
from engine.errors import DomainError
from engine.serving.case import Case, one_case
from engine.serving.constants import Constants, calibrated
from engine.serving.decode import decode_step, total
from engine.serving.held import Load, Memory, memory
from engine.serving.load import LOAD, PRICE, divided, fitting, table_function
from engine.serving.usd import usd_per_mtok
from engine.tables import Table
from engine.tokens import speculative_tokens

__all__ = ["waterfall"]

#: Prompt and answer of the requests, the defaults of all serving functions.
_TOKENS = 1024.0
#: A hint names up to 64 GPUs.
_MOST_DOUBLINGS = 6


@table_function({
    "usd_per_gpu_hour": PRICE["usd_per_gpu_hour"],
    "concurrency": LOAD["concurrency"],
    "acceptance": proper_fraction(),
    "draft_tokens": at_least(0),
    "tensor_parallel": whole(1),
})  # fmt: skip
def waterfall(
    usd_per_gpu_hour: Scalar,
    model: ModelLike,
    accelerator: AcceleratorLike,
    concurrency: Scalar,
    acceptance: Scalar = 0.8,
    draft_tokens: Scalar = 4.0,
    draft_model: ModelLike = "llama-3.1-8b",
    tensor_parallel: Scalar = 1.0,
    quantised_format: str = "fp8",
) -> Table:
    """Apply quantisation, batching and speculative decoding in turn, with the gain of each.

    Parameters
    ----------
    usd_per_gpu_hour : Scalar
        Price of one accelerator for one hour [USD/h].
    <one>
    concurrency : Scalar
        Requests in flight once they are batched [-].
    acceptance : Scalar
        Chance that the model accepts a drafted token, below 1 [-].
    draft_tokens : Scalar
        Tokens drafted in each cycle (γ) [-].
    draft_model : ModelLike
        Id of the model that drafts, or a range of (field, value) that describes one [-].
    tensor_parallel : Scalar
        GPUs that share each layer of both models; it divides the heads of both [-].
    quantised_format : str
        Format of the weights once quantised: bf16, fp8, int8, int4, nvfp4 or mxfp4 [-].

    Returns
    -------
    Table
        step, USD/Mtok output, gain over the step before, 1 in the first [-, USD/Mtok, -].

    Notes
    -----
    Equation: output cost as in TOK_SERVING_COST at full use, 1,024 tokens in and out:
    GPU-seconds of the decode steps over running requests. With speculative decoding a step makes
    way for ``(verify(γ + 1) + γ·draft) / ((1 − a^(γ+1))/(1 − a))``: one pass of the model over
    γ + 1 positions, γ steps of the draft model, over the tokens expected of a cycle. Where memory
    bounds a step the added positions are all but free; where arithmetic does they are not, so that
    the gain shrinks with the batch and may fall below 1. The draft model is quantised alike, its
    weights and its KV cache take their share of the memory, and scheduling is done once a cycle.
    Requests beyond what the KV cache holds wait: the batch stops there.
    <range>

    Examples
    --------
    >>> one = waterfall(2.0, "llama-3.1-70b", "h100_sxm", 1, tensor_parallel=4)
    >>> many = waterfall(2.0, "llama-3.1-70b", "h100_sxm", 128, tensor_parallel=4)
    >>> one.rows()[-1][0]
    'speculative decoding, batch 1'
    >>> one.rows()[-1][2] > many.rows()[-1][2]
    True
    """
    plain = one_case(model, accelerator)
    quantised = one_case(model, accelerator, quantised_format)
    draft = one_case(draft_model, accelerator, quantised_format)
    name = quantised_format.strip().upper()
    alone = Load(1.0, _TOKENS, _TOKENS, tensor_parallel, 1.0, 1.0)
    load = alone._replace(concurrency=concurrency)
    c = calibrated()
    steps, seconds = [], []
    for step, case, given in (
        ("BF16", plain, alone),
        (name, quantised, alone),
        (name, quantised, load),
    ):
        running = _running(step, (case,), given, c)
        steps.append(f"{step}, batch {running:g}")
        seconds.append(total(decode_step(case, given, c, running)[0]) / running)
    running = _running(f"{name} beside the draft model", (quantised, draft), load, c)
    verify = total(decode_step(quantised, load, c, running, draft_tokens + 1)[0])
    drafting = total(decode_step(draft, load, c, running)[0]._replace(schedule=0.0))
    expected = speculative_tokens(acceptance, draft_tokens)
    steps.append(f"speculative decoding, batch {running:g}")
    seconds.append((verify + draft_tokens * drafting) / (expected * running))

    spent = np.array(seconds) * (tensor_parallel * (_TOKENS - 1) / _TOKENS)
    return Table(
        ("step", "USD/Mtok output", "gain over the step before"),
        (
            np.array(steps, dtype=object),
            spent * usd_per_mtok(usd_per_gpu_hour),
            np.concatenate(([1.0], spent[:-1] / spent[1:])),
        ),
    )


def _running(step: str, cases: Sequence[Case], load: Load, c: Constants) -> float:
    """Return the requests that run at once where all cases share the GPUs."""
    try:
        places = fitting(load, _together(cases, load, c))
    except DomainError as error:
        raise DomainError(f"{step}: {error}{_enough(cases, load, c)}") from error
    return cast(float, np.minimum(load.concurrency, places))


def _together(cases: Sequence[Case], load: Load, c: Constants) -> Memory:
    """Return the memory of models that serve the same requests on the same GPUs."""
    first, *others = (memory(case, divided(case, load), c) for case in cases)
    further = sum(held.weights for held in others)
    return first._replace(
        weights=first.weights + further,
        left=first.left - further,
        sequence=first.sequence + sum(held.sequence for held in others),
    )


def _enough(cases: Sequence[Case], load: Load, c: Constants) -> str:
    """Tell the fewest GPUs, a power of two, that hold the cases."""
    sizes = np.exp2(np.arange(_MOST_DOUBLINGS + 1.0))
    held = _together(cases, load._replace(tensor_parallel=sizes), c)
    enough = sizes[np.asarray(held.left >= held.sequence)]
    return f"; tensor_parallel {enough[0]:g} would do" if enough.size else ""
