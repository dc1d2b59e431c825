"""A load, and what of a model and its KV cache one GPU holds under it."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np

from engine.blocks import any_of, times
from engine.elementwise import Number
from engine.serving.case import VOCABULARY_BYTES, Case
from engine.serving.constants import Constants


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
    #: All there is [B], and 0 where all of it is SRAM, else 1 [-]
    memory: Number
    dram: Number
    #: KV cache of one sequence at its full length [B]
    sequence: Number
    #: What of the model the GPU holds
    share: Share


class Share(NamedTuple):
    """What of a model one GPU holds."""

    #: Key-value heads [-]
    heads: Number
    #: Parameters outside experts and vocabulary, and of the output head [-]
    dense: Number
    head: Number
    #: Parameters of attention that are left in bf16 [-]
    wide: Number
    #: Parameters of one expert, summed over the layers that have experts [-]
    expert: Number
    #: Other GPUs of tensor parallelism on the fast link, and other domains of it [-]
    peers: Number
    nodes: Number


def share_of(case: Case, load: Load) -> Share:
    """Return what of the model one GPU holds."""
    part = 1.0 / load.tensor_parallel
    heads: Number = 1.0
    if not (isinstance(case.kv_heads, float) and case.kv_heads == 1.0):
        heads = np.maximum(case.kv_heads * part, 1.0)
    dense = case.split * part
    if any_of(case.kv_projection):
        dense += case.kv_projection * heads
    if any_of(case.replicated):
        dense += case.replicated
    expert: Number = 0.0
    if any_of(case.moe_layers):
        expert = case.moe_layers * case.expert * (part / load.data_parallel)
    wide: Number = 0.0
    if any_of(case.wide_split):
        wide = case.wide_split * part
        wide += case.wide_replicated
    peers, nodes = load.tensor_parallel - 1.0, cast(Number, 0.0)
    if any_of(load.tensor_parallel > case.domain):
        peers = np.minimum(load.tensor_parallel, case.domain) - 1.0
        nodes = np.maximum(load.tensor_parallel / case.domain - 1.0, 0.0)
    return Share(heads, dense, case.head * part, wide, expert, peers, nodes)


def attending(case: Case) -> Number:
    """Return the layers of attention; one that sums up tokens counts for what it keeps [-]."""
    return case.full_layers + case.sliding_layers + case.sparse_layers


def memory(case: Case, load: Load, c: Constants) -> Memory:
    """Return what one GPU's memory holds."""
    share = share_of(case, load)
    weights = share.dense * case.weight_bytes
    weights += share.head * (case.vocabulary / case.head * VOCABULARY_BYTES)
    if any_of(case.wide_split):
        weights += share.wide * VOCABULARY_BYTES
    if any_of(case.moe_layers):
        weights += share.expert * (case.experts * case.expert_bytes)
    left = case.memory - weights
    left *= c.memory_share
    left -= c.memory_reserve * 1e9
    # Machines of SRAM hold a model in a pipeline of many chips, which is not covered.
    left = times(left, case.dram)
    tokens = load.input_tokens + load.output_tokens
    each = case.kv_elements * case.kv_bytes
    sequence = tokens * ((case.full_layers + case.sparse_layers) * each)
    if any_of(case.sliding_layers):
        sequence = sequence + np.minimum(tokens, case.window) * (case.sliding_layers * each)
    sequence = times(sequence, share.heads)
    if any_of(case.index_bytes):
        sequence = sequence + tokens * case.index_bytes
    if any_of(case.state_bytes):
        sequence = sequence + case.state_bytes / load.tensor_parallel
    return Memory(weights, left, case.memory, case.dram, sequence, share)
