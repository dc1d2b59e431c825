"""What is served on what: the numbers that the serving formula needs of records and formats.

One model on one accelerator gives floats. Arrays of ids give arrays, gathered from the catalogue,
so that calls with different models are one vectorised call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.catalogue import (
    BF16_BYTES,
    Accelerator,
    Format,
    Model,
    find,
    resolve,
)
from engine.elementwise import Number
from engine.errors import InputError
from engine.ids import match
from engine.serving.constants import ANY, BACKENDS, MIXTURE

_GIGA, _TERA = 1e9, 1e12
_TINY = float(np.finfo(np.float64).tiny)
#: Embedding and output head stay in bf16 in quantised checkpoints.
VOCABULARY_BYTES = 2.0
#: Indexers keep a key in 8 bits and a scale of 4 bytes for each token (S1) [B].
_INDEX_SCALE = 4.0


class Case(NamedTuple):
    """Numbers of one model on one accelerator in given formats; parameters counted whole."""

    #: All layers, and those of them that hold experts [-]
    layers: Number
    moe_layers: Number
    #: Width of the residual stream [-]
    hidden: Number
    #: Query heads and key-value heads of one layer; 1 for MLA, whose cache is not split [-]
    heads: Number
    kv_heads: Number
    #: Parameters outside experts that every GPU holds, and that tensor parallelism splits [-]
    replicated: Number
    split: Number
    #: The same of attention that checkpoints of this format leave in bf16 [-]
    wide_replicated: Number
    wide_split: Number
    #: Parameters of the key-value projections for one head, over all layers [-]
    kv_projection: Number
    #: Parameters of the output head, and of all vocabulary matrices [-]
    head: Number
    vocabulary: Number
    #: Experts of a layer, those that a token skips as a share, those it takes, and shared ones [-]
    experts: Number
    skipped: Number
    taken: Number
    #: Parameters of one expert, the inner width that tensor parallelism splits, and the width of
    #: what it takes and gives [-]
    expert: Number
    expert_width: Number
    expert_hidden: Number
    #: Cached elements of one token for one layer and key-value head [-]
    kv_elements: Number
    #: Layers that attend to the whole context, over the tokens that an entry of their cache stands
    #: for; those that slide, and their window [-]
    full_layers: Number
    sliding_layers: Number
    window: Number
    #: The same of layers that select entries; the context up to which they attend to all [-]
    sparse_layers: Number
    selected: Number
    #: Width of one head in the attention arithmetic of prefill [-]
    head_width: Number
    #: The same where entries are selected, which are attended to as they are cached [-]
    sparse_width: Number
    #: Keys of indexers for one token, in all layers [B], their arithmetic with a token [FLOP], and
    #: the rate of it [FLOP/s]
    index_bytes: Number
    index_work: Number
    index_peak: Number
    #: State of one sequence in all linear layers [B]
    state_bytes: Number
    #: 1 where attention is latent (MLA), else 0 [-]
    latent: Number
    #: Bytes of a parameter, of an expert's parameter, of a cached element [B]
    weight_bytes: Number
    expert_bytes: Number
    kv_bytes: Number
    #: 1 where the weights have fewer than 16 bits, else 0 [-]
    quantised: Number
    #: 1 where experts are unpacked to bf16, as the tensor cores lack their format, else 0 [-]
    unpacked: Number
    #: 1 where experts are unpacked, or scaled in 8 bits in a pass of their own, else 0 [-]
    scaled: Number
    #: Arithmetic of latent attention for one cached token and layer, over all heads [FLOP]
    latent_work: Number
    #: Memory [B], 0 where all of it is SRAM, else 1 [-], bandwidth [B/s], link bandwidth [B/s],
    #: clock against 1.98 GHz [-]
    memory: Number
    dram: Number
    bandwidth: Number
    link: Number
    clock: Number
    #: Time of launches and gaps over that on NVIDIA's accelerators [-]
    launching: Number
    #: Accelerators that the link joins [-], bandwidth of the network beyond [B/s]
    domain: Number
    network: Number
    #: Peak rate in bf16, in the format of the weights, in that of the experts [FLOP/s]
    peak: Number
    weight_peak: Number
    expert_peak: Number
    #: Share of each serving program: 1 for one that is named, those of `MIXTURE` for any [-]
    vllm: Number
    trtllm: Number
    sglang: Number
    #: 1 where no serving program is named, else 0 [-]
    any_backend: Number
    #: Standard deviation of the logarithm of the cost, for maker, accelerator, model and formats
    #: that no measured run has [-]
    distance: Number


def case_of(
    model: Any,
    accelerator: Any,
    weight_format: Any,
    expert_format: Any,
    kv_format: Any = None,
    backend: Any = ANY,
) -> tuple[Case, NDArray[np.intp] | None]:
    """Return the numbers of a case, and which row of them each element uses where ids vary.

    Parameters
    ----------
    model, accelerator : ModelLike, AcceleratorLike, or array of ids
        What is served, and on what.
    weight_format, expert_format, kv_format : str, or array of str
        Formats; the experts' is that of the weights where None, the cache's is fp8 beside
        quantised weights where None.
    backend : str, or array of str
        Serving program, or "any".

    Returns
    -------
    Case
        Floats, or one array over the distinct combinations.
    array or None
        Index into those arrays, of the broadcast shape of the ids.
    """
    given = (model, accelerator, weight_format, expert_format, kv_format, backend)
    if (traced := getattr(type(model), "__case__", None)) is not None:
        return traced(given), None
    if not any(is_array_of_ids(value) for value in given):
        return _one(*given), None
    codes, combinations = _factorised(given)
    rows = [_one(*combination) for combination in combinations]
    return Case(*(np.array(column) for column in zip(*rows, strict=True))), codes


def one_case(
    model: Any,
    accelerator: Any,
    weight_format: str = "bf16",
    expert_format: str | None = None,
    backend: str = ANY,
) -> Case:
    """Return the numbers of one case, where several have no place."""
    case, index = case_of(model, accelerator, weight_format, expert_format, None, backend)
    if index is not None:
        raise InputError("model, accelerator and formats must be single, not ranges of ids")
    return case


def is_array_of_ids(value: Any) -> bool:
    """Tell an array of ids from one id, and from the rows of a user's own record."""
    return (isinstance(value, np.ndarray) and value.dtype.kind in "UOT" and value.ndim > 0) or (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(isinstance(item, str) for item in value)
    )


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that arrays of ids broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise InputError(f"ids in ranges of different shapes: {error}") from error


def take(case: Case, index: NDArray[np.intp]) -> Case:
    """Return the case of each element."""
    return Case(*(np.asarray(column)[index] for column in case))


def _factorised(given: Sequence[Any]) -> tuple[NDArray[np.intp], list[tuple[Any, ...]]]:
    import pandas as pd  # noqa: PLC0415  (heavy, and only wanted for arrays of ids)

    arrays = [np.asarray(v, dtype=object) if is_array_of_ids(v) else None for v in given]
    shape = common_shape(*(a.shape for a in arrays if a is not None))
    combined: NDArray[np.intp] = np.zeros(shape, dtype=np.intp)
    levels: list[list[Any]] = []
    for value, array in zip(given, arrays, strict=True):
        if array is None:
            levels.append([value])
            continue
        codes, names = pd.factorize(array.ravel(), use_na_sentinel=False)
        levels.append(list(names))
        combined = combined * len(names) + codes.reshape(array.shape)
    distinct, index = np.unique(combined, return_inverse=True)
    places = np.unravel_index(distinct, [len(level) for level in levels])
    combinations = [
        tuple(level[i] for level, i in zip(levels, place, strict=True))
        for place in zip(*places, strict=True)
    ]
    return index.reshape(shape).astype(np.intp), combinations


def _one(
    model: Any,
    accelerator: Any,
    weight_format: str,
    expert_format: str | None,
    kv: str | None,
    backend: str,
) -> Case:
    m, a = resolve(Model, model), resolve(Accelerator, accelerator)
    return Case(*map(float, described(m, a, weight_format, expert_format, kv, backend)))


def described(
    m: Model,
    a: Accelerator,
    weight_format: str,
    expert_format: str | None,
    kv: str | None,
    backend: str,
) -> Case:
    """Return the case of records, its numbers of whatever kind theirs are."""
    weights = find(Format, weight_format)
    experts = weights if expert_format is None else find(Format, expert_format)
    eighth = find(Format, "fp8")
    quantised = weights.bytes_per_parameter < BF16_BYTES
    kv_bytes = find(Format, kv).bytes_per_parameter if kv is not None else 2.0 - quantised
    unpacked = experts.is_unpacked(a)
    latent = m.attention == "MLA"
    moe_layers = m.layers - m.dense_layers if m.experts else 0
    inner = m.expert_matrices * m.moe_ffn_dim
    feed_forward = (m.layers - moe_layers) * 3 * m.hidden * m.ffn_dim
    feed_forward += moe_layers * m.shared_experts * inner * m.hidden
    expert_hidden = m.expert_hidden + m.hidden * (1 - np.minimum(m.expert_hidden, 1))
    attending = m.layers - m.linear_layers
    # Attention, and what stands in its place or beside it.
    follows = 1 - np.minimum(m.attention_parameters, 1)
    told = attending * m.attention_parameters + m.linear_layers * m.linear_parameters
    told = told + m.other_parameters
    if latent:
        query = m.qk_nope_dim + m.qk_rope_dim
        replicated = m.hidden * (m.q_lora_rank + m.kv_lora_rank + m.qk_rope_dim)
        by_head = (m.q_lora_rank or m.hidden) * query + m.v_head_dim * m.hidden
        by_head += m.kv_lora_rank * (m.qk_nope_dim + m.v_head_dim)
        head_width = (query + m.v_head_dim) / 2
        sparse_width = m.kv_lora_rank + m.qk_rope_dim / 2
    else:
        replicated, by_head, head_width = 0, 2 * m.hidden * m.head_dim, m.head_dim
        sparse_width = m.head_dim
    vocabulary = m.vocab * m.hidden
    # Latent attention is left in bf16 where the rest has four bits (S61).
    wide = _flag(weights.bytes_per_parameter < 1) if latent else 0.0
    # Latent attention in its absorbed form: each head takes the scores from the latent vector and
    # the rotary part, and adds up the latent vectors.
    latent_work = 2.0 * m.heads * (2 * m.kv_lora_rank + m.qk_rope_dim) if latent else 0.0
    return Case(
        layers=m.layers,
        moe_layers=moe_layers,
        hidden=m.hidden,
        heads=m.heads,
        kv_heads=1.0 if latent else (m.kv_heads),
        replicated=attending * replicated * follows * (1.0 - wide),
        split=(attending * m.heads * by_head * follows + told) * (1.0 - wide) + feed_forward,
        wide_replicated=attending * replicated * follows * wide,
        wide_split=(attending * m.heads * by_head * follows + told) * wide,
        kv_projection=0.0 if latent else (attending * 2 * m.hidden * m.head_dim) * follows,
        head=vocabulary,
        vocabulary=(vocabulary if m.tied_embeddings else 2 * vocabulary),
        experts=m.experts,
        # Above 0 where a token takes every expert, since its logarithm is taken.
        skipped=max(1 - m.experts_per_token / m.experts, _TINY) if m.experts else 1.0,
        taken=m.experts_per_token,
        expert=inner * expert_hidden,
        expert_width=m.moe_ffn_dim,
        expert_hidden=expert_hidden,
        kv_elements=(m.kv_lora_rank + m.qk_rope_dim if latent else 2 * m.head_dim),
        full_layers=np.maximum(attending - m.sliding_layers - m.sparse_layers - m.coarse_layers, 0)
        + m.coarse_layers / m.coarse_tokens,
        sliding_layers=m.sliding_layers,
        window=m.sliding_window,
        sparse_layers=m.sparse_layers / m.entry_tokens,
        selected=m.selected_entries * m.entry_tokens,
        head_width=head_width,
        sparse_width=sparse_width,
        index_bytes=m.index_layers / m.entry_tokens * (m.index_dim + _INDEX_SCALE),
        index_work=m.index_layers / m.entry_tokens * (2.0 * m.index_heads * m.index_dim),
        index_peak=eighth.peak_tflops(a) * _TERA * a.compute_share,
        state_bytes=m.linear_layers * m.state_bytes,
        latent=latent,
        weight_bytes=weights.bytes_per_parameter,
        expert_bytes=experts.bytes_per_parameter,
        kv_bytes=kv_bytes,
        quantised=quantised,
        unpacked=unpacked,
        scaled=(unpacked or experts.bytes_per_parameter == 1),
        latent_work=latent_work,
        memory=a.memory_gb * _GIGA,
        # DRAM takes many milliseconds to be read all through, SRAM a few millionths of a second.
        dram=np.minimum(np.floor(a.memory_gb / a.mem_bw_tb_s), 1.0),
        bandwidth=a.mem_bw_tb_s * _TERA * a.bandwidth_share,
        link=a.scaleup_gb_s_per_direction * _GIGA,
        clock=a.clock_ghz / Accelerator.reference_clock_ghz,
        launching=a.launch_ratio,
        domain=a.scaleup_domain_size,
        network=a.scaleout_gb_s_per_direction * _GIGA,
        peak=a.bf16_dense_tflops * _TERA * a.compute_share,
        weight_peak=weights.peak_tflops(a) * _TERA * a.compute_share,
        expert_peak=experts.peak_tflops(a) * _TERA * a.compute_share,
        **_shares(backend),
        distance=_distance(m, a, weights, experts),
    )


#: What is added to the standard deviation of the logarithm of the cost where no measured run has
#: the accelerator, the model, a format. Assumptions, so that the band holds four in five of the
#: saturated runs in bf16, on A100 and L40S, with models that were not measured.
_NO_ACCELERATOR, _NO_MODEL, _NO_FORMAT = 0.25, 0.15, 0.15
#: The same where attention is of a kind that no measured run has: linear, sparse or coarse.
_NO_ATTENTION = 0.3


def _distance(m: Model, a: Accelerator, weights: Format, experts: Format) -> Number:
    """Return how far a case lies from the measured runs, added in quadrature [-]."""
    squares = a.spread * a.spread + (1 - a.measured) * _NO_ACCELERATOR**2
    squares = squares + (1 - m.measured) * _NO_MODEL**2 + (1 - weights.measured) * _NO_FORMAT**2
    other = np.minimum(m.linear_layers + m.sparse_layers + m.coarse_layers, 1)
    squares = squares + other * _NO_ATTENTION**2
    mixture = np.minimum(m.experts, 1)
    distance: Number = np.sqrt(squares + mixture * (1 - experts.measured) * _NO_FORMAT**2)
    return distance


def _flag(condition: Any) -> Number:
    """Return 1 where a condition holds, else 0; without asking it, where it is no truth yet."""
    if isinstance(condition, bool | np.bool_):
        return float(condition)
    flag: Number = np.where(condition, 1.0, 0.0)
    return flag


def _shares(backend: str) -> dict[str, Any]:
    """Return the share of each serving program."""
    name = match("backend", backend, (ANY, *BACKENDS))
    mixed = _flag(name == ANY)
    shares = {b: mixed * MIXTURE[b] + _flag(name == b) for b in BACKENDS}
    return {**shares, "any_backend": mixed}


def backend_factor(case: Case, trtllm: float, sglang: float) -> Number:
    """Return a factor for the serving program: 1 for vLLM, the mean of the shares for any."""
    return case.vllm + case.trtllm * trtllm + case.sglang * sglang
