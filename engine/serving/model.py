"""The serving formula: one decode step, one prefill, and both under continuous batching.

Everything here, and in `held`, `decode`, `experts`, `links` and `prefill`, is arithmetic on floats
or arrays alike; arguments are checked by the callers. Times are in seconds, sizes in bytes.

A decode step of B sequences on each data-parallel rank, with C = B·dp sequences in all::

    step = max(weights read, their arithmetic) + max(experts read, their arithmetic)
         + tokens ordered for experts + KV cache read, and some tokens more in each layer
         + launches of every layer + scheduling + all-reduces

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

from typing import NamedTuple

import numpy as np

from engine.blocks import any_of
from engine.elementwise import Number
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.decode import token_step, total
from engine.serving.held import Load, Share, share_of
from engine.serving.prefill import prefill


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
    if any_of(case.moe_layers) and any_of(load.data_parallel - 1.0):
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


def _apart(case: Case) -> Number:
    """Return the share of prefills that ranks do one after another [-].

    TensorRT-LLM balances its ranks, so that they prefill together (S81).
    """
    return case.vllm + case.sglang
