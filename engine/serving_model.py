"""The serving formula: one decode step, one prefill, and both under continuous batching.

Everything here is arithmetic on floats or arrays alike; arguments are checked by the callers.
Times are in seconds, sizes in bytes.

A decode step of B sequences on each data-parallel rank, with C = B·dp sequences in all::

    step = max(weights read, their arithmetic) + max(experts read, their arithmetic)
         + KV cache read + launches of every layer + scheduling + all-reduces

    E_active = E·(1 − (1 − k/E)^C)

A prefill of one prompt of I tokens::

    prefill = max(arithmetic, weights read) + attention + activations + all-reduces

A closed loop of B sequences: while one writes its O tokens, B − 1 others are prefilled::

    TPOT = step + θ·(B − 1)·prefill/O
    TTFT = prefill·(1 + q·(B − 1)^r) + k·step + t₀
    throughput = C·O/(TTFT + TPOT·(O − 1))/GPUs

Sequences beyond what the KV cache holds wait: B stops there, and the wait joins TTFT.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.elementwise import Number
from engine.serving_case import VOCABULARY_BYTES, Case
from engine.serving_constants import Constants

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


class Memory(NamedTuple):
    """Memory of one GPU and what it is needed for."""

    #: Weights, all experts included [B]
    weights: Number
    #: Left for the KV cache [B]
    left: Number
    #: KV cache of one sequence at its full length [B]
    sequence: Number


class Step(NamedTuple):
    """Terms of one decode step; their sum is the step [s]."""

    weights: Number
    compute: Number
    kv_cache: Number
    launch: Number
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


def memory(case: Case, load: Load, c: Constants) -> Memory:
    """Return what one GPU holds."""
    tp = load.tensor_parallel
    heads = np.maximum(case.kv_heads / tp, 1.0)
    dense = case.replicated + case.split / tp + case.kv_projection * heads
    experts = case.moe_layers * case.experts * case.expert / (tp * load.data_parallel)
    weights = (
        dense * case.weight_bytes
        + case.vocabulary / tp * VOCABULARY_BYTES
        + experts * case.expert_bytes
    )
    left = case.memory * c.memory_share - c.memory_reserve * 1e9 - weights
    tokens = load.input_tokens + load.output_tokens
    sequence = case.layers * tokens * case.kv_elements * heads * case.kv_bytes
    return Memory(weights, left, sequence)


def decode_step(
    case: Case,
    load: Load,
    c: Constants,
    sequences: Number,
    positions: Number = 1.0,
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
    """
    tp, ranks = load.tensor_parallel, load.data_parallel
    tokens = sequences * positions
    heads = np.maximum(case.kv_heads / tp, 1.0)
    dense = case.replicated + case.split / tp + case.kv_projection * heads
    head = case.head / tp
    read = dense * case.weight_bytes + head * VOCABULARY_BYTES
    reading = read / (case.bandwidth * c.weight_efficiency)
    computing = (dense + head) * (tokens * 2) / (case.weight_peak * c.decode_efficiency)
    weights = reading
    compute = np.maximum(computing - reading, 0.0)

    launch = (
        case.layers * (c.launch + c.launch_quantised * case.quantised)
        + case.layers * case.latent * c.launch_latent
    )
    if _any(case.moe_layers):
        batch = tokens * ranks
        active = case.experts - case.experts * case.skipped**batch
        held = case.moe_layers * case.expert / (tp * ranks)
        reading = held * active * case.expert_bytes * (1 + c.unpacking * case.unpacked)
        reading = reading / (case.bandwidth * c.expert_efficiency)
        computing = held * batch * case.taken * 2 / (case.expert_peak * c.decode_efficiency)
        weights = weights + reading
        compute = compute + np.maximum(computing - reading, 0.0)
        launch = launch + case.moe_layers * (
            c.launch_experts
            + c.launch_expert_scales * case.scaled
            + c.launch_expert * active / load.expert_parallel
            + c.launch_exchange * (ranks > 1)
        )

    context = load.input_tokens + load.output_tokens / 2
    attended = case.full_layers * context
    if _any(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, case.window)
    eight_bit = case.kv_bytes * np.where(case.kv_bytes < 2, c.kv_surplus, 1.0)
    kv_cache = (
        sequences
        * attended
        * (case.kv_elements * heads * eight_bit / (case.bandwidth * c.kv_efficiency))
    )
    launch = (launch + c.schedule * sequences) * _MICRO * case.clock**-c.clock_exponent

    reduced = tokens * case.hidden * (2 * _REDUCED_BYTES / c.link_efficiency) / tp
    message = c.link_message * 1e3
    all_reduce = (tp - 1) * (reduced + message) * (_REDUCES * case.layers / case.link)
    return Step(weights, compute, kv_cache, launch, all_reduce)


def prefill(case: Case, load: Load, c: Constants) -> Number:
    """Return the time to prefill one prompt, nothing else running [s]."""
    tp, prompt = load.tensor_parallel, load.input_tokens
    heads = np.maximum(case.kv_heads / tp, 1.0)
    dense = case.replicated + case.split / tp + case.kv_projection * heads
    read = dense * case.weight_bytes
    computing = dense * (prompt * 2) / case.weight_peak
    if _any(case.moe_layers):
        held = case.moe_layers * case.expert / (tp * load.data_parallel)
        active = case.experts - case.experts * case.skipped**prompt
        read = read + held * active * case.expert_bytes
        computing = computing + held * case.taken * prompt * 2 / case.expert_peak
    matrices = np.maximum(
        computing / c.prefill_efficiency, read / (case.bandwidth * c.prefill_weight_efficiency)
    )
    attended = case.full_layers * prompt
    if _any(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(prompt, 2 * case.window)
    attention = (
        2 * prompt * attended * case.heads * case.head_width / (tp * case.peak)
    ) / c.attention_efficiency
    moved = prompt * (case.layers * case.hidden)
    activations = moved * c.activation_traffic / (tp * case.bandwidth)
    reduced = 2 * _REDUCED_BYTES * _REDUCES / (c.prefill_link_efficiency * case.link)
    all_reduce = moved * (tp - 1) * reduced / tp
    return matrices + attention + activations + all_reduce


def serve(case: Case, load: Load, c: Constants, fitting: Number) -> Served:
    """Return what continuous batching gives in a closed loop of `concurrency` requests.

    Parameters
    ----------
    case, load, c : Case, Load, Constants
        What is served, how, and the constants.
    fitting : Number
        Sequences whose cache fits on one data-parallel rank, at least 1 [-].
    """
    wanted = load.concurrency / load.data_parallel
    running = np.minimum(wanted, fitting)
    terms = decode_step(case, load, c, running)
    step = terms.weights + terms.compute + terms.kv_cache + terms.launch + terms.all_reduce
    alone = prefill(case, load, c)
    others = np.maximum(running - 1.0, 0.0)
    theta = c.mixing * (1 + c.mixing_ranks * (load.data_parallel - 1))
    mixed = theta * others * alone / load.output_tokens
    tpot = step + mixed
    started = alone * (1 + c.queue * others**c.queue_exponent)
    ttft = started + c.first_steps * step + c.front_end * 1e-3
    queued = (wanted / running - 1.0) * (ttft + tpot * (load.output_tokens - 1.0))
    ttft = ttft + queued
    stay = ttft + tpot * (load.output_tokens - 1.0)
    throughput = wanted * load.output_tokens / (stay * load.tensor_parallel)
    return Served(running, step, alone, mixed, queued, tpot, ttft, throughput)


def _any(values: Number) -> bool:
    return bool(np.any(values))
