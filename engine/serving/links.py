"""What crosses the fast link and the network: all-reduces, and tokens on their way to experts."""

from __future__ import annotations

import numpy as np

from engine.blocks import any_of
from engine.elementwise import Number
from engine.serving.case import VOCABULARY_BYTES, Case
from engine.serving.constants import Constants
from engine.serving.held import Load, Share

#: Bytes of an element that is added up between GPUs.
REDUCED_BYTES = 2.0
#: An all-reduce after attention and one after the feed-forward block.
REDUCES = 2
_MICRO = 1e-6


def exchange_time(case: Case, load: Load, c: Constants) -> Number:
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
    if not any_of(gpus > case.domain):
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


def between_nodes(
    case: Case, share: Share, c: Constants, tokens: Number, efficiency: float
) -> Number:
    """Return the time of all-reduces beyond the domain of the fast link, in all layers [s].

    Each accelerator of a domain adds up its part of a message with those of the other domains,
    in a ring over the network.
    """
    message = tokens * (case.hidden * 2 * REDUCED_BYTES) / case.domain
    ring = message / (share.nodes + 1.0) / (case.network * efficiency) + c.network_latency * _MICRO
    return share.nodes * ring * (REDUCES * case.layers)
