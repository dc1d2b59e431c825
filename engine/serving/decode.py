"""One decode step: its terms, and the step that an output token takes with drafted tokens."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.blocks import any_of, times
from engine.elementwise import Number
from engine.serving.case import VOCABULARY_BYTES, Case, backend_factor
from engine.serving.constants import Constants
from engine.serving.experts import busiest, ordering_time, touched_experts
from engine.serving.held import Load, Share, attending, share_of
from engine.serving.links import REDUCED_BYTES, REDUCES, between_nodes, exchange_time

_MICRO = 1e-6


class Step(NamedTuple):
    """Terms of one decode step; their sum is the step [s]."""

    weights: Number
    compute: Number
    kv_cache: Number
    launch: Number
    schedule: Number
    all_reduce: Number
    exchange: Number


def decode_step(
    case: Case,
    load: Load,
    c: Constants,
    sequences: Number,
    positions: Number = 1.0,
    share: Share | None = None,
) -> tuple[Step, Number]:
    """Return the terms of one decode step, and the time of it that a prefill may use.

    That is the time in which arithmetic waits for weights, what quantising adds included.

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
    share = share or share_of(case, load)
    tokens = times(sequences, positions)
    # Constants and the numbers of the case are gathered in brackets: scalars, nearly always.
    pace = backend_factor(case, c.pace_trtllm, c.pace_sglang)
    slowness = _MICRO * case.clock**-c.clock_exponent * case.launching * pace
    work = pace * 2 / c.decode_efficiency
    rate = pace / (case.bandwidth * c.weight_efficiency)
    in_bf16 = share.head
    if any_of(case.wide_split):
        in_bf16 = in_bf16 + share.wide
    narrow = share.dense * (case.weight_bytes * rate)
    weights = narrow + in_bf16 * (VOCABULARY_BYTES * rate)
    products = share.dense * (work / case.weight_peak)
    products += in_bf16 * (work / case.peak)
    products = products * tokens
    core = np.maximum(weights, products)
    compute, idle = core - weights, core - products
    launch: Number = (slowness * case.layers) * (
        (c.launch + case.latent * c.launch_latent)
        * backend_factor(case, c.launch_trtllm, c.launch_sglang)
    )
    if any_of(case.quantised):
        # Quantising costs at most what reading and multiplying in bf16 would: one would use that.
        saved = np.minimum(VOCABULARY_BYTES / case.weight_bytes, case.weight_peak / case.peak) - 1
        scaling = (slowness * c.launch_quantised) * (case.layers * case.quantised)
        scaling = np.minimum(scaling, narrow * saved)
        launch, idle = launch + scaling, idle + scaling
    exchange: Number = 0.0
    if any_of(case.moe_layers):
        batch = times(tokens, ranks)
        active = touched_experts(case, c, batch)
        unpacking = 1 + c.unpacking * case.unpacked
        reading = (share.expert * active) * (
            pace * case.expert_bytes * unpacking / (case.bandwidth * c.expert_efficiency)
        )
        computing = (share.expert * batch) * (
            busiest(load, c) * (work * case.taken / case.expert_peak)
        )
        core = np.maximum(reading, computing)
        weights = weights + reading
        compute = compute + (core - reading) + batch * (pace * ordering_time(case, load, c))
        idle = idle + (core - computing)
        each = slowness * case.moe_layers
        shared = c.launch_exchange * np.minimum(ranks - 1.0, 1.0)
        launch = launch + each * (c.launch_experts + shared)
        launch = launch + active * (each * c.launch_expert / load.expert_parallel)
        if any_of(case.scaled):
            wider = VOCABULARY_BYTES / (case.expert_bytes * unpacking)
            in_bf16 = np.maximum(reading * wider, computing * (case.expert_peak / case.peak))
            scaling = (slowness * c.launch_expert_scales) * (case.moe_layers * case.scaled)
            scaling = np.minimum(scaling, np.maximum(in_bf16 - core, 0.0))
            launch, idle = launch + scaling, idle + scaling
        if any_of(ranks - 1.0):
            exchange = exchange_time(case, load, c) * pace * tokens

    context = load.input_tokens + load.output_tokens / 2
    attended = case.full_layers * context
    if any_of(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, case.window)
    if any_of(case.sparse_layers):
        attended = attended + case.sparse_layers * np.minimum(context, case.selected)
    attended = (attended + c.cache_overhead * attending(case)) * sequences
    surplus = np.where(case.kv_bytes < VOCABULARY_BYTES, c.kv_surplus, 1.0)
    caching = pace * case.kv_elements * case.kv_bytes * surplus / (case.bandwidth * c.kv_efficiency)
    reach = share.heads * caching
    kv_cache = attended * reach
    if any_of(case.latent):
        # Scores and sums beyond what hides behind reading the cache.
        scoring = (positions / tp) * (pace * case.latent_work / (case.peak * c.latent_efficiency))
        compute = compute + attended * np.maximum(scoring - reach, 0.0)
    beside = pace / (case.bandwidth * c.kv_efficiency)
    if any_of(case.index_bytes):
        # Every GPU scores all entries with all heads of the indexer, in 8 bits.
        keys = (sequences * context) * (beside * case.index_bytes)
        scores = (sequences * context * positions) * (
            pace * case.index_work / (case.index_peak * c.latent_efficiency)
        )
        kv_cache = kv_cache + keys
        compute = compute + np.maximum(scores - keys, 0.0)
    if any_of(case.state_bytes):
        # A state is read and written.
        kv_cache = kv_cache + sequences / tp * (beside * 2 * case.state_bytes)
    schedule = sequences * (c.schedule * slowness)

    reduced = sequences * (case.hidden * 2 * REDUCED_BYTES / c.link_efficiency)
    reduced = reduced / tp
    if any_of(positions - 1.0):
        # What further positions add to a message crosses the link as well as a prefill does.
        reduced = reduced * (1 + (positions - 1) * c.link_efficiency / c.prefill_link_efficiency)
    all_reduce = share.peers * (reduced + c.link_message * 1e3)
    all_reduce = all_reduce * (pace * REDUCES * case.layers / case.link)
    if any_of(share.nodes):
        between = between_nodes(case, share, c, tokens, c.link_efficiency)
        all_reduce = all_reduce + pace * between
    return Step(weights, compute, kv_cache, launch, schedule, all_reduce, exchange), idle


def total(terms: Step) -> Number:
    """Return the time of a decode step from its terms [s]."""
    weights, compute, kv_cache, launch, schedule, all_reduce, exchange = terms
    return weights + compute + kv_cache + launch + schedule + all_reduce + exchange


def token_step(
    case: Case, load: Load, c: Constants, sequences: Number, share: Share | None = None
) -> tuple[Step, Number]:
    """Return the terms of the decode step that one output token takes, and what is idle of it.

    With drafted tokens: ``(step over γ + 1 positions + γ·drafting)/((1 − a^(γ+1))/(1 − a))``.
    Drafting one token takes a layer of the model and its output head, as multi-token prediction
    does; scheduling is done once for all.
    """
    if not any_of(load.draft_tokens):
        return decode_step(case, load, c, sequences, 1.0, share)
    drafts, chance = load.draft_tokens, load.acceptance
    share = share or share_of(case, load)
    verify, idle = decode_step(case, load, c, sequences, drafts + 1.0, share)
    one, idle_alone = decode_step(case, load, c, sequences, 1.0, share)
    head = share.head * VOCABULARY_BYTES / (case.bandwidth * c.weight_efficiency)
    draft = Step(*(term / case.layers for term in one))
    draft = draft._replace(weights=draft.weights + head, schedule=0.0)
    expected = (1.0 - chance ** (drafts + 1.0)) / (1.0 - chance)
    terms = ((v + drafts * d) / expected for v, d in zip(verify, draft, strict=True))
    return Step(*terms), (idle + drafts * idle_alone / case.layers) / expected
