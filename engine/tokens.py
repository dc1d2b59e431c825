"""Token arithmetic: from weights and bandwidth to time, and from time to USD per million tokens."""

from __future__ import annotations

import numpy as np

from engine.elementwise import (
    Number,
    Series,
    above,
    at_least,
    elementwise,
    fraction,
    holds,
    positive_fraction,
    proper_fraction,
    single,
)

__all__ = [
    "active_experts",
    "combined_gain",
    "cost_cut",
    "cost_per_mtok",
    "decode_time",
    "speculative_tokens",
    "stacked_cut",
    "weight_gb",
]


@elementwise(params_b=at_least(0), bits=above(0))
def weight_gb(params_b: Number, bits: Number = 16.0) -> Number:
    """Memory that the weights of a model take.

    Parameters
    ----------
    params_b : Number
        Parameters of the model, in billions [1e9].
    bits : Number
        Bits per parameter: 16 for bf16, 8 for fp8, 4 for int4 [bit].

    Returns
    -------
    Number
        Memory of the weights, 1 GB = 1e9 bytes [GB].

    Notes
    -----
    Equation: ``params_b · bits / 8``.
    Range: any size; scales of block formats (0.5 bit in nvfp4) are the caller's to add to bits.
    Source: definition.

    Examples
    --------
    >>> weight_gb(70.0)
    140.0
    """
    return params_b * bits / 8


@elementwise(weight_gb=at_least(0), bandwidth_tbps=above(0))
def decode_time(weight_gb: Number, bandwidth_tbps: Number) -> Number:
    """Time to stream the weights from memory once: the floor of one decode step at batch 1.

    Parameters
    ----------
    weight_gb : Number
        Memory of the weights read at each step [GB].
    bandwidth_tbps : Number
        Memory bandwidth of the accelerator, or of all that share the weights [TB/s].

    Returns
    -------
    Number
        Time of one step, hence of one token at batch 1 [s].

    Notes
    -----
    Equation: ``weight_gb / (1000 · bandwidth_tbps)``.
    Range: batch 1 at peak bandwidth; a real step takes longer, a batch shares it.
    Source: roofline model, memory-bound side (Williams et al. 2009).

    Examples
    --------
    >>> round(decode_time(140.0, 3.35), 6)
    0.041791
    """
    return weight_gb / (bandwidth_tbps * 1000)


@elementwise(
    usd_per_gpu_hour=at_least(0),
    tokens_per_second=above(0),
    utilisation=positive_fraction(),
    gpus=above(0),
)
def cost_per_mtok(
    usd_per_gpu_hour: Number,
    tokens_per_second: Number,
    utilisation: Number = 1.0,
    gpus: Number = 1.0,
) -> Number:
    """Cost of a million tokens on accelerators paid by the hour.

    Parameters
    ----------
    usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].
    tokens_per_second : Number
        Tokens that are sold at that price, given by all the accelerators together while busy;
        where input is sold too, input and output [1/s].
    utilisation : Number
        Share of the paid time in which they are busy, above 0 [-].
    gpus : Number
        Accelerators that together give this throughput [-].

    Returns
    -------
    Number
        Cost of a million tokens [USD/Mtok].

    Notes
    -----
    Equation: ``1e6 · usd_per_gpu_hour · gpus / (3600 · tokens_per_second · utilisation)``.
    Range: any throughput above 0; utilisation above 0 and at most 1.
    Source: identity of hours, tokens and price.

    Examples
    --------
    >>> round(cost_per_mtok(2.0, 1000.0, 0.5), 4)
    1.1111
    """
    return million_cost(usd_per_gpu_hour, tokens_per_second, utilisation, gpus)


def million_cost(
    usd_per_gpu_hour: Number, tokens_per_second: Number, utilisation: Number, gpus: Number
) -> Number:
    """Return the cost of a million tokens, where the arguments are known to be in their domains."""
    return 1e6 * usd_per_gpu_hour * gpus / (3600 * tokens_per_second * utilisation)


@elementwise(gain=above(0))
def cost_cut(gain: Number) -> Number:
    """Share of the cost that a gain in throughput saves.

    Parameters
    ----------
    gain : Number
        Throughput after over throughput before, 2 for twice as fast [-].

    Returns
    -------
    Number
        Cost saved over cost before; negative where the gain is below 1 [-].

    Notes
    -----
    Equation: ``1 − 1 / gain``.
    Range: gain above 0, at an unchanged price per hour.
    Source: definition.

    Examples
    --------
    >>> cost_cut(4.0)
    0.75
    """
    return 1 - 1 / gain


@single(gains=above(0))
def combined_gain(gains: Series) -> float:
    """Gain of several techniques if none got in the way of another: an upper bound.

    Parameters
    ----------
    gains : Series
        The gain of each technique alone, 2 for twice as fast [-].

    Returns
    -------
    float
        Product of the gains [-].

    Notes
    -----
    Equation: ``∏ gainᵢ``.
    Range: an upper bound: speculation gains less in a large batch, and quantisation speeds up
    only the part that memory traffic limits. TOK_WATERFALL computes what is left.
    Source: definition.

    Examples
    --------
    >>> combined_gain([1.5, 3, 10])
    45.0
    """
    product: float = np.prod(gains, axis=-1)
    return product


@single(cuts=fraction())
def stacked_cut(cuts: Series) -> float:
    """Cost cut of several layers, each applied to what the others left.

    Parameters
    ----------
    cuts : Series
        Share of the cost that each layer saves, 0 to 1 [-].

    Returns
    -------
    float
        Share of the cost that all together save [-].

    Notes
    -----
    Equation: ``1 − ∏(1 − cutᵢ)``.
    Range: independent layers.
    Source: definition.

    Examples
    --------
    >>> round(stacked_cut([0.2, 0.5, 0.3, 0.1]), 3)
    0.748
    """
    kept: float = np.prod(1 - cuts, axis=-1)
    return 1 - kept


@elementwise(acceptance=proper_fraction(), draft_tokens=at_least(0))
def speculative_tokens(acceptance: Number, draft_tokens: Number) -> Number:
    """Tokens expected from one cycle of speculative decoding.

    Parameters
    ----------
    acceptance : Number
        Chance that the large model accepts a drafted token, below 1 [-].
    draft_tokens : Number
        Tokens drafted in each cycle (γ) [-].

    Returns
    -------
    Number
        Expected tokens a cycle, the large model's own token included [-].

    Notes
    -----
    Equation: ``(1 − a^(γ+1)) / (1 − a)``.
    Range: acceptance 0 or more and below 1; acceptances independent and alike.
    Source: Leviathan, Kalman, Matias 2023, "Fast Inference from Transformers via Speculative
    Decoding", equation 1 (arXiv 2211.17192).

    Examples
    --------
    >>> round(speculative_tokens(0.8, 4.0), 4)
    3.3616
    """
    return (1 - acceptance ** (draft_tokens + 1)) / (1 - acceptance)


@elementwise(experts=at_least(1), experts_per_token=at_least(0), batch_tokens=at_least(0))
def active_experts(experts: Number, experts_per_token: Number, batch_tokens: Number) -> Number:
    """Distinct experts that a batch is expected to touch in one mixture-of-experts layer.

    Parameters
    ----------
    experts : Number
        Routed experts of the layer (E) [-].
    experts_per_token : Number
        Experts that each token is routed to (k), at most E [-].
    batch_tokens : Number
        Tokens in the batch (B) [-].

    Returns
    -------
    Number
        Expected number of distinct experts, whose weights have to be read [-].

    Notes
    -----
    Equation: ``E · (1 − (1 − k/E)^B)``.
    Range: k at most E; routing taken as even and independent between tokens.
    Source: expected occupancy (coupon collector).

    Examples
    --------
    >>> active_experts(256.0, 8.0, 1.0)
    8.0
    """
    share = holds(
        experts_per_token <= experts,
        experts_per_token / experts,
        "experts_per_token must be at most experts",
    )
    return experts * (1 - (1 - share) ** batch_tokens)
