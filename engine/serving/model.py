"""The serving formula: one decode step, one prefill, and both under continuous batching.

Everything here is arithmetic on floats or arrays alike; arguments are checked by the callers.
Times are in seconds, sizes in bytes.

A decode step of B sequences on each data-parallel rank, with C = B·dp sequences in all::

    step = max(weights read, their arithmetic) + max(experts read, their arithmetic)
         + KV cache read + launches of every layer + scheduling + all-reduces

    E_active = E·(1 − (1 − k/E)^(C^skew))

A prefill of one prompt of I tokens::

    prefill = max(arithmetic, weights read) + attention + activations + all-reduces

A closed loop of B sequences: while one writes its O tokens, B − 1 others are prefilled, and on
data-parallel ranks that share experts those of the other ranks stall it, too, unless all ranks
prefill together::

    mixed = prefill·θ·(others + stalls)/O − what of it fits into the idle arithmetic of the step
    TPOT = step + mixed
    TTFT = prefill·(1 + q·(B − 1)) + k·step + mixed + t₀
    throughput = C·O/(TTFT + TPOT·(O − 1))/GPUs

Sequences beyond what the KV cache holds wait: B stops there, and the wait joins TTFT.

A format of fewer bits never makes a step longer than bf16 would: what quantising adds is at most
what it saves, and a prefill may use the idle arithmetic of the step, which quantising is part of.
Throughput never falls as B rises, so neither does it where a smaller format holds more sequences.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from engine.elementwise import Number
from engine.serving.blocks import of_whole
from engine.serving.case import VOCABULARY_BYTES, Case
from engine.serving.constants import Constants

_MICRO = 1e-6
#: Bytes of an element that is added up between GPUs.
_REDUCED_BYTES = 2.0
#: Arithmetic of a token for each byte of a state: 3 products of 2 operations with 4 bytes [FLOP/B].
_STATE_WORK = 6.0 / 4.0
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
    #: All there is [B]
    memory: Number
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


class Step(NamedTuple):
    """Terms of one decode step; their sum is the step [s]."""

    weights: Number
    compute: Number
    kv_cache: Number
    launch: Number
    schedule: Number
    all_reduce: Number
    exchange: Number


class Served(NamedTuple):
    """What a load gets from a case."""

    #: Sequences running at once on one data-parallel rank [-]
    running: Number
    #: One decode step, and one prefill without waiting [s]
    step: Number
    prefill: Number
    #: What prefills of others add to each token [s]
    mixed: Number
    #: Output token after the first; first token, once there is a place in the KV cache [s]
    tpot: Number
    first: Number
    #: From its place in the KV cache to its last token [s]
    stay: Number
    #: Output tokens each second of one GPU [1/s]
    throughput: Number

    def queued(self, load: Load) -> Number:
        """Wait for a place in the KV cache [s]."""
        waiting = load.concurrency / load.data_parallel / self.running - 1.0
        return waiting * self.stay

    def ttft(self, load: Load) -> Number:
        """Time to the first token, the wait for a place included [s]."""
        return self.first + self.queued(load)

    def input_share(self, load: Load) -> Number:
        """Share of the GPU time that goes to input tokens: all but the decode steps [-]."""
        steps = self.step * (load.output_tokens - 1.0)
        return 1.0 - steps / (self.first + self.mixed * (load.output_tokens - 1.0) + steps)


def share_of(case: Case, load: Load) -> Share:
    """Return what of the model one GPU holds."""
    part = 1.0 / load.tensor_parallel
    heads: Number = 1.0
    if not (isinstance(case.kv_heads, float) and case.kv_heads == 1.0):
        heads = np.maximum(case.kv_heads * part, 1.0)
    dense = case.split * part
    if _any(case.kv_projection):
        dense += case.kv_projection * heads
    if _any(case.replicated):
        dense += case.replicated
    expert: Number = 0.0
    if _any(case.moe_layers):
        expert = case.moe_layers * case.expert * (part / load.data_parallel)
    wide: Number = 0.0
    if _any(case.wide_split):
        wide = case.wide_split * part
        wide += case.wide_replicated
    peers, nodes = load.tensor_parallel - 1.0, cast(Number, 0.0)
    if _any(load.tensor_parallel > case.domain):
        peers = np.minimum(load.tensor_parallel, case.domain) - 1.0
        nodes = np.maximum(load.tensor_parallel / case.domain - 1.0, 0.0)
    return Share(heads, dense, case.head * part, wide, expert, peers, nodes)


def memory(case: Case, load: Load, c: Constants) -> Memory:
    """Return what one GPU's memory holds."""
    share = share_of(case, load)
    weights = share.dense * case.weight_bytes
    weights += share.head * (case.vocabulary / case.head * VOCABULARY_BYTES)
    if _any(case.wide_split):
        weights += share.wide * VOCABULARY_BYTES
    if _any(case.moe_layers):
        weights += share.expert * (case.experts * case.expert_bytes)
    left = case.memory - weights
    left *= c.memory_share
    left -= c.memory_reserve * 1e9
    tokens = load.input_tokens + load.output_tokens
    each = case.kv_elements * case.kv_bytes
    sequence = tokens * ((case.full_layers + case.sparse_layers) * each)
    if _any(case.sliding_layers):
        sequence = sequence + np.minimum(tokens, case.window) * (case.sliding_layers * each)
    sequence = _times(sequence, share.heads)
    if _any(case.index_bytes):
        sequence = sequence + tokens * case.index_bytes
    if _any(case.state_bytes):
        sequence = sequence + case.state_bytes / load.tensor_parallel
    return Memory(weights, left, case.memory, sequence, share)


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
    tokens = _times(sequences, positions)
    # Constants and the numbers of the case are gathered in brackets: scalars, nearly always.
    pace = _backend(case, c.pace_trtllm, c.pace_sglang)
    slowness = _MICRO * case.clock**-c.clock_exponent * case.launching * pace
    work = pace * 2 / c.decode_efficiency
    rate = pace / (case.bandwidth * c.weight_efficiency)
    in_bf16 = share.head
    if _any(case.wide_split):
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
        * _backend(case, c.launch_trtllm, c.launch_sglang)
    )
    if _any(case.quantised):
        # Quantising costs at most what reading and multiplying in bf16 would: one would use that.
        saved = np.minimum(VOCABULARY_BYTES / case.weight_bytes, case.weight_peak / case.peak) - 1
        scaling = (slowness * c.launch_quantised) * (case.layers * case.quantised)
        scaling = np.minimum(scaling, narrow * saved)
        launch, idle = launch + scaling, idle + scaling
    exchange: Number = 0.0
    if _any(case.moe_layers):
        batch = _times(tokens, ranks)
        active = _active_experts(case, c, batch)
        unpacking = 1 + c.unpacking * case.unpacked
        reading = (share.expert * active) * (
            pace * case.expert_bytes * unpacking / (case.bandwidth * c.expert_efficiency)
        )
        computing = (share.expert * batch) * (
            _busiest(load, c) * (work * case.taken / case.expert_peak)
        )
        core = np.maximum(reading, computing)
        weights = weights + reading
        compute = compute + (core - reading)
        idle = idle + (core - computing)
        each = slowness * case.moe_layers
        shared = c.launch_exchange * np.minimum(ranks - 1.0, 1.0)
        launch = launch + each * (c.launch_experts + shared)
        launch = launch + active * (each * c.launch_expert / load.expert_parallel)
        if _any(case.scaled):
            wider = VOCABULARY_BYTES / (case.expert_bytes * unpacking)
            in_bf16 = np.maximum(reading * wider, computing * (case.expert_peak / case.peak))
            scaling = (slowness * c.launch_expert_scales) * (case.moe_layers * case.scaled)
            scaling = np.minimum(scaling, np.maximum(in_bf16 - core, 0.0))
            launch, idle = launch + scaling, idle + scaling
        if _any(ranks - 1.0):
            exchange = _exchange(case, load, c) * pace * tokens

    context = load.input_tokens + load.output_tokens / 2
    attended = case.full_layers * context
    if _any(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, case.window)
    if _any(case.sparse_layers):
        attended = attended + case.sparse_layers * np.minimum(context, case.selected)
    attended = attended * sequences
    surplus = np.where(case.kv_bytes < VOCABULARY_BYTES, c.kv_surplus, 1.0)
    caching = pace * case.kv_elements * case.kv_bytes * surplus / (case.bandwidth * c.kv_efficiency)
    reach = share.heads * caching
    kv_cache = attended * reach
    if _any(case.latent):
        # Scores and sums beyond what hides behind reading the cache.
        scoring = (positions / tp) * (pace * case.latent_work / (case.peak * c.latent_efficiency))
        compute = compute + attended * np.maximum(scoring - reach, 0.0)
    beside = pace / (case.bandwidth * c.kv_efficiency)
    if _any(case.index_bytes):
        # Every GPU scores all entries with all heads of the indexer, in 8 bits.
        keys = (sequences * context) * (beside * case.index_bytes)
        scores = (sequences * context * positions) * (
            pace * case.index_work / (case.index_peak * c.latent_efficiency)
        )
        kv_cache = kv_cache + keys
        compute = compute + np.maximum(scores - keys, 0.0)
    if _any(case.state_bytes):
        # A state is read and written.
        kv_cache = kv_cache + sequences / tp * (beside * 2 * case.state_bytes)
    schedule = sequences * (c.schedule * slowness)

    reduced = sequences * (case.hidden * 2 * _REDUCED_BYTES / c.link_efficiency)
    reduced = reduced / tp
    if _any(positions - 1.0):
        # What further positions add to a message crosses the link as well as a prefill does.
        reduced = reduced * (1 + (positions - 1) * c.link_efficiency / c.prefill_link_efficiency)
    all_reduce = share.peers * (reduced + c.link_message * 1e3)
    all_reduce = all_reduce * (pace * _REDUCES * case.layers / case.link)
    if _any(share.nodes):
        between = _between_nodes(case, share, c, tokens, c.link_efficiency)
        all_reduce = all_reduce + pace * between
    return Step(weights, compute, kv_cache, launch, schedule, all_reduce, exchange), idle


def _backend(case: Case, trtllm: float, sglang: float) -> Number:
    """Return a factor for the serving program: 1 for vLLM, the mean of the shares for any."""
    return case.vllm + case.trtllm * trtllm + case.sglang * sglang


def _busiest(load: Load, c: Constants) -> Number:
    """Return the work of the busiest GPU over the mean, where experts are spread [-]."""
    return 1.0 + (c.imbalance - 1.0) * np.minimum(load.expert_parallel - 1.0, 1.0)


def _exchange(case: Case, load: Load, c: Constants) -> Number:
    """Return the time to send one token of a rank to its experts and back, in all layers [s].

    A token goes to `taken` experts, at most one copy to each other GPU, and comes back, in bf16
    over the fast link. Beyond its domain one copy goes to each domain that has one of the experts,
    in the experts' format, and is passed on there. Ranks of tensor parallelism share the tokens of
    their data-parallel rank.
    """
    gpus = load.tensor_parallel * load.data_parallel
    copies = np.minimum(case.taken, gpus - 1.0) * np.minimum(load.data_parallel - 1.0, 1.0)
    width = case.moe_layers * case.expert_hidden
    sent = copies / load.tensor_parallel * (width * (2 * VOCABULARY_BYTES))
    if not _any(gpus > case.domain):
        return sent / (case.link * c.exchange_efficiency)
    nodes = np.maximum(gpus / case.domain, 1.0)
    reached = (nodes - 1.0) * (1.0 - (1.0 - 1.0 / nodes) ** case.taken) / load.tensor_parallel
    reached = reached * np.minimum(load.data_parallel - 1.0, 1.0)
    # Experts that are unpacked are multiplied in bf16, and take their tokens so.
    there = case.expert_bytes + (VOCABULARY_BYTES - case.expert_bytes) * case.unpacked
    across = reached * (width * (there + VOCABULARY_BYTES))
    return sent / nodes / (case.link * c.exchange_efficiency) + across / (
        case.network * c.network_efficiency
    )


def _between_nodes(
    case: Case, share: Share, c: Constants, tokens: Number, efficiency: float
) -> Number:
    """Return the time of all-reduces beyond the domain of the fast link, in all layers [s].

    Each accelerator of a domain adds up its part of a message with those of the other domains,
    in a ring over the network.
    """
    message = tokens * (case.hidden * 2 * _REDUCED_BYTES) / case.domain
    ring = message / (share.nodes + 1.0) / (case.network * efficiency) + c.network_latency * _MICRO
    return share.nodes * ring * (_REDUCES * case.layers)


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
    if not _any(load.draft_tokens):
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


def active_experts(case: Case, tokens: Number) -> Number:
    """Return the distinct experts of a layer that a number of tokens is expected to touch [-]."""
    # (1 − k/E)^tokens; the exponential is much faster than the power.
    untouched: Number = np.exp(tokens * np.log(case.skipped))
    return case.experts - case.experts * untouched


def _active_experts(case: Case, c: Constants, batch: Number) -> Number:
    """Return the distinct experts that a batch touches with the skew of real routing [-]."""

    def touched(tokens: Number) -> Number:
        # tokens^skew; exponential and logarithm are faster than the power.
        return active_experts(case, np.exp(np.log(tokens) * c.routing_skew))

    return of_whole(touched, batch) if isinstance(case.skipped, float) else touched(batch)


def prefill(
    case: Case, load: Load, c: Constants, share: Share | None = None, ranks: Number = 1.0
) -> Number:
    """Return the time to prefill what is new of one prompt, nothing else running [s].

    With `ranks`, that many data-parallel ranks prefill a prompt each at the same time; the experts
    that they share take the tokens of all.
    """
    tp, prompt, context = load.tensor_parallel, load.input_tokens, load.input_tokens
    if _any(load.cache_hit):
        # New tokens attend to the reused ones, too: their pairs are those of 1 − hit² prompts².
        prompt = prompt * (1.0 - load.cache_hit)
        context = context * (1.0 + load.cache_hit)
    share = share or share_of(case, load)
    pace = _backend(case, c.pace_trtllm, c.pace_sglang)
    work = pace * 2 / c.prefill_efficiency
    read = share.dense * case.weight_bytes
    products = share.dense * (work / case.weight_peak)
    if _any(case.wide_split):
        read = read + share.wide * VOCABULARY_BYTES
        products = products + share.wide * (work / case.peak)
    if _any(case.moe_layers):
        read = read + share.expert * active_experts(case, prompt * ranks) * case.expert_bytes
        products = products + share.expert * (
            _busiest(load, c) * (work * case.taken / case.expert_peak) * ranks
        )
    matrices = np.maximum(
        products * prompt, read * (pace / (case.bandwidth * c.prefill_weight_efficiency))
    )
    attended = case.full_layers * context
    if _any(case.sliding_layers):
        attended = attended + case.sliding_layers * np.minimum(context, 2 * case.window)
    moved = pace * case.layers * case.hidden
    if _any(case.sparse_layers):
        # Selected entries are attended to as cached, or all as otherwise, whichever is less.
        chosen = np.minimum(context, 2 * case.selected) * (case.sparse_width / case.head_width)
        attended = attended + case.sparse_layers * np.minimum(context, chosen)
    attention = attended * (
        pace * 2 * case.heads * case.head_width / (case.peak * c.attention_efficiency)
    )
    if _any(case.state_bytes):
        # Three products with a state of 32 bits for each token.
        attention = attention + pace * _STATE_WORK * case.state_bytes / (
            case.peak * c.attention_efficiency
        )
    activations = moved * c.activation_traffic / case.bandwidth
    reduced = 2 * _REDUCED_BYTES * _REDUCES * moved / (c.prefill_link_efficiency * case.link)
    time = matrices + (attention + activations + share.peers * reduced) * (prompt / tp)
    if _any(case.index_bytes):
        scoring = pace * case.index_work / (2 * case.index_peak * c.attention_efficiency)
        time = time + (prompt * context) * scoring
    if _any(share.nodes):
        between = _between_nodes(case, share, c, prompt, c.prefill_link_efficiency)
        time = time + pace * between
    if _any(case.moe_layers) and _any(load.data_parallel - 1.0):
        time = time + _exchange(case, load, c) * pace * prompt
    return time


def serve(
    case: Case, load: Load, c: Constants, fitting: Number, share: Share | None = None
) -> Served:
    """Return what continuous batching gives in a closed loop of `concurrency` requests.

    Parameters
    ----------
    case, load, c : Case, Load, Constants
        What is served, how, and the constants.
    fitting : Number
        Sequences whose cache fits on one data-parallel rank, at least 1 [-].
    share : Share
        What one GPU holds, where the caller knows it already.
    """
    share = share or share_of(case, load)
    wanted = load.concurrency / load.data_parallel
    running = np.minimum(wanted, fitting)
    terms, idle = token_step(case, load, c, running, share)
    step = total(terms)
    together = 1.0 + (load.data_parallel - 1.0) * (1.0 - _apart(case))
    alone = prefill(case, load, c, share, together)
    others = np.maximum(running - 1.0, 0.0)
    # A prefill uses the time in which decode steps wait for weights, once in each step.
    prefills = others / load.output_tokens
    ridden = idle * (c.overlap * np.minimum(prefills, 1.0))
    mixed = np.maximum(alone * (c.mixing * prefills) - ridden, 0.0)
    if _any(case.moe_layers) and _any(load.data_parallel - 1.0):
        mixed = mixed + alone * _stalls(case, load, c, running)
    tpot = step + mixed
    started = alone + alone * (c.queue * others)
    first = started + c.first_steps * step + mixed + c.front_end * 1e-3
    stay = first + tpot * (load.output_tokens - 1.0)
    throughput = running * load.output_tokens / (stay * load.tensor_parallel)
    return Served(running, step, alone, mixed, tpot, first, stay, throughput)


def _stalls(case: Case, load: Load, c: Constants, running: Number) -> Number:
    """Return the prefills of other data-parallel ranks that a decode step waits for [-].

    Ranks that share experts step together. Few prefills meet on several ranks when they are rare;
    once every step holds one on some rank, more of them cost little.
    """
    prefills = running / load.output_tokens
    others = prefills * (load.data_parallel - 1.0) / (1.0 + prefills * load.data_parallel)
    waited = c.stall * _apart(case)
    return others * (waited * np.minimum(case.experts, 1.0))


def _times(values: Number, factor: Number) -> Number:
    """Return a product; the first itself where the second is a plain 1."""
    return values if isinstance(factor, float) and factor == 1.0 else values * factor


def _apart(case: Case) -> Number:
    """Return the share of prefills that ranks do one after another [-].

    TensorRT-LLM balances its ranks, so that they prefill together (S81).
    """
    return case.vllm + case.sglang


def _any(values: Number | NDArray[np.bool_]) -> bool:
    if isinstance(values, np.ndarray):
        return bool(np.any(values))
    # Of a value that is no number yet, all is computed that any number may need.
    return bool(values) if isinstance(values, float | bool | np.generic) else True
