"""What our wrapper costs over a bare xlwings function that does the same arithmetic.

Both run in this process, in turn, through xlwings' own `call_udf`, with COM stubbed (see
tests/udfs/com_stub.py), so that what differs is the wrapper alone. In Excel both pay for COM too,
which makes the ratio smaller. The bare functions check nothing and know no error values.

    python benchmarks/wrapper_overhead.py

Exit code 1 where a scalar call costs more than 1.25 times, or a call with a range of 10,000 cells
more than 1.10 times, what the bare function costs.
"""

from __future__ import annotations

import sys
from math import isclose
from pathlib import Path
from statistics import median
from time import perf_counter
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "udfs"))

import com_stub

LIMITS = {"scalar": 1.25, "10,000 cells": 1.10}
CELLS = 10_000
ROUNDS = 30


def bare_module(xw):
    """Return a module of bare xlwings functions, as xlwings' own documentation writes them."""
    import numpy as np  # noqa: PLC0415

    @xw.func
    def SUBSIDY(price, breakeven):
        return breakeven - price

    @xw.func
    def COST_PER_MTOK(usd_per_gpu_hour, tokens_per_second, utilisation=1, gpus=1):
        return usd_per_gpu_hour * gpus / (tokens_per_second * utilisation * 3600) * 1e6

    @xw.func
    @xw.arg("price", np.array, ndim=2)
    def SUBSIDY_RANGE(price, breakeven):
        return breakeven - price

    @xw.func
    @xw.arg("tokens_per_second", np.array, ndim=2)
    def COST_PER_MTOK_RANGE(usd_per_gpu_hour, tokens_per_second, utilisation=1, gpus=1):
        return usd_per_gpu_hour * gpus / (tokens_per_second * utilisation * 3600) * 1e6

    module = ModuleType("bare")
    module.__file__ = __file__
    vars(module).update(
        (f.__name__, f) for f in (SUBSIDY, COST_PER_MTOK, SUBSIDY_RANGE, COST_PER_MTOK_RANGE)
    )
    sys.modules["bare"] = module
    return module


def seconds(call, count):
    """Return the time of one of `count` calls."""
    start = perf_counter()
    for _ in range(count):
        call()
    return (perf_counter() - start) / count


def compare(ours, bare, count):
    """Return the time of each, and the median ratio of rounds in which both ran."""
    pairs = [(seconds(ours, count), seconds(bare, count)) for _ in range(ROUNDS)]
    return (
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
        median(a / b for a, b in pairs),
    )


def main():
    """Measure, print a table, and return the exit code."""
    xw = com_stub.xlwings_on_windows()
    bare_module(xw)
    call_udf = xw.udfs.call_udf
    one = com_stub.Range([[2.0]])
    many = com_stub.Range([[100.0 + i] for i in range(CELLS)])
    out = com_stub.MISSING
    # What is compared, our function, the bare one, arguments.
    cases = [
        ("scalar", "TOK_SUBSIDY", "SUBSIDY", (one, 3.0)),
        ("scalar", "TOK_COST_PER_MTOK", "COST_PER_MTOK", (one, one, out, out)),
        ("10,000 cells", "TOK_SUBSIDY", "SUBSIDY_RANGE", (many, 3.0)),
        ("10,000 cells", "TOK_COST_PER_MTOK", "COST_PER_MTOK_RANGE", (one, many, out, out)),
    ]
    worst = dict.fromkeys(LIMITS, 0.0)
    print(f"{'call':14}{'function':20}{'ours':>12}{'bare':>12}{'ratio':>8}{'limit':>8}")
    for kind, ours, bare, arguments in cases:
        assert isclose(
            call_udf("udfs", ours, arguments)[-1][0], call_udf("bare", bare, arguments)[-1][0]
        )
        count = 200 if kind == "scalar" else 1
        ours_s, bare_s, ratio = compare(
            lambda ours=ours, arguments=arguments: call_udf("udfs", ours, arguments),
            lambda bare=bare, arguments=arguments: call_udf("bare", bare, arguments),
            count,
        )
        worst[kind] = max(worst[kind], ratio)
        print(
            f"{kind:14}{ours:20}{ours_s * 1e6:10.1f}µs{bare_s * 1e6:10.1f}µs"
            f"{ratio:8.2f}{LIMITS[kind]:8.2f}"
        )
    return int(any(ratio > LIMITS[kind] for kind, ratio in worst.items()))


if __name__ == "__main__":
    sys.exit(main())
