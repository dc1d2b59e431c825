"""Applications: what sessions, videos, training runs and subscriptions cost."""

from __future__ import annotations

import math
from typing import cast

import numpy as np

from engine.domains import Domain
from engine.elementwise import (
    SAME,
    Number,
    above,
    at_least,
    elementwise,
    fraction,
    positive_fraction,
    whole,
)
from engine.normal import ndtr

__all__ = ["agent_session", "subscription_margin", "training_cost", "video_cost"]


@elementwise(
    turns=whole(1),
    input_price=at_least(0),
    output_price=at_least(0),
    prompt_tokens=at_least(0),
    output_tokens=at_least(0),
    tool_tokens=at_least(0),
    cache_hit=fraction(),
    cached_price=at_least(0, same_as="input_price"),
)
def agent_session(
    turns: Number,
    input_price: Number,
    output_price: Number,
    prompt_tokens: Number,
    output_tokens: Number,
    tool_tokens: Number = 0.0,
    cache_hit: Number = 0.0,
    cached_price: Number = SAME,
) -> Number:
    """Cost of an agent session in which every turn reads the whole context so far again.

    Parameters
    ----------
    turns : Number
        Turns of the session, a whole number [-].
    input_price : Number
        Price of a million input tokens [USD/Mtok].
    output_price : Number
        Price of a million output tokens [USD/Mtok].
    prompt_tokens : Number
        Tokens of the context before the first turn: instructions, tools, task [-].
    output_tokens : Number
        Tokens that each turn writes [-].
    tool_tokens : Number
        Tokens of the tool results that each turn adds to the context [-].
    cache_hit : Number
        Share of the tokens read that the prompt cache serves [-].
    cached_price : Number
        Price of a million cached input tokens; input_price where left out [USD/Mtok].

    Returns
    -------
    Number
        Cost of the session [USD].

    Notes
    -----
    Equation: ``(in·((1 − hit)·input_price + hit·cached_price) + T·output·output_price) / 1e6``
    with the tokens read ``in = T·prompt + (output + tool)·T·(T − 1)/2``.
    Range: whole turns; the context is never cut or summarised.
    Source: sum of an arithmetic series; prices by token as providers list them.

    Examples
    --------
    >>> round(agent_session(3.0, 1.0, 2.0, 1000.0, 100.0), 6)
    0.0039
    """
    read = turns * prompt_tokens + (output_tokens + tool_tokens) * turns * (turns - 1) / 2
    read_price = (1 - cache_hit) * input_price + cache_hit * cached_price
    return (read * read_price + turns * output_tokens * output_price) / 1e6


@elementwise(
    seconds=at_least(0),
    fps=at_least(0),
    gpu_seconds_per_frame=at_least(0),
    usd_per_gpu_hour=at_least(0),
)
def video_cost(
    seconds: Number, fps: Number, gpu_seconds_per_frame: Number, usd_per_gpu_hour: Number
) -> Number:
    """Cost of generating a video frame by frame.

    Parameters
    ----------
    seconds : Number
        Length of the video [s].
    fps : Number
        Frames per second of video [1/s].
    gpu_seconds_per_frame : Number
        Time of one accelerator for one frame [s].
    usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].

    Returns
    -------
    Number
        Cost of the video [USD].

    Notes
    -----
    Equation: ``seconds · fps · gpu_seconds_per_frame / 3600 · usd_per_gpu_hour``.
    Range: accelerators paid by the time they are busy.
    Source: identity.

    Examples
    --------
    >>> video_cost(60.0, 30.0, 2.0, 5.0)
    5.0
    """
    return seconds * fps * gpu_seconds_per_frame / 3600 * usd_per_gpu_hour


@elementwise(
    flops=at_least(0), tflops=above(0), mfu=positive_fraction(), usd_per_gpu_hour=at_least(0)
)
def training_cost(flops: Number, tflops: Number, mfu: Number, usd_per_gpu_hour: Number) -> Number:
    """Cost of the computing of a training run.

    Parameters
    ----------
    flops : Number
        Floating-point operations of the run, 6·parameters·tokens of a dense model [FLOP].
    tflops : Number
        Dense peak of one accelerator in the training format [TFLOP/s].
    mfu : Number
        Model FLOPs utilisation: share of the peak reached, above 0 [-].
    usd_per_gpu_hour : Number
        Price of one accelerator for one hour [USD/h].

    Returns
    -------
    Number
        Cost of the final run: no failed runs, data or people [USD].

    Notes
    -----
    Equation: ``flops / (tflops·1e12·mfu) / 3600 · usd_per_gpu_hour``.
    Range: mfu above 0 and at most 1; 0.3 to 0.5 is usual.
    Source: definition of MFU, Chowdhery et al. 2022, "PaLM", appendix B (arXiv 2204.02311).

    Examples
    --------
    >>> round(training_cost(2.1e25, 312.0, 0.34, 2.0) / 1e6)
    110
    """
    return flops / (tflops * 1e12 * mfu) / 3600 * usd_per_gpu_hour


@elementwise(
    price=at_least(0),
    requests=at_least(0),
    cost_per_request=at_least(0),
    spread=at_least(0),
    # Infinity is how an array says that one of its elements has no cap.
    cap=Domain(0.0, math.inf, "0 or more"),
)
def subscription_margin(
    price: Number,
    requests: Number,
    cost_per_request: Number,
    spread: Number = 0.0,
    cap: Number | None = None,
) -> Number:
    """Margin that a flat subscription leaves when some users ask far more than the mean.

    Parameters
    ----------
    price : Number
        Price of the subscription a month; 0 for a free tier [USD].
    requests : Number
        Requests a month that the mean user would make without a cap [-].
    cost_per_request : Number
        Cost of serving one request [USD].
    spread : Number
        Standard deviation of the logarithm of the requests; 0 where all users are alike [-].
    cap : Number
        Requests a month after which a user is stopped; left out, there is no cap [-].

    Returns
    -------
    Number
        Margin per user and month; negative is a loss [USD].

    Notes
    -----
    Equation: ``price − cost·E[min(X, cap)]`` with ``E[min(X, c)] = m·Φ(d₋) + c·Φ(−d₊)``,
    ``d± = (ln(c/m) ± σ²/2)/σ``, m = requests, σ = spread.
    Range: X lognormal of mean m; ``min(m, c)`` at spread 0.
    Source: limited expected value of the lognormal, Klugman, Panjer, Willmot, "Loss Models",
    appendix A.

    Examples
    --------
    >>> round(subscription_margin(20.0, 1000.0, 0.01, 1.0, 2000.0), 4)
    11.9061
    """
    if cap is None:
        return price - cost_per_request * requests
    # The mean is of NumPy, whose overflow would be told on the way to being refused.
    with np.errstate(over="ignore"):
        return price - cost_per_request * _limited_mean(requests, cap, spread)


def _limited_mean(mean: Number, cap: Number, spread: Number) -> Number:
    """Return E[min(X, cap)] of a lognormal X by its mean and log standard deviation."""
    certain = np.minimum(mean, cap)
    # Without spread, cap, or a request made or served, 0/0 and ∞·0 would stand in the formula.
    closed = (spread == 0) | np.isinf(cap) | ((certain == 0) & ~np.isnan(spread))
    mean, cap, spread = (np.where(closed, 1.0, values) for values in (mean, cap, spread))
    with np.errstate(over="ignore"):
        middle = (np.log(cap) - np.log(mean)) / spread
        limited = mean * _normal(middle - spread / 2) + cap * _normal(-middle - spread / 2)
    result: Number = np.where(closed, certain, limited)
    return result


def _normal(value: Number) -> Number:
    """Return the share of a standard normal distribution that lies below a value."""
    if (traced := getattr(type(value), "__normal__", None)) is not None:
        return cast(Number, traced(value))
    return ndtr(value)
