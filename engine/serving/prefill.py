"""The prefill of one prompt, nothing else running."""

from __future__ import annotations

import numpy as np

from engine.blocks import any_of
from engine.elementwise import Number
from engine.serving.case import VOCABULARY_BYTES, Case, backend_factor
from engine.serving.constants import Constants
from engine.serving.experts import active_experts, busiest, ordering_time
from engine.serving.held import Load, Share, attending, share_of
from engine.serving.links import REDUCED_BYTES, REDUCES, between_nodes, exchange_time

#: Arithmetic of a token for each byte of a state: 3 products of 2 operations with 4 bytes [FLOP/B].
_STATE_WORK = 6.0 / 4.0


def prefill(
    case: Case, load: Load, c: Constants, share: Share | None = None, ranks: Number = 1.0
) -> Number:
    """Return the time to prefill what is new of one prompt, nothing else running [s].

    With `ranks`, that many data-parallel ranks prefill a prompt each at the same time; the experts
    that they share take the tokens of all.
    """
    tp, prompt, context = load.tensor_parallel, load.input_tokens, load.input_tokens
    if any_of(load.cache_hit):
        # New tokens attend to the reused ones, too: their pairs are those of 1 − hit² prompts².
        prompt = prompt * (1.0 - load.cache_hit)
        context = context * (1.0 + load.cache_hit)
    share = share or share_of(case, load)
    pace = backend_factor(case, c.pace_trtllm, c.pace_sglang)
    work = pace * 2 / c.prefill_efficiency
    read = share.dense * case.weight_bytes
    products = share.dense * (work / case.weight_peak)
    if any_of(case.wide_split):
        read = read + share.wide * VOCABULARY_BYTES
        products = products + share.wide * (work / case.peak)
    if any_of(case.moe_layers):
        read = read + share.expert * active_experts(case, prompt * ranks) * case.expert_bytes
        products = products + share.expert * (
            busiest(load, c) * (work * case.taken / case.expert_peak) * ranks
        )
    matrices = np.maximum(
        products * prompt, read * (pace / (case.bandwidth * c.prefill_weight_efficiency))
    )
    attended = case.full_layers * context
    if any_of(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, 2 * case.window)
    moved = pace * case.layers * case.hidden
    if any_of(case.sparse_layers):
        # Selected entries are attended to as cached, or all as otherwise, whichever is less.
        chosen = np.minimum(context, 2 * case.selected) * (case.sparse_width / case.head_width)
        attended = attended + case.sparse_layers * np.minimum(context, chosen)
    attended = attended + c.attention_overhead * attending(case)
    attention = attended * (
        pace * 2 * case.heads * case.head_width / (case.peak * c.attention_efficiency)
    )
    if any_of(case.state_bytes):
        # Three products with a state of 32 bits for each token.
        attention = attention + pace * _STATE_WORK * case.state_bytes / (
            case.peak * c.attention_efficiency
        )
    activations = moved * c.activation_traffic / case.bandwidth
    reduced = 2 * REDUCED_BYTES * REDUCES * moved / (c.prefill_link_efficiency * case.link)
    time = matrices + (attention + activations + share.peers * reduced) * (prompt / tp)
    if any_of(case.index_bytes):
        scoring = pace * case.index_work / (2 * case.index_peak * c.attention_efficiency)
        time = time + (prompt * context) * scoring
    if any_of(case.moe_layers):
        time = time + prompt * ranks * (pace * ordering_time(case, load, c))
    if any_of(share.nodes):
        between = between_nodes(case, share, c, prompt, c.prefill_link_efficiency)
        time = time + pace * between
    if any_of(case.moe_layers) and any_of(load.data_parallel - 1.0):
        time = time + exchange_time(case, load, c) * pace * prompt
    return time
