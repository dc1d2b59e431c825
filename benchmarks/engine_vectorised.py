"""Engine functions over a million elements, beside plain NumPy and kernels fused by hand.

All in this process, on one thread, in turn; the best of several rounds counts, in time of that
thread, which others on the machine disturb less. Peers get arrays of floats ready-made and check
nothing; they must give the same numbers.

    python benchmarks/engine_vectorised.py [ELEMENTS]

- closed forms (a breakeven price, a loss, an average price) against their equation in NumPy;
- the runway against a loop fused by Numba, which multiplies on from month to month and stops at the
  month in which the cash is gone;
- the chain of cost, price, subsidy and runway against one kernel that keeps nothing in between.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from time import thread_time
from typing import Any

import numba
import numpy as np

from engine import blended_price, breakeven_price, runway, subsidy_loss
from engine.subsidy import DAYS_PER_MONTH, LONGEST_RUNWAY

ROUNDS = 5


@numba.njit(error_model="numpy")
def months_of(cash, volume, price, cost, growth, falling, saving):
    """Return the months until the cash is gone; infinite where it lasts."""
    daily = volume / 1e6 * DAYS_PER_MONTH
    costs, sales = daily * cost, daily * price
    dearer = ((1 + growth) * (1 + saving)) ** (1 / 12)
    richer = ((1 + growth) * (1 + falling)) ** (1 / 12)
    lost = 0.0
    for month in range(LONGEST_RUNWAY):
        loss = costs - sales
        if loss > 0 and lost + loss >= cash:
            return month + (cash - lost) / loss
        lost += loss
        costs *= dearer
        sales *= richer
    return math.inf


@numba.njit(error_model="numpy")
def fused_runway(cash, volume, price, cost, growth, falling, saving, out):
    """Fill `out` with the months of each element."""
    for i in range(out.size):
        out[i] = months_of(cash[i], volume[i], price[i], cost[i], growth[i], falling[i], saving[i])


@numba.njit(error_model="numpy")
def fused_chain(hour, speed, used, gpus, cash, volume, price, growth, falling, saving, lost, out):
    """Fill `lost` with the loss a million tokens and `out` with the months of each element."""
    for i in range(out.size):
        cost = hour[i] * gpus[i] / (speed[i] * used[i] * 3600) * 1e6
        lost[i] = cost - price[i]
        out[i] = months_of(cash[i], volume[i], price[i], cost, growth[i], falling[i], saving[i])


def best(*functions: Callable[[], object]) -> list[float]:
    """Return the least time of each, all taken in turn [s]."""
    times = [math.inf] * len(functions)
    for _ in range(ROUNDS):
        for i, function in enumerate(functions):
            started = thread_time()
            function()
            times[i] = min(times[i], thread_time() - started)
    return times


def drawn(elements: int) -> dict[str, Any]:
    """Return arguments as a simulation draws them."""
    rng = np.random.default_rng(1)
    between = {
        "hour": (2.4, 5.12), "speed": (2e3, 9e3), "used": (0.3, 0.9), "gpus": (4, 16),
        "cash": (1e8, 1e9), "volume": (5e11, 2e12), "price": (0.3, 0.9), "growth": (0.3, 2.5),
        "falling": (-0.6, -0.15), "saving": (-0.5, -0.1), "answer": (100, 900),
    }  # fmt: skip
    return {name: rng.uniform(*ends, elements) for name, ends in between.items()}


def main(elements: int) -> None:
    d = drawn(elements)
    unit = (d["hour"], d["speed"], d["used"], d["gpus"])
    path = (d["growth"], d["falling"], d["saving"])
    cost = breakeven_price(*unit)
    money = (d["cash"], d["volume"], d["price"])
    out, lost = np.empty(elements), np.empty(elements)

    def chain() -> tuple[Any, Any]:
        told = breakeven_price(*unit)
        return told - d["price"], runway(*money, told, *path)

    def closed(told: str, ours: Callable[[], Any], plain: Callable[[], Any]) -> None:
        np.testing.assert_allclose(ours(), plain(), rtol=1e-13)
        say(f"{told} / NumPy", elements, *best(ours, plain))

    closed(
        "breakeven_price", lambda: breakeven_price(*unit),
        lambda: d["hour"] * d["gpus"] / (d["speed"] * d["used"] * 3600) * 1e6,
    )  # fmt: skip
    closed(
        "subsidy_loss", lambda: subsidy_loss(d["volume"], d["price"], cost),
        lambda: d["volume"] / 1e6 * (cost - d["price"]) * 365.0,
    )  # fmt: skip
    closed(
        "blended_price", lambda: blended_price(d["price"], cost, d["speed"], d["answer"]),
        lambda: (d["speed"] * d["price"] + d["answer"] * cost) / (d["speed"] + d["answer"]),
    )  # fmt: skip
    fused_runway(*money, cost, *path, out)
    np.testing.assert_allclose(runway(*money, cost, *path), out, rtol=1e-10)
    times = best(
        lambda: runway(*money, cost, *path), lambda: fused_runway(*money, cost, *path, out)
    )
    say("runway / Numba", elements, *times)
    print(
        f"  it ends in {np.isfinite(out).mean():.0%}, in {np.median(out):.0f} months half the time"
    )
    fused_chain(*unit, *money, *path, lost, out)
    for mine, theirs in zip(chain(), (lost, out), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
    say("chain / Numba", elements,
        *best(chain, lambda: fused_chain(*unit, *money, *path, lost, out)))  # fmt: skip


def say(told: str, elements: int, ours: float, peer: float) -> None:
    each = 1e9 / elements
    print(f"{told:26} {ours * each:8.1f} ns  {peer * each:8.1f} ns  ratio {ours / peer:6.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
