"""The serving formula: one decode step, one prefill, and both under continuous batching.

Everything here is arithmetic on floats or arrays alike; arguments are checked by the callers.
Times are in seconds, sizes in bytes.

A decode step of B sequences on each data-parallel rank, with C = B·dp sequences in all::

    step = max(weights read, their arithmetic) + max(experts read, their arithmetic)
         + KV cache read + launches of every layer + scheduling + all-reduces

    E_active = E·(1 − (1 − k/E)^(C^skew))

A prefill of one prompt of I tokens::

    prefill = max(arithmetic, weights read) + attention + activations + all-reduces

A closed loop of B sequences: while one writes its O tokens, B − 1 others are prefilled::

    TPOT = step + θ·(B − 1)·prefill/O
    TTFT = prefill·(1 + q·(B − 1)^1.5) + k·step + t₀
    throughput = C·O/(TTFT + TPOT·(O − 1))/GPUs

Sequences beyond what the KV cache holds wait: B stops there, and the wait joins TTFT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.elementwise import Number
from engine.serving.case import VOCABULARY_BYTES, Case
from engine.serving.constants import Constants

_MICRO = 1e-6
#: Bytes of an element that is added up between GPUs.
_REDUCED_BYTES = 2.0
#: An all-reduce after attention and one after the feed-forward block.
_REDUCES = 2


class Load(NamedTuple):
    """How a case is used: sequences, their lengths, and the parallelism."""

    concurrency: Number
    input_tokens: Number
    output_tokens: Number
    tensor_parallel: Number
    data_parallel: Number
    expert_parallel: Number
    #: Share of the prompt whose cache is reused; tokens drafted in a step; chance to be accepted
    cache_hit: Number = 0.0
    draft_tokens: Number = 0.0
    acceptance: Number = 0.7


class Memory(NamedTuple):
    """Memory of one GPU and what it is needed for."""

    #: Weights, all experts included [B]
    weights: Number
    #: Left for the KV cache [B]
    left: Number
    #: KV cache of one sequence at its full length [B]
    sequence: Number


class Share(NamedTuple):
    """What of a model one GPU holds."""

    #: Key-value heads [-]
    heads: Number
    #: Parameters outside experts and vocabulary, and of the output head [-]
    dense: Number
    head: Number
    #: Parameters of one expert, summed over the layers that have experts [-]
    expert: Number


class Step(NamedTuple):
    """Terms of one decode step; their sum is the step [s]."""

    weights: Number
    compute: Number
    kv_cache: Number
    launch: Number
    schedule: Number
    all_reduce: Number


class Served(NamedTuple):
    """What a load gets from a case."""

    #: Sequences running at once on one data-parallel rank [-]
    running: Number
    #: One decode step, and one prefill without waiting [s]
    step: Number
    prefill: Number
    #: What prefills of others add to each token [s]
    mixed: Number
    #: Wait for a place in the KV cache [s]
    queued: Number
    #: Output token after the first, first token [s]
    tpot: Number
    ttft: Number
    #: Output tokens each second of one GPU [1/s]
    throughput: Number

    def input_share(self, load: Load) -> Number:
        """Share of the GPU time that goes to input tokens: all but the decode steps [-]."""
        steps = self.step * (load.output_tokens - 1.0)
        return 1.0 - steps / (
            self.ttft - self.queued + self.mixed * (load.output_tokens - 1.0) + steps
        )


def share_of(case: Case, load: Load) -> Share:
    """Return what of the model one GPU holds."""
    part = 1.0 / load.tensor_parallel
    heads = np.maximum(case.kv_heads * part, 1.0)
    dense = case.split * part + case.kv_projection * heads
    if _any(case.replicated):
        dense = dense + case.replicated
    expert: Number = 0.0
    if _any(case.moe_layers):
        expert = case.moe_layers * case.expert * (part / load.data_parallel)
    return Share(heads, dense, case.head * part, expert)


def memory(case: Case, load: Load, c: Constants, share: Share | None = None) -> Memory:
    """Return what one GPU's memory holds."""
    share = share or share_of(case, load)
    weights = share.dense * case.weight_bytes
    weights = weights + share.head * (case.vocabulary / case.head * VOCABULARY_BYTES)
    if _any(case.moe_layers):
        weights = weights + share.expert * (case.experts * case.expert_bytes)
    left = case.memory * c.memory_share - c.memory_reserve * 1e9 - weights
    tokens = load.input_tokens + load.output_tokens
    kept = case.full_layers * tokens
    if _any(case.sliding_layers):
        kept = kept + case.sliding_layers * np.minimum(tokens, case.window)
    sequence = kept * share.heads * (case.kv_elements * case.kv_bytes)
    return Memory(weights, left, sequence)


def decode_step(
    case: Case,
    load: Load,
    c: Constants,
    sequences: Number,
    positions: Number = 1.0,
    share: Share | None = None,
) -> Step:
    """Return the terms of one decode step.

    Parameters
    ----------
    case, load, c : Case, Load, Constants
        What is served, how, and the constants.
    sequences : Number
        Sequences on each data-parallel rank (B) [-].
    positions : Number
        Tokens of each sequence that one step verifies; 1 but in speculative decoding [-].
    share : Share
        What one GPU holds, where the caller knows it already.
    """
    tp, ranks = load.tensor_parallel, load.data_parallel
    heads, dense, head, expert = share or share_of(case, load)
    tokens = sequences * positions
    # Constants and the numbers of the case are gathered in brackets: scalars, nearly always.
    weights = (dense * case.weight_bytes + head * VOCABULARY_BYTES) / (
        case.bandwidth * c.weight_efficiency
    )
    computing = (dense + head) * tokens * (2 / (case.weight_peak * c.decode_efficiency))
    compute: Number = np.maximum(computing - weights, 0.0)

    launch: Number = case.layers * (
        c.launch + c.launch_quantised * case.quantised + case.latent * c.launch_latent
    )
    if _any(case.moe_layers):
        batch = tokens * ranks
        # batch^skew; exponential and logarithm are faster than the power.
        active = active_experts(case, np.exp(np.log(batch) * c.routing_skew))
        reading = (expert * active) * (
            case.expert_bytes
            * (1 + c.unpacking * case.unpacked)
            / (case.bandwidth * c.expert_efficiency)
        )
        computing = (expert * batch) * (2 * case.taken / (case.expert_peak * c.decode_efficiency))
        weights = weights + reading
        compute = compute + np.maximum(computing - reading, 0.0)
        launch = (launch + case.moe_layers * (
            c.launch_experts
            + c.launch_expert_scales * case.scaled
            + c.launch_exchange * np.minimum(ranks - 1.0, 1.0)
        )) + active * (case.moe_layers * c.launch_expert / load.expert_parallel)  # fmt: skip

    context = load.input_tokens + load.output_tokens / 2
    attended = case.full_layers * context
    if _any(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, case.window)
    surplus = np.where(case.kv_bytes < 2, c.kv_surplus, 1.0)
    kv_cache = (sequences * attended * heads) * (
        case.kv_elements * case.kv_bytes * surplus / (case.bandwidth * c.kv_efficiency)
    )
    slowness = _MICRO * case.clock**-c.clock_exponent
    launch = launch * slowness
    schedule = sequences * (c.schedule * slowness)

    reduced = sequences * (case.hidden * 2 * _REDUCED_BYTES / c.link_efficiency) / tp
    if _any(positions - 1.0):
        # What further positions add to a message crosses the link as well as a prefill does.
        reduced = reduced * (1 + (positions - 1) * c.link_efficiency / c.prefill_link_efficiency)
    all_reduce = (tp - 1) * (reduced + c.link_message * 1e3)
    all_reduce = all_reduce * (_REDUCES * case.layers / case.link)
    return Step(weights, compute, kv_cache, launch, schedule, all_reduce)


def total(terms: Step) -> Number:
    """Return the time of a decode step from its terms [s]."""
    weights, compute, kv_cache, launch, schedule, all_reduce = terms
    return weights + compute + kv_cache + launch + schedule + all_reduce


def token_step(
    case: Case, load: Load, c: Constants, sequences: Number, share: Share | None = None
) -> Step:
    """Return the terms of the decode step that one output token takes.

    With drafted tokens: ``(step over γ + 1 positions + γ·drafting)/((1 − a^(γ+1))/(1 − a))``.
    Drafting one token takes a layer of the model and its output head, as multi-token prediction
    does; scheduling is done once for all.
    """
    if not _any(load.draft_tokens):
        return decode_step(case, load, c, sequences, 1.0, share)
    drafts, chance = load.draft_tokens, load.acceptance
    share = share or share_of(case, load)
    verify = decode_step(case, load, c, sequences, drafts + 1.0, share)
    one = decode_step(case, load, c, sequences, 1.0, share)
    head = share.head * VOCABULARY_BYTES / (case.bandwidth * c.weight_efficiency)
    draft = Step(*(term / case.layers for term in one))
    draft = draft._replace(weights=draft.weights + head, schedule=0.0)
    expected = (1.0 - chance ** (drafts + 1.0)) / (1.0 - chance)
    return Step(*((v + drafts * d) / expected for v, d in zip(verify, draft, strict=True)))


def active_experts(case: Case, tokens: Number) -> Number:
    """Return the distinct experts of a layer that a number of tokens is expected to touch [-]."""
    # (1 − k/E)^tokens; the exponential is much faster than the power.
    untouched: Number = np.exp(tokens * np.log(case.skipped))
    return case.experts - case.experts * untouched


def prefill(case: Case, load: Load, c: Constants, share: Share | None = None) -> Number:
    """Return the time to prefill what is new of one prompt, nothing else running [s]."""
    tp, prompt, context = load.tensor_parallel, load.input_tokens, load.input_tokens
    if _any(load.cache_hit):
        # New tokens attend to the reused ones, too: their pairs are those of 1 − hit² prompts².
        prompt = prompt * (1.0 - load.cache_hit)
        context = context * (1.0 + load.cache_hit)
    share = share or share_of(case, load)
    read = share.dense * case.weight_bytes
    computing = share.dense * (2 / (case.weight_peak * c.prefill_efficiency))
    if _any(case.moe_layers):
        read = read + share.expert * active_experts(case, prompt) * case.expert_bytes
        computing = computing + share.expert * (
            2 * case.taken / (case.expert_peak * c.prefill_efficiency)
        )
    matrices = np.maximum(computing * prompt, read / (case.bandwidth * c.prefill_weight_efficiency))
    attended = case.full_layers * context
    if _any(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, 2 * case.window)
    moved = case.layers * case.hidden
    attention = attended * (2 * case.heads * case.head_width / (case.peak * c.attention_efficiency))
    activations = moved * c.activation_traffic / case.bandwidth
    reduced = 2 * _REDUCED_BYTES * _REDUCES * moved / (c.prefill_link_efficiency * case.link)
    return matrices + (attention + activations + (tp - 1) * reduced) * (prompt / tp)


def serve(case: Case, load: Load, c: Constants, fitting: Number) -> Served:
    """Return what continuous batching gives in a closed loop of `concurrency` requests.

    Parameters
    ----------
    case, load, c : Case, Load, Constants
        What is served, how, and the constants.
    fitting : Number
        Sequences whose cache fits on one data-parallel rank, at least 1 [-].
    """
    share = share_of(case, load)
    wanted = load.concurrency / load.data_parallel
    running = np.minimum(wanted, fitting)
    step = total(token_step(case, load, c, running, share))
    alone = prefill(case, load, c, share)
    others = np.maximum(running - 1.0, 0.0)
    theta = c.mixing * (1 + c.mixing_ranks * (load.data_parallel - 1))
    mixed = others * alone * theta / load.output_tokens
    tpot = step + mixed
    started = alone + alone * (c.queue * others * np.sqrt(others))
    ttft = started + c.first_steps * step + c.front_end * 1e-3
    stay = ttft + tpot * (load.output_tokens - 1.0)
    throughput = running * load.output_tokens / (stay * load.tensor_parallel)
    queued = (wanted / running - 1.0) * stay
    return Served(running, step, alone, mixed, queued, tpot, ttft + queued, throughput)


def _any(values: Number) -> bool:
    if isinstance(values, np.ndarray):
        return bool(np.any(values))
    # Of a value that is no number yet, all is computed that any number may need.
    return bool(values) if isinstance(values, float | bool | np.generic) else True
