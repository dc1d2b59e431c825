"""Session memory: what it costs to hold the KV cache of a session between its turns."""

from __future__ import annotations

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, at_least
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.held import Load, Memory
from engine.serving.load import LOAD, Formats, evaluate, fitting, serving_function

__all__ = ["session_memory"]


@serving_function(
    {
        "context_tokens": at_least(1),
        "hours": at_least(0),
        "usd_per_gpu_hour": at_least(0),
        "tensor_parallel": LOAD["tensor_parallel"],
    }
)
def session_memory(
    model: ModelLike,
    accelerator: AcceleratorLike,
    context_tokens: Number,
    hours: Number,
    usd_per_gpu_hour: Number,
    tensor_parallel: Number = 1.0,
    weight_format: str = "bf16",
) -> Number:
    """Cost of holding the KV cache of one session in the memory of its GPUs.

    Parameters
    ----------
    <one>
    context_tokens : Number
        Tokens of the session's context [-].
    hours : Number
        Hours for which the cache is held [h].
    usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].
    tensor_parallel : Number
        GPUs of one replica, which share each layer; it divides the heads [-].
    weight_format : str
        Format of the weights: bf16, fp8, int8, int4, nvfp4 or mxfp4 [-].

    Returns
    -------
    Number
        Cost of the memory held [USD].

    Notes
    -----
    Equation: ``KV cache of the context / memory left beside the weights · tensor_parallel · hours ·
    usd_per_gpu_hour``, both of one GPU, with the memory of TOK_MAX_CONCURRENCY.
    Range: the weights and the context must fit; memory alone is charged, as if it were what limits
    the load, and no computing.
    Source: sizes of weights and cache from the model's dimensions.

    Examples
    --------
    >>> round(session_memory("llama-3.1-70b", "h100_sxm", 131072.0, 1.0, 2.5, 4.0, "fp8"), 2)
    0.88
    """
    load = Load(1.0, context_tokens, 0.0, tensor_parallel, 1.0, 1.0)
    formats = Formats(weight_format, None)
    (share,) = evaluate(_share, 1, model, accelerator, load, formats)
    return share * tensor_parallel * hours * usd_per_gpu_hour


def _share(_case: Case, load: Load, held: Memory, _constants: Constants) -> tuple[Number, ...]:
    fits = fitting(load, held)
    return (held.sequence / held.left + 0 * fits,)
