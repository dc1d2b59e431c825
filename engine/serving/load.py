"""From the arguments of a serving function to arrays served: what fits and what divides is checked.

A scalar that does not fit raises with the reason; in an array it is NaN.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from engine.blocks import in_blocks
from engine.domains import Domain
from engine.elementwise import (
    Number,
    at_least,
    elementwise,
    fraction,
    positive_fraction,
    proper_fraction,
    single,
    whole,
)
from engine.errors import DomainError
from engine.serving.case import Case, case_of, common_shape, is_array_of_ids, take
from engine.serving.constants import ANY, Constants, calibrated
from engine.serving.held import Load, Memory, memory
from engine.serving.model import Served, serve

P = ParamSpec("P")
R = TypeVar("R")

#: Domains of the arguments that describe a load.
LOAD: dict[str, Domain] = {
    "concurrency": at_least(1),
    "input_tokens": at_least(1),
    "output_tokens": at_least(1),
    "tensor_parallel": whole(1),
    "data_parallel": whole(1),
    "expert_parallel": whole(1),
    "cache_hit": fraction(),
    "draft_tokens": at_least(0),
    "acceptance": proper_fraction(),
}
#: The numbers of a load that the memory depends on, and those that end every list of arguments.
MEMORY = {name: LOAD[name] for name in list(LOAD)[1:6]}
TAIL = {name: LOAD[name] for name in list(LOAD)[6:]}
#: Domains of what an hour costs and how much of it is used.
PRICE: dict[str, Domain] = {
    "usd_per_gpu_hour": at_least(0),
    "utilisation": positive_fraction(),
}

_MODEL = """model : ModelLike
        Id of a model, or a range of (field, value) that describes one [-].
    accelerator : AcceleratorLike
        Id of an accelerator, or a range of (field, value) that describes one [-]."""
_LENGTHS = """input_tokens : Number
        Tokens of a prompt [-].
    output_tokens : Number
        Tokens of an answer [-].
    tensor_parallel : Number
        GPUs that share each layer; it divides the heads [-].
    data_parallel : Number
        Copies of that group, each with its share of the requests [-].
    expert_parallel : Number
        Parts that the experts are split in, over all GPUs; 1 for a model without experts [-].
    weight_format : str
        Format of the weights: bf16, fp8, int8, int4, nvfp4 or mxfp4 [-].
    expert_format : str
        Format of the experts' weights; that of the other weights where left out [-]."""
_TAIL = """cache_hit : Number
        Share of the prompt whose KV cache is reused: not computed anew, yet held in memory [-].
    backend : str
        Serving program: vllm, trtllm, sglang, or any, a mixture of them [-].
    draft_tokens : Number
        Tokens that multi-token prediction drafts in each step; 0 for none [-].
    acceptance : Number
        Chance that a drafted token is accepted, below 1 [-]."""
#: What the docstrings of all serving functions share.
_SHARED = {
    "<memory>": f"{_MODEL}\n    {_LENGTHS}",
    "<tail>": _TAIL,
    "<lengths>": _LENGTHS,
    "<load>": f"""{_MODEL}
    concurrency : Number
        Requests in flight on all the GPUs together, each followed by the next [-].
    {_LENGTHS}
    {_TAIL}""",
    "<price>": """usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].
    utilisation : Number
        Share of the paid time in which this load is served, above 0 [-].""",
    "<one>": _MODEL,
    "<range>": """Range: measured for concurrency 2 to 2,048, prompts and answers of 100 to 8,192
    tokens, 1 to 8 GPUs of the Hopper and Blackwell generations in fp8 and nvfp4; bf16, A100 and
    L40S rest on estimates of static decode; other accelerators on the physics alone.
    Source: constants fitted on public measurements (S14), errors in `data/calibration.json`.""",
}


class Formats(NamedTuple):
    """Number formats of the weights, of the experts, and of the KV cache; the serving program."""

    weights: Any = "bf16"
    experts: Any = None
    kv_cache: Any = None
    backend: Any = ANY


def serving_function(domains: dict[str, Domain]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function of a load: its domains, arrays of ids, and the shared documentation."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        document(function)
        return ids_spread(elementwise(never="", **domains)(function))

    return decorate


def table_function(domains: dict[str, Domain]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a function that returns a table about one load: its domains and documentation."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        document(function, "Scalar")
        return single(**domains)(function)

    return decorate


def document(function: Callable[..., Any], kind: str = "Number") -> None:
    """Put the shared paragraphs into a docstring."""
    text = function.__doc__ or ""
    for mark, shared in _SHARED.items():
        text = text.replace(mark, shared.replace(" : Number", f" : {kind}"))
    function.__doc__ = text


def ids_spread(function: Callable[P, R]) -> Callable[P, R]:
    """Let arrays of ids stand where one id is expected: they make the first number an array."""
    signature = inspect.signature(function)
    number = next(name for name in signature.parameters if name in LOAD)

    @wraps(function)
    def spread(*args: P.args, **kwargs: P.kwargs) -> R:
        ids: list[Any] = [v for v in (*args, *kwargs.values()) if is_array_of_ids(v)]
        if not ids:
            return function(*args, **kwargs)
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        shape = common_shape(*(np.shape(v) for v in ids))
        given.arguments[number] = given.arguments[number] + np.zeros(shape)
        return function(*given.args, **given.kwargs)

    return spread


def evaluate(
    wanted: Callable[[Case, Load, Memory, Constants], tuple[Number, ...]],
    results: int,
    model: Any,
    accelerator: Any,
    load: Load,
    formats: Formats,
    constants: Constants | None = None,
) -> tuple[Number, ...]:
    """Apply `wanted` to every element of a load, in blocks.

    Parameters
    ----------
    wanted : Callable
        Gives `results` numbers from the case, the load and the memory of one block.
    results : int
        How many.
    model, accelerator : ModelLike, AcceleratorLike, or array of ids
        What is served, and on what.
    load : Load
        Checked numbers, alone or as arrays.
    formats : Formats
        Number formats.
    constants : Constants
        Constants of the formula; the calibrated ones where None.

    Returns
    -------
    tuple of Number
        Floats or arrays; NaN where parallelism does not divide.
    """
    case, index = case_of(model, accelerator, *formats)
    c = calibrated() if constants is None else constants

    def block(*values: Any) -> tuple[Number, ...]:
        part = case if index is None else take(case, values[-1])
        given = divided(part, Load(*values[: len(Load._fields)]))
        return wanted(part, given, memory(part, given, c), c)

    arguments = list(load) if index is None else [*load, index]
    return in_blocks(block, arguments, results)


def served(case: Case, load: Load, held: Memory, constants: Constants) -> Served:
    """Serve a load that fits; what does not is refused, or NaN in an array."""
    return serve(case, load, constants, fitting(load, held), held.share)


def fitting(load: Load, held: Memory) -> Number:
    """Return the sequences that fit on one data-parallel rank; refuse where not even one does."""
    places = np.floor(held.left / held.sequence)
    if isinstance(places, np.ndarray):
        fit = places >= 1
        return places if fit.all() else np.where(fit, places, np.nan)
    if not isinstance(places, float):
        return np.where(places >= 1, places, np.nan)
    if not places >= 1:
        raise DomainError(_does_not_fit(load, held))
    return cast(float, places)


def divided(case: Case, load: Load) -> Load:
    """Return the load; refuse parallelism that does not divide heads or experts."""
    tp, dp, ep = load.tensor_parallel, load.data_parallel, load.expert_parallel
    gpus = tp * dp
    # A model without experts has one part of them, of any width.
    parts = np.maximum(case.experts, 1.0) / ep
    width: Number = 0.0
    if not isinstance(case.experts, float) or case.experts:
        width = np.minimum(case.experts, 1.0) * case.expert_width * ep / gpus
    in_one = isinstance(ep, float) and ep == 1
    one_head = isinstance(case.kv_heads, float) and case.kv_heads == 1
    checks = (
        (case.heads / tp, "tensor_parallel is {tp:g}; it must divide the {heads:g} heads"),
        (
            1.0 if one_head else np.maximum(case.kv_heads / tp, tp / case.kv_heads),
            "tensor_parallel is {tp:g}; it must divide the {kv_heads:g} key-value heads, "
            "or be a multiple of them",
        ),
        (
            parts,
            "expert_parallel is {ep:g}; it must divide the experts of a layer ({experts:g}), "
            "and be 1 where there are none",
        ),
        (
            1.0 if in_one else gpus / ep,
            "expert_parallel is {ep:g}; it must divide the {gpus:g} GPUs",
        ),
        (
            width,
            "{gpus:g} GPUs in {ep:g} parts split each expert; the split must divide "
            "its inner width {expert_width:g}",
        ),
    )
    sound: bool | NDArray[np.bool_] = True
    for quotient, message in checks:
        is_whole = quotient == np.floor(quotient)
        if not isinstance(is_whole, bool | np.bool_):
            sound = sound & is_whole
        elif not is_whole:
            raise DomainError(message.format(tp=tp, ep=ep, gpus=gpus, **case._asdict()))
    if sound is not True and not (isinstance(sound, np.ndarray) and sound.all()):
        return load._replace(tensor_parallel=np.where(sound, tp, np.nan))
    return load


def _does_not_fit(load: Load, held: Memory) -> str:
    gpus = load.tensor_parallel * load.data_parallel
    each = "the GPU" if gpus == 1 else f"each of {gpus:g} GPUs"
    if not held.dram:
        return (
            f"does not fit: {each} has {held.memory / 1e9:g} GB of SRAM and no other memory; such "
            "machines spread a model over hundreds of chips in a pipeline, which this estimate "
            "does not cover"
        )
    there = held.memory / 1e9
    need = (held.weights + held.sequence) / 1e9
    return (
        f"does not fit: {each} needs {need:.1f} GB, {held.weights / 1e9:.1f} for "
        f"weights and {held.sequence / 1e9:.1f} for the KV cache of one sequence; "
        f"{there:.1f} GB are there, some of it for buffers"
    )
