"""Speed against cost: the configurations of a model on an accelerator that no other beats."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from engine.catalogue import AcceleratorLike, ModelLike
from engine.elementwise import Number, Scalar, at_least, steps, whole
from engine.errors import DomainError
from engine.serving.case import Case, one_case
from engine.serving.constants import Constants, calibrated
from engine.serving.held import Load, Memory, memory
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
from engine.serving.usd import usd_per_mtok
from engine.tables import Table

__all__ = ["pareto"]

#: Parallelism that is looked at, and requests in flight; measured runs end at 2,048.
_SIZES = 2.0 ** np.arange(11.0)
_REQUESTS = 12.0


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
    formats = Formats(weight_format, backend=backend)
    user, gpu, unqueued = evaluate(_speeds, 3, model, accelerator, load, formats)
    fits = np.where(np.isnan(user), 0.0, unqueued) == 1
    if not np.any(fits):
        _refuse(case, load)
    all_gpus: Any = load.tensor_parallel * load.data_parallel
    columns = (all_gpus, load.concurrency, user, gpu)
    gpus, requests, user, gpu = (column[fits] for column in columns)  # type: ignore[index]
    # From fast to slow; of equals the better first, so that a later one has to be cheaper.
    order = np.lexsort((requests, gpus, -gpu, -user))
    speeds = np.take(gpu, order)
    best_before = np.concatenate(([0.0], np.maximum.accumulate(speeds)[:-1]))
    front = order[speeds > best_before][::-1]
    gpus, requests, user, gpu = (np.take(column, front) for column in (gpus, requests, user, gpu))
    seconds = output_tokens / (gpu * (input_tokens + output_tokens))
    return Table(
        ("gpus", "concurrency", "tokens/s per user", "tokens/s per GPU", "USD/Mtok blended"),
        (
            gpus,
            requests,
            user,
            gpu,
            seconds * usd_per_mtok(usd_per_gpu_hour, utilisation),
        ),
    )


def _configurations(case: Case, input_tokens: float, output_tokens: float, max_gpus: float) -> Load:
    """Return every parallelism and concurrency to look at, as arrays."""
    tensor, data, expert, concurrency = splits(max_gpus, _REQUESTS)
    within = (tensor * data <= max_gpus) & (concurrency >= data)
    within = within & ((expert == 1) | (case.experts > 0))
    tensor, data, expert, concurrency = (
        column[within] for column in (tensor, data, expert, concurrency)
    )
    return Load(concurrency, input_tokens, output_tokens, tensor, data, expert)


def splits(max_gpus: Scalar, loads: float = 1.0) -> tuple[Any, Any, Any, Any]:
    """Return powers of two side by side in every combination.

    Parameters
    ----------
    max_gpus : Scalar
        The largest of each parallelism [-].
    loads : float
        How many powers of two of the requests in flight [-].

    Returns
    -------
    tuple of array
        Tensor, data and expert parallelism, each up to `max_gpus`, and requests; the last one
        changes first [-].
    """
    sizes = np.count_nonzero(max_gpus >= _SIZES)
    places = steps(sizes**3 * loads, max_gpus)
    return (
        2.0 ** (places // (sizes**2 * loads)),
        2.0 ** (places // (sizes * loads) % sizes),
        2.0 ** (places // loads % sizes),
        2.0 ** (places % loads),
    )


def _speeds(case: Case, load: Load, held: Memory, c: Constants) -> tuple[Number, ...]:
    """Return tokens a second of a user and of a GPU, and 1 where no request waits."""
    result = served(case, load, held, c)
    all_run = result.running * load.data_parallel >= load.concurrency
    return 1 / result.tpot, result.throughput, np.where(all_run, 1.0, 0.0)


def _refuse(case: Case, load: Load) -> NoReturn:
    """Tell what lacks where the least does: the configuration with most memory left."""
    if isinstance(case.memory, float):
        sound = divided(case, load)
        held = memory(case, sound, calibrated())
        roomiest = int(np.nanargmax(np.asarray(held.left - held.sequence)))
        alone = Load(*(float(np.ravel(values)[roomiest % np.size(values)]) for values in sound))
        fitting(alone, memory(case, alone, calibrated()))
    # A formula has no place for the reason.
    raise DomainError("no configuration fits")
