"""Experts: how many of a layer a batch touches, and how evenly its work is spread."""

from __future__ import annotations

import numpy as np

from engine.blocks import of_whole
from engine.elementwise import Number
from engine.serving.case import Case
from engine.serving.constants import Constants
from engine.serving.held import Load


def active_experts(case: Case, tokens: Number) -> Number:
    """Return the distinct experts of a layer that a number of tokens is expected to touch [-]."""
    # (1 − k/E)^tokens; the exponential is much faster than the power.
    untouched: Number = np.exp(tokens * np.log(case.skipped))
    return case.experts - case.experts * untouched


def touched_experts(case: Case, c: Constants, batch: Number) -> Number:
    """Return the distinct experts that a batch touches with the skew of real routing [-]."""

    def touched(tokens: Number) -> Number:
        # tokens^skew; exponential and logarithm are faster than the power.
        return active_experts(case, np.exp(np.log(tokens) * c.routing_skew))

    return of_whole(touched, batch) if isinstance(case.skipped, float) else touched(batch)


def ordering_time(case: Case, load: Load, c: Constants) -> Number:
    """Return the time to order and add up one token for its experts, in all layers [s].

    Every GPU that holds a part of each expert does it for all tokens; spread over GPUs, experts
    share it.
    """
    width = case.moe_layers * case.taken * case.expert_hidden
    return width * (c.expert_traffic / case.bandwidth) / load.expert_parallel


def busiest(load: Load, c: Constants) -> Number:
    """Return the work of the busiest GPU over what other products of that size take [-].

    Experts take few tokens each, and where they are spread, some GPU has more than its share.
    """
    spread = 1.0 + (c.imbalance - 1.0) * np.minimum(load.expert_parallel - 1.0, 1.0)
    return c.expert_work * spread
