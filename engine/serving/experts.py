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


def busiest(load: Load, c: Constants) -> Number:
    """Return the work of the busiest GPU over the mean, where experts are spread [-]."""
    return 1.0 + (c.imbalance - 1.0) * np.minimum(load.expert_parallel - 1.0, 1.0)
